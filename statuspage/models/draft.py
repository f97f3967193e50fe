"""Drafts: what somebody typed into the form of an update that is not published, or not yet."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from statuspage.core import clock
from statuspage.core.db import Base
from statuspage.models.columns import Facts, Key, Line


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

    @property
    def handle(self) -> str:
        """What a colleague's copy is asked for by."""
        return str(self.account_id)


class DeclarationDraft(Base):
    """What an account typed into one sheet of the form of a declaration."""

    __tablename__ = "declaration_drafts"

    id: Mapped[Key]
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    # The sheet's own, which the incident is declared with in the end.
    form_key: Mapped[str] = mapped_column(String(64), unique=True)
    # What was typed, as [name, value], to go on with it.
    form: Mapped[list[Any]]
    saved_at: Mapped[datetime] = mapped_column(default=clock.now)

    @property
    def handle(self) -> str:
        """What it, or a colleague's copy of it, is asked for by."""
        return str(self.id)


class ToolDraft(Base):
    """A draft that a tool prepared by an API key: each key has one on an incident."""

    __tablename__ = "tool_drafts"

    incident_id: Mapped[int] = mapped_column(ForeignKey("incidents.id"), primary_key=True)
    key_id: Mapped[int] = mapped_column(ForeignKey("api_keys.id"), primary_key=True)
    # As a person's: what would be typed, as [name, value].
    form: Mapped[list[Any]]
    seen_version: Mapped[int]
    saved_at: Mapped[datetime] = mapped_column(default=clock.now)

    @property
    def handle(self) -> str:
        """What a copy is asked for by."""
        return f"key-{self.key_id}"


class ScheduledUpdate(Base):
    """An update that is posted at its time; an incident has one at most.

    It goes once it is posted.  One that could not be posted stays, with the reason.
    """

    __tablename__ = "scheduled_updates"

    id: Mapped[Key]
    incident_id: Mapped[int] = mapped_column(ForeignKey("incidents.id"), unique=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    publish_at: Mapped[datetime]
    # What was typed, as [name, value], to edit it.
    form: Mapped[list[Any]]
    # What is posted: the update, its edited texts, reasons and audiences.
    posting: Mapped[Facts]
    # What its author saw: {"text": "...", "findings": [...], "emails": {"customers": 3}}.
    checked: Mapped[Facts]
    # The incident's version that its author had read.
    seen_version: Mapped[int]
    # What the update is posted with, so that it is posted once.
    form_key: Mapped[str] = mapped_column(String(64), unique=True)
    scheduled_at: Mapped[datetime] = mapped_column(default=clock.now)
    held_at: Mapped[datetime | None]
    held_because: Mapped[Line]
