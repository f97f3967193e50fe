"""Contacts: colleagues who can be named on an incident."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from statuspage.core import clock
from statuspage.core.db import Base
from statuspage.models.columns import Key, Line, Name, Prose


class Contact(Base):
    """A colleague who can be named on an incident."""

    __tablename__ = "contacts"

    id: Mapped[Key]
    name: Mapped[Name]
    role: Mapped[Line]
    email: Mapped[Line]
    chat_handle: Mapped[Line]
    # How they are reached, a line each, the first way first.
    reached_by: Mapped[Prose] = mapped_column(server_default="")
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    removed_at: Mapped[datetime | None]
