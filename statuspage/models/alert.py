"""Alerts of the company's tools, the sources that send them, and what they suggest."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from statuspage.core import clock
from statuspage.core.db import Base
from statuspage.core.enums import ComponentStatus, SuggestionState
from statuspage.models.account import ApiKey
from statuspage.models.columns import Code, Facts, Key, Line, Name, Prose
from statuspage.models.component import Component
from statuspage.models.incident import Incident


class AlertSource(Base):
    """A tool that sends alerts by a key of its own, and how its alerts are read."""

    __tablename__ = "alert_sources"

    id: Mapped[Key]
    name: Mapped[Name]
    # How its requests are read: a shipped mapping, or one of its own.
    tool: Mapped[str] = mapped_column(String(32))
    key_id: Mapped[int] = mapped_column(ForeignKey("api_keys.id"), unique=True)
    # What the tool signs its requests with, encrypted; None where it sends the key.
    signing_secret: Mapped[str | None] = mapped_column(String(1000))
    # The fields of a mapping of its own, by name; empty for a shipped one.
    mapping: Mapped[Facts] = mapped_column(default=dict)
    # Rules as they are typed, one a line: see statuspage.intake.alert_rules.
    severity_rules: Mapped[Prose]
    component_rules: Mapped[Prose]
    # How many alerts were not kept because there were too many.
    left_out: Mapped[int] = mapped_column(BigInteger, default=0, server_default=text("0"))
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    removed_at: Mapped[datetime | None]

    key: Mapped[ApiKey] = relationship()


class Suggestion(Base):
    """An incident that alerts propose: one for each group of a source's alerts and component.

    ``started_at`` is when the first of its alerts began, ``ended_at`` when the last resolved; an
    accepted one belongs to its incident.
    """

    __tablename__ = "suggestions"
    __table_args__ = (
        Index("ix_suggestions_group", "source_id", "group_hash", "component_id"),
        Index("ix_suggestions_state", "state", "last_at"),
    )

    id: Mapped[Key]
    code: Mapped[Code]
    source_id: Mapped[int] = mapped_column(ForeignKey("alert_sources.id"))
    group_hash: Mapped[str] = mapped_column(String(64))
    component_id: Mapped[int | None] = mapped_column(ForeignKey("components.id"))
    state: Mapped[SuggestionState] = mapped_column(default=SuggestionState.OPEN)
    title: Mapped[Name]
    text: Mapped[Prose]
    url: Mapped[Line]
    severity_rank: Mapped[int | None]
    started_at: Mapped[datetime]
    first_at: Mapped[datetime] = mapped_column(default=clock.now)
    last_at: Mapped[datetime] = mapped_column(default=clock.now)
    ended_at: Mapped[datetime | None]
    # Notices that came in, alerts that they were about, and how many of these fire.
    received: Mapped[int] = mapped_column(default=0)
    alerts: Mapped[int] = mapped_column(default=0)
    firing: Mapped[int] = mapped_column(default=0)
    # When colleagues were notified of it.
    notified_at: Mapped[datetime | None]
    incident_id: Mapped[int | None] = mapped_column(ForeignKey("incidents.id"), index=True)
    decided_by: Mapped[Line]
    decided_at: Mapped[datetime | None]

    source: Mapped[AlertSource] = relationship()
    component: Mapped[Component | None] = relationship()
    incident: Mapped[Incident | None] = relationship()


class VisitorReport(Base):
    """What a visitor says doesn't work: counted, and published nowhere."""

    __tablename__ = "visitor_reports"
    __table_args__ = (Index("ix_visitor_reports_lately", "reported_at", "component_id"),)

    id: Mapped[Key]
    component_id: Mapped[int | None] = mapped_column(ForeignKey("components.id"))
    text: Mapped[Line]
    reported_at: Mapped[datetime] = mapped_column(default=clock.now)


class Alert(Base):
    """One alert of a source, as its newest notice describes it."""

    __tablename__ = "alerts"
    __table_args__ = (UniqueConstraint("source_id", "fingerprint"),)

    id: Mapped[Key]
    source_id: Mapped[int] = mapped_column(ForeignKey("alert_sources.id"))
    suggestion_id: Mapped[int] = mapped_column(ForeignKey("suggestions.id"), index=True)
    # A digest of what the tool knows it by.
    fingerprint: Mapped[str] = mapped_column(String(64))
    title: Mapped[Name]
    labels: Mapped[Facts] = mapped_column(default=dict)
    fires: Mapped[bool]
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    seen_at: Mapped[datetime] = mapped_column(default=clock.now)


class StateRule(Base):
    """That alerts of a source set the state of a component, by themselves; at most one for each.

    ``set_at`` is when it set the state that the component has; ``paused_at`` when somebody set
    one by hand, which counts until they hand the component back.
    """

    __tablename__ = "state_rules"

    id: Mapped[Key]
    component_id: Mapped[int] = mapped_column(ForeignKey("components.id"), unique=True)
    source_id: Mapped[int] = mapped_column(ForeignKey("alert_sources.id"))
    status: Mapped[ComponentStatus]
    delay_minutes: Mapped[int]
    quiet_minutes: Mapped[int]
    most_per_hour: Mapped[int]
    set_at: Mapped[datetime | None]
    paused_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=clock.now)

    component: Mapped[Component] = relationship()
    source: Mapped[AlertSource] = relationship()


class ProviderPage(Base):
    """A status page elsewhere that components follow, and what it said when it was last read."""

    __tablename__ = "provider_pages"

    id: Mapped[Key]
    url: Mapped[str] = mapped_column(String(500), unique=True)
    name: Mapped[Name] = mapped_column(default="")
    # Each with its code, name, status and trouble.
    components: Mapped[list[Any]] = mapped_column(default=list)
    # What the next request asks by whether anything has changed.
    etag: Mapped[Line]
    modified: Mapped[Line]
    # When it was last read, and why it has not been since then.
    read_at: Mapped[datetime | None]
    failure: Mapped[Line]


class FollowedComponent(Base):
    """The component of a provider's page that one of ours follows; ``told`` is its last state."""

    __tablename__ = "followed_components"

    component_id: Mapped[int] = mapped_column(ForeignKey("components.id"), primary_key=True)
    page_id: Mapped[int] = mapped_column(ForeignKey("provider_pages.id"), index=True)
    code: Mapped[str] = mapped_column(String(64))
    told: Mapped[ComponentStatus]

    component: Mapped[Component] = relationship()
    page: Mapped[ProviderPage] = relationship()
