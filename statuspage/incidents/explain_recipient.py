"""Whether one address hears of a step, by which rule, or why not: asked before it is published."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from statuspage.core.enums import Channel, Kind, SubscriberState
from statuspage.core.errors import Invalid
from statuspage.delivery import queue, subscriber_queue
from statuspage.incidents.announcement import Announcement
from statuspage.models import Component, Customer, Subscriber
from statuspage.recipients.customers import check_email
from statuspage.recipients.suppression import barring_reason, erased_at, suppression_of

LISTED = {True: "They are on its list.", False: "They are not on its list."}


@dataclass(frozen=True, slots=True)
class RecipientExplanation:
    """Whether a normalised address is mailed, and why or why not, in sentences."""

    address: str
    hears: bool
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
    if announcement.drill is not None:
        return Groups([("on the drill's list", len(announcement.drill.mailboxes))], [])
    session, ids = announcement.session, announcement.concerned
    return Groups(*queue.group_customers(session, announcement.customers_rule, ids))


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
            address, False, ("Nobody outside is told of what is internal.",)
        )
    hears, as_customer = _as_customer(announcement, address)
    if hears:
        return RecipientExplanation(address, True, (as_customer,))
    hears, as_subscriber = _as_subscriber(announcement, address)
    if hears:
        return RecipientExplanation(address, True, (as_subscriber,))
    reasons = [as_customer, as_subscriber]
    if erased_at(session, address) is not None:
        reasons.insert(0, "They were erased at their own request.")
    return RecipientExplanation(address, False, tuple(reasons))


def _as_customer(announcement: Announcement, address: str) -> tuple[bool, str]:
    session = announcement.session
    customer = session.scalars(select(Customer).filter_by(address=address)).one_or_none()
    if customer is None:
        return False, "They are not on the list of customers."
    if announcement.incident.kind is not Kind.INCIDENT or not announcement.mails_customers:
        return False, "They are a customer, and customers are not written to at this step."
    rule = announcement.customers_rule
    reached = session.scalar(select(Customer.id).where(Customer.id == customer.id, rule))
    if reached is None and announcement.answers:
        return False, f"They are a customer who was not told that {announcement.taken_back}."
    if reached is None:
        return False, f"They are a customer of other components: {_used(session, customer)}."
    barred = barring_reason(session, address, owed=customer.contractual, though_erased=True)
    if barred:
        return False, f"They are a customer whom it concerns, but {_kept_away(barred)}"
    if suppression_of(session, address):
        return True, "They left, but notices are owed to them by contract."
    if announcement.answers:
        return True, f"They are a customer who was told that {announcement.taken_back}."
    if customer.all_components or not announcement.concerned:
        return True, "They are a customer, and it concerns them whatever they use."
    return True, f"They are a customer of {_used(session, customer, only=announcement.concerned)}."


def _as_subscriber(announcement: Announcement, address: str) -> tuple[bool, str]:
    session = announcement.session
    subscriber = session.scalars(select(Subscriber).filter_by(address=address)).one_or_none()
    if subscriber is None:
        return False, "They did not subscribe."
    if subscriber.state is SubscriberState.PENDING:
        return False, "They asked to subscribe and have not confirmed it."
    if subscriber.state is SubscriberState.UNSUBSCRIBED:
        return False, "They ended their subscription."
    why = subscriber_queue.find_reason(session, announcement.news, address)
    if why is None:
        return False, "They subscribed to other components or other kinds of news."
    barred = barring_reason(session, address, owed=False, though_erased=True)
    if barred:
        return False, f"They subscribed to this, but {_kept_away(barred)}"
    return True, f"{why}."


def _kept_away(reason: str) -> str:
    return f"nothing is sent to them: {reason}."


def _used(session: Session, customer: Customer, *, only: Sequence[int] | None = None) -> str:
    """The names of the components that a customer uses, of ``only`` these where given."""
    ids = {link.component_id for link in customer.components}
    ids &= ids if only is None else set(only)
    names = session.scalars(select(Component.name).where(Component.id.in_(ids)))
    return ", ".join(sorted(names))
