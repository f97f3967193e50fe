"""The components that imported incidents name."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from statuspage.models import Component, ComponentChange
from tests.importers.imported import history_row, lines, take
from tests.statements import noted

pytestmark = pytest.mark.usefixtures("frozen")


def test_missing_ones_follow_by_name_and_begin_with_the_first_incident_about_them(
    session: Session,
) -> None:
    take(lines(history_row(components=["Search", "API", "search"])))
    made = session.scalars(select(Component).order_by(Component.position)).all()
    assert [(each.name, each.position, each.removed_at) for each in made] == [
        ("API", 0, None),
        ("Search", 1, None),
    ]
    first = {
        change.component_id: change.at
        for change in session.scalars(select(ComponentChange).order_by(ComponentChange.at.desc()))
    }
    assert first == {each.id: each.created_at for each in made}


@pytest.mark.only_on("sqlite")
def test_many_are_added_in_as_many_statements_as_one(session: Session) -> None:
    def count(code: str, *names: str) -> int:
        with noted(session.get_bind()) as statements:  # type: ignore[arg-type]
            take(lines(history_row(code, components=list(names))))
        return sum("INSERT INTO components " in each for each in statements)

    assert count("aaaaaaaaaaaa", "One") == count(
        "bbbbbbbbbbbb", *(f"Part {number}" for number in range(40))
    )
