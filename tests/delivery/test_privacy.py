"""What is held on an address, erasing it, and forgetting what is old."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner
from sqlalchemy import Table, func, select, update
from time_machine import Traveller

from statuspage.core.db import Base, current_session, writing
from statuspage.core.enums import Channel, DeliveryState
from statuspage.core.errors import Invalid
from statuspage.delivery import (
    claims,
    control,
    privacy,
    provider_events,
    report,
    unsubscribe,
)
from statuspage.delivery.channels.sendgrid_webhook import Event, EventKind
from statuspage.delivery.dispatch import Dispatcher, open_lanes
from statuspage.delivery.sent_copy import read_mail
from statuspage.models import (
    AuditEntry,
    Customer,
    Delivery,
    DeliveryEvent,
    Message,
    Subscriber,
    Suppression,
)
from statuspage.recipients import customer_csv, customer_json, customers
from statuspage.recipients.customers import CustomerValues
from statuspage.recipients.pseudonyms import pseudonymize
from statuspage.recipients.suppression import SuppressionKind
from tests.announcing import ACTOR, declare, mails, make_customer, resolve, set_up_scenario
from tests.factories import NOON
from tests.subscribing import SAM, ask, join, sign_up_mails

C1 = "c1@example.com"


@pytest.fixture
def told(app: Flask, frozen: Traveller) -> int:
    """A resolution that was mailed to five, into files, with news of one; the message's id."""
    scenario = set_up_scenario(app)
    with app.app_context():
        with writing() as session:
            session.execute(
                update(Customer).where(Customer.address == C1).values(email="C1@Example.com")
            )
        resolve(declare(scenario).code)
        Dispatcher(app, 1, open_lanes(app.extensions["settings"])).send_all()
        found = current_session().scalars(select(Delivery).filter_by(address=C1)).one()
        hear(found.id, "550 5.1.1 <C1@example.com>: user c1@EXAMPLE.com unknown")
        return found.message_id


def hear(delivery_id: int, reason: str, kind: EventKind = EventKind.DEFERRED) -> None:
    """News of a delivery, folded in."""
    made = select(DeliveryEvent.attempt).where(DeliveryEvent.delivery_id == delivery_id)
    event = Event(
        event_id=f"event-{kind}-{delivery_id}", kind=kind, address=C1, at=NOON,
        delivery_id=str(delivery_id), attempt_id=current_session().scalars(made).first(),
        reason=reason, blocked=False,
    )  # fmt: skip
    provider_events.keep([event])
    provider_events.fold()


def everything(but: Sequence[str] = ()) -> str:
    """All that the database holds, as one text."""
    tables: list[Table] = [one for one in Base.metadata.sorted_tables if one.name not in but]
    rows: list[Any] = [row for table in tables for row in current_session().execute(select(table))]
    current_session().rollback()
    return repr([tuple(row) for row in rows]).lower()


def test_everything_on_an_address_is_shown(app: Flask, told: int) -> None:
    with app.app_context():
        held = privacy.holdings(current_session(), " C1@EXAMPLE.com ")
        assert held.customer is not None
        assert (held.address, held.customer.name, held.total, held.in_the_clear) == (
            C1, "Customer 1", 1, 1,
        )  # fmt: skip
        assert (held.subscriber, held.suppression, held.erased_at, held.colleague) == (
            None, None, None, False,
        )  # fmt: skip
        nobody = privacy.holdings(current_session(), "nobody@example.com")
        assert not nobody.is_anything
        with pytest.raises(Invalid):
            privacy.holdings(current_session(), "nobody")


def test_an_erased_address_stands_nowhere_any_more(app: Flask, told: int) -> None:
    with app.app_context():
        customers.save_customer(
            CustomerValues(email=C1, name="Ms One", company="One & Co"),
            actor=ACTOR,
            customer_id=current_session().scalar(select(Customer.id).filter_by(address=C1)),
        )
        with writing() as session:
            session.add(Subscriber(email="C1@Example.com", address=C1))
            session.add(Suppression(address=C1, kind="bounced", reason="bounced"))
        assert "c1@example.com" in everything()
        delivery_id = current_session().scalar(select(Delivery.id).filter_by(address=C1))
        gone = privacy.erase("C1@example.COM", actor=ACTOR)
        assert (gone.lists, gone.deliveries, gone.files) == (3, 1, 1)
        left = everything()
        assert [word for word in (C1, "ms one", "one & co", "customer 1") if word in left] == []
        assert read_mail(app.extensions["settings"].data_dir, str(delivery_id)) is None


def test_what_was_sent_can_still_be_proven_to_whoever_names_the_address(
    app: Flask, told: int
) -> None:
    with app.app_context():
        before = current_session().scalars(select(Delivery).filter_by(address=C1)).one()
        kept = (before.id, before.state, before.queued_at, before.changed_at)
        privacy.erase(C1, actor=ACTOR)
        found = report.search(current_session(), told, address="C1@Example.com").deliveries
        assert [(one.id, one.state, one.queued_at, one.changed_at) for one in found] == [kept]
        assert (found[0].email, found[0].name, found[0].customer_id) == ("", "", None)
        assert [event.state for event in report.incident(current_session(), found[0])] == [
            DeliveryState.ACCEPTED, DeliveryState.ACCEPTED,
        ]  # fmt: skip
        held = privacy.holdings(current_session(), C1)
        assert (held.total, held.in_the_clear, held.is_anything) == (1, 0, False)
        assert held.erased_at == NOON
        # A part of an address is no proof, and finds nobody.
        assert report.search(current_session(), told, address="erased").deliveries == []


def test_erasing_again_changes_nothing_more(app: Flask, told: int) -> None:
    with app.app_context():
        privacy.erase(C1, actor=ACTOR)
        before = everything(but=["audit_entries"])
        again = privacy.erase(C1, actor=ACTOR)
        assert (again.lists, again.deliveries, again.files) == (0, 0, 0)
        assert everything(but=["audit_entries"]) == before


def test_nobody_brings_an_erased_address_back_until_its_owner_asks(app: Flask, told: int) -> None:
    with app.app_context():
        privacy.erase(C1, actor=ACTOR)
        rows = "email,name\nC1@example.com,Back\nc9@example.com,New\n"
        taken = customer_csv.import_customers(rows, actor=ACTOR)
        assert (taken.added, [(one.line, one.field) for one in taken.errors]) == (1, [(2, "email")])
        put = customer_json.put_customers({0: {"key": "k", "email": C1}}, actor=ACTOR, source="API")
        assert [error.conflict for error in put.errors] == [True]
        with pytest.raises(Invalid) as refusal:
            customers.save_customer(CustomerValues(email=C1), actor=ACTOR)
        assert refusal.value.field == "email"
        privacy.allow_again(C1, actor=ACTOR)
        assert customer_csv.import_customers(rows, actor=ACTOR).added == 1


def test_what_waits_for_an_erased_address_is_not_sent(app: Flask, frozen: Traveller) -> None:
    scenario = set_up_scenario(app)
    with app.app_context():
        resolve(declare(scenario).code)
        with writing() as session:
            session.execute(
                update(Delivery).where(Delivery.address == "c2@example.com")
                .values(state=DeliveryState.UNCERTAIN)
            )  # fmt: skip
        privacy.erase(C1, actor=ACTOR)
        privacy.erase("c2@example.com", actor=ACTOR)
        Dispatcher(app, 1, open_lanes(app.extensions["settings"])).send_all()
        assert mails(DeliveryState.SUPPRESSED) == sorted(
            [pseudonymize(C1), pseudonymize("c2@example.com")]
        )
        assert len(mails(DeliveryState.ACCEPTED)) == 2


def test_a_mail_that_is_being_sent_is_waited_for(app: Flask, frozen: Traveller) -> None:
    scenario = set_up_scenario(app)
    with app.app_context():
        resolve(declare(scenario).code)
        assert claims.claim(1, Channel.EMAIL, size=10) is not None
        with pytest.raises(Invalid, match="being sent right now"):
            privacy.erase(C1, actor=ACTOR)
        assert current_session().scalars(select(Customer).filter_by(address=C1)).one()


def test_news_that_comes_late_does_not_bring_the_address_back(app: Flask, told: int) -> None:
    with app.app_context():
        privacy.erase(C1, actor=ACTOR)
        delivery = (
            current_session().scalars(select(Delivery).filter_by(address=pseudonymize(C1))).one()
        )
        hear(delivery.id, f"<{C1}> does not exist", EventKind.BOUNCE)
        current_session().expire_all()
        assert delivery.state is DeliveryState.BOUNCED
        assert C1 not in everything()
        kinds = select(Suppression.kind).filter_by(address=pseudonymize(C1))
        assert current_session().scalars(kinds).one() == SuppressionKind.ERASED


def test_what_failed_is_not_sent_again_to_an_erased_address(app: Flask, told: int) -> None:
    with app.app_context():
        privacy.erase(C1, actor=ACTOR)
        with writing() as session:
            session.execute(update(Delivery).values(state=DeliveryState.FAILED))
            session.execute(update(Suppression).values(address="somebody@example.com"))
        assert control.resend_failed(told, actor=ACTOR) == 3


def test_old_addresses_are_forgotten_in_small_batches(
    app: Flask, told: int, frozen: Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(privacy, "AT_ONCE", 3)
    month = timedelta(days=30)
    with app.app_context():
        assert not privacy.forget_old_addresses(older_than=month)
        frozen.shift(timedelta(days=31))
        with writing() as session:
            session.add(make_customer("c9@example.com", "Nine"))
        calls = 0
        while privacy.forget_old_addresses(older_than=month):
            calls += 1
        # Two posts with three and two messages; the mail takes two batches.
        assert calls == 6
        left = everything(but=["customers", "audit_entries", "webhook_events"])
        assert [name for name in ("c1", "c2", "c3", "shopper") if f"{name}@" in left] == []
        assert len(report.search(current_session(), told, address=C1).deliveries) == 1
        unforgotten = select(func.count()).where(Message.forgotten_at.is_(None))
        assert current_session().scalar(unforgotten) == 0
        # Nobody was erased: they are still written to.
        assert current_session().scalar(select(func.count(Suppression.address))) == 0


def forget(older_than: timedelta) -> None:
    """All mail has gone out, and what is that old is forgotten."""
    with writing() as session:
        session.execute(update(Delivery).values(state=DeliveryState.ACCEPTED))
    while privacy.forget_old_addresses(older_than=older_than):
        pass


def known() -> set[str]:
    """The addresses that stand in deliveries of mail."""
    return set(current_session().scalars(select(Delivery.email).filter_by(channel=Channel.EMAIL)))


def test_each_sign_up_is_forgotten_by_its_own_age(told: int, app: Flask, frozen: Traveller) -> None:
    month, day = timedelta(days=30), timedelta(days=1)
    with app.app_context():
        ask("early@example.com")
        frozen.shift(month)
        ask("late@example.com")
        frozen.shift(day)
        forget(month)
        assert known() == {"", "late@example.com"}
        frozen.shift(month)
        forget(month)
        assert known() == {""}


def test_who_was_forgotten_or_erased_signs_up_again_within_the_same_limits(
    app: Flask, told: int, frozen: Traveller
) -> None:
    with app.app_context():
        join(SAM)
        frozen.shift(timedelta(days=3))
        ask(SAM)
        frozen.shift(timedelta(days=2))
        # The first of the two mails only.
        forget(timedelta(days=3))
        ask(SAM)
        for _ in range(2):
            frozen.shift(timedelta(days=91))
            forget(timedelta(days=1))
            ask(SAM)
            privacy.erase(SAM, actor=ACTOR)
            privacy.allow_again(SAM, actor=ACTOR)
        # Erasing forgets no limit: one mail a day.
        ask(SAM)
        assert [delivery.step_key for delivery, _ in sign_up_mails(pseudonymize(SAM))] == [
            f"signup:{number}" for number in range(1, 6)
        ]
        assert sign_up_mails(SAM) == []


def test_who_is_still_on_a_list_leaves_by_the_link_of_a_forgotten_mail(
    app: Flask, told: int, frozen: Traveller
) -> None:
    with app.app_context():
        delivery_id = current_session().scalar(select(Delivery.id).filter_by(address=C1)) or 0
        frozen.shift(timedelta(days=31))
        while privacy.forget_old_addresses(older_than=timedelta(days=30)):
            pass
        assert unsubscribe.unsubscribe(delivery_id).has_unsubscribed
        assert current_session().get_one(Suppression, C1).kind == "unsubscribed"
        privacy.erase(C1, actor=ACTOR)
        with pytest.raises(LookupError):
            unsubscribe.unsubscribe(delivery_id)


def test_what_still_waits_is_not_forgotten(app: Flask, frozen: Traveller) -> None:
    scenario = set_up_scenario(app)
    with app.app_context():
        resolve(declare(scenario).code)
        frozen.shift(timedelta(days=31))
        while privacy.forget_old_addresses(older_than=timedelta(days=30)):
            pass
        assert C1 in mails(DeliveryState.PENDING)


def test_the_audit_trail_says_that_it_was_done_and_not_to_whom(app: Flask, told: int) -> None:
    with app.app_context():
        privacy.erase(C1, actor=ACTOR)
        entry = current_session().scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
        assert entry is not None
        assert (entry.action, entry.subject) == ("person.erase", pseudonymize(C1))
        assert entry.after == {"list entries": 1, "deliveries": 1}


def test_the_hash_needs_the_key(app: Flask, told: int) -> None:
    with app.app_context():
        assert len(pseudonymize(C1)) == len("erased:") + 64
        assert pseudonymize(C1) != pseudonymize("c2@example.com")
        settings = app.extensions["settings"]
        object.__setattr__(settings, "secret_key", "another key, as long as it must be")
        assert privacy.holdings(current_session(), C1).total == 1
        before = pseudonymize(C1)
        object.__setattr__(settings, "secret_key", "a key for tests, never for anything else")
        assert pseudonymize(C1) != before


def test_the_shell_shows_and_erases(app: Flask, told: int, runner: FlaskCliRunner) -> None:
    shown = runner.invoke(args=["held-on", C1])
    assert "customer: yes" in shown.output
    assert "deliveries: 1, 1 with the address" in shown.output
    assert runner.invoke(args=["erase", C1], input="n\n").exit_code == 1
    done = runner.invoke(args=["erase", C1, "--yes"])
    assert done.output == "Erased 1 list entries, the address in 1 deliveries, 1 files.\n"
    assert "deliveries: 1, 0 with the address" in runner.invoke(args=["held-on", C1]).output
    assert runner.invoke(args=["erase", "nobody", "--yes"]).exit_code == 1
