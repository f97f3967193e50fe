"""The worker is killed while it sends: nothing is lost, and next to nothing doubled.

``make chaos`` does it with thousands of customers and ten kills each time.
"""

from __future__ import annotations

from pathlib import Path

from tests.chaos.kills import kill_while_sending, sendgrid, smtp
from tests.databases import Database

CUSTOMERS = 300
KILLS = 2
BATCH = 15


def test_over_smtp_a_kill_loses_nothing_and_doubles_one_mail_at_most(
    database: Database, tmp_path: Path
) -> None:
    with smtp(tmp_path) as provider:
        tally = kill_while_sending(
            database.url, tmp_path, provider, customers=CUSTOMERS, kills=KILLS, seed=1
        )
    assert tally.kills_while_sending == KILLS
    assert tally.lost == 0
    assert tally.doubled <= KILLS


def test_over_sendgrid_a_kill_loses_nothing_and_doubles_one_batch_at_most(
    database: Database, tmp_path: Path
) -> None:
    with sendgrid(tmp_path, batch=BATCH) as provider:
        tally = kill_while_sending(
            database.url, tmp_path, provider, customers=CUSTOMERS, kills=KILLS, seed=2
        )
    assert tally.kills_while_sending == KILLS
    assert tally.lost == 0
    assert tally.doubled <= KILLS * BATCH
