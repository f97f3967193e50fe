"""The Internet message: correct for any value, and no value opens a header."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import parseaddr
from urllib.parse import unquote

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from statuspage.delivery.channels.mime import MessageForm, in_brackets, mailbox
from statuspage.delivery.channels.provider import (
    OutgoingMessage,
    Recipient,
    fill_html,
    fill_text,
    one_line,
    writable,
)
from tests.delivery.channels.samples import OUTGOING, recipient

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HEADERS = [
    "To", "Subject", "Message-ID", "Auto-Submitted", "X-Auto-Response-Suppress",
    "List-Id", "List-Unsubscribe", "List-Unsubscribe-Post", "From", "Reply-To", "Date",
    "MIME-Version", "Content-Type",
]  # fmt: skip
# Encoded words, line ends in every disguise, and pieces of headers are what an attacker would try.
ATTACKS = [
    "\r\nBcc: eve@example.com", "\n\n<html>", "\r", "\x85Bcc: e@example.com", "\x00", "\u2028Bcc",
    "=?utf-8?q?x=0d=0aBcc:_e@example.com?=", "=?utf-8?b?Zm9vDQpCY2M6IGVAZXhhbXBsZS5jb20=?=",
    "=?", "?=", '"', "\\", ",", ";", "<e@example.com>", "é" * 60, "😀" * 40, "a" * 1100,
]  # fmt: skip
ANYTHING = st.text(st.characters(exclude_categories=[]), max_size=20)
HOSTILE = st.lists(st.sampled_from(ATTACKS) | ANYTHING, max_size=3).map("".join)


def render(outgoing: OutgoingMessage = OUTGOING, someone: Recipient | None = None) -> bytes:
    return MessageForm(outgoing, date=NOON).render(someone or recipient())


def parse(message: bytes) -> EmailMessage:
    parsed = message_from_bytes(message, policy=policy.default)
    assert isinstance(parsed, EmailMessage)
    return parsed


def text_of(message: EmailMessage, kind: str) -> str:
    part = message.get_body(preferencelist=(kind,))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


def test_a_mail_reads_as_its_recipient_expects() -> None:
    message = parse(render())
    assert {name: str(message[name]) for name in HEADERS if name != "Content-Type"} == {
        "To": "Customer 1 <customer1@example.org>",
        "Subject": "Resolved: checkout",
        "Message-ID": "<1@status.example.com>",
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "All",
        "List-Id": "<updates.status.example.com>",
        "List-Unsubscribe": "<https://status.example.com/unsubscribe/1>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "From": "Acme Status <status@example.com>",
        "Reply-To": "help@example.com",
        "Date": "Sun, 01 Mar 2026 12:00:00 +0000",
        "MIME-Version": "1.0",
    }
    assert message.get_content_type() == "multipart/alternative"
    assert text_of(message, "plain") == (
        "Hello Customer 1,\nit began at noon.\n\nLeave: https://status.example.com/unsubscribe/1\n"
    )
    assert text_of(message, "html") == "<p>Hello Customer 1, it began at noon.</p>"


def test_a_mail_nobody_can_leave_offers_no_way_out() -> None:
    message = parse(render(someone=recipient(1, unsubscribe_url=None)))
    assert message["List-Unsubscribe"] is None
    assert message["List-Unsubscribe-Post"] is None


@pytest.mark.parametrize(
    "name", ["Zoë", "O'Neil", 'Anna "Ace" \\ Doe', "Doe, Jane; MD", "=?utf-8?q?x?=", "用户" * 40]
)
def test_a_name_is_shown_as_it_was_written(name: str) -> None:
    raw = message_from_bytes(render(someone=recipient(1, name=name)))["To"]
    # The parser of EmailMessage in Python 3.11 puts spaces between a name's encoded words.
    shown, address = parseaddr(raw)
    assert (str(make_header(decode_header(shown))), address) == (name, "customer1@example.org")


def test_a_recipient_without_a_name_has_a_bare_address() -> None:
    assert parse(render(someone=recipient(1, name="")))["To"] == "customer1@example.org"


def test_what_looks_like_an_encoded_word_is_shown_as_it_was_written() -> None:
    subject = "=?utf-8?q?Hello=0d=0aBcc:_eve@example.com?="
    message = parse(render(replace(OUTGOING, subject=subject)))
    assert message["Subject"] == subject
    assert message["Bcc"] is None


def test_an_address_of_another_alphabet_stands_in_the_header_as_utf_8() -> None:
    message = render(someone=recipient(1, address="用户@例子.example"))
    assert "用户@xn--fsqu00a.example".encode() in message


@pytest.mark.parametrize(
    ("address", "wire"),
    [
        ("zoe@example.com", "zoe@example.com"),
        ("o'neil+tag@example.com", "o'neil+tag@example.com"),
        ("zoe@münchen.example", "zoe@xn--mnchen-3ya.example"),
        ("zoë@example.com", "zoë@example.com"),
    ],
)
def test_an_address_is_written_for_the_wire(address: str, wire: str) -> None:
    assert mailbox(address) == wire


@pytest.mark.parametrize(
    "address",
    [
        "", "zoe", "@example.com", "zoe@", "a@b@c", "zoe @example.com", "zoe@exa\nmple.com",
        "zoe@example.com\r\nDATA", "<zoe@example.com>", "a,b@example.com", '"a b"@example.com',
        "zoe@[127.0.0.1]", "zoe@exa\u2028mple.com", "zoe@xn--a.ö", "zoe@" + "ö" * 80,
    ],
)  # fmt: skip
def test_what_is_no_plain_address_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="not a mail address"):
        mailbox(address)


def test_a_letter_without_a_usable_sender_is_refused() -> None:
    with pytest.raises(ValueError, match="sender's address 'nobody' cannot be used"):
        MessageForm(replace(OUTGOING, sender="nobody"), date=NOON)


def test_brackets_hold_visible_ascii_alone_and_the_same_address() -> None:
    address = "https://a.example/?x=1\r\nBcc: <e>ü"
    written = in_brackets(address)
    assert written == "<https://a.example/?x=1%0D%0ABcc:%20%3Ce%3E%C3%BC>"
    assert unquote(written) == f"<{address}>"


@settings(deadline=None, max_examples=80)
@given(HOSTILE, HOSTILE, HOSTILE)
@example("=?utf-8?q?=0d=0aBcc:_e@example.com?=", "\r\nBcc: e@example.com", "x")
@example("0 ", "", "0")
def test_no_subject_name_or_value_injects_a_header(subject: str, name: str, value: str) -> None:
    outgoing = replace(OUTGOING, subject=f"{subject} [[started]]", sender_name=name)
    someone = recipient(1, name=name, values={"started": value})
    message = render(outgoing, someone)
    head, _, _ = message.partition(b"\r\n\r\n")
    assert [line.partition(b":")[0].decode() for line in unfold(head)] == HEADERS
    parsed = parse(message)
    shown = one_line(f"{one_line(subject)} {one_line(value)}")
    assert squeeze(str(parsed["Subject"])) == squeeze(shown)
    assert [address.addr_spec for address in parsed["To"].addresses] == ["customer1@example.org"]
    assert parsed.keys() == HEADERS


@settings(deadline=None, max_examples=80)
@given(HOSTILE, HOSTILE)
def test_any_text_arrives_as_it_was_written(text: str, value: str) -> None:
    outgoing = replace(OUTGOING, text=text + "[[started]]", html=text + "[[html:started]]")
    someone = recipient(1, values={"started": value})
    message = render(outgoing, someone)
    assert max(map(len, message.split(b"\r\n"))) <= 998
    assert message.isascii()
    assert b"\n" not in message.replace(b"\r\n", b"")
    parsed = parse(message)
    plain, rich = writable(text) + "[[started]]", writable(text) + "[[html:started]]"
    assert text_of(parsed, "plain") == fill_text(plain, someone.values)
    assert text_of(parsed, "html") == fill_html(rich, someone.values)


def unfold(head: bytes) -> list[bytes]:
    return re.sub(rb"\r\n[ \t]", b" ", head).split(b"\r\n")


def squeeze(text: str) -> str:
    return " ".join(filter(None, text.split(" ")))


def test_a_mail_after_the_first_about_a_incident_belongs_to_its_thread() -> None:
    first = parse(render())
    later = parse(render(someone=recipient(2, first_message_id="<1@status.example.com>")))
    assert (first["In-Reply-To"], first["References"]) == (None, None)
    assert (later["In-Reply-To"], later["References"]) == ("<1@status.example.com>",) * 2
    assert later["List-Id"] == "<updates.status.example.com>"


def test_a_mail_that_nobody_can_leave_is_of_no_list() -> None:
    assert parse(render(someone=recipient(1, unsubscribe_url=None)))["List-Id"] is None
