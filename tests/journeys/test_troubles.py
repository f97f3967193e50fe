"""What ``make chaos`` does at length, briefly: one seed, few customers, seconds not minutes.

Where a trouble has nothing to do with the kind of database, one kind is enough here.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos import troubles
from tests.chaos.kills import kill_while_sending, sendgrid
from tests.chaos.publishing import kill_while_publishing
from tests.databases import Database, PostgresServer, SqliteTemplate

NONE = (0, 0)


def test_with_the_webhook_a_kill_neither_loses_nor_doubles(
    database: Database, tmp_path: Path
) -> None:
    with sendgrid(tmp_path, batch=15, tells=True) as provider:
        tally = kill_while_sending(database.url, tmp_path, provider, customers=300, kills=2, seed=3)
    assert (tally.lost, tally.doubled, tally.kills_while_sending) == (0, 0, 2)


def test_a_post_survives_the_web_servers_death_whole_or_not_at_all(
    postgres_server: PostgresServer, tmp_path: Path
) -> None:
    url = postgres_server.empty().url
    published = kill_while_publishing(url, tmp_path, kills=2, seed=1)
    assert (published.lost, published.doubled, published.torn) == (0, 0, 0)


def test_a_worker_that_stood_still_goes_on_beside_another_without_doubling(
    postgres_server: PostgresServer, tmp_path: Path
) -> None:
    url = postgres_server.empty().url
    tally = troubles.freeze_in_the_act(url, tmp_path, customers=300, seconds=2, workers=2)
    assert (tally.lost, tally.doubled) == NONE


def test_a_provider_that_was_away_is_given_all_of_it_afterwards(
    sqlite_template: SqliteTemplate, tmp_path: Path
) -> None:
    url = sqlite_template.copy_to(tmp_path / "data").url
    tally, _ = troubles.provider_away(url, tmp_path, customers=200, seconds=1)
    assert (tally.lost, tally.doubled) == NONE


def test_a_full_disk_stops_everything_and_loses_nothing(
    sqlite_template: SqliteTemplate, tmp_path: Path
) -> None:
    url = sqlite_template.copy_to(tmp_path / "data").url
    tally = troubles.full_disk(url, tmp_path, customers=300, seconds=1)
    assert (tally.lost, tally.doubled) == NONE


def test_a_database_that_was_away_finds_nothing_lost(
    postgres_server: PostgresServer, tmp_path: Path
) -> None:
    tally = troubles.database_away(postgres_server, tmp_path, customers=300, seconds=2)
    assert (tally.lost, tally.doubled) == NONE


def test_forged_events_change_nothing(postgres_server: PostgresServer, tmp_path: Path) -> None:
    url = postgres_server.empty().url
    forged = troubles.forge_events(url, tmp_path, updates=300, seed=1)
    assert (forged.server_errors, forged.changed) == NONE


@pytest.mark.parametrize("hours", [-1, 720])
def test_a_clock_that_jumps_neither_stops_nor_repeats_anything(
    sqlite_template: SqliteTemplate, tmp_path: Path, hours: int
) -> None:
    url = sqlite_template.copy_to(tmp_path / "data").url
    tally = troubles.jump_clock(url, tmp_path, customers=200, seconds=hours * 3600, within=60)
    assert (tally.lost, tally.doubled) == NONE
