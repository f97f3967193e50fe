"""Colleagues are notified of suggestions: counted, not too often, and who is on call once."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select
from time_machine import Traveller

from statuspage.configuration import contacts
from statuspage.configuration.editing import ContactDetails
from statuspage.core.db import current_session
from statuspage.core.enums import Channel, Step
from statuspage.intake import suggestions
from statuspage.intake.suggestion_notices import CHAT_PAUSE, notify_due
from statuspage.messages.tokens import TOKEN
from statuspage.models import Delivery, Message
from tests.alerting import alert, notice
from tests.announcing import ACTOR, declare
from tests.intake.conftest import Monitoring


def sent() -> list[Message]:
    chosen = select(Message).filter_by(step=Step.SUGGESTED).order_by(Message.id)
    return list(current_session().scalars(chosen))


def addresses(channel: Channel) -> list[str]:
    chosen = select(Delivery.address).filter_by(channel=channel).order_by(Delivery.id)
    return list(current_session().scalars(chosen))


def test_one_suggestion_is_named_with_its_severity_and_component(monitoring: Monitoring) -> None:
    monitoring.send(notice(alert(labels={"service": "checkout", "severity": "critical"})))
    assert notify_due() == 1
    (message,) = sent()
    code = monitoring.only().code
    assert message.subject == "Alert: Many requests fail"
    assert message.body == (
        "- SEV1 · Checkout: Many requests fail (1 firing)\n\n"
        f"Nothing has been published. Declare or dismiss: "
        f"https://status.example.com/admin/suggestions/{code}"
    )


def test_what_an_alert_says_is_never_a_token(monitoring: Monitoring) -> None:
    summary = {"summary": "[[name]] fails"}
    monitoring.send(notice(alert(annotations=summary)))
    notify_due()
    (message,) = sent()
    shown = (message.subject, message.body, message.text, message.html)
    assert [bool(TOKEN.search(part)) for part in shown] == [False] * 4


def test_a_storm_is_one_message_each_half_minute_and_one_call(
    monitoring: Monitoring, frozen: Traveller
) -> None:
    contacts.add_contact(ContactDetails("Kim", "Payments on-call", "kim@example.com"), actor=ACTOR)
    contacts.add_contact(ContactDetails("Max", "Designer", "max@example.com"), actor=ACTOR)
    for second in range(60):
        for number in range(3):
            group = f"{second} {number}"
            monitoring.send(notice(alert(group), group=group))
        notify_due()
        frozen.shift(1)
    frozen.shift(CHAT_PAUSE)
    notify_due()
    assert [message.subject for message in sent()] == [
        "Alerts suggest 3 incidents", "Alerts suggest 90 incidents", "Alerts suggest 87 incidents",
    ]  # fmt: skip
    assert sent()[1].body.splitlines()[5] == "- and 85 more"
    assert len(addresses(Channel.CHAT)) == 3
    assert addresses(Channel.EMAIL) == ["kim@example.com"]


def test_nobody_is_notified_twice_or_of_what_is_decided(
    monitoring: Monitoring, frozen: Traveller
) -> None:
    monitoring.send(notice(alert(labels={"service": "checkout"})))
    monitoring.send(notice(alert(number=2), group="two"))
    suggestions.dismiss(monitoring.found()[1].code, actor=ACTOR)
    assert (notify_due(), notify_due()) == (1, 0)
    frozen.shift(timedelta(minutes=2))
    declare(monitoring.scenario)
    monitoring.send(notice(alert(number=3, labels={"service": "checkout"}), group="three"))
    assert (notify_due(), len(sent())) == (0, 1)
