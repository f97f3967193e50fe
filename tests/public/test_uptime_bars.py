"""A component's days as strokes: taller is worse, and every day has its column."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from statuspage.core.enums import ComponentStatus
from statuspage.public.uptime import Change, count_days
from statuspage.public.uptime_bars import draw_bar
from tests.public import samples
from tests.public.samples import MAJOR, NOON, OPERATIONAL, ago


def test_equal_days_are_one_stroke_with_gaps_and_unknown_ones_are_blank() -> None:
    outage = NOON - timedelta(days=9)
    log = (
        Change(ago(days=19), OPERATIONAL),
        Change(outage, MAJOR),
        Change(outage + timedelta(hours=1), OPERATIONAL),
    )
    drawn = draw_bar(count_days(log, zone=samples.PAGE.zone, until=NOON), "Last 90 days")
    assert re.findall(r'<path class="(\w+)" d="([^"]+)"/>', drawn) == [
        ("blank", "M0 19h70"),
        ("fine", "M70 15h10M81 15h9"),
        ("critical", "M80 10h1"),
    ]


def test_what_it_says_is_text() -> None:
    uptime = count_days((), zone=samples.PAGE.zone, until=NOON)
    assert 'aria-label="&lt;90&gt; &#34;days&#34;"' in draw_bar(uptime, '<90> "days"')


@pytest.mark.parametrize("status", ComponentStatus)
def test_every_state_has_a_column_of_its_own_height(status: ComponentStatus) -> None:
    log = (Change(ago(hours=1), status),)
    drawn = draw_bar(count_days(log, zone=samples.PAGE.zone, until=NOON), "")
    blank, shown = re.findall(r'd="M(\d+) [\d.]+h(\d+)"', drawn)
    assert (blank, shown) == (("0", "89"), ("89", "1"))


def test_a_bar_has_one_column_for_each_day() -> None:
    for view in samples.WORST_DAY.components:
        drawn = draw_bar(samples.uptime(view, samples.WORST_DAY.incidents), "")
        runs = re.findall(r"M(\d+) [\d.]+h(\d+)", drawn)
        columns = sorted(n for at, length in runs for n in range(int(at), int(at) + int(length)))
        assert columns == list(range(90))
