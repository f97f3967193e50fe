"""Hundreds of published incidents, as awkward as real ones: every surface keeps its promises."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import feedparser
import pytest
from flask import Flask
from icalendar import Calendar
from lxml import etree

from statuspage.access.audit import COMMAND_LINE
from statuspage.core.db import db, writing
from statuspage.importers import jsonl
from statuspage.models import Delivery
from statuspage.models.revision import bump
from statuspage.public.edition import Edition
from statuspage.public.edition_builder import build_edition, mark_stale
from tests.bench.site import history_lines
from tests.editions import own_documents
from tests.factories import LINKS, NOON, make_incident, make_page
from tests.guards.test_hostile import NAMES, check_feed, check_page
from tests.public.test_statuspage_shapes import DOCUMENTS, differences

GRAMMAR = etree.RelaxNG(etree.parse(Path(__file__).with_name("atom.rng")))
FEEDS = ("/history.atom", "/history.rss", "/updates.atom", "/updates.rss")

pytestmark = pytest.mark.only_on("sqlite")


def awkward() -> bytes:
    """A history with hostile titles and texts, planned work, and incidents that name nothing."""
    rows = [json.loads(line) for line in history_lines(250).splitlines()]
    nasty = list(NAMES.values())
    for number, row in enumerate(rows):
        if number % 9 == 0:
            row["title"] = nasty[number // 9 % len(nasty)]
            row["updates"][0]["message"] = nasty[number // 9 % len(nasty)] * 40
        if number % 11 == 0:
            row["components"] = []
        if number % 45 == 7:
            start = datetime.fromisoformat(row["started_at"])
            for update in row["updates"]:
                update["status"] = update["status"].replace("Investigating", "Scheduled")
                update["status"] = update["status"].replace("Resolved", "Completed")
            row["impact"] = "maintenance"
            row["scheduled_for"] = (start + timedelta(minutes=5)).isoformat()
            row["scheduled_until"] = (start + timedelta(hours=3)).isoformat()
    return "\n".join(json.dumps(row) for row in rows).encode()


@pytest.fixture
def edition(app: Flask) -> Iterator[Edition]:
    with app.app_context():
        with writing() as session:
            make_page(session, time_zone="America/St_Johns")
        report = jsonl.import_history(awkward(), actor=COMMAND_LINE)
        assert (report.added, report.skipped) == (250, ())
        yield build_edition(db.engine, LINKS)


def ids(edition: Edition, path: str) -> list[str]:
    found = feedparser.parse(edition.documents[path].body)
    assert not found.bozo
    return [entry.id for entry in found.entries]


def test_readers_tools_and_calendars_get_what_they_know(edition: Edition) -> None:
    documents = own_documents(edition)
    for path in ("/history.atom", "/updates.atom"):
        GRAMMAR.assertValid(etree.fromstring(documents[path].body))
    for path in FEEDS:
        check_feed(documents[path].body)
        assert len(set(ids(edition, path))) == len(ids(edition, path)) in {25, 50}
    told = {name: f"/api/v2/{name}.json" for name in DOCUMENTS}
    assert {
        name: list(differences(json.loads(documents[path].body), DOCUMENTS[name], name))
        for name, path in told.items()
        if path in documents
    } == {name: [] for name, path in told.items() if path in documents}
    assert len(json.loads(documents["/api/v2/incidents.json"].body)["incidents"]) == 50
    calendar = documents["/maintenances.ics"].body
    assert len({str(event["uid"]) for event in Calendar.from_ical(calendar).events}) == 6
    assert max(len(line) for line in calendar.split(b"\r\n")) <= 75
    # While the database is away each incident that a list names can still be asked for.
    more = mark_stale(edition, NOON).more
    for kind in ("incidents", "scheduled_maintenances"):
        listed = json.loads(documents[f"/api/v2/{kind.replace('_', '-')}.json"].body)[kind]
        assert {f"/api/v2/incidents/{incident['id']}.json" for incident in listed} <= more.keys()
    pages = [path for path in documents if documents[path].content_type.startswith("text/html")]
    assert len(pages) > 25
    for path in pages:
        check_page(path, documents[path].body.decode())


def test_a_poll_finds_nothing_new_and_one_entry_after_a_post(edition: Edition) -> None:
    again = build_edition(db.engine, LINKS)
    assert {path: again.documents[path] for path in FEEDS} == {
        path: edition.documents[path] for path in FEEDS
    }
    with writing() as session:
        make_incident(session, "One more")
        bump(session)
    after = build_edition(db.engine, LINKS, edition)
    for path in FEEDS:
        assert len(set(ids(after, path)) - set(ids(edition, path))) == 1
    assert db.session.query(Delivery).count() == 0
