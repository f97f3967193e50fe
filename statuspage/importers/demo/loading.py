"""Reads the demo's files and adds what they describe as if it had been published and mailed then.

Texts come from the shipped templates and the facts, deliveries from the same rules, so the demo
shows what the service does.  Only the times differ: each row gets that of its update.  A name in a
file that nothing here takes is a ``TypeError``.
"""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from statuspage.access.audit import SYSTEM
from statuspage.configuration.severity import install_scheme
from statuspage.core import clock
from statuspage.core.enums import (
    Channel,
    ComponentStatus,
    DeliveryState,
    Impact,
    IncidentRole,
    IncidentStatus,
    Kind,
    MaintenanceStatus,
    NoteKind,
    Step,
    Visibility,
)
from statuspage.core.links import current_links
from statuspage.importers.store import named_code
from statuspage.incidents.announcement import Announcement, affected_components
from statuspage.incidents.apply_update import apply_update_to, declared
from statuspage.incidents.component_states import affect, at_the_end, set_state
from statuspage.incidents.inputs import Declaration, NewUpdate
from statuspage.incidents.publish import Submission, announce
from statuspage.models import (
    Component,
    ComponentChange,
    ComponentGroup,
    Contact,
    Customer,
    CustomerComponent,
    Delivery,
    DeliveryEvent,
    Incident,
    IncidentNote,
    IncidentTag,
    IncidentUpdate,
    Message,
    Page,
)
from statuspage.recipients.suppression import SuppressionKind, suppress

FOLDER: Final = Path(__file__).parent
_SET_UP_BEFORE: Final = timedelta(days=120)

Entry = Mapping[str, Any]
"""A table in one of the files, by the names that it is written with."""
States = Mapping[int, ComponentStatus]


def add_demo(session: Session, *, now: datetime) -> None:
    """Add the whole demo to the caller's transaction, relative to the moment ``now``."""
    loader = Loader(session, now=now)
    loader.add_page(**_read("page.toml"))
    loader.add_customers()
    loader.add_history(**_read("history.toml"))


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads((FOLDER / name).read_text(encoding="utf-8"))


class Loader:
    """Adds the demo to a transaction, part by part; the page comes first."""

    def __init__(self, session: Session, *, now: datetime) -> None:
        self._current = session
        self._now = now.replace(second=0, microsecond=0)
        self._set_up_at = self._now - _SET_UP_BEFORE
        self._made = {"created_at": self._set_up_at, "updated_at": self._set_up_at}
        self._links = current_links()
        self._zone = ""
        self._components: dict[str, int] = {}
        self._contacts: dict[str, int] = {}

    def add_page(self, page: Entry, components: Mapping[str, Entry], contacts: Entry) -> None:
        """Add the page, its components by group, and the contacts by handle."""
        self._zone = page["time_zone"]
        self._save(Page(id=1, set_up_at=self._set_up_at, is_demo=True, **page, **self._made))
        install_scheme(self._current, page["scheme"])
        for place, (name, parts) in enumerate(components.items()):
            code = f"gr0up{place:07d}"
            group = ComponentGroup(code=code, name=name, position=place, **self._made)
            self._save(group)
            for position, (part, description) in enumerate(parts.items()):
                self._add_component(
                    code=f"{part.lower():0<12}"[:12], group_id=group.id, name=part,
                    description=description, position=position,
                )  # fmt: skip
        colleagues = [
            Contact(
                email=f"{handle}@shopstack.example", chat_handle=f"@{handle}",
                created_at=self._set_up_at, **values,
            )
            for handle, values in contacts.items()
        ]  # fmt: skip
        self._save(*colleagues)
        self._contacts = {handle: one.id for handle, one in zip(contacts, colleagues, strict=True)}

    def _add_component(self, **values: Any) -> None:
        component = Component(**values, **self._made)
        self._save(component)
        self._components[component.name] = component.id
        status = ComponentStatus.OPERATIONAL
        self._save(ComponentChange(component_id=component.id, at=self._set_up_at, status=status))

    def add_customers(self) -> None:
        """Add the customers, who are in a file such as the admin imports."""
        with (FOLDER / "customers.csv").open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                used = [name for name in row.pop("components").split("; ") if name]
                links = [CustomerComponent(component_id=self._components[name]) for name in used]
                self._current.add(
                    Customer(
                        address=row["email"], all_components=not used, components=links,
                        contractual=row.pop("contractual") == "yes", **row, **self._made,
                    )
                )  # fmt: skip
        self._current.flush()

    def add_history(self, incidents: Sequence[Entry], maintenances: Sequence[Entry]) -> None:
        """Add incidents and maintenances, in the order in which they were first told."""

        def first_told(entry: Entry) -> datetime:
            return self._moment(entry.get("started") or entry["announced"])

        for entry in sorted([*incidents, *maintenances], key=first_told):
            if "started" in entry:
                self._add_incident(**entry)
            else:
                self._add_maintenance(**entry)

    def _moment(self, when: Entry) -> datetime:
        if "minutes_ago" in when:
            return self._now - timedelta(minutes=when["minutes_ago"])
        zone = clock.read_zone(when.get("zone", self._zone))
        day = self._now.astimezone(zone).date() - timedelta(days=when["days_ago"])
        return datetime.combine(day, when["at"], tzinfo=zone).astimezone(UTC)

    def _save(self, *rows: object) -> None:
        self._current.add_all(rows)
        self._current.flush()

    # --- incidents -------------------------------------------------------------------------------

    def _add_incident(
        self,
        *,
        title: str,
        severity: int,
        started: Entry,
        users_notice: str,
        roles: Mapping[str, str],
        updates: Sequence[Entry],
        detected: int,
        tags: Sequence[str],
        cause_category: str = "",
        notes: Sequence[Entry] = (),
        visibility: str = Visibility.PUBLIC,
        chat_channel: str = "",
        war_room: str = "",
    ) -> None:
        started_at = self._moment(started)
        entries = [self._read_update(started_at, **entry) for entry in updates]
        declared_at, first = entries[0]
        declaration = Declaration(
            title=title, severity_rank=severity, users_notice=users_notice,
            components=first.components, started_at=started_at, status=first.status,
            visibility=Visibility(visibility),
            roles={IncidentRole(role): self._contacts[handle] for role, handle in roles.items()},
            chat_channel=chat_channel, war_room=war_room, next_update_at=first.next_update_at,
            public_facts=first.public_facts,
            internal_facts={
                **first.internal_facts, "detected": _after(started_at, detected).isoformat()
            },
        )  # fmt: skip
        incident = declared(self._current, declaration, declared_at)
        incident.cause_category = cause_category
        incident.tagged = [IncidentTag(tag=tag) for tag in tags]
        self._save_incident(incident)
        scribe = self._contacts[roles.get(IncidentRole.SCRIBE) or roles[IncidentRole.COMMANDER]]
        author = self._current.get_one(Contact, scribe).name
        for note in notes:
            self._save(
                IncidentNote(
                    incident_id=incident.id, kind=NoteKind(note["kind"]), body=note["text"],
                    author=author, happened_at=_after(started_at, note["minute"]),
                    noted_at=_after(started_at, note["minute"]),
                )
            )  # fmt: skip
        for moment, entry in entries:
            if entry is first:
                self._publish(incident, first.components, moment, at=started_at, declares=True)
            else:
                self._publish_entry(incident, entry, moment)

    def _read_update(
        self,
        started_at: datetime,
        *,
        minute: int,
        status: str,
        components: Mapping[str, str] | None = None,
        next_update: int | None = None,
        expected_back: int | None = None,
        public_facts: Entry | None = None,
        **more: Any,
    ) -> tuple[datetime, NewUpdate]:
        moment = _after(started_at, minute)
        back = None if expected_back is None else _after(started_at, expected_back).isoformat()
        states = (components or {}).items()
        return moment, NewUpdate(
            status=IncidentStatus(status),
            components={self._components[name]: ComponentStatus(state) for name, state in states},
            next_update_at=None if next_update is None else _after(moment, next_update),
            public_facts={**(public_facts or {}), "expected_back": back},
            happened_at=moment,
            **more,
        )

    def _publish_entry(self, incident: Incident, update: NewUpdate, moment: datetime) -> None:
        still = incident.status == update.status
        apply_update_to(self._current, incident, update, moment, reopens=False)
        states = update.components
        if update.status is IncidentStatus.RESOLVED:
            states = at_the_end(incident, states)
        self._publish(incident, states, moment, still=still)

    def _add_maintenance(
        self,
        *,
        title: str,
        announced: Entry,
        scheduled_for: Entry,
        minutes: int,
        components: Sequence[str],
        users_notice: str,
        resolution: str = "",
        is_over: bool = False,
    ) -> None:
        announced_at, begins_at = self._moment(announced), self._moment(scheduled_for)
        until = _after(begins_at, minutes)
        maintenance = Incident(
            code="", kind=Kind.MAINTENANCE, title=title, status=MaintenanceStatus.SCHEDULED.value,
            impact=Impact.MAINTENANCE, users_notice=users_notice,
            public_facts={"resolution": resolution} if resolution else {}, started_at=begins_at,
            scheduled_for=begins_at, scheduled_until=until, created_at=announced_at,
        )  # fmt: skip
        self._save_incident(maintenance)
        ids = [self._components[name] for name in components]
        for component_id in ids:
            set_state(self._current, maintenance, component_id, ComponentStatus.OPERATIONAL)
        self._advance(maintenance, MaintenanceStatus.SCHEDULED, {}, announced_at)
        if is_over:
            busy = dict.fromkeys(ids, ComponentStatus.UNDER_MAINTENANCE)
            self._advance(maintenance, MaintenanceStatus.IN_PROGRESS, busy, begins_at)
            maintenance.resolved_at = until
            done = at_the_end(maintenance, {})
            self._advance(maintenance, MaintenanceStatus.COMPLETED, done, until)

    def _advance(
        self, maintenance: Incident, status: MaintenanceStatus, states: States, moment: datetime
    ) -> None:
        maintenance.status = status.value
        maintenance.updated_at = moment
        self._publish(maintenance, states, moment)

    def _save_incident(self, incident: Incident) -> None:
        """Save an incident, under the same code each time that the demo is loaded."""
        incident.code = named_code("ShopStack", incident.title)
        incident.entry_id = self._links.incident_entry(incident.code, incident.created_at)
        self._save(incident)

    def _add_update(
        self, incident: Incident, moment: datetime, visibility: Visibility
    ) -> IncidentUpdate:
        seconds = f"{(moment - incident.created_at).total_seconds():.0f}"
        code = named_code("ShopStack", incident.title, visibility.value, seconds)
        update = IncidentUpdate(
            code=code, incident_id=incident.id, status=incident.status, visibility=visibility,
            body="", happened_at=moment, posted_at=moment,
            entry_id=self._links.update(incident.code, code),
        )  # fmt: skip
        self._save(update)
        return update

    # --- messages --------------------------------------------------------------------------------

    def _publish(
        self,
        incident: Incident,
        states: States,
        moment: datetime,
        *,
        at: datetime | None = None,
        declares: bool = False,
        still: bool = False,
    ) -> None:
        """Add the update, its component states as of ``at``, and each audience's message."""
        update = self._add_update(incident, moment, incident.visibility)
        update.next_update_at = incident.next_update_at
        affect(self._current, incident, states, update=update, at=at or moment)
        self._current.expire(incident, ["updates"])
        components = affected_components(self._current, incident)
        step = Step(incident.status)
        announcement = Announcement(
            self._current, incident, step, components, moment,
            saved=incident, declares=declares, still=still,
        )  # fmt: skip
        update.body = announce(announcement, update, Submission(SYSTEM, update.form_key or ""))
        for message in self._current.scalars(select(Message).filter_by(update_id=update.id)):
            message.created_at = moment
            deliveries = select(Delivery).filter_by(message_id=message.id).order_by(Delivery.id)
            for number, delivery in enumerate(self._current.scalars(deliveries)):
                self._settle(delivery, number, moment)

    def _settle(self, delivery: Delivery, number: int, moment: datetime) -> None:
        """Turn a queued delivery into history: most arrive, a few stay unknown, two bounce."""
        delivery.queued_at = delivery.due_at = delivery.changed_at = moment
        delivery.expires_at = moment + timedelta(days=3)
        if delivery.state is DeliveryState.SUPPRESSED:
            return
        delivery.attempts = 1
        accepted_at = moment + timedelta(seconds=2 + number // 50)
        self._record(delivery, DeliveryState.ACCEPTED, accepted_at)
        if delivery.channel is not Channel.EMAIL:
            return
        reported_at = accepted_at + timedelta(seconds=3 + number * 7 % 41)
        if number % 71 == 36:
            reason = "550 5.1.1 The mailbox does not exist"
            self._record(delivery, DeliveryState.BOUNCED, reported_at, reason)
            suppress(self._current, delivery.address, SuppressionKind.BOUNCED, at=reported_at)
        elif number % 19 != 7:
            self._record(delivery, DeliveryState.DELIVERED, reported_at)

    def _record(
        self, delivery: Delivery, state: DeliveryState, at: datetime, reason: str = ""
    ) -> None:
        delivery.state, delivery.changed_at, delivery.reason = state, at, reason
        self._current.add(DeliveryEvent(delivery_id=delivery.id, at=at, state=state, reason=reason))


def _after(moment: datetime, minutes: int) -> datetime:
    return moment + timedelta(minutes=minutes)
