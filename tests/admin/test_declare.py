"""Declaring an incident: what is typed, what would go out, and what then did."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import lxml.html
import pytest
from time_machine import Traveller

from statuspage.core.db import current_session
from statuspage.core.enums import Audience, ComponentStatus, IncidentStatus, Visibility
from statuspage.models import Message
from tests.admin.conftest import NEW, Desk
from tests.browsing import actions, fields, reasons, said, texts
from tests.factories import NOON
from tests.htmlchecker import HtmlChecker

NOTICE = "Payments are declined at checkout."
FIRST_POST = f"""{NOTICE}

We are investigating and working to get things back to normal.

The next update comes by Mar 4, 2026, 12:30 UTC, or sooner if there is news."""


def look(desk: Desk, **values: Any) -> Any:
    """Press “Show the texts”."""
    return desk.browser.send_shown(NEW, {**desk.filled(), **values, "preview": "1"})


def publish_after(desk: Desk, shown: Any, **values: Any) -> Any:
    """Publish the form as it was shown, with changes."""
    return desk.browser.send(NEW, {**fields(shown.text), **values, "publish": "1"})


def messages(desk: Desk) -> dict[Audience, Message]:
    with desk.app.app_context():
        return {message.audience: message for message in current_session().query(Message)}


def test_declaring_publishes_the_first_post(desk: Desk) -> None:
    code = desk.declare()
    incident = desk.incident(code)
    assert (incident.title, incident.severity_name) == ("Payments fail", "SEV1")
    assert [(row.component_id, row.status) for row in incident.affected] == [
        (desk.checkout, ComponentStatus.MAJOR_OUTAGE)
    ]
    assert (incident.started_at, incident.next_update_at) == (NOON, NOON + timedelta(minutes=30))
    assert [(update.status, update.body) for update in incident.updates] == [
        ("investigating", FIRST_POST)
    ]
    assert set(messages(desk)) == {Audience.PUBLIC, Audience.INTERNAL}
    assert actions(desk.app)[-1] == "incident.declare"


def test_the_form_and_its_texts_are_sound_html(desk: Desk, html_errors: HtmlChecker) -> None:
    assert html_errors(desk.get(NEW).text) == []
    assert html_errors(look(desk).text) == []
    assert html_errors(desk.browser.send_shown(NEW, {"publish": "1"}).text) == []


def test_every_text_is_seen_before_it_goes_and_seeing_changes_nothing(desk: Desk) -> None:
    shown = look(desk)
    assert shown.status_code == 200
    assert texts(shown, "sheet", "//h3") == ["Public post", "Message to colleagues"]
    assert texts(shown, "reading")[0] == " ".join(FIRST_POST.split())
    assert "SEV1 declared: Payments fail" in texts(shown, "reading")[1]
    assert texts(shown, "who") == [
        "Everybody who visits the page or reads its feeds",
        "No chat is set: colleagues are not told",
    ]
    assert texts(shown, "mark") == ["made from the facts"] * 2
    assert desk.incidents() == []


def test_a_scheme_that_writes_to_customers_counts_them_and_shows_their_mail(desk: Desk) -> None:
    shown = look(desk)
    assert "Mail to customers" not in texts(shown, "sheet", "//h3")
    desk.use_scheme("p1")
    shown = look(desk)
    assert texts(shown, "who")[2] == (
        "2 customers: customers of Checkout, and those who use everything"
    )
    assert texts(shown, "reading")[2].startswith(
        "Subject Investigating: Payments fail (Acme)Hello Ada,"
    )
    # Ada reads times in her own zone.
    assert "Mar 4, 2026, 13:00 CET" in texts(shown, "reading")[2]


@pytest.mark.parametrize(
    ("name", "limit"), [("workaround", 10_000), ("users_affected", 500), ("war_room", 500)]
)
def test_a_pasted_log_is_refused_at_its_field(desk: Desk, name: str, limit: int) -> None:
    reason = f"Use at most {limit:,} characters; this has 51,000"
    for press in ("preview", "publish"):
        shown = desk.browser.send_shown(NEW, {**desk.filled(), name: "x" * 51_000, press: "1"})
        assert shown.status_code == 422
        label = name.replace("_", " ").capitalize()
        label = {"Workaround": "What users can do meanwhile"}.get(label, label)
        assert reasons(shown) == [f"{label}: {reason}"]
        assert f"{label}: {reason}." in " ".join(shown.text.split())
    assert desk.incidents() == []


def test_the_same_form_sent_twice_makes_one_incident(desk: Desk) -> None:
    filled = {**fields(desk.get(NEW).text), **desk.filled(), "publish": "1"}
    first, second = (desk.browser.send(NEW, filled) for _ in range(2))
    assert first.headers["Location"] == second.headers["Location"]
    assert len(desk.incidents()) == 1


def test_an_edited_text_goes_out_as_edited_and_the_others_as_made(desk: Desk) -> None:
    shown = look(desk)
    answer = publish_after(desk, shown, text_public="We know.\r\n\r\nWe are **on it**.")
    assert answer.status_code == 303
    told = messages(desk)
    assert told[Audience.PUBLIC].body == "We know.\n\nWe are **on it**."
    assert told[Audience.PUBLIC].subject == "Investigating: Payments fail"
    assert (told[Audience.PUBLIC].edited, told[Audience.INTERNAL].edited) == (True, False)


def test_a_text_that_nobody_touched_follows_the_facts(desk: Desk) -> None:
    shown = look(desk)
    publish_after(desk, shown, users_notice="Nobody can pay.")
    assert messages(desk)[Audience.PUBLIC].body.startswith("Nobody can pay.")
    assert messages(desk)[Audience.PUBLIC].edited is False


def test_an_edited_text_is_kept_and_said_to_be_out_of_date_when_a_fact_changes(desk: Desk) -> None:
    edited = desk.browser.send(
        NEW, {**fields(look(desk).text), "text_public": "We know.", "preview": "1"}
    )
    assert texts(edited, "mark")[0] == "edited by hand"
    assert said(edited) == []
    changed = desk.browser.send(
        NEW, {**fields(edited.text), "users_notice": "Nobody can pay.", "preview": "1"}
    )
    assert said(changed) == [
        "A fact has changed since you edited this text. Check that it still holds."
    ]
    assert fields(changed.text)["text_public"] == "We know."


def test_an_edited_text_can_be_made_from_the_facts_again(desk: Desk) -> None:
    edited = {**fields(look(desk).text), "text_public": "We know."}
    again = desk.browser.send(NEW, {**edited, "remake": "public"})
    assert fields(again.text)["text_public"].replace("\r\n", "\n") == FIRST_POST
    assert texts(again, "mark")[0] == "made from the facts"


def test_an_emptied_text_is_made_from_the_facts(desk: Desk) -> None:
    publish_after(desk, look(desk), text_public="")
    assert messages(desk)[Audience.PUBLIC].body == FIRST_POST


def test_what_an_edited_text_promises_stays_promised(desk: Desk, frozen: Traveller) -> None:
    shown = look(desk)
    frozen.shift(timedelta(minutes=5))
    promised = fields(shown.text)["text_public"].replace("sooner", "much sooner")
    answer = publish_after(desk, shown, text_public=promised)
    code = answer.headers["Location"].rpartition("/")[2]
    assert desk.incident(code).next_update_at == NOON + timedelta(minutes=30)


def test_what_nobody_edited_is_promised_from_the_moment_of_publishing(
    desk: Desk, frozen: Traveller
) -> None:
    shown = look(desk)
    frozen.shift(timedelta(minutes=5))
    code = publish_after(desk, shown).headers["Location"].rpartition("/")[2]
    assert desk.incident(code).next_update_at == NOON + timedelta(minutes=35)
    assert "by Mar 4, 2026, 12:35 UTC" in desk.posts(code)[0].body


@pytest.mark.parametrize(
    ("chosen", "promised"),
    [
        ({"promise": "15"}, NOON + timedelta(minutes=15)),
        ({"promise": "none", "no_promise_because": "A holiday"}, None),
        ({"promise": "at", "next_update_at": "2026-03-04T18:00"}, NOON + timedelta(hours=6)),
        ({"severity_rank": "3"}, None),
        ({"severity_rank": "2"}, NOON + timedelta(hours=1)),
    ],
)
def test_the_next_update_is_promised_as_chosen(
    desk: Desk, chosen: dict[str, str], promised: Any
) -> None:
    assert desk.incident(desk.declare(**chosen)).next_update_at == promised


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        (
            {"title": ""},
            "Title: Give it a title that a customer would understand",
        ),
        ({"title": "x" * 201}, "Title: Use at most 200 characters; this has 201"),
        ({"severity_rank": ""}, "Severity: Choose how severe it is"),
        ({"severity_rank": "9"}, "Severity: Choose how severe it is"),
        (
            {"started_at": "2026-03-04T13:00"},
            "When it started: This time is still to come; enter one that has passed",
        ),
        (
            {"promise": "at"},
            "Time of the next update: Enter when the next update comes",
        ),
        (
            {"promise": "none"},
            "Why no update is promised: Say why no next update is promised",
        ),
        (
            {"promise": "at", "next_update_at": "2026-03-04T11:00"},
            "Time of the next update: The next update must be promised for a time to come.",
        ),
        ({"users_notice": ""}, "Public post: This text still lacks: users notice."),
        (
            {"users_notice": "x" * 10_001},
            "What users notice: Use at most 10,000 characters; this has 10,001",
        ),
        ({"status": "resolved"}, "Status of the first post: Pick one from the list"),
        ({"components-1": "broken"}, "Affected components: Pick the states from the lists"),
        (
            {"components-4711": "major_outage"},
            "Affected components: One of these components no longer exists.",
        ),
    ],
)
def test_what_cannot_be_taken_comes_back_with_its_reason_and_all_that_was_typed(
    desk: Desk, changes: dict[str, str], reason: str
) -> None:
    typed = {**desk.filled(), "war_room": "https://meet.example.com/war", **changes}
    answer = desk.browser.send_shown(NEW, {**typed, "publish": "1"})
    assert (answer.status_code, reasons(answer)) == (422, [reason])
    kept = fields(answer.text)
    assert kept["war_room"] == "https://meet.example.com/war"
    assert kept["title"] == typed["title"]
    assert desk.incidents() == []


def test_a_gap_is_named_and_leads_to_its_field(desk: Desk) -> None:
    shown = look(desk, users_notice="")
    assert texts(shown, "lacks", "//p[contains(@class, 'reason')]") == [
        "Cannot go out yet. It lacks: what users notice"
    ]
    assert '<mark class="gap">what users notice</mark>' in shown.text


def test_an_internal_incident_tells_colleagues_alone(desk: Desk) -> None:
    code = desk.declare(visibility="internal")
    incident = desk.incident(code)
    assert incident.visibility is Visibility.INTERNAL
    assert set(messages(desk)) == {Audience.INTERNAL}
    assert desk.get(f"/incidents/{code}").status_code == 404


def test_facts_and_people_are_kept(desk: Desk) -> None:
    ada = desk.add_contact("Ada")
    code = desk.declare(
        status="identified",
        cause="A full disk.",
        cause_confirmed="y",
        workaround="Pay by invoice.",
        expected_back="2026-03-04T14:00",
        watch_minutes="30 min",
        technical_cause="db7 /var full",
        commander=str(ada),
        war_room="https://meet.example.com/war",
    )
    incident = desk.incident(code)
    assert incident.status == IncidentStatus.IDENTIFIED
    assert incident.public_facts == {
        "cause": "A full disk.",
        "cause_confirmed": True,
        "workaround": "Pay by invoice.",
        "expected_back": "2026-03-04T14:00:00+00:00",
        "watch_minutes": 30,
    }
    assert incident.internal_facts == {"technical_cause": "db7 /var full"}
    assert (incident.commander_id, incident.war_room) == (ada, "https://meet.example.com/war")


def test_typed_markup_and_tokens_stay_text(desk: Desk) -> None:
    shown = look(
        desk, title="<b>Pay</b> [[name]]", users_notice="<script>alert(1)</script> \u202e [[x]]"
    )
    assert "<script>alert" not in shown.text
    assert "<b>Pay</b>" not in shown.text
    assert texts(shown, "lacks") == []


def test_the_script_gets_the_texts_alone(desk: Desk) -> None:
    filled = {**fields(desk.get(NEW).text), **desk.filled()}
    answer = desk.browser.send(f"{NEW}/texts", filled)
    assert answer.status_code == 200
    assert texts(answer, "reading")[0] == " ".join(FIRST_POST.split())
    assert "<html" not in answer.text


def test_without_a_title_the_texts_wait(desk: Desk) -> None:
    assert said(desk.get(NEW)) == [
        "The texts stand here once they can be made. "
        "Give it a title that a customer would understand."
    ]


def test_links_in_an_edited_or_copied_text_lead_to_the_incident(
    desk: Desk, frozen: Traveller
) -> None:
    shown = look(desk)
    reply = lxml.html.fromstring(shown.text).get_element_by_id("handout-support").value
    made = fields(shown.text)["text_internal"]
    frozen.shift(timedelta(seconds=20))
    edited = {**fields(shown.text), "text_internal": f"{made}\nCall me."}
    again = desk.browser.send(NEW, {**edited, "preview": "1"})
    assert texts(again, "mark") == ["made from the facts", "edited by hand"]
    code = publish_after(desk, again).headers["Location"].rpartition("/")[2]
    assert f"/admin/incidents/{code}" in messages(desk)[Audience.INTERNAL].body
    assert f"/incidents/{code}" in reply
    assert desk.incident(code).title == "Payments fail"


def test_no_form_can_choose_the_code_of_an_incident(desk: Desk) -> None:
    made = {}
    for key in ("one", "two", "one\0", "x" * 65):
        answer = desk.browser.send_shown(NEW, {**desk.filled(), "form_key": key, "publish": "1"})
        made[key] = answer.headers["Location"].rpartition("/")[2]
    assert len(set(made.values())) == len(made)
    assert all(re.fullmatch("[a-z0-9]{12}", code) for code in made.values())


def test_a_grave_incident_without_a_part_asks_how_much_is_affected(desk: Desk) -> None:
    nothing = {f"components-{desk.checkout}": ""}
    asked = desk.browser.send_shown(NEW, {**desk.filled(), **nothing, "publish": "1"})
    assert reasons(asked) == [
        "Affected components: Choose the affected components, “All components” or “Cannot say yet”"
    ]
    code = desk.declare(**nothing, breadth="unknown")
    assert desk.incident(code).affected == []
    code = desk.declare(**nothing, breadth="all")
    assert {row.status for row in desk.incident(code).affected} == {ComponentStatus.MAJOR_OUTAGE}
    assert len(desk.incident(code).affected) == 2
    assert desk.incident(desk.declare(**nothing, severity_rank="3")).affected == []
