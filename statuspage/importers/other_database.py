"""The SQLite database of another product, opened to be read alone."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from statuspage.configuration.incident_templates import TemplateDetails
from statuspage.core.richtext import clean, clean_line
from statuspage.importers.published import ImportProblem, UnusableHistory
from statuspage.importers.statuspage_page import FetchedDocument
from statuspage.models.columns import TITLE_LIMIT
from statuspage.recipients.customer_csv_rows import CustomerRow

Row = Mapping[str, Any]


@dataclass(slots=True)
class OtherPage:
    """A page of another product: what it published, in Statuspage's JSON, and who subscribed.

    ``notes`` say what stays behind, and why.  The line of a subscriber is their number there.
    ``templates`` are by what each is known by there.
    """

    documents: Sequence[FetchedDocument]
    subscribers: Sequence[CustomerRow] = ()
    templates: Mapping[str, TemplateDetails] = field(default_factory=dict)
    notes: list[ImportProblem] = field(default_factory=list)


class OtherDatabase:
    """Tables of an open database, as rows by name; a column that it lacks is not in a row."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def rows(self, statement: str, *values: object) -> list[Row]:
        """What a statement finds."""
        return [dict(row) for row in self._connection.execute(statement, values)]

    def has_table(self, name: str) -> bool:
        """Whether there is a table of that name."""
        return bool(
            self.rows("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", name)
        )


@contextmanager
def open_database(file: Path, *, product: str, tables: Collection[str]) -> Iterator[OtherDatabase]:
    """The database in a file, to be read alone; :class:`UnusableHistory` for another product's."""
    try:
        # What the product has not yet moved out of its journal is read too.
        address = f"{file.absolute().as_uri()}?mode=ro"
        with closing(sqlite3.connect(address, uri=True)) as connection:
            connection.row_factory = sqlite3.Row
            database = OtherDatabase(connection)
            missing = [name for name in tables if not database.has_table(name)]
            if missing:
                reason = f"is no database of {product}: it has no table {missing[0]}"
                raise UnusableHistory([ImportProblem(str(file), reason)])
            yield database
    except sqlite3.Error as error:
        reason = f"cannot be read as a database of {product}: {error}"
        raise UnusableHistory([ImportProblem(str(file), reason)]) from None


def template(
    label: str, title: str, body: str, *, components: Iterable[str] = ()
) -> TemplateDetails:
    """A template of another product: its text is what users notice."""
    return TemplateDetails(
        label=clean_line(label)[:TITLE_LIMIT],
        title=clean_line(title or label)[:TITLE_LIMIT],
        users_notice=clean(body),
        components="\n".join(map(clean_line, components)),
    )


def page_document(
    source: str,
    *,
    page: Row,
    components: Sequence[Row],
    incidents: Sequence[Row],
    maintenances: Sequence[Row] = (),
) -> FetchedDocument:
    """A page as Statuspage publishes it."""
    content = {
        "page": page,
        "components": components,
        "incidents": incidents,
        "scheduled_maintenances": maintenances,
    }
    return FetchedDocument(source, json.dumps(content).encode())


def utc_moment(value: Any) -> str | None:
    """A moment as databases keep it, without a zone and in UTC, in ISO 8601; None for none."""
    if not value:
        return None
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        # The importer names what it cannot read, with its place.
        return str(value)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).isoformat()
