from __future__ import annotations

from zoneinfo import ZoneInfo

from statuspage.models import Page


def test_a_page_knows_its_zone() -> None:
    assert Page(time_zone="Europe/Berlin").zone == ZoneInfo("Europe/Berlin")
