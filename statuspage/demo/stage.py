"""Plays the demo's stories as the verbs would have told them at the time, and files what went out.

Texts come from the shipped templates and the facts, deliveries from the same rules, so the demo
shows what the service does.  Only the clock is another: every row gets the time of its story.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from statuspage.audit import SYSTEM
from statuspage.demo.cast import Cast
from statuspage.imports.store import named_code
from statuspage.incidents.applying import apply_post, declared
from statuspage.incidents.shape import Declaration, Post
from statuspage.incidents.states import affect, at_the_end, set_state
from statuspage.incidents.telling import (
    Telling,
    affected_components,
    tell,
)
from statuspage.links import current_links
from statuspage.models import (
    Delivery,
    DeliveryEvent,
    Incident,
    IncidentUpdate,
    Message,
    Suppression,
)
from statuspage.words import (
    Channel,
    ComponentStatus,
    DeliveryState,
    Impact,
    IncidentStatus,
    Kind,
    MaintenanceStatus,
    Role,
    Step,
    Visibility,
)

UNDER_MAINTENANCE = ComponentStatus.UNDER_MAINTENANCE


@dataclass(frozen=True, slots=True)
class Beat:
    """One public step of an incident, ``minute`` minutes after its start.

    ``promise`` and ``expected_back`` are minutes too: from this step to the next update, and from
    the start to the return of service.  Facts stay known until another beat tells them anew.
    """

    minute: int
    status: IncidentStatus
    states: Mapping[str, ComponentStatus] = field(default_factory=dict)
    promise: int | None = None
    expected_back: int | None = None
    notice: str | None = None
    facts: Mapping[str, object] = field(default_factory=dict)
    internal: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Note:
    """An entry of the internal timeline, ``minute`` minutes after the start."""

    minute: int
    text: str


@dataclass(frozen=True, slots=True)
class IncidentScript:
    """An incident's script; ``roles`` are colleagues by handle."""

    title: str
    rank: int
    begins_at: datetime
    notice: str
    beats: tuple[Beat, ...]
    notes: tuple[Note, ...] = ()
    roles: Mapping[Role, str] = field(default_factory=dict)
    chat_channel: str = ""
    war_room: str = ""
    visibility: Visibility = Visibility.PUBLIC


@dataclass(frozen=True, slots=True)
class MaintenanceScript:
    """A maintenance's script: announced, and where ``is_over`` begun and completed on time."""

    title: str
    announced_at: datetime
    begins_at: datetime
    minutes: int
    notice: str
    components: tuple[str, ...]
    resolution: str = ""
    is_over: bool = False


class Stage:
    """Where the stories are played, one after the other, oldest first."""

    def __init__(self, current: Session, cast: Cast) -> None:
        self._current = current
        self._cast = cast
        self._links = current_links()

    def play(self, script: IncidentScript | MaintenanceScript) -> None:
        """Tell one story from its first post to its last."""
        if isinstance(script, IncidentScript):
            self._play_incident(script)
        else:
            self._play_maintenance(script)

    def _play_incident(self, script: IncidentScript) -> None:
        first = script.beats[0]
        told_at = script.begins_at + timedelta(minutes=first.minute)
        declaration = Declaration(
            title=script.title,
            severity_rank=script.rank,
            users_notice=script.notice,
            components=self._ids(first.states),
            started_at=script.begins_at,
            status=first.status,
            visibility=script.visibility,
            roles={role: self._cast.contacts[who].id for role, who in script.roles.items()},
            chat_channel=script.chat_channel,
            war_room=script.war_room,
            next_update_at=_after(told_at, first.promise),
            public_facts=_facts(script, first),
            internal_facts=dict(first.internal),
        )
        incident = declared(self._current, declaration, told_at)
        self._add(incident, told_at)
        turns: list[Beat | Note] = [*script.notes, *script.beats]
        for turn in sorted(turns, key=lambda turn: turn.minute):
            moment = script.begins_at + timedelta(minutes=turn.minute)
            if isinstance(turn, Note):
                self._note(incident, turn, moment)
            else:
                self._play_beat(incident, script, turn, moment, declares=turn is first)

    def _play_beat(
        self,
        incident: Incident,
        script: IncidentScript,
        beat: Beat,
        moment: datetime,
        *,
        declares: bool,
    ) -> None:
        still = not declares and incident.status == beat.status
        if not declares:
            post = Post(
                status=beat.status,
                next_update_at=_after(moment, beat.promise),
                users_notice=beat.notice,
                public_facts=_facts(script, beat),
                internal_facts=dict(beat.internal),
                happened_at=moment,
            )
            apply_post(self._current, incident, post, moment, reopens=False)
        states = self._ids(beat.states)
        if beat.status is IncidentStatus.RESOLVED:
            states = at_the_end(incident, states)
        at = incident.started_at if declares else moment
        update = self._post(incident, states, moment, at=at)
        self._tell(update, moment, Step(beat.status.value), declares=declares, still=still)

    def _play_maintenance(self, script: MaintenanceScript) -> None:
        until = script.begins_at + timedelta(minutes=script.minutes)
        maintenance = Incident(
            code="",
            kind=Kind.MAINTENANCE,
            title=script.title,
            status=MaintenanceStatus.SCHEDULED.value,
            impact=Impact.MAINTENANCE,
            users_notice=script.notice,
            public_facts={"resolution": script.resolution} if script.resolution else {},
            started_at=script.begins_at,
            scheduled_for=script.begins_at,
            scheduled_until=until,
            created_at=script.announced_at,
        )
        self._add(maintenance, script.announced_at)
        named = [self._cast.components[name].id for name in script.components]
        for component_id in named:
            set_state(self._current, maintenance, component_id, ComponentStatus.OPERATIONAL)
        self._advance(maintenance, MaintenanceStatus.SCHEDULED, {}, script.announced_at)
        if not script.is_over:
            return
        busy = dict.fromkeys(named, UNDER_MAINTENANCE)
        self._advance(maintenance, MaintenanceStatus.IN_PROGRESS, busy, script.begins_at)
        maintenance.resolved_at = until
        done = at_the_end(maintenance, {})
        self._advance(maintenance, MaintenanceStatus.COMPLETED, done, until)

    def _advance(
        self,
        maintenance: Incident,
        status: MaintenanceStatus,
        states: Mapping[int, ComponentStatus],
        moment: datetime,
    ) -> None:
        maintenance.status = status.value
        maintenance.updated_at = moment
        update = self._post(maintenance, states, moment, at=moment)
        self._tell(update, moment, Step(status.value))

    def _add(self, incident: Incident, told_at: datetime) -> None:
        """Keep a story, under the same code each time that the demo is loaded."""
        incident.code = named_code("ShopStack", incident.title)
        incident.entry_id = self._links.incident_entry(incident.code, told_at)
        self._current.add(incident)
        self._current.flush()

    def _post(
        self,
        incident: Incident,
        states: Mapping[int, ComponentStatus],
        moment: datetime,
        *,
        at: datetime,
    ) -> IncidentUpdate:
        update = self._update(incident, moment, visibility=incident.visibility)
        update.next_update_at = incident.next_update_at
        update.affected = affect(self._current, incident, states, update=update, at=at)
        return update

    def _note(self, incident: Incident, note: Note, moment: datetime) -> None:
        self._update(incident, moment, visibility=Visibility.INTERNAL).body = note.text

    def _update(
        self, incident: Incident, moment: datetime, *, visibility: Visibility
    ) -> IncidentUpdate:
        minute = f"{(moment - incident.created_at).total_seconds():.0f}"
        code = named_code("ShopStack", incident.title, visibility.value, minute)
        update = IncidentUpdate(
            code=code,
            incident_id=incident.id,
            status=incident.status,
            visibility=visibility,
            body="",
            happened_at=moment,
            posted_at=moment,
            entry_id=self._links.update(incident.code, code),
        )
        self._current.add(update)
        self._current.flush()
        return update

    def _tell(
        self,
        update: IncidentUpdate,
        moment: datetime,
        step: Step,
        *,
        declares: bool = False,
        still: bool = False,
    ) -> None:
        """Compose what this step tells each audience, and file it as long sent."""
        incident = update.incident
        self._current.expire(incident, ["updates"])
        components = affected_components(self._current, incident)
        telling = Telling(incident, step, components, moment, declares=declares, still=still)
        update.body = tell(self._current, telling, update, {}, actor=SYSTEM, overrides={})
        for message in self._current.scalars(select(Message).filter_by(update_id=update.id)):
            message.created_at = moment
            self._file(message, moment)

    def _file(self, message: Message, moment: datetime) -> None:
        """Turn what was just queued into history: nothing of it waits any more."""
        deliveries = self._current.scalars(
            select(Delivery).filter_by(message_id=message.id).order_by(Delivery.id)
        )
        for number, delivery in enumerate(deliveries):
            delivery.queued_at = delivery.due_at = delivery.changed_at = moment
            delivery.expires_at = moment + timedelta(days=3)
            if delivery.state is DeliveryState.SUPPRESSED:
                continue
            accepted_at = moment + timedelta(seconds=2 + number // 50)
            self._reach(delivery, DeliveryState.ACCEPTED, accepted_at)
            delivery.attempts = 1
            if delivery.channel is Channel.EMAIL:
                self._arrive(delivery, number, accepted_at)

    def _arrive(self, delivery: Delivery, number: int, accepted_at: datetime) -> None:
        """What became of a mail: mostly delivered, of a few nothing was heard, two bounced."""
        heard_at = accepted_at + timedelta(seconds=3 + number * 7 % 41)
        if number % 71 == 36:
            reason = "550 5.1.1 The mailbox does not exist"
            self._reach(delivery, DeliveryState.BOUNCED, heard_at, reason=reason)
            self._current.add(
                Suppression(
                    address=delivery.address,
                    kind="bounced",
                    reason="mail to this address bounced",
                    at=heard_at,
                )
            )
        elif number % 19 != 7:
            self._reach(delivery, DeliveryState.DELIVERED, heard_at)

    def _reach(
        self, delivery: Delivery, state: DeliveryState, at: datetime, *, reason: str = ""
    ) -> None:
        delivery.state, delivery.changed_at, delivery.reason = state, at, reason
        self._current.add(DeliveryEvent(delivery_id=delivery.id, at=at, state=state, reason=reason))

    def _ids(self, states: Mapping[str, ComponentStatus]) -> dict[int, ComponentStatus]:
        return {self._cast.components[name].id: status for name, status in states.items()}


def _after(moment: datetime, minutes: int | None) -> datetime | None:
    return None if minutes is None else moment + timedelta(minutes=minutes)


def _facts(script: IncidentScript, beat: Beat) -> dict[str, object]:
    """A beat's public facts as they are kept on the story."""
    back = _after(script.begins_at, beat.expected_back)
    return {**beat.facts, "expected_back": back.isoformat() if back else None}
