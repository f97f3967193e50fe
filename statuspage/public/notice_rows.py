"""The public page's notices: their rows into views."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection

from statuspage.public import statements
from statuspage.public.page_rows import AnyRow
from statuspage.public.snapshot import NoticeView

SHOWN_AFTERWARDS: Final = timedelta(days=30)
"""So long the feeds hold a notice that is over."""


def read_notices(connection: Connection, at: datetime) -> tuple[NoticeView, ...]:
    """Those that go on, are to come or ended lately, newest first."""
    rows = connection.execute(statements.NOTICES, {"since": at - SHOWN_AFTERWARDS})
    return tuple(_view(row, at) for row in rows)


def read_begun(connection: Connection, code: str, at: datetime) -> NoticeView | None:
    """One notice; None where there is none that has begun."""
    row: AnyRow | None = connection.execute(statements.NOTICE, {"code": code}).one_or_none()
    return _view(row, at) if row is not None and row.begins_at <= at else None


def _view(row: AnyRow, at: datetime) -> NoticeView:
    return NoticeView(
        code=row.code,
        title=row.title,
        body=row.body,
        begins_at=row.begins_at,
        ends_at=row.ends_at,
        is_pinned=row.is_pinned,
        in_feeds=row.in_feeds,
        is_over=row.ends_at is not None and row.ends_at <= at,
        entry_id=row.entry_id,
        created_at=row.created_at,
        updated_at=row.updated_at,
        translations=tuple(
            (language, texts["title"], texts["body"])
            for language, texts in sorted(row.translations.items())
            if texts.get("title") and texts.get("body")
        ),
    )
