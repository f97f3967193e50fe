"""How times are written: in a zone, and so that everybody reads the same moment."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from statuspage.core import clock
from tests.clock_changes import SPANS, Span


@pytest.mark.parametrize("span", SPANS)
def test_a_span_over_a_change_of_clocks_names_both_zones(span: Span) -> None:
    assert clock.show_span(span.start, span.end, ZoneInfo(span.zone)) == span.text


@pytest.mark.parametrize(
    ("zone", "label"),
    [
        ("UTC", "UTC"),
        ("Europe/Berlin", "CET"),
        ("America/Chicago", "CST"),
        ("America/Los_Angeles", "PST"),
        ("America/Havana", "UTC−5"),
        ("Asia/Shanghai", "UTC+8"),
        ("Asia/Manila", "UTC+8"),
        ("Asia/Kolkata", "UTC+5:30"),
        ("Asia/Jerusalem", "UTC+2"),
        ("Asia/Kathmandu", "UTC+5:45"),
    ],
)
def test_a_zone_s_name_means_no_other_zone(zone: str, label: str) -> None:
    assert clock.zone_label(datetime(2026, 12, 1, tzinfo=UTC), ZoneInfo(zone)) == label


@pytest.mark.parametrize(
    ("zone", "label"),
    [
        ("America/Chicago", "CST (UTC−6)"),
        ("Europe/London", "GMT (UTC)"),
        ("Asia/Kolkata", "UTC+5:30"),
        ("UTC", "UTC"),
    ],
)
def test_a_zone_can_be_named_with_its_offset(zone: str, label: str) -> None:
    moment = datetime(2026, 12, 1, tzinfo=UTC)
    place = ZoneInfo(zone)
    assert clock.zone_with_offset(moment, place) == label
    span = clock.show_span(moment, moment + timedelta(hours=1), place, label=clock.zone_with_offset)
    assert span.endswith(f" {label}")
    assert span.count(label) == 1


def test_each_name_of_a_zone_has_one_offset_in_the_whole_world() -> None:
    offsets = defaultdict(set)
    for zone in map(ZoneInfo, clock.zone_names()):
        for month in range(1, 13):
            local = datetime(2026, month, 15, tzinfo=UTC).astimezone(zone)
            offsets[clock.zone_label(local, zone)].add(local.utcoffset())

    assert {name: found for name, found in offsets.items() if len(found) > 1} == {}
    assert offsets["UTC"] == {timedelta()}
