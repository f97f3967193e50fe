"""A measured figure beside what it must reach; every one comes from the run that prints it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure; ``at_most`` and ``at_least`` are what it must keep to, where it must."""

    name: str
    value: float
    unit: str = ""
    at_most: float | None = None
    at_least: float | None = None

    @property
    def reached(self) -> bool | None:
        """Whether it is where it must be; None where nothing is asked of it."""
        if self.at_most is not None:
            return self.value <= self.at_most
        return None if self.at_least is None else self.value >= self.at_least

    def __str__(self) -> str:
        limit = ""
        if self.at_most is not None:
            limit = f"≤ {self.at_most:g}"
        if self.at_least is not None:
            limit = f"≥ {self.at_least:g}"
        verdict = {True: "ok", False: "NOT REACHED", None: ""}[self.reached]
        return f"{self.name:<72} {self.value:>12,.3f} {self.unit:<4} {limit:>9}  {verdict}"


def show(title: str, figures: Iterable[Figure]) -> list[Figure]:
    """Print figures under a title as they come; returns them."""
    print(f"\n{title}")
    shown = []
    for figure in figures:
        print(f"  {figure}", flush=True)
        shown.append(figure)
    return shown
