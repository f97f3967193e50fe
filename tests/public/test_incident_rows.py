"""Updates as the database hands them out with their incident, as views."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from statuspage.core.enums import Kind
from statuspage.public.incident_rows import moment_or_none, update_views

TIMES = '{"Mar 4, 2026, 12:30 UTC": "2026-03-04T12:30:00+00:00"}'
BODY = "Comma, and \u201cquotes\u201d"


def row(key: int, moment: str, earlier: str | None = None, *, others: str = "{}") -> str:
    """An update as the database has it."""
    code, entry = f"update{key:06d}", f"entry {key}"
    told = [code, "investigating", BODY, moment, None, 0, None, entry, 1]
    return json.dumps([moment, key, *told, "[]", others, TIMES, earlier])


def test_updates_stand_newest_first_and_those_of_one_moment_by_their_keys() -> None:
    rows = [row(number, moment) for number, moment in (
        (1, "2026-03-04 12:00:00.000000"),
        (3, "2026-03-04T11:00:00+00:00"),
        (2, "2026-03-04T13:00:00+01:00"),
    )]  # fmt: skip
    views = update_views(Kind.INCIDENT, ",".join(rows))
    assert [view.code for view in views] == ["update000002", "update000001", "update000003"]
    assert {view.body for view in views} == {BODY}
    assert {view.times for view in views} == {
        (("Mar 4, 2026, 12:30 UTC", "2026-03-04T12:30:00+00:00"),)
    }


def test_a_further_language_has_title_and_body_and_in_older_rows_the_body_alone() -> None:
    others = json.dumps(
        {"fr": "Nous cherchons.", "de": {"title": "Ausfall", "body": "Wir suchen."}}
    )
    (view,) = update_views(Kind.INCIDENT, row(1, "2026-03-04T12:00:00+00:00", others=others))
    assert view.translations == (("de", "Ausfall", "Wir suchen."), ("fr", "", "Nous cherchons."))


def test_what_an_update_said_before_stands_newest_first() -> None:
    earlier = '[1,"First, of all","2026-03-04 12:01:00"],[2,"","2026-03-04 12:02:00"]'
    [view] = update_views(Kind.INCIDENT, row(1, "2026-03-04 12:00:00", earlier))
    assert [text.body for text in view.earlier] == ["", "First, of all"]


def test_an_incident_without_updates_has_none_and_a_time_may_be_missing() -> None:
    assert (update_views(Kind.INCIDENT, ""), moment_or_none(None)) == ((), None)
    assert moment_or_none("2026-03-04 12:00:00") == datetime(2026, 3, 4, 12, tzinfo=UTC)
