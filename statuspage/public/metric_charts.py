"""Charts of metrics: small SVG lines, in which a gap is a gap.

Nothing is told by colour, and beside each stand its figures in words.  Steps are relative, so that
a chart costs a few hundred bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from itertools import groupby, pairwise
from typing import Any, Final

from markupsafe import Markup, escape

from statuspage.public.metric_views import Figures, MetricView, Series
from statuspage.public.times import Times

_SMALL: Final = 24
_LARGE: Final = 96
# Numbers far from zero are drawn from their least on: the line would be flat.
_NEAR_ZERO: Final = 0.5


def draw_line(series: Series) -> Markup:
    """The means of a stretch as one line."""
    means = [step[1] for step in series.steps if step]
    if not means:
        return Markup("")
    low, high = _bounds(min(means), max(means))
    level = _level(low, high, _SMALL)
    lines = "".join(
        f"M{first} {_walk([level(step[1]) for step in steps])}" for first, steps in _runs(series)
    )
    return _image(series, _SMALL, f'<path d="{lines}"/>')


def draw_band(series: Series) -> Markup:
    """The means as a line, and behind it from the least to the most as an area."""
    whole = series.whole
    if whole is None:
        return Markup("")
    low, high = scale(series)
    level = _level(low, high, _LARGE)
    areas = lines = ""
    for first, steps in _runs(series):
        upper = [f"{first + place} {level(step[2])}" for place, step in enumerate(steps)]
        lower = [f"{first + place} {level(step[0])}" for place, step in enumerate(steps)]
        areas += f"M{'L'.join([*upper, *reversed(lower)])}z"
        lines += f"M{first} {_walk([level(step[1]) for step in steps])}"
    return _image(series, _LARGE, f'<path class="band" d="{areas}"/><path d="{lines}"/>')


def scale(series: Series) -> tuple[float, float]:
    """What the lower and the upper edge of :func:`draw_band` stand for."""
    whole = series.whole or (0.0, 0.0, 0.0)
    return _bounds(whole[0], whole[2])


def _bounds(least: float, most: float) -> tuple[float, float]:
    if 0 <= least <= most * _NEAR_ZERO:
        return 0.0, most or 1.0
    return (least, most) if least < most else (least - 1.0, most + 1.0)


def _level(low: float, high: float, height: int) -> Callable[[float], int]:
    """How far below the top a value lies; a line at an edge is seen whole."""
    return lambda value: 1 + round((height - 2) * (high - value) / (high - low))


def _runs(series: Series) -> Iterable[tuple[int, list[Figures]]]:
    """The steps on end that have numbers, each run with the place of its first."""
    numbered = enumerate(series.steps)
    for is_known, run in groupby(numbered, lambda each: each[1] is not None):
        if is_known:
            steps = list(run)
            yield steps[0][0], [step for _, step in steps if step]


def _walk(levels: Sequence[int]) -> str:
    """Where a line begins, and how it goes on, a step at a time: ``20l1-3 1 2``."""
    downs = [after - before for before, after in pairwise(levels)]
    moves = " ".join(f"1{down}" if down < 0 else f"1 {down}" for down in downs)
    # Of a single step a dot is seen.
    return f"{levels[0]}l{moves}" if moves else f"{levels[0]}h0"


def _image(series: Series, height: int, paths: str) -> Markup:
    # Hidden, because the words beside it say as much.
    return Markup(
        f'<svg class="curve" viewBox="0 0 {len(series.steps) - 1} {height}" '
        f'preserveAspectRatio="none" aria-hidden="true">{paths}</svg>'
    )


def globals_in(when: Times) -> dict[str, Any]:
    """What the templates of a language call."""
    words = when.words
    spans = {
        "day": words.gettext("Last 24 hours"),
        "week": words.ngettext("Last %(num)s day", "Last %(num)s days", 7) % {"num": 7},
        "month": words.ngettext("Last %(num)s day", "Last %(num)s days", 30) % {"num": 30},
    }

    def figure(value: float, metric: MetricView) -> Markup:
        number = when.number(value, metric.decimals)
        between = "" if metric.unit in {"", "%"} else "\u00a0"
        return Markup(f"<bdi>{number}{between}{escape(metric.unit)}</bdi>")

    def told(metric: MetricView, series: Series) -> Markup:
        if series.whole is None:
            return Markup(words.gettext("No data"))
        told = words.gettext("lowest %(least)s, average %(mean)s, highest %(most)s")
        least, mean, most = (figure(value, metric) for value in series.whole)
        return Markup(told % {"least": least, "mean": mean, "most": most})

    @lru_cache(maxsize=512)
    def caption(metric: MetricView, series: Series) -> Markup:
        figures = f'<span class="facts">{told(metric, series)}</span>'
        return Markup(f"<figcaption>{spans[series.span]} {figures}</figcaption>")

    @lru_cache(maxsize=512)
    def chart(metric: MetricView, series: Series) -> Markup:
        return Markup(f"<figure>{draw_line(series)}{caption(metric, series)}</figure>")

    @lru_cache(maxsize=256)
    def latest(metric: MetricView) -> Markup:
        return Markup("") if metric.latest is None else figure(metric.latest, metric)

    return {
        "band": draw_band, "caption": caption, "chart": chart, "figure": figure, "latest": latest,
        "scale": scale, "spans": spans,
    }  # fmt: skip
