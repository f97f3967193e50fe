from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from statuspage.core.config import Settings, load_settings
from statuspage.runtime.worker import AlreadyRunning, Every, _sole_worker, has_worker
from tests.factories import NOON

SECOND = timedelta(seconds=1)


def test_a_duty_comes_once_each_interval() -> None:
    every = Every(seconds=1, timezone="UTC")
    late = NOON + timedelta(milliseconds=3)
    assert every.get_next_fire_time(NOON, late) == NOON + SECOND


def test_a_month_that_the_clock_skipped_is_not_made_up_for_second_by_second() -> None:
    every = Every(seconds=1, timezone="UTC")
    later = NOON + timedelta(days=30)
    assert every.get_next_fire_time(NOON, later) == later + SECOND


@pytest.mark.only_on("sqlite")
def test_a_second_worker_on_sqlite_is_refused_and_comes_in_once_the_first_is_gone(
    settings: Settings,
) -> None:
    with _sole_worker(settings):
        assert has_worker(settings)
        with pytest.raises(AlreadyRunning), _sole_worker(settings, patience=0):
            pass
    assert not has_worker(settings)


def test_on_postgresql_any_number_of_workers_may_run(tmp_path: Path) -> None:
    url = "postgresql://nobody@127.0.0.1:1/nothing"
    settings = load_settings({"DATABASE_URL": url, "DATA_DIR": str(tmp_path)})
    with _sole_worker(settings), _sole_worker(settings, patience=0):
        assert not has_worker(settings)
