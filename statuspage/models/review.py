"""The review of an incident, its versions and action items: internal, no public read knows them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from statuspage.core import clock
from statuspage.core.db import Base
from statuspage.core.enums import ActionPriority, ActionState, ReviewState
from statuspage.models.columns import Key, Line, Prose
from statuspage.models.contact import Contact
from statuspage.models.incident import Incident


class Review(Base):
    """What a team writes down after an incident."""

    __tablename__ = "reviews"

    id: Mapped[Key]
    incident_id: Mapped[int] = mapped_column(ForeignKey("incidents.id"), unique=True)
    state: Mapped[ReviewState] = mapped_column(default=ReviewState.DRAFT)
    # [["Root cause", "Markdown"], …], in the order of the template that it began from.
    sections: Mapped[list[Any]] = mapped_column(default=list)
    # The entries of review.evidence.ReviewEntry as stored, oldest first.
    timeline: Mapped[list[Any]] = mapped_column(default=list)
    # Up to which moment reminders that it is due were sent; kept without a new version.
    reminded_until: Mapped[datetime | None]
    begun_at: Mapped[datetime] = mapped_column(default=clock.now)
    updated_at: Mapped[datetime] = mapped_column(default=clock.now)
    approved_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)

    incident: Mapped[Incident] = relationship()
    versions: Mapped[list[ReviewVersion]] = relationship(
        order_by="ReviewVersion.number", back_populates="review"
    )

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 (SQLAlchemy's own form)


class ReviewVersion(Base):
    """A review as somebody left it: ``changed`` names what they did."""

    __tablename__ = "review_versions"
    __table_args__ = (UniqueConstraint("review_id", "number"),)

    id: Mapped[Key]
    review_id: Mapped[int] = mapped_column(ForeignKey("reviews.id"))
    number: Mapped[int]
    state: Mapped[ReviewState]
    sections: Mapped[list[Any]]
    timeline: Mapped[list[Any]]
    changed: Mapped[Line]
    author: Mapped[Line]
    account_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    saved_at: Mapped[datetime] = mapped_column(default=clock.now)

    review: Mapped[Review] = relationship(back_populates="versions")


class ReviewMeeting(Base):
    """When and where people talk a review over; ``sequence`` rises with each change."""

    __tablename__ = "review_meetings"

    review_id: Mapped[int] = mapped_column(ForeignKey("reviews.id"), primary_key=True)
    begins_at: Mapped[datetime]
    minutes: Mapped[int]
    place: Mapped[Line]
    # The ids of contacts.
    attendees: Mapped[list[Any]] = mapped_column(default=list)
    agenda: Mapped[Prose]
    sequence: Mapped[int] = mapped_column(default=0)
    updated_at: Mapped[datetime] = mapped_column(default=clock.now)

    review: Mapped[Review] = relationship()


class ActionItem(Base):
    """What somebody does so that an incident does not happen again, and by when."""

    __tablename__ = "action_items"
    __table_args__ = (Index("ix_action_items_due", "state", "due_on"),)

    id: Mapped[Key]
    incident_id: Mapped[int] = mapped_column(ForeignKey("incidents.id"), index=True)
    text: Mapped[Line]
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("contacts.id"))
    due_on: Mapped[date | None]
    priority: Mapped[ActionPriority] = mapped_column(default=ActionPriority.MEDIUM)
    # Where it is worked on: a ticket elsewhere.
    link: Mapped[Line]
    state: Mapped[ActionState] = mapped_column(default=ActionState.OPEN)
    # What was done, or why it was dropped.
    outcome: Mapped[Line]
    settled_at: Mapped[datetime | None]
    # The last day for which a reminder was sent.
    reminded_on: Mapped[date | None]
    form_key: Mapped[str | None] = mapped_column(String(64), unique=True, index=True)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)

    incident: Mapped[Incident] = relationship()
    owner: Mapped[Contact | None] = relationship()
