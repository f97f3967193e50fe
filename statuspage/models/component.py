"""Components of the page, their groups, and the log of their states."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from statuspage.core import clock
from statuspage.core.db import Base
from statuspage.core.enums import ComponentStatus
from statuspage.models.columns import BigKey, Code, Key, Line, Name


class ComponentGroup(Base):
    """A heading that components stand under."""

    __tablename__ = "component_groups"

    id: Mapped[Key]
    code: Mapped[Code]
    name: Mapped[Name]
    description: Mapped[Line]
    position: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    updated_at: Mapped[datetime] = mapped_column(default=clock.now)

    components: Mapped[list[Component]] = relationship(
        back_populates="group", order_by="Component.position, Component.id"
    )


class Component(Base):
    """A part of the product on the page; removed ones stay for the history that names them."""

    __tablename__ = "components"

    id: Mapped[Key]
    code: Mapped[Code]
    group_id: Mapped[int | None] = mapped_column(ForeignKey("component_groups.id"), index=True)
    name: Mapped[Name]
    description: Mapped[Line]
    position: Mapped[int] = mapped_column(default=0)
    status: Mapped[ComponentStatus] = mapped_column(default=ComponentStatus.OPERATIONAL)
    only_show_if_degraded: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    updated_at: Mapped[datetime] = mapped_column(default=clock.now)
    removed_at: Mapped[datetime | None]
    # For colleagues alone.  Contacts; without foreign keys, as columns added to a table of SQLite.
    owner_id: Mapped[int | None]
    stand_in_id: Mapped[int | None]
    team_channel: Mapped[Line] = mapped_column(server_default="")
    runbook: Mapped[Line] = mapped_column(server_default="")
    vendor_contact: Mapped[Line] = mapped_column(server_default="")

    group: Mapped[ComponentGroup | None] = relationship(back_populates="components")


class ComponentChange(Base):
    """The log of a component's states: from ``at`` on it was ``status``, until the next row."""

    __tablename__ = "component_changes"
    # With the status, so that ninety days are read without touching a row.
    __table_args__ = (Index("ix_component_changes_log", "component_id", "at", "status"),)

    id: Mapped[BigKey]
    component_id: Mapped[int] = mapped_column(ForeignKey("components.id"))
    at: Mapped[datetime]
    status: Mapped[ComponentStatus]
    incident_id: Mapped[int | None] = mapped_column(ForeignKey("incidents.id"), index=True)
    update_id: Mapped[int | None] = mapped_column(ForeignKey("incident_updates.id"), index=True)
