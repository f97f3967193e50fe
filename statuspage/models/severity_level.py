"""The levels of the chosen severity scheme."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Mapped, mapped_column

from statuspage.core.db import Base
from statuspage.core.enums import CustomerMail, Impact
from statuspage.models.columns import Key, Line, Name


class SeverityLevel(Base):
    """One level of the chosen severity scheme; rank 1 is the worst."""

    __tablename__ = "severity_levels"

    id: Mapped[Key]
    rank: Mapped[int] = mapped_column(unique=True)
    name: Mapped[Name]
    description: Mapped[Line]
    impact: Mapped[Impact]
    respond_minutes: Mapped[int | None]
    resolve_minutes: Mapped[int | None]
    cadence_minutes: Mapped[int | None]
    # How often colleagues are to note how it goes; None where that is not asked.
    note_minutes: Mapped[int | None]
    # How long a fix is watched before it counts as resolved; None where that is not asked.
    watch_minutes: Mapped[int | None]
    # Whether a second account approves what a resolution says.
    needs_approval: Mapped[bool] = mapped_column(default=False)
    customer_mail: Mapped[CustomerMail] = mapped_column(default=CustomerMail.NEVER)
    review_hours: Mapped[int | None]
    review_business_days: Mapped[int | None]
    # [{"after_minutes": 30, "to": "technical_lead"}], soonest first.
    escalation: Mapped[list[Any]] = mapped_column(default=list)
