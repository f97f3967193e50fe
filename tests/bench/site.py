"""What the public site costs to build, at any length of history, and what the service weighs."""

from __future__ import annotations

import json
import random
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
from flask import Flask
from sqlalchemy import Connection, Engine, event, insert
from sqlalchemy.orm import Session

from statuspage.access.audit import COMMAND_LINE
from statuspage.configuration.severity import install_scheme
from statuspage.core import clock
from statuspage.core.config import load_settings
from statuspage.core.db import db, writing
from statuspage.core.enums import ComponentStatus, Impact, IncidentStatus, Kind, Visibility
from statuspage.core.links import current_links
from statuspage.importers import jsonl
from statuspage.models import (
    Component,
    ComponentChange,
    Incident,
    IncidentComponent,
    IncidentUpdate,
    Page,
)
from statuspage.public.edition_builder import build_edition
from statuspage.recipients.customer_csv import import_customers
from statuspage.runtime.application import create_app
from tests.bench.delivery import Places
from tests.bench.figures import Figure
from tests.service import Service

HISTORIES = (10, 1_000, 100_000)
WORDS = [
    "elevated",
    "errors",
    "for",
    "some",
    "requests",
    "delays",
    "in",
    "processing",
    "of",
    "orders",
    "and",
    "sign",
    "in",
]


def building(places: Places) -> Iterator[Figure]:
    """The edition and pages made on demand, with ever more incidents behind them."""
    costs = {}
    for count in HISTORIES:
        with TemporaryDirectory() as place:
            folder = Path(place)
            app = make_app(places.url("sqlite", folder), folder / "data")
            with app.app_context():
                with writing() as session:
                    codes = fill(session, count)
                costs[count] = _median_ms(partial(build_edition, db.engine, current_links()))
                what = f"edition built at {count:,} incidents"
                yield Figure(what, costs[count], "ms", at_most=200)
            if count == max(HISTORIES):
                yield from _on_demand(app, codes)
            with app.app_context():
                db.engine.dispose()
    yield Figure(
        f"  at {HISTORIES[2]:,} by at {HISTORIES[1]:,} incidents",
        costs[HISTORIES[2]] / costs[HISTORIES[1]],
        "×",
        at_most=1.2,
    )


def importing(places: Places, file: Path | None) -> Iterator[Figure]:
    """800 published incidents imported: a file's, or made here."""
    data = file.read_bytes() if file else history_lines(800)
    with TemporaryDirectory() as name:
        folder = Path(name)
        app = make_app(places.url("sqlite", folder), folder / "data")
        with app.app_context():
            with writing() as session:
                _found(session)
            start = time.perf_counter()
            report = jsonl.import_history(data, actor=COMMAND_LINE)
            took = time.perf_counter() - start
            db.engine.dispose()
    yield Figure(f"{report.added} incidents imported", took, "s", at_most=20)
    yield from _longest_locks(places)


def _longest_locks(places: Places) -> Iterator[Figure]:
    """How long everybody else who writes on SQLite has to wait for an import, at most."""
    history = history_lines(2_000, components=[f"Component {number}" for number in range(200)])
    customers = "email,name\n" + "".join(f"c{n}@example.com,Customer {n}\n" for n in range(30_000))
    imports: dict[str, Callable[[], object]] = {
        "2,000 incidents with 200 components": lambda: jsonl.import_history(
            history, actor=COMMAND_LINE
        ),
        "30,000 customers": lambda: import_customers(customers, actor=COMMAND_LINE),
    }
    with TemporaryDirectory() as name:
        folder = Path(name)
        app = make_app(places.url("sqlite", folder), folder / "data")
        with app.app_context():
            with writing() as session:
                _found(session)
            for what, act in imports.items():
                longest = _longest_transaction(db.engine, act)
                yield Figure(f"longest lock of an import of {what}", longest, "s", at_most=1)
            db.engine.dispose()


def _longest_transaction(engine: Engine, act: Callable[[], object]) -> float:
    """The seconds of the longest transaction that ``act`` commits."""
    began, lengths = [0.0], [0.0]

    def begin(_connection: Connection) -> None:
        began[0] = time.perf_counter()

    def commit(_connection: Connection) -> None:
        lengths.append(time.perf_counter() - began[0])

    event.listen(engine, "begin", begin)
    event.listen(engine, "commit", commit)
    act()
    event.remove(engine, "begin", begin)
    event.remove(engine, "commit", commit)
    return max(lengths)


def at_rest() -> Iterator[Figure]:
    """Resident memory of the whole service with 10,000 incidents, some seconds after a look."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        service = Service(folder)
        try:
            app = make_app(f"sqlite:///{folder / 'data' / 'statuspage.db'}", folder / "data")
            with app.app_context():
                with writing() as session:
                    fill(session, 10_000, found=False)
                db.engine.dispose()
            time.sleep(5)
            processes = psutil.Process(service.pid_of("serve")).parent().children(recursive=True)
            resident = sum(process.memory_full_info().pss for process in processes) / 1e6
        finally:
            service.stop()
    yield Figure("web and worker at rest, 10,000 incidents", resident, "MB", at_most=250)


def fill(session: Session, count: int, *, found: bool = True) -> list[str]:
    """That many resolved incidents; returns their codes.

    Ten in the last fifteen days, which the page shows, and the others, one each three hours,
    before.  So from a thousand on an edition has as much to tell, whatever lies behind it.
    """
    if found:
        _found(session)
    dice = random.Random(count)
    components = [
        Component(name=f"Part {number}", position=number, status=ComponentStatus.OPERATIONAL)
        for number in range(12)
    ]
    session.add_all(components)
    session.flush()
    now = clock.now().replace(microsecond=0)
    codes = [f"b{number:011d}" for number in range(count)]
    for first in range(0, count, 10_000):
        batch = range(first, min(first + 10_000, count))
        starts = {number: now - _age(number) for number in batch}
        session.execute(insert(Incident), [_incident(n, codes[n], starts[n], dice) for n in batch])
        ids = {row.code: row.id for row in session.query(Incident.code, Incident.id)}
        session.execute(
            insert(IncidentComponent),
            [
                {
                    "incident_id": ids[codes[n]],
                    "component_id": dice.choice(components).id,
                    "status": ComponentStatus.OPERATIONAL,
                }
                for n in batch
            ],
        )
        session.execute(
            insert(IncidentUpdate),
            [
                _update(n, place, status, ids[codes[n]], codes[n], starts[n], dice)
                for n in batch
                for place, status in enumerate(("investigating", "identified", "resolved"))
            ],
        )
        session.execute(
            insert(ComponentChange),
            [
                {"component_id": components[n % len(components)].id, "at": moment, "status": status,
                 "incident_id": ids[codes[n]]}
                for n in batch
                for moment, status in (
                    (starts[n], ComponentStatus.PARTIAL_OUTAGE),
                    (starts[n] + timedelta(minutes=40), ComponentStatus.OPERATIONAL),
                )
            ],
        )  # fmt: skip
    return codes


def _age(number: int) -> timedelta:
    return timedelta(days=1.4 * number + 0.1 if number < 10 else 20 + number / 8)


def history_lines(
    count: int, *, components: Sequence[str] = ("Search", "Payments", "API")
) -> bytes:
    """A published history as ``import-incidents`` reads it, made up, with awkward
    incidents in it.
    """
    dice = random.Random(count)
    moment = datetime(2012, 3, 1, tzinfo=UTC)
    lines = []
    for number in range(count):
        moment += timedelta(hours=dice.uniform(10, 60))
        statuses = ["Investigating", *["Update"] * dice.randint(0, 9), "Resolved"]
        updates = [
            {
                "at": (moment + timedelta(minutes=20 * place)).isoformat(),
                "status": status,
                "message": " ".join(dice.choices(WORDS, k=dice.choice((3, 25, 200)))) + " <b>&",
            }
            for place, status in enumerate(statuses)
        ]
        if number % 50 == 0:
            dice.shuffle(updates)
        lines.append(
            json.dumps(
                {
                    "id": str(number),
                    "entry_id": f"tag:status.example.com,2005:Incident/{number}",
                    "title": " ".join(dice.choices(WORDS, k=5)),
                    "url": f"https://status.example.com/incidents/i{number:011d}",
                    "published_at": updates[-1]["at"],
                    "updated_at": updates[-1]["at"],
                    "started_at": moment.isoformat(),
                    "updates": updates,
                    "impact": dice.choice(("none", "minor", "major", "critical")),
                    "components": dice.choices(components, k=dice.randint(0, 2)),
                }
            )
        )
    return "\n".join(lines).encode()


def _on_demand(app: Flask, codes: list[str]) -> Iterator[Figure]:
    client = app.test_client()
    client.get(f"/incidents/{codes[-1]}")
    dice = random.Random(1)
    incidents = [f"/incidents/{dice.choice(codes)}" for _ in range(20)]
    oldest = clock.now() - _age(len(codes))
    months = [f"/history/{oldest + timedelta(days=31 * n):%Y-%m}" for n in range(1, 11)]
    for what, paths in (("incident's page", incidents), ("month of the history", months)):
        took = statistics.median(_ms(lambda path=path: client.get(path)) for path in paths)
        yield Figure(f"an old {what}, first time, median", took, "ms", at_most=30)
    app.extensions["refresher"].stop()


def make_app(database_url: str, data_dir: Path) -> Flask:
    """The app on this database, with settings that are for benches alone."""
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


def _found(session: Session) -> None:
    session.add(Page(id=1, name="Acme", set_up_at=clock.now()))
    install_scheme(session, "sev")


def _incident(number: int, code: str, start: datetime, dice: random.Random) -> dict[str, object]:
    end = start + timedelta(minutes=40)
    return {
        "code": code,
        "kind": Kind.INCIDENT,
        "title": " ".join(dice.choices(WORDS, k=5)),
        "status": IncidentStatus.RESOLVED.value,
        "impact": dice.choice((Impact.MINOR, Impact.MAJOR)),
        "visibility": Visibility.PUBLIC,
        "started_at": start,
        "resolved_at": end,
        "created_at": start,
        "updated_at": end,
        "entry_id": f"tag:bench,2026-01-01:incident/{number}",
    }


def _update(
    number: int,
    place: int,
    status: str,
    incident_id: int,
    incident_code: str,
    start: datetime,
    dice: random.Random,
) -> dict[str, object]:
    moment = start + timedelta(minutes=20 * place)
    code = f"u{number * 3 + place:011d}"
    return {
        "code": code,
        "incident_id": incident_id,
        "status": status,
        "visibility": Visibility.PUBLIC,
        "body": " ".join(dice.choices(WORDS, k=25)),
        "happened_at": moment,
        "posted_at": moment,
        "affected": [],
        "entry_id": f"http://127.0.0.1/incidents/{incident_code}#update-{code}",
    }


def _median_ms(act: Callable[[], object], *, times: int = 7) -> float:
    act()
    return statistics.median(_ms(act) for _ in range(times))


def _ms(act: Callable[[], object]) -> float:
    start = time.perf_counter()
    act()
    return (time.perf_counter() - start) * 1000
