"""Rules by which the alerts of a source set the state of a component, where somebody wants that.

The one thing that alerts change by themselves.  A rule waits until an alert has fired for a while,
sets a state so often an hour at most, and takes it back after a while without alerts.  It never
acts while an open incident names the component, and alerts that fired before such an incident ended
count no more.  What somebody sets by hand stays until they hand the component back.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Function, Select, func, select
from sqlalchemy.orm import Session, joinedload

from statuspage.access import audit, throttle
from statuspage.access.audit import Actor
from statuspage.access.permissions import Permission, needs
from statuspage.configuration.components import set_status
from statuspage.core import clock
from statuspage.core.db import current_session, writing
from statuspage.core.enums import ComponentStatus, SuggestionState
from statuspage.core.errors import Invalid
from statuspage.intake.alert_mapping import PEOPLE
from statuspage.intake.suggestions import open_incidents
from statuspage.models import (
    Alert,
    AlertSource,
    Component,
    Incident,
    IncidentComponent,
    StateRule,
    Suggestion,
    revision,
)

# What a rule may set: operational is what it takes back to, and maintenance is planned.
STATES: Final = (
    ComponentStatus.DEGRADED_PERFORMANCE,
    ComponentStatus.PARTIAL_OUTAGE,
    ComponentStatus.MAJOR_OUTAGE,
)
LONGEST: Final = timedelta(hours=24)
_HOUR: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class RuleDetails:
    """A rule as somebody sets it."""

    source_id: int
    status: ComponentStatus
    delay_minutes: int = 5
    quiet_minutes: int = 10
    most_per_hour: int = 2


def rule_of(session: Session, component_id: int) -> StateRule | None:
    """The rule of a component."""
    chosen = select(StateRule).filter_by(component_id=component_id)
    return session.scalars(chosen.options(joinedload(StateRule.source))).one_or_none()


def automatic_components(session: Session) -> set[int]:
    """The ids of the components whose state a rule has set."""
    return set(session.scalars(select(StateRule.component_id).where(StateRule.set_at.is_not(None))))


@needs(Permission.COMPONENTS)
def save_rule(component_id: int, details: RuleDetails, *, actor: Actor) -> None:
    """Switch a rule on, or change it; :class:`Invalid` for a source or a state that cannot be."""
    with writing() as session:
        component = session.get_one(Component, component_id, with_for_update=True)
        source = session.get(AlertSource, details.source_id)
        if source is None or source.removed_at is not None:
            raise Invalid("source_id", "That source has just been removed; pick another")
        if source.tool == PEOPLE:
            raise Invalid("source_id", "Reports of people never set a status; pick another")
        if details.status not in STATES:
            raise Invalid("status", "Pick a state that is not operational")
        rule = rule_of(session, component_id)
        if rule is None:
            rule = StateRule(component_id=component_id)
            session.add(rule)
        for name, value in asdict(details).items():
            setattr(rule, name, value)
        after = {**asdict(details), "source_id": source.name}
        _record(session, actor, "state_rule.save", component, after=after)
        revision.bump(session)


@needs(Permission.COMPONENTS)
def remove_rule(component_id: int, *, actor: Actor) -> None:
    """Switch the rule of a component off; the state that it set stays."""
    with writing() as session:
        rule = rule_of(session, component_id)
        if rule is not None:
            _record(session, actor, "state_rule.remove", rule.component)
            session.delete(rule)
            revision.bump(session)


@needs(Permission.COMPONENT_STATUS)
def hand_back(component_id: int, *, actor: Actor) -> None:
    """Have the rule set the state again, after somebody set one by hand."""
    with writing() as session:
        rule = rule_of(session, component_id)
        if rule is not None and rule.paused_at is not None:
            rule.paused_at = None
            _record(session, actor, "state_rule.hand_back", rule.component)


def apply_due() -> int:
    """Set what is due, and take back what is over; how many states changed.  The worker's duty."""
    waiting = current_session().scalars(select(StateRule.id).where(StateRule.paused_at.is_(None)))
    return sum(_apply(rule_id) for rule_id in waiting.all())


def _apply(rule_id: int) -> bool:
    rule = current_session().get(StateRule, rule_id)
    if rule is None or not _wanted(current_session(), rule):
        return False
    actor = Actor(
        f"Rule of “{rule.source.name}”", origin="state rule",
        permissions=frozenset({Permission.COMPONENT_STATUS}),
    )  # fmt: skip
    return carry_out(rule_id, actor=actor)


@needs(Permission.COMPONENT_STATUS)
def carry_out(rule_id: int, *, actor: Actor) -> bool:
    """Do what a rule wants now; whether the component's state changed."""
    with writing() as session:
        rule = session.get_one(StateRule, rule_id, with_for_update=True)
        component = session.get_one(Component, rule.component_id, with_for_update=True)
        wanted = _wanted(session, rule)
        if wanted == _LET_GO:
            rule.set_at = None
            revision.bump(session)
        elif wanted == _TAKE_BACK:
            rule.set_at = None
            set_status(session, component, ComponentStatus.OPERATIONAL, actor=actor)
        elif wanted == _SET:
            wait = throttle.count_try(
                session, "state rule", str(rule_id), limit=rule.most_per_hour, window=_HOUR
            )
            if wait is not None:
                return False
            rule.set_at = clock.now()
            set_status(session, component, rule.status, actor=actor)
        return wanted in {_SET, _TAKE_BACK}


_SET, _TAKE_BACK, _LET_GO = "set", "take back", "let go"


def _wanted(session: Session, rule: StateRule) -> str:
    """What is to be done now; empty for nothing."""
    component, source, now = rule.component, rule.source, clock.now()
    if rule.paused_at is not None:
        return ""
    is_held = rule.set_at is not None
    is_elsewhere = component.removed_at is not None or _open_incident(session, component)
    if is_elsewhere or (is_held and component.status is not rule.status):
        return _LET_GO if is_held else ""
    since = None if source.removed_at else _firing_since(session, rule)
    if is_held:
        is_over = since is None and _heard_at(session, rule) <= now - timedelta(
            minutes=rule.quiet_minutes
        )
        return _TAKE_BACK if is_over else ""
    is_due = since is not None and since <= now - timedelta(minutes=rule.delay_minutes)
    return _SET if is_due and component.status is ComponentStatus.OPERATIONAL else ""


def _open_incident(session: Session, component: Component) -> bool:
    chosen = open_incidents().where(
        Incident.id.in_(select(IncidentComponent.incident_id).filter_by(component_id=component.id))
    )
    return session.scalars(chosen.limit(1)).first() is not None


def _firing_since(session: Session, rule: StateRule) -> datetime | None:
    """Since when alerts fire that no incident has been about; None where none does."""
    ended = (
        select(func.max(Incident.resolved_at))
        .join(IncidentComponent, IncidentComponent.incident_id == Incident.id)
        .where(IncidentComponent.component_id == rule.component_id, Incident.is_drill.is_(False))
    )
    last = session.scalar(ended)
    begun = _alerts(rule, func.min(Alert.started_at)).where(Alert.fires)
    return session.scalar(begun.where(Alert.started_at > last) if last else begun)


def _heard_at(session: Session, rule: StateRule) -> datetime:
    """When an alert was last reported."""
    heard = session.scalar(_alerts(rule, func.max(Alert.seen_at)))
    return heard or clock.EPOCH


def _alerts(rule: StateRule, figure: Function[datetime]) -> Select[datetime]:
    """A figure of the alerts that a rule goes by; those that somebody dismissed count no more."""
    return (
        select(figure)
        .join(Suggestion, Suggestion.id == Alert.suggestion_id)
        .where(
            Suggestion.source_id == rule.source_id,
            Suggestion.component_id == rule.component_id,
            Suggestion.state != SuggestionState.DISMISSED,
        )
    )


def _record(
    session: Session,
    actor: Actor,
    action: str,
    component: Component,
    after: dict[str, object] | None = None,
) -> None:
    audit.record(
        session, actor, action, subject_kind="component", subject=component.name, after=after
    )
