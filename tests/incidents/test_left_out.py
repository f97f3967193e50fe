"""Leaving audiences out of an update: who is not notified, for which reason, and its marks."""

from __future__ import annotations

import json
from dataclasses import replace
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from statuspage.core.db import current_session
from statuspage.core.enums import Audience, Channel, IncidentStatus
from statuspage.core.errors import Invalid
from statuspage.incidents import lifecycle
from statuspage.incidents.announcement import of_update
from statuspage.incidents.drafts import drafts
from statuspage.incidents.explain_recipient import explain, recipient_groups
from statuspage.incidents.inputs import NewUpdate
from statuspage.incidents.publish import Submission
from statuspage.incidents.resolution import gate
from statuspage.models import AuditEntry, Delivery, IncidentUpdate, Message
from statuspage.recipients.who_receives import AudienceChoice
from tests.announcing import ACTOR, Scenario, declare, messages
from tests.subscribing import SAM, add_subscriber

EVERYBODY = frozenset({Audience.SUBSCRIBER, Audience.CUSTOMER, Audience.INTERNAL})


def post(
    code: str, status: str, *left_out: Audience, because: str = "", **although: str
) -> IncidentUpdate:
    return lifecycle.post_update(
        code,
        NewUpdate(IncidentStatus(status), although=although),
        Submission(ACTOR, uuid4().hex, choice=AudienceChoice(frozenset(left_out), because)),
    )


def written_to(update: IncidentUpdate) -> set[str]:
    chosen = select(Delivery.address).where(Delivery.step_key == f"update:{update.id}")
    return set(current_session().scalars(chosen))


def test_what_is_left_out_has_no_message_and_no_delivery(scenario: Scenario) -> None:
    add_subscriber()
    code = declare(scenario, severity_rank=2).code
    update = post(code, "identified", *EVERYBODY, because="A test of the page")
    assert written_to(update) == set()
    told = current_session().scalars(select(Message.audience).filter_by(update_id=update.id))
    assert list(told) == [Audience.PUBLIC]


def test_each_audience_is_left_out_by_itself(scenario: Scenario) -> None:
    add_subscriber()
    code = declare(scenario, severity_rank=2).code
    no_chat = post(code, "identified", Audience.INTERNAL)
    assert written_to(no_chat) == {SAM}
    no_mail = post(code, "monitoring", Audience.SUBSCRIBER, because="It is on the page")
    assert written_to(no_mail) == {"file"}


def test_a_subscriber_gets_the_update_whose_customers_are_left_out(scenario: Scenario) -> None:
    add_subscriber("c1@example.com")
    code = declare(scenario).code
    update = post(
        code, "resolved", Audience.CUSTOMER, customer_mail="They were called",
        watched="a test",
    )  # fmt: skip
    assert written_to(update) == {"c1@example.com", "file"}


def test_a_step_leaves_subscribers_out_only_with_a_reason(scenario: Scenario) -> None:
    code = declare(scenario, severity_rank=2).code
    with pytest.raises(Invalid, match="Enter why subscribers are not notified") as refused:
        post(code, "identified", Audience.SUBSCRIBER)
    assert refused.value.field == "because_left_out"
    assert post(code, "investigating", Audience.SUBSCRIBER).left_out == {"subscriber": ""}


def test_a_promised_email_to_customers_is_left_out_only_with_a_reason(scenario: Scenario) -> None:
    code = declare(scenario, severity_rank=1).code
    with pytest.raises(Invalid) as refused:
        post(code, "resolved", Audience.CUSTOMER, because="No", watched="a test")
    assert (refused.value.field, refused.value.reason) == (
        "because_customer_mail",
        gate.WHY_NOT["customer_mail"],
    )
    update = post(
        code, "resolved", Audience.CUSTOMER, watched="a test", customer_mail="All were called"
    )
    assert update.gate == {"customer_mail": "All were called"}
    assert update.left_out == {"customer": "All were called"}


def test_chat_is_left_out_without_a_reason(scenario: Scenario) -> None:
    code = declare(scenario, severity_rank=2).code
    assert post(code, "identified", Audience.INTERNAL).left_out == {"internal": ""}


def test_a_false_alarm_and_a_reopening_ask_why_customers_are_left_out(scenario: Scenario) -> None:
    code = declare(scenario).code
    post(code, "resolved", watched="a test")
    reopening = NewUpdate(IncidentStatus.INVESTIGATING)
    choice = AudienceChoice(frozenset({Audience.CUSTOMER}))
    current_session().rollback()
    for delivery in current_session().scalars(select(Delivery)):
        delivery.state = "accepted"  # type: ignore[assignment]
    current_session().commit()
    with pytest.raises(Invalid, match="Enter why customers are not notified"):
        lifecycle.reopen(code, reopening, Submission(ACTOR, uuid4().hex, choice=choice))


def test_counts_explanations_and_the_queue_agree(scenario: Scenario) -> None:
    add_subscriber()
    incident = declare(scenario)
    everybody = of_update(incident, NewUpdate(IncidentStatus.RESOLVED))
    nobody = replace(everybody, choice=AudienceChoice(EVERYBODY, "They were called"))
    assert explain(everybody, SAM).is_mailed
    assert explain(everybody, "c1@example.com").is_mailed
    assert explain(nobody, SAM).reasons[-1] == (
        "They are a subscriber, and subscribers are left out of this update."
    )
    assert explain(nobody, "c1@example.com").reasons[0] == (
        "They are a customer, and customers are left out of this update."
    )
    assert recipient_groups(nobody) is None
    assert [draft.left_out for draft in drafts(nobody)] == ["They were called"] * 3
    assert [draft.left_out for draft in drafts(everybody)] == [None] * 3


def test_a_quiet_update_is_marked_in_the_audit_trail(scenario: Scenario, session: Session) -> None:
    code = declare(scenario, severity_rank=2).code
    post(code, "identified", Audience.SUBSCRIBER, because="It is on the page")
    post(code, "monitoring")
    entries = session.scalars(
        select(AuditEntry).filter_by(action="incident.update").order_by(AuditEntry.id)
    )
    assert [entry.after.get("not notified") for entry in entries if entry.after] == [
        {"subscriber": "It is on the page"},
        None,
    ]


def test_statuspages_json_says_which_updates_notified(scenario: Scenario, app: Flask) -> None:
    code = declare(scenario, severity_rank=2).code
    post(code, "identified", Audience.SUBSCRIBER, because="It is on the page")
    post(code, "monitoring", Audience.INTERNAL)
    document = app.test_client().get("/api/v2/incidents.json")
    (shown,) = json.loads(document.text)["incidents"]
    assert [one["deliver_notifications"] for one in shown["incident_updates"]] == [
        True, False, True
    ]  # fmt: skip


def test_chat_of_an_internal_incident_is_left_out_and_its_text_is_kept(scenario: Scenario) -> None:
    code = declare(scenario, visibility="internal").code
    update = post(code, "identified", Audience.INTERNAL)
    assert update.body
    assert (written_to(update), update.notifies) == (set(), False)
    assert len(messages(Audience.INTERNAL)) == 1


def test_mail_of_the_channel_is_what_is_left_out(scenario: Scenario) -> None:
    add_subscriber()
    code = declare(scenario).code
    update = post(
        code, "resolved", Audience.SUBSCRIBER, Audience.CUSTOMER, because="Quiet",
        watched="a test", customer_mail="Quiet",
    )  # fmt: skip
    chosen = select(Delivery.channel).where(Delivery.step_key == f"update:{update.id}")
    assert list(current_session().scalars(chosen)) == [Channel.CHAT]
