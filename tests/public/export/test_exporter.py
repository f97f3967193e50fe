"""The worker's part: every edition reaches the target, trouble is told, and mail never waits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from statuspage.core.config import ConfigError, Settings, load_settings
from statuspage.core.db import db, writing
from statuspage.models import Alarm
from statuspage.models.revision import bump
from statuspage.public.export import exporter
from statuspage.public.export import exporter as keeping
from statuspage.runtime.application import create_app
from tests.databases import Database
from tests.editions import AtOnce, in_three_languages
from tests.factories import NOON, make_component, make_incident, make_page

pytestmark = pytest.mark.usefixtures("three_languages")


@pytest.fixture(scope="module")
def three_languages() -> Iterator[None]:
    with in_three_languages():
        yield


@pytest.fixture
def site(tmp_path: Path) -> Path:
    return tmp_path / "site"


@pytest.fixture
def keeper(app: Flask, site: Path) -> Iterator[exporter.Keeper]:
    change(app, lambda session: (make_page(session), make_component(session)))
    made = keeper_of(app, site)
    yield made
    made._turn.end()


def keeper_of(app: Flask, place: object) -> exporter.Keeper:
    return exporter.Keeper(app, str(place), AtOnce(app))  # type: ignore[arg-type]


def change(app: Flask, act: Callable[[Session], object]) -> None:
    with app.app_context(), writing() as session:
        act(session)
        bump(session)


def work(keeper: exporter.Keeper) -> None:
    """Until it has nothing to do but look."""
    for _ in range(200):
        if keeper.step() == keeping.LOOK_SECONDS:
            return
    raise AssertionError("it never came to rest")


def alarms_of(app: Flask) -> list[str]:
    with app.app_context():
        return [each.text for each in db.session.query(Alarm).filter(Alarm.cleared_at.is_(None))]


def home(site: Path) -> str:
    return (site / "index.html").read_text()


def test_a_post_is_there_after_one_step(app: Flask, keeper: exporter.Keeper, site: Path) -> None:
    work(keeper)
    assert "Payments fail" not in home(site)
    change(app, lambda session: make_incident(session, "Payments fail", code="payments0000"))
    keeper.step()
    assert "Payments fail" in home(site)
    assert (site / "incidents/payments0000/index.html").exists()
    work(keeper)
    assert (site / "incidents/payments0000/updates.atom").exists()


def test_at_rest_nothing_is_touched(keeper: exporter.Keeper, site: Path) -> None:
    work(keeper)
    before = {path: path.stat().st_ino for path in site.rglob("*")}
    for _ in range(3):
        assert keeper.step() == keeping.LOOK_SECONDS
    assert {path: path.stat().st_ino for path in site.rglob("*")} == before


def test_a_folder_that_cannot_be_written_raises_an_alarm_until_it_can(
    app: Flask, keeper: exporter.Keeper, site: Path
) -> None:
    site.write_text("in the way")
    pauses = [keeper.step() for _ in range(9)]
    assert alarms_of(app) == [f"The exported site cannot be kept current: {site} is not a folder"]
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    site.unlink()
    work(keeper)
    assert alarms_of(app) == []
    assert "All Systems Operational" in home(site)


def test_a_disk_that_is_full_for_a_while_loses_nothing(
    app: Flask, keeper: exporter.Keeper, site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    work(keeper)
    change(app, lambda session: make_incident(session, "Payments fail"))

    def full(source: object, target: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("statuspage.public.export.folder.os.replace", full)
        keeper.step()
    assert ["No space left" in text for text in alarms_of(app)] == [True]
    work(keeper)
    assert "Payments fail" in home(site)
    assert alarms_of(app) == []


def test_a_folder_that_vanishes_is_written_anew(keeper: exporter.Keeper, site: Path) -> None:
    work(keeper)
    before = sorted(path.relative_to(site) for path in site.rglob("*"))
    site.rename(site.with_name("moved"))
    keeper._shown = None
    work(keeper)
    assert sorted(path.relative_to(site) for path in site.rglob("*")) == before


def test_while_the_database_is_away_the_pages_say_so_and_nothing_goes(
    app: Flask, site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(app, lambda session: (make_page(session), make_component(session)))
    refresher = AtOnce(app)
    keeper = exporter.Keeper(app, str(site), refresher)  # type: ignore[arg-type]
    work(keeper)
    before = set(site.rglob("*"))
    refresher.stale_since = NOON

    def away(*_: object, **__: object) -> None:
        raise OperationalError("SELECT 1", {}, Exception("gone"))

    with monkeypatch.context() as patch:
        patch.setattr("statuspage.public.export.sync.open_site", away)
        for _ in range(5):
            keeper.step()
    assert "Not confirmed" in home(site)
    assert "Not confirmed" in (site / "badge.svg").read_text()
    assert set(site.rglob("*")) == before
    refresher.stale_since = None
    work(keeper)
    assert "Not confirmed" not in home(site)
    keeper._turn.end()


@pytest.mark.only_on("sqlite", "postgresql")
def test_of_two_workers_one_writes_and_the_other_takes_over(
    app: Flask, settings: Settings, database: Database, keeper: exporter.Keeper, site: Path
) -> None:
    if database.kind == "sqlite":
        # There a second worker does not even start.
        assert keeper._turn.needs_no_database
        return
    other_app = create_app(settings)
    other = keeper_of(other_app, site)
    work(keeper)
    assert other.step() == keeping.TURN_SECONDS
    keeper._turn.end()
    other._turn._looked_at = -keeping.TURN_SECONDS
    work(other)
    assert keeper.step() == keeping.TURN_SECONDS
    other._turn.end()
    with other_app.app_context():
        db.engine.dispose()


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ("/srv/status", "/srv/status"),
        ("s3://bucket", "s3://bucket"),
        ("s3://bucket/a/b", "s3://bucket/a/b"),
        ("", None),
    ],
)
def test_a_place_to_export_to(value: str, kept: str | None, tmp_path: Path) -> None:
    assert load_settings({"EXPORT_TO": value, "DATA_DIR": str(tmp_path)}).export_to == kept


@pytest.mark.parametrize("value", ["s3://", "s3:///prefix", "https://bucket.example.com", "gs://b"])
def test_a_place_that_cannot_be_is_refused(value: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="EXPORT_TO: must be a folder, or look like s3://"):
        load_settings({"EXPORT_TO": value, "DATA_DIR": str(tmp_path)})
