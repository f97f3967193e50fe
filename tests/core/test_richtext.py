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
    text = to_text(typed)

    assert read_text(text) == Shown(to_html(typed)).letters


@pytest.mark.parametrize(
    ("typed", "html"),
    [
        ("30. November, 08:00 CET: Die Wartung.", "<p>30. November, 08:00 CET: Die Wartung.</p>"),
        ("am\n1. Dezember um acht", "<p>am<br>\n1. Dezember um acht</p>"),
        ("- Am\n  30. November", "<ul>\n<li>Am<br>\n30. November</li>\n</ul>"),
        ("- 1. Mai\n- 2. Juni", "<ul>\n<li>1. Mai</li>\n<li>2. Juni</li>\n</ul>"),
        ("2026.", "<p>2026.</p>"),
        ("1. # Title", "<p>1.</p><h4>Title</h4>"),
        ("7. a\n8. b", '<ol start="7">\n<li>a</li>\n<li>b</li>\n</ol>'),
        ("30. a\n1. b", '<ol start="30">\n<li>a</li>\n<li value="1">b</li>\n</ol>'),
        ("1. a\n1. b", '<ol>\n<li>a</li>\n<li value="1">b</li>\n</ol>'),
        ("> 50 % of requests fail", "<p>&gt; 50 % of requests fail</p>"),
        ("> 50 %\n> so they say", "<blockquote>\n<p>50 %<br>\nso they say</p>\n</blockquote>"),
        ("+ 49 30 901820", "<p>+ 49 30 901820</p>"),
        ("5*3 and 4*2", "<p>5*3 and 4*2</p>"),
        ("[Update]: fixed", "<p>[Update]: fixed</p>"),
        (
            "[docs][1]\n\n[1]: http://a.example",
            '<p><a href="http://a.example" rel="nofollow noopener">docs</a></p>',
        ),
        ("```Error: disk full\nat once```", "<pre><code>Error: disk full\nat once```</code></pre>"),
        ("```sql\nselect 1\n```", "<pre><code>select 1\n</code></pre>"),
    ],
)
def test_a_notice_is_read_as_it_was_meant(typed: str, html: str) -> None:
    assert to_html(typed) == html


@pytest.mark.parametrize(
    ("typed", "href"),
    [
        ("[a](https://a.example/b)", "https://a.example/b"),
        ("[a](www.a.example)", "https://www.a.example"),
        ("[a](mailto:x@a.example)", "mailto:x@a.example"),
        ("[a](tel:+49301234)", "tel:+49301234"),
        ("[a](/docs/help)", "/docs/help"),
        ("[a](#update-1)", "#update-1"),
        ("[a](docs/help)", None),
        ("[a](//b.example)", None),
        ("[a](ftp://b.example)", None),
        ("[a](javascript:alert)", None),
    ],
)
def test_an_address_is_a_link_or_stays_as_it_was_typed(typed: str, href: str | None) -> None:
    html = to_html(typed)

    found = re.search(r'<a href="([^"]*)" rel="nofollow noopener">a</a>', html)
    assert (found and found[1], html == f"<p>{typed}</p>") == (href, href is None)


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
    ("typed", "html"),
    [
        ("これは**「重要」**です", "<p>これは<strong>「重要」</strong>です</p>"),
        ("**「重要」**", "<p><strong>「重要」</strong></p>"),
        ("**完了しました。**次は", "<p><strong>完了しました。</strong>次は</p>"),
        ('**"중요"**는', '<p><strong>"중요"</strong>는</p>'),
        ("**(สำคัญ)**ครับ", "<p><strong>(สำคัญ)</strong>ครับ</p>"),
        ("これは~~「古い」~~です", "<p>これは<s>「古い」</s>です</p>"),
        ("a **(b)**c", "<p>a **(b)**c</p>"),
        ("snake_case_name", "<p>snake_case_name</p>"),
    ],
)
def test_emphasis_may_stand_beside_words_that_no_space_parts(typed: str, html: str) -> None:
    assert to_html(typed) == html


@pytest.mark.parametrize(
    ("typed", "linked"),
    [
        ("詳細はhttps://a.example/statusをご覧ください", "https://a.example/status"),
        ("https://a.example/（英語）", "https://a.example/"),
        ("https://a.example、https", "https://a.example"),
        ("https://a.example에서", "https://a.example"),
        ("https://a.example/xครับ", "https://a.example/x"),
        ("https://例え.jp/をご覧", "https://例え.jp/"),
        ("https://a.example/grüße-x", "https://a.example/grüße-x"),
        ("https://a.example/x。", "https://a.example/x"),
        ("<https://a.example/日本>", "https://a.example/日本"),
        ("https://a.example/x, and", "https://a.example/x"),
        ("https://a.example/مرحبا هنا", "https://a.example/مرحبا"),
    ],
)
def test_an_address_ends_before_words_that_no_space_parts_from_it(typed: str, linked: str) -> None:
    assert re.findall(r"<a [^>]*>([^<]*)</a>", to_html(typed)) == [linked]


def test_headings_begin_at_one_level_whichever_were_typed() -> None:
    assert re.findall(r"<(h\d)", to_html("### a\n\n###### b\n\n### c")) == ["h4", "h5", "h4"]
    assert re.findall(r"<(h\d)", to_html("# a\n\nb\n---")) == ["h4", "h5"]
    assert re.findall(r"<(h\d)", to_html("###### a", top=2)) == ["h2"]


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
