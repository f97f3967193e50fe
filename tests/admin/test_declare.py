"""Declaring an incident: what is typed, what would go out, and what then did."""

from __future__ import annotations

import re
from datetime import timedelta

import lxml.html
import pytest
from time_machine import Traveller

from statuspage.core.db import current_session, writing
from statuspage.core.enums import Audience, ComponentStatus, Impact, Visibility
from statuspage.messages import wording
from statuspage.public.queries import read_site, read_snapshot
from tests.admin.conftest import FIRST_POST, NEW, NOTICE, Desk, look, messages, publish_after
from tests.announcing import ACTOR
from tests.browsing import actions, fields, reasons, texts
from tests.factories import NOON, the_page
from tests.htmlchecker import HtmlChecker


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


def test_checks_that_are_off_in_the_pages_language_are_named(desk: Desk) -> None:
    said = "Some checks of tone and truth are off"
    typed = {"title": "Payments fail", "users_notice": "Cards are declined.", "preview": "1"}
    assert said not in desk.browser.send_shown(NEW, typed).text
    with desk.app.app_context(), writing() as session:
        the_page(session).language = "nl"
    assert said in desk.browser.send_shown(NEW, typed).text


def test_the_form_and_its_texts_are_sound_html(desk: Desk, html_errors: HtmlChecker) -> None:
    assert html_errors(desk.get(NEW).text) == []
    assert html_errors(look(desk).text) == []
    assert html_errors(desk.browser.send_shown(NEW, {"publish": "1"}).text) == []


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
            "When it started: This time is in the future; enter one that has passed",
        ),
        (
            {"promise": "at"},
            "Time of the next update: Enter when the next update is due",
        ),
        (
            {"promise": "none"},
            "Why no update is scheduled: Say why no next update is scheduled",
        ),
        (
            {"promise": "at", "next_update_at": "2026-03-04T11:00"},
            "Time of the next update: The next update must be due in the future.",
        ),
        (
            {"users_notice": "x" * 10_001},
            "What users notice: Use at most 10,000 characters; this has 10,001",
        ),
        ({"status": "resolved"}, "Status of the first update: Pick one from the list"),
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


def test_without_what_users_notice_the_first_post_names_the_affected_components(
    desk: Desk,
) -> None:
    code = desk.declare(users_notice="")
    assert desk.posts(code)[-1].body == FIRST_POST.replace(
        f"{NOTICE}\n\nWe’re investigating and working to get things back to normal.",
        "We’re investigating a problem with Checkout.",
    )


@pytest.fixture
def strict_wording(desk: Desk) -> None:
    """The company's own first post, which has no other text where users' notice is missing."""
    with desk.app.app_context():
        wording.save_wording(
            "public/investigating",
            subject="Investigating: {{ title }}",
            body="{{ users_notice }}",
            actor=ACTOR,
        )


@pytest.mark.usefixtures("strict_wording")
def test_a_text_with_a_gap_is_not_published_and_keeps_what_was_typed(desk: Desk) -> None:
    answer = desk.browser.send_shown(NEW, {**desk.filled(), "users_notice": "", "publish": "1"})
    assert (answer.status_code, reasons(answer)) == (
        422,
        ["Public post: This text is missing: users notice."],
    )
    assert fields(answer.text)["title"] == "Payments fail"
    assert desk.incidents() == []


@pytest.mark.usefixtures("strict_wording")
def test_a_gap_is_named_and_leads_to_its_field(desk: Desk) -> None:
    shown = look(desk, users_notice="")
    assert texts(shown, "is-incomplete", "//p[contains(@class, 'reason')]") == [
        "Can’t be sent yet. Missing: what users notice"
    ]
    assert '<mark class="gap">what users notice</mark>' in shown.text


def test_an_internal_incident_tells_colleagues_alone(desk: Desk) -> None:
    code = desk.declare(visibility="internal")
    incident = desk.incident(code)
    assert incident.visibility is Visibility.INTERNAL
    assert set(messages(desk)) == {Audience.INTERNAL}
    assert desk.get(f"/incidents/{code}").status_code == 404


def test_links_in_an_edited_or_copied_text_lead_to_the_incident(
    desk: Desk, frozen: Traveller
) -> None:
    shown = look(desk)
    reply = lxml.html.fromstring(shown.text).get_element_by_id("handout-support").value
    made = fields(shown.text)["text_internal"]
    frozen.shift(timedelta(seconds=20))
    edited = {**fields(shown.text), "text_internal": f"{made}\nCall me."}
    again = desk.browser.send(NEW, {**edited, "preview": "1"})
    assert texts(again, "mark") == ["generated", "edited"]
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


def seen(desk: Desk) -> tuple[Impact, bool]:
    """What colours the page, and whether it has a banner."""
    with desk.app.app_context():
        frame = read_snapshot(read_site(current_session())).frame
        return frame.indicator, bool(frame.pinned)


def test_an_incident_without_impact_changes_no_headline_at_any_severity(desk: Desk) -> None:
    unaffected = {f"components-{desk.checkout}": "", "breadth": "unknown"}
    code = desk.declare(**unaffected, impact="none")
    assert (desk.incident(code).severity_rank, desk.incident(code).impact) == (1, Impact.NONE)
    assert seen(desk) == (Impact.NONE, False)
    desk.post(code, "investigating", impact="major")
    assert (desk.incident(code).impact, seen(desk)) == (Impact.MAJOR, (Impact.MAJOR, True))
    desk.post(code, "investigating", impact="none", again="1")
    assert seen(desk) == (Impact.NONE, False)
    assert [one.status for one in desk.posts(code)] == ["investigating"] * 3
