from __future__ import annotations

import json

import lxml.html
import pytest
from flask import Flask

from statuspage.access import audit
from statuspage.access.permissions import open_to_everybody
from statuspage.core.db import writing
from tests.actors import acting
from tests.browsing import Browser, texts


@pytest.fixture
def trail(app: Flask, admin: Browser) -> Browser:
    """Somebody signed in where 60 more things have been done."""
    with app.app_context():
        do_much()
    return admin


@open_to_everybody
def do_much() -> None:
    with writing() as session:
        for number in range(60):
            audit.record(
                session,
                acting("Sam 100%" if number == 7 else "Robin"),
                "component.change",
                subject_kind="component",
                subject=f"Component {number}",
                before={"name": "Old", "shown": True, "list": [1]},
                after={"name": "New", "shown": False, "list": None},
            )


def test_it_is_exported_as_csv_and_as_json_lines(trail: Browser) -> None:
    table = trail.get("/admin/audit.csv?kind=component&text=Sam")
    assert table.text.splitlines()[0].startswith('"id","at","actor","action"')
    assert len(table.text.splitlines()) == 2
    lines = trail.get("/admin/audit.jsonl?kind=component").text.splitlines()
    assert [json.loads(line)["subject"] for line in lines[:2]] == ["Component 59", "Component 58"]


def test_a_day_that_cannot_be_read_is_named_beside_its_field(trail: Browser) -> None:
    page = trail.get("/admin/audit?since=yesterday&until=2026-03-04")
    assert texts(page, "reason") == ["Enter a day like 2026-03-04"]


def titles(browser: Browser, query: str = "") -> list[str]:
    return texts(browser.get(f"/admin/audit{query}"), "trail", "/li/p[1]")


def test_the_newest_acts_come_first_and_the_older_on_further_pages(trail: Browser) -> None:
    first = trail.get("/admin/audit")
    shown = texts(first, "trail", "/li/p[1]")
    assert (len(shown), shown[0], shown[-1]) == (
        50,
        "Component: change Component 59",
        "Component: change Component 10",
    )
    links = lxml.html.fromstring(first.text).xpath("//nav[@class='pager']/a/@href")
    assert len(links) == 1
    rest = texts(trail.get(links[0]), "trail", "/li/p[1]")
    assert len(rest) == 11
    assert rest[-1] == "Account: sign in k•••@example.com"


def test_acts_are_found_by_kind_subject_and_person(trail: Browser) -> None:
    assert titles(trail, "?kind=account") == ["Account: sign in k•••@example.com"]
    assert titles(trail, "?text=component+42") == ["Component: change Component 42"]
    assert titles(trail, "?text=100%25") == ["Component: change Component 7"]
    assert titles(trail, "?text=kim&kind=component") == []


def test_where_nothing_is_found_a_way_back_is_offered(trail: Browser) -> None:
    page = trail.get("/admin/audit?text=nobody")
    assert texts(page, "empty", "//strong") == ["No matches"]


def test_an_act_tells_before_and_after(trail: Browser) -> None:
    changes = texts(trail.get("/admin/audit?text=component+42"), "trail", "//dl/div")
    assert changes == ["NameOld → New", "Shownyes → no", "List[1] → nothing"]


@pytest.mark.parametrize(
    "query",
    [
        "?before=x",
        "?before=-1",
        "?before=99999999999999999999",
        "?text=%25_%5C",
    ],
)
def test_a_query_that_makes_no_sense_is_no_error(trail: Browser, query: str) -> None:
    assert trail.get(f"/admin/audit{query}").status_code == 200
