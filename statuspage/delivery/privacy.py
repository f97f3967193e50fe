"""What is held on one address, and erasing it; forgetting addresses that nobody needs any more.

An erased delivery keeps its state, times and a keyed hash of the address
(:mod:`statuspage.recipients.pseudonyms`), so "was this address sent it?" can still be answered to
whoever names the address.  The list entries go.  What stays is that the address must not be written
to again, as the same hash, so that the next import does not bring its owner back.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    String,
    Table,
    bindparam,
    cast,
    delete,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Session, joinedload

from statuspage.access import audit, audit_chain
from statuspage.access.audit import Actor
from statuspage.access.permissions import Permission, needs
from statuspage.core import clock
from statuspage.core.config import current_settings
from statuspage.core.db import count_written, current_session, writing
from statuspage.core.enums import OUTBOX, Channel, DeliveryState
from statuspage.core.errors import Invalid
from statuspage.delivery.queue import close_waiting
from statuspage.delivery.sent_copy import remove_mail
from statuspage.models import (
    Account,
    AuditEntry,
    Contact,
    Customer,
    Delivery,
    DeliveryEvent,
    Incident,
    Message,
    Subscriber,
    Suppression,
    WebhookEvent,
)
from statuspage.models.delivery import in_state
from statuspage.recipients.customers import check_email
from statuspage.recipients.pseudonyms import is_pseudonym, pseudonymize
from statuspage.recipients.suppression import (
    REASONS,
    SuppressionKind,
    erased_at,
    lift,
    suppress,
    suppression_of,
)

LATEST: Final = 50
AT_ONCE: Final = 500

_REASON: Final = REASONS[SuppressionKind.ERASED]
_UNKNOWN: Final = "erased at their own request, before it was known whether it arrived"
_BLANK: Final = "[erased]"
_SENDING: Final = "An email to this address is being sent right now. Try again in a minute."


@dataclass(frozen=True, slots=True)
class Holdings:
    """Everything that is held on an address.

    ``deliveries`` are the latest of ``total``; those that were forgotten hold only its hash.
    ``colleague``: an account or a contact has it too, which no erasure touches.
    """

    address: str
    customer: Customer | None
    subscriber: Subscriber | None
    suppression: Suppression | None
    deliveries: Sequence[Delivery]
    total: int
    in_the_clear: int
    erased_at: datetime | None
    colleague: bool

    @property
    def is_anything(self) -> bool:
        """Whether there is something that an erasure would take away."""
        entries = (self.customer, self.subscriber, self.suppression)
        return self.in_the_clear > 0 or any(entry is not None for entry in entries)


@dataclass(frozen=True, slots=True)
class Erased:
    """What an erasure took away, in numbers."""

    lists: int
    deliveries: int
    files: int


def holdings(session: Session, text: str) -> Holdings:
    """What is held on the address in ``text``; :class:`Invalid` where it is none."""
    address = check_email(text).identity
    theirs = _theirs(address)
    in_the_clear = Delivery.address == address
    total, clear = session.execute(
        select(func.count(), func.count().filter(in_the_clear)).where(theirs)
    ).one()
    latest = select(Delivery).where(theirs).options(joinedload(Delivery.message))
    return Holdings(
        address=address,
        customer=session.scalars(select(Customer).filter_by(address=address)).one_or_none(),
        subscriber=session.scalars(select(Subscriber).filter_by(address=address)).one_or_none(),
        suppression=suppression_of(session, address),
        deliveries=session.scalars(latest.order_by(Delivery.id.desc()).limit(LATEST)).all(),
        total=total,
        in_the_clear=clear,
        erased_at=erased_at(session, address),
        colleague=_is_colleague(session, address),
    )


@needs(Permission.PERSONAL_DATA)
def erase(text: str, *, actor: Actor) -> Erased:
    """Erase what is held on an address, except the proof of what was sent to it.

    Erasing again changes nothing more.  Raises :class:`Invalid` for no address, and while a mail to
    it is under way.
    """
    address = check_email(text).identity
    with writing() as session:
        chosen = select(Delivery).where(_theirs(address)).with_for_update()
        deliveries = session.scalars(chosen).all()
        if any(one.state is DeliveryState.SENDING for one in deliveries):
            raise Invalid("email", _SENDING)
        ids = [one.id for one in deliveries]
        known = {address, *(one.email for one in deliveries if one.email)}
        customer = session.scalars(select(Customer).filter_by(address=address)).one_or_none()
        if customer is not None:
            known.add(customer.email)
        forgotten = [one for one in deliveries if not is_pseudonym(one.address)]
        _stop_waiting(session, address)
        _take_off_drills(session, address)
        _forget(session, [_Row(one.id, one.address, one.email) for one in forgotten])
        _forget_events(session, or_(WebhookEvent.address.in_(known), _about(ids)))
        lists = lift(session, address) + sum(
            count_written(session, delete(entries).where(entries.address == address))
            for entries in (Customer, Subscriber)
        )
        suppress(session, pseudonymize(address), SuppressionKind.ERASED)
        _forget_entries(session, address, known)
        audit.record(
            session, actor, "person.erase", subject_kind="person", subject=pseudonymize(address),
            after={"list entries": lists, "deliveries": len(forgotten)},
        )  # fmt: skip
    # After the commit; where this ends halfway, erasing again finds the files by the hash.
    files = remove_mail(current_settings().data_dir, ids)
    return Erased(lists, len(forgotten), files)


@needs(Permission.PERSONAL_DATA)
def allow_again(text: str, *, actor: Actor) -> None:
    """Let somebody who was erased be put on a list again, because they asked for it."""
    address = check_email(text).identity
    with writing() as session:
        if erased_at(session, address) is None:
            return
        lift(session, pseudonymize(address))
        audit.record(
            session,
            actor,
            "person.allow_again",
            subject_kind="person",
            subject=pseudonymize(address),
        )


def forget_old_addresses(*, older_than: timedelta) -> bool:
    """Forget the addresses of one batch of deliveries whose message is that old.

    Returns whether there may be more.  Small batches, so that nobody waits for the database; states
    and times stay, as after an erasure.  What the provider reported is dropped sooner than that
    (:func:`statuspage.delivery.provider_events.forget_folded`).
    """
    before = clock.now() - older_than
    message_id = current_session().scalar(_oldest_to_forget(before))
    if message_id is None:
        return False
    with writing() as session:
        rows = [
            _Row(*row)
            for row in session.execute(
                select(Delivery.id, Delivery.address, Delivery.email)
                .where(
                    Delivery.message_id == message_id,
                    Delivery.channel == Channel.EMAIL,
                    Delivery.email != "",
                )
                .limit(AT_ONCE)
            )
        ]
        _forget(session, rows)
        if len(rows) < AT_ONCE:
            done = update(Message).where(Message.id == message_id)
            session.execute(done.values(forgotten_at=clock.now()))
    remove_mail(current_settings().data_dir, [row.id for row in rows])
    return True


# --- what is theirs ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Row:
    id: int
    address: str
    email: str


def _theirs(address: str) -> ColumnElement[bool]:
    return Delivery.address.in_((address, pseudonymize(address))) & (
        Delivery.channel == Channel.EMAIL
    )


def _about(ids: Sequence[int]) -> ColumnElement[bool]:
    return WebhookEvent.delivery_id.in_(ids)


def _is_colleague(session: Session, address: str) -> bool:
    account = select(Account.id).where(Account.email == address)
    contact = select(Contact.id).where(
        func.lower(Contact.email) == address, Contact.removed_at.is_(None)
    )
    return any(session.scalar(one.limit(1)) is not None for one in (account, contact))


def _oldest_to_forget(before: datetime) -> Any:
    waits = select(Delivery.id).where(Delivery.message_id == Message.id, Delivery.state.in_(OUTBOX))
    return (
        select(Message.id)
        .where(Message.created_at < before, Message.forgotten_at.is_(None), ~waits.exists())
        .order_by(Message.id)
        .limit(1)
    )


# --- forgetting ----------------------------------------------------------------------------------


def _stop_waiting(session: Session, address: str) -> None:
    for state, reason in (
        (DeliveryState.PENDING, _REASON),
        (DeliveryState.UNCERTAIN, _UNKNOWN),
    ):
        waiting = in_state(state) & (Delivery.address == address)
        close_waiting(session, waiting, DeliveryState.SUPPRESSED, reason)


def _forget(session: Session, rows: Sequence[_Row]) -> None:
    """Put the hash in the place of each address, and take it out of what providers said."""
    if not rows:
        return
    ids = [row.id for row in rows]
    known = {row.id: {row.address, row.email} for row in rows}
    table: Table = Delivery.__table__  # type: ignore[assignment]
    session.execute(
        table.update().where(table.c.id == bindparam("this")),
        [
            {"this": row.id, "address": pseudonymize(row.address), "email": "", "name": "",
             "time_zone": None, "customer_id": None}
            for row in rows
        ],
    )  # fmt: skip
    for model, owner in ((DeliveryEvent, DeliveryEvent.delivery_id), (Delivery, Delivery.id)):
        reasons = session.execute(
            select(model.id, owner, model.reason).where(owner.in_(ids), model.reason.contains("@"))
        )
        for id_, delivery_id, reason in reasons.all():
            session.execute(
                update(model)
                .where(model.id == id_)
                .values(reason=_without(reason, known[delivery_id]))
                .execution_options(synchronize_session=False)
            )


def _forget_events(session: Session, chosen: ColumnElement[bool]) -> None:
    session.execute(
        update(WebhookEvent)
        .where(chosen)
        .values(address="", reason="")
        .execution_options(synchronize_session=False)
    )


def _take_off_drills(session: Session, address: str) -> None:
    """Take an address off every drill's list: nothing of it goes there any more."""
    for drill in session.scalars(select(Incident).where(Incident.is_drill.is_(True))):
        left = [
            one
            for one in drill.drill_list
            if "email" not in one or check_email(one["email"]).identity != address
        ]
        if left != drill.drill_list:
            drill.drill_list = left


def _forget_entries(session: Session, address: str, known: Iterable[str]) -> None:
    """Take an address, and what stands about its owner, out of the audit trail."""
    conditions = [
        column.contains(address, autoescape=True)
        for column in (cast(AuditEntry.before, String), cast(AuditEntry.after, String))
    ]
    for entry in session.scalars(
        select(AuditEntry).where(or_(AuditEntry.subject == address, *conditions))
    ):
        audit_chain.redact(entry, address, frozenset(known))


def _without(text: str, known: Iterable[str]) -> str:
    words = "|".join(re.escape(one) for one in sorted(known, key=len, reverse=True) if one)
    return re.sub(words, _BLANK, text, flags=re.IGNORECASE) if words else text
