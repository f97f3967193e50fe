"""Subscribers: their addresses, their preferences, and whether they confirmed."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from statuspage.core import clock
from statuspage.core.db import Base
from statuspage.core.enums import Impact, SubscribedUpdates, SubscriberState
from statuspage.models.columns import Address, Key


class Subscriber(Base):
    """An address that subscribed; before it confirms, only the request to confirm is sent.

    ``address`` is the normalised form of ``email`` that decides who is who.  ``token_hash`` is the
    SHA-256 of the link that confirms, until it has been used.
    """

    __tablename__ = "subscribers"

    id: Mapped[Key]
    email: Mapped[Address]
    address: Mapped[Address] = mapped_column(unique=True)
    state: Mapped[SubscriberState] = mapped_column(default=SubscriberState.PENDING)
    language: Mapped[str] = mapped_column(String(16), default="en")
    time_zone: Mapped[str | None] = mapped_column(String(64))
    # Their preferences: all components, or those named in ``components``.
    all_components: Mapped[bool] = mapped_column(default=True)
    incidents: Mapped[bool] = mapped_column(default=True)
    maintenance: Mapped[bool] = mapped_column(default=True)
    # Of incidents: which updates, and from which impact on.
    updates: Mapped[SubscribedUpdates] = mapped_column(default=SubscribedUpdates.EVERY)
    least_impact: Mapped[Impact] = mapped_column(default=Impact.NONE)
    token_hash: Mapped[str | None] = mapped_column(String(64))
    token_expires_at: Mapped[datetime | None]
    asked_at: Mapped[datetime] = mapped_column(default=clock.now)
    confirmed_at: Mapped[datetime | None]
    left_at: Mapped[datetime | None]

    components: Mapped[list[SubscriberComponent]] = relationship(
        cascade="all, delete-orphan",
        passive_deletes=True,
        order_by="SubscriberComponent.component_id",
    )
    followed: Mapped[list[FollowedIncident]] = relationship(
        cascade="all, delete-orphan",
        passive_deletes=True,
        order_by="FollowedIncident.incident_id",
    )


class SubscriberComponent(Base):
    """A component that a subscriber chose."""

    __tablename__ = "subscriber_components"

    subscriber_id: Mapped[int] = mapped_column(
        ForeignKey("subscribers.id", ondelete="CASCADE"), primary_key=True
    )
    component_id: Mapped[int] = mapped_column(
        ForeignKey("components.id"), primary_key=True, index=True
    )


class FollowedIncident(Base):
    """An incident (or a maintenance) that a subscriber follows: every update of it is sent."""

    __tablename__ = "followed_incidents"

    subscriber_id: Mapped[int] = mapped_column(
        ForeignKey("subscribers.id", ondelete="CASCADE"), primary_key=True
    )
    incident_id: Mapped[int] = mapped_column(
        ForeignKey("incidents.id"), primary_key=True, index=True
    )
