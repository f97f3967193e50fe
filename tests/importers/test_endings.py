"""How an incident of somebody else ends, whichever way it comes in."""

from __future__ import annotations

from pathlib import Path

import pytest
import time_machine
from sqlalchemy.orm import Session

from statuspage.core.enums import (
    CLOSED,
)
from tests.importers.imported import (
    at,
    history_row,
    lines,
    moment,
    move,
    posted,
    published,
    said,
    summary,
    take,
    the_incident,
)

pytestmark = pytest.mark.usefixtures("frozen")


@pytest.mark.parametrize("way", ["a page", "a history"])
@pytest.mark.parametrize(
    ("own", "resolved", "steps", "status", "notes"),
    [
        (
            "resolved", 60, [(0, "investigating")], "resolved",
            ["no update says that it ended; its own status, resolved, does"],
        ),
        (
            "postmortem", 60, [(0, "investigating"), (60, "resolved")], "postmortem", [],
        ),
        (
            "completed", 60, [(0, "investigating")], "resolved",
            ["no update says that it ended; its own status, completed, does"],
        ),
        ("monitoring", 60, [(0, "investigating"), (60, "resolved")], "resolved", []),
        (
            "", None, [(0, "investigating")], "resolved",
            ["nothing says that it ended; it counts as over with its last update"],
        ),
        ("identified", None, [(0, "identified"), (525_601 - 60, "update")], "identified", []),
        (
            "identified", None, [(0, "identified")], "resolved",
            ["nothing says that it ended; it counts as over with its last update"],
        ),
        (
            "monitoring", None, [(500_000, "investigating"), (500_060, "resolved")], "monitoring",
            ["its last update says resolved, but its own status is monitoring, which counts"],
        ),
    ],
    ids=[
        "its own word", "a later word", "a word of maintenances", "both say so", "forgotten",
        "a long one", "abandoned", "reopened without an update",
    ],
)  # fmt: skip
def test_how_a_incident_ends_is_read_by_one_rule(
    session: Session, tmp_path: Path, frozen: time_machine.Traveller, way: str, own: str,
    resolved: float | None, steps: list[tuple[float, str]], status: str, notes: list[str],
) -> None:  # fmt: skip
    frozen.move_to(moment(525_700))
    end = at(resolved) if resolved is not None else None
    if way == "a page":
        updates = [posted(f"uuuuuuuuuuu{n}", word, m, "") for n, (m, word) in enumerate(steps)]
        row = published(
            status=own, resolved_at=end, started_at=None, incident_updates=updates[::-1]
        )
        report = move(tmp_path, summary([row]))
    else:
        updates = [{"at": at(m), "status": word, "message": ""} for m, word in steps]
        report = take(
            lines(history_row(status=own, resolved_at=end, started_at=None, updates=updates))
        )

    assert the_incident(session).status == status
    assert (the_incident(session).resolved_at is not None) == (status in CLOSED)
    assert [note.reason for note in report.notes] == notes


@pytest.mark.parametrize("way", ["a page", "a history"])
def test_a_incident_that_ends_before_it_begins_begins_with_what_came_first(
    session: Session, tmp_path: Path, way: str
) -> None:
    """Statuspage writes incidents so that are told afterwards: made a moment after their end."""
    if way == "a page":
        update = posted("uuuuuuuuuuu1", "resolved", -2, "It was over.")
        report = move(tmp_path, summary([
            published(started_at=at(0), resolved_at=at(-2), incident_updates=[update])
        ]))  # fmt: skip
    else:
        report = take(lines(history_row(started_at=at(0), updates=said((-2, "Resolved", "")))))

    incident = the_incident(session)
    assert (incident.started_at, incident.resolved_at) == (moment(-2), moment(-2))
    assert [note.reason for note in report.notes] == [
        "its start lies after its end; it counts as begun with what came first"
    ]


@pytest.mark.parametrize("way", ["a page", "a history"])
@pytest.mark.parametrize(
    ("steps", "is_cancelled"),
    [
        ([(0, "scheduled"), (60, "completed")], True),
        ([(0, "scheduled"), (30, "in_progress"), (60, "completed")], False),
    ],
    ids=["never ran", "ran early"],
)
def test_a_maintenance_completed_before_it_was_to_begin_was_cancelled(
    session: Session, tmp_path: Path, way: str, steps: list[tuple[float, str]], is_cancelled: bool
) -> None:
    window = {"scheduled_for": at(9_000), "scheduled_until": at(9_060)}
    if way == "a page":
        updates = [posted(f"uuuuuuuuuuu{n}", word, m, "") for n, (m, word) in enumerate(steps)]
        row = published(
            status="completed", impact="maintenance", incident_updates=updates[::-1], **window
        )
        report = move(tmp_path, summary(maintenances=[row]))
    else:
        posts = [{"at": at(m), "status": word, "message": ""} for m, word in steps]
        report = take(lines(history_row(impact="maintenance", updates=posts, **window)))

    maintenance = the_incident(session)
    assert (maintenance.status, maintenance.resolved_at) == ("completed", moment(60))
    assert maintenance.cancelled_at == (moment(60) if is_cancelled else None)
    assert report.notes == ()


@pytest.mark.parametrize("way", ["a page", "a history"])
def test_a_planned_end_before_the_beginning_is_left_out(
    session: Session, tmp_path: Path, way: str
) -> None:
    window = {"scheduled_for": at(30), "scheduled_until": at(20)}
    steps = [(0, "scheduled"), (30, "in_progress"), (60, "completed")]
    if way == "a page":
        updates = [posted(f"uuuuuuuuuuu{n}", word, m, "") for n, (m, word) in enumerate(steps)]
        row = published(
            status="completed", impact="maintenance", incident_updates=updates[::-1], **window
        )
        report = move(tmp_path, summary(maintenances=[row]))
    else:
        posts = [{"at": at(m), "status": word, "message": ""} for m, word in steps]
        report = take(lines(history_row(impact="maintenance", updates=posts, **window)))

    assert (the_incident(session).scheduled_for, the_incident(session).scheduled_until) == (
        moment(30), None,
    )  # fmt: skip
    assert [note.reason for note in report.notes] == [
        "its planned end lies before its beginning and was left out"
    ]


def test_a_maintenance_that_nobody_spoke_of_again_is_over_with_its_window(
    session: Session,
) -> None:
    window = {"scheduled_for": at(600), "scheduled_until": at(660)}
    take(lines(history_row(
        impact="maintenance", resolved_at=None, updates=said((0, "Scheduled", "")), **window
    )))  # fmt: skip

    maintenance = the_incident(session)
    assert (maintenance.status, maintenance.resolved_at) == ("completed", moment(660))
    assert maintenance.cancelled_at is None
