"""Times that stand in the texts of posts, as elements: and nothing else becomes one."""

from __future__ import annotations

import pytest

from statuspage.core.richtext import to_html
from statuspage.public.times import mark_times

AT = "2026-03-04T12:30:00+00:00"
NOON = "Mar 4, 2026, 12:30 UTC"


def marked(body: str, *times: tuple[str, str]) -> str:
    return str(mark_times(to_html(body), times or ((NOON, AT),)))


def test_each_place_where_a_known_time_stands_is_an_element() -> None:
    element = f'<time datetime="2026-03-04T12:30:00Z">{NOON}</time>'
    assert marked(f"By {NOON}, **{NOON}**.") == (
        f"<p>By {element}, <strong>{element}</strong>.</p>"
    )


def test_a_span_is_two_times_that_belong_together() -> None:
    span = ("Mar 4, 2026, 12:30 – 14:00 UTC", f"{AT}/2026-03-04T14:00:00+00:00")
    assert marked(f"From {span[0]}.", span, (NOON, AT)) == (
        '<p>From <span data-span><time datetime="2026-03-04T12:30:00Z">Mar 4, 2026, 12:30</time>'
        ' – <time datetime="2026-03-04T14:00:00Z">14:00 UTC</time></span>.</p>'
    )


@pytest.mark.parametrize(
    "text",
    [
        "1Mar 4, 2026, 12:30 UTC",
        "Mar 4, 2026, 12:30 UTC+2",
        "Mar 4, 2026, 12:30 UTCs",
        "Mar 4, 2026, 12:30",
        "[x](https://example.com/Mar%204,%202026,%2012:30%20UTC)",
    ],
)
def test_what_only_looks_like_it_stays_as_it_is(text: str) -> None:
    assert "<time" not in marked(text)


def test_a_known_time_may_stand_before_letters_of_another_script() -> None:
    text = "2026年3月4日 12:30 JST"
    assert "JST</time>までに" in marked(f"{text}までに", (text, AT))


def test_nothing_hostile_comes_in_by_a_mark() -> None:
    script = "<script>alert(1)</script>"
    assert marked(f"{script} {NOON}", (f"{script} {NOON}", AT)) == (
        '<p><time datetime="2026-03-04T12:30:00Z">&lt;script&gt;alert(1)&lt;/script&gt; '
        f"{NOON}</time></p>"
    )
    assert marked(NOON, (NOON, '"><script>')) == f"<p>{NOON}</p>"
    assert marked(NOON, (NOON, "2026-03-04T12:30:00")) == f"<p>{NOON}</p>"
