from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from statuspage.importers.other_database import open_database, utc_moment


def test_a_database_is_read_and_never_written_to(tmp_path: Path) -> None:
    file = tmp_path / "other.db"
    with closing(sqlite3.connect(file)) as database, database:
        database.executescript("CREATE TABLE things (id INTEGER); INSERT INTO things VALUES (7);")
    with open_database(file, product="Other", tables=["things"]) as other:
        assert other.rows("SELECT * FROM things") == [{"id": 7}]
        assert (other.has_table("things"), other.has_table("more")) == (True, False)
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            other.rows("DELETE FROM things")


def test_a_moment_without_a_zone_is_utc() -> None:
    moments = ["2025-01-02 03:04:05", "2025-01-02T03:04:05+01:00", None, "soon"]
    assert [utc_moment(moment) for moment in moments] == [
        "2025-01-02T03:04:05+00:00", "2025-01-02T03:04:05+01:00", None, "soon",
    ]  # fmt: skip
