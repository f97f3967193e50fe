"""The doors out: SendGrid, SMTP, files and chat.

Pure: no database, no Flask.  Each module holds one small class with ``send(letter, recipients,
still_ours=…)`` (:class:`~statuspage.channels.letter.Channel`), which yields what became of each
recipient and never raises for trouble on the provider's side.
"""

from __future__ import annotations

from statuspage.channels.letter import (
    Channel,
    Fault,
    Letter,
    Outcome,
    Recipient,
    Result,
    Thread,
    fill_html,
    fill_subject,
    fill_text,
)

__all__ = [
    "Channel",
    "Fault",
    "Letter",
    "Outcome",
    "Recipient",
    "Result",
    "Thread",
    "fill_html",
    "fill_subject",
    "fill_text",
]
