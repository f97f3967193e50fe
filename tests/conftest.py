"""What tests are given: an empty database of either kind, an app on it, and a clock that stands.

A test that takes ``database``, or anything made from it, runs on SQLite and on PostgreSQL where a
message could be lost or doubled: in the rooms of incidents, recipients and delivery, and of what
they stand on.  The others take turns, each on one of the two by its name; ``--database=both`` runs
them on both too, and ``--database=sqlite`` all of them on one.  One that is marked
``only_on("sqlite")`` costs much and asks the databases nothing that they could answer differently.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final
from zlib import crc32

import pytest
import time_machine
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient, FlaskCliRunner
from sqlalchemy.orm import Session

import statuspage.core.db
from statuspage.access import accounts, passwords
from statuspage.access.audit import Actor
from statuspage.core.config import Settings, load_settings
from statuspage.core.db import db, writing
from statuspage.public.html_pages import CompiledTemplates
from tests.apps import PUBLIC_URL, Apps
from tests.browsing import Browser, make_account
from tests.databases import KINDS, Database, PostgresServer, SqliteTemplate
from tests.factories import NOON, make_page
from tests.htmlchecker import HtmlChecker
from tests.service import FirstStart

# Folders whose tests are each run on one of the databases.
SLOW_FOLDERS: Final = ("browser", "journeys")
TAKE_TURNS: Final = frozenset(
    {
        "access", "admin", "api", "configuration", "guards", "importers", "intake", "messages",
        "public", "reports",
    }
)  # fmt: skip
# What starts whole programs is tried again once where it failed, and named at the end of the run:
# a browser that the machine had no time for says nothing of the service.
TRIED_AGAIN: Final = frozenset({*SLOW_FOLDERS, "runtime"})


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--database",
        choices=[*KINDS, "both", "turns"],
        default="turns",
        help="run database tests on this; by default, those of the ledger's rooms on both",
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "database" in metafunc.fixturenames:
        kinds = kinds_for(metafunc, metafunc.config.getoption("--database"))
        only = metafunc.definition.get_closest_marker("only_on")
        if only is not None:
            kinds = tuple(kind for kind in kinds if kind in only.args)
        metafunc.parametrize("database", kinds, indirect=True)


def kinds_for(metafunc: pytest.Metafunc, chosen: str) -> tuple[str, ...]:
    """The kinds of database that a test runs on."""
    if chosen in KINDS:
        return (chosen,)
    test = metafunc.definition
    marked = test.get_closest_marker("only_on") is not None
    takes_turns = TAKE_TURNS.intersection(test.path.parts)
    if chosen == "turns" and not marked and takes_turns:
        return (KINDS[crc32(test.originalname.encode()) % len(KINDS)],)
    return KINDS


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if TRIED_AGAIN.intersection(item.path.parts):
            item.add_marker(pytest.mark.flaky(reruns=1))

    # Each of four processes begins with a quarter of the list.  What takes longest, the browser's
    # tests and the journeys, both of which mostly wait, begins at once and on three of them.
    def stands_in(item: pytest.Item, folder: str) -> bool:
        return folder in item.path.parts

    slow = [[item for item in items if stands_in(item, "browser")]]
    half = len(slow[0]) // 2
    slow = [
        slow[0][:half],
        [item for item in items if stands_in(item, "journeys")],
        slow[0][half:],
        [],
    ]
    rest = [item for item in items if not any(stands_in(item, one) for one in SLOW_FOLDERS)]
    quarter = len(items) // 4 + 1
    items.clear()
    for first in slow:
        more = quarter - len(first)
        items += [*first, *rest[:more]]
        rest = rest[more:]
    items += rest


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> SqliteTemplate:
    """A migrated SQLite file."""
    return SqliteTemplate(tmp_path_factory.mktemp("sqlite"))


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A running PostgreSQL."""
    server = PostgresServer()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def first_start(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> FirstStart:
    """The data of a service after its first start, made once for all test processes."""
    folder = tmp_path_factory.getbasetemp()
    is_one_of_several = hasattr(request.config, "workerinput")
    return FirstStart.make(folder.parent if is_one_of_several else folder)


@pytest.fixture(scope="session")
def data_link(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where every test's data directory is found, so that all have the same settings."""
    return tmp_path_factory.mktemp("home") / "data"


@pytest.fixture
def data_dir(data_link: Path, tmp_path: Path) -> Path:
    """The test's own data directory, by the path that all tests share."""
    (tmp_path / "data").mkdir(exist_ok=True)
    data_link.unlink(missing_ok=True)
    data_link.symlink_to(tmp_path / "data")
    return data_link


@pytest.fixture
def database(request: pytest.FixtureRequest, data_dir: Path) -> Database:
    """An empty database with all tables."""
    if request.param == "sqlite":
        template: SqliteTemplate = request.getfixturevalue("sqlite_template")
        return template.copy_to(data_dir)
    server: PostgresServer = request.getfixturevalue("postgres_server")
    return server.empty()


@pytest.fixture
def environ(database: Database, data_dir: Path) -> dict[str, str]:
    """The settings as environment variables; a test module overrides this to change some."""
    return {
        "DATABASE_URL": database.url,
        "DATA_DIR": str(data_dir),
        "PUBLIC_URL": PUBLIC_URL,
        "SECRET_KEY": "a key for tests, never for anything else",
        # Tests of the window itself set one.
        "CANCEL_WINDOW": "0",
    }


@pytest.fixture
def settings(environ: dict[str, str]) -> Settings:
    """The settings as the app reads them."""
    return load_settings(environ)


@pytest.fixture(scope="session")
def apps() -> Apps:
    """The applications of this test process."""
    return Apps()


@pytest.fixture
def app(apps: Apps, environ: dict[str, str]) -> Iterator[Flask]:
    """The application on an empty database, with the public site in front of it."""
    made = apps.get(environ)
    yield made
    with made.app_context():
        db.engine.dispose()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """Asks the app for pages; not for tests that also take ``session``."""
    return app.test_client()


@pytest.fixture
def runner(app: Flask) -> FlaskCliRunner:
    """Runs the app's commands."""
    return app.test_cli_runner()


@pytest.fixture
def session(app: Flask) -> Iterator[Session]:
    """The session of an app context that lasts as long as the test."""
    with app.app_context():
        yield statuspage.core.db.current_session()


@pytest.fixture
def frozen() -> Iterator[time_machine.Traveller]:
    """A clock that stands at `NOON` until the test moves it."""
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def kim(app: Flask) -> Actor:
    """The account that tests act as, on a page that has been set up."""
    with app.app_context(), writing() as session:
        make_page(session)
        account = make_account()
        session.add(account)
        session.flush()
        return accounts.as_actor(account)


@pytest.fixture
def stranger(app: Flask, kim: Actor) -> Browser:
    """A browser that is not signed in, where there is an account."""
    return Browser(app)


@pytest.fixture
def admin(app: Flask, kim: Actor) -> Browser:
    """A browser that is signed in as Kim."""
    browser = Browser(app)
    assert browser.sign_in().status_code == 303
    return browser


@pytest.fixture(autouse=True, scope="session")
def cheap_passwords() -> Iterator[None]:
    """Hashes that cost next to nothing: a good password hash is slow on purpose."""
    with pytest.MonkeyPatch.context() as patch:
        cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
        patch.setattr(passwords, "HASHER", cheap)
        yield


@pytest.fixture(autouse=True, scope="session")
def templates_compiled_once() -> Iterator[None]:
    """Has the admin's templates compiled once for all apps of this test process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(Flask.jinja_options, "bytecode_cache", CompiledTemplates())
        yield


@pytest.fixture(scope="session")
def html_errors() -> Iterator[HtmlChecker]:
    """``html_errors(html)`` lists what the W3C's checker finds wrong with a page."""
    checker = HtmlChecker()
    yield checker
    checker.stop()
