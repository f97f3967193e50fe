"""Notices: what the public page says besides incidents."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String, false
from sqlalchemy.orm import Mapped, mapped_column

from statuspage.core import clock
from statuspage.core.db import Base
from statuspage.models.columns import Code, Facts, Key, Name, Prose


class PublicNotice(Base):
    """A text that the page shows from a start to an end, if it has one; public from its start."""

    __tablename__ = "notices"

    id: Mapped[Key]
    code: Mapped[Code]
    title: Mapped[Name]
    body: Mapped[Prose]
    # Both in further languages: {"de": {"title": "...", "body": "..."}}.
    translations: Mapped[Facts] = mapped_column(default=dict)
    begins_at: Mapped[datetime]
    ends_at: Mapped[datetime | None]
    # Whether it stands above the incidents.
    is_pinned: Mapped[bool] = mapped_column(default=False)
    # A quiet one is on the page alone.
    in_feeds: Mapped[bool] = mapped_column(default=False)
    # Who is notified once, at its start; nobody unless somebody chose it.
    emails_subscribers: Mapped[bool] = mapped_column(default=False, server_default=false())
    posts_to_chat: Mapped[bool] = mapped_column(default=False, server_default=false())
    # When its messages were queued.
    notified_at: Mapped[datetime | None]
    entry_id: Mapped[str] = mapped_column(String(500))
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    updated_at: Mapped[datetime] = mapped_column(default=clock.now)

    @property
    def is_withdrawn(self) -> bool:
        """Whether it was ended before it had begun: nobody ever read it."""
        return self.ends_at is not None and self.ends_at <= self.begins_at
