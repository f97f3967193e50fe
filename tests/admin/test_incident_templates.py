"""Incident templates: shipped, changed, added, removed, restored; one choice fills the form."""

from __future__ import annotations

from statuspage.configuration.incident_templates import SHIPPED
from tests.admin.conftest import NEW, Desk
from tests.browsing import actions, fields, reasons, said, texts
from tests.htmlchecker import HtmlChecker

TEMPLATES = "/admin/incident-templates"


def labels(desk: Desk) -> list[str]:
    return texts(desk.get(TEMPLATES), "list", "//strong")


def test_one_choice_fills_the_declaration_in(desk: Desk) -> None:
    shown = desk.get(f"{NEW}?template=checkout")
    filled = fields(shown.text)
    assert (filled["title"], filled["severity_rank"]) == ("Orders can’t be completed", "1")
    assert filled["action"] == "We’re restoring the checkout."
    assert filled[f"components-{desk.checkout}"] == "major_outage"
    assert filled[f"components-{desk.catalog}"] == ""
    answer = desk.browser.send(f"{NEW}?template=checkout", {**filled, "publish": "1"})
    assert answer.status_code == 303
    assert desk.incidents()[0].title == "Orders can’t be completed"


def test_what_was_typed_wins_over_the_template(desk: Desk) -> None:
    filled = fields(desk.get(f"{NEW}?template=checkout").text)
    shown = desk.browser.send(
        f"{NEW}?template=checkout", {**filled, "title": "Ours", "users_notice": ""}
    )
    assert (fields(shown.text)["title"], fields(shown.text)["users_notice"]) == ("Ours", "")


def test_a_shipped_one_is_changed_and_restored(desk: Desk, html_errors: HtmlChecker) -> None:
    place = f"{TEMPLATES}/checkout"
    desk.browser.send_shown(place, {"title": "Nobody can buy anything"})
    assert fields(desk.get(f"{NEW}?template=checkout").text)["title"] == "Nobody can buy anything"
    assert html_errors(desk.get(TEMPLATES).text) == []
    assert html_errors(desk.get(place).text) == []
    desk.browser.send(f"{place}/restore", {})
    assert fields(desk.get(f"{NEW}?template=checkout").text)["title"] == SHIPPED["checkout"].title
    desk.browser.send(f"{place}/remove", {})
    assert "Checkout" in labels(desk)[-1:]
    assert desk.get(place).status_code == 404
    assert fields(desk.get(f"{NEW}?template=checkout").text)["title"] == ""
    desk.browser.send(f"{place}/restore", {})
    assert labels(desk) == [one.label for one in SHIPPED.values()]
    assert [one for one in actions(desk.app) if one.startswith("template.")] == [
        "template.change", "template.restore", "template.remove", "template.restore",
    ]  # fmt: skip


def test_one_of_your_own_is_added_and_removed(desk: Desk) -> None:
    values = {"label": "Search", "title": "Search fails", "users_notice": "No matches."}
    desk.browser.send_shown(f"{TEMPLATES}/new", values)
    assert said(desk.get(TEMPLATES)) == ["Search is saved."]
    assert labels(desk)[-1] == "Search"
    place = desk.get(TEMPLATES).text.rpartition(f"{TEMPLATES}/own-")[2].partition('"')[0]
    desk.browser.send(f"{TEMPLATES}/own-{place}/remove", {})
    assert "Search" not in labels(desk)


def test_what_outsiders_should_not_read_is_held_back(desk: Desk) -> None:
    refused = desk.browser.send_shown(
        f"{TEMPLATES}/database", {"users_notice": "db-01.internal is down."}
    )
    assert reasons(refused)[0].startswith(
        "What users notice: This would expose internal information"
    )
    because = {"because": "Customers call it that."}
    filled = {**fields(refused.text), **because}
    assert desk.browser.send(f"{TEMPLATES}/database", filled).status_code == 303


def test_two_who_change_one_at_once_are_asked(desk: Desk) -> None:
    seen = fields(desk.get(f"{TEMPLATES}/api").text)
    desk.browser.send_shown(f"{TEMPLATES}/api", {"title": "The API fails"})
    late = desk.browser.send(f"{TEMPLATES}/api", {**seen, "title": "Requests fail"})
    assert late.status_code == 422
    assert "Someone else saved this" in late.text


def test_the_runbook_of_a_template_is_shown_at_declaration_and_on_the_incident(
    desk: Desk,
) -> None:
    runbook = "https://wiki.example.com/checkout"
    desk.browser.send_shown(f"{TEMPLATES}/checkout", {"runbook": runbook})
    shown = desk.get(f"{NEW}?template=checkout")
    assert runbook in shown.text
    filled = fields(shown.text)
    assert filled["template_key"] == "checkout"
    answer = desk.browser.send(NEW, {**filled, "publish": "1"})
    code = answer.headers["Location"].rpartition("/")[2]
    assert runbook in desk.get(f"/admin/incidents/{code}").text
    assert runbook not in desk.get(f"/incidents/{code}").text
