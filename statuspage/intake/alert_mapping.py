"""Reading what a tool sends: a mapping says where in its JSON the parts of an alert stand.

A path is names and places, as in ``data.event.tags[0]``, from the alert on, or with ``$.`` from the
whole request; ``a | b`` is the first of them that has a value.  The mappings that are shipped stand
in ``mappings.toml``.  Nothing that a tool sends is taken for more than text and times.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import orjson

from statuspage.core import clock
from statuspage.core.errors import Invalid
from statuspage.core.richtext import clean, clean_line
from statuspage.models.columns import LINE_LIMIT, TITLE_LIMIT

MOST_ALERTS: Final = 1_000
"""So many alerts of one request are read."""
MOST_LABELS: Final = 40
MOST_TEXT: Final = 4_000
NAME_LENGTH, VALUE_LENGTH = 100, 200

_STEP: Final = re.compile(r"([^.\[\]]+)|\[(\d{1,4})\]")
_PATH: Final = re.compile(r"(\$\.)?[^.\[\]|]+(\[\d{1,4}\])*(\.[^.\[\]|]+(\[\d{1,4}\])*)*")
# Whoever sends a moment before this means none: Go writes year 1 for “not yet”.
_OLDEST: Final = datetime(2000, 1, 1, tzinfo=UTC)
_MILLISECONDS: Final = 10_000_000_000


@dataclass(frozen=True, slots=True)
class AlertMapping:
    """Where the parts of an alert stand in what a tool sends; each is a path, or empty.

    ``alerts`` is the list of alerts; where there is none, the request is one alert.  A ``state``
    among the words of ``resolved`` ends it; with words in ``only`` all others are left out.
    ``labels`` is an object, a list of pairs, or ``name:value`` with commas; ``label_fields`` adds
    lines ``name = path``.
    """

    alerts: str = ""
    fingerprint: str = ""
    group: str = ""
    title: str = ""
    text: str = ""
    url: str = ""
    state: str = ""
    resolved: str = "resolved"
    only: str = ""
    started: str = ""
    ended: str = ""
    labels: str = ""
    label_fields: str = ""


@dataclass(frozen=True, slots=True)
class IncomingAlert:
    """An alert as a tool sends it; ``group`` and ``fingerprint`` are digests."""

    fingerprint: str
    group: str
    title: str
    fires: bool
    started_at: datetime
    ended_at: datetime | None
    text: str
    url: str
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool whose requests can be read: its name, and how."""

    name: str
    mapping: AlertMapping


def _read_tools() -> dict[str, Tool]:
    text = Path(__file__).with_name("mappings.toml").read_text(encoding="utf-8")
    return {
        key: Tool(values.pop("name"), AlertMapping(**values))
        for key, values in tomllib.loads(text).items()
    }


TOOLS: Final = _read_tools()
"""The tools by the last part of their address, ``/hooks/<tool>``."""
GENERIC: Final = "generic"
PEOPLE: Final = "people"
"""Colleagues, who report by a form; what one of them reports is never taken back by another."""
PROVIDERS: Final = "providers"
"""Status pages of providers, which this service reads by itself."""

_PATHS: Final = tuple(
    part.name
    for part in fields(AlertMapping)
    if part.name not in {"resolved", "only", "label_fields"}
)


def check_mapping(mapping: AlertMapping) -> None:
    """Raise :class:`Invalid` for the first field that is no path."""
    for name in _PATHS:
        if bad := _bad_path(getattr(mapping, name)):
            raise Invalid(name, f"“{bad}” isn’t a path such as data.items[0].title")
    if not mapping.title:
        raise Invalid("title", "Enter the path of the title")
    for line in _lines(mapping.label_fields):
        name, _, path = line.partition("=")
        if not name.strip() or not path.strip() or _bad_path(path):
            raise Invalid("label_fields", f"“{line}” isn’t a line such as service = data.service")


def parse(body: bytes) -> Any:
    """The JSON of a request; :class:`ValueError` for what is none."""
    return orjson.loads(body)


def read_alerts(mapping: AlertMapping, sent: Any) -> tuple[list[IncomingAlert], int]:
    """The alerts of a request, and how many were left out.

    Those are the ones without a title, in a state that does not count, and past the bound.
    """
    paths = mapping.alerts.split("|") if mapping.alerts else ()
    found = (_at(sent, sent, path.strip()) for path in paths) if paths else (sent,)
    several = next((one for one in found if isinstance(one, list)), [sent])
    read = [_read_alert(mapping, one, sent) for one in several[:MOST_ALERTS]]
    alerts = [one for one in read if one is not None]
    return alerts, len(several) - len(alerts)


def _read_alert(mapping: AlertMapping, item: Any, whole: Any) -> IncomingAlert | None:
    def line(path: str, limit: int = LINE_LIMIT) -> str:
        return clean_line(_as_text(_first(item, whole, path)))[:limit]

    title, state = line(mapping.title, TITLE_LIMIT), line(mapping.state).casefold()
    if not title or (mapping.only and state not in _words(mapping.only)):
        return None
    labels = _labels(mapping, item, whole)
    known_by = line(mapping.fingerprint)
    fingerprint = _digest(known_by or f"{title} {sorted(labels.items())}")
    group = line(mapping.group, MOST_TEXT)
    moment = clock.now()
    started = _as_moment(_first(item, whole, mapping.started)) or moment
    fires = state not in _words(mapping.resolved)
    ended = _as_moment(_first(item, whole, mapping.ended)) or moment
    text = clean(_as_text(_first(item, whole, mapping.text)))[:MOST_TEXT]
    return IncomingAlert(
        fingerprint=fingerprint,
        group=_digest(group) if group else fingerprint,
        title=title,
        fires=fires,
        # A clock that is ahead would begin an incident in the future.
        started_at=min(started, moment),
        ended_at=None if fires else min(ended, moment),
        text=text,
        url=_as_link(line(mapping.url)),
        labels=labels,
    )


def _first(item: Any, whole: Any, path: str) -> Any:
    """The value at the first of the alternatives that has one."""
    for one in path.split("|"):
        found = _at(item, whole, one.strip())
        if found not in (None, "", [], {}):
            return found
    return None


def _at(item: Any, whole: Any, path: str) -> Any:
    if not path:
        return None
    found = whole if path.startswith("$.") else item
    for name, place in _STEP.findall(path.removeprefix("$.")):
        if name and isinstance(found, dict):
            found = found.get(name)
        elif place and isinstance(found, list) and int(place) < len(found):
            found = found[int(place)]
        else:
            return None
    return found


def _labels(mapping: AlertMapping, item: Any, whole: Any) -> dict[str, str]:
    pairs = [*_pairs(_first(item, whole, mapping.labels) if mapping.labels else None)]
    for line in _lines(mapping.label_fields):
        name, _, path = line.partition("=")
        pairs.append((name, _first(item, whole, path)))
    labels: dict[str, str] = {}
    for name, value in pairs:
        key = clean_line(_as_text(name))[:NAME_LENGTH]
        text = clean_line(_as_text(value))[:VALUE_LENGTH]
        if key and text and (key in labels or len(labels) < MOST_LABELS):
            labels[key] = text
    return labels


def _pairs(found: Any) -> Iterator[tuple[Any, Any]]:
    """Names and values of an object, of a list of pairs or objects, or of ``name:value, …``."""
    if isinstance(found, dict):
        yield from found.items()
        return
    several = found.split(",") if isinstance(found, str) else found
    for one in several if isinstance(several, list) else ():
        if isinstance(one, str):
            name, _, value = one.partition(":")
            yield name, value or "yes"
        elif isinstance(one, dict) and "name" in one:
            yield one["name"], one.get("value") or "yes"
        elif isinstance(one, list) and len(one) == 2:
            yield one[0], one[1]


def _as_text(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return "" if value is None else str(value).lower()
    if isinstance(value, str | int | float):
        return str(value)[: 4 * MOST_TEXT]
    return ""


def _as_link(text: str) -> str:
    return text if text.startswith(("https://", "http://")) else ""


def _as_moment(value: Any) -> datetime | None:
    """A moment in ISO 8601, or in seconds or milliseconds of Unix; UTC where it names no zone."""
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            seconds = value / 1000 if value > _MILLISECONDS else value
            found = datetime.fromtimestamp(seconds, UTC)
        elif isinstance(value, str):
            found = datetime.fromisoformat(value.strip())
            found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
        else:
            return None
    except (ValueError, OverflowError, OSError):
        return None
    return found if _OLDEST < found < clock.now() + timedelta(days=3650) else None


def _words(text: str) -> Sequence[str]:
    return [word.strip().casefold() for word in text.split(",") if word.strip()]


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _bad_path(path: str) -> str:
    """The first alternative that is no path; empty where all are, or there is none."""
    parts = [part.strip() for part in path.split("|")] if path.strip() else []
    return next((part or path for part in parts if not _PATH.fullmatch(part)), "")


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()
