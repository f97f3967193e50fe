"""Filling a letter's tokens: values are data."""

from __future__ import annotations

import html
import re

from hypothesis import given
from hypothesis import strategies as st

from statuspage.delivery.channels.provider import (
    brief,
    fill_html,
    fill_subject,
    fill_text,
    one_line,
    replace_tokens,
    writable,
)
from tests.delivery.channels.samples import recipient


def test_a_token_is_filled_with_its_value() -> None:
    assert fill_text("Hello [[name]]!", {"name": "Zoë"}) == "Hello Zoë!"


def test_an_unknown_token_stays_text() -> None:
    assert fill_text("[[name]] [[what]] [[", {"name": "Zoë"}) == "Zoë [[what]] [["


def test_a_token_in_a_value_is_not_filled_again() -> None:
    values = {"name": "[[secret]] [[name]]", "secret": "hush"}
    assert fill_text("Hello [[name]]", values) == "Hello [[secret]] [[name]]"


def test_a_value_is_escaped_in_html() -> None:
    filled = fill_html('<b title="[[html:name]]">', {"name": '<i>"O\'Neil" & co'})
    assert filled == '<b title="&lt;i&gt;&quot;O&#x27;Neil&quot; &amp; co">'


def test_html_takes_no_raw_token_and_text_no_html_token() -> None:
    assert fill_html("[[name]]", {"name": "<i>"}) == "[[name]]"
    assert fill_text("[[html:name]]", {"name": "<i>"}) == "[[html:name]]"


def test_a_subject_stays_on_one_line_whatever_its_values() -> None:
    filled = fill_subject("News for [[name]]", {"name": "Eve\r\nBcc: all@example.com\u2028x"})
    assert filled == "News for Eve Bcc: all@example.com x"


def test_a_recipient_brings_its_name_and_its_way_out_unless_values_say_otherwise() -> None:
    someone = recipient(1, values={"name": "Dr Zoë"})
    assert someone.tokens() == {
        "name": "Dr Zoë",
        "unsubscribe_url": "https://status.example.com/unsubscribe/1",
    }
    assert recipient(1, values={}, unsubscribe_url=None).tokens() == {"name": "Customer 1"}


def test_tokens_are_exchanged_where_there_is_something_to_exchange() -> None:
    exchanged = replace_tokens("[[a]] [[b]]", {"a": "1"}.get)
    assert exchanged == "1 [[b]]"
    assert replace_tokens("[[a]] [[html:a]]", {"a": "1"}.get, in_html=True) == "[[a]] 1"


def test_a_stranger_s_reason_is_cut_short() -> None:
    assert brief("a\nb") == "a b"
    assert brief("x" * 1000, limit=5) == "xxxx…"


@given(st.text(), st.text())
def test_filling_text_is_the_same_as_joining_its_pieces(before: str, value: str) -> None:
    before = before.replace("[", "(")
    assert fill_text(before + "[[name]]", {"name": value}) == before + writable(value)


@given(st.text())
def test_an_escaped_value_reads_back_as_itself(value: str) -> None:
    filled = fill_html("[[html:name]]", {"name": value})
    assert html.unescape(filled) == writable(value)
    assert not re.search("[<>\"']", filled)


@given(st.text(st.characters(exclude_categories=[]), max_size=50))
def test_one_line_holds_no_line_end_and_can_be_encoded(value: str) -> None:
    line = one_line(value)
    assert line.splitlines() in ([line], [])
    assert line.encode().decode() == line
