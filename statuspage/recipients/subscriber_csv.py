"""Subscribers from a CSV file, with the consent that each gave elsewhere; nobody is emailed.

Columns: ``email``, ``confirmed_at`` and, as wanted, those of the export
(:data:`~.subscribers.COLUMNS`), in any order and case; a file with other names for them is read by
a mapping.  A row without a moment of consent is left out and named: somebody who never confirmed
is asked by the page, not imported.

What somebody chose here counts for more than a file: whoever is confirmed here stays as they are,
whoever unsubscribed here stays unsubscribed.  So a file can be imported again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from statuspage.access import audit
from statuspage.access.audit import Actor
from statuspage.access.permissions import Permission, needs
from statuspage.core import clock
from statuspage.core.address import Address
from statuspage.core.db import current_session, in_slices, writing
from statuspage.core.enums import Impact, SubscribedUpdates, SubscriberState, Visibility
from statuspage.core.errors import Invalid
from statuspage.models import Incident, Page, Subscriber
from statuspage.recipients.customer_csv import ImportReport
from statuspage.recipients.customer_csv_rows import (
    Cells,
    CustomerRow,
    Header,
    RowError,
    RowNote,
    component_names,
    fold_column,
    read_rows,
    shown,
)
from statuspage.recipients.subscribers import COLUMNS, SubscriptionPreferences, apply_preferences
from statuspage.recipients.suppression import ERASED_BEFORE, erased_among, suppressions_among

_SLICE: Final = 500
# How other services call these columns.
_NAMES: Final[Mapping[str, str]] = {
    "confirmed": "confirmed_at",
    "confirmation_date": "confirmed_at",
    "opted_in_at": "confirmed_at",
    "subscribed_at": "confirmed_at",
    "verified_at": "confirmed_at",
    "created_at": "asked_at",
    "status": "state",
    "component": "components",
}
_NO_CONSENT: Final = (
    "Nothing says when they confirmed; name that column, or say when with --confirmed-at"
)
_ACTIVE: Final = frozenset({"", "confirmed", "active", "subscribed", "verified"})
_LEFT: Final = frozenset({"unsubscribed", "left", "inactive", "deleted"})
_NOTHING: Final = frozenset({"", "no", "false", "0", "none"})
_EVERYTHING: Final = frozenset({"yes", "true", "1", "all"})


@dataclass(frozen=True, slots=True)
class ConfirmedElsewhere:
    """Somebody who confirmed elsewhere: where that is written, and what they are notified of."""

    line: int
    address: Address
    confirmed_at: datetime
    asked_at: datetime
    preferences: SubscriptionPreferences


@needs(Permission.SUBSCRIBERS)
def import_subscribers(
    data: bytes | str,
    *,
    actor: Actor,
    source: str = "",
    confirmed_at: datetime | None = None,
    renamed: Mapping[str, str] | None = None,
    preview: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> ImportReport:
    """Take in the confirmed subscribers of a CSV file; bad rows are named, the rest goes in.

    ``confirmed_at`` is when all of them had confirmed, for a file that does not say it of each.
    ``renamed`` has our column by the file's name for it.  ``preview`` changes nothing.
    """
    rows, errors, notes = read_rows(data, Header(COLUMNS, {**_NAMES, **(renamed or {})}))
    return import_subscriber_rows(
        rows, actor=actor, source=source, confirmed_at=confirmed_at, errors=errors, notes=notes,
        preview=preview, progress=progress,
    )  # fmt: skip


@needs(Permission.SUBSCRIBERS)
def import_subscriber_rows(
    rows: Sequence[CustomerRow],
    *,
    actor: Actor,
    source: str = "",
    confirmed_at: datetime | None = None,
    errors: Sequence[RowError] = (),
    notes: Sequence[RowNote] = (),
    knows_components: bool = True,
    preview: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> ImportReport:
    """The same with rows that were read elsewhere; kept in steps that others can write between.

    Without ``knows_components`` a preview does not look for those that are named: they come first.
    """
    reader = _SubscriberReader(current_session(), confirmed_at)
    if not knows_components:
        rows = [replace(row, cells={**row.cells, "components": ""}) for row in rows]
    people, wrong, left = reader.read_all(rows)
    current_session().rollback()
    report = ImportReport(0, 0, 0, (*errors, *wrong), (*notes, *left))
    if preview:
        # PostgreSQL takes 65,535 values in one statement.
        for start in range(0, len(people), _SLICE):
            some = people[start : start + _SLICE]
            report = _take(current_session(), some, report, writes=False)
        return _ordered(report)
    done = 0
    for batch in in_slices(people, _SLICE):
        with writing() as session:
            report = _take(session, batch, report, writes=True)
            done += len(batch)
            if done == len(people):
                _note(session, report, actor=actor, source=source)
        if progress:
            progress(done, len(people))
    return _ordered(report)


def _take(
    session: Session,
    people: Sequence[ConfirmedElsewhere],
    report: ImportReport,
    *,
    writes: bool,
) -> ImportReport:
    identities = [one.address.identity for one in people]
    known = {
        one.address: one
        for one in session.scalars(select(Subscriber).where(Subscriber.address.in_(identities)))
    }
    erased = erased_among(session, identities)
    suppressed = suppressions_among(session, identities)
    errors, added, updated = [], 0, 0
    for one in people:
        subscriber = known.get(one.address.identity)
        if one.address.identity in erased:
            errors.append(RowError(one.line, "email", one.address.email, ERASED_BEFORE))
        elif one.address.identity in suppressed:
            kind = suppressed[one.address.identity].kind.replace("_", " ")
            reason = f"Nothing is sent to this address ({kind})"
            errors.append(RowError(one.line, "email", one.address.email, reason))
        elif subscriber is None or subscriber.state is SubscriberState.PENDING:
            added, updated = added + (subscriber is None), updated + (subscriber is not None)
            if writes:
                _write(session, subscriber, one)
    return replace(
        report,
        added=report.added + added,
        updated=report.updated + updated,
        unchanged=report.unchanged + len(people) - added - updated - len(errors),
        errors=(*report.errors, *errors),
    )


def _write(session: Session, subscriber: Subscriber | None, one: ConfirmedElsewhere) -> None:
    if subscriber is None:
        subscriber = Subscriber(address=one.address.identity)
        session.add(subscriber)
    subscriber.email, subscriber.asked_at = one.address.email, one.asked_at
    subscriber.state = SubscriberState.CONFIRMED
    subscriber.confirmed_at, subscriber.left_at = one.confirmed_at, None
    # A link that was mailed to confirm has nothing left to do.
    subscriber.token_hash = subscriber.token_expires_at = None
    apply_preferences(subscriber, one.preferences)


def _note(session: Session, report: ImportReport, *, actor: Actor, source: str) -> None:
    counts = {
        "added": report.added,
        "updated": report.updated,
        "unchanged": report.unchanged,
        "refused": report.refused,
    }
    audit.record(
        session, actor, "subscribers.import", subject_kind="subscribers", subject=source[:500],
        after=counts,
    )  # fmt: skip


def _ordered(report: ImportReport) -> ImportReport:
    return replace(
        report,
        errors=tuple(sorted(report.errors, key=lambda error: error.line)),
        notes=tuple(sorted(report.notes, key=lambda note: note.line)),
    )


class _SubscriberReader:
    """Reads rows; what their cells may name is read once."""

    def __init__(self, session: Session, confirmed_at: datetime | None) -> None:
        language = session.scalar(select(Page.language)) or "en"
        self._cells = Cells(component_names(session), language)
        self._confirmed_at = confirmed_at
        self._incidents = {
            row.code: row.id
            for row in session.execute(
                select(Incident.code, Incident.id).where(Incident.visibility == Visibility.PUBLIC)
            )
        }

    def read_all(
        self, rows: Sequence[CustomerRow]
    ) -> tuple[list[ConfirmedElsewhere], list[RowError], list[RowNote]]:
        """Who is to be notified, of two rows about one the later; what is wrong; who left."""
        people: dict[str, ConfirmedElsewhere] = {}
        errors, notes = [], []
        for row in rows:
            try:
                found = self._read(row)
            except Invalid as wrong:
                value = shown(row.cells.get(wrong.field, ""))
                errors.append(RowError(row.line, wrong.field, value, str(wrong.reason)))
                continue
            if found is None:
                notes.append(RowNote(row.line, "Unsubscribed there: left out"))
            else:
                people[found.address.identity] = found
        return list(people.values()), errors, notes

    def _read(self, row: CustomerRow) -> ConfirmedElsewhere | None:
        address: Address = self._value(row, "email")
        state = row.cells.get("state", "").strip().casefold()
        if state in _LEFT:
            return None
        if state not in _ACTIVE:
            raise Invalid("state", "Only confirmed subscribers are taken")
        confirmed = self._moment(row, "confirmed_at") or self._confirmed_at
        if confirmed is None:
            raise Invalid("confirmed_at", _NO_CONSENT)
        return ConfirmedElsewhere(
            row.line, address, confirmed, self._moment(row, "asked_at") or confirmed,
            self._preferences(row),
        )  # fmt: skip

    def _preferences(self, row: CustomerRow) -> SubscriptionPreferences:
        updates = self._updates(row)
        least = row.cells.get("least_impact", "").strip() or Impact.NONE.value
        if least not in set(Impact):
            raise Invalid("least_impact", f"Write one of {', '.join(Impact)}")
        preferences = SubscriptionPreferences(
            incidents=updates is not None,
            maintenance=_is_wanted(row.cells.get("maintenance")),
            updates=updates or SubscribedUpdates.EVERY,
            least_impact=Impact(least),
            components=frozenset(self._value(row, "components")),
            follows=self._followed(row.cells.get("follows", "")),
            language=self._value(row, "language"),
            time_zone=self._value(row, "time_zone") or None,
        )
        if not (preferences.incidents or preferences.maintenance or preferences.follows):
            raise Invalid("incidents", "They want neither incidents nor maintenance")
        return preferences

    def _updates(self, row: CustomerRow) -> SubscribedUpdates | None:
        """Which updates of incidents are wanted; None for none of them."""
        cell = row.cells.get("incidents")
        if cell is None or cell.strip().casefold() in _EVERYTHING:
            return SubscribedUpdates.EVERY
        word = cell.strip().casefold()
        if word in _NOTHING:
            return None
        for updates in SubscribedUpdates:
            if word in {updates.value, updates.label.casefold()}:
                return updates
        raise Invalid("incidents", "Write yes, no, or which updates, as the export does")

    def _followed(self, cell: str) -> frozenset[int]:
        codes = [code.strip() for code in cell.split(";") if code.strip()]
        # An incident that did not move along is over for its followers.
        return frozenset(self._incidents[code] for code in codes if code in self._incidents)

    def _moment(self, row: CustomerRow, name: str) -> datetime | None:
        cell = row.cells.get(name, "").strip()
        return read_moment(cell, name) if cell else None

    def _value(self, row: CustomerRow, name: str) -> Any:
        return self._cells.cell(name, row.cells.get(name, ""))


def read_moment(text: str, field: str) -> datetime:
    """A moment in ISO 8601, or a date alone; UTC where it names no zone; else :class:`Invalid`."""
    try:
        moment = datetime.fromisoformat(text.removesuffix(" UTC"))
    except ValueError:
        raise Invalid(field, "Write it as 2026-03-02 or 2026-03-02T10:00:00Z") from None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    if moment > clock.now():
        raise Invalid(field, "This is in the future")
    return clock.as_utc(moment)


def read_columns(pairs: Sequence[str]) -> dict[str, str]:
    """``THEIRS=OURS`` pairs as a mapping; :class:`Invalid` where a column of ours is none."""
    renamed = {}
    for pair in pairs:
        theirs, _, ours = pair.rpartition("=")
        if not theirs or ours not in COLUMNS:
            raise Invalid("--column", f"Write THEIRS=OURS, one of {', '.join(COLUMNS)}; not {pair}")
        renamed[fold_column(theirs)] = ours
    return renamed


def _is_wanted(cell: str | None) -> bool:
    """Whether a cell says yes; a column that is not there says so too."""
    return cell is None or cell.strip().casefold() not in _NOTHING
