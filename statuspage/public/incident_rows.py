"""Rows of incidents and their updates, as the database has them, into views."""

from __future__ import annotations

import json
from datetime import datetime
from functools import lru_cache
from operator import itemgetter
from typing import Any

from statuspage.core.enums import CLOSED, ComponentStatus, Impact, Kind, status_of
from statuspage.public.page_rows import read_moment
from statuspage.public.snapshot import (
    Affected,
    ComponentView,
    EarlierText,
    IncidentView,
    UpdateView,
)


def moment_or_none(value: str | datetime | None) -> datetime | None:
    """A time as it comes, where there is one."""
    return None if value is None else read_moment(value)


@lru_cache(maxsize=8192)
def incident_view(
    columns: tuple[Any, ...],
    updates: str,
    components: tuple[ComponentView, ...],
    *,
    is_overdue: bool,
    begun_at: str | datetime | None,
) -> IncidentView:
    """The view of an incident's columns, as `statements.INCIDENTS` names them, and of its updates.

    The same arguments are the same view again.
    """
    (
        code, kind, title, status, impact, severity_rank, begins_at, started_at, monitoring_at,
        resolved_at, scheduled_for, scheduled_until, cancelled_at, created_at, next_update_at,
        entry_id, merged_into,
    ) = columns  # fmt: skip
    views = update_views(Kind(kind), updates)
    is_open = status not in CLOSED
    told = [view.changed_at for view in views]
    return IncidentView(
        code=code,
        kind=Kind(kind),
        title=title,
        status=status_of(Kind(kind), status),
        impact=Impact(impact),
        begins_at=read_moment(begins_at),
        started_at=read_moment(started_at),
        monitoring_at=moment_or_none(monitoring_at),
        resolved_at=moment_or_none(resolved_at),
        scheduled_for=moment_or_none(scheduled_for),
        scheduled_until=moment_or_none(scheduled_until),
        cancelled_at=moment_or_none(cancelled_at),
        created_at=read_moment(created_at),
        # Not the row's own: that moves with what happens internally, too.
        updated_at=max([read_moment(created_at), *told]),
        next_update_at=moment_or_none(next_update_at),
        is_overdue=is_overdue,
        is_pinned=is_open
        and kind == Kind.INCIDENT
        and severity_rank == 1
        and impact != Impact.NONE,
        entry_id=entry_id,
        components=components,
        updates=views,
        merged_into=merged_into,
        begun_at=moment_or_none(begun_at),
    )


@lru_cache(maxsize=8192)
def update_views(kind: Kind, text: str) -> tuple[UpdateView, ...]:
    """An incident's updates, the newest first."""
    rows = [(read_moment(moment), *columns) for moment, *columns in json.loads(f"[{text}]")]
    newest_first = sorted(rows, key=itemgetter(0, 1), reverse=True)
    return tuple(_update(kind, *row) for row in newest_first)


def _update(
    kind: Kind,
    happened_at: datetime,
    _key: int,
    code: str,
    status: str,
    body: str,
    posted_at: str,
    edited_at: str | None,
    reopens: int | bool,
    next_update_at: str | None,
    entry_id: str,
    notifies: int | bool,
    affected: str,
    translations: str,
    times: str,
    earlier: str | None,
) -> UpdateView:
    revisions = sorted(json.loads(f"[{earlier or ''}]"), key=itemgetter(0), reverse=True)
    return UpdateView(
        code=code,
        status=status_of(kind, status),
        body=body,
        happened_at=happened_at,
        posted_at=read_moment(posted_at),
        edited_at=moment_or_none(edited_at),
        reopens=bool(reopens),
        next_update_at=moment_or_none(next_update_at),
        affected=tuple(
            Affected(
                code=change["code"],
                name=change["name"],
                old_status=ComponentStatus(change["old_status"]),
                new_status=ComponentStatus(change["new_status"]),
            )
            for change in json.loads(affected)
        ),
        entry_id=entry_id,
        notifies=bool(notifies),
        earlier=tuple(EarlierText(text, read_moment(moment)) for _, text, moment in revisions),
        translations=tuple(
            (language, *_title_and_body(texts))
            for language, texts in sorted(json.loads(translations).items())
        ),
        times=tuple(sorted(json.loads(times).items())),
    )


def _title_and_body(texts: str | dict[str, str]) -> tuple[str, str]:
    """An update in one further language, as a row keeps it; older rows have no title."""
    return ("", texts) if isinstance(texts, str) else (texts["title"], texts["body"])
