"""Markdown as posts are written in it: what was typed is shown, in the mail too."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from statuspage.core.richtext import first_line, to_html, to_text

# What people write into notices, and what CommonMark reads as the beginning of something else.
PIECES = st.sampled_from(
    [
        *("- ", "* ", "+ ", "1. ", "2. ", "7) ", "30. ", "0. ", "> ", "# ", "### ", "    ", "   "),
        *("\n", "\n", "\n\n", "```\n", "~~~ Fehler 500\n", "---\n", "===\n", "* \n", "-\n"),
        *("Wort", "November ", "08:00 CET: ", "50 % ", "5*3 ", "4*2", "**fett** ", "`code` ", "x*"),
        *(
            "[Update]: fixed\n",
            "[Update]",
            "重要",
            "**「重要」**",
            "https://a.example/x",
            " é ",
            "~~",
        ),
        *("[docs](/docs/help) ", "[us](tel:+4930) ", "[log](ftp://a.example) ", "[]() "),
    ]
)
TYPED = st.lists(PIECES, max_size=16).map("".join)


class Shown(HTMLParser):
    """What a reader sees of HTML: its letters and marks of lists, and how deep each is quoted."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.letters: list[tuple[str, int]] = []
        self._quotes = 0
        self._numbers: list[int | None] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag == "blockquote":
            self._quotes += 1
        elif tag in {"ol", "ul"}:
            self._numbers.append(int(values.get("start") or 1) if tag == "ol" else None)
        elif tag == "li":
            number = self._numbers[-1]
            if number is not None:
                number = int(values.get("value") or number)
                self._numbers[-1] = number + 1
            self._add("-" if number is None else str(number))

    def handle_endtag(self, tag: str) -> None:
        if tag == "blockquote":
            self._quotes -= 1
        elif tag in {"ol", "ul"}:
            self._numbers.pop()

    def handle_data(self, data: str) -> None:
        self._add(letters_of(data))

    def _add(self, shown: str) -> None:
        self.letters += [(letter, self._quotes) for letter in shown]


def read_text(text: str) -> list[tuple[str, int]]:
    """The same of plain text."""
    found: list[tuple[str, int]] = []
    for line in text.split("\n"):
        marks = re.match(r"(?:[ >]|-(?= |$)|\d+[.)](?= |$))*", line)
        assert marks is not None
        quotes = 0
        for mark in marks[0]:
            if mark == ">":
                quotes += 1
            elif mark == "-" or mark.isdigit():
                found.append((mark, quotes))
        found += [(letter, quotes) for letter in letters_of(line[marks.end() :])]
    return found


def letters_of(text: str) -> str:
    return "".join(re.findall(r"\w", text))


@given(TYPED)
@settings(max_examples=150, deadline=None)
def test_every_word_and_number_is_shown_as_it_was_typed(typed: str) -> None:
    typed = re.sub(r"\]\([^)]*\)", "]", typed) if "ftp" not in typed else ""

    shown = [letter for letter, _ in Shown(to_html(typed)).letters if letter != "-"]

    assert "".join(shown) == letters_of(typed)


@given(TYPED)
@settings(max_examples=150, deadline=None)
def test_a_text_has_the_words_marks_and_quotations_of_the_html_in_their_order(typed: str) -> None:
    # Plain text cannot tell a mark from one that is shown as itself: in code, and in "> 5".
    typed = re.sub(r"```|~~~|#|    |https:\S+|\]\([^)]*\)", "", typed)
    typed = re.sub(r"(>\s*)+(?=\d)", "", typed)
    # Nor can it where a number within a paragraph is followed by a dash: both are text there.
    typed = re.sub(r"(\d[.)])\s*-(?=\s|$)", r"\1", typed)
    text = to_text(typed)

    assert read_text(text) == Shown(to_html(typed)).letters


def test_paths_on_the_page_are_absolute_where_nothing_else_knows_the_page() -> None:
    typed = "[our docs](/docs/help) [this](#update-1)"
    home = "https://status.example.com/shop/"

    assert re.findall('href="([^"]*)"', to_html(typed, home=home)) == [
        "https://status.example.com/docs/help",
        "https://status.example.com/shop/#update-1",
    ]
    assert to_text(typed, home=home) == (
        "our docs (https://status.example.com/docs/help)"
        " this (https://status.example.com/shop/#update-1)"
    )


@pytest.mark.parametrize(
    ("typed", "text"),
    [
        ("- \n\nEnd.", "-\n\nEnd."),
        ("- `code`\n- b\n\nClosing words.", "- code\n- b\n\nClosing words."),
        ("- ```\n  x = 1\n  ```\n\nEnd.", "- x = 1\n\nEnd."),
        ("- a\n  - b\n    - c\n- d", "- a\n  - b\n    - c\n- d"),
        ("9. a\n10. b\n    - c", "9. a\n10. b\n    - c"),
        ("- a\n\n* b\n\nEnd.", "- a\n\n- b\n\nEnd."),
        ("- a\n\n  more of a\n- b", "- a\n\n  more of a\n\n- b"),
        ("> one\n> two\n>\n> > three\n\nEnd.", "> one\n> two\n>\n> > three\n\nEnd."),
        ("> - a\n>   - b", "> - a\n>   - b"),
        ("- > a\n  > b", "- > a\n  > b"),
        ("30. a\n1. b", "30. a\n1. b"),
        ("3) a\n4) b", "3) a\n4) b"),
        ("# Title\n\ntext\n\n---\n\n    indented", "Title\n\ntext\n\n---\n\nindented"),
        ("[us](tel:+4930)", "us (+4930)"),
        ("a\\\nb", "a\nb"),
    ],
)
def test_a_text_shows_how_the_blocks_stand(typed: str, text: str) -> None:
    assert to_text(typed) == text


def test_the_first_line_of_a_list_is_all_of_it() -> None:
    assert first_line("- a\n- b\n\nEnd.") == "- a - b"
