"""The bar of a component's days: a small SVG in which taller is worse, one column for each day.

Shape and colour tell the same, and the words stand beside it.  A run of equal days is one stroke
with gaps in it (the dashes of static/page.css), so that a quiet quarter costs a few bytes.
"""

from __future__ import annotations

from itertools import groupby
from typing import Final

from markupsafe import Markup, escape

from statuspage.core.enums import ComponentStatus
from statuspage.public.uptime import Day, Uptime

# How far below the top the middle of a column lies; static/page.css has how tall it is.
_MIDDLES: Final = {
    None: ("blank", "19"),
    ComponentStatus.OPERATIONAL: ("fine", "15"),
    ComponentStatus.UNDER_MAINTENANCE: ("planned", "12"),
    ComponentStatus.DEGRADED_PERFORMANCE: ("minor", "11"),
    ComponentStatus.PARTIAL_OUTAGE: ("major", "10.5"),
    ComponentStatus.MAJOR_OUTAGE: ("critical", "10"),
}


def draw_bar(uptime: Uptime, label: str) -> Markup:
    """The days as an image that says ``label`` to whoever does not see it."""
    runs: dict[ComponentStatus | None, str] = {}
    column = 0
    for worst, days in groupby(uptime.days, _worst):
        length = len(list(days))
        runs[worst] = runs.get(worst, "") + f"M{column} {_MIDDLES[worst][1]}h{length}"
        column += length
    paths = "".join(f'<path class="{_MIDDLES[worst][0]}" d="{d}"/>' for worst, d in runs.items())
    return Markup(
        f'<span class="columns"><svg class="bar" viewBox="0 0 {column} 20" '
        f'preserveAspectRatio="none" role="img" aria-label="{escape(label)}">{paths}</svg></span>'
    )


def _worst(day: Day) -> ComponentStatus | None:
    return day.worst
