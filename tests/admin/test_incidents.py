"""The list of incidents."""

from __future__ import annotations

from datetime import timedelta

from time_machine import Traveller

from tests.admin.conftest import Desk
from tests.browsing import texts


def test_the_list_shows_the_open_ones_first(desk: Desk, frozen: Traveller) -> None:
    desk.declare(title="Search is slow", severity_rank="2")
    newer = desk.declare(title="Payments fail")
    desk.resolve(newer)
    desk.declare(title="A backup failed", visibility="internal")
    frozen.shift(timedelta(hours=2))
    desk.browser.sign_in()

    def titles(query: str = "") -> list[str]:
        return texts(desk.get(f"/admin/incidents{query}"), "stories", "//h2")

    assert titles() == ["Search is slow", "A backup failed", "Payments fail"]
    assert titles("?show=open") == ["Search is slow", "A backup failed"]
    assert titles("?show=resolved") == ["Payments fail"]
    assert titles("?show=internal") == ["A backup failed"]
    assert titles("?show=nonsense") == titles()
    assert titles("?page=2") == []
    assert texts(desk.get("/admin/incidents"), "late") == [
        "Overdue, was due 1 hour ago",
        "Overdue, was due 1 hour 30 minutes ago",
    ]


def test_the_list_shows_who_leads(desk: Desk) -> None:
    ada = desk.add_contact("Ada")
    desk.declare(commander=str(ada))
    desk.declare(title="Search is slow")
    assert [texts(desk.get("/admin/incidents"), "how", "/p")[place] for place in (1, 3)] == [
        "Ada",
        "No lead assigned",
    ]
