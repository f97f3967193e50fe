"""What an edition was made of, kept so that what it has not ready can be made without the database.

A copy on disk holds the views beside the ready documents: they are a hundredth of the pages that
can be made of them in all languages.  They are read back only where every class in them still has
the fields that it had, and nothing but these classes is ever made of what a file says.
"""

from __future__ import annotations

import io
import logging
import pickle
from collections.abc import Iterator
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import date, datetime, timedelta, timezone
from hashlib import blake2b
from typing import Any

from statuspage.core.enums import ComponentStatus, Impact, IncidentStatus, Kind, MaintenanceStatus
from statuspage.core.links import Links
from statuspage.public import snapshot, uptime
from statuspage.public.snapshot import ComponentPageView, MonthView, Snapshot

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Views:
    """All that an edition knows.

    ``components`` are their own pages' views, which join one by one after the edition is shown;
    their incidents have all their posts.
    """

    snapshot: Snapshot
    months: tuple[MonthView, ...]
    links: Links
    last_modified: datetime
    components: list[ComponentPageView] = field(default_factory=list)


def freeze(views: Views) -> bytes:
    """The views as bytes, for :func:`thaw` of the same release."""
    return _SHAPE + pickle.dumps(views, protocol=5)


def thaw(content: bytes) -> Views | None:
    """What was frozen; None, with the reason logged, where it was by another release."""
    if not content.startswith(_SHAPE):
        log.info("the copy's views are of another release: only its ready documents are shown")
        return None
    try:
        views = _Thawing(io.BytesIO(content[len(_SHAPE) :])).load()
    except Exception as error:
        # Whatever is wrong with them: the ready documents beside them are good.
        log.warning("the copy's views cannot be used: %s", error)
        return None
    return views if isinstance(views, Views) else None


class _Thawing(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        try:
            return _KINDS[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"{module}.{name} is no view") from None


def _kinds() -> Iterator[type]:
    yield from (date, datetime, timedelta, timezone)
    yield from (ComponentStatus, Impact, IncidentStatus, Kind, MaintenanceStatus)
    yield from (Links, Views, uptime.Day, uptime.Uptime)
    for each in vars(snapshot).values():
        if is_dataclass(each) and isinstance(each, type) and each.__module__ == snapshot.__name__:
            yield each


def _describe(kind: type) -> tuple[Any, ...]:
    shape = [(each.name, each.type) for each in fields(kind)] if is_dataclass(kind) else []
    return kind.__module__, kind.__qualname__, shape


_KINDS = {(kind.__module__, kind.__qualname__): kind for kind in _kinds()}
_SHAPE = blake2b(repr([_describe(kind) for kind in _KINDS.values()]).encode()).digest()
