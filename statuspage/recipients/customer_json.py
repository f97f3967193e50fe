"""Customers as JSON objects, as the company's own tools keep them: put, got, listed.

An object has ``email`` and, as wanted, ``name``, ``company``, ``components`` (a list of names or
codes, empty for all), ``tags`` (a list), ``language``, ``time_zone`` and ``contractual``.  It is
the whole customer: what it does not say is empty afterwards, so putting it again changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from statuspage.access import audit
from statuspage.access.audit import Actor
from statuspage.access.permissions import Permission, needs
from statuspage.core.db import current_session, writing
from statuspage.core.errors import Invalid
from statuspage.core.richtext import clean_line
from statuspage.models import Customer
from statuspage.recipients.customer_csv import ImportReport, Intake
from statuspage.recipients.customer_csv_rows import (
    COLUMNS,
    Cells,
    CustomerRow,
    RowError,
    component_labels,
    shown,
)
from statuspage.recipients.customers import keep_others_out

_BLANKS: dict[str, Any] = {
    **dict.fromkeys(COLUMNS, ""), "components": [], "tags": [], "contractual": False,
}  # fmt: skip


@needs(Permission.CUSTOMERS)
def put_customers(
    objects: Mapping[int, object],
    *,
    actor: Actor,
    source: str,
    errors: Sequence[RowError] = (),
) -> ImportReport:
    """Keep each object as the customer with its ``key``; ``objects`` are told apart by number.

    The report's lines are these numbers.  A customer who is known by address alone gets the key.  A
    wrong object is left out and named, beside the ``errors`` that were found before; the rest goes
    in, in one transaction.
    """
    wrong = [
        *errors,
        *(
            RowError(number, "", shown(one), "This is not an object")
            for number, one in objects.items()
            if not isinstance(one, Mapping)
        ),
    ]
    rows = [
        CustomerRow(number, {**_BLANKS, **one})
        for number, one in objects.items()
        if isinstance(one, Mapping)
    ]
    intake = Intake(
        current_session(), rows, wrong, [], lambda _done, _total: None, cells=_JsonCells
    )
    with writing() as session:
        keep_others_out(session)
        intake.take(session, intake.parsed)
        intake.write(session)
        report = intake.report()
        _record(session, actor, intake, report, source)
    return report


def find_customer(session: Session, key: str) -> Customer | None:
    """The customer with that key; None too for a key that no customer could have."""
    if clean_line(key) != key:
        return None
    chosen = select(Customer).where(Customer.key == key).options(selectinload(Customer.components))
    return session.scalars(chosen).one_or_none()


def as_objects(session: Session, customers: Sequence[Customer]) -> list[dict[str, Any]]:
    """Customers as the objects that :func:`put_customers` takes."""
    labels = component_labels(session)
    return [
        {
            "key": one.key,
            "email": one.email,
            "name": one.name,
            "company": one.company,
            "components": sorted(labels[link.component_id] for link in one.components),
            "tags": one.tags.split("; ") if one.tags else [],
            "language": one.language,
            "time_zone": one.time_zone,
            "contractual": one.contractual,
        }
        for one in customers
    ]


class _JsonCells(Cells):
    """Reads the values of an object: each of its own type, then as in a file."""

    def cell(self, name: str, cell: Any) -> Any:
        """The value of a field; :class:`Invalid` where it cannot have it."""
        if name not in COLUMNS:
            raise Invalid(name, "This field is not known")
        if name == "contractual":
            if not isinstance(cell, bool):
                raise Invalid(name, "Write true or false")
            return cell
        if name in {"components", "tags"}:
            return self._list(name, cell)
        if cell is not None and not isinstance(cell, str):
            raise Invalid(name, "Write a text in quotation marks")
        value = self.value(name, cell or "")
        if name == "key" and value is None:
            raise Invalid(name, "Name the customer by a key")
        return value

    def _list(self, name: str, items: Any) -> Any:
        if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
            raise Invalid(name, "Write a list of texts in quotation marks")
        if name == "components":
            return frozenset[int]().union(*map(self.component, items))
        if any(";" in item for item in items):
            raise Invalid(name, "A tag cannot hold a semicolon")
        return self.value(name, ";".join(items))


def _record(
    session: Session, actor: Actor, intake: Intake, report: ImportReport, source: str
) -> None:
    """What changed, for the audit trail; a call that changed nothing leaves no entry."""
    changes = intake.changes()
    if len(changes) == 1:
        [(address, before, after)] = changes
        audit.record(
            session, actor, "customer.save", subject_kind="customer", subject=address,
            before=before, after=after,
        )  # fmt: skip
    elif changes:
        audit.record(
            session, actor, "customers.import", subject_kind="customers", subject=source,
            after={"added": report.added, "updated": report.updated,
                   "unchanged": report.unchanged, "refused": report.refused},
        )  # fmt: skip
