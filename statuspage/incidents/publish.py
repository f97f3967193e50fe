"""Publishing: the one way from a form to an update, its messages, its deliveries and its audit.

Every verb that publishes ends here: declare, update, resolve, reopen, maintenance and merge.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from statuspage.access import audit
from statuspage.access.audit import Actor
from statuspage.access.permissions import require
from statuspage.core.config import current_settings
from statuspage.core.conflict import check_unchanged
from statuspage.core.enums import Audience, ComponentStatus, Impact, Kind, Step
from statuspage.core.errors import Invalid
from statuspage.delivery import queue, subscriber_queue, superseded
from statuspage.incidents.announcement import Announcement, affected_components
from statuspage.incidents.apply_update import add_update, locked, permission_to_change
from statuspage.incidents.check_texts import Overrides, check_text, let_pass
from statuspage.incidents.component_states import affect
from statuspage.incidents.drafts import Texts, chosen_text
from statuspage.incidents.idempotency import posted_with
from statuspage.incidents.inputs import check_body
from statuspage.incidents.responders import called_at_declaration
from statuspage.messages.compose import (
    Composed,
    Text,
    Unfinished,
    compose,
    compose_versions,
    finish,
    finish_for_subscribers,
)
from statuspage.messages.facts import Facts, facts_in, moments_of
from statuspage.messages.tokens import times_in
from statuspage.models import Incident, IncidentUpdate, Message, revision
from statuspage.recipients import who_receives
from statuspage.recipients.who_receives import EVERYBODY, AudienceChoice


@dataclass(frozen=True, slots=True)
class Submission:
    """A form as somebody sent it.

    ``form_key`` names that sheet of the form, so that sent twice it makes one update.
    ``seen_version`` is the incident's version that its author had read.  ``texts`` are those that
    were edited; ``overrides`` say why one goes out although the checks block it;
    ``choice`` leaves audiences out.
    """

    actor: Actor
    form_key: str
    seen_version: int | None = None
    texts: Texts = field(default_factory=dict)
    overrides: Overrides = field(default_factory=dict)
    choice: AudienceChoice = EVERYBODY


@dataclass(frozen=True, slots=True)
class Publication:
    """What is published: the step, what it says of components, and what the row cannot know.

    ``happened_at`` is None for now; ``states_at`` where components changed at another time than
    that.  A ``body`` is published as it is, and no message is made.
    """

    action: str
    step: Step
    states: Mapping[int, ComponentStatus] = field(default_factory=dict)
    happened_at: datetime | None = None
    states_at: datetime | None = None
    no_promise_because: str | None = None
    declares: bool = False
    reopens: bool = False
    still: bool = False
    late: bool = False
    no_change: bool = False
    impact_before: Impact | None = None
    body: str | None = None


def begin(
    session: Session, code: str, submission: Submission, *, kind: Kind
) -> tuple[Incident, IncidentUpdate | None]:
    """The incident, locked, and the update that this form has made already, if any.

    Raises :class:`~statuspage.core.conflict.Conflict` where the incident changed since the
    form's author read it.
    """
    incident = locked(session, code, kind=kind)
    earlier = posted_with(session, submission.form_key)
    if earlier is None:
        check_unchanged(submission.seen_version, incident.version, incident)
    return incident, earlier


def publish(
    session: Session,
    incident: Incident,
    submission: Submission,
    publication: Publication,
    *,
    before: Mapping[str, Any] | None = None,
    after: Callable[[IncidentUpdate], Mapping[str, Any]] | None = None,
) -> IncidentUpdate:
    """Add the update, settle components, announce it, record it, and have the page built again.

    The incident has the status that the update says.  ``after`` makes what the audit trail keeps of
    the finished update.  Raises :class:`Invalid`, and
    :class:`~statuspage.access.permissions.Forbidden` for an actor who may only draft.
    """
    require(submission.actor, permission_to_change(incident))
    update = add_update(
        session,
        incident,
        status=incident.status,
        actor=submission.actor,
        form_key=submission.form_key,
        happened_at=publication.happened_at,
        reopens=publication.reopens,
        no_promise_because=publication.no_promise_because,
    )
    update.affected = affect(
        session,
        incident,
        publication.states,
        update=update,
        at=publication.states_at or update.happened_at,
    )
    if publication.body is None:
        announcement = _announcement(session, incident, publication, update, submission.choice)
        _ask_why(announcement)
        update.body = announce(announcement, update, submission)
    else:
        update.body, update.notifies = publication.body, False
    audit.record(
        session,
        submission.actor,
        publication.action,
        subject_kind=incident.kind.value,
        subject=incident.code,
        before=before,
        after={**(after(update) if after else {}), **_not_notified(update)} or None,
    )
    if not incident.is_internal:
        revision.bump(session)
    return update


def _announcement(
    session: Session,
    incident: Incident,
    publication: Publication,
    update: IncidentUpdate,
    choice: AudienceChoice,
) -> Announcement:
    return Announcement(
        session,
        incident,
        publication.step,
        affected_components(session, incident),
        update.happened_at,
        saved=incident,
        reopens=publication.reopens,
        declares=publication.declares,
        still=publication.still,
        late=publication.late,
        no_change=publication.no_change,
        impact_before=publication.impact_before,
        choice=choice,
    )


def _ask_why(announcement: Announcement) -> None:
    """Raise :class:`Invalid` where a promised email is left out and nobody says why."""
    if announcement.unexplained:
        names = " and ".join(f"{audience.value}s" for audience in announcement.unexplained)
        raise Invalid("because_left_out", f"Enter why {names} are not notified.")


def _not_notified(update: IncidentUpdate) -> dict[str, Any]:
    return {"not notified": update.left_out} if update.left_out else {}


def announce(announcement: Announcement, update: IncidentUpdate, submission: Submission) -> str:
    """Keep each audience's message and queue its deliveries; returns the public update's body.

    For an internal incident the body is the internal text.  An audience that is left out has no
    message.  Raises :class:`Invalid` for a text that would leak and has no reason among the
    overrides.
    """
    session, incident = announcement.session, announcement.incident
    # The facts count customers before anything is ended, and so with what was mailed.
    _ = announcement.facts, announcement.last_messages
    superseded.end_untrue(session, incident.id, announcement.step)
    update.left_out = {one.value: why for one, why in announcement.left_out.items()}
    update.notifies = announcement.notifies
    others = who_receives.languages_read(session, own=announcement.page.language)
    written: dict[Audience, Composed] = {}
    for audience, step in announcement.audiences:
        is_body = not incident.tells_outsiders or audience is Audience.PUBLIC
        if audience in announcement.left_out and not is_body:
            continue
        finished, edited, override = _write(announcement, submission, audience, step, others=others)
        written[audience] = finished
        if audience in announcement.left_out:
            continue
        message = _keep(
            announcement, update, finished, audience, step, edited=edited, override=override
        )
        _queue(announcement, message, update)
    superseded.end_reminders(session, incident.id, is_over=not incident.is_open)
    # After the customers: a reader who is both gets one mail, the customers'.
    if public := written.get(Audience.PUBLIC):
        update.translations = _translations(announcement, public)
        update.times = _times_in_texts(announcement, public)
        _announce_to_subscribers(announcement, update, public)
    return (public or written[Audience.INTERNAL]).body


def _translations(announcement: Announcement, public: Composed) -> dict[str, dict[str, str]]:
    """Title and body of the update in each further language."""
    texts = announcement.facts.public.translations
    return {
        language: {"title": texts.get(language, {}).get("title", ""), "body": version["body"]}
        for language, version in public.versions.items()
    }


def _write(
    announcement: Announcement,
    submission: Submission,
    audience: Audience,
    step: Step,
    *,
    others: Sequence[str],
) -> tuple[Composed, bool, dict[str, Any]]:
    """The finished text, whether it was edited, and what is kept about being let through."""
    session, facts = announcement.session, announcement.facts
    composed = compose(session, facts, audience=audience, step=step)
    text = chosen_text(submission.texts, audience, composed)
    check_body(f"text_{audience.value}", text.body, needed=True, limited=text.body != composed.body)
    edited = text != composed
    # What was edited by hand is in the language that it was edited in.
    languages = () if edited else sorted({*others, *facts.public.translations})
    versions = compose_versions(session, facts, audience=audience, step=step, languages=languages)
    finished = _finish(announcement, text, audience, step, versions)
    findings = [
        finding
        for said, known in ((text, facts), *versions.values())
        for finding in check_text(
            session, announcement.incident, said, audience=audience, step=step, facts=known
        )
    ]
    override = let_pass(
        session,
        announcement.incident,
        findings,
        audience=audience,
        reason=submission.overrides.get(audience, ""),
        actor=submission.actor,
    )
    return finished, edited, override


def _finish(
    announcement: Announcement,
    text: Text,
    audience: Audience,
    step: Step,
    versions: Mapping[str, tuple[Text, Facts]],
) -> Composed:
    try:
        return finish(
            text,
            audience=audience,
            step=step,
            facts=announcement.facts,
            language=announcement.page.language,
            versions=versions,
        )
    except Unfinished as gap:
        lacking = ", ".join(name.replace("_", " ") for name in gap.tokens)
        raise Invalid(f"text_{audience.value}", f"This text is missing: {lacking}.") from gap


def _keep(
    announcement: Announcement,
    update: IncidentUpdate,
    mail: Composed,
    audience: Audience,
    step: Step,
    **columns: Any,
) -> Message:
    message = Message(
        incident_id=announcement.incident.id,
        update_id=update.id,
        step=step,
        audience=audience,
        subject=mail.subject,
        body=mail.body,
        text=mail.text,
        html=mail.html,
        language=announcement.page.language,
        moments=dict(mail.moments),
        versions=dict(mail.versions),
        **columns,
    )
    announcement.session.add(message)
    announcement.session.flush()
    return message


def _queue(announcement: Announcement, message: Message, update: IncidentUpdate) -> None:
    session, step_key = announcement.session, f"update:{update.id}"
    if message.audience is Audience.INTERNAL:
        rooms = current_settings().chat_rooms
        queue.queue_chat(session, message, step_key=step_key, rooms=rooms)
        if announcement.declares:
            people = called_at_declaration(session, announcement.incident)
            queue.queue_colleagues(session, message, step_key=step_key, people=people.items())
    if message.audience is not Audience.CUSTOMER:
        return
    because = ""
    if announcement.answers:
        because = f"Customer who was notified that {announcement.taken_back}"
    queue.queue_customers(
        session,
        message,
        step_key=step_key,
        rule=announcement.customers.condition,
        concerned=announcement.concerned,
        because=because,
    )
    superseded.supersede(session, message, step_key=step_key)


def _times_in_texts(announcement: Announcement, public: Composed) -> dict[str, str]:
    """The times that the facts know and the public texts say, in whichever language."""
    facts, language = announcement.facts.public, announcement.page.language
    bodies = {language: public.body} | {
        other: version["body"] for other, version in public.versions.items()
    }
    times: dict[str, str] = {}
    for locale, body in bodies.items():
        times |= times_in(body, moments_of(facts), zone=facts.zone.key, locale=locale)
    return times


def _announce_to_subscribers(
    announcement: Announcement, update: IncidentUpdate, public: Composed
) -> None:
    session, step_key = announcement.session, f"update:{update.id}"
    is_left_out = Audience.SUBSCRIBER in announcement.left_out
    has_readers = announcement.incident.is_drill or who_receives.any_subscribers(session)
    if is_left_out or not has_readers:
        return
    mail = finish_for_subscribers(
        public,
        step=announcement.step,
        facts=announcement.facts,
        language=announcement.page.language,
        versions={
            language: (
                Text(version["subject"], version["body"]),
                facts_in(announcement.facts, language) or announcement.facts,
            )
            for language, version in public.versions.items()
        },
    )
    message = _keep(announcement, update, mail, Audience.SUBSCRIBER, announcement.step)
    subscriber_queue.queue_subscribers(session, message, announcement.topic, step_key=step_key)
    superseded.supersede(session, message, step_key=step_key)
