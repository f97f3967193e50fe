"""What an edition was made of, kept so that what it has not ready can be made without the database.

A copy on disk holds the views beside the ready documents: they are a hundredth of the pages that
can be made of them in all languages.  They are read back only where every class in them still has
the fields that it had, and nothing but these classes is ever made of what a file says.
"""

from __future__ import annotations

import copyreg
import io
import logging
import pickle
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import date, datetime, timedelta, timezone
from functools import lru_cache
from hashlib import blake2b
from operator import attrgetter
from typing import Any

from statuspage.core.enums import ComponentStatus, Impact, IncidentStatus, Kind, MaintenanceStatus
from statuspage.core.links import Links
from statuspage.public import snapshot, uptime
from statuspage.public.metric_views import MetricView
from statuspage.public.snapshot import (
    ComponentPageView,
    ComponentView,
    IncidentView,
    MonthView,
    Snapshot,
)

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
    content = io.BytesIO()
    _Freezing(content, protocol=5).dump(views)
    return _SHAPE + content.getvalue()


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


class _Freezing(pickle.Pickler):
    """Writes each view as its constructor's arguments: ``__getstate__`` costs four times that.

    Incidents and components are bytes of their own in it, kept from one time to the next: a post
    changes few of them.
    """

    def __init__(self, file: io.BytesIO, *, protocol: int) -> None:
        super().__init__(file, protocol=protocol)
        self.dispatch_table = _REDUCERS


class _FreezingPart(pickle.Pickler):
    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file, protocol=5)
        self.dispatch_table = _REDUCERS_OF_PARTS


@lru_cache(maxsize=16_384)
def _freeze_part(view: ComponentView | IncidentView) -> bytes:
    content = io.BytesIO()
    _FreezingPart(content).dump(view)
    return content.getvalue()


def _thaw_part(content: bytes) -> Any:
    return _Thawing(io.BytesIO(content)).load()


def _reduce_to_part(
    view: ComponentView | IncidentView,
) -> tuple[Callable[[bytes], Any], tuple[bytes]]:
    return _thaw_part, (_freeze_part(view),)


class _Thawing(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == (__name__, _thaw_part.__name__):
            return _thaw_part
        try:
            return _KINDS[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"{module}.{name} is no view") from None


def _kinds() -> Iterator[type]:
    yield from (date, datetime, timedelta, timezone)
    yield from (ComponentStatus, Impact, IncidentStatus, Kind, MaintenanceStatus)
    yield from (Links, Views, MetricView, uptime.Day, uptime.Uptime)
    for each in vars(snapshot).values():
        if is_dataclass(each) and isinstance(each, type) and each.__module__ == snapshot.__name__:
            yield each


def _describe(kind: type) -> tuple[Any, ...]:
    shape = [(each.name, each.type) for each in fields(kind)] if is_dataclass(kind) else []
    return kind.__module__, kind.__qualname__, shape


def _reducer(kind: type) -> Callable[[Any], tuple[type, tuple[Any, ...]]]:
    names = [each.name for each in fields(kind) if each.init]
    if len(names) == 1:
        return lambda view: (kind, (getattr(view, names[0]),))
    values = attrgetter(*names)
    return lambda view: (kind, values(view))


_KINDS = {(kind.__module__, kind.__qualname__): kind for kind in _kinds()}
# Plain dictionaries: they are asked for every object, times among them.
_REDUCERS_OF_PARTS = copyreg.dispatch_table | {
    kind: _reducer(kind) for kind in _KINDS.values() if is_dataclass(kind)
}
_REDUCERS = _REDUCERS_OF_PARTS | {
    ComponentView: _reduce_to_part,
    IncidentView: _reduce_to_part,
}
_SHAPE = blake2b(repr([_describe(kind) for kind in _KINDS.values()]).encode()).digest()
