"""Facts put into texts: what a person typed stays what it was, wherever it stands."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from statuspage.core import richtext
from statuspage.messages.markup import (
    chat_line,
    chat_prose,
    markdown_address,
    markdown_line,
    markdown_prose,
    subject_line,
    subject_prose,
)

# Pieces that Markdown gives a meaning to, so that chance finds their combinations.
PIECES = st.sampled_from(
    [
        *("*", "**", "_", "__", "~~", "`", "```", "[", "]", "](", "(", ")", "!", "<", ">", "&amp;"),
        *(
            "#",
            "# ",
            "- ",
            "+ ",
            "1. ",
            "9) ",
            "> ",
            "---",
            "===",
            "\n",
            "\n\n",
            "    ",
            "\t",
            "\\",
        ),
        *(
            "a",
            "b c",
            "http://a.example/",
            "<http://b.example>",
            "[x]: http://c.example",
            "[[name]]",
        ),
        *("<b>", "</p>", "<!--", "&lt;", "é", "\u202e", "\x00", "|", ":", "x_y", "5 < 6"),
    ]
)
WRITERS = (markdown_line, markdown_prose, chat_line, chat_prose, subject_line, subject_prose)
TYPED = st.lists(PIECES, max_size=14).map("".join)


@given(TYPED)
@settings(max_examples=100, deadline=None)
def test_a_line_is_shown_exactly_as_typed(typed: str) -> None:
    shown = richtext.to_text(f"before {markdown_line(typed)}, after")

    assert shown.replace("\u2060", "") == f"before {richtext.clean_line(typed)}, after"


@given(TYPED)
@settings(max_examples=100, deadline=None)
def test_a_line_begins_no_block(typed: str) -> None:
    html = richtext.to_html(f"{markdown_line(typed)}\n\n*end*")

    paragraphs = 2 if richtext.clean_line(typed) else 1
    assert (html.count("<p>"), html.count("<p><em>end</em></p>")) == (paragraphs, 1)
    assert {tag for tag in ("<ul", "<ol", "<h", "<blockquote", "<pre") if tag in html} == set()


@given(TYPED)
@settings(max_examples=100, deadline=None)
def test_prose_reaches_nothing_beyond_itself(typed: str) -> None:
    html = richtext.to_html(f"*start*\n\n{markdown_prose(typed)}\n\n*end*")

    assert html.startswith("<p><em>start</em></p>")
    assert html.endswith("<p><em>end</em></p>")


@given(TYPED)
@settings(max_examples=100, deadline=None)
def test_prose_within_a_paragraph_leaves_the_words_after_it_alone(typed: str) -> None:
    html = richtext.to_html(f"start {markdown_prose(typed)} and *end*")

    assert html.endswith("and <em>end</em></p>")


@given(TYPED)
@settings(max_examples=100, deadline=None)
def test_prose_written_twice_is_the_same(typed: str) -> None:
    once = markdown_prose(typed)

    assert markdown_prose(once) == once


@given(TYPED)
@settings(max_examples=100, deadline=None)
def test_no_typed_value_holds_a_token(typed: str) -> None:
    written = [write(f"{typed}[[name]]") for write in WRITERS]

    assert [text for text in written if "[[name]]" in richtext.to_text(text) + text] == []


@pytest.mark.parametrize(
    ("typed", "written"),
    [
        ("Card payments fail", "Card payments fail"),
        ("a **bold** _word_ and `code`", "a **bold** *word* and `code`"),
        ("user_id is 5 - 3", "user_id is 5 - 3"),
        ("see [here](http://a.example/x)", "see [here](<http://a.example/x>)"),
        ("see http://a.example/x_y.", "see <http://a.example/x_y>."),
        ("one\n\ntwo", "one\n\ntwo"),
        ("- a\n- b", "\n\n- a\n- b\n\n"),
        ("3. a\n4. b\n   - c", "\n\n3. a\n4. b\n   - c\n\n"),
        ("# Head\n> quoted", "Head\n\nquoted"),
        ("```\nopen\n  fence", "open\nfence"),
        ("half *a pair", "half \\*a pair"),
        ("[x]: http://a.example", "\\[x\\]: <http://a.example>"),
        ("30. November: **start**", "30\\. November: **start**"),
        ("30. a\n1. b", "\n\n30. a\n1. b\n\n"),
        ("> 50 % fail", "\\> 50 % fail"),
        ("---", ""),
    ],
)
def test_prose_is_written_in_one_simple_form(typed: str, written: str) -> None:
    assert markdown_prose(typed) == written


@pytest.mark.parametrize(
    ("typed", "written"),
    [
        ("help@example.com", "<help@example.com>"),
        ("https://example.com/a b", ""),
        ("https://example.com/x_y(z)", "<https://example.com/x_y(z)>"),
        ("help@example.com or https://example.com", "<help@example.com> or <https://example.com>"),
        ("javascript:alert(1)", ""),
        ("ask [us](http://evil.example)", ""),
        ("https://example.com/[[name]]", ""),
    ],
)
def test_an_address_becomes_an_autolink_or_nothing(typed: str, written: str) -> None:
    assert markdown_address(typed) == written


@pytest.mark.parametrize("call", ["@everyone", "@here", "@channel", "@all", "<!channel>", "<@U1>"])
def test_a_fact_calls_nobody_to_attention_in_chat(call: str) -> None:
    assert chat_line(f"Hello {call}!") == f"Hello {call[0]}\u2060{call[1:]}!"


def test_a_colleagues_own_handle_still_reaches_them_in_chat() -> None:
    assert chat_line("Alice Moreau (@alice)") == "Alice Moreau (@alice)"


def test_a_list_in_chat_starts_on_its_own_line() -> None:
    assert chat_prose("- **one**\n- two") == "\n- one\n- two"


def test_a_subject_is_one_line_of_plain_text() -> None:
    assert (
        subject_prose("**Bold**\nand [more](http://a.example)")
        == "Bold and more (http://a.example)"
    )
