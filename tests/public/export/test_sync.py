"""The public site as files in a folder: what is there, what is written again, what goes."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import brotli
import pytest
import time_machine
from flask import Flask
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from statuspage.core.db import db, writing
from statuspage.core.enums import ComponentStatus, Visibility
from statuspage.core.languages import OFFERED, prefix, split_path
from statuspage.models import Component, Incident, IncidentUpdate, Page
from statuspage.models.revision import bump
from statuspage.public.edition_builder import build_edition, mark_stale
from statuspage.public.export import sync, targets
from statuspage.public.export.folder import Folder
from statuspage.public.statements import RECENT_INCIDENTS
from tests.apps import Apps
from tests.databases import SqliteTemplate
from tests.editions import in_three_languages
from tests.factories import (
    LINKS,
    NOON,
    make_component,
    make_incident,
    make_maintenance,
    make_page,
)

DAY = timedelta(days=1)
OLD = "old000000000"
BEFORE = [prefix(language.code, own="en") for language in OFFERED]
IN_THREE_LANGUAGES = BEFORE[:3]
pytestmark = pytest.mark.usefixtures("frozen")
sqlite_only = pytest.mark.only_on("sqlite")


@dataclass(frozen=True, slots=True)
class Exported:
    """A site and its export in all languages, made once; tests only look at it."""

    app: Flask
    folder: Path
    files: Mapping[str, bytes]


@pytest.fixture(scope="module")
def exported(
    sqlite_template: SqliteTemplate, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Exported]:
    data, folder = tmp_path_factory.mktemp("data"), tmp_path_factory.mktemp("exported")
    url = sqlite_template.copy_to(data).url
    app = Apps().get({"DATABASE_URL": url, "DATA_DIR": str(data), "PUBLIC_URL": LINKS.base})
    with time_machine.travel(NOON, tick=False), app.app_context():
        change(write)
        export_to(folder, db.engine)
    yield Exported(app, folder, files(folder))
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def engine(app: Flask) -> Iterator[Engine]:
    """The same site for a test of its own, in three languages."""
    with app.app_context(), in_three_languages():
        change(write)
        yield db.engine


def write(session: Session) -> None:
    """A page with an incident of last year, others since, and one internal."""
    make_page(session)
    checkout = make_component(session, "Checkout", code="checkout0000")
    make_component(session, "Fax", code="fax000000000", position=1)
    make_incident(
        session, "Long ago", code=OLD, started_at=NOON - 400 * DAY,
        updates=("investigating", "resolved"), components=[checkout],
    )  # fmt: skip
    add_incidents(session, "since", 8, days_between=40)
    make_incident(session, "zebra", code="zebra0000000", visibility=Visibility.INTERNAL)
    make_maintenance(session, "Upgrade", code="upgrade00000")


def add_incidents(session: Session, name: str, count: int, *, days_between: int) -> None:
    for number in range(count):
        make_incident(
            session, f"{name.title()} {number}", code=f"{name}{number:07d}",
            started_at=NOON - (number * days_between + 20) * DAY,
            updates=("investigating", "resolved"),
        )  # fmt: skip


@pytest.fixture
def long_history(engine: Engine) -> Engine:
    """So many incidents that the one of last year is in no list of recent ones."""
    change(lambda session: add_incidents(session, "again", RECENT_INCIDENTS, days_between=1))
    return engine


def change(act: Callable[[Session], object]) -> None:
    with writing() as session:
        act(session)
        bump(session)


def export_to(folder: Path, engine: Engine) -> sync.Report:
    target = targets.open_target(str(folder))
    return sync.export_site(target, engine, LINKS, progress=lambda done, total: None)


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def plain(folder: Path) -> set[str]:
    return {name for name in files(folder) if not name.endswith((".gz", ".br"))}


# What is there.


def test_every_address_is_a_file_with_the_bytes_that_the_service_answers(
    exported: Exported,
) -> None:
    client = exported.app.test_client()
    addresses = {
        "/", "/history", "/history/2026-03", "/history/2025-01", "/history/2025-02",
        f"/incidents/{OLD}", "/incidents/since0000007", "/incidents/upgrade00000",
        f"/incidents/{OLD}/updates.atom", f"/incidents/{OLD}/updates.json",
        "/components/checkout0000", "/components/fax000000000",
        "/components/checkout0000/updates.rss", "/components/checkout0000/history.atom",
        "/components/fax000000000/updates.json", "/components/fax000000000/badge.svg",
        "/badge.svg", "/widget.js", "/history.rss", "/updates.atom", "/updates.json",
        "/maintenances.ics",
        "/api/openapi.json", "/api/v2/summary.json", "/api/v2/incidents.json",
        "/api/v2/incidents/unresolved.json", f"/api/v2/incidents/{OLD}.json", "/robots.txt",
    }  # fmt: skip
    wrong = {}
    for address in addresses:
        answer = client.get(address)
        assert answer.status_code == 200, address
        is_page = answer.mimetype == "text/html"
        name = (address.strip("/") + "/index.html").lstrip("/") if is_page else address[1:]
        if exported.files[name] != answer.data:
            wrong[address] = name
    assert (wrong, Folder(exported.folder).has_folders) == ({}, True)


def test_everything_that_a_page_links_to_is_there(exported: Exported) -> None:
    there = exported.files
    pages = {name: body.decode() for name, body in there.items() if name.endswith(".html")}
    found = {link for page in pages.values() for link in linked(page)}
    assert {f"{before}/incidents/{OLD}" for before in BEFORE} <= found
    assert {f"{before}/history/2025-01" for before in BEFORE} <= found
    assert missing(found, there) == set()


@sqlite_only
def test_older_pages_in_other_languages_come_after_everything_else(
    long_history: Engine, tmp_path: Path
) -> None:
    copy, made = copy_to(tmp_path / "site", long_history)
    change(lambda session: session.query(Page).update({"name": "Renamed"}))
    copy.take(build_edition(long_history, LINKS))
    copy.survey()
    while copy.waits:
        copy.step()
    paths = list(made)
    first = paths.index(f"/de/incidents/{OLD}")
    assert {f"/incidents/{OLD}", "/history/2025-01", f"/incidents/{OLD}/updates.atom"} <= {
        *paths[:first]
    }
    assert all(split_path(path)[0] for path in paths[first:])
    page = files(tmp_path / "site")[f"de/incidents/{OLD}/index.html"].decode()
    assert '<html lang="de"' in page
    assert "Renamed" in page


def test_the_front_page_of_each_language_is_there_with_all_that_it_links_to(
    exported: Exported,
) -> None:
    there = exported.files
    for before in BEFORE:
        page = there[f"{before}/index.html".strip("/")].decode()
        links = linked(page)
        assert f"{before}/history" in links
        assert f"{before}/components/checkout0000" in links
        assert missing(links, there) == set()


@sqlite_only
def test_what_cannot_be_confirmed_says_so_at_once_in_each_language(
    engine: Engine, tmp_path: Path
) -> None:
    copy, _ = copy_to(tmp_path / "site", engine)
    copy.take(mark_stale(build_edition(engine, LINKS), NOON))
    told = {
        before: files(tmp_path / "site")[f"{before}/index.html".strip("/")]
        for before in IN_THREE_LANGUAGES
    }
    assert [before for before, body in told.items() if b'id="unconfirmed"' not in body] == []


def linked(page: str) -> set[str]:
    """The addresses of this site that a page names; a search needs the service."""
    found = {part.partition('"')[0].partition("#")[0] for part in page.split('="')[1:]}
    ours = {link for link in found if link.startswith("/")} - {"/"}
    return {link for link in ours if not split_path(link)[1].startswith("/search")}


def missing(links: set[str], there: Mapping[str, bytes]) -> set[str]:
    return {link for link in links if {link[1:], f"{link.strip('/')}/index.html"}.isdisjoint(there)}


def test_the_compressed_forms_hold_the_same_and_are_only_there_where_smaller(
    exported: Exported,
) -> None:
    there = exported.files
    assert {"index.html.gz", "index.html.br", "updates.atom.gz"} <= set(there)
    for name, body in there.items():
        if name.endswith(".gz"):
            assert gzip.decompress(body) == there[name[:-3]]
            assert len(body) < len(there[name[:-3]])
        if name.endswith(".br"):
            assert brotli.decompress(body) == there[name[:-3]]


def test_nothing_internal_is_written(exported: Exported) -> None:
    assert [name for name in exported.files if "zebra" in name] == []
    assert [name for name, body in exported.files.items() if b"zebra" in body] == []


def test_an_unknown_address_has_a_page_to_show(exported: Exported) -> None:
    assert b"Page not found" in exported.files["404.html"]


def test_a_file_is_as_old_as_its_document(exported: Exported) -> None:
    document = exported.app.extensions["refresher"].edition().documents["/"]
    moment = (exported.folder / "index.html").stat().st_mtime
    assert moment == document.last_modified.timestamp()


# What is written again.


@sqlite_only
def test_a_second_run_touches_nothing(engine: Engine, tmp_path: Path) -> None:
    first = export_to(tmp_path / "site", engine)
    before = {path: path.stat().st_ino for path in (tmp_path / "site").rglob("*")}
    again = export_to(tmp_path / "site", engine)
    assert (again.written, again.removed) == (0, 0)
    assert first.written > again.documents == first.documents > 100
    assert {path: path.stat().st_ino for path in (tmp_path / "site").rglob("*")} == before


@sqlite_only
def test_a_file_that_somebody_changed_or_lost_is_put_right(engine: Engine, tmp_path: Path) -> None:
    export_to(tmp_path / "site", engine)
    before = files(tmp_path / "site")
    (tmp_path / "site" / "index.html").write_text("hacked")
    (tmp_path / "site" / "updates.rss.gz").unlink()
    (tmp_path / "site" / "more" / "of").mkdir(parents=True)
    (tmp_path / "site" / "more" / "of" / "this.html").write_text("foreign")
    report = export_to(tmp_path / "site", engine)
    assert (report.written, report.removed) == (2, 1)
    assert files(tmp_path / "site") == before
    assert not (tmp_path / "site" / "more").exists()


def test_after_a_post_only_what_it_changed_is_made_again(
    long_history: Engine, tmp_path: Path
) -> None:
    copy, made = copy_to(tmp_path / "site", long_history)
    change(lambda session: correct(session, OLD, "Right."))
    work(copy, long_history)
    news = {path for path in made if OLD in path or "/components/" in path or "/history/" in path}
    assert (
        set(made)
        == news
        == {
            *(f"{before}/incidents/{OLD}" for before in IN_THREE_LANGUAGES),
            f"/api/v2/incidents/{OLD}.json",
            *(f"/incidents/{OLD}/updates.{each}" for each in ("atom", "rss", "json")),
            *(f"{before}/history/2025-01" for before in IN_THREE_LANGUAGES),
            *(f"/components/checkout0000/updates.{each}" for each in ("atom", "rss", "json")),
            *(f"/components/checkout0000/history.{each}" for each in ("atom", "rss")),
            *(f"{before}/components/checkout0000" for before in IN_THREE_LANGUAGES),
        }
    )
    assert b"Right." in files(tmp_path / "site")[f"incidents/{OLD}/index.html"]
    assert b"Right." in files(tmp_path / "site")["components/checkout0000/updates.atom"]


@sqlite_only
def test_what_stands_around_every_page_waits_behind_the_news(
    engine: Engine, tmp_path: Path
) -> None:
    copy, made = copy_to(tmp_path / "site", engine)
    change(lambda session: make_incident(session, "Down", severity_rank=1, code="down00000000"))
    copy.take(build_edition(engine, LINKS))
    copy.survey()
    while copy.is_urgent:
        copy.step()
    assert "/incidents/down00000000/updates.atom" in made
    assert f"/incidents/{OLD}" not in made
    while copy.waits:
        copy.step()
    assert f"/incidents/{OLD}" in made
    assert f"/incidents/{OLD}/updates.atom" not in made
    assert b"Down" in files(tmp_path / "site")[f"incidents/{OLD}/index.html"]


@sqlite_only
def test_what_is_open_comes_before_the_history_and_its_feeds_are_urgent(
    engine: Engine, tmp_path: Path
) -> None:
    change(lambda session: make_incident(session, "Open", code="open00000000"))
    copy = sync.SiteCopy(targets.open_target(str(tmp_path / "site")), engine, LINKS)
    copy.take(build_edition(engine, LINKS))
    copy.survey()
    assert (copy.is_urgent, copy.step()) == (True, 6)
    assert not copy.is_urgent
    there = set(files(tmp_path / "site"))
    for code in ("open00000000", "upgrade00000"):
        assert {f"incidents/{code}/updates.{each}" for each in ("atom", "rss", "json")} <= there
    assert f"incidents/{OLD}/updates.atom" not in there


@sqlite_only
def test_what_is_posted_while_the_first_export_runs_does_not_wait_for_it(
    engine: Engine, tmp_path: Path
) -> None:
    copy = sync.SiteCopy(targets.open_target(str(tmp_path / "site")), engine, LINKS)
    copy.take(build_edition(engine, LINKS))
    copy.survey()
    copy.step()
    change(lambda session: correct(session, OLD, "Right."))
    copy.take(build_edition(engine, LINKS))
    copy.survey()
    while copy.is_urgent:
        copy.step()
    there = files(tmp_path / "site")
    assert b"Right." in there[f"incidents/{OLD}/updates.atom"]
    assert "incidents/since0000007/updates.atom" not in there


ACTS: Mapping[str, Callable[[Session], object]] = {
    "a component fails": lambda session: session.query(Component).update(
        {"status": ComponentStatus.PARTIAL_OUTAGE, "updated_at": NOON}
    ),
    "an older story": lambda session: make_incident(
        session, "Back then", started_at=NOON - 900 * DAY
    ),
    "a title": lambda session: (
        session.query(Incident).filter_by(code=OLD).update({"title": "Renamed"})
    ),
    "a component's name": lambda session: session.query(Component).update(
        {"name": "Till", "updated_at": NOON}
    ),
    "a correction": lambda session: correct(session, "since0000007", "Better."),
}


@sqlite_only
def test_what_is_kept_current_is_what_is_made_from_nothing(engine: Engine, tmp_path: Path) -> None:
    copy, _ = copy_to(tmp_path / "kept", engine)
    for name, act in ACTS.items():
        change(act)
        work(copy, engine)
        export_to(tmp_path / name, engine)
        assert files(tmp_path / "kept") == files(tmp_path / name), name


@sqlite_only
def test_a_new_day_changes_what_time_alone_changes(
    engine: Engine, tmp_path: Path, frozen: time_machine.Traveller
) -> None:
    copy, _ = copy_to(tmp_path / "kept", engine)
    frozen.shift(40 * DAY)
    work(copy, engine)
    export_to(tmp_path / "fresh", engine)
    assert files(tmp_path / "kept") == files(tmp_path / "fresh")
    months = {name for name in files(tmp_path / "kept") if name.startswith("history/2026")}
    assert "history/2026-04/index.html" in months
    assert "history/2026-03/index.html" not in months


# What goes.


@sqlite_only
def test_a_incident_that_is_withdrawn_goes_with_all_its_files(
    engine: Engine, tmp_path: Path
) -> None:
    copy, _ = copy_to(tmp_path / "site", engine)
    change(
        lambda session: (
            session.query(Incident).filter_by(code=OLD).update({"visibility": Visibility.INTERNAL})
        )
    )
    copy.take(build_edition(engine, LINKS))
    copy.survey()
    there = files(tmp_path / "site")
    assert [name for name in there if OLD in name] == []
    assert not (tmp_path / "site" / "incidents" / OLD).exists()
    assert "history/2025-01/index.html" not in there
    work(copy, engine)
    assert [name for name, body in files(tmp_path / "site").items() if b"Long ago" in body] == []


@sqlite_only
def test_the_styles_of_another_release_stay_until_no_page_names_them(
    engine: Engine, tmp_path: Path
) -> None:
    export_to(tmp_path / "site", engine)
    old = tmp_path / "site" / "static" / "page.000000000000.css"
    old.write_text("old")
    copy = sync.SiteCopy(targets.open_target(str(tmp_path / "site")), engine, LINKS)
    copy.take(build_edition(engine, LINKS))
    copy.survey()
    assert old.exists()
    while copy.waits:
        copy.step()
    assert not old.exists()


def test_json_says_the_same_as_the_pages(exported: Exported) -> None:
    told = json.loads(exported.files["api/v2/incidents.json"])
    for incident in told["incidents"]:
        assert f"incidents/{incident['id']}/index.html" in exported.files


def copy_to(folder: Path, engine: Engine) -> tuple[sync.SiteCopy, list[str]]:
    """A copy that is up to date, and the addresses that are made again from now on."""
    copy = sync.SiteCopy(targets.open_target(str(folder)), engine, LINKS)
    work(copy, engine)
    made: list[str] = []
    make = copy._make

    def watched(parts: list[object]) -> Iterator[tuple[str, object]]:
        for path, document in make(parts):  # type: ignore[arg-type]
            made.append(path)
            yield path, document

    copy._make = watched  # type: ignore[assignment,method-assign]
    return copy, made


def work(copy: sync.SiteCopy, engine: Engine) -> None:
    copy.take(build_edition(engine, LINKS))
    copy.survey()
    while copy.waits:
        copy.step()


def correct(session: Session, code: str, text: str) -> None:
    update = session.query(IncidentUpdate).join(Incident).filter(Incident.code == code).first()
    assert update is not None
    update.body, update.edited_at = text, NOON
