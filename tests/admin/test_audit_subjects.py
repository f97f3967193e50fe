"""The audit trail says what its entries are about, and leads there."""

from __future__ import annotations

import lxml.html

from tests.admin.conftest import Desk
from tests.browsing import texts


def titles(desk: Desk, query: str) -> list[str]:
    return texts(desk.get(f"/admin/audit{query}"), "trail", "/li/p[1]")


def test_a_code_is_shown_as_the_title_that_leads_there(desk: Desk) -> None:
    code = desk.declare(title="Payments fail")
    page = desk.get("/admin/audit?text=payments")
    tree = lxml.html.fromstring(page.text)
    shown = {(one.text, one.get("href")) for one in tree.xpath("//ol[@class='trail']/li/p/a")}
    assert shown == {("Payments fail", f"/admin/incidents/{code}")}
    people = tree.xpath("//select[@name='person']/option/@value")
    by_me, by_none = (titles(desk, f"?person={one}") for one in (people[1], "999"))
    assert "Incident: declare Payments fail" in by_me
    assert by_none == []
