"""The screen on which a person's data is looked up and erased."""

from __future__ import annotations

from tests.admin.conftest import Desk
from tests.browsing import reasons, said, texts
from tests.htmlchecker import HtmlChecker

PATH = "/admin/personal-data"
ADA = {"email": "Ada@Example.com"}


def test_what_is_held_is_shown(desk: Desk, html_errors: HtmlChecker) -> None:
    desk.resolve(desk.declare())
    shown = desk.browser.send(PATH, ADA)
    assert texts(shown, "facts", "//dd")[1:] == ["Not on the list", "No", "1"]
    assert texts(shown, "list", "//a") == ["Resolved: Payments fail (Acme)"]
    assert "Data stored about ada@example.com" in shown.text
    assert [html_errors(page.text) for page in (shown, desk.get(PATH))] == [[], []]


def test_an_address_stands_in_no_link(desk: Desk) -> None:
    shown = desk.browser.send(PATH, ADA)
    assert "ada@example.com" not in "".join(
        part.partition('"')[0] for part in shown.text.split('href="')[1:]
    )


def test_what_is_no_address_is_refused(desk: Desk) -> None:
    assert reasons(desk.browser.send(PATH, {"email": "ada"}))[0].startswith("Email address: ")


def test_nothing_is_erased_before_it_is_confirmed(desk: Desk) -> None:
    desk.browser.send(f"{PATH}/erase", {"address": "ada@example.com"})
    assert said(desk.get(PATH))[0].startswith("Nothing was erased")
    assert "Ada" in desk.browser.send(PATH, ADA).text


def test_a_person_is_erased_and_may_come_back_when_they_ask(desk: Desk) -> None:
    desk.browser.send(f"{PATH}/erase", {"address": "ada@example.com", "sure": "yes"})
    assert said(desk.get(PATH))[0].startswith("Erased: 1 list entries")
    erased = desk.browser.send(PATH, ADA)
    assert "Nothing to erase." in erased.text
    added = {"email": "ada@example.com", "language": "en"}
    again = desk.browser.send_shown("/admin/customers/new", added)
    assert "asked to be erased" in reasons(again)[0]
    desk.browser.send(f"{PATH}/allow", {"address": "ada@example.com"})
    assert said(desk.get(PATH)) == ["The address is allowed again."]
    assert desk.browser.send_shown("/admin/customers/new", added).status_code == 303


def test_what_cannot_be_erased_is_told(desk: Desk) -> None:
    for action in ("erase", "allow"):
        desk.browser.send(f"{PATH}/{action}", {"address": "nobody", "sure": "yes"})
        assert len(said(desk.get(PATH))) == 1
