"""An incident as it was published elsewhere, read and checked, before anything is written."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from html.parser import HTMLParser
from typing import Any

from statuspage.core import clock
from statuspage.core.enums import (
    CLOSED,
    ComponentStatus,
    Impact,
    IncidentStatus,
    Kind,
    MaintenanceStatus,
    Term,
)
from statuspage.core.richtext import clean, clean_line
from statuspage.models.columns import TITLE_LIMIT

# Elsewhere a text may be longer than what people may type here; there is an end all the same.
BODY_END = 100_000
CLOCK_TOLERANCE = timedelta(minutes=10)

UPDATE = "update"
"""An update that changes nothing: it has the status of the one before it."""

FELT_AS: Mapping[Impact, ComponentStatus] = {
    Impact.NONE: ComponentStatus.OPERATIONAL,
    Impact.MAINTENANCE: ComponentStatus.UNDER_MAINTENANCE,
    Impact.MINOR: ComponentStatus.DEGRADED_PERFORMANCE,
    Impact.MAJOR: ComponentStatus.PARTIAL_OUTAGE,
    Impact.CRITICAL: ComponentStatus.MAJOR_OUTAGE,
}
"""The state of an incident's components while it is open, where only its impact was published."""


@dataclass(frozen=True, slots=True)
class ImportProblem:
    """What is wrong, or worth knowing, and where: ``line 12``, ``incident 5jfkz8q1mlql``."""

    where: str
    reason: str

    def __str__(self) -> str:
        return f"{self.where}: {self.reason}"


class UnusableHistory(Exception):
    """What cannot be imported, every problem named; nothing was written."""

    def __init__(self, problems: Sequence[ImportProblem]) -> None:
        super().__init__("; ".join(map(str, problems)))
        self.problems = tuple(problems)


class Wrong(ValueError):
    """One incident cannot be taken as it is; the text is the reason."""


@dataclass(frozen=True, slots=True)
class Effect:
    """What an update did to a component, which is known by its code, or by its name alone."""

    name: str
    old_status: ComponentStatus
    new_status: ComponentStatus
    code: str | None = None


@dataclass(frozen=True, slots=True)
class PublishedUpdate:
    """One update: ``at`` is the time it is about, ``posted_at`` when it was published.

    ``edited_at`` is when it was corrected, None where it was not or nobody says.
    """

    at: datetime
    posted_at: datetime
    status: str
    body: str
    code: str | None = None
    effects: tuple[Effect, ...] = ()
    edited_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class PublishedIncident:
    """A checked incident; its updates are in order, and the last one that sets a status settles it.

    ``origin`` and ``code`` are who it is: the host that published it, and its code there.
    ``created_at`` is when it was first published, where that is not its first update's time.
    ``severity`` is the rank and name of the level that it had here, where it had one.
    """

    where: str
    origin: str
    code: str
    kind: Kind
    title: str
    impact: Impact
    status: str
    started_at: datetime
    updates: tuple[PublishedUpdate, ...]
    entry_id: str | None = None
    monitoring_at: datetime | None = None
    resolved_at: datetime | None = None
    scheduled_for: datetime | None = None
    scheduled_until: datetime | None = None
    cancelled_at: datetime | None = None
    created_at: datetime | None = None
    severity: tuple[int, str] | None = None


def read_time(value: Any, field: str) -> datetime:
    """An ISO 8601 time with its offset, not in the future; else :class:`Wrong`.

    A clock a little ahead of ours is taken for now.
    """
    moment, now = read_any_time(value, field), clock.now()
    if moment > now + CLOCK_TOLERANCE:
        raise Wrong(f"{field} lies in the future: {value}")
    return min(moment, now)


def read_any_time(value: Any, field: str) -> datetime:
    """An ISO 8601 time with its offset; else :class:`Wrong`."""
    try:
        return clock.as_utc(datetime.fromisoformat(value))
    except (TypeError, ValueError, OverflowError):
        raise Wrong(f"{field} is no time with a zone: {value!r}") from None


def read_title(value: Any, notes: list[str]) -> str:
    """A title of one line, cut where it is too long; :class:`Wrong` where there is none."""
    title = clean_line(value) if isinstance(value, str) else ""
    if not title:
        raise Wrong("it has no title")
    if len(title) <= TITLE_LIMIT:
        return title
    notes.append(f"the title has {len(title)} characters and was cut at {TITLE_LIMIT}")
    return title[: TITLE_LIMIT - 1].rstrip() + "…"


def read_body(value: Any) -> str:
    """An update's text as Markdown; :class:`Wrong` where it is no text or has no end."""
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Wrong(f"a text is not a text: {str(value)[:40]!r}")
    body = clean(to_markdown(value))
    if len(body) > BODY_END:
        raise Wrong(f"a text has {len(body):,} characters; {BODY_END:,} are the end")
    return body


def read_impact(value: Any) -> Impact:
    """An impact; none where it is absent; :class:`Wrong` where there is no such word."""
    try:
        return Impact(str(value or "none").lower())
    except ValueError:
        raise Wrong(f"impact {value!r} is not known") from None


def read_kind(impact: Impact, statuses: Iterable[str]) -> Kind:
    """What an incident is: a maintenance by its impact, or by the steps that it takes."""
    planned = {word.value for word in MaintenanceStatus}
    if impact is Impact.MAINTENANCE or any(status in planned for status in statuses):
        return Kind.MAINTENANCE
    return Kind.INCIDENT


def read_status(value: Any) -> str:
    """A status as it is written here: ``In progress`` is ``in_progress``."""
    return re.sub(r"[\s-]+", "_", str(value or "").strip().lower())


def settle_updates(
    updates: Sequence[PublishedUpdate], *, kind: Kind, notes: list[str]
) -> tuple[PublishedUpdate, ...]:
    """The updates in order of time, each with its status; :class:`Wrong` for an unknown one.

    Newest first is a way to publish, and is turned round; any other disorder is noted.
    """
    if not updates:
        raise Wrong("it has no updates")
    sequence = list(updates)
    if sequence[0].at > sequence[-1].at:
        sequence.reverse()
    ordered = sorted(sequence, key=lambda update: update.at)
    if ordered != sequence:
        notes.append("its updates were out of order and were put in order of time")
    words: type[Term] = IncidentStatus if kind is Kind.INCIDENT else MaintenanceStatus
    known = {word.value for word in words}
    status = next(iter(words)).value
    settled = []
    for update in ordered:
        if update.status != UPDATE and update.status not in known:
            raise Wrong(f"status {update.status!r} is no step of {_named(kind)}")
        status = status if update.status == UPDATE else update.status
        settled.append(replace(update, status=status))
    if ordered[0].status == UPDATE:
        notes.append(f"its first update names no status; it counts as {settled[0].status}")
    return tuple(settled)


def derive_effects(
    updates: Sequence[PublishedUpdate], *, impact: Impact, names: Sequence[tuple[str, str | None]]
) -> tuple[PublishedUpdate, ...]:
    """Updates with what they did to the components, where only names and codes were published.

    From the first open step to the last a component is in the state that the impact means
    (:data:`FELT_AS`); a maintenance that is only scheduled changes nothing yet.
    """
    idle = CLOSED | {MaintenanceStatus.SCHEDULED.value}
    before = ComponentStatus.OPERATIONAL
    sequence = []
    for update in updates:
        after = ComponentStatus.OPERATIONAL if update.status in idle else FELT_AS[impact]
        effects = tuple(Effect(name, before, after, code) for name, code in names)
        sequence.append(replace(update, effects=effects))
        before = after
    return tuple(sequence)


def ended_at(updates: Sequence[PublishedUpdate]) -> datetime | None:
    """When the last resolution or completion was published; None while an incident is open."""
    if updates[-1].status not in CLOSED:
        return None
    end = updates[-1].at
    for update in reversed(updates):
        if update.status not in CLOSED:
            break
        end = update.at
    return end


def watched_from(updates: Sequence[PublishedUpdate]) -> datetime | None:
    """When a fix was last said to be watched."""
    first = None
    for before, update in zip((None, *updates), updates, strict=False):
        is_new = before is None or before.status != update.status
        if is_new and update.status == IncidentStatus.MONITORING:
            first = update.at
    return first


def _named(kind: Kind) -> str:
    return "an incident" if kind is Kind.INCIDENT else "a maintenance"


_MARKUP = re.compile(
    r"</?(?:a|b|br|code|div|em|h[1-6]|i|li|ol|p|small|span|strong|u|ul|var)\b[^<>]*>", re.I
)


def to_markdown(text: str) -> str:
    """``text`` with the few HTML tags that updates elsewhere are written with as Markdown.

    A text without them is left as it is: ``<1% of users`` is no tag.
    """
    if _MARKUP.search(text) is None:
        return text
    writer = _MarkdownWriter()
    writer.feed(text)
    writer.close()
    return re.sub(r"\n{3,}", "\n\n", "".join(writer.out)).strip()


class _MarkdownWriter(HTMLParser):
    """Writes what it reads; tags that it does not know stay text."""

    _BLOCKS = frozenset({"p", "div", "ul", "ol", "h1", "h2", "h3", "h4", "h5", "h6"})
    _MARKS: Mapping[str, str] = {
        "b": "**", "strong": "**", "i": "*", "em": "*", "code": "`",
    }  # fmt: skip
    _SILENT = frozenset({"small", "span", "u", "var"})

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.out: list[str] = []
        self._targets: list[str | None] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A tag opens."""
        if tag == "a":
            self._targets.append(dict(attrs).get("href"))
            self.out.append("[" if self._targets[-1] else "")
            return
        self.out.append(self._mark(tag, opens=True))

    def handle_endtag(self, tag: str) -> None:
        """A tag closes."""
        if tag == "a" and self._targets:
            target = self._targets.pop()
            self.out.append(f"]({target})" if target else "")
            return
        self.out.append(self._mark(tag, opens=False))

    def handle_data(self, data: str) -> None:
        """Text between tags."""
        self.out.append(data)

    def _mark(self, tag: str, *, opens: bool) -> str:
        if tag in self._MARKS:
            return self._MARKS[tag]
        if tag in self._BLOCKS:
            return "\n\n"
        if tag == "br":
            return "\n" if opens else ""
        if tag == "li":
            return "\n- " if opens else ""
        if tag in self._SILENT or tag == "a":
            return ""
        return (self.get_starttag_text() or "") if opens else f"</{tag}>"
