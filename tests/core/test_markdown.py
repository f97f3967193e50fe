"""Markdown as people type it, and the HTML that is made of it."""

from __future__ import annotations

import re

import pytest

from statuspage.core.richtext import to_html


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
