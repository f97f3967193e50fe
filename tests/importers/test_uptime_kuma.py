"""A status page of Uptime Kuma, from a database with the columns that its migrations make."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask.testing import FlaskCliRunner
from sqlalchemy import select
from sqlalchemy.orm import Session

from statuspage.core.db import writing
from statuspage.importers.published import UnusableHistory
from statuspage.importers.uptime_kuma import read_uptime_kuma
from statuspage.models import Component, Incident
from tests.factories import make_page

ADDRESS = "https://status.example.com"
SCHEMA = """
CREATE TABLE status_page (id INTEGER PRIMARY KEY, slug TEXT, title TEXT, published INTEGER);
CREATE TABLE "group" (
    id INTEGER PRIMARY KEY, name TEXT, created_date TEXT, public INTEGER, active INTEGER,
    weight INTEGER, status_page_id INTEGER);
CREATE TABLE monitor (
    id INTEGER PRIMARY KEY, name TEXT, description TEXT, active INTEGER, created_date TEXT);
CREATE TABLE monitor_group (
    id INTEGER PRIMARY KEY, monitor_id INTEGER, group_id INTEGER, weight INTEGER);
CREATE TABLE heartbeat (
    id INTEGER PRIMARY KEY, important INTEGER, monitor_id INTEGER, status INTEGER, time TEXT);
CREATE TABLE incident (
    id INTEGER PRIMARY KEY, title TEXT, content TEXT, style TEXT, created_date TEXT,
    last_updated_date TEXT, pin INTEGER, active INTEGER, status_page_id INTEGER);
CREATE TABLE maintenance (
    id INTEGER PRIMARY KEY, title TEXT, description TEXT, active INTEGER, strategy TEXT,
    start_date TEXT, end_date TEXT, timezone TEXT);
CREATE TABLE maintenance_status_page (
    id INTEGER PRIMARY KEY, status_page_id INTEGER, maintenance_id INTEGER);
CREATE TABLE monitor_maintenance (
    id INTEGER PRIMARY KEY, monitor_id INTEGER, maintenance_id INTEGER);
CREATE TABLE setting (id INTEGER PRIMARY KEY, key TEXT, value TEXT, type TEXT);
"""
ROWS = """
INSERT INTO status_page VALUES (1, 'shop', 'ShopStack', 1), (2, 'team', 'The team', 1);
INSERT INTO "group" VALUES
    (1, 'Shop', '2025-01-01 00:00:00', 1, 1, 2, 1), (2, 'Core', '2025-01-01 00:00:00', 1, 1, 1, 1),
    (3, 'Team', '2025-01-01 00:00:00', 1, 1, 1, 2);
INSERT INTO monitor VALUES
    (1, 'Checkout', 'Paying', 1, '2025-01-01 00:00:00'),
    (2, 'Database', NULL, 1, '2025-01-01 00:00:00'),
    (3, 'Wiki', NULL, 1, '2025-01-01 00:00:00');
INSERT INTO monitor_group VALUES (1, 1, 1, 1), (2, 2, 2, 1), (3, 3, 3, 1);
INSERT INTO heartbeat VALUES
    (1, 1, 1, 0, '2025-05-01 10:00:00'), (2, 1, 1, 1, '2025-05-01 11:00:00'),
    (3, 1, 2, 0, '2025-05-02 10:00:00');
INSERT INTO incident VALUES
    (1, 'Payments fail', 'We look into it.', 'danger', '2025-02-01 10:00:00',
     '2025-02-01 12:00:00', 0, 0, 1),
    (2, 'For the team', 'Wiki is down.', 'info', '2025-02-01 10:00:00', NULL, 1, 1, 2);
INSERT INTO maintenance VALUES
    (1, 'Database move', 'We move it.', 1, 'single', '2025-03-01 02:00:00', '2025-03-01 03:00:00',
     'Europe/Berlin'),
    (2, 'Every week', 'Updates.', 1, 'recurring-weekday', NULL, NULL, NULL);
INSERT INTO maintenance_status_page VALUES (1, 1, 1), (2, 1, 2);
INSERT INTO monitor_maintenance VALUES (1, 2, 1);
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    target = tmp_path / "kuma.db"
    with closing(sqlite3.connect(target)) as database, database:
        database.executescript(SCHEMA + ROWS)
    return target


def test_one_page_of_uptime_kuma_moves_and_moves_again_without_doubling(
    file: Path, runner: FlaskCliRunner, session: Session
) -> None:
    with writing() as writes:
        make_page(writes)
    command = ["import-uptime-kuma", str(file), "--address", ADDRESS, "--page", "shop"]
    runs = [runner.invoke(args=[*command, *options]) for options in (["--preview"], [], [])]
    assert [run.stdout for run in runs] == [
        "Incidents: would be: 2 added, 0 updated, 0 unchanged, 0 left out. Components: 2 added.\n",
        "Incidents: 2 added, 0 updated, 0 unchanged, 0 left out. Components: 2 added.\n",
        "Incidents: 0 added, 0 updated, 2 unchanged, 0 left out. Components: 0 added.\n",
    ]
    assert runs[1].stderr.splitlines()[0] == (
        f"{file}: maintenance 2: 'Every week' has no single window; plan it here: left out"
    )
    session.rollback()
    incidents = session.scalars(select(Incident).order_by(Incident.started_at)).all()
    assert [(one.title, one.impact, one.status) for one in incidents] == [
        ("Payments fail", "major", "resolved"),
        ("Database move", "maintenance", "completed"),
    ]
    assert incidents[0].resolved_at == datetime(2025, 2, 1, 12, tzinfo=UTC)
    # Its times are in a zone of its own.
    assert incidents[1].scheduled_for == datetime(2025, 3, 1, 1, tzinfo=UTC)
    found = session.scalars(select(Component).order_by(Component.position)).all()
    assert [(one.name, one.status, one.group and one.group.name) for one in found] == [
        ("Database", "major_outage", "Core"),
        ("Checkout", "operational", "Shop"),
    ]


@pytest.mark.only_on("sqlite")
def test_which_of_several_pages_is_asked(file: Path) -> None:
    with pytest.raises(UnusableHistory, match=r"name one of its status pages .*: shop, team"):
        read_uptime_kuma(file, address=ADDRESS)
