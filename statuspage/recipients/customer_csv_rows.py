"""What a customers' CSV file says, row by row, before anything is done about it."""

from __future__ import annotations

import codecs
import csv
import json
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from io import StringIO
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from statuspage.core.errors import Invalid
from statuspage.models import Component, ComponentGroup
from statuspage.recipients.customers import (
    KEY_LIMIT,
    check_email,
    check_language,
    check_line,
    check_tags,
    check_zone,
)

COLUMNS = (
    "email", "name", "company", "components", "language", "time_zone", "key", "contractual",
    "tags",
)  # fmt: skip
_ALIASES = {
    **dict.fromkeys(
        ("e_mail", "mail", "email_address", "e_mail_address", "mail_address", "emailaddress"),
        "email",
    ),
    **dict.fromkeys(("full_name", "fullname", "display_name"), "name"),
    **dict.fromkeys(("firstname", "given_name", "forename"), "first_name"),
    **dict.fromkeys(("lastname", "surname", "family_name"), "last_name"),
    **dict.fromkeys(("company_name", "organization", "organisation"), "company"),
    **dict.fromkeys(("timezone", "tz"), "time_zone"),
    **dict.fromkeys(("locale", "lang"), "language"),
}
# Together they are the name, where there is no column for that.
_NAME_PARTS = ("first_name", "last_name")
_BROKEN = re.compile("[\udc80-\udcff\ufffd]")
# A cell that starts like this is a formula to a spreadsheet.  Written, it gets an apostrophe in
# front; read, it loses one.
_FORMULA = re.compile("'*[=+\\-@\t\r\uff1d\uff0b\uff0d\uff20]")
# What spreadsheets make of a long number, and write where a formula failed or a column is narrow.
_ROUNDED = re.compile(r"\d([.,]\d+)?E\+\d+", re.IGNORECASE)
_FAILED = re.compile(r"#(N/A|NV|[A-Z][A-Z/0-9]*[!?])|#{3,}")
_DIGITS_KEPT = 15
# Excel's own first line, which says what parts the cells.
_SEP = re.compile(r'"?sep=(.)"?\r?\n', re.IGNORECASE)
# How the files begin that spreadsheets keep for themselves: .xlsx and .ods, and .xls.
_SPREADSHEETS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
_NO_TEXT = "This is a spreadsheet's own file; save it as CSV (UTF-8), and choose that one"
_YES, _NO = {"yes", "true", "1"}, {"", "no", "false", "0"}


@dataclass(frozen=True, slots=True)
class RowError:
    """A row that was left out: its line (the first is 1), the field, its value, and why.

    A ``conflict`` is with what is known already: the row itself could be taken.
    """

    line: int
    field: str
    value: str
    reason: str
    conflict: bool = False

    def __str__(self) -> str:
        subject = f"{self.field} {self.value!r}: " if self.field else ""
        return f"line {self.line}: {subject}{self.reason}"


@dataclass(frozen=True, slots=True)
class RowNote:
    """Something about a line that a person should know; it went in."""

    line: int
    reason: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.reason}"


@dataclass(frozen=True, slots=True)
class CustomerRow:
    """A row under the header: the line it starts on, and its cells by column."""

    line: int
    cells: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Header:
    """The columns that a file may have; ``renamed`` are those of one file by their names there."""

    columns: Sequence[str] = COLUMNS
    renamed: Mapping[str, str] = field(default_factory=dict)

    def column(self, cell: str) -> str:
        """The column that a cell of the first line names, known or not."""
        name = fold_column(cell)
        return self.renamed.get(name) or _ALIASES.get(name, name)

    def known(self, columns: Collection[str] = ()) -> set[str]:
        """The columns that are read of a file that has ``columns``."""
        has_name = "name" in columns or "name" not in self.columns
        return {*self.columns, *(() if has_name else _NAME_PARTS)}


CUSTOMERS = Header()


def read_rows(
    data: bytes | str, header: Header = CUSTOMERS
) -> tuple[list[CustomerRow], list[RowError], list[RowNote]]:
    """The rows under the header, and what is wrong with the others."""
    errors: list[RowError] = []
    notes: list[RowNote] = []
    rows: list[CustomerRow] = []
    if isinstance(data, bytes) and data.startswith(_SPREADSHEETS):
        return [], [RowError(1, "", "", _NO_TEXT)], notes
    text, delimiter, skipped = _read_delimiter(_decode(data), header)
    lines = _read_lines(text, errors, delimiter=delimiter, skipped=skipped)
    first, named = next(lines, (1, []))
    columns = _read_header(named, header, line=first, errors=errors, notes=notes)
    if not columns:
        return [], errors, notes
    needed = columns.index("email") + 1
    for line, cells in lines:
        if not any(cell.strip() for cell in cells):
            continue
        # What is missing at the end is left alone, as a column that is not there.
        if len(cells) < needed or any(cell.strip() for cell in cells[len(columns) :]):
            fields = "1 field" if len(cells) == 1 else f"{len(cells)} fields"
            reason = f"It has {fields}, the header has {len(columns)}"
            errors.append(RowError(line, "", "", reason))
            continue
        found = zip(columns, cells, strict=False)
        rows.append(CustomerRow(line, _with_name({name: cell for name, cell in found if name})))
    return rows, errors, notes


def _with_name(cells: dict[str, str]) -> dict[str, str]:
    parts = [cells.pop(part).strip() for part in _NAME_PARTS if part in cells]
    return cells | {"name": " ".join(filter(None, parts))} if parts else cells


def _decode(data: bytes | str) -> str:
    """The text of a file; bytes that are none stay as half characters, to be named by line."""
    if isinstance(data, str):
        return data.removeprefix("\ufeff")
    if data.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return data.decode("utf-32", errors="replace")
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", errors="replace")
    if b"\0" in data[:2]:
        return data.decode("utf-16-be" if data[0] == 0 else "utf-16-le", errors="replace")
    return data.decode("utf-8", errors="surrogateescape").removeprefix("\ufeff")


def _read_lines(
    text: str, errors: list[RowError], *, delimiter: str, skipped: int
) -> Iterator[tuple[int, list[str]]]:
    """Each record with the line that it starts on; ``skipped`` lines stood before ``text``."""
    read: list[str] = []

    def lines() -> Iterator[str]:
        for line in StringIO(text, newline=""):
            read.append(line)
            yield line

    reader = csv.reader(lines(), delimiter=delimiter, skipinitialspace=True, strict=True)
    while True:
        line = skipped + reader.line_num + 1
        read.clear()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            padded = _read_padded("".join(read), delimiter)
            if padded is None:
                errors.append(RowError(line, "", "", _why_no_csv(error)))
                continue
            cells = padded
        if cells:
            yield line, cells


def _read_padded(line: str, delimiter: str) -> list[str] | None:
    """The cells of a line that has blanks after its quotation marks; None where that is not all."""
    trimmed = re.sub(rf'"[ ]+(?={re.escape(delimiter)}|\r?\n|\Z)', '"', line)
    try:
        [cells] = csv.reader([trimmed], delimiter=delimiter, skipinitialspace=True, strict=True)
    except (csv.Error, ValueError):
        return None
    return cells


def _why_no_csv(error: csv.Error) -> str:
    if "unexpected end" in str(error):
        return "A quotation mark opens here and never closes; nothing after it was read"
    if "field limit" in str(error):
        return f"A field has more than {csv.field_size_limit():,} characters"
    return f"This is not CSV: {error}"


def _read_delimiter(text: str, header: Header) -> tuple[str, str, int]:
    """The text under Excel's ``sep=`` line, what parts its cells, and how many lines that took.

    Without such a line it is the delimiter that finds the most known columns in the first.
    """
    if said := _SEP.match(text):
        return text[said.end() :], said[1], 1
    first = text.lstrip("\r\n").split("\n", 1)[0]

    def known(delimiter: str) -> int:
        names = header.known()
        return sum(header.column(cell.strip(' "')) in names for cell in first.split(delimiter))

    return text, max((",", ";", "\t"), key=known), 0


def fold_column(cell: str) -> str:
    """A column's name as it is compared: without case, blanks and hyphens."""
    return re.sub(r"[\s-]+", "_", cell.strip().casefold())


def _read_header(
    cells: Sequence[str],
    header: Header,
    *,
    line: int,
    errors: list[RowError],
    notes: list[RowNote],
) -> list[str]:
    """The column of each cell, empty for an unknown one; nothing where the header is no use."""
    columns = [header.column(cell) for cell in cells]
    known = header.known(columns)
    twice = {name for name in columns if name in known and columns.count(name) > 1}
    if "email" not in columns:
        wanted = ",".join(header.columns)
        reason = f"The first line must name the columns, email among them: {wanted}."
        errors.append(RowError(line, "header", shown(",".join(cells)), reason))
        return []
    if twice:
        reason = "This column is there twice"
        errors.append(RowError(line, "header", ", ".join(sorted(twice)), reason))
        return []
    for name, cell in zip(columns, cells, strict=True):
        if name not in known and cell.strip():
            notes.append(RowNote(line, f"The column {shown(cell)!r} is not known: left out"))
    return [name if name in known else "" for name in columns]


def shown(cell: Any) -> str:
    """A cell for people: what is not UTF-8 as Latin-1 has it, which it mostly is."""
    if not isinstance(cell, str):
        return json.dumps(cell, ensure_ascii=False)[:200]
    if _BROKEN.search(cell) is None:
        return cell[:200]
    return cell.encode("utf-8", errors="surrogateescape").decode("latin-1")[:200]


class Cells:
    """Reads cells; what many rows repeat is read once."""

    def __init__(self, components: Mapping[str, set[int]], language: str) -> None:
        self._language = language
        self._names = components
        self._components = lru_cache(1024)(
            lambda text: frozenset(_find_components(text, components))
        )

    def cell(self, name: str, cell: Any) -> Any:
        """The value of a cell; :class:`Invalid` where the column cannot have it."""
        if not cell.isascii() and _BROKEN.search(cell):
            raise Invalid(name, "This is not UTF-8; save the file as UTF-8")
        if _FAILED.fullmatch(cell.strip()):
            raise Invalid(name, "This is what a spreadsheet writes where it has no value to show")
        if name == "key" and _ROUNDED.fullmatch(cell.strip()):
            raise Invalid(name, "A spreadsheet rounded this number; format the column as text")
        text = cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell
        return self.value(name, text)

    def value(self, name: str, text: str) -> Any:
        """The value that ``text`` means; :class:`Invalid` as :meth:`cell` has it."""
        match name:
            case "email":
                return check_email(text)
            case "key":
                return check_line(name, text, limit=KEY_LIMIT) or None
            case "components":
                return self._components(text)
            case "language":
                return check_language(text) if text.strip() else self._language
            case "time_zone":
                return check_zone(text)
            case "tags":
                return check_tags(text)
            case "contractual":
                return _read_flag(name, text)
        return check_line(name, text)

    def component(self, name: str) -> set[int]:
        """The component of that name, with or without its group, or of that code."""
        return _find_component(name, self._names)


def _read_flag(name: str, text: str) -> bool:
    word = text.strip().casefold()
    if word not in _YES | _NO:
        raise Invalid(name, "Write yes or no")
    return word in _YES


def has_lost_digits(key: str) -> bool:
    """Whether a key looks like a number of which a spreadsheet kept the first digits alone."""
    lost = len(key) - _DIGITS_KEPT
    return lost > 0 and key.isdecimal() and key.endswith("0" * lost)


def guard(cell: str) -> str:
    """``cell`` so that no spreadsheet runs it as a formula."""
    return f"'{cell}" if _FORMULA.match(cell) else cell


def csv_lines(rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Each row as a line of CSV (RFC 4180), none of whose cells a spreadsheet runs.

    Every cell is quoted: where a spreadsheet parts cells at semicolons, one within a cell would
    begin another, and that a formula.
    """
    line = StringIO(newline="")
    writer = csv.writer(line, quoting=csv.QUOTE_ALL)
    for row in rows:
        line.seek(0)
        line.truncate()
        writer.writerow([guard(cell) for cell in row])
        yield line.getvalue()


def _folded(name: str) -> str:
    return re.sub(r"\s*/\s*", "/", " ".join(name.casefold().split()))


def _find_components(text: str, components: Mapping[str, set[int]]) -> Iterator[int]:
    for name in filter(None, (part.strip() for part in text.split(";"))):
        yield from _find_component(name, components)


def _find_component(name: str, components: Mapping[str, set[int]]) -> set[int]:
    found = components.get(_folded(name), set())
    if not found:
        raise Invalid("components", f"There is no component {name!r}")
    if len(found) > 1:
        raise Invalid("components", f"{len(found)} components are called {name!r}; name the group")
    return found


def component_names(session: Session) -> dict[str, set[int]]:
    """The components that a name may mean: their names, with and without group, and codes.

    Removed ones are known by code alone: customers still have them, and new ones need not.
    """
    names: dict[str, set[int]] = defaultdict(set)
    for row in _components(session):
        names[_folded(row.code)].add(row.id)
        if row.removed_at is None:
            names[_folded(row.name)].add(row.id)
        if row.removed_at is None and row.group:
            names[_folded(f"{row.group} / {row.name}")].add(row.id)
    return names


def component_labels(session: Session) -> dict[int, str]:
    """For each component the shortest name that means it alone."""
    names = component_names(session)

    def label(row: Any) -> str:
        for name in (row.name, f"{row.group} / {row.name}"):
            if ";" not in name and names.get(_folded(name)) == {row.id}:
                return str(name)
        return str(row.code)

    return {row.id: label(row) for row in _components(session)}


def _components(session: Session) -> Sequence[Any]:
    return session.execute(
        select(
            Component.id,
            Component.code,
            Component.name,
            Component.removed_at,
            ComponentGroup.name.label("group"),
        ).outerjoin(ComponentGroup, Component.group_id == ComponentGroup.id)
    ).all()
