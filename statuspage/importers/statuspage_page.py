"""Moving here from a Statuspage page, with its own public documents.

Read are ``summary.json``, ``components.json``, ``incidents.json`` and
``scheduled-maintenances.json`` (https://metastatuspage.com/api has their shape) and
``history.atom`` for the entries' ids; any of them may be missing.  Codes, entry ids, times, groups
and texts are kept, so that no bookmark, feed reader or script notices the move.  Pages of other
makers that publish the same JSON have ids of other shapes, such as ULIDs: each gets a code here
that is always the same for it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from http.client import HTTPException, IncompleteRead
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import Request, urlopen
from xml.etree import ElementTree

from sqlalchemy import select
from sqlalchemy.orm import Session

from statuspage.access.audit import Actor
from statuspage.access.permissions import Permission, needs
from statuspage.configuration.editing import first_settings
from statuspage.core import clock
from statuspage.core.db import current_session
from statuspage.core.enums import ComponentStatus, Impact, Kind
from statuspage.core.richtext import clean_line
from statuspage.importers.endings import PlannedWindow, begins_at, settle_end, settle_window
from statuspage.importers.published import (
    Effect,
    ImportProblem,
    PublishedIncident,
    PublishedUpdate,
    UnusableHistory,
    Wrong,
    derive_effects,
    read_any_time,
    read_body,
    read_impact,
    read_kind,
    read_status,
    read_time,
    read_title,
    settle_updates,
    watched_from,
)
from statuspage.importers.store import (
    IncidentImportReport,
    Progress,
    foretell_incidents,
    is_code,
    named_code,
    store_incidents,
)
from statuspage.models import (
    Component,
    ComponentChange,
    ComponentGroup,
    IncidentComponent,
    IncidentUpdate,
    Page,
)
from statuspage.models.columns import TITLE_LIMIT

ADDRESSES = (
    "/api/v2/summary.json",
    "/api/v2/incidents.json",
    "/api/v2/scheduled-maintenances.json",
    "/history.atom",
)
NAMES = (
    "summary.json", "components.json", "incidents.json", "scheduled-maintenances.json",
    "scheduled_maintenances.json", "history.atom",
)  # fmt: skip
MOST_BYTES = 50_000_000
TIMEOUT_SECONDS = 20
# An update that was never touched again may carry the moments before and after it was stored.
_ONE_WRITE = timedelta(seconds=2)
_ATOM = "{http://www.w3.org/2005/Atom}"


@dataclass(frozen=True, slots=True)
class FetchedDocument:
    """One public document: where it came from, and its bytes."""

    name: str
    data: bytes


@dataclass(slots=True)
class _Published:
    """What the documents say together, each thing by its code; the newest word counts."""

    page: Mapping[str, Any] = field(default_factory=dict)
    parts: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    incidents: dict[str, tuple[str, Mapping[str, Any]]] = field(default_factory=dict)
    entry_ids: dict[str, str] = field(default_factory=dict)
    lists_parts: bool = False


def read_documents(paths: Iterable[Path]) -> list[FetchedDocument]:
    """The documents in files and folders; a folder's by their usual names.

    Raises :class:`UnusableHistory` for a file that cannot be read and a folder that has none of
    them.
    """
    documents = []
    for path in paths:
        files = [path]
        if path.is_dir():
            files = [path / name for name in NAMES if (path / name).is_file()]
            if not files:
                raise UnusableHistory(
                    [ImportProblem(str(path), f"holds none of {', '.join(NAMES)}")]
                )
        for file in files:
            try:
                documents.append(FetchedDocument(str(file), file.read_bytes()))
            except OSError as error:
                raise UnusableHistory(
                    [ImportProblem(str(file), f"cannot be read: {error.strerror}")]
                ) from None
    return documents


def fetch_documents(url: str) -> list[FetchedDocument]:
    """The documents of the page at ``url``, each within 20 seconds; :class:`UnusableHistory` if
    not.
    """
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise UnusableHistory([ImportProblem(url, f"is no address: {error}")]) from None
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise UnusableHistory([ImportProblem(url, "is no http or https address")])
    base = f"{parts.scheme}://{parts.netloc}"
    return [FetchedDocument(base + path, _fetch(base + path)) for path in ADDRESSES]


def _fetch(url: str) -> bytes:
    # A time-out of sockets counts each read: a server that trickles would never meet it.
    ends_at = time.monotonic() + TIMEOUT_SECONDS
    data = bytearray()
    try:
        request = Request(url, headers={"User-Agent": "statuspage import"})
        with urlopen(request, timeout=TIMEOUT_SECONDS) as answer:
            while block := answer.read1(65536):
                data += block
                if len(data) > MOST_BYTES:
                    raise UnusableHistory(
                        [ImportProblem(url, f"is larger than {MOST_BYTES:,} bytes")]
                    )
                if time.monotonic() > ends_at:
                    raise TimeoutError(f"it took longer than {TIMEOUT_SECONDS} seconds")
            if answer.length:
                raise IncompleteRead(b"", answer.length)
    except (HTTPException, OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        raise UnusableHistory([ImportProblem(url, f"cannot be fetched: {reason}")]) from None
    return bytes(data)


@needs(Permission.IMPORT)
def import_page(
    documents: Sequence[FetchedDocument],
    *,
    actor: Actor,
    source: str = "",
    skip_bad: bool = False,
    preview: bool = False,
    progress: Progress | None = None,
) -> IncidentImportReport:
    """Take over components, groups and incidents, all of them or nothing; no one is emailed.

    The page takes the code that it had there, and its name and zone if it was not set up here yet.
    Raises :class:`UnusableHistory` with every problem named.  With ``skip_bad`` the components and
    incidents that cannot be taken are left out instead and named in the report; a document that is
    cut or is not a page's is never taken.  What an update says of no component that is known is
    always left out, and noted.  ``preview`` says what would come, and changes nothing.
    """
    published = _read_all(documents)
    origin = urlsplit(str(published.page.get("url") or "")).hostname
    if origin is None:
        raise UnusableHistory([ImportProblem(documents[0].name, "the page does not say its url")])
    notes: list[ImportProblem] = []
    problems: list[ImportProblem] = []
    incidents = []
    for where, row in published.incidents.values():
        reasons: list[str] = []
        try:
            incidents.append(_read_incident(where, row, origin, published, reasons))
        except Wrong as wrong:
            problems.append(ImportProblem(where, str(wrong)))
        notes.extend(ImportProblem(where, reason) for reason in reasons)
    parts = _read_parts(published, origin, problems)
    if problems and not skip_bad:
        raise UnusableHistory(problems)
    incidents.sort(key=lambda incident: incident.started_at)
    taking = _Taking(parts)
    if preview:
        report = foretell_incidents(incidents, notes=notes)
        added = taking.count_new(current_session())
        return replace(report, components_added=added, skipped=tuple(problems))
    report = store_incidents(
        incidents,
        actor=actor,
        source=source or origin,
        notes=notes,
        progress=progress,
        prepare=lambda session: taking.prepare(session, published.page),
        finish=taking.finish,
    )
    return replace(report, skipped=tuple(problems))


def _read_all(documents: Sequence[FetchedDocument]) -> _Published:
    published = _Published()
    problems: list[ImportProblem] = []
    for document in documents:
        try:
            if document.data.lstrip()[:1] == b"<":
                published.entry_ids |= _read_feed(document.data)
            else:
                _read_json(document, published)
        except Wrong as wrong:
            problems.append(ImportProblem(document.name, str(wrong)))
    if not published.page and not problems:
        problems.append(ImportProblem("documents", "none of them is a Statuspage page's JSON"))
    if problems:
        raise UnusableHistory(problems)
    return published


def _read_json(document: FetchedDocument, published: _Published) -> None:
    try:
        content = json.loads(document.data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise Wrong(f"byte {error.start + 1} is not UTF-8") from None
    except json.JSONDecodeError as error:
        ends = error.msg.startswith("Unterminated") or error.pos >= len(error.doc.rstrip()) - 1
        cut = "; the file is cut there" if ends else ""
        where = f"line {error.lineno} column {error.colno}"
        what = error.msg.removesuffix(" starting at")
        raise Wrong(f"this is not JSON, {where}: {what}{cut}") from None
    except RecursionError:
        raise Wrong("this is not JSON that a page publishes: it is nested too deeply") from None
    if not isinstance(content, dict) or not isinstance(content.get("page"), dict):
        raise Wrong("this is no public document of a Statuspage page: it names no page")
    before, page = published.page.get("id"), content["page"].get("id")
    if before is not None and before != page:
        raise Wrong(f"this is another page, {page}, than the documents before it, {before}")
    published.page = content["page"]
    for part in _rows(content, "components"):
        published.lists_parts = True
        published.parts[str(part.get("id"))] = part
    for name in ("incidents", "scheduled_maintenances"):
        for incident in _rows(content, name):
            code = str(incident.get("id"))
            known = published.incidents.get(code)
            if known is None or str(known[1].get("updated_at")) <= str(incident.get("updated_at")):
                kind = "maintenance" if name == "scheduled_maintenances" else "incident"
                published.incidents[code] = (f"{document.name}, {kind} {code}", incident)


def _rows(content: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    rows = content.get(name) or []
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise Wrong(f"its {name} are no list of objects")
    return rows


def _read_feed(data: bytes) -> dict[str, str]:
    """The id of each entry, by the code that its link ends in."""
    # Entities and document types are no part of a feed, and the way to blow one up.
    if b"<!DOCTYPE" in data:
        raise Wrong("this is no feed: it declares a document type")
    try:
        feed = ElementTree.fromstring(data)
    except ElementTree.ParseError as error:
        raise Wrong(f"this is not XML: {error}") from None
    ids = {}
    for entry in feed.iter(f"{_ATOM}entry"):
        entry_id = clean_line(entry.findtext(f"{_ATOM}id") or "")
        for link in entry.iter(f"{_ATOM}link"):
            code = urlsplit(link.get("href", "")).path.rstrip("/").rpartition("/")[2]
            if entry_id and len(entry_id) <= 500 and code:
                ids[code] = entry_id
    return ids


def _read_id(value: Any, what: str) -> str:
    is_number = isinstance(value, int) and not isinstance(value, bool)
    own = clean_line(str(value)) if is_number or isinstance(value, str) else ""
    if not own or len(own) > TITLE_LIMIT:
        raise Wrong(f"{what} has no id: {str(value)[:40]!r}")
    return own


def _read_code(value: Any, what: str, origin: str) -> str:
    """The code that something had there; one made from its id where that is of another shape."""
    own = _read_id(value, what)
    return own if is_code(own) else named_code(origin, own)


def _read_incident(
    where: str,
    row: Mapping[str, Any],
    origin: str,
    published: _Published,
    notes: list[str],
) -> PublishedIncident:
    code = _read_id(row.get("id"), "it")
    title = read_title(row.get("name"), notes)
    impact = read_impact(row.get("impact"))
    updates = [
        _read_update(update, origin, notes) for update in reversed(_rows(row, "incident_updates"))
    ]
    kind = read_kind(impact, (published.status for published in updates))
    settled = settle_updates(updates, kind=kind, notes=notes)
    if not any(published.effects for published in settled):
        names = [
            (_read_name(part), _read_code(part.get("id"), "a component", origin))
            for part in _rows(row, "components")
        ]
        settled = derive_effects(settled, impact=impact, names=names)
    window = _read_window(row, kind, notes)
    ending = settle_end(
        settled,
        kind=kind,
        status=read_status(row.get("status")),
        resolved_at=_read_moment(row, "resolved_at"),
        window=window,
        notes=notes,
    )
    started_at = _read_moment(row, "started_at")
    return PublishedIncident(
        where=where,
        origin=origin,
        code=code,
        kind=kind,
        title=title,
        impact=Impact.MAINTENANCE if kind is Kind.MAINTENANCE else impact,
        status=ending.status,
        started_at=begins_at(started_at, settled, ending.resolved_at, notes),
        updates=settled,
        entry_id=published.entry_ids.get(code),
        monitoring_at=_read_moment(row, "monitoring_at") or watched_from(settled),
        resolved_at=ending.resolved_at,
        scheduled_for=window.begins,
        scheduled_until=window.ends,
        cancelled_at=ending.cancelled_at,
        created_at=_read_moment(row, "created_at"),
    )


def _read_moment(row: Mapping[str, Any], name: str) -> datetime | None:
    return read_time(row[name], name) if row.get(name) else None


def _read_window(row: Mapping[str, Any], kind: Kind, notes: list[str]) -> PlannedWindow:
    if kind is Kind.INCIDENT:
        return PlannedWindow()
    begins, ends = (
        read_any_time(row[name], name) if row.get(name) else None
        for name in ("scheduled_for", "scheduled_until")
    )
    return settle_window(begins, ends, notes)


def _read_update(update: Mapping[str, Any], origin: str, notes: list[str]) -> PublishedUpdate:
    code = _read_code(update.get("id"), "an update", origin)
    told_at = update.get("display_at") or update.get("created_at")
    at = read_time(told_at, f"the time of update {code}")
    posted_at = read_time(update.get("created_at") or told_at, f"the time of update {code}")
    edited_at = _read_moment(update, "updated_at")
    return PublishedUpdate(
        at=at,
        posted_at=posted_at,
        edited_at=edited_at if edited_at and edited_at - posted_at > _ONE_WRITE else None,
        status=read_status(update.get("status")),
        body=read_body(update.get("body")),
        code=code,
        effects=tuple(_read_effects(update, code, origin, notes)),
    )


def _read_effects(
    update: Mapping[str, Any], code: str, origin: str, notes: list[str]
) -> Iterator[Effect]:
    """What an update did to components; what cannot be read of that costs neither it nor its
    incident.

    Statuspage wrote ``No components were affected by this update.`` as a component for years.
    """
    rows = update.get("affected_components") or []
    for part in rows if isinstance(rows, list) else [rows]:
        try:
            if not isinstance(part, dict):
                raise Wrong(f"{str(part)[:40]!r} is no component")
            yield Effect(
                name=_read_name(part),
                old_status=_read_state(part.get("old_status")),
                new_status=_read_state(part.get("new_status")),
                code=_read_code(part.get("code"), "a component", origin),
            )
        except Wrong as wrong:
            notes.append(f"update {code} says nothing of a component: {wrong}")


def _read_name(part: Mapping[str, Any]) -> str:
    name = clean_line(str(part.get("name") or ""))
    if not name or len(name) > TITLE_LIMIT:
        raise Wrong(f"a component's name is empty or too long: {name[:40]!r}")
    return name


def _read_state(value: Any) -> ComponentStatus:
    try:
        return ComponentStatus(value)
    except ValueError:
        raise Wrong(f"component state {value!r} is not known") from None


@dataclass(frozen=True, slots=True)
class _Part:
    """A component or a group as it was published."""

    code: str
    name: str
    description: str
    position: int
    status: ComponentStatus
    is_group: bool
    group_code: str | None
    only_show_if_degraded: bool
    created_at: datetime
    updated_at: datetime


def _read_parts(published: _Published, origin: str, problems: list[ImportProblem]) -> list[_Part]:
    parts: list[_Part] = []
    for code, row in published.parts.items():
        try:
            parts.append(_read_part(row, origin))
        except Wrong as wrong:
            problems.append(ImportProblem(f"component {code}", str(wrong)))
    groups = {part.code for part in parts if part.is_group}
    for place, part in enumerate(parts):
        if part.group_code is not None and part.group_code not in groups:
            problems.append(
                ImportProblem(f"component {part.code}", f"its group {part.group_code} is not there")
            )
            parts[place] = replace(part, group_code=None)
    return sorted(parts, key=lambda part: (part.position, part.code))


def _read_part(row: Mapping[str, Any], origin: str) -> _Part:
    created_at = _read_moment(row, "created_at") or clock.now()
    position, group = row.get("position"), row.get("group_id")
    return _Part(
        code=_read_code(row.get("id"), "it", origin),
        name=_read_name(row),
        description=clean_line(str(row.get("description") or ""))[:500],
        position=position if isinstance(position, int) else 0,
        status=_read_state(row.get("status")),
        is_group=row.get("group") is True,
        group_code=_read_code(group, "its group", origin) if group else None,
        only_show_if_degraded=row.get("only_show_if_degraded") is True,
        created_at=created_at,
        updated_at=_read_moment(row, "updated_at") or created_at,
    )


class _Taking:
    """Taking over the components and groups, around the incidents about them."""

    def __init__(self, parts: Sequence[_Part]) -> None:
        self._groups = [part for part in parts if part.is_group]
        self._parts = [part for part in parts if not part.is_group]

    def prepare(self, session: Session, page: Mapping[str, Any]) -> int:
        """Make groups and components as they were published; how many components are new."""
        own = session.scalars(select(Page).order_by(Page.id).limit(1)).one_or_none()
        if own is not None and is_code(str(page.get("id"))):
            own.code = str(page["id"])
        if own is not None and own.set_up_at is None:
            _set_up(own, page)
        groups = {part.code: _take_group(session, part).id for part in self._groups}
        published = [part.code for part in self._parts]
        return sum(
            _take_component(session, part, groups.get(part.group_code or ""), published)
            for part in self._parts
        )

    def count_new(self, session: Session) -> int:
        """How many components are not here yet, by their code or their name."""
        here = {
            value
            for row in session.execute(
                select(Component.code, Component.name).where(Component.removed_at.is_(None))
            )
            for value in row
        }
        return sum(not here & {part.code, part.name} for part in self._parts)

    def finish(self, session: Session) -> None:
        """Show each component as the summary has it: it may say more than the incidents."""
        for part in self._parts:
            component = session.scalars(select(Component).filter_by(code=part.code)).one()
            last = session.scalar(
                select(ComponentChange.status)
                .where(ComponentChange.component_id == component.id)
                .order_by(ComponentChange.at.desc(), ComponentChange.id.desc())
                .limit(1)
            )
            component.status = part.status
            if last is not part.status:
                session.add(
                    ComponentChange(component_id=component.id, at=clock.now(), status=part.status)
                )


def _set_up(own: Page, page: Mapping[str, Any]) -> None:
    """Spare a page that is new its first steps: it is called, and counts days, as it did there."""
    name = clean_line(str(page.get("name") or ""))[:TITLE_LIMIT] or own.name
    zone = str(page.get("time_zone")).removeprefix("Etc/")
    settings = first_settings(name, time_zone=zone if zone in clock.zone_names() else own.time_zone)
    for field_name, value in asdict(settings).items():
        setattr(own, field_name, value)
    own.set_up_at = own.updated_at = clock.now()


def _take_group(session: Session, part: _Part) -> ComponentGroup:
    group = session.scalars(select(ComponentGroup).filter_by(code=part.code)).one_or_none()
    if group is None:
        same = select(ComponentGroup).filter_by(name=part.name).order_by(ComponentGroup.id)
        group = session.scalars(same.limit(1)).one_or_none()
    if group is None:
        group = ComponentGroup(position=part.position, created_at=part.created_at)
        session.add(group)
    group.code, group.name, group.description = part.code, part.name, part.description
    group.updated_at = part.updated_at
    session.flush()
    return group


def _take_component(
    session: Session, part: _Part, group_id: int | None, published: Collection[str]
) -> bool:
    """Make or bring up to date one component; whether it is new.

    One of the same name that was made here before becomes it.
    """
    component = session.scalars(select(Component).filter_by(code=part.code)).one_or_none()
    if component is None:
        same = select(Component).where(
            Component.name == part.name,
            Component.removed_at.is_(None),
            Component.code.not_in(published),
        )
        component = session.scalars(same.order_by(Component.id).limit(1)).one_or_none()
        if component is not None:
            _recode(session, component, part.code)
    is_new = component is None
    if component is None:
        component = Component(code=part.code, position=part.position, created_at=part.created_at)
        session.add(component)
    component.name, component.description = part.name, part.description
    component.group_id, component.removed_at = group_id, None
    component.only_show_if_degraded = part.only_show_if_degraded
    component.updated_at = part.updated_at
    session.flush()
    if is_new:
        operational = ComponentStatus.OPERATIONAL
        session.add(
            ComponentChange(component_id=component.id, at=part.created_at, status=operational)
        )
    return is_new


def _recode(session: Session, component: Component, code: str) -> None:
    """Give a component another code, in the updates that name it too."""
    updates = session.scalars(
        select(IncidentUpdate)
        .join(IncidentComponent, IncidentComponent.incident_id == IncidentUpdate.incident_id)
        .where(IncidentComponent.component_id == component.id)
    )
    for update in updates:
        update.affected = [
            {**effect, "code": code} if effect["code"] == component.code else effect
            for effect in update.affected
        ]
    component.code = code
