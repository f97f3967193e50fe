"""Who is on call: a list of weeks, and who covers for whom for a while."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from statuspage.core.db import Base
from statuspage.models.columns import Key
from statuspage.models.contact import Contact


class OnCallWeek(Base):
    """Who is on call for a week, by the Monday that it begins on."""

    __tablename__ = "on_call_weeks"

    id: Mapped[Key]
    monday: Mapped[date] = mapped_column(unique=True)
    primary_id: Mapped[int | None] = mapped_column(ForeignKey("contacts.id"))
    secondary_id: Mapped[int | None] = mapped_column(ForeignKey("contacts.id"))


class OnCallSwap(Base):
    """Somebody covers for somebody else, in whichever place, from a moment to another."""

    __tablename__ = "on_call_swaps"

    id: Mapped[Key]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    absent_id: Mapped[int] = mapped_column(ForeignKey("contacts.id"))
    cover_id: Mapped[int] = mapped_column(ForeignKey("contacts.id"))

    absent: Mapped[Contact] = relationship(foreign_keys=[absent_id])
    cover: Mapped[Contact] = relationship(foreign_keys=[cover_id])
