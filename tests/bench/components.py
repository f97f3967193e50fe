"""What a post costs on a page of very many components, and how soon it is shown."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from flask import Flask

from statuspage.core import clock
from statuspage.core.db import db, writing
from statuspage.core.enums import ComponentStatus
from statuspage.core.links import current_links
from statuspage.models import Component, ComponentChange
from statuspage.models.revision import bump, current_number
from statuspage.public import edition as copies
from statuspage.public.edition import Edition
from statuspage.public.edition_builder import build_edition, complete_edition
from statuspage.public.on_demand_views import make_refresher
from tests.bench.delivery import Places
from tests.bench.figures import Figure
from tests.bench.site import fill, make_app

# How many components, and the seconds of CPU that a post may cost with them.
SIZES = ((300, 0.1), (2_000, 0.3))
POSTS = 7


def posting(places: Places) -> Iterator[Figure]:
    """A component fails or recovers: everything that follows, and how long until it is shown."""
    for count, most in SIZES:
        with TemporaryDirectory() as place:
            folder = Path(place)
            app = make_app(places.url("sqlite", folder), folder / "data")
            with app.app_context():
                with writing() as session:
                    fill(session, 1_000)
                keys = _add(count)
                yield from _figures(app, folder, keys, most)
                db.engine.dispose()


def _figures(app: Flask, folder: Path, keys: list[int], most: float) -> Iterator[Figure]:
    engine, links, what = db.engine, current_links(), f"with {len(keys):,} components"
    edition = build_edition(engine, links)
    spent = []
    for number in range(POSTS + 1):
        _change(keys[number // 2], is_well=number % 2 == 1)
        started = time.process_time()
        edition = build_edition(engine, links, edition)
        list(complete_edition(engine, edition))
        copies.save(edition, folder / "edition")
        spent.append(time.process_time() - started)
    # The first has nothing from before to go by.
    cost = statistics.median(spent[1:])
    yield Figure(f"CPU after a post {what}, copy and all", cost, "s", at_most=most)
    yield Figure("  the page", _kilobytes(edition), "KB", at_most=150)
    refresher = make_refresher(app)
    try:
        refresher.edition()
        waits = []
        for number in range(POSTS):
            _change(keys[number // 2], is_well=number % 2 == 1)
            with engine.connect() as connection:
                posted = current_number(connection)
            started = time.perf_counter()
            while refresher.revision != posted:
                time.sleep(0.002)
            waits.append(time.perf_counter() - started)
    finally:
        refresher.stop()
    yield Figure("  post committed → shown, slowest of seven", max(waits), "s", at_most=1)


def _kilobytes(edition: Edition) -> float:
    return len(edition.documents["/"].body) / 1_000


def _add(count: int) -> list[int]:
    with writing() as session:
        parts = [Component(name=f"Component {n}", position=100 + n) for n in range(count)]
        session.add_all(parts)
        session.flush()
        since = clock.now() - timedelta(days=10)
        session.add_all(
            ComponentChange(component_id=part.id, at=since, status=ComponentStatus.OPERATIONAL)
            for part in parts
        )
        bump(session)
        return [part.id for part in parts]


def _change(key: int, *, is_well: bool) -> None:
    with writing() as session:
        part = session.get_one(Component, key)
        part.status = ComponentStatus.OPERATIONAL if is_well else ComponentStatus.MAJOR_OUTAGE
        part.updated_at = clock.now()
        session.add(ComponentChange(component_id=key, at=part.updated_at, status=part.status))
        bump(session)
