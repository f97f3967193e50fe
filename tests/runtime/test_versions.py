from __future__ import annotations

from flask import Flask

from statuspage.core.paths import MIGRATIONS
from statuspage.runtime import versions


def test_the_newest_version_is_the_number_of_the_last_migration() -> None:
    last = max((MIGRATIONS / "versions").glob("*.py")).name
    assert versions.newest_version() == last[:4]


def test_what_waits_is_what_comes_after_a_version() -> None:
    first, second, *_ = versions.pending(None)
    assert (first.number, first.title) == ("0001", "first tables")
    assert versions.pending("0001")[0] == second
    assert versions.pending(versions.newest_version()) == []


def test_a_database_that_is_up_to_date_has_the_newest_version(app: Flask) -> None:
    with app.app_context():
        assert versions.present_version() == versions.newest_version()
