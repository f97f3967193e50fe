"""Who has an incident's screen open."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from statuspage.core.db import Base


class Presence(Base):
    """When an account last had an incident's screen open, and when it last wrote on it."""

    __tablename__ = "presences"

    incident_id: Mapped[int] = mapped_column(ForeignKey("incidents.id"), primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), primary_key=True)
    seen_at: Mapped[datetime]
    written_at: Mapped[datetime | None]
