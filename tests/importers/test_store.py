"""Imported incidents in the database: brought up to date, and written in steps."""

from __future__ import annotations

import math
from collections import Counter

import pytest
import time_machine
from sqlalchemy import event, func, select
from sqlalchemy.orm import Session

from statuspage.core.db import writing
from statuspage.core.enums import (
    ComponentStatus,
    IncidentStatus,
)
from statuspage.importers import jsonl, store
from statuspage.importers.published import UnusableHistory
from statuspage.incidents import inputs, lifecycle
from statuspage.incidents.publish import Submission
from statuspage.models import (
    IncidentUpdate,
)
from tests.factories import make_page
from tests.importers.imported import (
    ACTOR,
    counts,
    history_row,
    lines,
    log_of,
    moment,
    said,
    take,
    the_incident,
)

pytestmark = pytest.mark.usefixtures("frozen")


def test_a_corrected_post_keeps_its_entry_and_date_and_says_that_it_was_corrected(
    session: Session, frozen: time_machine.Traveller
) -> None:
    take(lines(history_row()))
    before = {u.code: (u.entry_id, u.posted_at) for u in the_incident(session).updates}
    posts = said(
        (0, "Investigating", "We are looking into it."),
        (20, "Update", "We found the cause."),
        (60, "Resolved", "It is over."),
    )

    assert counts(take(lines(history_row(updates=posts)))) == (0, 1, 0, 0)
    after = the_incident(session).updates
    assert {u.code: (u.entry_id, u.posted_at) for u in after} == before
    assert [u.edited_at is not None for u in after] == [False, True, False]
    assert [revision.body for revision in after[1].revisions] == ["We found it."]


def test_a_new_post_leaves_the_others_as_they_are(session: Session) -> None:
    take(lines(history_row()))
    before = {u.code: u.id for u in the_incident(session).updates}
    posts = [*history_row()["updates"], *said((90, "Postmortem", "This is why."))]
    take(lines(history_row(updates=posts)))

    after = {u.code: u.id for u in the_incident(session).updates}
    assert after.items() > before.items()
    assert len(after) == 4
    assert (the_incident(session).status, the_incident(session).resolved_at) == (
        "postmortem",
        moment(60),
    )


def test_a_post_that_was_taken_back_goes(session: Session) -> None:
    take(lines(history_row()))
    first, _, last = history_row()["updates"]
    take(lines(history_row(updates=[first, last])))

    assert [update.body for update in the_incident(session).updates] == [
        "We are looking into it.",
        "It is over.",
    ]


def test_a_incident_that_names_other_components_now_gives_the_old_ones_back(
    session: Session,
) -> None:
    take(lines(history_row()))
    take(lines(history_row(components=["Pages"])))

    assert log_of(session, "Search") == [(moment(0), ComponentStatus.OPERATIONAL)]
    assert [status for _, status in log_of(session, "Pages")] == [
        ComponentStatus.OPERATIONAL,
        ComponentStatus.DEGRADED_PERFORMANCE,
        ComponentStatus.OPERATIONAL,
    ]


def test_a_incident_that_was_corrected_here_is_left_alone(session: Session) -> None:
    with writing() as session:
        make_page(session)
    take(lines(history_row()))
    update = the_incident(session).updates[0]
    with writing() as session:
        corrected = session.get_one(IncidentUpdate, update.id)
        corrected.body, corrected.form_key = "We know better here.", "a sheet"
    report = take(lines(history_row(title="Told anew")))

    assert counts(report) == (0, 0, 1, 0)
    assert [str(note) for note in report.notes] == [
        "line 1: this incident was continued here and is left as it is"
    ]
    assert the_incident(session).updates[0].body == "We know better here."


def test_a_long_history_comes_in_whole(session: Session) -> None:
    rows = [
        history_row(f"{number:012d}", title=f"Story {number}", components=[f"Part {number % 7}"])
        for number in range(1_100)
    ]
    seen: list[tuple[int, int]] = []
    report = jsonl.import_history(
        lines(*rows), actor=ACTOR, progress=lambda done, total: seen.append((done, total))
    )

    assert counts(report) == (1_100, 0, 0, 7)
    assert seen[-1] == (1_100, 1_100)
    assert len(seen) > 10
    assert session.scalar(select(func.count()).select_from(IncidentUpdate)) == 3_300


def test_an_imported_incident_can_be_continued_here(session: Session) -> None:
    with writing() as session:
        make_page(session)
    take(lines(history_row()))
    post = inputs.NewUpdate(status=IncidentStatus.INVESTIGATING, users_notice="It is slow again.")
    lifecycle.reopen("aaaaaaaaaaaa", post, Submission(ACTOR, "sheet"))

    assert the_incident(session).is_open
    assert counts(take(lines(history_row()))) == (0, 0, 1, 0)
    assert the_incident(session).is_open


SEVERAL = lines(
    *(
        history_row(f"{letter * 12}", components=["Search"] if letter < "d" else ["Login"])
        for letter in "abcde"
    )
)


@pytest.fixture
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Steps of two incidents, however slow the machine."""
    monkeypatch.setattr("statuspage.core.db.SLICE_SECONDS", math.inf)
    monkeypatch.setattr("statuspage.importers.store._CHUNK", 2)
    monkeypatch.setattr("statuspage.importers.store._LOGGED_INCIDENTS", 2)
    monkeypatch.setattr("statuspage.importers.store._LOGGED_PARTS", 1)


@pytest.mark.only_on("sqlite")
@pytest.mark.usefixtures("small_steps")
def test_incidents_come_in_by_steps_that_others_can_write_between(session: Session) -> None:
    steps: list[Counter[str]] = [Counter()]

    def count(
        _c: object, _cursor: object, statement: str, values: list[object], _x: object, many: bool
    ) -> None:
        if statement.startswith(("INSERT INTO incidents", "DELETE FROM component_changes")):
            steps[-1][statement.split()[2]] += len(values) if many else 1

    def end_step(_connection: object) -> None:
        steps.append(Counter())

    engine = session.get_bind()
    event.listen(engine, "before_cursor_execute", count)
    event.listen(engine, "commit", end_step)
    report = take(SEVERAL)
    event.remove(engine, "before_cursor_execute", count)
    event.remove(engine, "commit", end_step)

    assert counts(report) == (5, 0, 0, 2)
    assert [dict(step) for step in steps if step] == [
        {"incidents": 2},
        {"incidents": 2},
        {"incidents": 1},
        {"component_changes": 1},
        {"component_changes": 1},
    ]


@pytest.mark.only_on("sqlite")
@pytest.mark.usefixtures("small_steps")
@pytest.mark.parametrize("step", ["keep", "log"])
def test_an_import_that_was_cut_off_is_finished_by_the_next(
    session: Session, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    act = getattr(store._Keeper, step)
    done: list[int] = []

    def cut_off(self: object, what: object) -> None:
        done.append(1)
        if len(done) == 2:
            raise RuntimeError("the disk is full")
        act(self, what)

    with monkeypatch.context() as patch:
        patch.setattr(store._Keeper, step, cut_off)
        with pytest.raises(RuntimeError, match="the disk is full"):
            take(SEVERAL)
    take(SEVERAL)
    cut = [log_of(session, name) for name in ("Search", "Login")]
    again = take(SEVERAL)

    assert counts(again) == (0, 0, 5, 0)
    assert cut == [log_of(session, name) for name in ("Search", "Login")]
    assert [len(log) > 1 for log in cut] == [True, True]


@pytest.mark.only_on("sqlite")
@pytest.mark.usefixtures("small_steps")
def test_a_code_that_is_taken_keeps_every_incident_out(session: Session) -> None:
    take(lines(history_row("e" * 12)))
    elsewhere = history_row("e" * 12, url=f"https://other.example.org/incidents/{'e' * 12}")
    with pytest.raises(UnusableHistory):
        take(lines(*(history_row(letter * 12) for letter in "abcd"), elsewhere))
    assert the_incident(session).code == "e" * 12
