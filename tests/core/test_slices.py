"""How much is written in one transaction."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from statuspage.core import db


class Clock:
    """Stands in for the module ``time``."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


def test_after_a_slow_slice_the_next_has_what_fits_and_grows_again(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    monkeypatch.setattr(db, "time", clock)
    sizes = []
    for number, items in enumerate(db.in_slices(range(100), 16)):
        sizes.append(len(items))
        clock.seconds += {0: 2.0, 1: 10.0}.get(number, 0.01) * db.SLICE_SECONDS
    assert sizes == [16, 8, 1, 2, 4, 8, 16, 16, 16, 13]


def test_nothing_is_one_empty_slice(session: Session) -> None:
    assert list(db.in_slices([], 10)) == [[]]
