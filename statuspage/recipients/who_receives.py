"""Who receives the mail about a step, and by which rule.

Which audiences an update has is :func:`why_left_out`.  Within them there are two rules: one for
customers (:func:`reached_customers`) and one for subscribers (:func:`reached_subscribers`).  Each
is one subquery of recipients with the reason why it reaches them and whether they are suppressed.
The queue inserts its rows, the incident screen counts them, the preview takes the first, and an
explanation looks for one address in it: so all of them say the same.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy import (
    ColumnElement,
    Subquery,
    and_,
    case,
    exists,
    false,
    func,
    literal,
    null,
    or_,
    select,
    true,
    union,
)
from sqlalchemy.orm import InstrumentedAttribute, Session

from statuspage.core import clock
from statuspage.core.enums import (
    Audience,
    Channel,
    Impact,
    Kind,
    Step,
    SubscribedUpdates,
    SubscriberState,
)
from statuspage.core.languages import nearest
from statuspage.models import (
    Component,
    Customer,
    CustomerComponent,
    Delivery,
    FollowedIncident,
    Subscriber,
    SubscriberComponent,
)
from statuspage.models.delivery import was_sent
from statuspage.recipients.drill_recipients import WHY as ON_DRILL_LIST
from statuspage.recipients.drill_recipients import DrillRecipients
from statuspage.recipients.suppression import bars, suppression_reason, with_suppression

# That it is over and, where it was opened again, that it is not.
_ENDS = frozenset({Step.RESOLVED, Step.REOPENED})
_FOLLOWS = "Following this incident"
_EVERYTHING = "Subscribed to all components"


@dataclass(frozen=True, slots=True)
class AudienceChoice:
    """The audiences that somebody leaves out of an update, and why; the page is never left out."""

    left_out: frozenset[Audience] = frozenset()
    because: str = ""


EVERYBODY: Final = AudienceChoice()


def why_left_out(
    audience: Audience,
    choice: AudienceChoice,
    *,
    since_last: timedelta | None = None,
    at_most_every: timedelta = timedelta(),
) -> str | None:
    """Why an audience that could be notified of an update is not; None where it is.

    The reason is empty where nobody had to give one (:func:`asks_why`).  Of an update that only
    says that nothing has changed, ``since_last`` is how long ago subscribers were last emailed
    about the incident: they are not again before ``at_most_every`` has passed.
    """
    if audience in choice.left_out:
        return choice.because
    if audience is Audience.SUBSCRIBER and since_last is not None and since_last < at_most_every:
        return f"“No change yet” is emailed at most once in {clock.show_duration(at_most_every)}"
    return None


def asks_why(audience: Audience, *, changes_status: bool) -> bool:
    """Whether leaving an audience out takes a reason: it was promised that it is notified.

    The severity scheme promises customers their emails.  Subscribers asked for each step; what is
    added at the same status may be too small for an email.  Chat is the colleagues' own.
    """
    return audience is Audience.CUSTOMER or (audience is Audience.SUBSCRIBER and changes_status)


def languages_read(session: Session, *, own: str) -> list[str]:
    """The languages other than the page's own in which somebody is written to."""
    codes = union(select(Customer.language), select(Subscriber.language))
    return sorted({nearest(code, default=own) for code in session.scalars(codes)} - {own})


# --- customers ------------------------------------------------------------------------------------


def concerned_customers(component_ids: Collection[int]) -> ColumnElement[bool]:
    """The rule: customers of the affected components; everybody, where none are named."""
    if not component_ids:
        return true()
    uses_one = exists().where(
        CustomerComponent.customer_id == Customer.id,
        CustomerComponent.component_id.in_(component_ids),
    )
    return or_(Customer.all_components, uses_one)


def customers_sent(message_ids: Collection[int]) -> ColumnElement[bool]:
    """The rule of a reopening: customers who were sent one of these messages."""
    # As a list made once: asked for each customer, SQLite may go through the whole message again.
    return Customer.address.in_(
        select(Delivery.address).where(
            Delivery.message_id.in_(message_ids),
            Delivery.channel == Channel.EMAIL,
            was_sent(),
        )
    )


def reached_customers(rule: ColumnElement[bool], component_ids: Collection[int] = ()) -> Subquery:
    """The customers whom a rule reaches, suppressed or not.

    ``component`` is the first of the affected components that they use, None where they use none.
    """
    chosen = select(
        Customer.id,
        Customer.address,
        Customer.email,
        Customer.name,
        Customer.time_zone,
        Customer.language,
        Customer.all_components,
        bars(Customer.contractual).label("suppressed"),
        suppression_reason().label("reason"),
    ).where(rule)
    if component_ids:
        named = _first_components(
            CustomerComponent.customer_id, CustomerComponent.component_id, component_ids
        )
        chosen = chosen.add_columns(named.c.component).outerjoin(
            named, named.c.owner_id == Customer.id
        )
    else:
        chosen = chosen.add_columns(null().label("component"))
    return with_suppression(chosen, Customer.address).subquery()


def customer_because(reached: Subquery, component_ids: Collection[int]) -> ColumnElement[str]:
    """Why a customer is reached, as their delivery keeps it: a component that they use."""
    if not component_ids:
        return literal("Customer, whatever they use")
    return case(
        (reached.c.all_components, "Customer, all components"),
        else_="Customer of " + reached.c.component,
    )


@dataclass(frozen=True, slots=True)
class CustomerRule:
    """Which customers a step is mailed to: those of a condition, or a drill's list in their place.

    ``component_ids`` are the components that it concerns, by which a customer is reached.
    """

    condition: ColumnElement[bool]
    component_ids: Collection[int] = ()
    drill: DrillRecipients | None = None


@dataclass(frozen=True, slots=True)
class Reader:
    """A customer who would be written to."""

    email: str
    name: str
    time_zone: str | None
    language: str = ""


@dataclass(frozen=True, slots=True)
class Reached:
    """A recipient whom a rule reaches, and why; ``reason`` is that of their suppression, if any."""

    why: str
    suppressed: bool
    reason: str


def first_readers(session: Session, rule: CustomerRule, *, most: int) -> tuple[Reader, ...]:
    """The first customers whom a rule reaches and who are not suppressed."""
    if rule.drill is not None:
        return tuple(Reader(box.email, name, None) for box, name in rule.drill.mailboxes[:most])
    of = reached_customers(rule.condition).c
    first = select(of.email, of.name, of.time_zone, of.language).where(~of.suppressed)
    return tuple(Reader(*row) for row in session.execute(first.order_by(of.id).limit(most)))


def count_customers(session: Session, rule: CustomerRule) -> tuple[int, int]:
    """How many customers a rule reaches, and how many of them are left out as suppressed."""
    if rule.drill is not None:
        return len(rule.drill.mailboxes), 0
    suppressed = reached_customers(rule.condition).c.suppressed
    counts = select(func.count().filter(~suppressed), func.count().filter(suppressed))
    reached, skipped = session.execute(counts).one()
    return reached, skipped


def group_customers(
    session: Session, rule: CustomerRule
) -> tuple[list[tuple[str, int]], list[tuple[str, int]]]:
    """The customers whom a rule reaches, counted by reason, and those left out by theirs."""
    if rule.drill is not None:
        return [("on the drill's list", len(rule.drill.mailboxes))], []
    reached = reached_customers(rule.condition, rule.component_ids)
    why = case(
        (reached.c.suppressed, reached.c.reason),
        (reached.c.all_components, "use everything"),
        (reached.c.component.is_not(None), "use " + reached.c.component),
        else_="are told whatever they use",
    )
    each = select(why.label("why"), reached.c.suppressed).subquery()
    count = func.count()
    rows = session.execute(
        select(each, count).group_by(*each.c).order_by(count.desc(), each.c.why)
    ).all()
    groups: tuple[list[tuple[str, int]], list[tuple[str, int]]] = ([], [])
    for reason, is_suppressed, number in rows:
        groups[bool(is_suppressed)].append((reason, number))
    return groups


def find_customer(session: Session, rule: CustomerRule, address: str) -> Reached | None:
    """The customer with that normalised address, as a rule reaches them; None where it does not."""
    of = reached_customers(rule.condition).c
    chosen = select(of.suppressed, of.reason, of.all_components).where(of.address == address)
    row = session.execute(chosen).one_or_none()
    if row is None:
        return None
    is_everything = row.all_components or not rule.component_ids
    return Reached("all components" if is_everything else "", bool(row.suppressed), row.reason)


# --- subscribers ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Topic:
    """What an update is about, as far as it decides who receives it.

    ``incident_id`` is None for an incident that is not saved yet.  A ``drill`` reaches its own
    list in the place of subscribers.  ``impact`` is the worst so far, ``impact_before`` what that
    was before this post; ``is_first`` where subscribers were emailed nothing about it yet.
    """

    kind: Kind
    step: Step
    component_ids: Collection[int]
    incident_id: int | None = None
    drill: DrillRecipients | None = None
    impact: Impact = Impact.CRITICAL
    impact_before: Impact | None = None
    is_first: bool = False


@dataclass(frozen=True, slots=True)
class Reach:
    """Whom an update reaches: how many by each reason, how many are suppressed.

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


def count_subscribers(session: Session, topic: Topic, *, customers: CustomerRule | None) -> Reach:
    """How many subscribers the mail about a step reaches, and why.

    ``customers`` is the rule of the customers' mail where there is one.
    """
    if topic.drill is not None:
        listed = len(topic.drill.mailboxes)
        if customers is not None:
            return Reach(as_customers=listed)
        return Reach(((ON_DRILL_LIST, listed),) if listed else ())
    reached = reached_subscribers(topic)
    as_customer = false() if customers is None else _is_customer(reached, customers.condition)
    each = select(reached.c.why, reached.c.suppressed, as_customer.label("as_customer")).subquery()
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


def find_subscriber(session: Session, topic: Topic, address: str) -> Reached | None:
    """The subscriber with that normalised address, as an update reaches them, or None."""
    of = reached_subscribers(topic).c
    chosen = select(of.why, of.suppressed, of.reason).where(of.address == address)
    row = session.execute(chosen).one_or_none()
    return None if row is None else Reached(row.why, bool(row.suppressed), row.reason)


def reached_subscribers(topic: Topic) -> Subquery:
    """The rule: who confirmed, and follows this incident or asked for this kind and component.

    Where an incident names no component it concerns everybody.  The tables are joined as wholes:
    asked for each subscriber, PostgreSQL takes several times as long.
    """
    named, followers = _by_component(topic), _followers(topic)
    has_named = named.c.owner_id.is_not(None) if topic.component_ids else true()
    by_rule = and_(_wants(topic), or_(Subscriber.all_components, has_named))
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
        .outerjoin(named, named.c.owner_id == Subscriber.id)
        .outerjoin(followers, followers.c.subscriber_id == Subscriber.id)
        .where(
            Subscriber.state == SubscriberState.CONFIRMED,
            or_(followers.c.subscriber_id.is_not(None), by_rule),
        )
    )
    return with_suppression(chosen, Subscriber.address).subquery()


def notice_readers() -> Subquery:
    """The rule of a notice, which is of no component: who asked for incidents or maintenance."""
    chosen = select(
        Subscriber.address,
        Subscriber.email,
        Subscriber.time_zone,
        Subscriber.language,
        literal("Subscribed to the page").label("why"),
        bars(owed=false()).label("suppressed"),
        suppression_reason().label("reason"),
    ).where(
        Subscriber.state == SubscriberState.CONFIRMED,
        or_(Subscriber.incidents, Subscriber.maintenance),
    )
    return with_suppression(chosen, Subscriber.address).subquery()


def count_notice_readers(session: Session) -> int:
    """How many subscribers the mail about a notice would go to."""
    reached = notice_readers()
    chosen = select(func.count()).select_from(reached).where(~reached.c.suppressed)
    return session.scalar(chosen) or 0


def _by_component(topic: Topic) -> Subquery:
    """Who named a component, of the affected ones where there are any, and the first of these."""
    return _first_components(
        SubscriberComponent.subscriber_id, SubscriberComponent.component_id, topic.component_ids
    )


def _followers(topic: Topic) -> Subquery:
    followers = select(FollowedIncident.subscriber_id)
    return followers.where(FollowedIncident.incident_id == topic.incident_id).subquery()


def _wants(topic: Topic) -> ColumnElement[bool]:
    if topic.kind is Kind.MAINTENANCE:
        return and_(Subscriber.maintenance)
    grave_enough = Subscriber.least_impact.in_(_up_to(topic.impact))
    return and_(Subscriber.incidents, grave_enough, _wants_update(topic))


def _wants_update(topic: Topic) -> ColumnElement[bool]:
    """Who asked for updates of that kind: every one, the first and the last, or the end alone."""
    if topic.step in _ENDS:
        return true()
    every = Subscriber.updates == SubscribedUpdates.EVERY
    ends = Subscriber.updates == SubscribedUpdates.FIRST_AND_LAST
    if topic.is_first or topic.step is Step.FALSE_ALARM:
        return or_(every, ends)
    if topic.impact_before is None:
        return every
    # Whoever asked for that impact and worse hears of the incident now for the first time.
    worse = [one for one in _up_to(topic.impact) if one not in _up_to(topic.impact_before)]
    return or_(every, and_(ends, Subscriber.least_impact.in_(worse)))


def _up_to(impact: Impact) -> list[Impact]:
    return [one for one in Impact if one.gravity <= impact.gravity]


def _is_customer(reached: Subquery, rule: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(Customer.address == reached.c.address, rule)


def _first_components(
    owner: InstrumentedAttribute[int],
    component: InstrumentedAttribute[int],
    component_ids: Collection[int],
) -> Subquery:
    """Each owner of a component, of these where there are any, with the first one's name."""
    chosen = select(owner.label("owner_id"), func.min(Component.name).label("component")).join(
        Component, Component.id == component
    )
    if component_ids:
        chosen = chosen.where(component.in_(component_ids))
    return chosen.group_by(owner).subquery()
