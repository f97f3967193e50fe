"""Incidents and maintenance: declare, post an update, resolve, reopen, correct, schedule.

Each verb is one transaction: the update, the component states, the messages of every audience,
one delivery for each recipient, the audit entry and a new revision of the public site are kept
together or not at all.  No provider is called here.
"""
