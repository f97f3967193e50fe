"""Metrics as the public sees them: read, and told step by step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any, Final

import orjson
from sqlalchemy import Connection

from statuspage.public import statements

SPANS: Final = ("day", "week", "month")

Figures = tuple[float, float, float]
"""Least, mean and most."""


@dataclass(frozen=True, slots=True)
class MetricView:
    """A metric that is shown; ``series`` is what is drawn of it, as it is kept."""

    code: str
    name: str
    unit: str
    decimals: int
    component_code: str | None
    component_name: str | None
    series: str

    @property
    def spans(self) -> tuple[Series, ...]:
        """The last day, week and month; nothing where there are no numbers."""
        return read_series(self.series)

    @property
    def latest(self) -> float | None:
        """The mean of the last step of the day that has any numbers; None where none has."""
        steps = self.spans[0].steps if self.spans else ()
        return next((step[1] for step in reversed(steps) if step), None)


@dataclass(frozen=True, slots=True)
class Series:
    """The numbers of a stretch of time in equal steps; None for a step without any.

    Steps of a ``month`` are days of the page's, whatever their length.  ``whole`` are the figures
    of all together; its mean is that of the steps.
    """

    span: str
    begins: datetime | date
    seconds: int
    steps: tuple[Figures | None, ...]
    whole: Figures | None = field(init=False)

    def __post_init__(self) -> None:
        """Work out the figures of the whole."""
        object.__setattr__(self, "whole", _together(self.steps))

    def __hash__(self) -> int:
        """Cheap: what is drawn of it is looked up with each edition."""
        return hash((self.span, self.begins, self.whole))

    def rows(self, number: int) -> list[tuple[datetime | date, Figures | None]]:
        """The same in fewer, longer steps, ``number`` in one; each with when it begins."""
        step = timedelta(seconds=self.seconds)
        return [
            (self.begins + place * step, _together(self.steps[place : place + number]))
            for place in range(0, len(self.steps), number)
        ]


def _together(steps: Sequence[Figures | None]) -> Figures | None:
    known = [step for step in steps if step]
    if not known:
        return None
    mean = sum(step[1] for step in known) / len(known)
    return min(step[0] for step in known), mean, max(step[2] for step in known)


@lru_cache(maxsize=256)
def read_series(text: str) -> tuple[Series, ...]:
    """What :mod:`statuspage.intake.metric_series` wrote."""
    if not text:
        return ()
    found: dict[str, Any] = orjson.loads(text)
    return tuple(_read(span, found[span]) for span in SPANS)


def _read(span: str, part: dict[str, Any]) -> Series:
    kind = date if span == "month" else datetime
    steps = tuple(tuple(step) if step else None for step in part["steps"])
    return Series(span, kind.fromisoformat(part["begins"]), part["seconds"], steps)


def read_metrics(connection: Connection) -> tuple[MetricView, ...]:
    """Those that are shown, by name."""
    return tuple(MetricView(*row) for row in connection.execute(statements.METRICS))


def of_component(metrics: Sequence[MetricView], code: str) -> tuple[MetricView, ...]:
    """The metrics of one component."""
    return tuple(metric for metric in metrics if metric.component_code == code)
