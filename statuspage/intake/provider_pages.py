"""Status pages of providers: a component here may follow one of theirs.

Read is the public JSON that Statuspage serves and others copy, ``/api/v2/summary.json``
(https://developer.statuspage.io/), every minute and only where it has changed.  A component of
theirs that has trouble is an alert of one built-in source, and so becomes a suggestion; nothing is
published by it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from datetime import timedelta
from hashlib import sha256
from typing import Any, Final
from urllib.parse import urlsplit

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session, joinedload

from statuspage.access import alarms, audit
from statuspage.access.audit import Actor
from statuspage.access.permissions import Permission, needs
from statuspage.core import clock
from statuspage.core.db import current_session, writing
from statuspage.core.enums import ComponentStatus
from statuspage.core.errors import Invalid
from statuspage.core.fetching import Fetched, FetchFailed, fetch_public
from statuspage.core.richtext import clean, clean_line
from statuspage.intake.alert_mapping import MOST_TEXT, PROVIDERS, IncomingAlert
from statuspage.intake.alert_sources import as_actor, built_in_source
from statuspage.intake.suggestions import TooManyRequests, take_alerts
from statuspage.models import Component, FollowedComponent, ProviderPage
from statuspage.models.columns import LINE_LIMIT, TITLE_LIMIT

SOURCE_NAME: Final = "Provider pages"
ALARM: Final = "provider-page"
MOST_PAGES: Final = 50
MOST_COMPONENTS: Final = 1_000
SILENT_FOR: Final = timedelta(hours=1)
"""A page that cannot be read for so long raises an alarm."""
ALL_SECONDS: Final = 40
_SECONDS: Final = 8
_AT_ONCE: Final = 8
_MOST_BYTES: Final = 4 * 1024 * 1024
_FINE: Final = frozenset({ComponentStatus.OPERATIONAL, ComponentStatus.UNDER_MAINTENANCE})


@dataclass(frozen=True, slots=True)
class TheirComponent:
    """A component of a provider's page: ``trouble`` says what they write of it, if anything."""

    code: str
    name: str
    status: ComponentStatus
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Summary:
    """What a provider's page says now."""

    name: str
    components: Sequence[TheirComponent]


def read_url(text: str) -> str:
    """The address of a page as it is kept, without its path; raises :class:`Invalid`."""
    typed = text.strip()
    parts = urlsplit(typed if "://" in typed else f"https://{typed}")
    if parts.scheme not in {"https", "http"} or not parts.hostname or "@" in parts.netloc:
        raise Invalid("url", "Enter the address of a status page, like https://status.example.com")
    return f"{parts.scheme}://{parts.netloc.lower()}"[:LINE_LIMIT]


def look(url: str) -> Summary:
    """What the page at an address says now; raises :class:`Invalid` where it cannot be read."""
    try:
        answer = _ask(url, {})
        return _read_summary(answer)
    except FetchFailed as error:
        raise Invalid("url", f"This page can’t be read: {error}") from None


def followed(session: Session, component_id: int) -> FollowedComponent | None:
    """What a component follows."""
    chosen = select(FollowedComponent).filter_by(component_id=component_id)
    return session.scalars(chosen.options(joinedload(FollowedComponent.page))).one_or_none()


def components_of(page: ProviderPage) -> list[TheirComponent]:
    """The components of a page, as it was last read."""
    return [
        TheirComponent(**{**one, "status": ComponentStatus(one["status"])})
        for one in page.components
    ]


@needs(Permission.COMPONENTS)
def follow(component_id: int, url: str, code: str, summary: Summary, *, actor: Actor) -> None:
    """Have a component follow one of theirs, as ``summary`` was just read; or :class:`Invalid`."""
    theirs = next((one for one in summary.components if one.code == code), None)
    if theirs is None:
        raise Invalid("code", "Choose one of their components")
    with writing() as session:
        component = session.get_one(Component, component_id, with_for_update=True)
        ended = _end(session, component_id)
        page = _page(session, url)
        _keep(page, summary)
        row = FollowedComponent(component_id=component_id, page=page, code=code)
        row.told = ComponentStatus.OPERATIONAL
        session.add(row)
        session.flush()
        _forget_unfollowed(session)
        audit.record(
            session, actor, "provider.follow", subject_kind="component", subject=component.name,
            after={"page": url, "component": theirs.name},
        )  # fmt: skip
    _send(ended)


@needs(Permission.COMPONENTS)
def unfollow(component_id: int, *, actor: Actor) -> None:
    """Have a component follow nothing; what it was told ends, and what was suggested stays."""
    with writing() as session:
        if followed(session, component_id) is None:
            return
        ended = _end(session, component_id)
        _forget_unfollowed(session)
        component = session.get_one(Component, component_id)
        audit.record(
            session, actor, "provider.unfollow", subject_kind="component", subject=component.name
        )
    _send(ended)


def read_due() -> int:
    """Read every page that is followed; how many suggestions were told anew.  The worker's duty."""
    session = current_session()
    pages = {
        row.id: (row.url, {"If-None-Match": row.etag, "If-Modified-Since": row.modified})
        for row in session.execute(
            select(ProviderPage.id, ProviderPage.url, ProviderPage.etag, ProviderPage.modified)
        )
    }
    session.rollback()
    if not pages:
        return 0
    found = _ask_all(pages)
    with writing() as session:
        for page in session.scalars(select(ProviderPage).where(ProviderPage.id.in_(pages))):
            _take_in(page, found[page.id])
        _watch(session)
    return _tell()


def _ask(url: str, validators: Mapping[str, str]) -> Fetched:
    headers = {name: value for name, value in validators.items() if value}
    return fetch_public(
        f"{url}/api/v2/summary.json",
        headers={**headers, "Accept": "application/json", "User-Agent": "statuspage"},
        seconds=_SECONDS,
        most_bytes=_MOST_BYTES,
    )


def _ask_all(pages: Mapping[int, tuple[str, Mapping[str, str]]]) -> dict[int, Fetched | str]:
    """The answer of each page, or why there is none; never longer than :data:`ALL_SECONDS`."""
    threads = ThreadPoolExecutor(_AT_ONCE)
    running = {key: threads.submit(_try, *asked) for key, asked in pages.items()}
    wait(running.values(), timeout=ALL_SECONDS)
    threads.shutdown(wait=False, cancel_futures=True)
    late = "no answer in time"
    return {key: each.result() if each.done() else late for key, each in running.items()}


def _try(url: str, validators: Mapping[str, str]) -> Fetched | str:
    try:
        return _ask(url, validators)
    except FetchFailed as error:
        return str(error)


def _take_in(page: ProviderPage, answer: Fetched | str) -> None:
    try:
        if isinstance(answer, str):
            raise FetchFailed(answer)
        if answer.status != 304:
            _keep(page, _read_summary(answer))
            page.etag = answer.headers.get("ETag", "")[:LINE_LIMIT]
            page.modified = answer.headers.get("Last-Modified", "")[:LINE_LIMIT]
        page.read_at, page.failure = clock.now(), ""
    except FetchFailed as error:
        page.failure = str(error)[:LINE_LIMIT]


def _read_summary(answer: Fetched) -> Summary:
    if answer.status != 200:
        raise FetchFailed(f"it answers {answer.status}")
    try:
        said = json.loads(answer.body)
        troubles = _troubles(said.get("incidents") or [])
        components = [
            _read_component(row, troubles)
            for row in said["components"][:MOST_COMPONENTS]
            if not row.get("group")
        ]
        name = clean_line(str(said["page"]["name"]))[:TITLE_LIMIT]
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError):
        raise FetchFailed("it is no page that speaks Statuspage’s JSON") from None
    return Summary(name, components)


def _read_component(row: Mapping[str, Any], troubles: Mapping[str, str]) -> TheirComponent:
    code = clean_line(str(row["id"]))[:64]
    try:
        status = ComponentStatus(row["status"])
    except ValueError:
        # A state that this service does not know is trouble, of which nothing more is said.
        status = ComponentStatus.DEGRADED_PERFORMANCE
    name = clean_line(str(row["name"]))[:TITLE_LIMIT]
    return TheirComponent(code, name, status, troubles.get(code, ""))


def _troubles(incidents: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """What open incidents of theirs say, by the codes of the components that they name."""
    found: dict[str, str] = {}
    for incident in incidents[:20]:
        updates = incident.get("incident_updates") or [{}]
        words = [clean_line(str(incident["name"])), clean(str(updates[0].get("body") or ""))]
        text = "\n\n".join(filter(None, words))[:500]
        for row in incident.get("components") or ():
            found.setdefault(str(row["id"]), text)
    return found


def _keep(page: ProviderPage, summary: Summary) -> None:
    page.name, page.read_at, page.failure = summary.name, clock.now(), ""
    page.components = [
        {"code": one.code, "name": one.name, "status": one.status.value, "trouble": one.trouble}
        for one in summary.components
    ]


def _page(session: Session, url: str) -> ProviderPage:
    chosen = select(ProviderPage).filter_by(url=url)
    page = session.scalars(chosen).one_or_none()
    if page is not None:
        return page
    if (session.scalar(select(func.count(ProviderPage.id))) or 0) >= MOST_PAGES:
        raise Invalid("url", f"Follow at most {MOST_PAGES} pages")
    page = ProviderPage(url=url)
    session.add(page)
    return page


def _end(session: Session, component_id: int) -> list[IncomingAlert]:
    """End what a component follows; the alert that this resolves, if any."""
    row = followed(session, component_id)
    if row is None:
        return []
    alert = _alert(row, replace(_theirs(row), status=ComponentStatus.OPERATIONAL))
    session.delete(row)
    session.flush()
    return [alert] if row.told not in _FINE else []


def _forget_unfollowed(session: Session) -> None:
    kept = select(FollowedComponent.page_id)
    session.execute(delete(ProviderPage).where(ProviderPage.id.not_in(kept)))


def _watch(session: Session) -> None:
    """Say which pages have been silent for long."""
    before = clock.now() - SILENT_FOR
    chosen = select(ProviderPage).where(ProviderPage.failure != "", ProviderPage.read_at < before)
    silent = session.scalars(chosen.order_by(ProviderPage.url)).all()
    if not silent:
        alarms.clear_alarm(session, ALARM)
        return
    said = "; ".join(f"{page.url}: {page.failure}" for page in silent)
    alarms.raise_alarm(
        session, ALARM, f"Components follow pages that can’t be read for an hour. {said}"[:2_000]
    )


def _tell() -> int:
    """Have what changed at a provider become alerts; how many."""
    rows = current_session().scalars(
        select(FollowedComponent).options(
            joinedload(FollowedComponent.page), joinedload(FollowedComponent.component)
        )
    )
    due: dict[int, tuple[ComponentStatus, IncomingAlert]] = {}
    for row in rows.all():
        theirs = _theirs(row)
        if theirs.status is not row.told:
            due[row.component_id] = theirs.status, _alert(row, theirs)
    if not _send([alert for _, alert in due.values()]):
        return 0
    # A process that ends between the two tells the same once more, which changes nothing.
    with writing() as session:
        for component_id, (status, _) in due.items():
            kept = followed(session, component_id)
            if kept is not None:
                kept.told = status
    return len(due)


def _theirs(row: FollowedComponent) -> TheirComponent:
    """What a component follows, as its page was last read; fine where either of the two is gone."""
    found = next((one for one in components_of(row.page) if one.code == row.code), None)
    if found is None or row.component.removed_at is not None:
        return TheirComponent(row.code, found.name if found else "", ComponentStatus.OPERATIONAL)
    return found


def _send(alerts: Sequence[IncomingAlert]) -> bool:
    """Have alerts make suggestions; whether there were any, and not too many."""
    if not alerts:
        return False
    source = built_in_source(PROVIDERS, SOURCE_NAME)
    try:
        take_alerts(source.id, alerts, actor=as_actor(source, address=""))
    except TooManyRequests:
        return False
    return True


def _alert(row: FollowedComponent, theirs: TheirComponent) -> IncomingAlert:
    page, moment = row.page, clock.now()
    known_by = sha256(f"{page.url} {row.code} {row.component_id}".encode()).hexdigest()
    fires = theirs.status not in _FINE
    labels = {
        "component": row.component.code,
        "provider": page.name,
        "provider component": theirs.name,
        "status": theirs.status.value,
    }
    return IncomingAlert(
        fingerprint=known_by,
        group=known_by,
        title=f"{page.name}: {theirs.name}: {theirs.status.label}"[:TITLE_LIMIT],
        fires=fires,
        started_at=moment,
        ended_at=None if fires else moment,
        text=theirs.trouble[:MOST_TEXT],
        url=page.url,
        labels={name: value[:200] for name, value in labels.items()},
    )
