from __future__ import annotations

import json
import math
import socket
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import time_machine
from sqlalchemy import event, func, select
from sqlalchemy.orm import Session

from statuspage.access.audit import Actor
from statuspage.core.db import writing
from statuspage.core.enums import (
    CLOSED,
    ComponentStatus,
    Impact,
    IncidentStatus,
    Kind,
    MaintenanceStatus,
)
from statuspage.importers import jsonl, statuspage_page, store
from statuspage.importers import statuspage_page as moving
from statuspage.importers.published import UnusableHistory, to_markdown
from statuspage.importers.store import IncidentImportReport
from statuspage.incidents import inputs, lifecycle
from statuspage.incidents.component_log import write_anew
from statuspage.incidents.publish import Submission
from statuspage.models import (
    AuditEntry,
    Component,
    ComponentChange,
    ComponentGroup,
    Delivery,
    Incident,
    IncidentComponent,
    IncidentUpdate,
    Message,
    UpdateRevision,
)
from statuspage.models.revision import current_number
from tests.factories import make_component, make_incident, make_page

ACTOR = Actor("Ada")
START = datetime(2025, 5, 1, 10, 0, tzinfo=UTC)

Row = dict[str, Any]

pytestmark = pytest.mark.usefixtures("frozen")


def at(minutes: float) -> str:
    return (START + timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%SZ")


def moment(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def said(*posts: tuple[float, str, str]) -> list[Row]:
    return [{"at": at(m), "status": status, "message": text} for m, status, text in posts]


def history_row(code: str = "aaaaaaaaaaaa", **changes: Any) -> Row:
    """One published published: seen, worked on, over after an hour."""
    row = {
        "id": "4711",
        "entry_id": "tag:status.example.org,2005:Incident/4711",
        "title": "Incident with Search",
        "url": f"https://status.example.org/incidents/{code}",
        "started_at": at(0),
        "resolved_at": at(60),
        "published_at": at(60),
        "updates": said(
            (0, "Investigating", "We are looking into it."),
            (20, "Update", "We found it."),
            (60, "Resolved", "It is over."),
        ),
        "impact": "minor",
        "components": ["Search"],
    }
    return {name: value for name, value in {**row, **changes}.items() if value is not None}


def lines(*rows: Row) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def take(data: bytes, **options: bool) -> IncidentImportReport:
    return jsonl.import_history(data, actor=ACTOR, source="history.jsonl", **options)


def counts(report: IncidentImportReport) -> tuple[int, int, int, int]:
    return report.added, report.updated, report.unchanged, report.components_added


def the_incident(session: Session) -> Incident:
    session.expire_all()
    return session.scalars(select(Incident)).one()


def log_of(session: Session, name: str) -> list[tuple[datetime, ComponentStatus]]:
    rows = session.execute(
        select(ComponentChange.at, ComponentChange.status)
        .join(Component, Component.id == ComponentChange.component_id)
        .where(Component.name == name)
        .order_by(ComponentChange.at, ComponentChange.id)
    )
    return [(row[0], row[1]) for row in rows]


def everything(session: Session) -> dict[str, list[tuple[Any, ...]]]:
    """All that an import writes, row by row."""
    session.expire_all()
    rooms = (
        Incident, IncidentUpdate, IncidentComponent, Component, ComponentGroup, ComponentChange,
        UpdateRevision,
    )  # fmt: skip
    return {
        room.__name__: sorted(map(repr, session.execute(select(room.__table__)).all()))
        for room in rooms
    }


def problems(unusable: pytest.ExceptionInfo[UnusableHistory]) -> list[str]:
    return [str(problem) for problem in unusable.value.problems]


# --- a published history -------------------------------------------------------------------------


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


def test_an_import_moves_the_revision_once_and_is_one_entry_in_the_audit_trail(
    session: Session,
) -> None:
    before = current_number(session)
    take(lines(history_row(), history_row("bbbbbbbbbbbb")))

    entry = session.scalars(select(AuditEntry)).one()
    assert current_number(session) == before + 1
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
        write_anew(session, [search.id], since=moment(0))
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


# --- awkward incidents
# -----------------------------------------------------------------------------


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
        "line 2: the same story as in line 1; this one counts"
    ]
    assert the_incident(session).title == "New"


def test_hostile_and_foreign_text_is_kept_as_text(session: Session) -> None:
    text = "<script>alert(1)</script> ]]> <1% of users \u202eevil\u202c \x00 שלום 🚒"
    take(lines(history_row(title=text, updates=said((0, "Resolved", text)))))

    incident = the_incident(session)
    assert incident.title == "<script>alert(1)</script> ]]> <1% of users evil שלום 🚒"
    assert incident.updates[0].body == ("<script>alert(1)</script> ]]> <1% of users evil  שלום 🚒")


@pytest.mark.parametrize(
    ("html", "markdown"),
    [
        ("<1% of users", "<1% of users"),
        ("One<br />two", "One\ntwo"),
        ("<p>One</p><p>two &amp; three</p>", "One\n\ntwo & three"),
        ('See <a href="https://a.example/x">this</a>.', "See [this](https://a.example/x)."),
        ("<strong>Now</strong> and <em>then</em>", "**Now** and *then*"),
        ("<ul><li>One</li><li>two</li></ul>", "- One\n- two"),
        ("<b>x</b> <script>y</script>", "**x** <script>y</script>"),
    ],
)
def test_the_few_tags_that_posts_are_written_with_become_markdown(html: str, markdown: str) -> None:
    assert to_markdown(html) == markdown


# --- what cannot be taken ------------------------------------------------------------------------


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
        (b"", "line 1: there is no story in this file"),
        (b"[]\n", "line 1: this is not one story: no JSON object"),
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

    assert problems(unusable) == ["line 1: the code aaaaaaaaaaaa belongs to another story here"]


# --- bringing an incident up to date
# -----------------------------------------------------------------


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
        "line 1: this story was continued here and is left as it is"
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


# --- moving from a Statuspage page ---------------------------------------------------------------

PAGE = {
    "id": "pgpgpgpgpgpg",
    "name": "Acme",
    "url": "https://status.example.org",
    "time_zone": "Etc/UTC",
    "updated_at": "2025-05-01T11:00:00.123Z",
}


def part(code: str, name: str, **changes: Any) -> Row:
    return {
        "id": code,
        "name": name,
        "status": "operational",
        "created_at": "2020-01-01T00:00:00.000Z",
        "updated_at": "2025-05-01T11:00:00.000Z",
        "position": 1,
        "description": None,
        "showcase": False,
        "start_date": None,
        "group_id": None,
        "page_id": PAGE["id"],
        "group": False,
        "only_show_if_degraded": False,
        **changes,
    }


def effect(code: str, name: str, old: str, new: str) -> Row:
    return {"code": code, "name": name, "old_status": old, "new_status": new}


def posted(code: str, status: str, minutes: float, body: str, *effects: Row) -> Row:
    return {
        "id": code,
        "status": status,
        "body": body,
        "incident_id": "iiiiiiiiiiii",
        "created_at": at(minutes),
        "updated_at": at(minutes),
        "display_at": at(minutes),
        "affected_components": list(effects) or None,
        "deliver_notifications": True,
        "custom_tweet": None,
        "tweet_id": None,
    }


def published(**changes: Any) -> Row:
    """An incident as the public JSON has it, its updates newest first."""
    down = effect("ssssssssssss", "Shop - Search", "operational", "major_outage")
    up = effect("ssssssssssss", "Shop - Search", "major_outage", "operational")
    return {
        "id": "iiiiiiiiiiii",
        "name": "Search is down",
        "status": "resolved",
        "created_at": at(0),
        "updated_at": at(60),
        "monitoring_at": None,
        "resolved_at": at(60),
        "impact": "critical",
        "shortlink": "https://stspg.io/x",
        "started_at": at(-5),
        "page_id": PAGE["id"],
        "incident_updates": [
            posted("uuuuuuuuuuu2", "resolved", 60, "It is over.", up),
            posted("uuuuuuuuuuu1", "investigating", 0, "We look into it.", down),
        ],
        "components": [part("ssssssssssss", "Search")],
        **changes,
    }


def summary(
    incidents: Sequence[Row] = (), *, maintenances: Sequence[Row] = (), parts: Sequence[Row] = ()
) -> Row:
    shown = parts or (
        part("gggggggggggg", "Shop", group=True, components=["ssssssssssss"]),
        part("ssssssssssss", "Search", group_id="gggggggggggg", position=2, description="Finds it"),
        part("aaaaaaaaaaaa", "API", position=3),
    )
    return {
        "page": PAGE,
        "components": list(shown),
        "incidents": list(incidents),
        "scheduled_maintenances": list(maintenances),
        "status": {"indicator": "none", "description": "All Systems Operational"},
    }


FEED = """<?xml version="1.0" encoding="UTF-8"?>
<feed xmlns="http://www.w3.org/2005/Atom"><id>tag:status.example.org,2005:/history</id>
<entry><id>tag:status.example.org,2005:Incident/99</id>
<link rel="alternate" type="text/html" href="https://status.example.org/incidents/iiiiiiiiiiii"/>
</entry></feed>"""


def documents(tmp_path: Path, *contents: Row | str) -> list[statuspage_page.FetchedDocument]:
    paths = []
    for number, content in enumerate(contents):
        path = tmp_path / f"{number}"
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        paths.append(path)
    return statuspage_page.read_documents(paths)


def move(tmp_path: Path, *contents: Row | str) -> IncidentImportReport:
    return statuspage_page.import_page(documents(tmp_path, *contents), actor=ACTOR)


def test_a_page_moves_with_codes_groups_times_and_entry_ids(
    session: Session, tmp_path: Path
) -> None:
    with writing() as session:
        make_page(session)
    report = move(tmp_path, summary(), {"page": PAGE, "incidents": [published()]}, FEED)

    incident = the_incident(session)
    search = session.scalars(select(Component).filter_by(code="ssssssssssss")).one()
    assert counts(report) == (1, 0, 0, 2)
    assert (search.name, search.description, search.position) == ("Search", "Finds it", 2)
    assert search.group is not None
    assert (search.group.code, search.group.name) == ("gggggggggggg", "Shop")
    assert (incident.code, incident.started_at) == ("iiiiiiiiiiii", moment(-5))
    assert incident.entry_id == "tag:status.example.org,2005:Incident/99"
    assert [(u.code, u.status, u.happened_at) for u in incident.updates] == [
        ("uuuuuuuuuuu1", "investigating", moment(0)),
        ("uuuuuuuuuuu2", "resolved", moment(60)),
    ]
    assert incident.updates[0].affected == [
        effect("ssssssssssss", "Shop - Search", "operational", "major_outage")
    ]
    assert log_of(session, "Search") == [
        (datetime(2020, 1, 1, tzinfo=UTC), ComponentStatus.OPERATIONAL),
        (moment(0), ComponentStatus.MAJOR_OUTAGE),
        (moment(60), ComponentStatus.OPERATIONAL),
    ]


def test_moving_again_changes_nothing(session: Session, tmp_path: Path) -> None:
    content = summary([published()])
    move(tmp_path, content, FEED)
    before = everything(session)

    assert counts(move(tmp_path, content, FEED)) == (0, 0, 1, 0)
    assert everything(session) == before
    assert session.scalars(select(Delivery)).all() == []


def test_the_page_takes_the_code_that_it_had(session: Session, tmp_path: Path) -> None:
    with writing() as session:
        page = make_page(session)
    move(tmp_path, summary())

    session.refresh(page)
    assert page.code == "pgpgpgpgpgpg"


def test_a_page_that_was_not_set_up_needs_no_first_steps(session: Session, tmp_path: Path) -> None:
    with writing() as session:
        page = make_page(session, name="Status", set_up_at=None)
    denver = {**summary(), "page": {**PAGE, "name": "Acme & Sons", "time_zone": "America/Denver"}}
    move(tmp_path, denver)

    session.refresh(page)
    assert (page.name, page.time_zone, page.sign_off) == (
        "Acme & Sons", "America/Denver", "The Acme & Sons team",
    )  # fmt: skip
    assert page.set_up_at is not None
    # From then on it is the admin's.
    move(tmp_path, summary())
    session.refresh(page)
    assert (page.name, page.time_zone) == ("Acme & Sons", "America/Denver")


def test_when_a_incident_was_made_and_an_update_corrected_is_kept(
    session: Session, tmp_path: Path
) -> None:
    row = published(created_at=at(-1))
    row["incident_updates"][1]["updated_at"] = at(30)
    move(tmp_path, summary([row]))
    incident = the_incident(session)
    assert incident.created_at == moment(-1)
    assert [update.edited_at for update in incident.updates] == [moment(30), None]

    before = everything(session)
    assert counts(move(tmp_path, summary([row]))) == (0, 0, 1, 0)
    assert everything(session) == before
    row["incident_updates"][1] |= {"updated_at": at(45), "body": "Somebody looks into it."}
    assert counts(move(tmp_path, summary([row]))) == (0, 1, 0, 0)
    session.expire_all()
    assert the_incident(session).updates[0].edited_at == moment(45)


def test_a_component_shows_what_the_summary_says_even_where_no_incident_does(
    session: Session, tmp_path: Path
) -> None:
    move(tmp_path, summary(parts=[part("aaaaaaaaaaaa", "API", status="partial_outage")]))

    assert session.scalars(select(Component.status)).one() is ComponentStatus.PARTIAL_OUTAGE
    assert log_of(session, "API")[-1][1] is ComponentStatus.PARTIAL_OUTAGE


def test_a_component_made_here_before_becomes_the_one_of_its_name(
    session: Session, tmp_path: Path
) -> None:
    take(lines(history_row()))
    report = move(tmp_path, summary())

    search = session.scalars(select(Component).filter_by(name="Search")).one()
    assert report.components_added == 1
    assert search.code == "ssssssssssss"
    assert {e["code"] for u in the_incident(session).updates for e in u.affected} == {search.code}


def test_a_component_that_is_gone_stays_for_the_history_that_names_it(
    session: Session, tmp_path: Path
) -> None:
    move(tmp_path, summary([published()], parts=[part("aaaaaaaaaaaa", "API")]))

    gone = session.scalars(select(Component).filter_by(code="ssssssssssss")).one()
    assert (gone.name, gone.removed_at is not None) == ("Shop - Search", True)


def test_a_history_and_the_page_that_published_it_make_one_incident(
    session: Session, tmp_path: Path
) -> None:
    posts = said((0, "Investigating", "We look into it."), (60, "Resolved", "It is over."))
    take(lines(history_row("iiiiiiiiiiii", updates=posts)))
    before = {update.entry_id for update in the_incident(session).updates}
    report = move(tmp_path, summary([published()]))

    assert counts(report) == (0, 1, 0, 1)
    assert {update.entry_id for update in the_incident(session).updates} == before


def test_a_maintenance_to_come_moves_with_its_window(session: Session, tmp_path: Path) -> None:
    planned = published(
        status="scheduled", impact="maintenance", resolved_at=None,
        scheduled_for="2026-04-01T10:00:00.000Z", scheduled_until="2026-04-01T12:00:00.000Z",
        incident_updates=[posted("uuuuuuuuuuu1", "scheduled", 0, "We will upgrade it.")],
    )  # fmt: skip
    move(tmp_path, summary(maintenances=[planned]))

    maintenance = the_incident(session)
    assert (maintenance.kind, maintenance.status) == (
        Kind.MAINTENANCE,
        MaintenanceStatus.SCHEDULED,
    )
    assert maintenance.begins_at == datetime(2026, 4, 1, 10, 0, tzinfo=UTC)
    assert maintenance.scheduled_until == datetime(2026, 4, 1, 12, 0, tzinfo=UTC)


def test_of_two_documents_the_newer_word_on_a_incident_counts(
    session: Session, tmp_path: Path
) -> None:
    older = {"page": PAGE, "incidents": [published(name="Old", updated_at=at(50))]}
    move(tmp_path, summary([published(name="New")]), older)

    assert the_incident(session).title == "New"


@pytest.mark.parametrize(
    ("contents", "reason"),
    [
        (
            ['{"page": {"id": "x'],
            "0: this is not JSON, line 1 column 17: Unterminated string; the file is cut there",
        ),
        (["[]"], "0: this is no public document of a Statuspage page: it names no page"),
        (["<feed"], "0: this is not XML: unclosed token: line 1, column 0"),
        (["<!DOCTYPE x><feed/>"], "0: this is no feed: it declares a document type"),
        ([FEED], "documents: none of them is a Statuspage page's JSON"),
        (
            [summary(), {"page": {**PAGE, "id": "other"}}],
            "1: this is another page, other, than the documents before it, pgpgpgpgpgpg",
        ),
        (
            [summary([published(id=" ")])],
            "0, incident  : it has no id: ' '",
        ),
        (
            [summary([published(incident_updates=[])])],
            "0, incident iiiiiiiiiiii: it has no updates",
        ),
        (
            [summary(parts=[part("aaaaaaaaaaaa", "API", status="fine")])],
            "component aaaaaaaaaaaa: component state 'fine' is not known",
        ),
        (
            [summary(parts=[part("aaaaaaaaaaaa", "API", group_id="gggggggggggg")])],
            "component aaaaaaaaaaaa: its group gggggggggggg is not there",
        ),
    ],
)
def test_documents_that_are_wrong_say_where_and_nothing_is_imported(
    session: Session, tmp_path: Path, contents: Sequence[Any], reason: str
) -> None:
    given = documents(tmp_path, *contents)
    with pytest.raises(UnusableHistory) as unusable:
        statuspage_page.import_page(given, actor=ACTOR)

    assert [found.replace(f"{tmp_path}/", "") for found in problems(unusable)] == [reason]
    assert session.scalars(select(Component)).all() == []


def test_what_cannot_be_taken_may_be_left_out_and_is_named(
    session: Session, tmp_path: Path
) -> None:
    parts = [part("aaaaaaaaaaaa", "API", status="fine"), part("bbbbbbbbbbbb", "Web")]
    content = summary([published(), published(id="jjjjjjjjjjjj", name="")], parts=parts)
    report = statuspage_page.import_page(documents(tmp_path, content), actor=ACTOR, skip_bad=True)

    assert [str(problem).partition(", ")[2] or str(problem) for problem in report.skipped] == [
        "incident jjjjjjjjjjjj: it has no title",
        "component aaaaaaaaaaaa: component state 'fine' is not known",
    ]
    assert the_incident(session).code == "iiiiiiiiiiii"
    listed = select(Component.name).where(Component.removed_at.is_(None))
    assert session.scalars(listed).all() == ["Web"]


@pytest.mark.parametrize(
    ("odd", "reason"),
    [
        # Statuspage wrote this for years.
        (
            [{"name": "No components were affected by this update."}],
            "component state None is not known",
        ),
        ([effect("", "Search", "operational", "major_outage")], "a component has no id: ''"),
        (
            [effect("ssssssssssss", "Search", "operational", "full_outage")],
            "component state 'full_outage' is not known",
        ),
        (["Search"], "'Search' is no component"),
        ({"name": "Search"}, "component state None is not known"),
    ],
    ids=["placeholder", "no code", "unknown state", "a name", "no list"],
)
def test_what_an_update_says_of_no_known_component_costs_nothing_else(
    session: Session, tmp_path: Path, odd: Any, reason: str
) -> None:
    row = published()
    row["incident_updates"][0]["affected_components"] = odd
    report = move(tmp_path, summary([row]))

    assert [note.reason for note in report.notes] == [
        f"update uuuuuuuuuuu2 says nothing of a component: {reason}"
    ]
    assert the_incident(session).updates[1].affected == []
    assert log_of(session, "Search")[-1] == (moment(60), ComponentStatus.OPERATIONAL)


def test_a_page_that_only_speaks_the_same_json_comes_in_with_codes_of_its_own(
    session: Session, tmp_path: Path
) -> None:
    page = {**PAGE, "id": "01G73SQ2W1V5TYQ60B36WP5WTK"}
    row = published(
        id="01HX5W0GZ8T3Q4N6Y7V1M2K9PA", started_at=None, created_at=None, impact="minor",
        incident_updates=[
            posted("01HX5W0GZ8T3Q4N6Y7V1M2K9PC", "resolved", 60, "It is over."),
            posted("01HX5W0GZ8T3Q4N6Y7V1M2K9PB", "investigating", 0, "We look into it."),
        ],
        components=[part("01HX5W0GZ8T3Q4N6Y7V1M2K9PD", "API")],
    )  # fmt: skip
    bare = published(id=7, components=None, incident_updates=[posted("8", "resolved", 60, "Over.")])
    parts = [
        part("01HX5W0GZ8T3Q4N6Y7V1M2K9PE", "Core", group=True),
        part("01HX5W0GZ8T3Q4N6Y7V1M2K9PD", "API", group_id="01HX5W0GZ8T3Q4N6Y7V1M2K9PE"),
    ]
    feed = FEED.replace("iiiiiiiiiiii", "01HX5W0GZ8T3Q4N6Y7V1M2K9PA")
    content = {**summary([row, bare], parts=parts), "page": page, "scheduled_maintenances": None}
    report = move(tmp_path, content, feed)
    before = everything(session)

    assert (counts(report), report.notes) == ((2, 0, 0, 1), ())
    incident = session.scalars(select(Incident).where(Incident.impact == Impact.MINOR)).one()
    assert (incident.origin_id, len(incident.code)) == ("01HX5W0GZ8T3Q4N6Y7V1M2K9PA", 12)
    assert (incident.started_at, incident.resolved_at) == (moment(0), moment(60))
    assert incident.entry_id == "tag:status.example.org,2005:Incident/99"
    api = session.scalars(select(Component)).one()
    assert (api.name, api.group and api.group.name) == ("API", "Core")
    assert [status for _, status in log_of(session, "API")][1:] == [
        ComponentStatus.DEGRADED_PERFORMANCE,
        ComponentStatus.OPERATIONAL,
    ]
    assert counts(move(tmp_path, content, feed)) == (0, 0, 2, 0)
    assert everything(session) == before


# --- how an incident of somebody else ends, whichever way it comes in
# --------------------------------


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


def test_a_folder_is_read_by_the_usual_names(tmp_path: Path) -> None:
    (tmp_path / "summary.json").write_text("{}")
    (tmp_path / "history.atom").write_text("<feed/>")
    (tmp_path / "notes.txt").write_text("no document")

    read = statuspage_page.read_documents([tmp_path])
    assert [Path(document.name).name for document in read] == ["summary.json", "history.atom"]


def test_a_folder_without_documents_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnusableHistory, match=r"holds none of summary\.json"):
        statuspage_page.read_documents([tmp_path])


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnusableHistory, match=r"nothing\.json: cannot be read: No such file"):
        statuspage_page.read_documents([tmp_path / "nothing.json"])


@pytest.fixture
def elsewhere() -> Any:
    """A page served over HTTP, by path."""
    served: dict[str, bytes] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = served.get(self.path)
            self.send_response(200 if body is not None else 404)
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, *_args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", served
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_page_is_fetched_from_its_address(
    session: Session, elsewhere: tuple[str, dict[str, bytes]]
) -> None:
    url, served = elsewhere
    bare: Mapping[str, Any] = {"page": PAGE, "incidents": [], "scheduled_maintenances": []}
    served["/api/v2/summary.json"] = json.dumps(summary([published()])).encode()
    served["/api/v2/incidents.json"] = json.dumps(bare).encode()
    served["/api/v2/scheduled-maintenances.json"] = json.dumps(bare).encode()
    served["/history.atom"] = FEED.encode()
    statuspage_page.import_page(statuspage_page.fetch_documents(url + "/"), actor=ACTOR)

    assert the_incident(session).entry_id == "tag:status.example.org,2005:Incident/99"


def test_an_address_that_does_not_answer_is_named(
    elsewhere: tuple[str, dict[str, bytes]],
) -> None:
    url, _ = elsewhere
    with pytest.raises(UnusableHistory, match=r"summary\.json: cannot be fetched: Not Found"):
        statuspage_page.fetch_documents(url)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{}", "IncompleteRead.*97 more expected"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n63\r\n{}", "IncompleteRead"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "SSH-2.0-OpenSSH_9.2"),
        (b"", "closed connection"),
        (b"HTTP/1.1 200 OK\r\n\r\n" + b" " * 1100, "is larger than 1,000 bytes"),
    ],
    ids=["cut", "cut between chunks", "no HTTP", "nothing", "too much"],
)
def test_an_answer_that_is_cut_or_none_is_named(
    answer: bytes, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moving, "MOST_BYTES", 1000)
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            visitor, _ = server.accept()
            with visitor:
                visitor.recv(65536)
                visitor.sendall(answer)

        thread = Thread(target=serve)
        thread.start()
        with pytest.raises(UnusableHistory, match=reason):
            statuspage_page.fetch_documents(f"http://127.0.0.1:{server.getsockname()[1]}")
        thread.join()


def test_a_server_that_trickles_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    class Trickle:
        length = None

        def __enter__(self) -> Trickle:
            return self

        def __exit__(self, *_: object) -> None: ...

        def read1(self, _: int) -> bytes:
            seconds[0] += 1
            return b" "

    seconds = [0.0]
    monkeypatch.setattr(moving.time, "monotonic", lambda: seconds[0])
    monkeypatch.setattr(moving, "urlopen", lambda *_, **__: Trickle())
    with pytest.raises(UnusableHistory, match="it took longer than 20 seconds"):
        statuspage_page.fetch_documents("https://status.example.org")
    assert seconds[0] == 21


@pytest.mark.parametrize("url", ["http://status.example.org:port/", "http://a b/", "https://[x/"])
def test_an_address_that_is_none_is_named(url: str) -> None:
    with pytest.raises(UnusableHistory):
        statuspage_page.fetch_documents(url)


def test_only_web_addresses_are_fetched() -> None:
    with pytest.raises(UnusableHistory, match=r"file:///etc/hosts: is no http or https address"):
        statuspage_page.fetch_documents("file:///etc/hosts")


def test_an_imported_incident_can_be_continued_here(session: Session) -> None:
    with writing() as session:
        make_page(session)
    take(lines(history_row()))
    post = inputs.NewUpdate(status=IncidentStatus.INVESTIGATING, users_notice="It is slow again.")
    lifecycle.reopen("aaaaaaaaaaaa", post, Submission(ACTOR, "sheet"))

    assert the_incident(session).is_open
    assert counts(take(lines(history_row()))) == (0, 0, 1, 0)
    assert the_incident(session).is_open


# --- in steps ------------------------------------------------------------------------------------

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
