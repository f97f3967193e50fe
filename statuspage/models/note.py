"""Notes for colleagues: the internal timeline of an incident, which no public surface reads."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from statuspage.core import clock
from statuspage.core.db import Base
from statuspage.core.enums import NoteKind
from statuspage.models.columns import Key, Line, Prose


class IncidentNote(Base):
    """What a colleague noted about an incident, internal for good.

    ``author`` is the name that the account had; ``happened_at`` the time that it tells of.
    """

    __tablename__ = "incident_notes"
    __table_args__ = (Index("ix_incident_notes_incident_happened", "incident_id", "happened_at"),)

    id: Mapped[Key]
    incident_id: Mapped[int] = mapped_column(ForeignKey("incidents.id"))
    kind: Mapped[NoteKind]
    body: Mapped[Prose]
    author: Mapped[Line]
    account_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    happened_at: Mapped[datetime]
    noted_at: Mapped[datetime] = mapped_column(default=clock.now)
    # Whether colleagues were notified of it in chat.
    in_chat: Mapped[bool] = mapped_column(default=False)
    # One sheet of the form makes one note, however often it is sent.
    form_key: Mapped[str | None] = mapped_column(String(64), unique=True)
