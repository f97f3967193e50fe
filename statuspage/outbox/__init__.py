"""The outbox: queue, claim, deliver, retry, recover.

* :mod:`.queue` writes deliveries in the transaction that publishes.
* :mod:`.corrections` puts right what was sent wrong.
* :mod:`.overtaken` keeps back what is not true any more, or must not go to somebody.
* :mod:`.control` holds, pauses and rests channels.
* :mod:`.claims` takes batches for a worker, and takes back those of a dead one.
* :mod:`.outcomes` writes what became of each recipient.
* :mod:`.dispatch` is the story of one send: claim, commit, call the provider, record.
* :mod:`.news` folds in what the mail provider tells afterwards.
* :mod:`.report` answers who was told what, and when.
"""
