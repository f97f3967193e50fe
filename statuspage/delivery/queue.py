"""Queueing: one delivery row for each recipient, written in the transaction that publishes.

Rows are made by INSERT … SELECT, so 100,000 recipients never pass through Python.  The unique key
of step, channel and normalised address makes queueing twice add nothing, and gives somebody who is
reached by two rules one message: the one queued first.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    ScalarSelect,
    Select,
    Subquery,
    func,
    insert,
    literal,
    select,
    update,
)
from sqlalchemy.orm import Session
from sqlalchemy.sql.elements import SQLCoreOperations

from statuspage.core import clock
from statuspage.core.address import Address, identity_of, read_address
from statuspage.core.config import current_settings
from statuspage.core.db import count_written, insert_new
from statuspage.core.enums import Audience, Channel, DeliveryState, Step
from statuspage.models import (
    Contact,
    Delivery,
    DeliveryEvent,
    Message,
    Page,
)
from statuspage.models.delivery import LANE_NORMAL, LANE_URGENT
from statuspage.recipients import who_receives
from statuspage.recipients.drill_recipients import WHY, DrillRecipients, drill_recipients_of
from statuspage.recipients.suppression import (
    barring_reason,
    state_and_reason,
)

CUSTOMER_MAIL_AGE = timedelta(days=3)
"""After this long a mail that could not be sent is worth nothing any more."""
CHAT_AGE = timedelta(hours=12)
MAILED = (Audience.CUSTOMER, Audience.SUBSCRIBER)
"""The audiences that updates are mailed to."""


def may_go_at(message: Message, moment: datetime) -> datetime:
    """When its mails are due: a moment later where they can be cancelled, else at once."""
    can_be_cancelled = message.step is Step.RESOLVED and message.audience in MAILED
    return moment + timedelta(seconds=current_settings().cancel_window * can_be_cancelled)


def page_zone() -> ScalarSelect[str]:
    """The page's time zone as it is when a row is written.

    Rows keep it, so that a mail can be shown later with the very times that it named.
    """
    return select(Page.time_zone).where(Page.id == 1).scalar_subquery()


def queue_customers(
    session: Session,
    message: Message,
    *,
    step_key: str,
    rule: ColumnElement[bool],
    concerned: Collection[int],
    because: str = "",
) -> int:
    """Queue a message to the customers whom the rule reaches; returns how many rows that added.

    Each row keeps why it was reached: ``because``, or which of the ``concerned`` components,
    by their ids, the customer uses.
    A drill's message goes to the drill's list in their place.
    """
    if (drill := drill_recipients_of(session, message)) is not None:
        return queue_listed(session, message, drill, step_key=step_key)
    reached = who_receives.reached_customers(rule, () if because else concerned)
    why = literal(because) if because else who_receives.customer_because(reached, concerned)
    return queue_reached(
        session, message, reached, step_key=step_key, why=why,
        name=reached.c.name, customer_id=reached.c.id,
    )  # fmt: skip


def queue_chat(session: Session, message: Message, *, step_key: str, rooms: Iterable[str]) -> None:
    """Queue an internal message to the chat rooms of these names, ahead of customers' mail."""
    why = "Colleagues, in chat"
    rows = [_urgent(message, step_key, Channel.CHAT, room, email=room, why=why) for room in rooms]
    insert_rows(session, message, rows)


def queue_listed(
    session: Session, message: Message, drill: DrillRecipients, *, step_key: str
) -> int:
    """Queue a drill's message to the drill's list; returns how many rows that added."""
    moment = clock.now()
    rows = [
        _urgent(message, step_key, Channel.EMAIL, mailbox.identity, email=mailbox.email, why=WHY)
        | {
            "name": name,
            "time_zone": page_zone(),
            "lane": LANE_NORMAL,
            "due_at": may_go_at(message, moment),
            "expires_at": moment + CUSTOMER_MAIL_AGE,
        }
        for mailbox, name in drill.mailboxes
    ]
    return insert_rows(session, message, rows)


def queue_colleagues(
    session: Session, message: Message, *, step_key: str, people: Iterable[tuple[Contact, str]]
) -> None:
    """Queue the mail of an internal message to contacts, each with why; ahead of customers' mail.

    An address that unsubscribed is mailed nonetheless; one that bounced or was erased is not.
    """
    rows = []
    for contact, why in people:
        found = mailbox_of(contact)
        if found is None:
            continue
        row = _urgent(
            message, step_key, Channel.EMAIL, found.identity, email=found.email, why=why
        ) | {"name": contact.name}
        reason = barring_reason(session, found.identity)
        if reason is not None:
            row |= {"state": DeliveryState.SUPPRESSED, "reason": reason}
        rows.append(row)
    insert_rows(session, message, rows)


def mailbox_of(contact: Contact) -> Address | None:
    """A contact's mail address; None where there is none that could be written to."""
    try:
        return read_address(contact.email)
    except ValueError:
        return None


def _urgent(
    message: Message, step_key: str, channel: Channel, address: str, *, email: str, why: str
) -> dict[str, Any]:
    moment = clock.now()
    return new_row(message.id, step_key, moment, moment + CHAT_AGE, moment) | {
        "channel": channel,
        "address": address,
        "email": email,
        "why": why,
        "lane": LANE_URGENT,
    }


def insert_rows(session: Session, message: Message, rows: Sequence[dict[str, Any]]) -> int:
    """Write rows that are new, of a drill only what goes to its list; returns how many."""
    drill = drill_recipients_of(session, message)
    if drill is not None:
        rows = [row for row in rows if drill.lets(row["channel"], row["address"])]
    if not rows:
        return 0
    statement = insert_new(session, Delivery).values(rows).on_conflict_do_nothing()
    return count_written(session, statement)


def was_queued(session: Session, step_key: str, email: str) -> bool:
    """Whether a step was queued to a mail address."""
    found = select(Delivery.id).where(
        Delivery.address == identity_of(email),
        Delivery.channel == Channel.EMAIL,
        Delivery.step_key == step_key,
    )
    return session.scalar(found.limit(1)) is not None


def queue_test(
    session: Session,
    message: Message,
    *,
    step_key: str,
    email: str,
    name: str,
    time_zone: str | None,
) -> int:
    """Queue a test of a mail to one address, ahead of what customers get; how many rows: 0 or 1."""
    why = "Test, to the person who requested it"
    row = _urgent(message, step_key, Channel.EMAIL, identity_of(email), email=email, why=why)
    return insert_rows(session, message, [row | {"name": name, "time_zone": time_zone}])


def close_waiting(
    session: Session, condition: ColumnElement[bool], state: DeliveryState, reason: str
) -> int:
    """Move the deliveries of a condition to a final state, with its event; returns how many."""
    return _move(session, condition, state, reason)


def queue_again(
    session: Session, condition: ColumnElement[bool], *, reason: str, age: timedelta
) -> int:
    """Have deliveries that came to an end go out at once after all; returns how many.

    The rows are the same ones, so nobody gets two.
    """
    moment = clock.now()
    fresh = {"attempts": 0, "attempt_id": None, "due_at": moment, "expires_at": moment + age}
    return _move(session, condition, DeliveryState.PENDING, reason, **fresh)


def _move(
    session: Session,
    condition: ColumnElement[bool],
    state: DeliveryState,
    reason: str,
    **values: Any,
) -> int:
    moment = clock.now()
    noted = (
        select(
            Delivery.id,
            literal(moment, DeliveryEvent.at.type),
            literal(state, DeliveryEvent.state.type),
            literal(reason),
            literal(""),
        )
        .where(condition)
        # So that nothing is noted of a row that a worker claims meanwhile.
        .with_for_update(of=Delivery)
    )
    if session.get_bind().dialect.name == "postgresql":
        # In the order in which events are folded in, so that neither waits for the other for ever.
        noted = noted.order_by(Delivery.id)
    columns = ["delivery_id", "at", "state", "reason", "attempt"]
    session.execute(insert(DeliveryEvent).from_select(columns, noted))
    return count_written(
        session,
        update(Delivery)
        .where(condition)
        .values(state=state, reason=reason, changed_at=moment, **values)
        .execution_options(synchronize_session=False),
    )


def queue_reached(
    session: Session,
    message: Message,
    reached: Subquery,
    *,
    step_key: str,
    why: ColumnElement[str],
    **values: Any,
) -> int:
    """Queue a message to the recipients of a subquery; returns how many rows that added."""
    moment = clock.now()
    due_at = may_go_at(message, moment)
    columns = new_row(message.id, step_key, due_at, due_at + CUSTOMER_MAIL_AGE, moment) | {
        "address": reached.c.address,
        "email": reached.c.email,
        "time_zone": func.coalesce(reached.c.time_zone, page_zone()),
        "language": reached.c.language,
        "why": why,
        **values,
    }
    columns |= state_and_reason(reached.c.suppressed, reached.c.reason)
    # By language, so that a batch, which is of one, is full.
    order = reached.c.language, reached.c.address
    return insert_chosen(session, message, columns, lambda chosen: chosen.order_by(*order))


def new_row(
    message_id: int, step_key: str, due_at: datetime, expires_at: datetime, queued_at: datetime
) -> dict[str, Any]:
    """A mail's columns that are the same for all recipients of a message, by name."""
    return {
        "message_id": message_id,
        "step_key": step_key,
        "channel": Channel.EMAIL,
        "name": "",
        "reason": "",
        "state": DeliveryState.PENDING,
        "lane": LANE_NORMAL,
        "attempts": 0,
        "due_at": due_at,
        "expires_at": expires_at,
        "provider_id": "",
        "queued_at": queued_at,
        "changed_at": queued_at,
    }


def insert_chosen(
    session: Session,
    message: Message,
    columns: Mapping[str, Any],
    choose: Callable[[Select[Any]], Select[Any]],
) -> int:
    """Write new deliveries, a row for each recipient that ``choose`` makes a SELECT of.

    ``columns`` are expressions or values, by the column's name.  Returns how many rows that added.
    Of a drill's message only what goes to the drill's list is written.
    """
    table = Delivery.__table__.c
    expressions: list[Any] = [
        value if isinstance(value, SQLCoreOperations) else literal(value, table[name].type)
        for name, value in columns.items()
    ]
    chosen = choose(select(*expressions))
    drill = drill_recipients_of(session, message)
    if drill is not None:
        rows = [dict(zip(columns, row, strict=True)) for row in session.execute(chosen)]
        return insert_rows(session, message, rows)
    statement = (
        insert_new(session, Delivery)
        .from_select(list(columns), chosen, include_defaults=False)
        .on_conflict_do_nothing()
    )
    return count_written(session, statement)
