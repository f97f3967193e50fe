"""Nothing that would leak goes out without a reason, and the reason is kept."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session
from time_machine import Traveller

from statuspage.configuration import blocked_terms, contacts
from statuspage.configuration.blocked_terms import TermLists
from statuspage.configuration.editing import ContactDetails
from statuspage.core.enums import Audience, IncidentStatus, Visibility
from statuspage.core.errors import Invalid
from statuspage.incidents import lifecycle, mail_corrections, maintenance
from statuspage.incidents.announcement import of_declaration, of_update
from statuspage.incidents.drafts import drafts
from statuspage.incidents.inputs import NewUpdate
from statuspage.incidents.mail_corrections import Correction
from statuspage.incidents.maintenance import AS_ANNOUNCED, Plan
from statuspage.incidents.publish import Submission
from statuspage.messages.compose import Text
from statuspage.models import AuditEntry, Incident, Message
from tests.announcing import (
    ACTOR,
    Scenario,
    declaration,
    declare,
    messages,
    post,
    set_up_scenario,
)
from tests.factories import NOON

LEAKY = {Audience.PUBLIC: Text("", "We restarted db-01. The next update comes by 12:30 UTC.")}
BECAUSE = {Audience.PUBLIC: "Customers know this machine by its name."}


@pytest.fixture
def scenario(app: Flask, frozen: Traveller) -> Scenario:
    return set_up_scenario(app)


def overrides(session: Session) -> list[AuditEntry]:
    return list(session.scalars(select(AuditEntry).filter_by(action="message.override")))


def test_a_text_that_would_leak_is_refused_on_its_own_field(
    scenario: Scenario, session: Session
) -> None:
    with pytest.raises(Invalid) as refused:
        lifecycle.declare(declaration(scenario), Submission(ACTOR, "sheet", texts=LEAKY))
    assert (refused.value.field, refused.value.reason) == (
        "text_public",
        "This would expose internal information: “db-01”. Take it out, or say why it stays.",
    )
    assert session.scalars(select(Incident)).all() == []


def test_with_a_reason_it_goes_out_and_the_reason_is_kept(
    scenario: Scenario, session: Session
) -> None:
    incident = lifecycle.declare(
        declaration(scenario), Submission(ACTOR, "sheet", texts=LEAKY, overrides=BECAUSE)
    )
    (public,) = messages(Audience.PUBLIC)
    kept = {
        "reason": BECAUSE[Audience.PUBLIC],
        "findings": [{"rule": "host", "excerpt": "db-01"}],
    }
    assert public.override == kept
    (entry,) = overrides(session)
    assert (entry.actor, entry.subject) == ("Ada", incident.code)
    assert entry.after == {"audience": "public", **kept}
    assert [one.override for one in messages(Audience.INTERNAL)] == [{}]


def test_a_reason_that_nothing_asks_for_is_not_kept(scenario: Scenario, session: Session) -> None:
    lifecycle.declare(declaration(scenario), Submission(ACTOR, "sheet", overrides=BECAUSE))
    assert [one.override for one in messages(Audience.PUBLIC)] == [{}]
    assert overrides(session) == []


def test_facts_leak_as_edited_texts_do(scenario: Scenario, session: Session) -> None:
    code = declare(scenario).code
    leaky = NewUpdate(IncidentStatus.IDENTIFIED, public_facts={"action": "We restart 10.0.0.7."})
    with pytest.raises(Invalid, match=r"“10\.0\.0\.7”"):
        lifecycle.post_update(code, leaky, Submission(ACTOR, "sheet"))
    assert len(messages(Audience.PUBLIC)) == 1


def test_an_internal_fact_typed_into_a_public_text_is_blocked(
    scenario: Scenario, session: Session
) -> None:
    code = declare(scenario, internal_facts={"technical_cause": "pgbouncer ran dry"}).code
    edited = {Audience.PUBLIC: Text("", "It was because PgBouncer ran dry.")}
    with pytest.raises(Invalid, match="“PgBouncer ran dry”"):
        lifecycle.post_update(
            code, NewUpdate(IncidentStatus.IDENTIFIED), Submission(ACTOR, "sheet", texts=edited)
        )


def test_colleagues_may_read_anything(scenario: Scenario, session: Session) -> None:
    declare(
        scenario,
        visibility=Visibility.INTERNAL,
        title="db-01 is down",
        internal_facts={"technical_cause": "see OPS-12 and @ada"},
    )
    assert [one.audience for one in session.scalars(select(Message))] == [Audience.INTERNAL]


def test_contacts_and_listed_words_are_kept_inside(scenario: Scenario, session: Session) -> None:
    contacts.add_contact(ContactDetails("Priya Raman"), actor=ACTOR)
    blocked_terms.change_blocked_terms(TermLists(vendors="Brightpay\n brightpay \n"), actor=ACTOR)
    told = {Audience.PUBLIC: Text("", "Priya asked BrightPay.")}
    (draft, *_) = drafts(of_declaration(declaration(scenario)), told)
    assert [(one.rule, one.excerpt) for one in draft.findings if one.blocks] == [
        ("person", "Priya"),
        ("vendor", "BrightPay"),
    ]


def test_a_maintenance_that_was_let_through_goes_on_by_itself(
    scenario: Scenario, session: Session
) -> None:
    plan = Plan(
        title="Upgrade of db-01",
        what="We replace the disk of db-07.",
        scheduled_for=NOON,
        scheduled_until=NOON + timedelta(days=1),
    )
    with pytest.raises(Invalid, match="“db-01”"):
        maintenance.schedule(plan, Submission(ACTOR, uuid4().hex))
    maintenance.schedule(plan, Submission(ACTOR, uuid4().hex, overrides=BECAUSE))
    assert maintenance.advance_due() == 1
    reasons = [one.override["reason"] for one in messages(Audience.PUBLIC)]
    assert reasons == [BECAUSE[Audience.PUBLIC], AS_ANNOUNCED]


def test_what_was_let_through_in_a_title_is_let_through_in_the_whole_incident(
    scenario: Scenario, session: Session
) -> None:
    told = Submission(ACTOR, uuid4().hex, overrides=BECAUSE)
    code = lifecycle.declare(declaration(scenario, title="db-01 is down"), told).code
    update = NewUpdate(IncidentStatus.IDENTIFIED)
    about = {Audience.PUBLIC: Text("", "We replace db-01.")}
    lifecycle.post_update(code, update, Submission(ACTOR, uuid4().hex, texts=about))
    about = {Audience.PUBLIC: Text("", "We replace db-01 and db-02.")}
    with pytest.raises(Invalid, match="“db-02”"):
        lifecycle.post_update(code, update, Submission(ACTOR, uuid4().hex, texts=about))


def test_what_is_always_allowed_is_not_blocked(scenario: Scenario, session: Session) -> None:
    blocked_terms.change_blocked_terms(TermLists(allowed="db-0?"), actor=ACTOR)
    blocked_terms.always_allow("web-7", actor=ACTOR)
    blocked_terms.always_allow("WEB-7", actor=ACTOR)
    assert blocked_terms.term_lists(session).allowed == "db-0?\nWEB-7"
    assert declare(scenario, title="db-01 and web-7 are down").title == "db-01 and web-7 are down"
    with pytest.raises(Invalid, match="would allow nearly everything"):
        blocked_terms.change_blocked_terms(TermLists(allowed="**"), actor=ACTOR)


def test_the_texts_tell_what_was_said_before(scenario: Scenario, session: Session) -> None:
    incident = declare(scenario)
    made = drafts(of_update(incident, NewUpdate(IncidentStatus.IDENTIFIED)))
    (public,) = [one for one in made if one.audience is Audience.PUBLIC]
    assert public.before is not None
    assert public.before.body == incident.updates[0].body


def test_a_corrected_post_is_checked_too(scenario: Scenario, session: Session) -> None:
    update = declare(scenario).updates[0]
    with pytest.raises(Invalid, match="“db-01”") as refused:
        lifecycle.correct_update(update.code, body="It was db-01.", actor=ACTOR)
    assert refused.value.field == "body"
    lifecycle.correct_update(update.code, body="It was db-01.", actor=ACTOR, because="It is known.")
    (entry,) = overrides(session)
    assert (entry.after or {})["reason"] == "It is known."


def test_a_corrected_mail_is_checked_too(scenario: Scenario, session: Session) -> None:
    code = declare(scenario).code
    post(code, "resolved")
    (wrong,) = messages(Audience.CUSTOMER)
    right = Correction(wrong.subject, "It was 10.0.0.7, and is over.", "We were wrong.")
    with pytest.raises(Invalid, match=r"“10\.0\.0\.7”"):
        mail_corrections.send_correction(wrong.id, right, actor=ACTOR)
    told = mail_corrections.send_correction(
        wrong.id, replace(right, because="It is a sample."), actor=ACTOR
    )
    assert told.override["reason"] == "It is a sample."
