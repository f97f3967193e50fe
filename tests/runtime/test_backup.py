"""Backup and restore: what was sent since the backup is neither repeated nor mistaken."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select, text
from time_machine import Traveller

from statuspage.core import clock
from statuspage.core.config import Settings
from statuspage.core.db import current_session, db, writing
from statuspage.core.enums import Channel, DeliveryState
from statuspage.delivery import claims, control, provider_events
from statuspage.delivery.channels.sendgrid_webhook import Event, EventKind
from statuspage.models import Delivery, Hold, Incident
from statuspage.runtime import backup as operations
from statuspage.runtime.versions import UnusableDatabase
from tests.announcing import ACTOR, Scenario, declare, mails, resolve, set_up_scenario

sqlite_alone = pytest.mark.only_on("sqlite")

EVERYBODY = ["c1@example.com", "c2@example.com", "c3@example.com", "shopper@example.com"]


@pytest.fixture
def scenario(app: Flask, frozen: Traveller) -> Iterator[Scenario]:
    scenario = set_up_scenario(app)
    with app.app_context():
        yield scenario


def put_back(app: Flask, backup: Path) -> None:
    current_session().rollback()
    db.engine.dispose()
    operations.restore(app, backup)


def titles() -> list[str]:
    current_session().rollback()
    return list(current_session().scalars(select(Incident.title).order_by(Incident.id)))


@sqlite_alone
def test_a_restore_brings_the_backup_back_and_holds_the_outbox(
    app: Flask, settings: Settings, scenario: Scenario, tmp_path: Path
) -> None:
    resolve(declare(scenario, title="Before").code)
    operations.back_up(settings, tmp_path / "copy")
    declare(scenario, title="After")
    put_back(app, tmp_path / "copy")
    assert titles() == ["Before"]
    assert current_session().scalars(select(Hold.channel)).all() == [control.EVERYTHING]
    current_session().rollback()
    assert claims.claim(1, Channel.EMAIL, size=10) is None
    control.release(control.EVERYTHING, actor=ACTOR)
    claim = claims.claim(1, Channel.EMAIL, size=10)
    assert claim is not None
    assert [one.address for one in claim.deliveries] == EVERYBODY
    # What it replaced lies beside it, whole.
    [kept] = settings.data_dir.glob("*.before-*")
    put_back(app, kept)
    assert titles() == ["Before", "After"]


@sqlite_alone
def test_news_and_links_of_mail_sent_since_the_backup_mean_no_later_mail(
    app: Flask, settings: Settings, scenario: Scenario, tmp_path: Path
) -> None:
    operations.back_up(settings, tmp_path / "copy")
    resolve(declare(scenario).code)
    lost = {one.address: one.id for one in current_session().scalars(select(Delivery))}
    put_back(app, tmp_path / "copy")
    resolve(declare(scenario).code)
    provider_events.keep(
        [
            Event(str(id_), EventKind.DELIVERED, clock.now(), address, str(id_), "lost")
            for address, id_ in lost.items()
        ]
    )
    provider_events.fold()
    assert mails(DeliveryState.PENDING) == EVERYBODY


@sqlite_alone
def test_nothing_is_restored_under_a_running_worker(
    app: Flask, settings: Settings, scenario: Scenario, tmp_path: Path
) -> None:
    operations.back_up(settings, tmp_path / "copy")
    lock = Path(f"{settings.database_url.removeprefix('sqlite:///')}.worker")
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(UnusableDatabase, match="stop the service first"):
            operations.restore(app, tmp_path / "copy")


@sqlite_alone
@pytest.mark.parametrize("content", [b"", b"no database", b"SQLite format 3\0" + b"x" * 5_000])
def test_what_is_no_backup_changes_nothing(
    app: Flask, scenario: Scenario, tmp_path: Path, content: bytes
) -> None:
    declare(scenario, title="Still here")
    (tmp_path / "copy").write_bytes(content)
    with pytest.raises(UnusableDatabase, match="is no backup of this service"):
        put_back(app, tmp_path / "copy")
    assert titles() == ["Still here"]


@sqlite_alone
def test_a_backup_of_a_newer_version_is_refused(
    app: Flask, settings: Settings, scenario: Scenario, tmp_path: Path
) -> None:
    with writing() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    operations.back_up(settings, tmp_path / "copy")
    with pytest.raises(UnusableDatabase, match="a newer version"):
        put_back(app, tmp_path / "copy")


@sqlite_alone
def test_a_backup_overwrites_nothing(
    settings: Settings, scenario: Scenario, tmp_path: Path
) -> None:
    (tmp_path / "copy").write_text("precious")
    with pytest.raises(UnusableDatabase, match="exists already"):
        operations.back_up(settings, tmp_path / "copy")
    assert (tmp_path / "copy").read_text() == "precious"


@sqlite_alone
def test_backups_in_a_folder_are_named_after_the_moment_and_the_newest_stay(
    settings: Settings, scenario: Scenario, frozen: Traveller, tmp_path: Path
) -> None:
    folder = tmp_path / "backups"
    for _ in range(3):
        made = operations.back_up_into(settings, folder, keep=2)
        (folder / "mine.db").touch()
        frozen.shift(60)
    names = sorted(file.name for file in folder.iterdir())
    assert (names[0], names[-1], len(names)) == ("mine.db", made.name, 3)
    operations.check_backup(settings, made)


@sqlite_alone
def test_a_backup_that_cannot_be_read_back_costs_no_older_one(
    settings: Settings, scenario: Scenario, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = tmp_path / "statuspage-20250101T000000Z.db"
    kept.touch()
    monkeypatch.setattr(operations, "_copy", lambda _source, target: target.write_text("torn"))
    with pytest.raises(UnusableDatabase, match="is no backup of this service"):
        operations.back_up_into(settings, tmp_path, keep=1)
    assert list(tmp_path.glob("statuspage-*")) == [kept]


def test_a_database_that_another_tool_put_back_is_held_and_goes_on_with_new_numbers(
    app: Flask, scenario: Scenario
) -> None:
    resolve(declare(scenario).code)
    old = set(current_session().scalars(select(Delivery.id)))
    current_session().rollback()
    operations.settle_restored(app)
    operations.settle_restored(app)
    resolve(declare(scenario).code)
    new = set(current_session().scalars(select(Delivery.id).where(Delivery.message_id > 0))) - old
    assert min(new) > max(old) + control.SKIPPED
    assert current_session().scalars(select(Hold.reason)).all() == [operations.HELD_AFTER_RESTORE]


@pytest.mark.only_on("postgresql")
def test_a_pooler_in_transaction_mode_may_stand_before_the_database(app: Flask) -> None:
    """Nothing is prepared on a connection, which a pooler gives to somebody else next."""
    with app.app_context():
        for _ in range(10):
            current_session().execute(text("SELECT 1"))
        assert current_session().scalar(text("SELECT count(*) FROM pg_prepared_statements")) == 0
