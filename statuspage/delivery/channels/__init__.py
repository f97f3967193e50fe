"""The providers: SendGrid, SMTP, files and chat.

They know neither the database nor Flask.  Each module holds one class with ``send(message,
recipients, still_ours=…)`` (:class:`.provider.Provider`), which yields the outcome for
each recipient and never raises for trouble on the provider's side.
"""
