"""Drafts: what somebody typed into the form of an update and has not published."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from statuspage.core import clock
from statuspage.core.db import Base


class SavedDraft(Base):
    """An account's draft on an incident: each person has one of their own."""

    __tablename__ = "saved_drafts"

    incident_id: Mapped[int] = mapped_column(ForeignKey("incidents.id"), primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), primary_key=True)
    # What was typed, as [name, value], to go on with it.
    form: Mapped[list[Any]]
    # The incident's version that its author had read.
    seen_version: Mapped[int]
    saved_at: Mapped[datetime] = mapped_column(default=clock.now)
