"""Published texts as they are kept here."""

from __future__ import annotations

import pytest

from statuspage.importers.published import to_markdown


@pytest.mark.parametrize(
    ("html", "markdown"),
    [
        ("<1% of users", "<1% of users"),
        ("One<br />two", "One\ntwo"),
        ("<p>One</p><p>two &amp; three</p>", "One\n\ntwo & three"),
        ('See <a href="https://a.example/x">this</a>.', "See [this](https://a.example/x)."),
        ("<strong>Now</strong> and <em>then</em>", "**Now** and *then*"),
        ("<ul><li>One</li><li>two</li></ul>", "- One\n- two"),
        ("<b>x</b> <script>y</script>", "**x** <script>y</script>"),
    ],
)
def test_the_few_tags_that_posts_are_written_with_become_markdown(html: str, markdown: str) -> None:
    assert to_markdown(html) == markdown
