"""Keeping imported incidents: new ones added, changed ones brought up to date, the rest left alone.

An incident is known by its origin and its code there, an update by its code.  An update without one
gets a code made from what it is, so the same file gives the same codes.  Entry ids are made once
and stored.  No message and no delivery is written: nobody is notified of an incident that is long
over.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar, cast

from sqlalchemy import Table, delete, func, insert, or_, select
from sqlalchemy.orm import Session

from statuspage.access import audit
from statuspage.access.audit import Actor
from statuspage.access.permissions import Permission, needs
from statuspage.core import clock
from statuspage.core.db import current_session, in_slices, writing
from statuspage.core.enums import CLOSED, ComponentStatus, IncidentStatus, Visibility
from statuspage.core.links import Links, current_links
from statuspage.importers.imported_components import Components, log_changes, show_current_states
from statuspage.importers.published import ImportProblem, PublishedIncident, UnusableHistory
from statuspage.models import (
    AuditEntry,
    ComponentChange,
    Incident,
    IncidentComponent,
    IncidentUpdate,
    UpdateRevision,
    revision,
)
from statuspage.models.columns import CODE_LENGTH

_CHUNK = 100
# Incidents in a part of the log, unless one component has more, and such parts in one step.
_LOGGED_INCIDENTS = 25
_LOGGED_PARTS = 2
_BEGUN, _ENDED = "history.import_begin", "history.import"
_ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789"
_CODE = re.compile(f"[{_ALPHABET}]{{{CODE_LENGTH}}}")
_incidents = cast(Table, Incident.__table__)
_updates = cast(Table, IncidentUpdate.__table__)
_T = TypeVar("_T")

Progress = Callable[[int, int], None]
"""Told again and again how many incidents are done, and of how many."""


@dataclass(frozen=True, slots=True)
class IncidentImportReport:
    """What an import did; the first three count incidents."""

    added: int
    updated: int
    unchanged: int
    components_added: int
    notes: tuple[ImportProblem, ...]
    skipped: tuple[ImportProblem, ...] = ()


@needs(Permission.IMPORT)
def store_incidents(
    incidents: Sequence[PublishedIncident],
    *,
    actor: Actor,
    source: str = "",
    notes: Sequence[ImportProblem] = (),
    progress: Progress | None = None,
    prepare: Callable[[Session], int] | None = None,
    finish: Callable[[Session], None] | None = None,
) -> IncidentImportReport:
    """Keep these incidents, in steps that others can write between, and show them all at the end.

    ``prepare`` is part of the first step and ``finish`` of the last; ``prepare`` says how many
    components it added.  An import that was cut off is finished by repeating it.  Raises
    :class:`UnusableHistory`, before anything is kept, where a code belongs to an incident of
    somebody else.
    """
    keeper = _Keeper(current_session(), current_links(), list(notes))
    keeper.refuse_taken(incidents)
    with writing() as session:
        keeper.begin(incidents, prepare(session) if prepare else 0)
        _note_begin(session, actor, source)
    done = 0
    for batch in in_slices(incidents, _CHUNK):
        with writing():
            keeper.keep(batch)
        (progress or _silent)(done := done + len(batch), len(incidents))
    for parts in in_slices(keeper.to_log(), _LOGGED_PARTS):
        with writing():
            keeper.log([component_id for part in parts for component_id in part])
    with writing() as session:
        if finish:
            finish(session)
        report = keeper.report()
        audit.record(
            session, actor, _ENDED, subject_kind="history", subject=source[:500],
            after={
                "added": report.added,
                "updated": report.updated,
                "unchanged": report.unchanged,
                "components_added": report.components_added,
            },
        )  # fmt: skip
        revision.bump(session)
    return report


def foretell_incidents(
    incidents: Sequence[PublishedIncident], *, notes: Sequence[ImportProblem] = ()
) -> IncidentImportReport:
    """What :func:`store_incidents` would do, as far as it can be known without doing it.

    Those that are here already count as unchanged, for whether they differ is not compared.  Raises
    :class:`UnusableHistory` as it does.
    """
    keeper = _Keeper(current_session(), current_links(), list(notes))
    keeper.refuse_taken(incidents)
    known = sum(keeper.count_known(batch) for batch in _chunks(incidents))
    return IncidentImportReport(len(incidents) - known, 0, known, 0, tuple(notes))


def _note_begin(session: Session, actor: Actor, source: str) -> None:
    """Write down that an import has begun; its last step writes down that it has ended."""
    audit.record(session, actor, _BEGUN, subject_kind="history", subject=source[:500])


def _was_cut_off(session: Session) -> bool:
    """Whether the import before this one never came to its end."""
    before = select(AuditEntry.action).where(AuditEntry.action.in_((_BEGUN, _ENDED)))
    newest = session.scalars(before.order_by(AuditEntry.id.desc()).limit(1)).first()
    return newest == _BEGUN


def is_code(text: str) -> bool:
    """Whether this is a code such as the service makes: 12 of a–z0–9."""
    return _CODE.fullmatch(text) is not None


def named_code(*parts: str) -> str:
    """A code of 12 of a–z0–9 made from ``parts``: the same for the same parts, always."""
    number = int.from_bytes(hashlib.sha256("\x00".join(parts).encode()).digest())
    letters = []
    for _ in range(CODE_LENGTH):
        number, place = divmod(number, len(_ALPHABET))
        letters.append(_ALPHABET[place])
    return "".join(letters)


class _Keeper:
    """One import on its way into the database."""

    def __init__(self, session: Session, links: Links, notes: list[ImportProblem]) -> None:
        self._current = session
        self._links = links
        self._notes = notes
        self._components = Components()
        self._touched: set[int] = set()
        self._incidents = self._added = self._updated = self._components_added = 0

    def refuse_taken(self, incidents: Sequence[PublishedIncident]) -> None:
        """Raise :class:`UnusableHistory` where a code belongs to an incident of somebody else."""
        self._refuse_twins(incidents)
        for batch in _chunks(incidents):
            self._refuse_taken(batch)

    def begin(self, incidents: Sequence[PublishedIncident], components_added: int) -> None:
        """Make the components that are missing; ``components_added`` were made before."""
        if _was_cut_off(self._current):
            # Its incidents may be here without the log that they make.
            imported = select(IncidentComponent.component_id).join(Incident)
            self._touched |= set(
                self._current.scalars(imported.where(Incident.origin.is_not(None)).distinct())
            )
        self._components.load(self._current)
        self._components.add_missing(self._current, incidents)
        self._components_added = components_added + self._components.added

    def keep(self, batch: Sequence[PublishedIncident]) -> None:
        """Keep some of the incidents."""
        self._refuse_taken(batch)
        stored = self._stored(batch)
        new = [incident for incident in batch if _identity(incident) not in stored]
        self._add(new)
        self._incidents += len(batch)
        self._added += len(new)
        self._updated += self._update_all(batch, stored)

    def count_known(self, batch: Sequence[PublishedIncident]) -> int:
        """How many of the incidents are here already."""
        return len({_identity(incident) for incident in batch} & self._stored(batch).keys())

    def report(self) -> IncidentImportReport:
        """What became of the incidents so far."""
        return IncidentImportReport(
            added=self._added,
            updated=self._updated,
            unchanged=self._incidents - self._added - self._updated,
            components_added=self._components_added,
            notes=tuple(self._notes),
        )

    def _refuse_twins(self, incidents: Sequence[PublishedIncident]) -> None:
        """Refuse updates of different incidents that have one code."""
        owners: dict[str, PublishedIncident] = {}
        twins = [
            ImportProblem(
                incident.where,
                f"the update {update.code} has the same code as one of {owner.where}",
            )
            for incident in incidents
            for update in incident.updates
            if update.code and (owner := owners.setdefault(update.code, incident)) is not incident
        ]
        if twins:
            raise UnusableHistory(twins)

    def _refuse_taken(self, batch: Sequence[PublishedIncident]) -> None:
        codes = {self._code(incident): incident for incident in batch}
        updates = {
            update.code: incident
            for incident in batch
            for update in incident.updates
            if update.code
        }
        owner = (Incident.origin, Incident.origin_id)
        own = select(Incident.code, *owner).where(Incident.code.in_(codes))
        posted = select(IncidentUpdate.code, *owner).join(
            Incident, Incident.id == IncidentUpdate.incident_id
        )
        taken = [
            ImportProblem(asking[code].where, f"the code {code} belongs to another incident here")
            for asking, statement in (
                (codes, own),
                (updates, posted.where(IncidentUpdate.code.in_(updates))),
            )
            for code, *of in self._current.execute(statement)
            if tuple(of) != _identity(asking[code])
        ]
        if taken:
            raise UnusableHistory(taken)

    def _stored(self, batch: Sequence[PublishedIncident]) -> dict[tuple[str, str], Any]:
        rows = self._current.execute(
            select(_incidents).where(
                _incidents.c.origin.in_({incident.origin for incident in batch}),
                _incidents.c.origin_id.in_({incident.code for incident in batch}),
            )
        )
        return {(row.origin, row.origin_id): row for row in rows}

    def _code(self, incident: PublishedIncident) -> str:
        own = is_code(incident.code)
        return incident.code if own else named_code(incident.origin, incident.code)

    def _columns(self, incident: PublishedIncident) -> dict[str, Any]:
        """What an incident's row says of it, apart from who it is."""
        return {
            "kind": incident.kind,
            "title": incident.title,
            "status": incident.status,
            "impact": incident.impact,
            "started_at": incident.started_at,
            "monitoring_at": incident.monitoring_at,
            "resolved_at": incident.resolved_at,
            "scheduled_for": incident.scheduled_for,
            "scheduled_until": incident.scheduled_until,
            "cancelled_at": incident.cancelled_at,
            "resolutions": _resolutions(incident),
        }

    def _add(self, incidents: Sequence[PublishedIncident]) -> None:
        if not incidents:
            return
        codes = {self._code(incident): incident for incident in incidents}
        rows = []
        for code, incident in codes.items():
            posted = [update.posted_at for update in incident.updates]
            entry_id = incident.entry_id or self._links.incident_entry(code, posted[0])
            rank, level = incident.severity or (None, None)
            rows.append(
                {
                    **self._columns(incident),
                    "severity_rank": rank,
                    "severity_name": level,
                    "worst_rank": rank,
                    "code": code,
                    "visibility": Visibility.PUBLIC,
                    "created_at": min([*posted, incident.created_at or posted[0]]),
                    "updated_at": max(posted),
                    "users_notice": "",
                    "public_facts": {},
                    "internal_facts": {},
                    "chat_channel": "",
                    "war_room": "",
                    "entry_id": entry_id,
                    "origin": incident.origin,
                    "origin_id": incident.code,
                    "version": 1,
                }
            )
        self._current.execute(_incidents.insert(), rows)
        ids = self._current.execute(
            select(Incident.id, Incident.code).where(Incident.code.in_(codes))
        )
        updates = []
        for incident_id, code in ids:
            incident = codes[code]
            updates += self._new_updates(self._columns_by_code(incident), incident_id, code)
            self._affect(incident, incident_id)
        self._current.execute(insert(IncidentUpdate), updates)

    def _columns_by_code(self, incident: PublishedIncident) -> dict[str, dict[str, Any]]:
        """The updates' columns by code: a published one, or made from time, status and turn."""
        turns: dict[tuple[datetime, str], int] = defaultdict(int)
        stored_form = {}
        before = ""
        for update in incident.updates:
            turn = turns[update.at, update.status]
            turns[update.at, update.status] += 1
            made = named_code(
                incident.origin, incident.code, update.at.isoformat(), update.status, str(turn)
            )
            code = update.code or made
            if code in stored_form:
                text = f"two updates have the code {code}; the later one gets a code of its own"
                self._notes.append(ImportProblem(incident.where, text))
                code = made
            stored_form[code] = {
                "status": update.status,
                "body": update.body,
                "happened_at": update.at,
                "posted_at": update.posted_at,
                "edited_at": update.edited_at,
                "reopens": before in CLOSED and update.status not in CLOSED,
                "affected": [self._components.stored_form(effect) for effect in update.effects],
            }
            before = update.status
        return stored_form

    def _new_updates(
        self, stored_form: Mapping[str, Mapping[str, Any]], incident_id: int, code: str
    ) -> list[dict[str, Any]]:
        return [
            {
                **columns,
                "code": update_code,
                "incident_id": incident_id,
                "visibility": Visibility.PUBLIC,
                # Whoever was notified then was notified from elsewhere.
                "notifies": False,
                "entry_id": self._links.update(code, update_code),
            }
            for update_code, columns in stored_form.items()
        ]

    def _affect(self, incident: PublishedIncident, incident_id: int) -> None:
        """Note the components of an incident, each in the state that it was left in."""
        states: dict[int, ComponentStatus] = {}
        for update in incident.updates:
            for effect in update.effects:
                states[self._components.id_of(effect)] = effect.new_status
        self._touched |= states.keys()
        rows = [
            {"incident_id": incident_id, "component_id": component_id, "status": status}
            for component_id, status in states.items()
        ]
        if rows:
            self._current.execute(insert(IncidentComponent), rows)

    def _update_all(
        self, batch: Sequence[PublishedIncident], stored: Mapping[tuple[str, str], Any]
    ) -> int:
        """Bring the stored incidents of a batch up to date; how many differed."""
        ids = [row.id for row in stored.values()]
        continued = self._continued(ids)
        updates: dict[int, list[Any]] = defaultdict(list)
        for update in self._current.execute(
            select(_updates)
            .where(_updates.c.incident_id.in_(ids))
            .order_by(_updates.c.happened_at, _updates.c.id)
        ):
            updates[update.incident_id].append(update)
        updated = 0
        for incident in batch:
            row = stored.get(_identity(incident))
            if row is None:
                continue
            if row.id not in continued:
                updated += self._update(incident, row, updates[row.id])
                continue
            left = "this incident was continued here and is left as it is"
            self._notes.append(ImportProblem(incident.where, left))
        return updated

    def _update(self, incident: PublishedIncident, row: Any, updates: Sequence[Any]) -> bool:
        """Bring a stored incident up to date; whether anything differed."""
        wanted = self._columns(incident)
        if incident.entry_id:
            wanted["entry_id"] = incident.entry_id
        differing = _differing(row, wanted)
        if not self._change_updates(incident, row, updates) and not differing:
            return False
        # Components may be others now: all are noted again, and the old ones' log is rewritten.
        owned = IncidentComponent.incident_id == row.id
        self._touched |= set(
            self._current.scalars(select(IncidentComponent.component_id).where(owned))
        )
        self._current.execute(delete(IncidentComponent).where(owned))
        self._affect(incident, row.id)
        self._current.execute(
            _incidents.update()
            .where(_incidents.c.id == row.id)
            .values(**differing, updated_at=clock.now(), version=row.version + 1)
        )
        return True

    def _continued(self, incident_ids: Sequence[int]) -> set[int]:
        """Which incidents people have updated or corrected since they were imported."""
        own = IncidentUpdate.incident_id.in_(incident_ids)
        posted = select(IncidentUpdate.incident_id).where(
            own, or_(IncidentUpdate.form_key.is_not(None), IncidentUpdate.account_id.is_not(None))
        )
        corrected = (
            select(IncidentUpdate.incident_id)
            .join(UpdateRevision, UpdateRevision.update_id == IncidentUpdate.id)
            .where(own, UpdateRevision.account_id.is_not(None))
        )
        return {*self._current.scalars(posted), *self._current.scalars(corrected)}

    def _change_updates(self, incident: PublishedIncident, row: Any, stored: Sequence[Any]) -> bool:
        """Bring the updates of a stored incident up to date; whether anything differed."""
        pairs, new, gone = _match(stored, self._columns_by_code(incident))
        changed = [pair for pair in pairs if self._change(*pair)]
        for update in gone:
            self._forget(update.id)
        if new:
            rows = self._new_updates(new, row.id, row.code)
            self._current.execute(insert(IncidentUpdate), rows)
        return bool(changed or new or gone)

    def _change(self, stored: Any, wanted: Mapping[str, Any]) -> bool:
        differing = _differing(stored, wanted)
        if wanted["edited_at"] is None:
            # Nobody says; what was corrected by an import before stays so.
            differing.pop("edited_at", None)
        if not differing:
            return False
        if "body" in differing and stored.body.split() != differing["body"].split():
            # A corrected update keeps its entry and its date, and says that it was corrected.
            now = clock.now()
            self._current.add(
                UpdateRevision(update_id=stored.id, body=stored.body, replaced_at=now)
            )
            differing["edited_at"] = wanted["edited_at"] or now
        self._current.execute(
            _updates.update().where(_updates.c.id == stored.id).values(**differing)
        )
        return True

    def _forget(self, update_id: int) -> None:
        """Remove an update that its publisher took back."""
        for table, column in (
            (ComponentChange, ComponentChange.update_id),
            (UpdateRevision, UpdateRevision.update_id),
            (IncidentUpdate, IncidentUpdate.id),
        ):
            self._current.execute(delete(table).where(column == update_id))

    def to_log(self) -> list[list[int]]:
        """The components whose log has to be rewritten, in parts that take about as long."""
        counted = self._current.execute(
            select(IncidentComponent.component_id, func.count())
            .where(IncidentComponent.component_id.in_(self._touched))
            .group_by(IncidentComponent.component_id)
        ).all()
        counts = dict.fromkeys(sorted(self._touched), 0) | {row[0]: row[1] for row in counted}
        parts: list[list[int]] = []
        room = 0
        for component_id, incidents in counts.items():
            if not parts or incidents > room:
                parts.append([])
                room = _LOGGED_INCIDENTS
            parts[-1].append(component_id)
            room -= incidents + 1
        return parts

    def log(self, component_ids: Sequence[int]) -> None:
        """Write the log of components, from all incidents about them, and their present state."""
        if not component_ids:
            return
        logged = (
            select(Incident.id)
            .join(ComponentChange, ComponentChange.incident_id == Incident.id)
            .where(
                ComponentChange.component_id.in_(component_ids),
                Incident.origin.is_not(None),
                Incident.visibility == Visibility.PUBLIC,
            )
            .distinct()
        )
        ids = list(self._current.scalars(logged))
        log_changes(self._current, ids, component_ids=component_ids)
        show_current_states(self._current, component_ids)


def _match(
    stored: Sequence[Any], stored_form: Mapping[str, Mapping[str, Any]]
) -> tuple[list[tuple[Any, Mapping[str, Any]]], dict[str, Mapping[str, Any]], list[Any]]:
    """Which stored update is which: pairs, updates that are new, and rows that are gone.

    By code; else by status and minute, else by the text, because another document of the same
    incident may give no codes, and rounds its times.
    """
    left = {row.code: row for row in stored}
    new = dict(stored_form)
    pairs = []
    for is_same in (_same_code, _same_minute, _same_body):
        for code, columns in list(new.items()):
            row = next((row for row in left.values() if is_same(row, code, columns)), None)
            if row is not None:
                pairs.append((left.pop(row.code), new.pop(code)))
    return pairs, new, list(left.values())


def _same_code(row: Any, code: str, columns: Mapping[str, Any]) -> bool:
    return bool(row.code == code)


def _same_minute(row: Any, code: str, columns: Mapping[str, Any]) -> bool:
    same = _minute(row.happened_at) == _minute(columns["happened_at"])
    return same and row.status == columns["status"]


def _same_body(row: Any, code: str, columns: Mapping[str, Any]) -> bool:
    return bool(row.body == columns["body"])


def _differing(stored: Any, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """What of ``wanted`` is not so yet; a time that is the same to the minute is the same."""

    def rounded(value: Any) -> Any:
        return _minute(value) if isinstance(value, datetime) else value

    return {
        name: value
        for name, value in wanted.items()
        if rounded(stored._mapping[name]) != rounded(value)
    }


def _minute(moment: datetime) -> datetime:
    return moment.replace(second=0, microsecond=0)


def _identity(incident: PublishedIncident) -> tuple[str, str]:
    return incident.origin, incident.code


def _resolutions(incident: PublishedIncident) -> int:
    steps = [update.status for update in incident.updates]
    befores = [None, *steps]
    return sum(
        after == IncidentStatus.RESOLVED and before != after
        for before, after in zip(befores, steps, strict=False)
    )


def _chunks(items: Sequence[_T]) -> Iterator[Sequence[_T]]:
    for start in range(0, len(items), _CHUNK):
        yield items[start : start + _CHUNK]


def _silent(done: int, total: int) -> None:
    pass
