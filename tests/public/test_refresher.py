import logging
import os
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from statuspage.core import clock
from statuspage.public import edition as copies
from statuspage.public import refresher as module
from statuspage.public.document import make_document
from statuspage.public.edition import Edition
from statuspage.public.refresher import TICKS_OF_GRACE, Refresher

NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)


class Stopwatch:
    """Stands in for the monotonic clock and for the time that the thread had the processor."""

    def __init__(self) -> None:
        self.seconds = 1000.0
        self.worked = 0.0

    def monotonic(self) -> float:
        return self.seconds

    def thread_time(self) -> float:
        return self.worked


class Keeping(Refresher):
    """One whose copy is kept by each look, which its third thread does a little later."""

    def look(self) -> float:
        pause = super().look()
        self.keep_copy()
        return pause


class Site:
    """A database with a revision, as the refresher sees it, that can go away or refuse to build."""

    def __init__(self, folder: Path, stopwatch: Stopwatch) -> None:
        self.revision = 1
        self.away = False
        self.broken = False
        self.build_takes = self.build_works = 0.0
        self.next_change_at: datetime | None = None
        self.built_from: list[Edition | None] = []
        self.alarms: list[str] = []
        self.recoveries = 0
        self.marked: list[datetime] = []
        self.copy = folder / "edition"
        self._stopwatch = stopwatch

    def current_revision(self) -> int:
        if self.away:
            raise ConnectionError("nobody answers")
        return self.revision

    def build(self, previous: Edition | None) -> Edition:
        if self.away:
            raise ConnectionError("nobody answers")
        if self.broken:
            raise ZeroDivisionError("a template divides by zero")
        self.built_from.append(previous)
        self._stopwatch.seconds += self.build_takes
        self._stopwatch.worked += self.build_works
        return edition(self.revision, f"revision {self.revision}", self.next_change_at)

    def mark_stale(self, held: Edition, since: datetime) -> Edition:
        self.marked.append(since)
        return edition(held.revision, f"revision {held.revision} not confirmed")

    def recover(self) -> None:
        self.recoveries += 1

    def refresher(self, **changes: object) -> Refresher:
        parts: dict[str, object] = {
            "current_revision": self.current_revision,
            "build": self.build,
            "mark_stale": self.mark_stale,
            "copy": self.copy,
            "on_alarm": self.alarms.append,
            "on_recover": self.recover,
        }
        return Keeping(**{**parts, **changes})


def edition(revision: int, text: str, next_change_at: datetime | None = None) -> Edition:
    page = make_document(text, content_type="text/plain", last_modified=NOON)
    return Edition(
        revision=revision, documents={"/": page}, built_at=NOON, next_change_at=next_change_at
    )


def shown(refresher: Refresher) -> str | None:
    held = refresher._shown
    return held.documents["/"].body.decode() if held else None


def tick(refresher: Refresher, times: int = TICKS_OF_GRACE) -> None:
    for _ in range(times):
        refresher.tick()


@pytest.fixture
def stopwatch(monkeypatch: pytest.MonkeyPatch) -> Stopwatch:
    stopwatch = Stopwatch()
    monkeypatch.setattr(module, "time", stopwatch)
    return stopwatch


@pytest.fixture
def site(tmp_path: Path, stopwatch: Stopwatch) -> Site:
    return Site(tmp_path, stopwatch)


@pytest.fixture
def running(site: Site) -> Iterator[Callable[..., Refresher]]:
    started: list[Refresher] = []

    def start(**changes: object) -> Refresher:
        started.append(site.refresher(**changes))
        return started[-1]

    yield start
    for refresher in started:
        refresher.stop()


# Fresh.


def test_the_first_look_builds_an_edition(site: Site):
    refresher = site.refresher()
    refresher.look()
    assert (shown(refresher), refresher.revision, site.built_from) == ("revision 1", 1, [None])


def test_nothing_is_built_while_the_revision_stays(site: Site):
    refresher = site.refresher()
    for _ in range(5):
        refresher.look()
    assert len(site.built_from) == 1


def test_a_new_revision_is_built_from_the_edition_before(site: Site):
    refresher = site.refresher()
    refresher.look()
    first = refresher._shown
    site.revision = 2
    refresher.look()
    assert shown(refresher) == "revision 2"
    assert site.built_from == [None, first]


def test_a_revision_that_went_back_is_built_too(site: Site):
    refresher = site.refresher()
    site.revision = 9
    refresher.look()
    site.revision = 3
    refresher.look()
    assert shown(refresher) == "revision 3"


def test_an_edition_older_than_the_revision_is_built_again(site: Site):
    refresher = site.refresher(current_revision=lambda: 2)
    refresher.look()
    assert refresher.revision == 1
    site.revision = 2
    refresher.look()
    assert refresher.revision == 2


def test_time_alone_builds_again_once_the_next_change_has_come(site: Site):
    refresher = site.refresher()
    site.next_change_at = clock.now() - timedelta(seconds=1)
    refresher.look()
    site.next_change_at = clock.now() + timedelta(hours=1)
    refresher.look()
    refresher.look()
    assert len(site.built_from) == 2


def test_building_gives_way_to_readers_that_kept_it_waiting(site: Site, stopwatch: Stopwatch):
    site.build_takes, site.build_works = 0.06, 0.05
    refresher = site.refresher()
    refresher.look()
    site.revision = 2
    stopwatch.seconds += 0.39
    refresher.look()
    assert refresher.revision == 1
    stopwatch.seconds += 0.02
    refresher.look()
    assert refresher.revision == 2


def test_while_nobody_reads_no_post_is_held_back(site: Site, stopwatch: Stopwatch):
    site.build_takes = site.build_works = 0.05
    refresher = site.refresher()
    refresher.look()
    site.revision = 2
    refresher.look()
    assert refresher.revision == 2


def test_a_post_waits_for_readers_no_longer_than_cheap_builds_need(
    site: Site, stopwatch: Stopwatch
):
    site.build_takes, site.build_works = 1.0, 0.02
    refresher = site.refresher()
    refresher.look()
    site.revision = 2
    stopwatch.seconds += 0.17
    refresher.look()
    assert refresher.revision == 1
    stopwatch.seconds += 0.02
    refresher.look()
    assert refresher.revision == 2


def test_a_slow_build_holds_the_next_post_back_for_no_more_than_a_bound(
    site: Site, stopwatch: Stopwatch
):
    site.build_takes, site.build_works = 30.0, 20.0
    refresher = site.refresher()
    refresher.look()
    site.revision = 2
    stopwatch.seconds += module.MOST_SECONDS_BETWEEN_BUILDS
    refresher.look()
    assert refresher.revision == 2
    assert refresher.build_seconds == 30.0


def test_age_counts_from_the_last_look_that_matched(site: Site):
    refresher = site.refresher()
    assert refresher.age is None
    refresher.look()
    assert refresher.age is not None
    assert refresher.age < 60


# What an edition was not held up for.


def test_the_rest_is_read_a_step_a_look_once_no_post_follows(site: Site, stopwatch: Stopwatch):
    steps: list[tuple[int, int]] = []

    def complete(built: Edition) -> Iterator[None]:
        for number in range(2):
            steps.append((built.revision, number))
            yield

    refresher = site.refresher(complete=complete)
    for revision in (1, 2, 3):
        site.revision = revision
        refresher.look()
        stopwatch.seconds += module.QUIET_SECONDS / 2
        refresher.look()
    assert steps == []
    stopwatch.seconds += module.QUIET_SECONDS
    refresher.look()
    assert steps == [(3, 0)]
    for _ in range(4):
        refresher.look()
    assert steps == [(3, 0), (3, 1)]


def test_the_copy_is_kept_again_once_the_rest_is_there(
    site: Site, stopwatch: Stopwatch, monkeypatch: pytest.MonkeyPatch
):
    saved: list[int] = []
    monkeypatch.setattr(copies, "save", lambda held, path: saved.append(held.revision))
    refresher = site.refresher()
    refresher.look()
    stopwatch.seconds += 2 * module.SECONDS_BETWEEN_SAVES
    for _ in range(5):
        refresher.look()
    assert saved == [1, 1]


def test_a_post_is_written_to_the_copy_once_and_soon(
    site: Site, stopwatch: Stopwatch, monkeypatch: pytest.MonkeyPatch
):
    saved: list[int] = []
    monkeypatch.setattr(copies, "save", lambda held, path: saved.append(held.revision))
    refresher = site.refresher()

    def look_for(seconds: int) -> None:
        for _ in range(20 * seconds):
            refresher.look()
            stopwatch.seconds += module.POLL_SECONDS

    look_for(5)
    saved.clear()
    site.revision = 2
    look_for(10)
    assert saved == [2]
    for site.revision in range(3, 15):
        look_for(1)
    # Without a quiet moment, three seconds after the first post that the copy lacks.
    assert saved == [2, 6, 10, 14]


def test_a_rest_that_cannot_be_read_is_one_alarm_and_tried_again(site: Site, stopwatch: Stopwatch):
    tried: list[float] = []

    def complete(built: Edition) -> Iterator[None]:
        tried.append(stopwatch.seconds)
        if len(tried) < 3:
            raise ZeroDivisionError("a component divides by zero")
        yield

    refresher = site.refresher(complete=complete)
    for _ in range(20):
        refresher.look()
        stopwatch.seconds += 1
    assert shown(refresher) == "revision 1"
    assert site.alarms == [
        "Pages of components cannot be kept: ZeroDivisionError: a component divides by zero"
    ]
    assert (len(tried), site.recoveries) == (3, 1)


# A build that fails.


def test_a_build_that_fails_leaves_the_last_good_edition_and_raises_one_alarm(
    site: Site, stopwatch: Stopwatch
):
    refresher = site.refresher()
    refresher.look()
    site.revision, site.broken = 2, True
    for _ in range(3):
        refresher.look()
        stopwatch.seconds += 10
    assert shown(refresher) == "revision 1"
    assert site.alarms == [
        "The public page cannot be rebuilt: ZeroDivisionError: a template divides by zero"
    ]


def test_a_build_that_works_again_is_shown_and_told_once(site: Site, stopwatch: Stopwatch):
    refresher = site.refresher()
    refresher.look()
    site.revision, site.broken = 2, True
    refresher.look()
    site.broken = False
    stopwatch.seconds += 10
    refresher.look()
    refresher.look()
    assert (shown(refresher), site.recoveries) == ("revision 2", 1)


def test_a_failing_build_is_tried_again_ever_more_rarely(site: Site, stopwatch: Stopwatch):
    attempts: list[float] = []

    def build(_: Edition | None) -> Edition:
        attempts.append(stopwatch.seconds)
        raise ZeroDivisionError

    refresher = site.refresher(build=build)
    for _ in range(400):
        refresher.look()
        stopwatch.seconds += 0.05
    pauses = [round(b - a, 1) for a, b in pairwise(attempts)]
    assert pauses[:5] == [0.5, 1.0, 2.0, 4.0, 5.0]
    assert set(pauses[4:]) <= {5.0, 5.1}


def test_an_edition_that_cannot_be_replaced_is_no_longer_vouched_for(site: Site):
    refresher = site.refresher()
    refresher.look()
    site.revision, site.broken = 2, True
    refresher.look()
    tick(refresher)
    assert shown(refresher) == "revision 1 not confirmed"


def test_a_build_that_fails_because_the_database_left_is_no_alarm(site: Site):
    def leave(_: Edition | None) -> Edition:
        site.away = True
        raise ConnectionError("nobody answers")

    refresher = site.refresher(build=leave)
    refresher.look()
    assert site.alarms == []


def test_an_alarm_that_reaches_nobody_does_not_stop_the_refresher(site: Site, stopwatch: Stopwatch):
    def refuse(_: str) -> None:
        raise ConnectionError("nobody to tell")

    refresher = site.refresher(on_alarm=refuse)
    site.broken = True
    refresher.look()
    site.broken = False
    stopwatch.seconds += 10
    refresher.look()
    assert shown(refresher) == "revision 1"


# The database is away.


def test_an_edition_is_vouched_for_during_the_grace(site: Site):
    refresher = site.refresher()
    refresher.look()
    site.away = True
    refresher.look()
    tick(refresher, TICKS_OF_GRACE - 1)
    assert (shown(refresher), refresher.stale_since) == ("revision 1", None)


def test_after_the_grace_the_page_says_since_when_it_is_unconfirmed(site: Site):
    refresher = site.refresher()
    refresher.look()
    confirmed = refresher._confirmed_at
    site.away = True
    refresher.look()
    tick(refresher, TICKS_OF_GRACE + 3)
    assert shown(refresher) == "revision 1 not confirmed"
    assert site.marked == [confirmed]
    assert refresher.stale_since == confirmed


def test_a_database_that_hangs_is_away_too(site: Site):
    refresher = site.refresher()
    refresher.look()
    tick(refresher)
    assert shown(refresher) == "revision 1 not confirmed"


def test_a_build_under_way_is_no_absence_once_everything_is_read(site: Site):
    held: list[Refresher] = []

    def build(previous: Edition | None) -> Edition:
        if previous is not None:
            held[0].has_read()
            tick(held[0], 10 * TICKS_OF_GRACE)
        return site.build(previous)

    refresher = site.refresher(build=build)
    held.append(refresher)
    refresher.look()
    site.revision = 2
    refresher.look()
    assert (site.marked, refresher.is_database_away) == ([], False)
    # Afterwards the grace is as long as ever.
    tick(refresher)
    assert (len(site.marked), refresher.is_database_away) == (1, True)


def test_a_database_that_hangs_in_the_middle_of_a_build_is_away(site: Site):
    held: list[Refresher] = []

    def build(previous: Edition | None) -> Edition:
        if previous is not None:
            tick(held[0])
        return site.build(previous)

    refresher = site.refresher(build=build)
    held.append(refresher)
    refresher.look()
    site.revision = 2
    refresher.look()
    assert len(site.marked) == 1


def test_a_build_that_fails_does_not_say_that_the_database_is_away(site: Site):
    refresher = site.refresher()
    refresher.look()
    site.revision, site.broken = 2, True
    for _ in range(TICKS_OF_GRACE):
        refresher.look()
        tick(refresher, 1)
    assert refresher.stale_since is not None
    assert not refresher.is_database_away
    site.away = True
    refresher.look()
    assert refresher.is_database_away


def test_no_look_waits_for_the_disk(site: Site, monkeypatch: pytest.MonkeyPatch):
    saved: list[int] = []
    monkeypatch.setattr(copies, "save", lambda held, path: saved.append(held.revision))
    refresher = Refresher(
        current_revision=site.current_revision,
        build=site.build,
        mark_stale=site.mark_stale,
        copy=site.copy,
    )
    refresher.look()
    assert (shown(refresher), saved) == ("revision 1", [])
    refresher.keep_copy()
    assert saved == [1]


def test_each_look_that_matches_starts_the_grace_anew(site: Site):
    refresher = site.refresher()
    refresher.look()
    for _ in range(5):
        tick(refresher, TICKS_OF_GRACE - 1)
        refresher.look()
    assert shown(refresher) == "revision 1"


def test_the_page_is_confirmed_again_without_building(site: Site):
    refresher = site.refresher()
    refresher.look()
    site.away = True
    refresher.look()
    tick(refresher)
    site.away = False
    refresher.look()
    assert (shown(refresher), refresher.stale_since) == ("revision 1", None)
    assert len(site.built_from) == 1


def test_a_second_absence_has_its_own_beginning(site: Site):
    refresher = site.refresher()
    for _ in range(2):
        site.away = False
        refresher.look()
        site.away = True
        refresher.look()
        tick(refresher)
    assert len(site.marked) == 2
    assert site.marked[0] < site.marked[1]


def test_an_absent_database_is_asked_ever_more_rarely_and_at_least_each_second(site: Site):
    refresher = site.refresher()
    site.away = True
    pauses = [refresher.look() for _ in range(7)]
    assert pauses == [0.1, 0.2, 0.4, 0.8, 1.0, 1.0, 1.0]
    site.away = False
    assert refresher.look() == 0.05


def test_a_page_that_cannot_be_marked_stays_and_the_log_says_so_once(
    site: Site, caplog: pytest.LogCaptureFixture
):
    def refuse(_: Edition, __: datetime) -> Edition:
        raise KeyError("no place for the note")

    refresher = site.refresher(mark_stale=refuse)
    refresher.look()
    caplog.set_level(logging.ERROR)
    tick(refresher, 3 * TICKS_OF_GRACE)
    assert shown(refresher) == "revision 1"
    assert caplog.messages == ["the public site cannot be marked as unconfirmed"]


# The copy on disk.


def test_what_is_built_is_kept_on_disk(site: Site):
    refresher = site.refresher()
    refresher.look()
    assert copies.load(site.copy) == refresher._shown


def test_a_start_without_database_shows_the_copy_as_last_confirmed(site: Site):
    copies.save(edition(4, "from disk"), site.copy)
    copies.confirm(site.copy, at=NOON + timedelta(hours=2))
    site.away = True
    refresher = site.refresher()
    refresher.look()
    assert shown(refresher) == "revision 4 not confirmed"
    assert site.marked == [NOON + timedelta(hours=2)]
    assert refresher.age is not None


def test_a_start_with_a_database_that_hangs_shows_the_copy(site: Site):
    copies.save(edition(4, "from disk"), site.copy)
    refresher = site.refresher()
    tick(refresher)
    assert shown(refresher) == "revision 4 not confirmed"


def test_a_start_with_a_build_that_fails_shows_the_copy(site: Site):
    copies.save(edition(4, "from disk"), site.copy)
    site.broken = True
    refresher = site.refresher()
    refresher.look()
    assert shown(refresher) == "revision 4 not confirmed"
    assert len(site.alarms) == 1


def test_a_start_with_neither_database_nor_copy_has_nothing_to_show(site: Site):
    site.away = True
    refresher = site.refresher()
    refresher.look()
    assert (shown(refresher), refresher.revision, refresher.age) == (None, None, None)


def test_a_copy_of_the_same_revision_is_still_built_anew(site: Site):
    copies.save(edition(1, "from an older release"), site.copy)
    site.away = True
    refresher = site.refresher()
    refresher.look()
    site.away = False
    refresher.look()
    assert shown(refresher) == "revision 1"


def test_the_copy_notes_when_the_database_left(site: Site):
    refresher = site.refresher()
    refresher.look()
    site.away = True
    refresher.look()
    tick(refresher)
    assert refresher.stale_since is not None
    assert copies.confirmed_at(site.copy) == refresher.stale_since.replace(microsecond=0)


def test_the_copy_is_written_every_two_seconds_at_most(site: Site, stopwatch: Stopwatch):
    refresher = site.refresher()
    refresher.look()
    site.revision = 2
    refresher.look()
    kept = copies.load(site.copy)
    assert kept is not None
    assert kept.revision == 1
    stopwatch.seconds += 2.1
    refresher.look()
    kept = copies.load(site.copy)
    assert kept is not None
    assert kept.revision == 2


def test_the_copy_is_confirmed_every_minute(site: Site, stopwatch: Stopwatch):
    refresher = site.refresher()
    refresher.look()
    # Once more when the rest is there.
    stopwatch.seconds += 3
    refresher.look()
    assert copies.confirmed_at(site.copy) == NOON
    stopwatch.seconds += 61
    refresher.look()
    confirmed = copies.confirmed_at(site.copy)
    assert confirmed is not None
    assert confirmed > NOON


def test_a_copy_that_cannot_be_kept_raises_one_alarm_and_the_page_goes_on(
    site: Site, stopwatch: Stopwatch, tmp_path: Path
):
    blocked = tmp_path / "file"
    blocked.write_text("no folder")
    refresher = site.refresher(copy=blocked / "edition")
    for _ in range(3):
        refresher.look()
        stopwatch.seconds += 3
    assert shown(refresher) == "revision 1"
    assert len(site.alarms) == 1
    blocked.unlink()
    refresher.look()
    assert site.recoveries == 1


# The threads.


def test_nothing_starts_before_the_first_request(running: Callable[..., Refresher]):
    before = threading.active_count()
    refresher = running()
    assert threading.active_count() == before
    refresher.edition()
    assert threading.active_count() == before + 3


def test_the_first_request_waits_for_the_first_edition(running: Callable[..., Refresher]):
    held = running().edition()
    assert held is not None
    assert held.revision == 1


def test_many_first_requests_build_one_edition(site: Site, running: Callable[..., Refresher]):
    refresher = running()
    threads = [threading.Thread(target=refresher.edition) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(site.built_from) == 1


def test_wake_shows_a_commit_without_waiting_for_the_next_look(
    site: Site, running: Callable[..., Refresher], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(module, "POLL_SECONDS", 60)
    built = threading.Event()

    def build(previous: Edition | None) -> Edition:
        if previous:
            built.set()
        return site.build(previous)

    refresher = running(build=build)
    refresher.edition()
    site.revision = 2
    refresher.wake()
    assert built.wait(10)


def test_the_first_request_gets_the_copy_while_the_database_hangs(
    site: Site, running: Callable[..., Refresher], monkeypatch: pytest.MonkeyPatch
):
    copies.save(edition(4, "from disk"), site.copy)
    monkeypatch.setattr(module, "TICK_SECONDS", 0.001)
    hanging = threading.Event()

    def current_revision() -> int:
        hanging.wait(10)
        return 1

    refresher = running(current_revision=current_revision)
    held = refresher.edition()
    hanging.set()
    assert held is not None
    assert held.documents["/"].body == b"revision 4 not confirmed"


def test_a_look_that_goes_wrong_does_not_end_the_thread(
    site: Site, running: Callable[..., Refresher], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(module, "POLL_SECONDS_AWAY", 0.001)
    looks = iter([RuntimeError("unforeseen"), RuntimeError("unforeseen")])
    second = threading.Event()

    def look() -> float:
        if error := next(looks, None):
            raise error
        second.set()
        return 0.01

    refresher = running()
    monkeypatch.setattr(refresher, "look", look)
    refresher.edition()
    assert second.wait(10)


def test_a_forked_child_keeps_its_edition_fresh_itself(
    site: Site, running: Callable[..., Refresher]
):
    refresher = running()
    refresher.edition()
    site.revision = 2
    child = os.fork()
    if child == 0:
        held = refresher.edition()
        os._exit(0 if held and held.revision == 2 and len(refresher._threads) == 3 else 1)
    assert os.waitpid(child, 0)[1] == 0


def test_a_stopped_refresher_has_no_threads_left(running: Callable[..., Refresher]):
    before = threading.active_count()
    refresher = running()
    refresher.edition()
    refresher.stop()
    assert threading.active_count() == before


def test_without_threads_every_request_sees_the_latest_revision(site: Site):
    site.build_takes = 0.2
    before = threading.active_count()
    refresher = site.refresher(threads=False)
    first = refresher.edition()
    site.revision = 2
    second = refresher.edition()
    assert [held.revision for held in (first, second) if held] == [1, 2]
    assert threading.active_count() == before
