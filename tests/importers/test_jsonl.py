"""Histories in JSON lines: what comes in, what is mended, and what is refused."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
import time_machine
from sqlalchemy import select
from sqlalchemy.orm import Session

from statuspage.core.db import writing
from statuspage.core.enums import (
    ComponentStatus,
    Impact,
    Kind,
)
from statuspage.importers.published import UnusableHistory
from statuspage.incidents.component_log import rewrite
from statuspage.models import (
    AuditEntry,
    Component,
    Delivery,
    Incident,
    Message,
)
from statuspage.models.revision import current_number
from tests.factories import make_component, make_incident, make_page
from tests.importers.imported import (
    Row,
    at,
    counts,
    effect,
    everything,
    history_row,
    lines,
    log_of,
    moment,
    move,
    problems,
    published,
    said,
    summary,
    take,
    the_incident,
)

pytestmark = pytest.mark.usefixtures("frozen")


def test_a_incident_comes_in_with_its_own_times_codes_and_texts(session: Session) -> None:
    report = take(lines(history_row()))

    incident = the_incident(session)
    assert (counts(report), report.notes) == ((1, 0, 0, 1), ())
    assert (incident.code, incident.title) == ("aaaaaaaaaaaa", "Incident with Search")
    assert (incident.kind, incident.impact) == (Kind.INCIDENT, Impact.MINOR)
    assert (incident.status, incident.resolutions) == ("resolved", 1)
    assert (incident.started_at, incident.resolved_at) == (moment(0), moment(60))
    assert (incident.created_at, incident.updated_at) == (moment(0), moment(60))
    assert incident.entry_id == "tag:status.example.org,2005:Incident/4711"
    assert (incident.origin, incident.origin_id) == ("status.example.org", "aaaaaaaaaaaa")
    assert incident.severity_rank is None
    assert [(u.status, u.body, u.happened_at, u.posted_at) for u in incident.updates] == [
        ("investigating", "We are looking into it.", moment(0), moment(0)),
        ("investigating", "We found it.", moment(20), moment(20)),
        ("resolved", "It is over.", moment(60), moment(60)),
    ]


def test_each_update_has_an_entry_id_made_from_the_public_address(session: Session) -> None:
    take(lines(history_row()))

    for update in the_incident(session).updates:
        assert update.entry_id == (
            f"https://status.example.com/incidents/aaaaaaaaaaaa#update-{update.code}"
        )


def test_importing_again_changes_nothing(session: Session) -> None:
    maintenance = history_row(
        "bbbbbbbbbbbb", impact="maintenance",
        updates=said((0, "Scheduled", "Soon."), (30, "In progress", ""), (60, "Completed", "")),
    )  # fmt: skip
    data = lines(history_row(), maintenance)
    take(data)
    before = everything(session)

    assert counts(take(data)) == (0, 0, 2, 0)
    assert everything(session) == before


def test_nobody_is_ever_mailed(session: Session) -> None:
    take(lines(history_row(impact="critical")))

    assert session.scalars(select(Message)).all() == []
    assert session.scalars(select(Delivery)).all() == []


def test_an_import_moves_the_revision_once_and_its_begin_and_end_are_audited(
    session: Session,
) -> None:
    before = current_number(session)
    take(lines(history_row(), history_row("bbbbbbbbbbbb")))

    begun, entry = session.scalars(select(AuditEntry).order_by(AuditEntry.id))
    assert current_number(session) == before + 1
    assert (begun.actor, begun.action) == ("Ada", "history.import_begin")
    assert (entry.actor, entry.action, entry.subject) == ("Ada", "history.import", "history.jsonl")
    assert entry.after == {"added": 2, "updated": 0, "unchanged": 0, "components_added": 1}


@pytest.mark.parametrize(
    ("impact", "state"),
    [
        ("minor", ComponentStatus.DEGRADED_PERFORMANCE),
        ("major", ComponentStatus.PARTIAL_OUTAGE),
        ("critical", ComponentStatus.MAJOR_OUTAGE),
    ],
)
def test_while_a_incident_is_open_its_components_are_as_bad_as_its_impact(
    session: Session, impact: str, state: ComponentStatus
) -> None:
    take(lines(history_row(impact=impact)))

    assert log_of(session, "Search") == [
        (moment(0), ComponentStatus.OPERATIONAL),
        (moment(0), state),
        (moment(60), ComponentStatus.OPERATIONAL),
    ]
    first, _, last = the_incident(session).updates
    code = session.scalars(select(Component.code)).one()
    assert first.affected == [
        {"code": code, "name": "Search", "old_status": "operational", "new_status": state.value}
    ]
    assert last.affected == [
        {"code": code, "name": "Search", "old_status": state.value, "new_status": "operational"}
    ]


def test_two_incidents_at_once_show_the_worse_of_both(session: Session) -> None:
    later = said((30, "Investigating", ""), (90, "Resolved", ""))
    take(
        lines(
            history_row(impact="major"),
            history_row("bbbbbbbbbbbb", updates=later, started_at=at(30)),
        )
    )

    assert log_of(session, "Search") == [
        (moment(0), ComponentStatus.OPERATIONAL),
        (moment(0), ComponentStatus.PARTIAL_OUTAGE),
        (moment(60), ComponentStatus.DEGRADED_PERFORMANCE),
        (moment(90), ComponentStatus.OPERATIONAL),
    ]


def test_incidents_from_elsewhere_and_from_here_make_one_log(session: Session) -> None:
    with writing() as session:
        make_page(session)
        search = make_component(session, "Search")
        down = effect(search.code, "Search", "operational", "major_outage")
        for title, column in (("Told here", {}), ("False alarm", {"cancelled_at": moment(50)})):
            make_incident(
                session, title, started_at=moment(30), components=[search],
                updates=[{"status": "investigating", "affected": [down]}, "resolved"],
                step_minutes=20, **column,
            )  # fmt: skip
    take(lines(history_row()))

    expected = [
        (moment(0), ComponentStatus.DEGRADED_PERFORMANCE),
        (moment(30), ComponentStatus.MAJOR_OUTAGE),
        (moment(50), ComponentStatus.DEGRADED_PERFORMANCE),
        (moment(60), ComponentStatus.OPERATIONAL),
    ]
    assert log_of(session, "Search") == expected
    # Written anew for an incident that is told late here, it is the same.
    with writing() as session:
        rewrite(session, [search.id], since=moment(0))
    assert log_of(session, "Search") == expected


def test_an_end_that_is_dated_before_the_last_post_leaves_no_component_down(
    session: Session, tmp_path: Path
) -> None:
    row = published(resolved_at=at(-30), started_at=at(-60))
    row["incident_updates"] = row["incident_updates"][1:]
    move(tmp_path, summary([row]))
    assert log_of(session, "Search") == [
        (datetime(2020, 1, 1, tzinfo=UTC), ComponentStatus.OPERATIONAL)
    ]


def test_a_incident_without_an_impact_changes_no_component(session: Session) -> None:
    take(lines(history_row(impact="none")))

    assert log_of(session, "Search") == [(moment(0), ComponentStatus.OPERATIONAL)]


def test_components_that_are_there_are_used_whatever_their_case(session: Session) -> None:
    with writing() as session:
        make_component(session, "search")
    report = take(lines(history_row(components=["Search", "Pages"])))

    assert report.components_added == 1
    assert session.scalars(select(Component.name).order_by(Component.id)).all() == [
        "search",
        "Pages",
    ]


def test_a_incident_may_name_no_component(session: Session) -> None:
    assert counts(take(lines(history_row(components=None)))) == (1, 0, 0, 0)
    assert the_incident(session).affected == []


def test_a_maintenance_has_its_window_and_its_components_rest_while_it_runs(
    session: Session,
) -> None:
    posts = said((0, "Scheduled", ""), (600, "In progress", ""), (660, "Completed", "Done."))
    take(lines(history_row(impact="maintenance", updates=posts)))

    maintenance = the_incident(session)
    assert (maintenance.kind, maintenance.status) == (Kind.MAINTENANCE, "completed")
    assert (maintenance.scheduled_for, maintenance.scheduled_until) == (moment(600), moment(660))
    assert log_of(session, "Search")[1:] == [
        (moment(600), ComponentStatus.UNDER_MAINTENANCE),
        (moment(660), ComponentStatus.OPERATIONAL),
    ]


def test_a_maintenance_to_come_says_when(session: Session) -> None:
    row = history_row(
        impact="maintenance", resolved_at=None, updates=said((0, "Scheduled", "Soon.")),
        scheduled_for="2026-04-01T10:00:00+02:00", scheduled_until="2026-04-01T12:00:00+02:00",
    )  # fmt: skip
    report = take(lines(row))

    maintenance = the_incident(session)
    assert report.notes == ()
    assert (maintenance.status, maintenance.resolved_at) == ("scheduled", None)
    assert maintenance.scheduled_for == datetime(2026, 4, 1, 8, 0, tzinfo=UTC)
    assert session.scalars(select(Component.status)).one() is ComponentStatus.OPERATIONAL


def test_a_incident_that_is_open_shows_on_its_components_until_it_is_over(
    session: Session, frozen: time_machine.Traveller
) -> None:
    recent = {"updates": said((0, "Investigating", "")), "resolved_at": None}
    frozen.move_to(moment(30))
    report = take(lines(history_row(**recent)))
    assert [str(note) for note in report.notes] == [
        "line 1: nothing says that it ended; it stays open"
    ]
    assert session.scalars(select(Component.status)).one() is ComponentStatus.DEGRADED_PERFORMANCE

    frozen.move_to(moment(90))
    assert counts(take(lines(history_row()))) == (0, 1, 0, 0)
    session.expire_all()
    assert session.scalars(select(Component.status)).one() is ComponentStatus.OPERATIONAL
    assert (the_incident(session).status, the_incident(session).resolved_at) == (
        "resolved",
        moment(60),
    )


def test_a_reopened_incident_is_resolved_twice(session: Session) -> None:
    posts = said(
        (0, "Investigating", ""), (10, "Resolved", ""), (20, "Investigating", ""),
        (30, "Monitoring", ""), (40, "Resolved", ""),
    )  # fmt: skip
    take(lines(history_row(updates=posts)))

    incident = the_incident(session)
    assert [update.reopens for update in incident.updates] == [False, False, True, False, False]
    assert (incident.resolutions, incident.resolved_at) == (2, moment(40))
    assert incident.monitoring_at == moment(30)


@pytest.mark.parametrize(
    ("changes", "note"),
    [
        (
            {"updates": said((60, "Resolved", ""), (0, "Investigating", ""), (20, "Update", ""))},
            "its updates were out of order and were put in order of time",
        ),
        (
            {"updates": said((0, "Update", ""), (60, "Resolved", ""))},
            "its first update names no status; it counts as investigating",
        ),
        (
            {"updates": said((0, "Investigating", "")), "resolved_at": at(60)},
            "no update says that it ended; resolved_at does",
        ),
        (
            {"updates": said((0, "Investigating", "")), "resolved_at": None},
            "nothing says that it ended; it counts as over with its last update",
        ),
        ({"title": "x" * 201}, "the title has 201 characters and was cut at 200"),
    ],
)
def test_what_can_be_mended_is_mended_and_noted(session: Session, changes: Row, note: str) -> None:
    report = take(lines(history_row(**changes)))

    assert [str(note) for note in report.notes] == [f"line 1: {note}"]
    assert the_incident(session).status == "resolved"
    assert len(the_incident(session).title) <= 200


def test_newest_first_is_no_disorder(session: Session) -> None:
    posts = said((0, "Investigating", "a"), (0, "Update", "b"), (60, "Resolved", "c"))
    report = take(lines(history_row(updates=posts[::-1])))

    assert report.notes == ()
    assert [update.body for update in the_incident(session).updates] == ["a", "b", "c"]


def test_posts_of_one_minute_keep_their_order_and_each_has_a_code(session: Session) -> None:
    posts = said((0, "Investigating", "a"), (0, "Update", "b"), (0, "Resolved", "c"))
    take(lines(history_row(updates=posts)))

    updates = the_incident(session).updates
    assert [update.body for update in updates] == ["a", "b", "c"]
    assert len({update.code for update in updates}) == 3


def test_a_incident_told_only_afterwards_has_no_length(session: Session) -> None:
    take(lines(history_row(updates=said((0, "Resolved", "It was over before we told.")))))

    incident = the_incident(session)
    assert (incident.started_at, incident.resolved_at) == (moment(0), moment(0))
    assert log_of(session, "Search") == [(moment(0), ComponentStatus.OPERATIONAL)]


def test_of_one_incident_told_twice_the_later_line_counts(session: Session) -> None:
    report = take(lines(history_row(title="Old"), history_row(title="New")))

    assert [str(note) for note in report.notes] == [
        "line 2: the same incident as in line 1; this one counts"
    ]
    assert the_incident(session).title == "New"


def test_hostile_and_foreign_text_is_kept_as_text(session: Session) -> None:
    text = "<script>alert(1)</script> ]]> <1% of users \u202eevil\u202c \x00 שלום 🚒"
    take(lines(history_row(title=text, updates=said((0, "Resolved", text)))))

    incident = the_incident(session)
    assert incident.title == "<script>alert(1)</script> ]]> <1% of users evil שלום 🚒"
    assert incident.updates[0].body == ("<script>alert(1)</script> ]]> <1% of users evil  שלום 🚒")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"title": " "}, "it has no title"),
        ({"title": 7}, "it has no title"),
        ({"updates": []}, "it has no updates"),
        ({"updates": ["Resolved"]}, "its updates are no list of objects"),
        ({"updates": said((0, "Solved", ""))}, "status 'solved' is no step of an incident"),
        (
            {"updates": said((0, "Scheduled", ""), (9, "Resolved", ""))},
            "status 'resolved' is no step of a maintenance",
        ),
        (
            {"updates": [{"at": "noon", "status": "Resolved"}]},
            "the time of update 1 is no time with a zone: 'noon'",
        ),
        (
            {"updates": [{"at": "2025-05-01T10:00:00", "status": "Resolved"}]},
            "the time of update 1 is no time with a zone: '2025-05-01T10:00:00'",
        ),
        (
            {"updates": [{"at": "2036-05-01T10:00:00Z", "status": "Resolved"}]},
            "the time of update 1 lies in the future: 2036-05-01T10:00:00Z",
        ),
        (
            {"updates": said((0, "Resolved", "x" * 100_001))},
            "a text has 100,001 characters; 100,000 are the end",
        ),
        ({"impact": "enormous"}, "impact 'enormous' is not known"),
        ({"components": "Search"}, "its components are no list of names"),
        ({"url": None, "id": None}, "it has neither a url that ends in its code nor an id"),
        (
            {"impact": "maintenance", "updates": said((0, "Scheduled", ""))},
            "a maintenance that has not begun must say scheduled_for",
        ),
    ],
)
def test_a_incident_that_cannot_be_taken_is_named_and_nothing_is_imported(
    session: Session, changes: Row, reason: str
) -> None:
    with pytest.raises(UnusableHistory) as unusable:
        take(lines(history_row(), history_row("bbbbbbbbbbbb", **changes)))

    assert problems(unusable) == [f"line 2: {reason}"]
    assert session.scalars(select(Incident)).all() == []


def test_incidents_that_cannot_be_taken_may_be_left_out(session: Session) -> None:
    report = take(lines(history_row(title=""), history_row("bbbbbbbbbbbb")), skip_bad=True)

    assert [str(problem) for problem in report.skipped] == ["line 1: it has no title"]
    assert the_incident(session).code == "bbbbbbbbbbbb"


@pytest.mark.parametrize("skip_bad", [False, True])
@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "line 1: there is no incident in this file"),
        (b"[]\n", "line 1: this is not an incident: no JSON object"),
        (lines(history_row()) + b'{"a": \xff}\n', "line 2: byte 7 is not UTF-8"),
        (
            lines(history_row(), history_row("bbbbbbbbbbbb"))[:-40],
            "line 2: this is not JSON, column 552: Unterminated string; the file is cut here",
        ),
        (
            b"{]\n" + lines(history_row()),
            "line 1: this is not JSON, column 2: Expecting property name enclosed in double quotes",
        ),
    ],
)
def test_a_file_that_is_wrong_or_cut_says_where_and_imports_nothing(
    session: Session, data: bytes, reason: str, skip_bad: bool
) -> None:
    with pytest.raises(UnusableHistory) as unusable:
        take(data, skip_bad=skip_bad)

    assert problems(unusable) == [reason]
    assert session.scalars(select(Incident)).all() == []


def test_a_code_that_another_incident_has_here_is_refused(session: Session) -> None:
    take(lines(history_row()))
    elsewhere = history_row(url="https://other.example.org/incidents/aaaaaaaaaaaa", title="Another")
    with pytest.raises(UnusableHistory) as unusable:
        take(lines(elsewhere))

    assert problems(unusable) == ["line 1: the code aaaaaaaaaaaa belongs to another incident here"]
