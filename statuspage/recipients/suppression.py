"""Suppression: the one rule whether an address may be written to, and why not.

A suppression keeps all mail from its address.  There is one exception: who merely unsubscribed is
still sent what is *owed* to them.  Owed are notices to a customer with a contract
(:func:`owed_by_contract`), and mail that does not come from a list: about an account, a sign-up or
a colleague's duty (:data:`PERSONAL`).  The queue, the claims, the counts and the explanations all
ask :func:`bars`, so none of them can say something else.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    case,
    delete,
    exists,
    false,
    func,
    select,
    true,
)
from sqlalchemy.orm import Session, aliased

from statuspage.access import audit
from statuspage.access.audit import Actor
from statuspage.access.permissions import Permission, needs
from statuspage.core import clock
from statuspage.core.db import count_written, insert_new, writing
from statuspage.core.enums import DeliveryState
from statuspage.core.errors import Invalid
from statuspage.models import Customer, Suppression
from statuspage.recipients.pseudonyms import pseudonymize


class SuppressionKind(StrEnum):
    """Why nothing is sent to an address, as it is stored."""

    UNSUBSCRIBED = "unsubscribed"
    BOUNCED = "bounced"
    COMPLAINED = "complained"
    ERASED = "erased"  # stored under the pseudonym of the address


PERSONAL = true()
"""What is owed to everybody: mail that does not come from a list."""

REASONS = {
    SuppressionKind.BOUNCED: "email to this address bounced",
    SuppressionKind.COMPLAINED: "the recipient reported our email as spam",
    SuppressionKind.UNSUBSCRIBED: "the recipient unsubscribed",
    SuppressionKind.ERASED: "erased at their own request",
}
ERASED_BEFORE = "Whoever has this address asked to be erased; add them only if they ask for it"


# --- the rule -------------------------------------------------------------------------------------


def bars(owed: Any) -> ColumnElement[bool]:
    """The rule: a suppression (see :func:`with_suppression`) keeps mail from its address.

    ``owed`` is the condition that the mail is owed to whoever merely unsubscribed.
    """
    only_left = Suppression.kind == SuppressionKind.UNSUBSCRIBED.value
    return and_(Suppression.address.is_not(None), ~and_(owed, only_left))


def owed_by_contract() -> ColumnElement[bool]:
    """The condition that notices are owed to the address of a suppression."""
    # An alias, or a query about customers would take it for its own row.
    customer = aliased(Customer)
    return exists().where(customer.address == Suppression.address, customer.contractual)


def with_suppression(chosen: Any, address: Any) -> Select[Any]:
    """``chosen`` joined with the suppression of an address, if there is one."""
    joined: Select[Any] = chosen.outerjoin(Suppression, Suppression.address == address)
    return joined


def suppression_reason() -> ColumnElement[str]:
    """The reason of a joined suppression, for people; empty without one."""
    return func.coalesce(Suppression.reason, "")


def state_and_reason(suppressed: Any, reason: Any) -> dict[str, ColumnElement[str]]:
    """The columns that say whether a new delivery may go, and why not, by name."""
    barred, waits = DeliveryState.SUPPRESSED.value, DeliveryState.PENDING.value
    return {
        "state": case((suppressed, barred), else_=waits),
        "reason": case((suppressed, reason), else_=""),
    }


def is_suppressed(address: Any) -> ColumnElement[bool]:
    """The condition that no notice may be sent to the address in a column."""
    return exists().where(Suppression.address == address, bars(owed_by_contract()))


def suppressed_addresses() -> Select[str]:
    """The addresses that some mail is kept from."""
    return select(Suppression.address)


def barring_reason(
    session: Session, address: str, *, owed: bool = True, though_erased: bool = False
) -> str | None:
    """Why mail must not be sent to a normalised address; None where it may be.

    ``owed`` as in :func:`bars`.  ``though_erased`` is for mail that the erased owner asks for
    again.
    """
    names = [address] if though_erased else [address, pseudonymize(address)]
    condition = bars(true() if owed else false())
    found = select(Suppression).where(Suppression.address.in_(names), condition)
    row = session.scalars(found.limit(1)).one_or_none()
    return None if row is None else row.reason or row.kind


# --- what is known of an address ------------------------------------------------------------------


def suppression_of(session: Session, address: str) -> Suppression | None:
    """The suppression of a normalised address, whatever mail it keeps from it."""
    return session.get(Suppression, address)


def suppression_kind(session: Session, address: str) -> SuppressionKind | None:
    """Why something is kept from a normalised address; None where nothing is."""
    kind = session.scalar(select(Suppression.kind).where(Suppression.address == address))
    return None if kind is None else SuppressionKind(kind)


def suppressions_among(session: Session, addresses: Collection[str]) -> dict[str, Suppression]:
    """The suppressions of these normalised addresses, by address."""
    found = select(Suppression).where(Suppression.address.in_(addresses))
    return {row.address: row for row in session.scalars(found)}


def erased_at(session: Session, address: str) -> datetime | None:
    """When the owner of a normalised address was erased on request; None where nobody was."""
    return session.scalar(
        select(Suppression.at).where(
            Suppression.address == pseudonymize(address),
            Suppression.kind == SuppressionKind.ERASED.value,
        )
    )


def erased_among(session: Session, addresses: Collection[str]) -> frozenset[str]:
    """Which of these normalised addresses belong to somebody who was erased on request."""
    chosen = select(Suppression.address).where(Suppression.kind == SuppressionKind.ERASED.value)
    erased = frozenset(session.scalars(chosen))
    if not erased:
        return erased
    return frozenset(address for address in addresses if pseudonymize(address) in erased)


def refuse_erased(session: Session, address: str) -> None:
    """Raise :class:`Invalid` where the owner of a normalised address was erased on request."""
    if erased_at(session, address) is not None:
        raise Invalid("email", ERASED_BEFORE)


# --- adding and lifting ---------------------------------------------------------------------------


def suppress(
    session: Session, address: str, kind: SuppressionKind, *, at: datetime | None = None
) -> None:
    """Send nothing more to a normalised address; a graver kind than unsubscribing is kept."""
    reason = REASONS[kind]
    statement = insert_new(session, Suppression).values(
        address=address, kind=kind.value, reason=reason, at=at or clock.now()
    )
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["address"],
            set_={"kind": kind.value, "reason": reason},
            where=Suppression.kind == SuppressionKind.UNSUBSCRIBED.value,
        )
    )


def lift(session: Session, address: str) -> int:
    """Let all mail go to a normalised address, or a pseudonym, again; how many rows that took."""
    return count_written(session, delete(Suppression).where(Suppression.address == address))


@needs(Permission.CUSTOMERS)
def write_again(address: str, *, actor: Actor) -> None:
    """Lift the suppression of a normalised address, whatever its kind, by hand."""
    with writing() as session:
        found = suppression_of(session, address)
        if found is None:
            return
        before = {"suppressed": found.kind, "reason": found.reason}
        lift(session, address)
        audit.record(session, actor, "suppression.lift", subject_kind="suppression",
                     subject=address, before=before)  # fmt: skip
