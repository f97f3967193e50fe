"""Published histories and pages as tests write them, and what was imported of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from statuspage.core.enums import (
    ComponentStatus,
)
from statuspage.importers import jsonl, statuspage_page
from statuspage.importers.published import UnusableHistory
from statuspage.importers.store import IncidentImportReport
from statuspage.models import (
    Component,
    ComponentChange,
    ComponentGroup,
    Incident,
    IncidentComponent,
    IncidentUpdate,
    UpdateRevision,
)
from tests.actors import acting

ACTOR = acting("Ada")
START = datetime(2025, 5, 1, 10, 0, tzinfo=UTC)
Row = dict[str, Any]


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
