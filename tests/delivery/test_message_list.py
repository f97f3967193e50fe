"""The list of all that was sent: by kind and incident, page by page, with what became of each."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import insert, update
from sqlalchemy.orm import Session

from statuspage.core.db import writing
from statuspage.core.enums import Audience, Channel, DeliveryState, Step
from statuspage.delivery import channel_trial, message_list
from statuspage.delivery.message_list import FoundMessages, MessageKind, find_messages
from statuspage.models import Delivery, Message
from tests.announcing import ACTOR, Scenario, declare
from tests.factories import NOON


def listed(found: FoundMessages) -> list[tuple[Audience, Step, int]]:
    return [(one.message.audience, one.message.step, one.counts.total) for one in found.messages]


def titles_of(found: FoundMessages) -> set[str]:
    return {one.message.incident.title for one in found.messages if one.message.incident}


@pytest.mark.usefixtures("resolved")
def test_all_that_was_sent_is_listed_newest_first(session: Session) -> None:
    found = find_messages(session)
    ids = [one.message.id for one in found.messages]
    assert ids == sorted(ids, reverse=True)
    assert sorted(listed(found)) == sorted(
        [
            (Audience.PUBLIC, Step.INVESTIGATING, 0),
            (Audience.INTERNAL, Step.DECLARED, 1),
            (Audience.PUBLIC, Step.RESOLVED, 0),
            (Audience.CUSTOMER, Step.RESOLVED, 4),
            (Audience.INTERNAL, Step.CLOSED, 1),
        ]
    )
    assert {one.message.audience: one.channels for one in found.messages} == {
        Audience.PUBLIC: (), Audience.INTERNAL: (Channel.CHAT,),
        Audience.CUSTOMER: (Channel.EMAIL,),
    }  # fmt: skip


@pytest.mark.usefixtures("resolved")
def test_what_became_of_each_is_counted(session: Session) -> None:
    with writing():
        session.execute(
            update(Delivery)
            .where(Delivery.address == "c1@example.com")
            .values(state=DeliveryState.BOUNCED)
        )
        session.execute(
            update(Delivery)
            .where(Delivery.channel == Channel.CHAT)
            .values(state=DeliveryState.ACCEPTED)
        )
    [mail] = find_messages(session, kind=MessageKind.CUSTOMER).messages
    assert mail.counts.counts == {DeliveryState.PENDING: 3, DeliveryState.BOUNCED: 1}
    # No chat is set, so nobody was notified there.
    assert {
        one.counts.in_files for one in find_messages(session, kind=MessageKind.INTERNAL).messages
    } == {1}


def test_a_kind_is_listed_alone(resolved: str, session: Session) -> None:
    channel_trial.send_test_mail(
        Audience.CUSTOMER, email="ada@example.com", name="Ada", form_key="one", actor=ACTOR
    )
    assert {
        kind: [one.message.step for one in find_messages(session, kind=kind).messages]
        for kind in MessageKind
    } == {
        MessageKind.PUBLIC: [Step.RESOLVED, Step.INVESTIGATING],
        MessageKind.CUSTOMER: [Step.RESOLVED],
        MessageKind.SUBSCRIBER: [],
        MessageKind.INTERNAL: [Step.CLOSED, Step.DECLARED],
        MessageKind.PERSONAL: [],
        MessageKind.TEST: [Step.TEST],
    }


def test_an_incident_is_found_by_its_code_and_a_part_of_its_title(
    resolved: str, scenario: Scenario, session: Session
) -> None:
    declare(scenario, title="Carts are 100% slow", severity_rank=2)
    titles = {
        text: sorted(titles_of(find_messages(session, incident=text)))
        for text in (resolved, "CARTS", "100%", "%", "nothing")
    }
    assert titles == {
        resolved: ["Payments fail"], "CARTS": ["Carts are 100% slow"],
        "100%": ["Carts are 100% slow"], "%": ["Carts are 100% slow"], "nothing": [],
    }  # fmt: skip


def test_pages_follow_each_other_without_gap_or_repetition(
    resolved: str, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(message_list, "PAGE_SIZE", 2)
    everything = [one.message.id for one in find_messages(session).messages]
    seen: list[int] = []
    before: int | None = 0
    while before is not None:
        found = find_messages(session, before=before)
        seen += [one.message.id for one in found.messages]
        before = found.before
    assert seen == sorted(seen, reverse=True)
    assert (len(seen), everything) == (5, seen[:2])


def test_a_list_reads_no_texts_and_asks_as_much_for_many_deliveries_as_for_few(
    resolved: str, session: Session
) -> None:
    with writing():
        message = Message(step=Step.RESOLVED, audience=Audience.CUSTOMER, text="long")
        session.add(message)
        session.flush()
        session.execute(
            insert(Delivery),
            [
                {
                    "message_id": message.id, "step_key": "x", "channel": Channel.EMAIL,
                    "address": f"{n}@example.com", "email": f"{n}@example.com", "name": "",
                    "why": "", "state": DeliveryState.ACCEPTED, "reason": "", "provider_id": "",
                    "due_at": NOON + timedelta(0),
                }
                for n in range(300)
            ],
        )  # fmt: skip
    session.expire_all()
    [newest, *_] = find_messages(session).messages
    assert newest.counts.counts == {DeliveryState.ACCEPTED: 300}
    assert "text" not in newest.message.__dict__
