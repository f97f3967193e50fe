"""Titles and names of components are checked before everybody reads them, as texts are."""

from __future__ import annotations

from tests.admin.conftest import NEW, Desk
from tests.browsing import actions, fields, reasons, said

LEAKS = (
    "This would expose internal information: “db-01.internal”. Take it out, or say why it stays."
)


def test_a_title_that_leaks_holds_the_declaration_back(desk: Desk) -> None:
    values = {**desk.filled(), "title": "db-01.internal is down", "publish": "1"}
    refused = desk.browser.send_shown(NEW, values)
    assert reasons(refused) == [f"Title: {LEAKS}"]
    because = {"because_public": "Customers call it that.", "because_customer": "The same."}
    assert desk.browser.send(NEW, {**fields(refused.text), **because, "publish": "1"}).status_code
    assert [one.title for one in desk.incidents()] == ["db-01.internal is down"]


def test_a_title_that_is_changed_is_held_back_too(desk: Desk) -> None:
    path = f"/admin/incidents/{desk.declare()}/details"
    refused = desk.browser.send_shown(path, {"title": "db-01.internal is down"})
    assert reasons(refused) == [f"Title: {LEAKS}"]
    assert desk.incidents()[0].title == "Payments fail"
    desk.browser.send(path, {**fields(refused.text), "because": "Customers call it that."})
    assert desk.incidents()[0].title == "db-01.internal is down"
    assert actions(desk.app)[-2:] == ["message.override", "incident.change"]


def test_nobody_outside_reads_an_internal_title(desk: Desk) -> None:
    code = desk.declare(visibility="internal", title="db-01.internal is down")
    refused = desk.post(code, "investigating", publishes="y")
    assert LEAKS in reasons(refused)[0]
    assert desk.incident(code).is_internal


def test_what_is_only_worth_a_look_is_said_after_it_is_saved(desk: Desk) -> None:
    path = f"/admin/incidents/{desk.declare()}/details"
    desk.browser.send_shown(path, {"title": "PAYMENTS FAIL EVERYWHERE NOW"})
    assert said(desk.get("/admin/incidents"))[0] == (
        "The details are saved. Check: “PAYMENTS FAIL EVERYWHERE NOW”: Avoid capitals "
        "and repeated exclamation marks."
    )


def test_the_name_of_a_component_is_held_back(desk: Desk) -> None:
    path = "/admin/components/new"
    refused = desk.browser.send_shown(path, {"name": "db-01.internal"})
    assert reasons(refused) == [f"Name: {LEAKS}"]
    answer = desk.browser.send(path, {**fields(refused.text), "because": "It is our product."})
    assert answer.status_code == 303
    assert actions(desk.app)[-2:] == ["component.override", "component.add"]
    # What stands there already is not asked about again.
    there = f"/admin/components/{desk.catalog}"
    assert desk.browser.send_shown(there, {"description": "On db-01.internal."}).status_code == 422
