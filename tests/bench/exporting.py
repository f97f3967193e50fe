"""What it costs to keep the public site as static files: once whole, and then after each post."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from flask import Flask
from sqlalchemy.orm import Session

from statuspage.core import clock
from statuspage.core.config import load_settings
from statuspage.core.db import db, writing
from statuspage.core.enums import ComponentStatus
from statuspage.core.links import current_links
from statuspage.models import Component, Incident, IncidentUpdate
from statuspage.models.revision import bump
from statuspage.public.edition_builder import build_edition
from statuspage.public.export import sync, targets
from statuspage.runtime.application import create_app
from tests.bench import site
from tests.bench.delivery import Places
from tests.bench.figures import Figure

INCIDENTS = 10_000


def exporting(places: Places) -> Iterator[Figure]:
    """A folder with 10,000 incidents: written, found unchanged, and kept current."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        app = _app(places.url("sqlite", folder), folder / "data")
        with app.app_context():
            with writing() as session:
                site.fill(session, INCIDENTS)
                bump(session)
            yield from _measure(folder / "site")
            db.engine.dispose()


def _measure(folder: Path) -> Iterator[Figure]:
    target = targets.open_target(str(folder))
    copy = sync.SiteCopy(target, db.engine, current_links())
    first = _seconds(lambda: _finish(copy))
    yield Figure(f"{INCIDENTS:,} incidents exported, first time", first, "s")
    yield Figure("  documents", copy.report.documents)
    yield Figure("  files", copy.report.written)
    size = sum(path.stat().st_blocks * 512 for path in folder.rglob("*"))
    yield Figure("  on the disk", size / 1e6, "MB")
    for what, act in (
        ("a post on the newest incident", _post_on_newest),
        ("a correction of the oldest incident", _correct_oldest),
        ("a component that fails", _fail_component),
    ):
        with writing() as session:
            act(session)
            bump(session)
        before = copy.report.written
        page = _seconds(lambda: copy.take(build_edition(db.engine, current_links())))
        news = page + _seconds(lambda: _announce(copy))
        yield Figure(f"{what}: page, JSON and feeds there after", page * 1000, "ms", at_most=1000)
        yield Figure("  all that tells of it", news * 1000, "ms")
        rest = _seconds(lambda: _finish(copy))
        yield Figure("  files written", copy.report.written - before)
        yield Figure("  the rest, in the background, at full speed", rest, "s")


def _announce(copy: sync.SiteCopy) -> None:
    """All that is news."""
    copy.take(build_edition(db.engine, current_links()))
    copy.survey()
    while copy.is_urgent:
        copy.step()


def _finish(copy: sync.SiteCopy) -> None:
    _announce(copy)
    while copy.waits:
        copy.step()


def _post_on_newest(session: Session) -> None:
    incident = session.query(Incident).order_by(Incident.begins_at.desc()).first()
    assert incident is not None
    moment = clock.now()
    session.add(
        IncidentUpdate(
            incident_id=incident.id, code="newpost00000", status=incident.status, body="More.",
            happened_at=moment, posted_at=moment, affected=[], entry_id="tag:bench:new",
        )
    )  # fmt: skip


def _correct_oldest(session: Session) -> None:
    update = session.query(IncidentUpdate).order_by(IncidentUpdate.posted_at).first()
    assert update is not None
    update.body, update.edited_at = "Put right.", clock.now()


def _fail_component(session: Session) -> None:
    component = session.query(Component).first()
    assert component is not None
    component.status, component.updated_at = ComponentStatus.MAJOR_OUTAGE, clock.now()


def _seconds(act: Callable[[], object]) -> float:
    start = time.perf_counter()
    act()
    return time.perf_counter() - start


def _app(database_url: str, data_dir: Path) -> Flask:
    return create_app(
        load_settings(
            {
                "DATABASE_URL": database_url,
                "DATA_DIR": str(data_dir),
                "PUBLIC_URL": "http://127.0.0.1",
                "SECRET_KEY": "a key for benches, never for anything else",
            }
        )
    )
