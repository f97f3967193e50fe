"""Whether one address receives a step, by which rule, or why not: asked before publishing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from statuspage.core.enums import Audience, Channel, Kind, SubscriberState
from statuspage.core.errors import Invalid
from statuspage.incidents.announcement import Announcement
from statuspage.models import Component, Customer, Subscriber
from statuspage.recipients import who_receives
from statuspage.recipients.customers import check_email
from statuspage.recipients.suppression import erased_at
from statuspage.recipients.who_receives import Reached

LISTED = {True: "They’re a recipient of it.", False: "They aren’t a recipient of it."}


@dataclass(frozen=True, slots=True)
class RecipientExplanation:
    """Whether a normalised address is mailed, and why or why not, in sentences."""

    address: str
    is_mailed: bool
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Groups:
    """Which customers a step is mailed to: how many by each reason, and how many are left out."""

    reached: Sequence[tuple[str, int]]
    left_out: Sequence[tuple[str, int]]


def recipient_groups(announcement: Announcement) -> Groups | None:
    """Which customers publishing this would mail, and why; None where it mails none."""
    if not announcement.incident.tells_outsiders or not announcement.mails_customers:
        return None
    return Groups(*who_receives.group_customers(announcement.session, announcement.customers))


def explain(announcement: Announcement, text: str) -> RecipientExplanation:
    """Whether the address in ``text`` would be mailed about this step; :class:`Invalid`."""
    return _explain(announcement, _read(text))


def _read(text: str) -> str:
    try:
        return check_email(text).identity
    except Invalid as refused:
        raise Invalid("ask", refused.reason) from None


def _explain(announcement: Announcement, address: str) -> RecipientExplanation:
    session = announcement.session
    if announcement.drill is not None:
        is_listed = announcement.drill.lets(Channel.EMAIL, address)
        return RecipientExplanation(address, is_listed, (f"This is a drill. {LISTED[is_listed]}",))
    if announcement.incident.is_internal:
        return RecipientExplanation(
            address, False, ("Internal incidents notify no customers or subscribers.",)
        )
    is_mailed, as_customer = _as_customer(announcement, address)
    if is_mailed:
        return RecipientExplanation(address, True, (as_customer,))
    is_mailed, as_subscriber = _as_subscriber(announcement, address)
    if is_mailed:
        return RecipientExplanation(address, True, (as_subscriber,))
    reasons = [as_customer, as_subscriber]
    if erased_at(session, address) is not None:
        reasons.insert(0, "Their data was erased at their request.")
    return RecipientExplanation(address, False, tuple(reasons))


def _as_customer(announcement: Announcement, address: str) -> tuple[bool, str]:
    session = announcement.session
    customer = session.scalars(select(Customer).filter_by(address=address)).one_or_none()
    if customer is None:
        return False, "They aren’t on the customer list."
    if announcement.incident.kind is not Kind.INCIDENT or not announcement.promises_customers:
        return False, "They’re a customer, and customers aren’t emailed at this step."
    if Audience.CUSTOMER in announcement.left_out:
        return False, "They are a customer, and customers are left out of this update."
    reached = who_receives.find_customer(session, announcement.customers, address)
    if reached is None and announcement.answers:
        return False, f"They’re a customer who wasn’t notified that {announcement.taken_back}."
    if reached is None:
        return False, f"They’re a customer of other components: {_used(session, customer)}."
    if reached.suppressed:
        return False, f"They’re an affected customer, but {_kept_away(reached)}"
    if reached.reason:
        return True, "They unsubscribed, but contractual notices are still sent."
    if announcement.answers:
        return True, f"They’re a customer who was notified that {announcement.taken_back}."
    if reached.why:
        return True, "They’re a customer, and all customers are affected."
    return True, f"They are a customer of {_used(session, customer, only=announcement.concerned)}."


def _as_subscriber(announcement: Announcement, address: str) -> tuple[bool, str]:
    session = announcement.session
    subscriber = session.scalars(select(Subscriber).filter_by(address=address)).one_or_none()
    if subscriber is None:
        return False, "They didn’t subscribe."
    if subscriber.state is SubscriberState.PENDING:
        return False, "They haven’t confirmed their subscription."
    if subscriber.state is SubscriberState.UNSUBSCRIBED:
        return False, "They unsubscribed."
    if Audience.SUBSCRIBER in announcement.left_out:
        return False, "They are a subscriber, and subscribers are left out of this update."
    reached = who_receives.find_subscriber(session, announcement.topic, address)
    if reached is None:
        return False, "They subscribed to other components or other kinds of updates."
    if reached.suppressed:
        return False, f"They subscribed to this, but {_kept_away(reached)}"
    return True, f"{reached.why}."


def _kept_away(reached: Reached) -> str:
    return f"nothing is sent to them: {reached.reason}."


def _used(session: Session, customer: Customer, *, only: Sequence[int] | None = None) -> str:
    """The names of the components that a customer uses, of ``only`` these where given."""
    ids = {link.component_id for link in customer.components}
    ids &= ids if only is None else set(only)
    names = session.scalars(select(Component.name).where(Component.id.in_(ids)))
    return ", ".join(sorted(names))
