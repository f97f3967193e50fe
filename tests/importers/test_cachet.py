"""A page of Cachet 3, from a database with the columns that its migrations make."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from flask.testing import FlaskCliRunner
from sqlalchemy import select
from sqlalchemy.orm import Session

from statuspage.core.db import writing
from statuspage.importers.cachet import read_cachet
from statuspage.importers.published import UnusableHistory
from statuspage.models import Component, Incident, IncidentUpdate, Subscriber
from tests.factories import make_page

ADDRESS = "https://status.example.com"
SCHEMA = """
CREATE TABLE component_groups (
    id INTEGER PRIMARY KEY, name TEXT, "order" INTEGER, visible INTEGER, collapsed INTEGER,
    created_at TEXT, updated_at TEXT);
CREATE TABLE components (
    id INTEGER PRIMARY KEY, name TEXT, description TEXT, link TEXT, status INTEGER,
    "order" INTEGER, component_group_id INTEGER, enabled INTEGER, created_at TEXT,
    updated_at TEXT, deleted_at TEXT);
CREATE TABLE incidents (
    id INTEGER PRIMARY KEY, guid TEXT, component_id INTEGER, name TEXT, status INTEGER,
    visible INTEGER, stickied INTEGER, message TEXT, occurred_at TEXT, created_at TEXT,
    updated_at TEXT, deleted_at TEXT, published_at TEXT);
CREATE TABLE incident_components (
    id INTEGER PRIMARY KEY, incident_id INTEGER, component_id INTEGER, component_status INTEGER);
CREATE TABLE updates (
    id INTEGER PRIMARY KEY, updateable_type TEXT, updateable_id INTEGER, status INTEGER,
    message TEXT, user_id INTEGER, created_at TEXT, updated_at TEXT);
CREATE TABLE schedules (
    id INTEGER PRIMARY KEY, name TEXT, message TEXT, scheduled_at TEXT, completed_at TEXT,
    created_at TEXT, updated_at TEXT, deleted_at TEXT);
CREATE TABLE schedule_components (
    id INTEGER PRIMARY KEY, schedule_id INTEGER, component_id INTEGER, component_status INTEGER);
CREATE TABLE subscribers (
    id INTEGER PRIMARY KEY, email TEXT, email_verified_at TEXT, phone_number TEXT,
    "global" INTEGER, created_at TEXT, updated_at TEXT);
CREATE TABLE subscriptions (id INTEGER PRIMARY KEY, subscriber_id INTEGER, component_id INTEGER);
CREATE TABLE incident_templates (
    id INTEGER PRIMARY KEY, name TEXT, slug TEXT, template TEXT, engine TEXT, created_at TEXT,
    updated_at TEXT, deleted_at TEXT);
"""
ROWS = """
INSERT INTO component_groups VALUES
    (1, 'Shop', 1, 1, 0, '2025-01-01 00:00:00', NULL),
    (2, 'Machines', 2, 0, 0, '2025-01-01 00:00:00', NULL);
INSERT INTO components VALUES
    (1, 'Checkout', 'Paying', NULL, 1, 2, 1, 1, '2025-01-01 00:00:00', NULL, NULL),
    (2, 'Search', '', NULL, 3, 1, 1, 1, '2025-01-01 00:00:00', NULL, NULL),
    (3, 'Old', '', NULL, 1, 3, 0, 0, '2025-01-01 00:00:00', NULL, NULL),
    (4, 'db-17', '', NULL, 4, 4, 2, 1, '2025-01-01 00:00:00', NULL, NULL);
INSERT INTO incidents VALUES
    (1, '0d9f7a3e-0000-4000-8000-000000000001', 1, 'Payments fail', 4, 1, 0, 'We look into it.',
     '2025-02-01 10:00:00', '2025-02-01 10:05:00', '2025-02-01 12:00:00', NULL, NULL),
    (2, '0d9f7a3e-0000-4000-8000-000000000002', 2, 'Slow search', 1, 1, 0, 'Searching is slow.',
     '2025-02-02 10:00:00', '2025-02-02 10:00:00', '2025-02-02 10:00:00', NULL, NULL),
    (3, '0d9f7a3e-0000-4000-8000-000000000003', 0, 'Between us', 4, 0, 0, 'Not for guests.',
     '2025-02-03 10:00:00', '2025-02-03 10:00:00', '2025-02-03 10:00:00', NULL, NULL);
INSERT INTO incident_components VALUES (1, 1, 1, 4), (2, 2, 2, 3), (3, 2, 4, 4);
INSERT INTO updates VALUES
    (1, 'incident', 1, 2, 'A payment provider is down.', 1, '2025-02-01 10:30:00', NULL),
    (2, 'incident', 1, 4, 'Payments work again.', 1, '2025-02-01 12:00:00', NULL);
INSERT INTO schedules VALUES
    (1, 'Database move', 'We move it.', '2025-03-01 02:00:00', '2025-03-01 03:00:00',
     '2025-02-20 09:00:00', NULL, NULL);
INSERT INTO schedule_components VALUES (1, 1, 1, 6), (2, 1, 4, 6);
INSERT INTO subscribers VALUES
    (1, 'ana@example.com', '2025-01-05 08:00:00', NULL, 1, '2025-01-05 07:00:00', NULL),
    (2, 'bo@example.com', '2025-01-06 08:00:00', NULL, 0, '2025-01-06 07:00:00', NULL),
    (3, 'cy@example.com', NULL, NULL, 1, '2025-01-07 07:00:00', NULL),
    (4, 'di@example.com', '2025-01-08 08:00:00', NULL, 0, '2025-01-08 07:00:00', NULL);
INSERT INTO subscriptions VALUES (1, 2, 2), (2, 4, 4);
INSERT INTO incident_templates VALUES
    (1, 'Search', 'search', 'Searching is slow.', 'twig', NULL, NULL, NULL),
    (2, 'Named', 'named', '{{ incident.name }} is slow.', 'twig', NULL, NULL, NULL),
    (3, 'Old', 'old', 'Gone.', 'twig', NULL, NULL, '2025-01-01 00:00:00');
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    target = tmp_path / "database.sqlite"
    with closing(sqlite3.connect(target)) as database, database:
        database.executescript(SCHEMA + ROWS)
    return target


def test_a_page_of_cachet_moves_and_moves_again_without_doubling(
    file: Path, runner: FlaskCliRunner, session: Session
) -> None:
    with writing() as writes:
        make_page(writes)
    command = ["import-cachet", str(file), "--address", ADDRESS]
    runs = [runner.invoke(args=[*command, *options]) for options in (["--preview"], [], [])]
    assert [run.stdout.splitlines() for run in runs] == [
        [
            "Incidents: would be: 3 added, 0 updated, 0 unchanged, 0 left out. "
            "Components: 2 added.",
            "Subscribers: would be: 2 added, 0 updated, 0 unchanged, 0 refused.",
            "Templates: would be: 1 added, 0 unchanged.",
        ],
        [
            "Incidents: 3 added, 0 updated, 0 unchanged, 0 left out. Components: 2 added.",
            "Subscribers: 2 added, 0 updated, 0 unchanged, 0 refused.",
            "Templates: 1 added, 0 unchanged.",
        ],
        [
            "Incidents: 0 added, 0 updated, 3 unchanged, 0 left out. Components: 0 added.",
            "Subscribers: 0 added, 0 updated, 2 unchanged, 0 refused.",
            "Templates: 0 added, 1 unchanged.",
        ],
    ]  # fmt: skip
    assert [line for line in runs[1].stderr.splitlines() if "left out" in line] == [
        f"{file}: group 2: 'Machines' is not public there: left out",
        f"{file}: component 3: 'Old' is disabled there: left out",
        f"{file}: component 4: 'db-17' is not public there: left out",
        f"{file}: incident 3: 'Between us' is not public there: left out",
        f"{file}: subscriber 3: has no email address that was verified: left out",
        f"{file}: subscriber 4: chose no component that comes along: left out",
        f"{file}: template 'Named': has placeholders of Cachet: left out",
    ]
    session.rollback()
    incidents = session.scalars(select(Incident).order_by(Incident.started_at)).all()
    assert [(one.title, one.kind, one.impact, one.status) for one in incidents] == [
        ("Payments fail", "incident", "critical", "resolved"),
        ("Slow search", "incident", "major", incidents[1].status),
        ("Database move", "maintenance", "maintenance", "completed"),
    ]
    updates = session.scalars(
        select(IncidentUpdate).filter_by(incident_id=incidents[0].id).order_by(IncidentUpdate.id)
    ).all()
    assert [(one.status, one.body, one.affected[0]["new_status"]) for one in updates] == [
        ("investigating", "We look into it.", "major_outage"),
        ("identified", "A payment provider is down.", "major_outage"),
        ("resolved", "Payments work again.", "operational"),
    ]
    search = session.scalars(select(Component).filter_by(name="Search")).one()
    assert (search.status, search.position, search.group and search.group.name) == (
        "partial_outage", 1, "Shop",
    )  # fmt: skip
    bo = session.scalars(select(Subscriber).filter_by(address="bo@example.com")).one()
    assert [link.component_id for link in bo.components] == [search.id]


@pytest.mark.only_on("sqlite")
def test_the_database_of_something_else_is_named(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("This is a long enough text that is no database at all. " * 9)
    with pytest.raises(UnusableHistory, match="cannot be read as a database of Cachet 3"):
        read_cachet(tmp_path / "text", address=ADDRESS)
    with closing(sqlite3.connect(tmp_path / "other.db")) as database, database:
        database.execute("CREATE TABLE components (id INTEGER)")
    with pytest.raises(UnusableHistory, match="it has no table component_groups"):
        read_cachet(tmp_path / "other.db", address=ADDRESS)
