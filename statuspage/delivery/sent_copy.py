"""One person's copy of a message: filled in to be looked at, or read back from its file.

Where no mail provider is set, mail lies in files and the admin shows them, so the whole product can
be seen at work on a laptop; internal messages without a chat room of their own lie in files too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from statuspage.delivery.channels.chat import ChatNote, list_chat
from statuspage.delivery.channels.mail_files import StoredMail, list_mail, read_mail, remove_mail
from statuspage.delivery.channels.provider import fill_html, fill_subject, fill_text
from statuspage.messages.tokens import token_values

__all__ = [
    "ChatNote",
    "SentCopy",
    "StoredMail",
    "fill_copy",
    "list_chat",
    "list_mail",
    "read_mail",
    "remove_mail",
]


@dataclass(frozen=True, slots=True)
class SentCopy:
    """What one recipient reads."""

    subject: str
    text: str
    html: str


def fill_copy(
    subject: str,
    text: str,
    html: str,
    *,
    moments: Mapping[str, str],
    zone: str,
    language: str = "en",
    name: str = "",
    unsubscribe_url: str = "",
    manage_url: str = "",
) -> SentCopy:
    """A finished message as somebody of that ``name`` in that time ``zone`` reads it.

    ``moments`` are the times behind its tokens, ISO 8601 by name, as they are kept with it.
    """
    values = token_values(moments, zone=zone, locale=language, name=name)
    if unsubscribe_url:
        values["unsubscribe_url"] = unsubscribe_url
    if manage_url:
        values["manage_url"] = manage_url
    return SentCopy(fill_subject(subject, values), fill_text(text, values), fill_html(html, values))
