"""Histories that were published elsewhere, taken in with their own times; nobody is ever mailed.

``jsonl`` reads incidents from JSON lines, ``statuspage_page`` a Statuspage page's public documents.
Both make :mod:`.published` incidents, which :mod:`.store` keeps: the same incident again changes
nothing, a changed one is brought up to date.
"""
