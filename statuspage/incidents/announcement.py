"""An update as every audience would read it: the incident after it, its facts, and who receives it.

One is made for each request or verb.  The previews, the texts to copy, the gate, the counts and the
queue all take that one, so each of its facts is worked out once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session
from sqlalchemy.orm.util import identity_key

from statuspage.configuration import severity
from statuspage.core import clock
from statuspage.core.config import NO_CHAT, current_settings
from statuspage.core.db import current_session, read_once
from statuspage.core.enums import (
    Audience,
    ComponentStatus,
    Impact,
    IncidentRole,
    Kind,
    Step,
    Visibility,
)
from statuspage.core.links import current_links
from statuspage.incidents.apply_update import apply_update_to, declared, detached_copy, step_of
from statuspage.incidents.inputs import (
    Declaration,
    NewUpdate,
    check_declaration,
    check_update,
)
from statuspage.incidents.review.action_items import with_follow_ups
from statuspage.messages.facts import Facts
from statuspage.messages.incident_facts import facts_of, timeline_of
from statuspage.models import (
    Component,
    Contact,
    Delivery,
    Incident,
    IncidentComponent,
    Message,
    Page,
)
from statuspage.models.delivery import was_sent
from statuspage.recipients import who_receives
from statuspage.recipients.drill_recipients import DrillRecipients, drill_recipients_on
from statuspage.recipients.who_receives import (
    EVERYBODY,
    AudienceChoice,
    CustomerRule,
    Reach,
    Reader,
    Topic,
    asks_why,
    why_left_out,
)

FIRST_READERS = 3

Components = Sequence[tuple[Component, ComponentStatus]]


class LastMessage(NamedTuple):
    """The newest message that an audience was sent about an incident."""

    step: Step
    subject: str
    body: str
    created_at: datetime


@dataclass(eq=False)
class Announcement:
    """A step of an incident, and what follows from it.

    ``incident`` is as the step leaves it; ``saved`` is its row, None before it is declared.  What
    is asked once is kept: ask after what it depends on has been written.
    """

    session: Session
    incident: Incident
    step: Step
    components: Components
    happened_at: datetime
    saved: Incident | None = None
    reopens: bool = False
    declares: bool = False
    still: bool = False
    late: bool = False
    no_change: bool = False
    impact_before: Impact | None = None
    choice: AudienceChoice = EVERYBODY

    @property
    def concerned(self) -> list[int]:
        """The components whose users it concerns, by id; none where it concerns everybody."""
        if self.incident.concerns_all:
            return []
        return [component.id for component, _ in self.components]

    @property
    def answers(self) -> bool:
        """Whether it takes back what was sent, so that exactly those who received it are mailed."""
        return self.reopens or self.step is Step.FALSE_ALARM

    @property
    def taken_back(self) -> str:
        """What it takes back, where it does."""
        return "it is resolved" if self.reopens else "something is wrong"

    @cached_property
    def page(self) -> Page:
        """The page that announces it."""
        return self.session.get_one(Page, 1)

    @cached_property
    def drill(self) -> DrillRecipients | None:
        """The only recipients of a drill; None where it is none."""
        return drill_recipients_on(self.incident)

    @cached_property
    def promises_customers(self) -> bool:
        """Whether the step is to be mailed to customers: the scheme says so, or it answers."""
        if self.answers:
            # A customer who was sent what turns out to be wrong must be sent that it is.
            return self._sent_count > 0
        return severity.writes_to_customers(self.session, self.incident, self.incident.status)

    @cached_property
    def mails_customers(self) -> bool:
        """Whether the step is mailed to customers: it is to be, and nobody leaves them out."""
        return self.promises_customers and Audience.CUSTOMER not in self.left_out

    @cached_property
    def left_out(self) -> dict[Audience, str]:
        """The audiences that are not notified although they could be, each with why."""
        since_last, at_most_every = None, timedelta()
        if self.no_change and self.last_mailed is not None:
            since_last = clock.now() - self.last_mailed
            at_most_every = timedelta(minutes=self.page.no_change_email_minutes)
        found = {
            one: why_left_out(one, self.choice, since_last=since_last, at_most_every=at_most_every)
            for one in self.could_be_notified
        }
        return {audience: why for audience, why in found.items() if why is not None}

    @cached_property
    def could_be_notified(self) -> list[Audience]:
        """The audiences that the step notifies unless somebody leaves them out."""
        found = [Audience.SUBSCRIBER] if self.incident.tells_outsiders else []
        named = {audience for audience, _ in self.audiences}
        return [*found, *(one for one in (Audience.CUSTOMER, Audience.INTERNAL) if one in named)]

    @property
    def unexplained(self) -> list[Audience]:
        """The audiences that are left out without the reason that this takes."""
        changes = not self.still
        return [
            audience
            for audience, why in self.left_out.items()
            if not why and asks_why(audience, changes_status=changes)
        ]

    @property
    def notifies(self) -> bool:
        """Whether anybody outside is notified of it, as Statuspage's JSON says."""
        outside = {Audience.SUBSCRIBER, Audience.CUSTOMER} & {*self.could_be_notified}
        return not self.incident.is_internal and bool(outside - self.left_out.keys())

    @cached_property
    def audiences(self) -> list[tuple[Audience, Step]]:
        """Each audience that a message is written for, and the step of its template."""
        internal = (Audience.INTERNAL, self._internal_step)
        if not self.incident.tells_outsiders:
            return [internal]
        if self.incident.kind is Kind.MAINTENANCE:
            return [(Audience.PUBLIC, self.step)]
        found = [(Audience.PUBLIC, Step.NO_CHANGE if self.no_change else self.step), internal]
        if self.promises_customers:
            found.append((Audience.CUSTOMER, self.step))
        return found

    @property
    def _internal_step(self) -> Step:
        if self.declares:
            return Step.DECLARED
        return Step.CLOSED if self.step is Step.RESOLVED else Step.UPDATE

    @cached_property
    def facts(self) -> Facts:
        """What every text is made from."""
        incident, updates = self.incident, self.saved.updates if self.saved is not None else []
        level = severity.level_of(self.session, incident.severity_rank)
        owner = self._contact(incident.review_owner_id)
        counted = self.customer_count if self.mails_customers else None
        facts = facts_of(
            self.page,
            incident,
            links=current_links(),
            components=[(component.name, status) for component, status in self.components],
            people={
                role: self._contact(getattr(incident, f"{role.value}_id")) for role in IncidentRole
            },
            timeline=timeline_of(incident, updates),
            last_update=max((update.posted_at for update in updates), default=None),
            cadence_minutes=level.cadence_minutes if level else None,
            recipients=counted[0] if counted else None,
            review_due=incident.review_due_at,
            review_owner=owner.name if owner else "",
            still=self.still,
            late=self.late,
            first=not any(
                update.visibility is Visibility.PUBLIC and update.body for update in updates
            ),
            watch_minutes=level.watch_minutes if level else None,
            language=self.page.language,
        )
        if self.step is not Step.RESOLVED or self.saved is None:
            return facts
        return with_follow_ups(self.session, self.saved, facts)

    def _contact(self, contact_id: int | None) -> Contact | None:
        return self.session.get(Contact, contact_id) if contact_id is not None else None

    # --- who receives it -------------------------------------------------------------------------

    @property
    def customers(self) -> CustomerRule:
        """Which customers it is mailed to, where it is mailed to customers at all."""
        if self.answers and self.saved is not None:
            condition = who_receives.customers_sent(self._answered)
        else:
            condition = who_receives.concerned_customers(self.concerned)
        return CustomerRule(condition, self.concerned, self.drill)

    @cached_property
    def customer_count(self) -> tuple[int, int] | None:
        """How many customers the rule reaches, and how many of them are suppressed."""
        if self.answers or not self.promises_customers:
            return None
        return who_receives.count_customers(self.session, self.customers)

    @property
    def topic(self) -> Topic:
        """What it is about, as far as it decides which subscribers receive it."""
        saved_id = self.saved.id if self.saved is not None else None
        return Topic(
            self.incident.kind,
            self.step,
            self.concerned,
            saved_id,
            self.drill,
            impact=worst_impact(self.session, self.incident),
            impact_before=self.impact_before,
            is_first=self.last_mailed is None,
        )

    @cached_property
    def last_mailed(self) -> datetime | None:
        """When subscribers were last emailed about the incident; None where they never were."""
        if self.incident.kind is Kind.MAINTENANCE:
            return None
        newest = self.last_messages.get(Audience.SUBSCRIBER)
        return newest.created_at if newest else None

    @cached_property
    def last_messages(self) -> dict[Audience, LastMessage]:
        """What each audience was last sent about the incident with an update, where anything."""
        if self.saved is None or self.saved.id is None:
            return {}
        incident_id = self.saved.id
        newest = (
            select(func.max(Message.id))
            .where(Message.incident_id == incident_id, Message.update_id.is_not(None))
            .group_by(Message.audience)
        )
        columns = (
            Message.audience, Message.step, Message.subject, Message.body, Message.created_at
        )  # fmt: skip
        chosen = select(*columns).where(Message.id.in_(newest))
        name = f"last messages of incident {incident_id}"
        rows = read_once(self.session, name, lambda: self.session.execute(chosen).all())
        return {row.audience: LastMessage(*row[1:]) for row in rows}

    @cached_property
    def subscribers(self) -> Reach:
        """The subscribers who are mailed; those who get the customers' mail are counted apart."""
        session, topic = self.session, self.topic
        if self.incident.kind is Kind.INCIDENT and self.mails_customers:
            return who_receives.count_subscribers(session, topic, customers=self.customers)
        return read_once(
            session,
            f"subscribers who receive {topic}",
            lambda: who_receives.count_subscribers(session, topic, customers=None),
        )

    def reach(self, audience: Audience) -> tuple[int, int, str]:
        """How many of an audience receive it, how many are suppressed, and the rule in a phrase."""
        if self.drill is not None:
            return _reach_of_drill(self.drill, audience)
        if audience is Audience.PUBLIC:
            return 0, 0, "All visitors and feed readers"
        if audience is Audience.INTERNAL:
            return len(current_settings().chat_urls), 0, "Colleagues, in chat"
        if self.answers and self.saved is not None:
            return self._sent_count, 0, f"Every customer who was notified that {self.taken_back}"
        concerned = set(self.concerned)
        names = [component.name for component, _ in self.components if component.id in concerned]
        reached, suppressed = self.customer_count or (0, 0)
        if names:
            who = f"Customers using {', '.join(names)} or all components"
            return reached, suppressed, who
        return reached, suppressed, "Every customer"

    def first_readers(self, audience: Audience) -> tuple[Reader, ...]:
        """The first customers who would be mailed, so that their mail can be looked at."""
        if audience is not Audience.CUSTOMER:
            return ()
        return who_receives.first_readers(self.session, self.customers, most=FIRST_READERS)

    @cached_property
    def _sent_count(self) -> int:
        """How many customers received what it takes back."""
        number = select(func.count(func.distinct(Delivery.address))).where(
            Delivery.message_id.in_(self._answered), was_sent()
        )
        return self.session.scalar(number) or 0

    @cached_property
    def _answered(self) -> list[int]:
        """The mails to customers that it takes back: that it is over, or that it was at all."""
        chosen = select(Message.id).filter_by(
            incident_id=self.incident.id, audience=Audience.CUSTOMER
        )
        if self.reopens:
            chosen = chosen.where(Message.step.in_((Step.RESOLVED, Step.FALSE_ALARM)))
        return list(self.session.scalars(chosen))


def of_declaration(declaration: Declaration) -> Announcement:
    """The step that declaring this would be; changes nothing and raises as the verb does."""
    check_declaration(declaration)
    session, moment = current_session(), clock.now()
    return Announcement(
        session,
        declared(session, declaration, moment),
        Step(declaration.status.value),
        states_of(session, declaration.components),
        moment,
        declares=True,
    )


def of_update(
    incident: Incident, update: NewUpdate, *, reopens: bool = False, publishes: bool = False
) -> Announcement:
    """The step that posting this would be; changes nothing and raises as the verb does."""
    check_update(incident, update, reopens=reopens)
    session, moment = current_session(), clock.now()
    states = {row.component_id: row.status for row in incident.affected} | dict(update.components)
    copy = detached_copy(incident)
    if publishes:
        copy.visibility = Visibility.PUBLIC
    still, impact_before = copy.status == update.status, worst_impact(session, incident)
    apply_update_to(session, copy, update, moment, reopens=reopens)
    return Announcement(
        session,
        copy,
        step_of(update, reopens=reopens),
        states_of(session, states),
        update.happened_at or moment,
        saved=incident,
        reopens=reopens,
        still=still,
        no_change=update.no_change,
        impact_before=impact_before,
    )


def of_step(incident: Incident, step: Step) -> Announcement:
    """A step of an incident as it stands; changes nothing."""
    session = current_session()
    return Announcement(
        session,
        incident,
        step,
        affected_components(session, incident),
        clock.now(),
        saved=incident,
        reopens=step is Step.REOPENED,
    )


def incident_facts(incident: Incident, step: Step) -> Facts:
    """What a message about that step would be made of, as the incident stands; changes nothing."""
    return of_step(incident, step).facts


def worst_impact(session: Session, incident: Incident) -> Impact:
    """The worst impact that an incident ever had, by the severities that it had."""
    worst = severity.level_of(session, incident.worst_rank)
    return Impact.worst([incident.impact, *([worst.impact] if worst else [])], Impact.NONE)


def _reach_of_drill(drill: DrillRecipients, audience: Audience) -> tuple[int, int, str]:
    if audience is Audience.PUBLIC:
        return 0, 0, "No one: a drill is on no page and in no feed"
    if audience is Audience.INTERNAL:
        return len(drill.rooms - {NO_CHAT}), 0, "Chat, if among the drill’s recipients"
    return len(drill.mailboxes), 0, "The drill’s recipients, instead of customers"


def states_of(session: Session, states: Mapping[int, ComponentStatus]) -> Components:
    """The components of these ids with the states given for them, in the page's order."""
    name = f"components {sorted(states)}"
    rows = read_once(session, name, lambda: _components(session, states))
    return [(component, states[component.id]) for component in rows]


def _components(session: Session, ids: Iterable[int]) -> list[Component]:
    """The components of these ids; where the session knows them all they are not read again."""
    known = [session.identity_map.get(identity_key(Component, one)) for one in ids]
    found: list[Component] = [one for one in known if one is not None]
    if len(found) < len(known):
        found = list(session.scalars(select(Component).where(Component.id.in_(ids))))
    return sorted(found, key=lambda component: (component.position, component.id))


def affected_components(session: Session, incident: Incident) -> Components:
    """Every component that the incident ever affected, with the state it last set."""
    rows = session.execute(
        select(Component, IncidentComponent.status)
        .join(IncidentComponent, IncidentComponent.component_id == Component.id)
        .where(IncidentComponent.incident_id == incident.id)
        .order_by(Component.position, Component.id)
    )
    return [(row[0], row[1]) for row in rows]
