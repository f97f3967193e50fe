"""The facts of one incident, saved or not, and what its steps leave in them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from statuspage.core import clock
from statuspage.core.enums import (
    CLOSED,
    ComponentStatus,
    IncidentRole,
    IncidentStatus,
    Kind,
    Visibility,
    status_of,
)
from statuspage.core.links import Links
from statuspage.messages.facts import (
    APOLOGIZES_FROM,
    ASKED_INTERNAL,
    ASKED_PUBLIC,
    CAUSE,
    CAUSE_TOLD,
    CONFIRMED,
    EXPECTED_BACK,
    NOTED_AT,
    SLIPS,
    STEPS,
    TRANSLATIONS,
    Fact,
    FactKind,
    Facts,
    InternalFacts,
    PublicFacts,
    TimelineEntry,
)
from statuspage.models import Contact, Incident, IncidentUpdate, Page


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
    people: Mapping[IncidentRole, Contact | None] | None = None,
    timeline: Sequence[TimelineEntry] = (),
    last_update: datetime | None = None,
    cadence_minutes: int | None = None,
    recipients: int | None = None,
    review_due: datetime | None = None,
    review_owner: str = "",
    again: bool | None = None,
    still: bool = False,
    late: bool = False,
    first: bool = False,
    watch_minutes: int | None = None,
    language: str = "en",
) -> Facts:
    """The facts of an incident, saved or not: only plain columns are read, no relation.

    What a row cannot know comes as arguments: the affected ``components`` with their states, who
    holds the roles, the ``timeline`` so far, ``last_update`` (when the post before this one went
    out), how many customers are written to.  ``again`` is taken from the count of resolutions
    unless it is given.  ``first`` says that nothing was posted before, and ``watch_minutes`` is how
    long the severity level has a fix watched.  ``language`` is the one that public texts are in.
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
            first=first,
            watch_minutes=watch_minutes,
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
    first: bool,
    watch_minutes: int | None,
    language: str,
) -> PublicFacts:
    typed = _typed(incident.public_facts, ASKED_PUBLIC)
    if not typed.pop(CONFIRMED.name):
        typed[CAUSE] = ""
    typed["watch_minutes"] = typed["watch_minutes"] or watch_minutes
    slipped = [slip.was for slip in slips_of(incident) if slip.at == incident.updated_at]
    return PublicFacts(
        **typed,
        expected_before=slipped[-1] if slipped else None,
        slips=bool(slipped),
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
        watch_until=_watched_until(incident, typed["watch_minutes"]),
        started=incident.started_at,
        ended=incident.resolved_at,
        next_update=incident.next_update_at,
        scheduled_for=incident.scheduled_for,
        scheduled_until=incident.scheduled_until,
        verify_minutes=incident.verify_minutes,
        again=_was_resolved_before(incident) if again is None else again,
        still=still,
        monitoring=incident.status == IncidentStatus.MONITORING,
        apologize=first and (incident.severity_rank or 9) <= APOLOGIZES_FROM,
        cause_told=(incident.public_facts or {}).get(CAUSE_TOLD) is True,
        late=late,
        cancelled=incident.kind is Kind.MAINTENANCE and incident.cancelled_at is not None,
        drill=incident.is_drill or False,
        zone=page.zone,
        language=language,
        accent=_accent(page),
        translations=(incident.public_facts or {}).get(TRANSLATIONS, {}),
    )


def _watched_until(incident: Incident, minutes: int | None) -> datetime | None:
    if incident.status != IncidentStatus.MONITORING or not minutes or not incident.monitoring_at:
        return None
    return incident.monitoring_at + timedelta(minutes=minutes)


def _internal_facts(
    incident: Incident, links: Links, people: Mapping[IncidentRole, Contact | None], **given: Any
) -> InternalFacts:
    typed = _typed(incident.internal_facts, ASKED_INTERNAL)
    public = _typed(incident.public_facts, ASKED_PUBLIC)
    typed["progress"] = typed["progress"] or public["action"]
    noted = (incident.internal_facts or {}).get(NOTED_AT)
    return InternalFacts(
        **typed,
        severity=incident.severity_name or "",
        number=incident.number or "",
        commander=_called(people.get(IncidentRole.COMMANDER)),
        technical_lead=_called(people.get(IncidentRole.TECHNICAL_LEAD)),
        comms_lead=_called(people.get(IncidentRole.COMMS_LEAD)),
        scribe=_called(people.get(IncidentRole.SCRIBE)),
        chat_channel=incident.chat_channel or "",
        war_room=incident.war_room or "",
        page_state=_page_state(incident, links),
        noted_at=clock.as_utc(datetime.fromisoformat(noted)) if noted else None,
        suspected_cause="" if public[CONFIRMED.name] else public[CAUSE],
        admin_url=links.admin_incident(incident.code) if incident.code else "",
        **given,
    )


def recorded_causes(incident: Incident) -> tuple[bool, bool]:
    """Whether a cause is recorded as confirmed, and whether one in technical words is."""
    public = _typed(incident.public_facts, ASKED_PUBLIC)
    internal = _typed(incident.internal_facts, ASKED_INTERNAL)
    return bool(public[CONFIRMED.name] and public[CAUSE]), bool(internal["technical_cause"])


def detected_at(incident: Incident) -> datetime | None:
    """When somebody noticed, if that is known."""
    return read_detected(incident.internal_facts)


def read_detected(stored: Mapping[str, Any] | None) -> datetime | None:
    """The same of the internal facts as a row keeps them."""
    found: datetime | None = _read(FactKind.MOMENT, (stored or {}).get("detected"))
    return found


def told_in_tickets(incident: Incident) -> dict[str, str]:
    """What an incident's facts say of what its ticket would."""
    return {
        "root_cause": incident.internal_facts.get("technical_cause") or "",
        "resolution": incident.public_facts.get("resolution") or "",
        "actual": incident.users_notice,
    }


def _typed(stored: Mapping[str, Any] | None, facts: Sequence[Fact]) -> dict[str, Any]:
    """Facts as a row keeps them in JSON, as typed values; empty where there is none."""
    return {fact.name: _read(fact.kind, (stored or {}).get(fact.name)) for fact in facts}


def _read(kind: FactKind, value: Any) -> Any:
    if kind is FactKind.FLAG:
        return value is True
    text = "" if value is None else str(value).strip()
    if kind is FactKind.MINUTES:
        return int(text) if text.isdecimal() and len(text) < 10 else None
    if kind is FactKind.MOMENT:
        return clock.as_utc(datetime.fromisoformat(text)) if text else None
    return text


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


def public_after(before: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """The public facts after an update; that a cause was told stays known."""
    had_cause = before.get(CONFIRMED.name) and before.get(CAUSE)
    return {**before, **given, **({CAUSE_TOLD: True} if had_cause else {})}


@dataclass(frozen=True, slots=True)
class Slip:
    """“Expected back” became later, or unknown (None): what it was, what it is, since when."""

    was: datetime
    now: datetime | None
    at: datetime


def with_slip(before: Mapping[str, Any], after: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    """The public facts after an update at ``at``, with a note where “expected back” slipped."""
    was, now = (_read(FactKind.MOMENT, one.get(EXPECTED_BACK)) for one in (before, after))
    if was is None or (now is not None and now <= was):
        return dict(after)
    slip = {
        "was": was.isoformat(),
        "now": now.isoformat() if now else None,
        "at": at.isoformat(),
    }
    return {**after, SLIPS: [*before.get(SLIPS, ()), slip]}


def slips_of(incident: Incident) -> list[Slip]:
    """Each time that “expected back” slipped, oldest first."""
    kept = (incident.public_facts or {}).get(SLIPS) or []
    return [
        Slip(*(_read(FactKind.MOMENT, one[name]) for name in ("was", "now", "at"))) for one in kept
    ]


def internal_after(
    before: Mapping[str, Any], given: Mapping[str, Any], at: datetime, label: str, told: str
) -> dict[str, Any]:
    """The internal facts after an update, with what it told, and since when notes are unchanged."""
    after = {**before, **given}
    steps = [*before.get(STEPS, ()), {"at": at.isoformat(), "status": label, "text": told}]
    is_noted = any(after.get(name) != before.get(name) for name in _NOTES)
    if is_noted or NOTED_AT not in after:
        after[NOTED_AT] = at.isoformat()
    return {**after, STEPS: steps}


_NOTES: Final = ("current_actions", "next_steps")


def told_by(
    public: Mapping[str, Any],
    internal: Mapping[str, Any],
    notice: str,
    new_public: Mapping[str, Any],
    new_internal: Mapping[str, Any],
    new_notice: str | None,
) -> str:
    """The first fact that an update tells and the one before it did not."""
    candidates = (
        (internal.get("progress"), new_internal.get("progress")),
        (public.get("resolution"), new_public.get("resolution")),
        (public.get("cause"), new_public.get("cause")),
        (public.get("action"), new_public.get("action")),
        (notice, new_notice),
    )
    return next((str(now) for before, now in candidates if now and now != before), "")


def timeline_of(incident: Incident, updates: Sequence[IncidentUpdate]) -> list[TimelineEntry]:
    """Start, detection, what each step told, and the end, oldest first.

    What was posted before steps were kept, or elsewhere, is told by its own first line.
    """
    steps = [
        TimelineEntry(clock.as_utc(datetime.fromisoformat(one["at"])), one["status"], one["text"])
        for one in (incident.internal_facts or {}).get(STEPS, ())
    ]
    kept = {entry.at for entry in steps}
    steps += [
        TimelineEntry(
            update.happened_at, status_of(incident.kind, update.status).label, update.body
        )
        for update in updates
        if update.body and update.happened_at not in kept
    ]
    detected = (incident.internal_facts or {}).get("detected")
    if incident.started_at:
        steps.append(TimelineEntry(incident.started_at, "Started", ""))
    if detected:
        steps.append(TimelineEntry(clock.as_utc(datetime.fromisoformat(detected)), "Detected", ""))
    order = {"Started": 0, "Detected": 1}
    return sorted(steps, key=lambda entry: (entry.at, order.get(entry.status, 2)))
