"""Suggestions: what alerts propose, kept for a person who declares, adds or dismisses.

Alerts of one group and component make one suggestion, however many there are and however often
they come.  Nothing here is ever published: a suggestion that fits an open incident joins it, and
then says on its screens whether its alerts still fire.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ScalarSelect, Select, String, case, cast, delete, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session, joinedload

from statuspage.access import audit, throttle
from statuspage.access.audit import Actor
from statuspage.access.permissions import Permission, needs
from statuspage.configuration import severity
from statuspage.core import clock
from statuspage.core.db import count_written, insert_new, read_once, writing
from statuspage.core.enums import Kind, SuggestionState
from statuspage.core.errors import Invalid
from statuspage.intake.alert_mapping import PEOPLE, IncomingAlert
from statuspage.intake.alert_sources import rules_of
from statuspage.models import Alert, AlertSource, Incident, IncidentComponent, Suggestion
from statuspage.models.columns import CODE

log = logging.getLogger(__name__)

MOST_OPEN: Final = 500
"""So many suggestions of a source are open at once; alerts of further groups are left out."""
MOST_ALERTS_EACH: Final = 500
"""So many alerts of a suggestion are kept one by one."""
MOST_REQUESTS: Final = 1_200
REQUEST_WINDOW: Final = timedelta(minutes=1)
FLAP_TIME: Final = timedelta(minutes=30)
"""Alerts that fire again within this time are the same trouble, and notify nobody again."""
KEPT_FOR: Final = timedelta(days=90)

_Group = tuple[str, int | None]
_Kept = Sequence[tuple[Suggestion, Sequence[IncomingAlert]]]


class TooManyRequests(Exception):
    """A source sends more than it may; ``wait`` is how long until the next one is taken."""

    def __init__(self, wait: timedelta) -> None:
        super().__init__("too many requests from one alert source")
        self.wait = wait


@dataclass(frozen=True, slots=True)
class AlertsOfIncident:
    """What the alerts behind an incident say by now."""

    suggestions: Sequence[Suggestion]
    firing: int
    alerts: int
    ended_at: datetime | None

    @property
    def first_at(self) -> datetime:
        """When the first alert or report came in."""
        return min(one.first_at for one in self.suggestions)


@needs(Permission.ALERT)
def take_alerts(source_id: int, alerts: Sequence[IncomingAlert], *, actor: Actor) -> int:
    """Keep the alerts of one request, grouped into suggestions; how many were left out.

    Raises :class:`TooManyRequests`.
    """
    with writing() as session:
        wait = throttle.count_try(
            session, "alerts", str(source_id), limit=MOST_REQUESTS, window=REQUEST_WINDOW
        )
        left_out = 0 if wait or not alerts else _take(session, source_id, alerts)
    if wait is not None:
        raise TooManyRequests(wait)
    return left_out


@needs(Permission.DRAFT)
def dismiss(code: str, *, actor: Actor) -> None:
    """Dismiss a suggestion until its alerts have resolved and fire again."""
    with writing() as session:
        suggestion = _undecided(session, code)
        _decide(suggestion, SuggestionState.DISMISSED, actor)
        _record(session, actor, "suggestion.dismiss", suggestion)


@needs(Permission.DRAFT)
def add_to_incident(code: str, incident_code: str, *, actor: Actor) -> None:
    """Have a suggestion's alerts belong to an open incident, which says nothing to anybody."""
    with writing() as session:
        chosen = open_incidents().filter_by(code=incident_code)
        incident = session.scalars(chosen).one_or_none()
        if incident is None:
            raise Invalid("incident", "Choose an open incident")
        _accept(session, _undecided(session, code), incident, actor)


def accept(session: Session, code: str, incident: Incident, *, actor: Actor) -> None:
    """Have a suggestion belong to its incident, within the caller's transaction.

    One that belongs to an incident by now stays there, and a drill takes none.
    """
    suggestion = find_suggestion(session, code, locks=True)
    if suggestion is not None and suggestion.incident_id is None and not incident.is_drill:
        _accept(session, suggestion, incident, actor)


def open_incidents() -> Select[Incident]:
    """The incidents that alerts may belong to: those that are open, and no drills."""
    return select(Incident).where(
        Incident.resolved_at.is_(None),
        Incident.kind == Kind.INCIDENT,
        Incident.is_drill.is_(False),
    )


def open_suggestions(session: Session, *, most: int | None = None) -> list[Suggestion]:
    """The suggestions that nobody has decided on, the worst and then the newest first."""
    worst_first = case((Suggestion.severity_rank.is_(None), 1_000), else_=Suggestion.severity_rank)
    chosen = (
        select(Suggestion)
        .filter_by(state=SuggestionState.OPEN)
        .options(joinedload(Suggestion.component), joinedload(Suggestion.source))
        .order_by(worst_first, Suggestion.first_at.desc(), Suggestion.id.desc())
        .limit(most)
    )
    return list(session.scalars(chosen))


def past_suggestions(session: Session, *, most: int) -> list[Suggestion]:
    """Those that are decided on or over, the newest first."""
    chosen = (
        select(Suggestion)
        .where(Suggestion.state != SuggestionState.OPEN)
        .options(
            joinedload(Suggestion.component),
            joinedload(Suggestion.source),
            joinedload(Suggestion.incident),
        )
        .order_by(Suggestion.last_at.desc(), Suggestion.id.desc())
        .limit(most)
    )
    return list(session.scalars(chosen))


def state_of_open(session: Session) -> str:
    """A short text that changes whenever the open suggestions do."""
    counts = select(func.count(), func.max(Suggestion.id), func.sum(Suggestion.firing))
    row = session.execute(counts.where(Suggestion.state == SuggestionState.OPEN)).one()
    return ".".join(str(value or 0) for value in row)


def respond_by(session: Session, suggestion: Suggestion) -> datetime | None:
    """When its severity asks for a first response to an open suggestion; None where it does not."""
    level = severity.level_of(session, suggestion.severity_rank)
    if level is None or level.respond_minutes is None or suggestion.state != SuggestionState.OPEN:
        return None
    return suggestion.first_at + timedelta(minutes=level.respond_minutes)


def find_suggestion(session: Session, code: str, *, locks: bool = False) -> Suggestion | None:
    """The suggestion of that code, locked where it is decided on; None where there is none."""
    if not CODE.fullmatch(code):
        return None
    chosen = select(Suggestion).filter_by(code=code)
    return session.scalars(chosen.with_for_update() if locks else chosen).one_or_none()


def alerts_of(session: Session, suggestion: Suggestion, *, most: int) -> list[Alert]:
    """The alerts of a suggestion, those that fire first, then the newest."""
    chosen = select(Alert).filter_by(suggestion_id=suggestion.id)
    return list(
        session.scalars(
            chosen.order_by(Alert.fires.desc(), Alert.started_at.desc(), Alert.id).limit(most)
        )
    )


def alerts_of_incident(session: Session, incident: Incident) -> AlertsOfIncident | None:
    """What the alerts behind an incident say by now; None where there are none."""

    def read() -> AlertsOfIncident | None:
        chosen = (
            select(Suggestion)
            .filter_by(incident_id=incident.id)
            .options(joinedload(Suggestion.source), joinedload(Suggestion.component))
            .order_by(Suggestion.id)
        )
        found = session.scalars(chosen).all()
        if not found:
            return None
        # What people report does not resolve.
        alerting = [one for one in found if one.source.tool != PEOPLE]
        firing = sum(one.firing for one in alerting)
        ended = max((one.ended_at for one in alerting if one.ended_at), default=None)
        return AlertsOfIncident(
            found, firing, sum(one.alerts for one in alerting), None if firing else ended
        )

    return read_once(session, f"alerts of incident {incident.id}", read)


def counted(incident_id: InstrumentedAttribute[int]) -> ScalarSelect[str]:
    """A short text that changes whenever the alerts behind an incident do, within its statement."""
    firing = cast(func.sum(Suggestion.firing), String)
    alerts = cast(func.sum(Suggestion.alerts), String)
    return (
        select(firing + "/" + alerts)
        .where(Suggestion.incident_id == incident_id)
        .correlate(Incident)
        .scalar_subquery()
    )


def forget_old_alerts() -> int:
    """Drop what nobody has heard of for long and belongs to no incident; how many suggestions.

    The worker's duty.
    """
    with writing() as session:
        old = select(Suggestion.id).where(Suggestion.last_at < clock.now() - KEPT_FOR)
        session.execute(delete(Alert).where(Alert.suggestion_id.in_(old)))
        gone = delete(Suggestion).where(Suggestion.id.in_(old), Suggestion.incident_id.is_(None))
        return count_written(session, gone)


# --- taking alerts -------------------------------------------------------------------------------


def _take(session: Session, source_id: int, alerts: Sequence[IncomingAlert]) -> int:
    # The lock has two requests of one source make one suggestion.
    source = session.get_one(AlertSource, source_id, with_for_update=True)
    rules = rules_of(session, source.severity_rules, source.component_rules)
    by_group: dict[_Group, list[IncomingAlert]] = defaultdict(list)
    for alert in alerts:
        by_group[alert.group, rules.component_of(alert.labels)].append(alert)
    standing = _standing(session, source, by_group)
    incidents = _open_incidents(session, {component for _, component in by_group if component})
    room = MOST_OPEN - _count_open(session, source)
    left_out, kept, lost = 0, [], []
    for group, members in by_group.items():
        fires = any(alert.fires for alert in members)
        suggestion = standing.get(group)
        # What only resolves settles what it fired in, even after that incident is over.
        if suggestion is None or (fires and not _goes_on(suggestion)):
            if not fires:
                lost += members
                continue
            if room <= 0 and group[1] not in incidents:
                left_out += len(members)
                continue
            suggestion = _new(source, group, members)
            session.add(suggestion)
            room -= 1
        _describe(suggestion, members, [rules.severity_of(alert.labels) for alert in members])
        if suggestion.state is SuggestionState.OPEN and group[1] in incidents:
            _join(suggestion, incidents[group[1]])
        kept.append((suggestion, members))
    kept += _where_they_fired(session, source, lost)
    session.flush()
    earlier = _left_behind(session, source, kept)
    left_out += _keep(session, source, kept)
    _count(session, source, [*earlier, *(suggestion for suggestion, _ in kept)])
    source.left_out += left_out
    if left_out:
        log.warning("%d alerts of source %d were left out: too many", left_out, source.id)
    return left_out


def _standing(
    session: Session, source: AlertSource, groups: Iterable[_Group]
) -> dict[_Group, Suggestion]:
    """The newest suggestion of each of these groups, locked against whoever decides on one."""
    chosen = (
        select(Suggestion)
        .where(
            Suggestion.source_id == source.id,
            Suggestion.group_hash.in_({group for group, _ in groups}),
        )
        .options(joinedload(Suggestion.incident))
        .order_by(Suggestion.id)
        .with_for_update(of=Suggestion)
    )
    return {(one.group_hash, one.component_id): one for one in session.scalars(chosen)}


def _where_they_fired(
    session: Session, source: AlertSource, alerts: Sequence[IncomingAlert]
) -> list[tuple[Suggestion, list[IncomingAlert]]]:
    """Alerts that resolve, by what they fired in: the component or the rule may be gone since."""
    known = {alert.fingerprint: alert for alert in alerts}
    if not known:
        return []
    rows = session.execute(
        select(Suggestion, Alert.fingerprint)
        .join(Alert, Alert.suggestion_id == Suggestion.id)
        .where(Alert.source_id == source.id, Alert.fingerprint.in_(known), Alert.fires)
        .with_for_update(of=Suggestion)
    )
    found: dict[Suggestion, list[IncomingAlert]] = defaultdict(list)
    for suggestion, fingerprint in rows:
        found[suggestion].append(known[fingerprint])
    return list(found.items())


def _goes_on(suggestion: Suggestion) -> bool:
    """Whether an alert that fires now is the same trouble."""
    if suggestion.incident is not None:
        return suggestion.incident.is_open
    if suggestion.ended_at is None:
        return True
    # What was dismissed comes back only as something new.
    return (
        suggestion.state is not SuggestionState.DISMISSED
        and suggestion.ended_at > clock.now() - FLAP_TIME
    )


def _open_incidents(session: Session, components: set[int]) -> dict[int | None, Incident]:
    """The open incident of each of some components; the newest, where there are several."""
    if not components:
        return {}
    rows = session.execute(
        open_incidents()
        .join(IncidentComponent, Incident.id == IncidentComponent.incident_id)
        .where(IncidentComponent.component_id.in_(components))
        .add_columns(IncidentComponent.component_id)
        .order_by(Incident.id)
    )
    found: dict[int | None, Incident] = {row[1]: row[0] for row in rows}
    return found


def _count_open(session: Session, source: AlertSource) -> int:
    chosen = select(func.count()).select_from(Suggestion)
    return session.scalar(
        chosen.filter_by(source_id=source.id, state=SuggestionState.OPEN)
    ) or 0  # fmt: skip


def _new(source: AlertSource, group: _Group, members: Sequence[IncomingAlert]) -> Suggestion:
    first = next(alert for alert in members if alert.fires)
    return Suggestion(
        source_id=source.id,
        group_hash=group[0],
        component_id=group[1],
        state=SuggestionState.OPEN,
        title=first.title,
        text=first.text,
        url=first.url,
        started_at=min(alert.started_at for alert in members if alert.fires),
        received=0,
    )


def _describe(
    suggestion: Suggestion, members: Sequence[IncomingAlert], ranks: Sequence[int | None]
) -> None:
    suggestion.last_at = clock.now()
    suggestion.received += len(members)
    known = [rank for rank in (suggestion.severity_rank, *ranks) if rank is not None]
    suggestion.severity_rank = min(known, default=None)


def _join(suggestion: Suggestion, incident: Incident) -> None:
    """Alerts about a component that an incident has already extend that incident."""
    suggestion.state = SuggestionState.ACCEPTED
    suggestion.incident_id = incident.id
    suggestion.decided_by, suggestion.decided_at = "", clock.now()


def _left_behind(session: Session, source: AlertSource, kept: _Kept) -> list[Suggestion]:
    """The suggestions that some of these alerts belonged to until now."""
    present = {suggestion.id for suggestion, _ in kept}
    fingerprints = {alert.fingerprint for _, members in kept for alert in members}
    theirs = select(Alert.suggestion_id).where(
        Alert.source_id == source.id, Alert.fingerprint.in_(fingerprints)
    )
    chosen = select(Suggestion).where(Suggestion.id.in_(theirs), Suggestion.id.not_in(present))
    return list(session.scalars(chosen.order_by(Suggestion.id).with_for_update()))


def _keep(session: Session, source: AlertSource, kept: _Kept) -> int:
    """Write the alerts, each over what was known of it; how many were too many."""
    moment, rows, left_out = clock.now(), {}, 0
    for suggestion, members in kept:
        room = MOST_ALERTS_EACH - (suggestion.alerts or 0)
        known = _known(session, source, members) if room < len(members) else frozenset[str]()
        for alert in members:
            if room <= 0 and alert.fingerprint not in known:
                left_out += 1
                continue
            room -= alert.fingerprint not in known
            rows[alert.fingerprint] = _row(source, suggestion, alert, moment)
    if rows:
        statement = insert_new(session, Alert)
        changes = {
            name: statement.excluded[name]
            for name in ("suggestion_id", "title", "labels", "fires", "ended_at", "seen_at")
        }
        # Some tools name no start, or that of their last look: the first counts while it fires.
        said = statement.excluded["started_at"]
        is_earlier = Alert.fires & (Alert.started_at < said)
        changes["started_at"] = case((is_earlier, Alert.started_at), else_=said)
        session.execute(
            statement.on_conflict_do_update(
                index_elements=["source_id", "fingerprint"], set_=changes
            ),
            list(rows.values()),
        )
    return left_out


def _known(
    session: Session, source: AlertSource, members: Sequence[IncomingAlert]
) -> frozenset[str]:
    chosen = select(Alert.fingerprint).where(
        Alert.source_id == source.id,
        Alert.fingerprint.in_([alert.fingerprint for alert in members]),
    )
    return frozenset(session.scalars(chosen))


def _row(
    source: AlertSource, suggestion: Suggestion, alert: IncomingAlert, moment: datetime
) -> dict[str, Any]:
    return {
        "source_id": source.id,
        "suggestion_id": suggestion.id,
        "fingerprint": alert.fingerprint,
        "title": alert.title,
        "labels": dict(alert.labels),
        "fires": alert.fires,
        "started_at": alert.started_at,
        "ended_at": alert.ended_at,
        "seen_at": moment,
    }


def _count(session: Session, source: AlertSource, suggestions: Sequence[Suggestion]) -> None:
    """Have suggestions say how many of their alerts fire, and end and begin again by that."""
    counts = _counts(session, [one.id for one in suggestions])
    for suggestion in suggestions:
        total, firing, started, ended = counts.get(suggestion.id, (0, 0, None, None))
        if source.tool == PEOPLE and suggestion.state is not SuggestionState.OPEN:
            firing = 0
        suggestion.alerts, suggestion.firing = total, firing
        if firing:
            suggestion.ended_at = None
            suggestion.started_at = min(suggestion.started_at, started or suggestion.started_at)
            if suggestion.state is SuggestionState.OVER:
                suggestion.state = SuggestionState.OPEN
            continue
        suggestion.ended_at = ended or suggestion.last_at
        if suggestion.state is SuggestionState.OPEN:
            suggestion.state = SuggestionState.OVER


def _counts(session: Session, ids: Sequence[int]) -> Mapping[int, tuple[int, int, Any, Any]]:
    fires = case((Alert.fires.is_(True), 1), else_=0)
    rows = session.execute(
        select(
            Alert.suggestion_id,
            func.count(),
            func.sum(fires),
            func.min(Alert.started_at),
            func.max(Alert.ended_at),
        )
        .where(Alert.suggestion_id.in_(ids))
        .group_by(Alert.suggestion_id)
    )
    return {row[0]: (row[1], row[2], row[3], row[4]) for row in rows}


# --- deciding ------------------------------------------------------------------------------------


def _undecided(session: Session, code: str) -> Suggestion:
    suggestion = find_suggestion(session, code, locks=True)
    if suggestion is None or suggestion.state not in {SuggestionState.OPEN, SuggestionState.OVER}:
        raise Invalid("suggestion", "Someone has already decided on this suggestion.")
    return suggestion


def _accept(session: Session, suggestion: Suggestion, incident: Incident, actor: Actor) -> None:
    _decide(suggestion, SuggestionState.ACCEPTED, actor)
    suggestion.incident_id = incident.id
    _record(session, actor, "suggestion.accept", suggestion, incident=incident.code)


def _decide(suggestion: Suggestion, state: SuggestionState, actor: Actor) -> None:
    suggestion.state = state
    suggestion.decided_by, suggestion.decided_at = actor.name, clock.now()
    if suggestion.source.tool == PEOPLE:
        # Nobody takes a report back: what is decided on is answered, and the next one is new.
        suggestion.firing, suggestion.ended_at = 0, clock.now()


def _record(
    session: Session, actor: Actor, action: str, suggestion: Suggestion, **after: Any
) -> None:
    audit.record(
        session, actor, action, subject_kind="suggestion", subject=suggestion.code,
        after={"title": suggestion.title, **after},
    )  # fmt: skip
