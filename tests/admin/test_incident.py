"""An incident's desk: posting, resolving, reopening, correcting; and two people at once."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import lxml.html
import pytest
from sqlalchemy import select, update
from time_machine import Traveller
from werkzeug.test import TestResponse

from statuspage.core.db import writing
from statuspage.core.enums import (
    Audience,
    ComponentStatus,
    IncidentRole,
    IncidentStatus,
    Step,
    Visibility,
)
from statuspage.incidents import inputs, lifecycle
from statuspage.incidents.publish import Submission
from statuspage.models import Customer, Incident
from tests.admin.conftest import Desk, path, sent, state_of
from tests.announcing import ACTOR
from tests.browsing import actions, fields, reasons, said, texts
from tests.factories import NOON
from tests.htmlchecker import HtmlChecker


def somebody_else_posts(desk: Desk, code: str) -> None:
    with desk.app.app_context():
        update = inputs.NewUpdate(IncidentStatus.IDENTIFIED)
        lifecycle.post_update(code, update, Submission(ACTOR, "another sheet"))


def test_updates_are_posted_with_states_and_promises(desk: Desk, frozen: Traveller) -> None:
    code = desk.declare()
    frozen.shift(timedelta(minutes=10))
    answer = desk.post(
        code,
        "identified",
        **{f"components-{desk.checkout}": "partial_outage"},
        cause="A certificate ran out.",
        cause_confirmed="y",
        promise="15",
    )
    assert answer.headers["Location"] == path(code)
    assert said(desk.get(path(code))) == ["Posted: Identified, 12:10 UTC. It goes to 1 chat room."]
    incident = desk.incident(code)
    assert (incident.status, incident.next_update_at) == (
        "identified", NOON + timedelta(minutes=25),
    )  # fmt: skip
    assert "We’ve found the cause. A certificate ran out." in incident.updates[-1].body
    assert state_of(desk, desk.checkout) is ComponentStatus.PARTIAL_OUTAGE


def test_a_component_can_join_later(desk: Desk) -> None:
    code = desk.declare()
    desk.post(code, "identified", **{f"components-{desk.catalog}": "degraded_performance"})
    assert state_of(desk, desk.catalog) is ComponentStatus.DEGRADED_PERFORMANCE
    assert state_of(desk, desk.checkout) is ComponentStatus.MAJOR_OUTAGE


def test_every_state_of_the_desk_is_sound_html(desk: Desk, html_errors: HtmlChecker) -> None:
    code = desk.declare()
    assert html_errors(desk.get(path(code)).text) == []
    assert html_errors(desk.get(f"{path(code)}/details").text) == []
    update = desk.posts(code)[0].code
    desk.browser.send_shown(f"{path(code)}/posts/{update}", {"body": "Corrected."})
    assert html_errors(desk.get(f"{path(code)}/posts/{update}").text) == []
    assert html_errors(desk.post(code, "resolved").text) == []
    assert desk.resolve(code).status_code == 303
    assert html_errors(desk.get(path(code)).text) == []
    assert html_errors(desk.get(f"{path(code)}?do=reopen").text) == []
    assert html_errors(desk.get("/admin/incidents").text) == []


def gate(answer: TestResponse) -> dict[str, str]:
    """What stands before the button, as it is shown."""
    tree = lxml.html.fromstring(answer.text)
    for hidden in tree.xpath("//dl//*[@hidden]"):
        hidden.drop_tree()
    rows = tree.xpath("//dl[contains(@class, 'gate')]/div")
    return {
        " ".join(row[0].text_content().split()): " ".join(row[1].text_content().split())
        for row in rows
    }


def test_a_fix_that_was_not_watched_long_enough_needs_a_reason(
    desk: Desk, frozen: Traveller
) -> None:
    desk.use_scheme("sev")
    code = desk.declare()
    desk.post(code, "monitoring")
    frozen.shift(timedelta(minutes=20))
    desk.post(code, "monitoring", users_notice="It seems to work.")
    frozen.shift(timedelta(minutes=9))
    asked = desk.post(code, "resolved")
    assert "for 29 minutes; SEV1 requires 30 minutes" in gate(asked)["Monitored"]
    refused = desk.browser.send(path(code), {**fields(asked.text), "publish": "1"})
    assert refused.status_code == 422
    assert desk.incident(code).is_open
    frozen.shift(timedelta(minutes=1))
    held = desk.post(code, "resolved")
    assert gate(held)["Monitored"] == "Passed: for 30 minutes; SEV1 requires 30 minutes"
    because = {"because_watched": "The provider told us that it is over."}
    done = desk.browser.send(path(code), {**fields(refused.text), **because, "publish": "1"})
    assert done.status_code == 303
    assert desk.posts(code)[-1].gate == {"watched": "The provider told us that it is over."}


def test_the_watch_begins_anew_where_the_fix_did_not_hold(desk: Desk, frozen: Traveller) -> None:
    desk.use_scheme("sev")
    code = desk.declare()
    desk.post(code, "monitoring")
    frozen.shift(timedelta(hours=1))
    desk.post(code, "identified")
    asked = desk.post(code, "resolved")
    assert "Status is “Identified”, not “Monitoring”" in gate(asked)["Monitored"]


def test_nothing_goes_out_before_the_last_step(desk: Desk, frozen: Traveller) -> None:
    code = desk.declare()
    frozen.shift(timedelta(hours=2, minutes=30))
    desk.browser.sign_in()
    asked = desk.post(code, "resolved")
    assert asked.status_code == 200
    assert desk.incident(code).is_open
    assert desk.mailed() == []
    assert gate(asked) == {
        "Duration": "2 hours 30 minutesMar 4, 2026, 12:00 – 14:30 UTC",
        "Monitored": "Status is “Investigating”, not “Monitoring”",
        "Checkout": "Major outage →becomes Operational",
        "Content checks": "Passed: no problems found",
        "Customers": "2 customers: 2 use everything",
        "Visitors": "All visitors and feed readers",
        "Colleagues": "Chat isn’t set up; colleagues are not notified",
        "Test": "Send me a test",
    }
    assert texts(asked, "primary") == ["Resolve and email 2 customers"]
    # One for each of the first recipients.
    assert asked.text.count("<iframe") == 2


def test_the_mail_is_shown_as_the_first_recipient_will_see_it(desk: Desk) -> None:
    asked = desk.post(desk.declare(), "resolved")
    address = asked.text.partition('<iframe class="mail" src="')[2].partition('"')[0]
    mail = desk.get(address.replace("&amp;", "&"))
    assert "Hello Ada," in mail.text
    assert "[[" not in mail.text
    policy = mail.headers["Content-Security-Policy"]
    assert "sandbox" in policy
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'self'" in policy
    assert mail.headers["X-Frame-Options"] == "SAMEORIGIN"


def test_a_frame_shows_nothing_that_this_service_did_not_sign(desk: Desk) -> None:
    assert desk.get("/admin/mail?sheet=PGI-aGVsbG88L2I-.forged").status_code == 404
    assert desk.get("/admin/mail").status_code == 404


def test_resolving_mails_every_customer_once(desk: Desk) -> None:
    code = desk.declare()
    desk.post(code, "monitoring")
    assert desk.resolve(code).status_code == 303
    assert desk.mailed() == ["ada@example.com", "bo@example.com"]
    assert state_of(desk, desk.checkout) is ComponentStatus.OPERATIONAL
    assert desk.incident(code).status == "resolved"


def test_a_component_that_is_not_back_stays_as_it_is_said_to_be(desk: Desk) -> None:
    code = desk.declare()
    impaired = {f"components-{desk.checkout}": "degraded_performance"}
    asked = desk.post(code, "resolved", **impaired)
    filled = {**fields(asked.text), "publish": "1"}
    refused = desk.browser.send(path(code), filled)
    assert reasons(refused) == [
        "Resolve before everything is restored, because: Not everything is restored. Say "
        "why it’s resolved anyway."
    ]
    assert gate(refused)["Not restored"].startswith("Not met: Checkout")
    desk.browser.send(path(code), {**filled, "because_components": "It is slow, as it was before."})
    assert desk.posts(code)[-1].gate == {"components": "It is slow, as it was before."}
    assert state_of(desk, desk.checkout) is ComponentStatus.DEGRADED_PERFORMANCE


def test_the_last_step_asks_for_what_the_mail_still_lacks(desk: Desk, frozen: Traveller) -> None:
    code = desk.declare()
    frozen.shift(timedelta(hours=1))
    asked = desk.post(code, "resolved")
    answer = desk.browser.send(
        path(code),
        {
            **fields(asked.text),
            "resolution": "We renewed the certificate.",
            "happened_at": "2026-03-04T12:45",
            "publish": "1",
        },
    )
    assert answer.status_code == 303
    incident = desk.incident(code)
    assert incident.resolved_at == NOON + timedelta(minutes=45)
    assert incident.public_facts["resolution"] == "We renewed the certificate."
    assert "It lasted 45 minutes" in incident.updates[-1].body
    assert "We renewed the certificate." in incident.updates[-1].body


def test_an_edited_mail_goes_out_as_edited(desk: Desk) -> None:
    code = desk.declare()
    asked = desk.post(code, "resolved")
    desk.browser.send(
        path(code),
        {
            **fields(asked.text),
            "subject_customer": "It is over",
            "text_customer": "Hello [[name]], it is over.",
            "publish": "1",
        },
    )
    assert sent(desk, Audience.CUSTOMER) == [(Step.RESOLVED, "Hello [[name]], it is over.")]
    assert desk.resolved_mail().subject == "It is over"


def test_a_mail_with_a_gap_is_refused_beside_its_text(desk: Desk) -> None:
    code = desk.declare()
    asked = desk.post(code, "resolved")
    answer = desk.browser.send(
        path(code), {**fields(asked.text), "text_customer": "Hello [[nmae]]", "publish": "1"}
    )
    assert answer.status_code == 422
    assert reasons(answer) == ["Customer email: This text is missing: nmae."]
    assert desk.mailed() == []


def test_from_the_last_step_there_is_a_way_back(desk: Desk) -> None:
    code = desk.declare()
    asked = desk.post(code, "resolved", users_notice="Some payments fail.")
    back = desk.browser.send(path(code), {**fields(asked.text), "back": "1"})
    assert back.status_code == 200
    kept = fields(back.text)
    assert (kept["status"], kept["users_notice"]) == ("resolved", "Some payments fail.")
    assert desk.incident(code).is_open


def test_an_end_before_the_beginning_is_refused(desk: Desk) -> None:
    code = desk.declare()
    asked = desk.post(code, "resolved")
    answer = desk.browser.send(
        path(code), {**fields(asked.text), "happened_at": "2026-03-04T11:00", "publish": "1"}
    )
    assert (answer.status_code, reasons(answer)) == (
        422, ["Over since: This is before the incident started."],
    )  # fmt: skip


def test_the_same_form_sent_twice_posts_once(desk: Desk) -> None:
    code = desk.declare()
    filled = {**fields(desk.get(path(code)).text), "status": "identified", "publish": "1"}
    assert [desk.browser.send(path(code), filled).status_code for _ in range(2)] == [303, 303]
    assert [update.status for update in desk.posts(code)] == ["investigating", "identified"]


def test_of_two_editors_the_second_is_shown_what_changed(desk: Desk) -> None:
    code = desk.declare()
    filled = {**fields(desk.get(path(code)).text), "status": "monitoring"}
    somebody_else_posts(desk, code)
    answer = desk.browser.send(
        path(code), {**filled, "users_notice": "Few payments fail.", "publish": "1"}
    )
    assert answer.status_code == 422
    assert "Someone else changed this incident while you were editing." in reasons(answer)[0]
    assert texts(answer, "new", "//h3") == ["Identified"]
    kept = fields(answer.text)
    assert (kept["status"], kept["users_notice"]) == ("monitoring", "Few payments fail.")
    assert [update.status for update in desk.posts(code)] == ["investigating", "identified"]
    assert desk.browser.send(path(code), {**kept, "publish": "1"}).status_code == 303
    assert desk.posts(code)[-1].status == "monitoring"


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"status": "postmortem"}, "Status: Pick one from the list"),
        ({"status": "wrong"}, "Status: Pick one from the list"),
        ({"happened_at": "2026-03-04T13:00"}, "When it happened: This time is in the future; enter one that has passed"),  # noqa: E501
        ({"expected_back": "soon"}, "Expected back: write the time as date and time, like 2026-03-04 12:00"),  # noqa: E501
        ({"watch_minutes": "a while"}, "Monitoring period: Enter a duration, like 30 minutes, 4 hours or 2 days"),  # noqa: E501
        ({"severity_rank": "9"}, "Severity: Pick one from the list"),
        ({"promise": "never"}, "Next update: Choose when the next update is due"),
    ],
)  # fmt: skip
def test_what_cannot_be_taken_comes_back_with_its_reason_and_all_that_was_typed(
    desk: Desk, values: dict[str, str], reason: str
) -> None:
    code = desk.declare()
    answer = desk.post(code, **{"status": "identified", "action": "We are on it.", **values})
    assert (answer.status_code, reasons(answer)) == (422, [reason])
    assert fields(answer.text)["action"] == "We are on it."
    assert len(desk.posts(code)) == 1


def test_no_change_yet_is_one_press_and_promises_anew(desk: Desk, frozen: Traveller) -> None:
    code = desk.declare()
    frozen.shift(timedelta(minutes=40))
    shown = desk.get(path(code))
    assert texts(shown, "promised", "/p")[0].startswith("The update is overdue.")
    assert "No change yet, next update by 13:10 UTC" in texts(shown, "act")[0:3]
    answer = desk.browser.send(
        f"{path(code)}/no-change",
        {"form_key": "k" * 20, "seen_version": fields(shown.text)["seen_version"]},
    )
    assert answer.status_code == 303
    incident = desk.incident(code)
    assert incident.next_update_at == NOON + timedelta(minutes=70)
    assert "There’s no change since our last update." in incident.updates[-1].body
    again = desk.browser.send(
        f"{path(code)}/no-change", {"form_key": "k" * 20, "seen_version": "1"}
    )
    assert (again.status_code, len(desk.posts(code))) == (303, 2)


def test_while_a_fix_is_watched_no_change_repeats_nothing_that_may_be_over(desk: Desk) -> None:
    code = desk.declare()
    desk.post(code, "monitoring")
    version = desk.incident(code).version
    form = {"form_key": "k" * 20, "seen_version": str(version)}
    desk.browser.send(f"{path(code)}/no-change", form)
    said = desk.incident(code).updates[-1].body
    assert "The fix is in place, and we’re still monitoring it." in said
    assert "Payments are declined" not in said


def test_no_change_is_not_said_over_somebody_elses_news(desk: Desk) -> None:
    code = desk.declare()
    seen = fields(desk.get(path(code)).text)["seen_version"]
    somebody_else_posts(desk, code)
    desk.browser.send(f"{path(code)}/no-change", {"form_key": "k" * 20, "seen_version": seen})
    assert said(desk.get(path(code))) == [
        "Someone else posted an update, so nothing was sent. Read it first."
    ]
    assert len(desk.posts(code)) == 2


def test_a_resolved_incident_is_reopened_and_tells_whoever_was_told(desk: Desk) -> None:
    code = desk.declare()
    desk.resolve(code)
    desk.deliver()
    shown = desk.get(f"{path(code)}?do=reopen")
    assert texts(shown, "who")[-1] == (
        "2 customers: every customer who was notified that it is resolved"
    )
    answer = desk.browser.send(path(code), {**fields(shown.text), "publish": "1"})
    assert answer.status_code == 303
    incident = desk.incident(code)
    assert (incident.status, incident.updates[-1].reopens) == ("investigating", True)
    assert [step for step, _ in sent(desk, Audience.CUSTOMER)] == [Step.RESOLVED, Step.REOPENED]


def test_a_resolved_incident_takes_no_update_but_its_review(desk: Desk) -> None:
    code = desk.declare()
    filled = fields(desk.get(path(code)).text)
    desk.resolve(code)
    late = desk.browser.send(path(code), {**filled, "status": "resolved", "publish": "1"})
    assert (late.status_code, reasons(late)) == (422, ["Status: Pick one from the list"])
    shown = desk.get(f"{path(code)}?do=review")
    values = {
        "cause": "A certificate ran out.",
        "cause_confirmed": "y",
        "resolution": "We renewed it.",
        "prevention": "It renews itself now.",
        "publish": "1",
    }
    assert desk.browser.send(path(code), {**fields(shown.text), **values}).status_code == 303
    assert desk.incident(code).status == "postmortem"


def test_an_incident_is_hidden_and_published_again(desk: Desk) -> None:
    code = desk.declare()
    assert desk.browser.send(f"{path(code)}/hide").status_code == 303
    assert desk.incident(code).visibility is Visibility.INTERNAL
    assert desk.get(f"/incidents/{code}").status_code == 404
    shown = desk.get(path(code))
    assert texts(shown, "sheet", "//h3") == ["Internal message"]
    desk.post(code, "identified", publishes="y")
    assert desk.incident(code).visibility is Visibility.PUBLIC
    assert actions(desk.app)[-2:] == ["incident.hide", "incident.publish"]


def test_details_change_and_nobody_is_told(desk: Desk) -> None:
    ada = desk.add_contact("Ada")
    code = desk.declare()
    before = sent(desk, Audience.INTERNAL)
    answer = desk.browser.send_shown(
        f"{path(code)}/details",
        {"title": "Card payments fail", "commander_id": str(ada), "started_at": "2026-03-04T11:30"},
    )
    assert answer.status_code == 303
    incident = desk.incident(code)
    assert (incident.title, incident.commander_id) == ("Card payments fail", ada)
    assert incident.started_at == NOON - timedelta(minutes=30)
    assert sent(desk, Audience.INTERNAL) == before
    assert actions(desk.app)[-1] == "incident.change"
    assert "Card payments fail" in desk.get(f"/incidents/{code}").text


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"title": ""}, "Title: Give it a title that a customer would understand"),
        (
            {"started_at": "2026-03-05T12:00"},
            "When it started: This time is in the future; enter one that has passed",
        ),
        ({"commander_id": "4711"}, "Incident commander: Pick one from the list"),
    ],
)
def test_wrong_details_come_back(desk: Desk, values: dict[str, str], reason: str) -> None:
    code = desk.declare()
    answer = desk.browser.send_shown(f"{path(code)}/details", {"war_room": "Room 5", **values})
    assert (answer.status_code, reasons(answer)) == (422, [reason])
    assert fields(answer.text)["war_room"] == "Room 5"


def test_of_two_people_at_the_details_the_second_is_told(desk: Desk) -> None:
    code = desk.declare()
    filled = {**fields(desk.get(f"{path(code)}/details").text), "war_room": "Room 5"}
    somebody_else_posts(desk, code)
    answer = desk.browser.send(f"{path(code)}/details", filled)
    assert answer.status_code == 422
    assert reasons(answer)[0].startswith("Someone else changed this incident")
    again = {**fields(answer.text)}
    assert again["war_room"] == "Room 5"
    assert desk.browser.send(f"{path(code)}/details", again).status_code == 303


def test_a_post_is_corrected_and_says_so(desk: Desk, frozen: Traveller) -> None:
    code = desk.declare()
    update = desk.posts(code)[0]
    frozen.shift(timedelta(minutes=5))
    answer = desk.browser.send_shown(
        f"{path(code)}/posts/{update.code}", {"body": "Card payments fail."}
    )
    assert answer.status_code == 303
    corrected = desk.posts(code)[0]
    assert (corrected.body, corrected.edited_at) == (
        "Card payments fail.", NOON + timedelta(minutes=5),
    )  # fmt: skip
    assert (corrected.entry_id, corrected.posted_at) == (update.entry_id, update.posted_at)
    assert "edited Mar 4, 2026, 12:05 UTC" in texts(desk.get(path(code)), "posts", "//header")[0]


def test_of_two_corrections_the_second_is_shown_the_first(desk: Desk) -> None:
    code = desk.declare()
    update = desk.posts(code)[0].code
    where = f"{path(code)}/posts/{update}"
    filled = {**fields(desk.get(where).text), "body": "Mine."}
    with desk.app.app_context():
        lifecycle.correct_update(update, body="Theirs.", actor=ACTOR)
    answer = desk.browser.send(where, filled)
    assert answer.status_code == 422
    assert texts(answer, "card", "/div") == ["Theirs."]
    assert desk.browser.send(where, fields(answer.text)).status_code == 303
    assert desk.posts(code)[0].body == "Mine."


def test_what_leaked_is_taken_off_the_page_when_it_is_corrected(desk: Desk) -> None:
    code = desk.declare()
    update = desk.posts(code)[0]
    where = f"{path(code)}/posts/{update.code}"
    filled = {"body": "Card payments fail.", "taken_off_because": "It names a vendor."}
    assert desk.browser.send_shown(where, filled).status_code == 303
    shown = desk.browser.get(f"/incidents/{code}").text
    assert "This text was removed from the page." in shown
    assert update.body not in shown
    assert "Taken off the page: It names a vendor." in texts(desk.get(where), "trail", "//p")[0]


def test_a_correction_needs_a_text(desk: Desk) -> None:
    code = desk.declare()
    answer = desk.browser.send_shown(
        f"{path(code)}/posts/{desk.posts(code)[0].code}", {"body": "  "}
    )
    assert (answer.status_code, reasons(answer)) == (
        422, ["Text: Write what people should read"],
    )  # fmt: skip


@pytest.mark.parametrize("below", ["", "/details", "/posts/x", "/deliveries"])
def test_an_unknown_incident_is_not_found(desk: Desk, below: str) -> None:
    assert desk.get(f"/admin/incidents/nothinghere0{below}").status_code == 404


def test_a_post_of_another_incident_is_not_found(desk: Desk) -> None:
    first, second = desk.declare(), desk.declare(title="Search is slow")
    assert desk.get(f"{path(first)}/posts/{desk.posts(second)[0].code}").status_code == 404


def test_the_script_gets_the_texts_and_the_report_alone(desk: Desk) -> None:
    code = desk.declare()
    filled = {**fields(desk.get(path(code)).text), "status": "identified"}
    answer = desk.browser.send(f"{path(code)}/texts", filled)
    assert texts(answer, "sheet", "//h3") == ["Public post", "Internal message"]
    assert len(desk.posts(code)) == 1
    told = desk.get(f"{path(code)}/deliveries")
    assert texts(told, "counts") == ["1 waiting"]
    assert "<html" not in told.text


def test_the_last_steps_texts_keep_their_mail(desk: Desk) -> None:
    code = desk.declare()
    asked = desk.post(code, "resolved")
    answer = desk.browser.send(f"{path(code)}/texts", fields(asked.text))
    assert answer.text.count("<iframe") == 2


def test_an_impact_that_is_none_is_no_fault_in_the_preview(desk: Desk) -> None:
    path = f"/admin/incidents/{desk.declare()}"
    answer = desk.browser.send_shown(path, {"impact": "awful", "preview": "1"})
    assert answer.status_code == 200
    refused = desk.browser.send_shown(path, {"impact": "awful", "publish": "1"})
    assert refused.status_code == 422


def test_roles_stand_on_the_desk(desk: Desk) -> None:
    ids: dict[str, Any] = {role.value: str(desk.add_contact(role.label)) for role in IncidentRole}
    code = desk.declare(**ids)
    shown = texts(desk.get(path(code)), "rail", "//dd")
    assert [name for name in shown if name in {role.label for role in IncidentRole}] == [
        role.label for role in IncidentRole
    ]


def test_of_a_long_incident_the_newest_posts_are_shown_first(desk: Desk) -> None:
    code = desk.declare()
    with desk.app.app_context():
        for number in range(24):
            update = inputs.NewUpdate(IncidentStatus.IDENTIFIED)
            lifecycle.post_update(code, update, Submission(ACTOR, f"sheet {number}"))
    assert len(texts(desk.get(path(code)), "posts", "/li")) == 20
    assert texts(desk.get(path(code)), "pager", "/a") == ["Show all 25 updates"]
    assert len(texts(desk.get(f"{path(code)}?all=1"), "posts", "/li")) == 25


def test_the_desk_tells_whether_one_address_hears_of_it(desk: Desk) -> None:
    code = desk.declare()
    path = f"/admin/incidents/{code}"
    asked = {"status": "resolved", "ask": "Ada@Example.com", "preview": "1"}
    shown = desk.browser.send_shown(path, asked)
    assert texts(shown, "recipient-check") == [
        "Yes, ada@example.com gets an email. They’re a customer, and all customers are affected."
    ]
    assert texts(desk.browser.send_shown(f"{path}", {**asked, "ask": "x"}), "recipient-check")[
        0
    ].startswith("No, x doesn’t get an email.")
    # The script is told the same.
    assert texts(desk.browser.send(f"{path}/texts", asked), "recipient-check") == texts(
        shown, "recipient-check"
    )
    # Asking keeps nobody from posting.
    assert desk.resolve(code, ask="not an address").status_code == 303


def test_declaring_tells_whether_one_address_hears_of_it(desk: Desk) -> None:
    asked = {**desk.filled(), "ask": "bo@example.com", "preview": "1"}
    shown = desk.browser.send_shown("/admin/incidents/new", asked)
    assert "customers aren’t emailed at this step" in texts(shown, "recipient-check")[0]


def test_a_test_of_the_mail_goes_to_whoever_asks_for_it(desk: Desk) -> None:
    code = desk.declare()
    asked = desk.post(code, "resolved", resolution="We renewed the certificate.")
    tried = desk.browser.send(path(code), {**fields(asked.text), "test": "1"})
    assert said(tried) == ["A test is being sent to kim@example.com."]
    assert fields(tried.text)["resolution"] == "We renewed the certificate."
    assert desk.mailed() == ["kim@example.com"]
    assert desk.incident(code).is_open
    again = desk.browser.send(path(code), {**fields(tried.text), "test": "1"})
    assert said(again) == [
        "This exact email has already gone to kim@example.com. Change something to send another."
    ]


def test_a_false_alarm_is_told_as_one(desk: Desk) -> None:
    desk.use_scheme("sev")
    code = desk.declare()
    asked = desk.post(code, "resolved")
    ticked = {**fields(asked.text), "false_alarm": "y"}
    shown = desk.browser.send(path(code), {**ticked, "preview": "1"})
    # Nothing was wrong, so nothing is watched and no customer was told.
    assert gate(shown)["Monitored"] == "Status is “Investigating”, not “Monitoring”"
    assert "What we reported here about Checkout was a false alarm" in shown.text
    done = desk.browser.send(path(code), {**fields(shown.text), "publish": "1"})
    assert done.status_code == 303
    assert desk.mailed() == []
    assert "False alarm" in texts(desk.get(path(code)), "standing")[0]
    public = desk.browser.client.get(f"/incidents/{code}").text
    assert "<dd>False alarm</dd>" in public
    (told,) = desk.browser.client.get("/api/v2/incidents.json").json["incidents"]
    assert (told["status"], told["impact"]) == ("resolved", "none")


def test_an_incident_is_merged_into_another(desk: Desk, html_errors: HtmlChecker) -> None:
    other = desk.declare(title="Checkout is slow")
    code = desk.declare()
    shown = desk.get(path(code))
    assert html_errors(shown.text) == []
    answer = desk.browser.send(
        f"{path(code)}/merge", {**fields(shown.text), "into": other}, follow_redirects=True
    )
    assert said(answer)[0] == "Merged. This incident covers both from now on."
    assert answer.request.path == path(other)
    assert "Merged into another" in texts(desk.get(path(code)), "standing")[0]
    public = desk.browser.client.get(f"/incidents/{code}").text
    assert "<dd>Merged</dd>" in public
    assert f'href="/incidents/{other}">another incident</a>' in public
    assert html_errors(public) == []
    told = {one["id"]: one["status"] for one in desk.browser.client.get(
        "/api/v2/incidents.json").json["incidents"]}  # fmt: skip
    assert told == {code: "resolved", other: "investigating"}


def test_each_of_the_first_recipients_mails_is_shown_in_their_language(desk: Desk) -> None:
    with desk.app.app_context(), writing() as session:
        session.execute(update(Customer).where(Customer.name == "Ada").values(language="de"))
    code = desk.declare()
    german_texts = {"title": "Zahlungen schlagen fehl", "users_notice": "Karten wurden abgelehnt."}
    with desk.app.app_context(), writing() as session:
        incident = session.scalars(select(Incident).filter_by(code=code)).one()
        incident.public_facts = {**incident.public_facts, "translations": {"de": german_texts}}
    asked = desk.post(code, "resolved")
    frames = re.findall(r'<iframe class="mail" src="([^"]+)"', asked.text)
    german, english = (desk.get(frame.replace("&amp;", "&")).text for frame in frames)
    assert ('<html lang="de"' in german, '<html lang="en"' in english) == (True, True)
    assert "Behoben" in german


ASKED = [
    "Post it again anyway: Nothing has changed since the last update. Check this box to "
    "post it anyway."
]


def test_a_second_press_on_the_form_that_comes_back_posts_nothing(desk: Desk) -> None:
    code = desk.declare()
    asked = desk.browser.send_shown(path(code), {"publish": "1"})
    assert reasons(asked) == ASKED
    # The last step of an end holds none of it.
    assert desk.post(code, "resolved").status_code == 200
    assert [update.status for update in desk.posts(code)] == ["investigating"]
    again = desk.browser.send(path(code), {**fields(asked.text), "again": "y", "publish": "1"})
    assert again.status_code == 303
    assert len(desk.posts(code)) == 2


def test_the_same_words_are_asked_about_though_a_fact_differs(desk: Desk) -> None:
    code = desk.declare()
    words = {"text_public": "We know.", "made_public": "x"}
    assert desk.post(code, "investigating", **words).status_code == 303
    assert reasons(desk.post(code, "investigating", progress="Some.", **words)) == ASKED


def test_that_there_is_no_change_is_said_once_for_two_presses(desk: Desk) -> None:
    code = desk.declare()
    for form_key in ("first", "second"):
        desk.browser.send(f"{path(code)}/no-change", {"form_key": form_key})
    assert len(desk.posts(code)) == 2


def asked_first(shown: TestResponse) -> list[str]:
    """The facts that are asked for among those that count, in the order of the form."""
    found = lxml.html.fromstring(shown.text)
    return [str(one) for one in found.xpath("//*[@class='said-facts']//@data-fact")]


def goes(shown: TestResponse, fact: str) -> list[str]:
    """Where a fact goes, as its field says."""
    found = lxml.html.fromstring(shown.text).xpath(f"//*[@data-fact='{fact}']//*[@data-channel]")
    return [str(one.text) for one in found if "hidden" not in one.attrib]


def test_the_form_asks_first_for_what_the_status_says_in_the_order_of_the_text(desk: Desk) -> None:
    code = desk.declare()
    order = {
        status: asked_first(desk.browser.send_shown(path(code), {"status": status, "preview": "1"}))
        for status in ("investigating", "identified", "monitoring")
    }
    assert order == {
        "investigating": ["users_notice", "unaffected", "workaround"],
        "identified": ["cause", "action", "unaffected", "workaround", "expected_back"],
        "monitoring": ["resolution", "watch_minutes"],
    }


def test_each_field_says_where_it_goes(desk: Desk) -> None:
    shown = desk.get(path(desk.declare()))
    assert {name: goes(shown, name) for name in ("users_notice", "workaround", "prevention")} == {
        "users_notice": ["Page", "Email", "Chat"],
        "workaround": ["Page", "Email"],
        "prevention": ["Not sent"],
    }


def test_of_an_internal_incident_nothing_goes_to_the_page(desk: Desk) -> None:
    shown = desk.get(path(desk.declare(visibility="internal")))
    assert goes(shown, "users_notice") == ["Chat"]


def test_what_stands_in_for_an_empty_fact_is_asked_for_with_it(desk: Desk) -> None:
    code = desk.declare(action="We are switching to another provider.")
    first = {"status": "monitoring", "preview": "1"}
    assert asked_first(desk.browser.send_shown(path(code), first)) == [
        "resolution", "action", "watch_minutes",
    ]  # fmt: skip
    told = {**first, "resolution": "We switched."}
    assert asked_first(desk.browser.send_shown(path(code), told)) == ["resolution", "watch_minutes"]


def test_a_promise_of_when_service_is_back_is_owned_where_it_slips(
    desk: Desk, frozen: Traveller
) -> None:
    code = desk.declare()
    desk.post(code, "identified", expected_back="2026-03-04T13:30")
    frozen.shift(timedelta(minutes=30))
    desk.post(code, "identified", expected_back="2026-03-04T14:30")
    later = "normal by Mar 4, 2026, 14:30 UTC. We had said Mar 4, 2026, 13:30 UTC"
    assert later in desk.posts(code)[-1].body
    shown = texts(desk.get(path(code)), "slips", "/li")
    assert shown == ["was Mar 4, 2026, 13:30 UTC, now Mar 4, 2026, 14:30 UTC"]
    frozen.shift(timedelta(minutes=30))
    desk.post(code, "identified", action="We restart it.")
    assert "We had said" not in desk.posts(code)[-1].body


def kept(shown: TestResponse) -> dict[str, bool]:
    """What the fields say of older facts, each with whether it is shown."""
    found = lxml.html.fromstring(shown.text).xpath("//*[@data-kept]")
    return {
        " ".join(one.text_content().split()).partition("?")[0]: "hidden" not in one.attrib
        for one in found
    }


def test_an_older_fact_is_kept_or_rewritten_before_it_is_said_at_another_status(
    desk: Desk, frozen: Traveller
) -> None:
    code = desk.declare(workaround="Pay by invoice.")
    frozen.shift(timedelta(minutes=20))
    refused = desk.post(code, "identified")
    assert (refused.status_code, reasons(refused)) == (
        422, ["What users can do meanwhile: This is from 12:00 UTC. Keep it or rewrite it"],
    )  # fmt: skip
    assert desk.post(code, "identified", still_true="workaround").status_code == 303
    frozen.shift(timedelta(minutes=20))
    # At the same status it was said already, and one that is rewritten is new.
    assert desk.post(code, "identified", action="We restart it.").status_code == 303
    assert desk.post(code, "investigating", workaround="Pay in cash.").status_code == 303
