"""Numbers that the page draws: what each is, and its values in buckets of time."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from statuspage.core import clock
from statuspage.core.db import Base
from statuspage.models.columns import Code, Key, Line, Name, Prose
from statuspage.models.component import Component

UNIT_LIMIT = 20


class Metric(Base):
    """A number of the page, or of one of its components."""

    __tablename__ = "metrics"

    id: Mapped[Key]
    code: Mapped[Code]
    component_id: Mapped[int | None] = mapped_column(ForeignKey("components.id"), index=True)
    name: Mapped[Name]
    unit: Mapped[str] = mapped_column(String(UNIT_LIMIT), default="")
    decimals: Mapped[int] = mapped_column(default=0)
    # What Prometheus is asked; empty where tools send the numbers.
    query: Mapped[Prose]
    is_shown: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    updated_at: Mapped[datetime] = mapped_column(default=clock.now)
    # Of when its newest number is.
    newest_at: Mapped[datetime | None]
    # When Prometheus last answered, and why it does not since then.
    read_at: Mapped[datetime | None]
    failure: Mapped[Line]
    # What the page draws, as statuspage.intake.metric_series writes it.
    series: Mapped[Prose]

    component: Mapped[Component | None] = relationship()


class MetricBucket(Base):
    """The numbers of one metric within ``seconds`` from ``begins_at`` on.

    A bucket of a day is one of the page's, and may be an hour shorter or longer.
    """

    __tablename__ = "metric_buckets"

    metric_id: Mapped[int] = mapped_column(ForeignKey("metrics.id"), primary_key=True)
    seconds: Mapped[int] = mapped_column(primary_key=True)
    begins_at: Mapped[datetime] = mapped_column(primary_key=True)
    least: Mapped[float]
    most: Mapped[float]
    total: Mapped[float]
    count: Mapped[int]
