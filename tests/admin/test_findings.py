"""The checks on the desk: marked places, what holds a text back, and what has changed."""

from __future__ import annotations

from typing import Any

from lxml import html
from werkzeug.test import TestResponse

from statuspage.configuration import blocked_terms
from statuspage.configuration.blocked_terms import TermLists
from statuspage.core.db import current_session
from statuspage.models import AuditEntry
from tests.admin.conftest import NEW, Desk
from tests.announcing import ACTOR
from tests.browsing import fields

LEAKY = "Payments fail on db-01. The next update comes by 12:30 UTC, soon."


def sheet(answer: TestResponse, name: str) -> Any:
    (found,) = html.fromstring(answer.text).cssselect(f"[data-sheet={name}]")
    return found


def said(found: Any, selector: str) -> list[str]:
    return [" ".join(one.text_content().split()) for one in found.cssselect(selector)]


def look(desk: Desk, **values: str) -> TestResponse:
    return desk.browser.send_shown(NEW, {**desk.filled(), **values, "preview": "1"})


def test_a_finding_tells_why_and_marks_its_place(desk: Desk) -> None:
    public = sheet(look(desk, users_notice=LEAKY), "public")
    assert said(public, ".remarks .holds") == [
        "Blocked. This is the name of a server. Payments fail on db-01. The next update …"
    ]
    assert "This is vague." in said(public, ".remarks .warns")[0]
    assert said(public, ".reading mark.held") == ["db-01"]
    assert said(public, ".reading mark.look") == ["soon"]
    assert public.cssselect(".override[hidden]") == []


def test_a_clean_text_has_no_remarks_and_asks_for_no_reason(desk: Desk) -> None:
    public = sheet(look(desk), "public")
    assert said(public, ".remarks") == []
    assert len(public.cssselect(".override[hidden]")) == 1


def test_colleagues_texts_are_not_checked(desk: Desk) -> None:
    internal = sheet(look(desk, technical_cause="db-01 ran full, see OPS-12"), "internal")
    assert said(internal, ".remarks, .override") == []


def test_what_would_leak_stops_publishing_until_somebody_says_why(desk: Desk) -> None:
    held = desk.browser.send_shown(NEW, {**desk.filled(), "title": "db-01 is down", "publish": "1"})
    assert held.status_code == 422
    assert desk.incidents() == []
    assert "This would expose internal information: “db-01”." in held.text
    # The title stands in the subject of the public post; edited, it is still the facts' own text.
    why = {**fields(held.text), "because_public": "Everybody calls it that.", "publish": "1"}
    assert desk.browser.send(NEW, why).status_code == 303
    with desk.app.app_context():
        (entry,) = current_session().query(AuditEntry).filter_by(action="message.override")
        assert (entry.after or {})["reason"] == "Everybody calls it that."


def test_warnings_stop_nothing(desk: Desk) -> None:
    code = desk.declare(users_notice="Latency is elevated, we hope to be back soon.")
    assert desk.incident(code).is_open


def test_the_last_step_holds_mails_back_too(desk: Desk) -> None:
    code = desk.declare()
    asked = desk.post(code, "resolved", resolution="We restarted 10.0.0.7.")
    path = f"/admin/incidents/{code}"
    held = desk.browser.send(path, {**fields(asked.text), "publish": "1"})
    assert held.status_code == 422
    assert said(sheet(held, "customer"), ".holds")[0].startswith("Blocked.")
    reasons = {"because_public": "It is a sample.", "because_customer": "It is a sample."}
    answer = desk.browser.send(path, {**fields(held.text), **reasons, "publish": "1"})
    assert answer.status_code == 303
    assert desk.resolved_mail().override["reason"] == "It is a sample."


def test_the_one_press_is_not_offered_where_it_would_be_refused(desk: Desk) -> None:
    code = desk.declare()
    assert "No change yet" in desk.get(f"/admin/incidents/{code}").text
    with desk.app.app_context():
        blocked_terms.change_blocked_terms(TermLists(code_names="investigating"), actor=ACTOR)
    assert "No change yet" not in desk.get(f"/admin/incidents/{code}").text


def test_what_differs_from_the_last_text_is_shown_by_word(desk: Desk) -> None:
    code = desk.declare()
    shown = desk.browser.send_shown(
        f"/admin/incidents/{code}",
        {"users_notice": "Payments are slow at checkout.", "preview": "1"},
    )
    changes = sheet(shown, "public").cssselect("[data-part=changes]")[0]
    assert said(changes, "del")[0] == "declined"
    assert said(changes, "ins")[0] == "slow"


def test_a_first_text_differs_from_nothing(desk: Desk) -> None:
    assert sheet(look(desk), "public").cssselect(".changed:not([hidden])") == []


def test_a_text_about_another_step_is_not_compared_with_the_last(desk: Desk) -> None:
    code = desk.declare()
    shown = desk.browser.send_shown(
        f"/admin/incidents/{code}",
        {"status": "identified", "action": "We roll back.", "preview": "1"},
    )
    names = ("public", "internal")
    assert [sheet(shown, name).cssselect(".changed:not([hidden])") for name in names] == [[], []]


def test_texts_to_copy_stand_beside_and_are_no_part_of_the_form(desk: Desk) -> None:
    shown = html.fromstring(look(desk).text)
    texts = shown.cssselect(".handout textarea[readonly]")
    assert [one.get("name") for one in texts] == [None, None]
    labels = [one.text for one in shown.cssselect(".handout label")]
    assert labels == ["Executive summary", "Reply for support"]
    assert "SEV1, investigating: Payments fail." in texts[0].text
