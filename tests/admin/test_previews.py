"""The texts beside a form: whom they reach, in the words of the button that sends them."""

from __future__ import annotations

from markupsafe import Markup

from statuspage.admin.previews import Sheet, name_targets
from statuspage.recipients.who_receives import Reach
from tests.admin.conftest import Desk
from tests.browsing import texts


def sheet(
    name: str, recipients: int = 0, subscribers: int | None = None, *, drill: bool = False
) -> Sheet:
    """A text with its recipients, and nothing else worth telling."""
    by_mail = None if subscribers is None else Reach([("all", subscribers)])
    return Sheet(
        name, "", "", Markup(), False, "", recipients, 0, by_mail, False, False, False, (), (), (),
        False, None, (), drill, None,
    )  # fmt: skip


def test_the_button_names_everybody_whom_it_reaches() -> None:
    sheets = [sheet("public", subscribers=1212), sheet("internal", 1), sheet("customer", 1)]
    assert name_targets(sheets, "#incidents") == (
        "page, 1,212 subscribers, #incidents and 1 customer"
    )
    assert name_targets(sheets[:2], "") == "page, 1,212 subscribers and 1 chat room"


def test_nobody_is_named_who_is_not_reached() -> None:
    assert name_targets([sheet("public", subscribers=0), sheet("internal", 0)], "#help") == "page"
    assert name_targets([sheet("internal", 2)], "#help") == "2 chat rooms"
    assert name_targets([], "#help") == ""


def test_a_drill_reaches_its_own_addresses_and_no_page() -> None:
    sheets = [sheet("public", subscribers=2, drill=True)]
    assert name_targets(sheets, "") == "2 drill addresses"


def test_the_form_s_button_says_what_it_does(desk: Desk) -> None:
    code = desk.declare()
    path = f"/admin/incidents/{code}"
    assert texts(desk.get(path), "bar-below", "/button[@data-part='press']") == ["Post to page"]
    resolving = desk.browser.send_shown(path, {"status": "resolved", "preview": "1"})
    assert texts(resolving, "bar-below", "/button[@data-part='press']") == ["Continue to resolve"]
