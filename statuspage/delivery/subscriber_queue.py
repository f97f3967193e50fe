"""Queueing for subscribers: whom a public post reaches by mail, and why; and their sign-ups.

Customers are queued first: the unique key of step, channel and address then gives somebody who is
both one mail, the customers'.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    Subquery,
    and_,
    case,
    cast,
    exists,
    false,
    func,
    literal,
    null,
    or_,
    select,
    true,
)
from sqlalchemy.orm import Session

from statuspage.core import clock
from statuspage.core.db import insert_new
from statuspage.core.enums import Channel, DeliveryState, Kind, Step, SubscriberState
from statuspage.delivery.queue import (
    COLUMNS,
    CUSTOMER_MAIL_AGE,
    insert_chosen,
    may_go_at,
    page_zone,
    queue_listed,
)
from statuspage.models import (
    Component,
    Customer,
    Delivery,
    FollowedIncident,
    Message,
    Subscriber,
    SubscriberComponent,
)
from statuspage.models.delivery import LANE_NORMAL, LANE_URGENT
from statuspage.recipients.drill_recipients import drill_recipients_of
from statuspage.recipients.pseudonyms import pseudonymize
from statuspage.recipients.suppression import (
    barring_reason,
    bars,
    state_and_reason,
    suppression_reason,
    with_suppression,
)

_SIGN_UP = "signup:"
_ENDS = frozenset({Step.RESOLVED, Step.REOPENED})
_FOLLOWS = "Following this story"
_EVERYTHING = "Subscribed to all components"


@dataclass(frozen=True, slots=True)
class News:
    """What a post is about, as far as it decides who hears of it.

    ``incident_id`` is None for an incident that is not saved yet.
    """

    kind: Kind
    step: Step
    component_ids: Collection[int]
    incident_id: int | None = None


@dataclass(frozen=True, slots=True)
class Reach:
    """Whom a post reaches: how many by each reason, how many are suppressed.

    ``as_customers`` counts those who get the customers' mail instead.
    """

    reasons: Sequence[tuple[str, int]] = ()
    suppressed: int = 0
    as_customers: int = 0

    @property
    def total(self) -> int:
        """How many are written to."""
        return sum(count for _, count in self.reasons)

    @property
    def anybody(self) -> bool:
        """Whether it concerns any subscriber at all, written to or not."""
        return bool(self.reasons or self.suppressed or self.as_customers)


def any_subscribers(session: Session) -> bool:
    """Whether anybody subscribed and confirmed it."""
    confirmed = select(Subscriber.id).where(Subscriber.state == SubscriberState.CONFIRMED)
    return session.scalar(confirmed.limit(1)) is not None


def count_subscribers(
    session: Session, news: News, *, customers: ColumnElement[bool] | None
) -> Reach:
    """Whom the mail about a post would reach, and why.

    ``customers`` is the rule of the customers' mail where there is one.
    """
    heard = _concerned(news)
    as_customer = false() if customers is None else _is_customer(heard, customers)
    each = select(heard.c.why, heard.c.suppressed, as_customer.label("as_customer")).subquery()
    rows = session.execute(select(each, func.count()).group_by(*each.c)).all()
    reasons: dict[str, int] = {}
    for reason, is_suppressed, is_customer, count in rows:
        if not is_suppressed and not is_customer:
            reasons[reason] = reasons.get(reason, 0) + count
    return Reach(
        reasons=sorted(reasons.items(), key=lambda one: (-one[1], one[0])),
        suppressed=sum(row[3] for row in rows if row[1] and not row[2]),
        as_customers=sum(row[3] for row in rows if row[2]),
    )


def find_reason(session: Session, news: News, address: str) -> str | None:
    """Why a post reaches the subscriber with that normalised address; None where it does not."""
    heard = _concerned(news)
    return session.scalar(select(heard.c.why).where(heard.c.address == address))


def queue_subscribers(session: Session, message: Message, news: News, *, step_key: str) -> int:
    """Queue a message to the subscribers whom it concerns; returns how many rows that added."""
    if (sealed := drill_recipients_of(session, message)) is not None:
        return queue_listed(session, message, sealed, step_key=step_key)
    moment, when = clock.now(), Delivery.due_at.type
    due_at = may_go_at(message, moment)
    heard = _concerned(news)
    state, reason = state_and_reason(heard.c.suppressed, heard.c.reason)
    chosen: Select[Any] = select(
        literal(message.id),
        literal(step_key),
        literal(Channel.EMAIL, Delivery.channel.type),
        heard.c.address,
        heard.c.email,
        literal(""),
        func.coalesce(heard.c.time_zone, page_zone()),
        heard.c.language,
        cast(null(), Integer),
        heard.c.why,
        state,
        reason,
        literal(LANE_NORMAL),
        literal(0),
        literal(due_at, when),
        literal(due_at + CUSTOMER_MAIL_AGE, when),
        literal(""),
        literal(moment, when),
        literal(moment, when),
    ).order_by(heard.c.language, heard.c.address)
    return insert_chosen(session, message, chosen)


def sign_ups(session: Session, address: str) -> list[datetime]:
    """When each mail about its own subscription was queued to an address, oldest first.

    Those count too whose address was forgotten since.
    """
    chosen = select(Delivery.queued_at).where(
        Delivery.address.in_((address, pseudonymize(address))),
        Delivery.channel == Channel.EMAIL,
        Delivery.step_key.startswith(_SIGN_UP),
    )
    return list(session.scalars(chosen.order_by(Delivery.queued_at)))


def queue_sign_up(
    session: Session, message: Message, subscriber: Subscriber, *, number: int, lasts: timedelta
) -> int:
    """Queue the ``number``th mail about an address's own subscription, ahead of all news; its id.

    Who only left may be asked; to an address that bounced or complained it is not sent.
    """
    moment = clock.now()
    barred = barring_reason(session, subscriber.address, though_erased=True)
    state = DeliveryState.PENDING if barred is None else DeliveryState.SUPPRESSED
    values = (
        message.id, f"{_SIGN_UP}{number}", Channel.EMAIL, subscriber.address, subscriber.email, "",
        subscriber.time_zone, message.language, None, "Asked on the page to subscribe", state,
        barred or "", LANE_URGENT, 0, moment, moment + lasts, "", moment, moment,
    )  # fmt: skip
    added = insert_new(session, Delivery).values(dict(zip(COLUMNS, values, strict=True)))
    return int(session.execute(added.returning(Delivery.id)).scalar_one())


def _concerned(news: News) -> Subquery:
    """The rule: who confirmed, and follows this incident or asked for this kind and component.

    Where an incident names no component it concerns everybody.  The tables are joined as wholes:
    asked for each subscriber, PostgreSQL takes several times as long.
    """
    named, followers = _by_component(news), _followers(news)
    has_named = named.c.subscriber_id.is_not(None) if news.component_ids else true()
    by_rule = and_(_wants(news), or_(Subscriber.all_components, has_named))
    suppressed = bars(owed=false())
    chosen = (
        select(
            Subscriber.address,
            Subscriber.email,
            Subscriber.time_zone,
            Subscriber.language,
            case(
                (and_(by_rule, Subscriber.all_components), _EVERYTHING),
                (by_rule, "Subscribed to " + func.coalesce(named.c.component, "?")),
                else_=_FOLLOWS,
            ).label("why"),
            suppressed.label("suppressed"),
            suppression_reason().label("reason"),
        )
        .select_from(Subscriber)
        .outerjoin(named, named.c.subscriber_id == Subscriber.id)
        .outerjoin(followers, followers.c.subscriber_id == Subscriber.id)
        .where(
            Subscriber.state == SubscriberState.CONFIRMED,
            or_(followers.c.subscriber_id.is_not(None), by_rule),
        )
    )
    return with_suppression(chosen, Subscriber.address).subquery()


def _by_component(news: News) -> Subquery:
    """Who named a component, of the affected ones where there are any, and the first of these."""
    chosen = select(
        SubscriberComponent.subscriber_id, func.min(Component.name).label("component")
    ).join(Component, Component.id == SubscriberComponent.component_id)
    if news.component_ids:
        chosen = chosen.where(SubscriberComponent.component_id.in_(news.component_ids))
    return chosen.group_by(SubscriberComponent.subscriber_id).subquery()


def _followers(news: News) -> Subquery:
    followers = select(FollowedIncident.subscriber_id)
    return followers.where(FollowedIncident.incident_id == news.incident_id).subquery()


def _wants(news: News) -> ColumnElement[bool]:
    if news.kind is Kind.MAINTENANCE:
        return and_(Subscriber.maintenance)
    if news.step in _ENDS:
        return and_(Subscriber.incidents)
    return and_(Subscriber.incidents, ~Subscriber.resolved_only)


def _is_customer(heard: Subquery, rule: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(Customer.address == heard.c.address, rule)
