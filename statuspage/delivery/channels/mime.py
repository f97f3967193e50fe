"""A mail as an Internet message (RFC 5322, RFC 2045 to 2047).

Building an ``EmailMessage`` for each recipient costs about a hundred times more than sending it,
and the standard library of Python 3.11 lets an encoded word in a subject open a new header.  So the
headers that all recipients share are written once for each mail, and the few that differ are put
together here, each from parts that cannot hold a line break.
"""

from __future__ import annotations

import re
import secrets
import string
from base64 import b64encode
from binascii import b2a_qp
from datetime import datetime
from email.utils import format_datetime
from urllib.parse import quote

import idna

from statuspage.delivery.channels.provider import (
    OutgoingMessage,
    Recipient,
    fill_html,
    fill_subject,
    fill_text,
    one_line,
    writable,
)

_PLAIN_ADDRESS = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]+@[a-z0-9.-]+", re.ASCII | re.IGNORECASE)
_NOT_IN_ADDRESS = re.compile(r'[\s\x00-\x20\x7f-\x9f<>(),;:\\"\[\]\u2028\u2029\ud800-\udfff]')
_IN_BRACKETS = re.compile(r"[\x21-\x3b\x3d\x3f-\x7e]+")
_BESIDE_LETTERS = "".join(c for c in string.punctuation if c not in "<>")
# Bytes in one encoded word: with its frame and the longest header name the line stays under 76.
_WORD = 39


def mailbox(address: str) -> str:
    """``address`` as it is written on the wire, its domain in ASCII (RFC 5891).

    Raises ``ValueError`` where it is no plain ``local@domain``: quoted local parts and address
    literals are refused, because what they may hold could end a command or a header.
    """
    if _PLAIN_ADDRESS.fullmatch(address):
        return address
    local, _, domain = address.rpartition("@")
    if not local or not domain or "@" in local or _NOT_IN_ADDRESS.search(address):
        raise ValueError("not a mail address")
    if domain.isascii():
        return address
    try:
        return f"{local}@{idna.encode(domain, uts46=True).decode('ascii')}"
    except idna.IDNAError as error:
        raise ValueError(f"not a mail address: {error}") from None


def check_senders(outgoing: OutgoingMessage) -> None:
    """``ValueError`` with a sentence for people where the mail's own addresses are none."""
    for address in filter(None, (outgoing.sender, outgoing.reply_to)):
        try:
            mailbox(address)
        except ValueError as error:
            raise ValueError(f"the sender's address {address!r} cannot be used: {error}") from None


class MessageForm:
    """One mail, ready to be written for each of its recipients.

    ``date`` is the moment of sending, aware.  Raises ``ValueError`` as :func:`check_senders`
    does.
    """

    def __init__(self, outgoing: OutgoingMessage, *, date: datetime) -> None:
        check_senders(outgoing)
        self._subject = outgoing.subject
        self._text = writable(outgoing.text)
        self._html = writable(outgoing.html)
        self._boundary = f"=_{secrets.token_hex(12)}"  # quoted-printable never writes "=_"
        shared = [
            f"From: {_named(outgoing.sender_name, mailbox(outgoing.sender))}",
            f"Date: {format_datetime(date)}",
            "MIME-Version: 1.0",
            f'Content-Type: multipart/alternative; boundary="{self._boundary}"',
        ]
        if outgoing.reply_to:
            shared.insert(1, f"Reply-To: {mailbox(outgoing.reply_to)}")
        self._shared = "\r\n".join(shared)

    def render(self, recipient: Recipient) -> bytes:
        """The message for ``recipient``, with CRLF line ends and no line over 998 bytes.

        All ASCII, except where the local part of the address is not (RFC 6532).  Raises
        ``ValueError`` for an address that is none.
        """
        values = recipient.tokens()
        headers = [
            f"To: {_named(recipient.name, mailbox(recipient.address))}",
            f"Subject: {_phrase(fill_subject(self._subject, values))}",
            *(f"{name}: {value}" for name, value in own_headers(recipient).items()),
        ]
        return b"".join(
            (
                "\r\n".join((*headers, self._shared, "", "")).encode(),
                self._part("plain", fill_text(self._text, values)),
                self._part("html", fill_html(self._html, values)),
                f"--{self._boundary}--\r\n".encode(),
            )
        )

    def _part(self, kind: str, text: str) -> bytes:
        head = (
            f"--{self._boundary}\r\n"
            f"Content-Type: text/{kind}; charset=utf-8\r\n"
            "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
        )
        return head.encode() + _quoted_printable(text)


def own_headers(recipient: Recipient) -> dict[str, str]:
    """The headers that tell this mail from others: its id, its thread, and how to leave.

    RFC 5322, 3.6.4 for threads, RFC 2919 for lists, RFC 8058 for leaving with one click.
    """
    headers = {
        "Message-ID": in_brackets(recipient.message_id),
        # Nobody's absence should answer a machine (RFC 3834; the second is Exchange's own).
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "All",
    }
    if recipient.first_message_id:
        first = in_brackets(recipient.first_message_id)
        headers |= {"In-Reply-To": first, "References": first}
    if recipient.unsubscribe_url:
        domain = recipient.message_id.rpartition("@")[2].strip("<>")
        headers["List-Id"] = in_brackets(f"updates.{domain}")
        headers["List-Unsubscribe"] = in_brackets(recipient.unsubscribe_url)
        headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    return headers


def in_brackets(value: str) -> str:
    """``<value>`` for a header, its address unchanged.

    What cannot stand there, which is all but visible ASCII, and brackets, is percent-encoded:
    left out it would make another address.
    """
    bare = value.strip("<>")
    return f"<{bare if _IN_BRACKETS.fullmatch(bare) else quote(bare, safe=_BESIDE_LETTERS)}>"


def _named(name: str, address: str) -> str:
    name = one_line(name)
    if not name:
        return f"<{address}>"
    if _is_plain(name):
        phrase = '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
    else:
        phrase = _encoded_words(name)
    fold = "\r\n " if len(phrase) + len(address) > 60 else " "
    return f"{phrase}{fold}<{address}>"


def _phrase(text: str) -> str:
    return text if _is_plain(text) else _encoded_words(text)


def _is_plain(text: str) -> bool:
    # What looks like an encoded word is encoded again, so that it is shown as it was written.
    return text.isascii() and len(text) <= 66 and "=?" not in text


def _encoded_words(text: str) -> str:
    words: list[str] = []
    chunk = b""
    for character in text:
        encoded = character.encode()
        if len(chunk) + len(encoded) > _WORD:
            words.append(_encoded_word(chunk))
            chunk = b""
        chunk += encoded
    words.append(_encoded_word(chunk))
    return "\r\n ".join(words)


def _encoded_word(chunk: bytes) -> str:
    return f"=?utf-8?b?{b64encode(chunk).decode('ascii')}?="


def _quoted_printable(text: str) -> bytes:
    # The line end that is added belongs to the boundary after it (RFC 2046, section 5.1.1).  It is
    # added first, because b2a_qp takes its own line ends from the first one that it meets.
    return b2a_qp(f"{text}\n".replace("\n", "\r\n").encode(), istext=True)
