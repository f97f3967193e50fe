"""Telling: every audience's text for a step, seen before it goes and queued when it does.

One incident, three tellings, all from the same facts.  What the comms lead edited goes out as
edited; what nobody touched is made from its template.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from statuspage.access.audit import Actor
from statuspage.configuration import severity
from statuspage.core import clock
from statuspage.core.config import NO_CHAT, current_settings
from statuspage.core.db import current_session
from statuspage.core.enums import Audience, ComponentStatus, Kind, Role, Step, Visibility
from statuspage.core.errors import Invalid
from statuspage.core.languages import nearest
from statuspage.core.links import current_links
from statuspage.delivery import queue, subscriber_queue
from statuspage.delivery.subscriber_queue import News, Reach
from statuspage.incidents.apply_update import apply_post, declared, detached_copy, step_of
from statuspage.incidents.check_texts import Overrides, check_text, let_pass
from statuspage.incidents.inputs import (
    Declaration,
    Draft,
    NewUpdate,
    Reader,
    check_body,
    check_declaration,
    check_post,
)
from statuspage.messages.compose import (
    Composed,
    Text,
    Unfinished,
    compose,
    finish,
    finish_for_subscribers,
    unfilled,
)
from statuspage.messages.facts import Facts, TimelineEntry, facts_of
from statuspage.models import (
    Component,
    Contact,
    Delivery,
    Incident,
    IncidentComponent,
    IncidentUpdate,
    Message,
    Page,
)
from statuspage.models.delivery import was_told
from statuspage.recipients.drill_recipients import WHY, DrillRecipients, drill_recipients_on

FIRST_READERS = 3

Components = Sequence[tuple[Component, ComponentStatus]]


@dataclass(frozen=True, slots=True)
class Announcement:
    """A step about to be told: the incident as it stands after it, and what the row cannot know."""

    incident: Incident
    step: Step
    components: Components
    happened_at: datetime
    reopens: bool = False
    declares: bool = False
    still: bool = False
    late: bool = False
    no_change: bool = False

    @property
    def concerned(self) -> list[int]:
        """The components whose users it concerns, by id; none where it concerns everybody."""
        if self.incident.concerns_all:
            return []
        return [component.id for component, _ in self.components]

    @property
    def answers(self) -> bool:
        """Whether it takes back what was told, so that exactly those who were told it hear it."""
        return self.reopens or self.step is Step.FALSE_ALARM

    @property
    def taken_back(self) -> str:
        """What it takes back, where it does."""
        return "it is resolved" if self.reopens else "something is wrong"


def preview_declaration(
    declaration: Declaration, *, texts: Mapping[Audience, Text] | None = None
) -> list[Draft]:
    """What declaring this would send, and to how many; changes nothing.

    Raises :class:`~statuspage.core.errors.Invalid`.
    """
    return drafts(current_session(), announcement_of_declaration(declaration), texts or {})


def announcement_of_declaration(declaration: Declaration) -> Announcement:
    """The step that declaring this would be; changes nothing and raises as the verb does."""
    check_declaration(declaration)
    session = current_session()
    moment = clock.now()
    incident = declared(session, declaration, moment)
    components = states_of(session, declaration.components)
    return Announcement(incident, Step(declaration.status.value), components, moment, declares=True)


def preview_update(
    incident: Incident,
    update: NewUpdate,
    *,
    reopens: bool = False,
    publishes: bool = False,
    texts: Mapping[Audience, Text] | None = None,
) -> list[Draft]:
    """What posting this would send, and to how many; changes nothing.

    Raises :class:`~statuspage.core.errors.Invalid`.
    """
    announcement = announcement_of_update(incident, update, reopens=reopens, publishes=publishes)
    return drafts(current_session(), announcement, texts or {}, incident=incident)


def announcement_of_update(
    incident: Incident, update: NewUpdate, *, reopens: bool = False, publishes: bool = False
) -> Announcement:
    """The step that posting this would be; changes nothing and raises as the verb does."""
    check_post(incident, update, reopens=reopens)
    session = current_session()
    moment = clock.now()
    states = {row.component_id: row.status for row in incident.affected} | dict(update.components)
    copy = detached_copy(incident)
    if publishes:
        copy.visibility = Visibility.PUBLIC
    still = copy.status == update.status
    apply_post(session, copy, update, moment, reopens=reopens)
    return Announcement(
        copy,
        step_of(update, reopens=reopens),
        states_of(session, states),
        update.happened_at or moment,
        reopens=reopens,
        still=still,
        no_change=update.no_change,
    )


def facts_for(session: Session, announcement: Announcement, incident: Incident | None) -> Facts:
    """The facts that a step is told from."""
    counted = _count_customers(session, announcement)
    return _facts(session, session.get_one(Page, 1), announcement, incident, counted)


def incident_facts(incident: Incident, step: Step) -> Facts:
    """What a message about that step would be made of, as the incident stands; changes nothing."""
    session = current_session()
    announcement = Announcement(incident, step, affected_components(session, incident), clock.now())
    return facts_for(session, announcement, incident)


def drafts(
    session: Session,
    announcement: Announcement,
    texts: Mapping[Audience, Text],
    *,
    incident: Incident | None = None,
) -> list[Draft]:
    """The texts of every audience that hears this step, edited ones as they were edited."""
    page = session.get_one(Page, 1)
    counted = _count_customers(session, announcement)
    facts = _facts(session, page, announcement, incident, counted)
    made = []
    for audience, step in _audiences(session, announcement):
        recipients, suppressed, why = _reach(session, announcement, audience, incident, counted)
        composed = compose(session, facts, audience=audience, step=step)
        text = _chosen(texts, audience, composed)
        missing = unfilled(text, audience=audience, facts=facts)
        readers = _first_readers(session, announcement, audience, incident)
        made.append(
            Draft(
                audience=audience,
                step=step,
                text=text,
                made=composed,
                recipients=recipients,
                suppressed=suppressed,
                why=why,
                finished=_finish_if_whole(text, audience, step, facts, page.language, readers),
                by_mail=_by_mail(session, announcement, incident)
                if audience is Audience.PUBLIC
                else None,
                readers=readers,
                edited=text != composed,
                missing=missing,
                wanted=composed.wanted,
                findings=check_text(session, text, audience=audience, step=step, facts=facts),
                before=_told_before(session, incident, audience),
                fell_back=composed.fell_back,
                is_drill=announcement.incident.is_drill,
            )
        )
    return made


def announce(
    session: Session,
    announcement: Announcement,
    update: IncidentUpdate,
    texts: Mapping[Audience, Text],
    *,
    actor: Actor,
    overrides: Overrides,
) -> str:
    """Keep each audience's message and queue its deliveries; returns the public post's body.

    For an internal incident the body is the internal text.  Raises :class:`Invalid` for a text that
    would leak and has no reason among the ``overrides``.
    """
    page = session.get_one(Page, 1)
    incident = announcement.incident
    facts = _facts(session, page, announcement, incident, _count_customers(session, announcement))
    if announcement.reopens:
        queue.end_resolutions(session, incident.id)
    if announcement.step is Step.FALSE_ALARM:
        queue.end_all(session, incident.id)
    others = queue.languages_read(session, own=page.language)
    body, posted = "", None
    for audience, step in _audiences(session, announcement):
        composed = compose(session, facts, audience=audience, step=step)
        text = _chosen(texts, audience, composed)
        check_body(
            f"text_{audience.value}", text.body, needed=True, limited=text.body != composed.body
        )
        finished = _finish(
            text,
            audience=audience,
            step=step,
            facts=facts,
            language=page.language,
            others=others,
        )
        override = let_pass(
            session,
            incident,
            check_text(session, text, audience=audience, step=step, facts=facts),
            audience=audience,
            reason=overrides.get(audience, ""),
            actor=actor,
        )
        message = Message(
            incident_id=incident.id,
            update_id=update.id,
            step=step,
            audience=audience,
            subject=finished.subject,
            body=finished.body,
            text=finished.text,
            html=finished.html,
            edited=text != composed,
            override=override,
            language=page.language,
            moments=dict(finished.moments),
            versions=dict(finished.versions),
        )
        session.add(message)
        session.flush()
        if audience is Audience.PUBLIC or (
            not incident.tells_outsiders and audience is Audience.INTERNAL
        ):
            body = finished.body
        if audience is Audience.PUBLIC:
            posted = finished
        _queue(session, announcement, message, update)
    queue.end_notices(session, incident.id, is_over=not incident.is_open)
    # After the customers: who is both gets one mail, the customers'.
    if posted is not None and (incident.is_drill or subscriber_queue.any_subscribers(session)):
        _announce_to_subscribers(
            session, announcement, posted, facts, update, page.language, others
        )
    return body


def _told_before(session: Session, incident: Incident | None, audience: Audience) -> Text | None:
    """What that audience was told last about an incident, if anything."""
    if incident is None or incident.id is None:
        return None
    told = session.execute(
        select(Message.subject, Message.body)
        .where(Message.incident_id == incident.id, Message.audience == audience)
        .order_by(Message.id.desc())
        .limit(1)
    ).one_or_none()
    return Text(told.subject, told.body) if told else None


def _announce_to_subscribers(
    session: Session,
    announcement: Announcement,
    new_update: Composed,
    facts: Facts,
    update: IncidentUpdate,
    language: str,
    others: Sequence[str],
) -> None:
    mail = finish_for_subscribers(
        new_update, step=announcement.step, facts=facts, language=language, others=others
    )
    message = Message(
        incident_id=announcement.incident.id,
        update_id=update.id,
        step=announcement.step,
        audience=Audience.SUBSCRIBER,
        subject=mail.subject,
        body=mail.body,
        text=mail.text,
        html=mail.html,
        language=language,
        moments=dict(mail.moments),
        versions=dict(mail.versions),
    )
    session.add(message)
    session.flush()
    step_key = f"update:{update.id}"
    news = news_of(announcement, announcement.incident.id)
    subscriber_queue.queue_subscribers(session, message, news, step_key=step_key)
    queue.supersede(session, message, step_key=step_key)


def news_of(announcement: Announcement, incident_id: int | None) -> News:
    """What a step is about, as far as it decides which subscribers hear of it."""
    ids = announcement.concerned
    return News(announcement.incident.kind, announcement.step, ids, incident_id)


def _by_mail(session: Session, announcement: Announcement, incident: Incident | None) -> Reach:
    """Whom the post reaches as subscribers; who gets the customers' mail is counted there."""
    if (sealed := drill_recipients_on(announcement.incident)) is not None:
        listed = len(sealed.mailboxes)
        if mails_customers(session, announcement):
            return Reach(as_customers=listed)
        return Reach(((WHY, listed),) if listed else ())
    customers = None
    if announcement.incident.kind is Kind.INCIDENT and mails_customers(session, announcement):
        customers = customers_rule(session, announcement, incident)
    news = news_of(announcement, incident.id if incident is not None else None)
    return subscriber_queue.count_subscribers(session, news, customers=customers)


def customers_rule(
    session: Session, announcement: Announcement, incident: Incident | None
) -> ColumnElement[bool]:
    """Which customers a step is mailed to, where it is mailed to customers at all."""
    if announcement.answers and incident is not None:
        return queue.told_customers(_answered(session, announcement, incident.id))
    return queue.concerned_customers(announcement.concerned)


def _chosen(texts: Mapping[Audience, Text], audience: Audience, composed: Text) -> Text:
    """The text as it was edited, under the made subject where it came without one."""
    edited = texts.get(audience, composed)
    return edited if edited.subject else Text(composed.subject, edited.body)


def _finish(
    text: Text,
    *,
    audience: Audience,
    step: Step,
    facts: Facts,
    language: str,
    others: Sequence[str],
) -> Composed:
    try:
        return finish(
            text, audience=audience, step=step, facts=facts, language=language, others=others
        )
    except Unfinished as gap:
        lacking = ", ".join(name.replace("_", " ") for name in gap.tokens)
        raise Invalid(f"text_{audience.value}", f"This text still lacks: {lacking}.") from gap


def _finish_if_whole(
    text: Text,
    audience: Audience,
    step: Step,
    facts: Facts,
    language: str,
    readers: Sequence[Reader],
) -> Composed | None:
    others = {nearest(reader.language, default=language) for reader in readers} - {language}
    try:
        return finish(
            text,
            audience=audience,
            step=step,
            facts=facts,
            language=language,
            others=sorted(others),
        )
    except Unfinished:
        return None


def _queue(
    session: Session, announcement: Announcement, message: Message, update: IncidentUpdate
) -> None:
    step_key = f"update:{update.id}"
    if message.audience is Audience.INTERNAL:
        rooms = current_settings().chat_rooms
        queue.queue_chat(session, message, step_key=step_key, rooms=rooms)
    if message.audience is not Audience.CUSTOMER:
        return
    rule = customers_rule(session, announcement, update.incident)
    told = f"Customer who was told that {announcement.taken_back}" if announcement.answers else ""
    queue.queue_customers(
        session,
        message,
        step_key=step_key,
        rule=rule,
        concerned=announcement.concerned,
        because=told,
    )
    queue.supersede(session, message, step_key=step_key)


def _audiences(session: Session, announcement: Announcement) -> list[tuple[Audience, Step]]:
    internal = (Audience.INTERNAL, _internal_step(announcement))
    if not announcement.incident.tells_outsiders:
        return [internal]
    if announcement.incident.kind is Kind.MAINTENANCE:
        return [(Audience.PUBLIC, announcement.step)]
    said = Step.NO_CHANGE if announcement.no_change else announcement.step
    audiences = [(Audience.PUBLIC, said), internal]
    if mails_customers(session, announcement):
        audiences.append((Audience.CUSTOMER, announcement.step))
    return audiences


def mails_customers(session: Session, announcement: Announcement) -> bool:
    """Whether a step is mailed to customers."""
    if announcement.answers:
        # Whoever was told what turns out to be wrong must hear that it is.
        return _count_told(session, announcement, announcement.incident.id) > 0
    return severity.writes_to_customers(
        session, announcement.incident, announcement.incident.status
    )


def _internal_step(announcement: Announcement) -> Step:
    if announcement.declares:
        return Step.DECLARED
    return Step.CLOSED if announcement.step is Step.RESOLVED else Step.UPDATE


def _count_customers(session: Session, announcement: Announcement) -> tuple[int, int] | None:
    """How many customers of the components are written to, and how many of them are suppressed."""
    if announcement.answers or not mails_customers(session, announcement):
        return None
    if (sealed := drill_recipients_on(announcement.incident)) is not None:
        return len(sealed.mailboxes), 0
    return queue.count_customers(session, announcement.concerned)


def _reach(
    session: Session,
    announcement: Announcement,
    audience: Audience,
    incident: Incident | None,
    counted: tuple[int, int] | None,
) -> tuple[int, int, str]:
    """How many hear it, how many are suppressed, and the rule in words."""
    if (sealed := drill_recipients_on(announcement.incident)) is not None:
        return _reach_of_drill(sealed, audience)
    if audience is Audience.PUBLIC:
        return 0, 0, "Everybody who visits the page or reads its feeds"
    if audience is Audience.INTERNAL:
        return len(current_settings().chat_urls), 0, "Colleagues, in chat"
    if announcement.answers and incident is not None:
        told = _count_told(session, announcement, incident.id)
        return told, 0, f"Every customer who was told that {announcement.taken_back}"
    concerned_ids = set(announcement.concerned)
    names = [one.name for one, _ in announcement.components if one.id in concerned_ids]
    reached, suppressed = counted or (0, 0)
    concerned = "Every customer"
    if names:
        concerned = f"Customers of {', '.join(names)}, and those who use everything"
    return reached, suppressed, concerned


def _reach_of_drill(sealed: DrillRecipients, audience: Audience) -> tuple[int, int, str]:
    if audience is Audience.PUBLIC:
        return 0, 0, "Nobody: a drill is on no page and in no feed"
    if audience is Audience.INTERNAL:
        return len(sealed.rooms - {NO_CHAT}), 0, "Chat, where the drill's list has it"
    return len(sealed.mailboxes), 0, "The drill's list, in the place of customers"


def _first_readers(
    session: Session, announcement: Announcement, audience: Audience, incident: Incident | None
) -> tuple[Reader, ...]:
    """The first customers who would be written to, so that their mail can be looked at."""
    if audience is not Audience.CUSTOMER:
        return ()
    if (sealed := drill_recipients_on(announcement.incident)) is not None:
        listed = sealed.mailboxes[:FIRST_READERS]
        return tuple(Reader(mailbox.email, name, None) for mailbox, name in listed)
    rule = customers_rule(session, announcement, incident)
    found = queue.first_customers(session, rule, most=FIRST_READERS)
    return tuple(Reader(one.email, one.name, one.time_zone, one.language) for one in found)


def _count_told(session: Session, announcement: Announcement, incident_id: int) -> int:
    told = select(func.count(func.distinct(Delivery.address))).where(
        Delivery.message_id.in_(_answered(session, announcement, incident_id)),
        was_told(),
    )
    return session.scalar(told) or 0


def _answered(session: Session, announcement: Announcement, incident_id: int) -> list[int]:
    """The mails to customers that a step takes back: that it is over, or that it was at all."""
    chosen = select(Message.id).filter_by(incident_id=incident_id, audience=Audience.CUSTOMER)
    if announcement.reopens:
        chosen = chosen.where(Message.step.in_((Step.RESOLVED, Step.FALSE_ALARM)))
    return list(session.scalars(chosen))


def _facts(
    session: Session,
    page: Page,
    announcement: Announcement,
    saved: Incident | None,
    counted: tuple[int, int] | None,
) -> Facts:
    incident = announcement.incident
    level = severity.level_of(session, incident.severity_rank)
    updates = saved.updates if saved is not None else []
    people = {role: _contact(session, getattr(incident, f"{role.value}_id")) for role in Role}
    return facts_of(
        page,
        incident,
        links=current_links(),
        components=[(component.name, status) for component, status in announcement.components],
        people=people,
        timeline=[
            TimelineEntry(update.happened_at, update.step.label, update.body)
            for update in updates
            if update.body
        ],
        last_update=max((update.posted_at for update in updates), default=None),
        cadence_minutes=level.cadence_minutes if level else None,
        recipients=counted[0] if counted else None,
        review_due=incident.review_due_at,
        review_owner=_name_of(session, incident.review_owner_id),
        still=announcement.still,
        late=announcement.late,
    )


def _contact(session: Session, contact_id: int | None) -> Contact | None:
    return session.get(Contact, contact_id) if contact_id is not None else None


def _name_of(session: Session, contact_id: int | None) -> str:
    contact = _contact(session, contact_id)
    return contact.name if contact else ""


def states_of(session: Session, states: Mapping[int, ComponentStatus]) -> Components:
    """The components of these ids with the states given for them, in the page's order."""
    rows = session.scalars(
        select(Component).where(Component.id.in_(states)).order_by(Component.position, Component.id)
    )
    return [(component, states[component.id]) for component in rows]


def affected_components(session: Session, incident: Incident) -> Components:
    """Every component that the incident ever affected, with the state it last set."""
    rows = session.execute(
        select(Component, IncidentComponent.status)
        .join(IncidentComponent, IncidentComponent.component_id == Component.id)
        .where(IncidentComponent.incident_id == incident.id)
        .order_by(Component.position, Component.id)
    )
    return [(row[0], row[1]) for row in rows]
