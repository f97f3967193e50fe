"""The outbox: messages are queued, claimed, sent, retried and accounted for.

``queue`` writes deliveries in the transaction that publishes; ``claims`` takes batches for a worker
and takes back those of a dead one; ``dispatch`` reads as the incident of one send; ``outcomes``
records what became of each recipient; ``superseded`` stops what is no longer true;
``provider_events`` applies what the mail provider reports later; ``report`` answers who was sent
what, and when.  ``channels`` holds the providers.
"""
