"""The customers' CSV file (RFC 4180): read with every bad row named, written so that it reads back.

Columns: ``email`` and, as wanted, ``name``, ``company``, ``components``, ``language``,
``time_zone``, ``key``, ``contractual``, ``tags``, in any order and case.  A column that is absent
leaves what is known alone; an empty cell empties it.  Components and tags are parted by ``;``, each
component given by name, by ``Group / Name`` or by code; none means all.

Rows count as if they came one after the other, so of two for the same customer the later one
stands.  A row belongs to the customer with its ``key``, else to the one with its address.  One key
with several addresses in one file is refused: spreadsheets make one number of many.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, TypeVar, cast

from sqlalchemy import String, Table, bindparam, or_, select
from sqlalchemy.orm import Session

from statuspage.access import audit
from statuspage.access.audit import Actor
from statuspage.access.permissions import Permission, needs
from statuspage.core import clock
from statuspage.core.address import Address
from statuspage.core.db import current_session, in_slices, writing
from statuspage.core.errors import Invalid
from statuspage.models import Customer, CustomerComponent, Page
from statuspage.recipients.customer_csv_rows import (
    COLUMNS,
    Cells,
    CustomerRow,
    RowError,
    RowNote,
    component_labels,
    component_names,
    csv_lines,
    has_lost_digits,
    read_rows,
    shown,
)
from statuspage.recipients.customers import CustomerValues, keep_others_out
from statuspage.recipients.suppression import ERASED_BEFORE, erased_among

_CHUNK = 5_000
# Rows that are written in one transaction: some tenths of a second on a slow disk.
_SLICE = 500
_15 = "spreadsheets keep the first fifteen of a number"
# Rows go in and out as plain tuples: a hundred thousand objects would cost half a minute.
_customers = cast(Table, Customer.__table__)
_links = cast(Table, CustomerComponent.__table__)
_c = _customers.c
_stored = select(
    _c.id, _c.address, _c.email, _c.name, _c.company, _c.language, _c.time_zone, _c.key,
    _c.contractual, _c.tags,
)  # fmt: skip

_BLANK = asdict(CustomerValues(email=""))

_T = TypeVar("_T")

Progress = Callable[[int, int], None]
"""Called again and again with how much is done, and of how much."""


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did, or would do; the counts are customers, or subscribers."""

    added: int
    updated: int
    unchanged: int
    errors: tuple[RowError, ...]
    notes: tuple[RowNote, ...]

    @property
    def refused(self) -> int:
        """How many rows were left out, whatever is wrong with each."""
        return len({error.line for error in self.errors})


@dataclass(frozen=True, slots=True)
class Parsed:
    """A row whose every cell can be taken."""

    line: int
    identity: str
    given: Mapping[str, Any]


@dataclass(slots=True)
class _KnownCustomers:
    """A customer while rows are applied: as found first and as stored by now, and as the rows say.

    What was found first, or is stored, is None for a customer who is new.
    """

    id: int | None
    first: Mapping[str, Any] | None
    stored: Mapping[str, Any] | None
    stored_identity: str
    values: Mapping[str, Any]
    identity: str
    line: int | None = None


@needs(Permission.CUSTOMERS)
def import_customers(
    data: bytes | str,
    *,
    actor: Actor,
    source: str = "",
    preview: bool = False,
    progress: Progress | None = None,
) -> ImportReport:
    """Take in the customers of a CSV file: new ones are added, changed ones updated, none removed.

    Bytes are UTF-8, UTF-16 or UTF-32, the delimiter is a comma, a semicolon or a tab.  A bad row is
    left out and named in the report.  The rest is written in slices with a transaction each, so
    that others can write meanwhile; where it is cut off, importing the file again does the rest.
    ``preview`` reports what would be done and changes nothing.  ``source`` names the file in the
    audit trail.
    """
    rows, errors, notes = read_rows(data)
    intake = Intake(current_session(), rows, errors, notes, progress or _silent)
    intake.refuse_shared_keys()
    if preview:
        intake.take(current_session(), intake.parsed)
        return intake.report()
    done = 0
    for batch in in_slices(intake.parsed, _SLICE):
        with writing() as session:
            keep_others_out(session)
            intake.take(session, batch)
            intake.write(session)
            begins, done = not done, done + len(batch)
            ends = done == len(intake.parsed)
            if begins or ends:
                _note(session, intake.report(), actor=actor, source=source, ends=ends)
    return intake.report()


def _note(session: Session, report: ImportReport, *, actor: Actor, source: str, ends: bool) -> None:
    """Write into the audit trail what an import has done: at its end, and where it has begun."""
    counts = {
        "added": report.added,
        "updated": report.updated,
        "unchanged": report.unchanged,
        "refused": report.refused,
    }
    action = "customers.import" if ends else "customers.import_begin"
    audit.record(
        session, actor, action, subject_kind="customers", subject=source[:500], after=counts
    )


class Intake:
    """Rows on their way in: parsed, and then, slice by slice, applied to what is known and written.

    Parsing only reads, and is done outside of the transactions that write.
    """

    def __init__(
        self,
        session: Session,
        rows: Sequence[CustomerRow],
        errors: list[RowError],
        notes: list[RowNote],
        announce: Progress,
        *,
        cells: type[Cells] = Cells,
    ) -> None:
        self._errors = errors
        self._notes = notes
        self._announce = announce
        self._total = 2 * len(rows)
        self._done = len(rows)
        self._language = session.scalar(select(Page.language)) or "en"
        read = cells(component_names(session), self._language)
        self.parsed: Sequence[Parsed] = list(self._parse(rows, read))
        self._touched: list[_KnownCustomers] = []
        self._by_id: dict[int, _KnownCustomers] = {}
        self._in_hand: dict[int, _KnownCustomers] = {}
        self._by_key: dict[str, _KnownCustomers] = {}
        self._by_identity: dict[str, _KnownCustomers] = {}

    def refuse_shared_keys(self) -> None:
        """Leave out the rows that give one key to several addresses; each is named."""
        addresses: dict[str, set[str]] = defaultdict(set)
        lines: dict[str, list[str]] = defaultdict(list)
        for row in self.parsed:
            if key := row.given.get("key"):
                addresses[key].add(row.identity)
                lines[key].append(str(row.line))
        shared = {key for key, found in addresses.items() if len(found) > 1}
        for row in self.parsed:
            if (key := row.given.get("key")) in shared:
                reason = f"Lines {', '.join(lines[key][:5])} give it to different addresses"
                self._errors.append(RowError(row.line, "key", key, reason, conflict=True))
        self.parsed = [row for row in self.parsed if row.given.get("key") not in shared]

    def take(self, session: Session, rows: Sequence[Parsed]) -> None:
        """Apply a slice of what was parsed to the customers as they are now."""
        self._in_hand, self._by_key, self._by_identity = {}, {}, {}
        self._load(session, rows)
        erased = erased_among(session, {row.identity for row in rows})
        for row in rows:
            if row.identity in erased:
                self._conflict(row, ERASED_BEFORE)
                continue
            self._apply(row)

    def report(self) -> ImportReport:
        """The counts so far, and what was left out."""
        added = sum(known.first is None for known in self._touched)
        changed = len(self._changed())
        return ImportReport(
            added=added,
            updated=changed,
            unchanged=len(self._touched) - added - changed,
            errors=tuple(sorted(self._errors, key=lambda error: error.line)),
            notes=tuple(sorted(self._notes, key=lambda note: note.line)),
        )

    def write(self, session: Session) -> None:
        """Bring the database to what the rows of the slice in hand say."""
        changed = [
            k for k in self._in_hand.values() if k.stored is not None and k.stored != k.values
        ]
        new = [known for known in self._in_hand.values() if known.stored is None]
        moving = [known.id for known in changed if known.identity != known.stored_identity]
        for ids in _chunks(moving):
            # Two customers may have exchanged addresses; none may hold one that the other takes.
            free = "moving " + _c.id.cast(String)
            session.execute(_customers.update().where(_c.id.in_(ids)).values(address=free))
        for batch in _chunks(changed):
            _update(session, batch)
        for batch in _chunks(new):
            _insert(session, batch)
        for known in (*changed, *new):
            known.stored, known.stored_identity = known.values, known.identity
        self._by_id |= {known.id: known for known in self._in_hand.values() if known.id is not None}
        self._done = min(self._total, self._done + len(self._in_hand))
        self._announce(self._done, self._total)

    def changes(self) -> list[tuple[str, Mapping[str, Any] | None, Mapping[str, Any]]]:
        """For each customer who is new or changed: the address, and the values before and after."""
        new = [known for known in self._touched if known.first is None]
        return [(known.identity, known.first, known.values) for known in (*new, *self._changed())]

    def _changed(self) -> list[_KnownCustomers]:
        return [k for k in self._touched if k.first is not None and k.first != k.values]

    def _parse(self, rows: Sequence[CustomerRow], read: Cells) -> Iterator[Parsed]:
        for count, row in enumerate(rows, start=1):
            if count % 1_000 == 0:
                self._announce(count, self._total)
            given: dict[str, Any] = {}
            bad: list[RowError] = []
            for name, cell in row.cells.items():
                try:
                    given[name] = read.cell(name, cell)
                except Invalid as refused:
                    bad.append(RowError(row.line, name, shown(cell), refused.reason))
            if bad:
                self._errors.extend(bad)
                continue
            if has_lost_digits(key := given.get("key") or ""):
                self._notes.append(RowNote(row.line, f"The key {key} may have lost digits: {_15}"))
            address: Address = given["email"]
            given["email"] = address.email
            yield Parsed(row.line, address.identity, given)

    def _load(self, session: Session, parsed: Sequence[Parsed]) -> None:
        """Read the stored customers whom the rows may mean, and know those again that were met."""
        for rows in _chunks(parsed):
            keys = {row.given["key"] for row in rows if row.given.get("key")}
            identities = {row.identity for row in rows}
            found = session.execute(
                _stored.where(or_(_c.address.in_(identities), _c.key.in_(keys)))
            ).all()
            components = _components_of(session, [row.id for row in found])
            for row in found:
                values = dict(row._mapping)
                del values["id"], values["address"]
                values["components"] = components.get(row.id, frozenset())
                known = self._by_id.get(row.id)
                if known is None:
                    known = _KnownCustomers(
                        row.id, values, values, row.address, values, row.address
                    )
                known.stored = known.values = values
                known.stored_identity = known.identity = row.address
                self._remember(known)

    def _remember(self, known: _KnownCustomers) -> None:
        self._by_identity[known.identity] = known
        if known.values["key"]:
            self._by_key[known.values["key"]] = known

    def _apply(self, row: Parsed) -> None:
        key = row.given.get("key")
        by_key = self._by_key.get(key) if key else None
        owner = self._by_identity.get(row.identity)
        known = by_key or owner
        if owner is not None and self._collides(owner, by_key, key):
            whose = f"key {owner.values['key']!r}" if owner.values["key"] else "no key"
            self._conflict(row, f"This address belongs to the customer with {whose}")
            return
        if known is None:
            blank = {**_BLANK, "language": self._language}
            known = _KnownCustomers(None, None, None, "", blank, row.identity)
        if known.line is None:
            self._touched.append(known)
        else:
            self._notes.append(
                RowNote(row.line, f"The same customer as in line {known.line}; this line counts")
            )
        self._in_hand[id(known)] = known
        self._by_identity.pop(known.identity, None)
        # An empty key never takes one away.
        known.values = {**known.values, **row.given, "key": key or known.values["key"]}
        known.identity, known.line = row.identity, row.line
        self._remember(known)

    def _conflict(self, row: Parsed, reason: str) -> None:
        self._errors.append(RowError(row.line, "email", row.given["email"], reason, conflict=True))

    @staticmethod
    def _collides(owner: _KnownCustomers, by_key: _KnownCustomers | None, key: str | None) -> bool:
        if by_key is not None:
            return by_key is not owner
        return bool(key and owner.values["key"])


def _insert(session: Session, batch: Sequence[_KnownCustomers]) -> None:
    now = clock.now()
    session.execute(
        _customers.insert(),
        [{**_columns(known), "created_at": now, "updated_at": now} for known in batch],
    )
    by_address = {known.identity: known for known in batch}
    for row in session.execute(select(_c.id, _c.address).where(_c.address.in_(by_address))):
        by_address[row.address].id = row.id
    _link(session, batch)


def _update(session: Session, batch: Sequence[_KnownCustomers]) -> None:
    now = clock.now()
    session.execute(
        _customers.update().where(_c.id == bindparam("this")),
        [{**_columns(known), "this": known.id, "updated_at": now} for known in batch],
    )
    others = [
        known
        for known in batch
        if known.stored is not None and known.stored["components"] != known.values["components"]
    ]
    if others:
        ids = [known.id for known in others]
        session.execute(_links.delete().where(_links.c.customer_id.in_(ids)))
        _link(session, others)


def _link(session: Session, customers: Iterable[_KnownCustomers]) -> None:
    links = [
        {"customer_id": known.id, "component_id": component_id}
        for known in customers
        for component_id in known.values["components"]
    ]
    if links:
        session.execute(_links.insert(), links)


def export_customers(session: Session) -> Iterator[str]:
    """The lines of a CSV file with every customer, by address; importing it changes nothing.

    Cells that a spreadsheet would run as a formula start with an apostrophe, which the import
    takes off again.
    """
    return csv_lines(_exported(session))


def _exported(session: Session) -> Iterator[Sequence[str]]:
    labels = component_labels(session)
    yield COLUMNS
    last = ""
    while rows := session.execute(
        _stored.where(_c.address > last).order_by(_c.address).limit(_CHUNK)
    ).all():
        components = _components_of(session, [row.id for row in rows])
        for row in rows:
            names = sorted(labels[used] for used in components.get(row.id, ()))
            yield (
                row.email, row.name, row.company, "; ".join(names), row.language,
                row.time_zone or "", row.key or "", "yes" if row.contractual else "",
                row.tags,
            )  # fmt: skip
        last = rows[-1].address


def _silent(done: int, total: int) -> None:
    pass


def _chunks(items: Sequence[_T]) -> Iterator[Sequence[_T]]:
    for start in range(0, len(items), _CHUNK):
        yield items[start : start + _CHUNK]


def _columns(known: _KnownCustomers) -> dict[str, Any]:
    columns = {
        **known.values,
        "address": known.identity,
        "all_components": not known.values["components"],
    }
    del columns["components"]
    return columns


def _components_of(session: Session, customer_ids: Sequence[int]) -> dict[int, frozenset[int]]:
    used: dict[int, set[int]] = defaultdict(set)
    links = select(CustomerComponent.customer_id, CustomerComponent.component_id)
    for customer_id, component_id in session.execute(
        links.where(CustomerComponent.customer_id.in_(customer_ids))
    ):
        used[customer_id].add(component_id)
    return {customer_id: frozenset(ids) for customer_id, ids in used.items()}
