"""What an incident's messages may say, and to whom.

Public facts and internal facts are separate objects.  A template for the public or for customers is
rendered from the public ones alone: the internal ones are not hidden there, they do not exist. The
words that templates may use for them are those of :mod:`statuspage.messages.template_variables`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from statuspage.core import clock
from statuspage.core.enums import CLOSED, ComponentStatus, Kind, Role, Visibility, status_of
from statuspage.core.links import Links
from statuspage.models import Contact, Incident, Page


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One step of the incident so far."""

    at: datetime
    status: str
    text: str


@dataclass(frozen=True, slots=True)
class PublicFacts:
    """What anybody may know.  Prose is full sentences and may hold simple Markdown.

    ``cause`` is only ever a confirmed one.  ``action`` says what is being done, ``resolution`` what
    was done.  ``components`` are pairs of a name and a state in words.  ``again`` says that the
    incident had been resolved before, ``still`` that this post repeats the status before it,
    ``late`` that a maintenance begins later than it was planned to.  What is made of a ``drill``
    says so.
    """

    service: str
    page_url: str
    title: str
    incident_url: str = ""
    sign_off: str = ""
    support_email: str = ""
    support_url: str = ""
    status: str = ""
    impact: str = ""
    components: Sequence[tuple[str, str]] = ()
    users_notice: str = ""
    workaround: str = ""
    action: str = ""
    cause: str = ""
    resolution: str = ""
    prevention: str = ""
    watch_minutes: int | None = None
    started: datetime | None = None
    ended: datetime | None = None
    expected_back: datetime | None = None
    next_update: datetime | None = None
    scheduled_for: datetime | None = None
    scheduled_until: datetime | None = None
    verify_minutes: int | None = None
    again: bool = False
    still: bool = False
    late: bool = False
    cancelled: bool = False
    drill: bool = False
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))
    language: str = "en"
    accent: str = ""


@dataclass(frozen=True, slots=True)
class InternalFacts:
    """What only colleagues may know.

    ``asked`` names whom a notice asks to act; ``late_by`` is how late a promised update is by now,
    ``open_for`` how long ago the incident was declared or opened again.
    """

    severity: str = ""
    commander: str = ""
    technical_lead: str = ""
    comms_lead: str = ""
    scribe: str = ""
    chat_channel: str = ""
    war_room: str = ""
    page_state: str = ""
    progress: str = ""
    technical_cause: str = ""
    suspected_cause: str = ""
    current_actions: str = ""
    next_steps: str = ""
    references: str = ""
    users_affected: str = ""
    recipients: int | None = None
    cadence_minutes: int | None = None
    last_update: datetime | None = None
    review_due: datetime | None = None
    review_owner: str = ""
    admin_url: str = ""
    asked: str = ""
    late_by: timedelta | None = None
    open_for: timedelta | None = None
    timeline: Sequence[TimelineEntry] = ()


@dataclass(frozen=True, slots=True)
class Facts:
    """Both sides of one incident; ``internal`` never reaches a public or a customer's text."""

    public: PublicFacts
    internal: InternalFacts = field(default_factory=InternalFacts)


def moments_of(facts: PublicFacts) -> dict[str, str]:
    """The known times by token name, ISO 8601 in UTC: what each reader's mail is filled from."""
    known = {
        "started": facts.started,
        "ended": facts.ended,
        "expected_back": facts.expected_back,
        "next_update": facts.next_update,
        "scheduled_for": facts.scheduled_for,
        "scheduled_until": facts.scheduled_until,
    }
    return {name: at.astimezone(UTC).isoformat() for name, at in known.items() if at}


def sign_up_facts(page: Page, *, links: Links, incident: Incident | None = None) -> Facts:
    """What may be said to somebody who asked for mail, perhaps about one incident."""
    return Facts(
        PublicFacts(
            service=page.name,
            page_url=links.home,
            title=incident.title if incident else "",
            incident_url=links.incident(incident.code) if incident else "",
            sign_off=page.sign_off or "",
            support_email=page.support_email or "",
            support_url=page.support_url or "",
            zone=page.zone,
            accent=_accent(page),
        )
    )


def facts_of(
    page: Page,
    incident: Incident,
    *,
    links: Links,
    components: Iterable[tuple[str, ComponentStatus]] = (),
    people: Mapping[Role, Contact | None] | None = None,
    timeline: Sequence[TimelineEntry] = (),
    last_update: datetime | None = None,
    cadence_minutes: int | None = None,
    recipients: int | None = None,
    review_due: datetime | None = None,
    review_owner: str = "",
    again: bool | None = None,
    still: bool = False,
    late: bool = False,
    language: str = "en",
) -> Facts:
    """The facts of an incident, saved or not: only plain columns are read, no relation.

    What a row cannot know comes as arguments: the affected ``components`` with their states, who
    holds the roles, the ``timeline`` so far, ``last_update`` (when the post before this one went
    out), how many customers are written to.  ``again`` is taken from the count of resolutions
    unless it is given.  ``language`` names the locale that times are written in.
    """
    return Facts(
        public=_public_facts(
            page,
            incident,
            links,
            components,
            again=again,
            still=still,
            late=late,
            language=language,
        ),
        internal=_internal_facts(
            incident,
            links,
            people or {},
            timeline=tuple(timeline),
            last_update=last_update,
            cadence_minutes=cadence_minutes,
            recipients=recipients,
            review_due=review_due or incident.review_due_at,
            review_owner=review_owner,
        ),
    )


def _public_facts(
    page: Page,
    incident: Incident,
    links: Links,
    components: Iterable[tuple[str, ComponentStatus]],
    *,
    again: bool | None,
    still: bool,
    late: bool,
    language: str,
) -> PublicFacts:
    known = _KnownFacts(incident.public_facts)
    return PublicFacts(
        service=page.name,
        page_url=links.home,
        title=incident.title,
        incident_url=_address(incident, links),
        sign_off=page.sign_off or "",
        support_email=page.support_email or "",
        support_url=page.support_url or "",
        status=status_of(incident.kind or Kind.INCIDENT, incident.status).label,
        impact=incident.impact.label if incident.impact else "",
        components=tuple((name, state.label) for name, state in components),
        users_notice=incident.users_notice or "",
        workaround=known.text("workaround"),
        action=known.text("action"),
        cause=known.text("cause") if known.flag("cause_confirmed") else "",
        resolution=known.text("resolution") or known.text("action"),
        prevention=known.text("prevention"),
        watch_minutes=known.number("watch_minutes"),
        started=incident.started_at,
        ended=incident.resolved_at,
        expected_back=known.moment("expected_back"),
        next_update=incident.next_update_at,
        scheduled_for=incident.scheduled_for,
        scheduled_until=incident.scheduled_until,
        verify_minutes=incident.verify_minutes,
        again=_was_resolved_before(incident) if again is None else again,
        still=still,
        late=late,
        cancelled=incident.kind is Kind.MAINTENANCE and incident.cancelled_at is not None,
        drill=incident.is_drill or False,
        zone=page.zone,
        language=language,
        accent=_accent(page),
    )


def _internal_facts(
    incident: Incident,
    links: Links,
    people: Mapping[Role, Contact | None],
    **told: Any,
) -> InternalFacts:
    known = _KnownFacts(incident.internal_facts)
    public = _KnownFacts(incident.public_facts)
    return InternalFacts(
        severity=incident.severity_name or "",
        commander=_called(people.get(Role.COMMANDER)),
        technical_lead=_called(people.get(Role.TECHNICAL_LEAD)),
        comms_lead=_called(people.get(Role.COMMS_LEAD)),
        scribe=_called(people.get(Role.SCRIBE)),
        chat_channel=incident.chat_channel or "",
        war_room=incident.war_room or "",
        page_state=_page_state(incident, links),
        progress=known.text("progress") or public.text("action"),
        technical_cause=known.text("technical_cause"),
        suspected_cause="" if public.flag("cause_confirmed") else public.text("cause"),
        current_actions=known.text("current_actions"),
        next_steps=known.text("next_steps"),
        references=known.text("references"),
        users_affected=known.text("users_affected"),
        admin_url=links.admin_incident(incident.code) if incident.code else "",
        **told,
    )


class _KnownFacts:
    """Facts as they are kept on a row: typed values out of JSON, empty where there is none."""

    def __init__(self, kept: Mapping[str, Any] | None) -> None:
        self._kept = kept or {}

    def text(self, name: str) -> str:
        value = self._kept.get(name)
        return "" if value is None else str(value).strip()

    def flag(self, name: str) -> bool:
        return self._kept.get(name) is True

    def number(self, name: str) -> int | None:
        value = self.text(name)
        return int(value) if value.isdecimal() and len(value) < 10 else None

    def moment(self, name: str) -> datetime | None:
        value = self.text(name)
        return clock.as_utc(datetime.fromisoformat(value)) if value else None


def _address(incident: Incident, links: Links) -> str:
    """Where people read of it; a drill stands on no page."""
    if not incident.code:
        return links.home
    return (
        links.admin_incident(incident.code) if incident.is_drill else links.incident(incident.code)
    )


def _accent(page: Page) -> str:
    """The company's colour, as its look keeps it; white is read on it."""
    return str((page.look or {}).get("accent", ""))


def _called(contact: Contact | None) -> str:
    if contact is None:
        return ""
    handle = (contact.chat_handle or "").lstrip("@")
    return f"{contact.name} (@{handle})" if handle else contact.name


def _page_state(incident: Incident, links: Links) -> str:
    if incident.is_drill:
        return "not shown, this is a drill"
    if incident.visibility is Visibility.INTERNAL:
        return "not shown, this incident is internal"
    if not incident.code:
        return "shown"
    return f"shown at {links.incident(incident.code)}"


def _was_resolved_before(incident: Incident) -> bool:
    resolved = incident.resolutions or 0
    return resolved > (1 if incident.status in CLOSED else 0)
