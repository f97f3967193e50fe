"""Incidents and maintenances (``kind`` says which), their updates, and what they are made from."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

from sqlalchemy import Computed, ForeignKey, Index, String, UniqueConstraint, text, true
from sqlalchemy.orm import Mapped, mapped_column, relationship

from statuspage.core import clock
from statuspage.core.db import Base
from statuspage.core.enums import (
    CLOSED,
    ComponentStatus,
    Impact,
    IncidentRole,
    Kind,
    Status,
    Visibility,
    status_of,
)
from statuspage.models.account import Account
from statuspage.models.columns import TITLE_LIMIT, Code, Facts, Key, Line, Name, Prose
from statuspage.models.component import Component
from statuspage.models.contact import Contact

TAG_LIMIT = 60


class Incident(Base):
    """An incident: an incident, or a maintenance (``kind``), from its first post to its end."""

    __tablename__ = "incidents"
    __table_args__ = (
        UniqueConstraint("origin", "origin_id"),
        Index("ix_incidents_history", "visibility", "begins_at", "status"),
        Index("ix_incidents_shown", "visibility", "kind", "begins_at"),
        Index("ix_incidents_ended", "visibility", "resolved_at", "begins_at"),
        Index("ix_incidents_number", "number", unique=True),
        # No occurrence of a series is announced twice, whoever does it.
        Index("ix_incidents_occurrence", "series_id", "occurs_at", unique=True),
        Index(
            "ix_incidents_open",
            "kind",
            "started_at",
            sqlite_where=text("resolved_at IS NULL"),
            postgresql_where=text("resolved_at IS NULL"),
        ),
    )

    id: Mapped[Key]
    code: Mapped[Code]
    kind: Mapped[Kind] = mapped_column(default=Kind.INCIDENT)
    title: Mapped[Name]
    status: Mapped[str] = mapped_column(String(32))
    impact: Mapped[Impact]
    visibility: Mapped[Visibility] = mapped_column(default=Visibility.PUBLIC)

    severity_rank: Mapped[int | None]
    severity_name: Mapped[str | None] = mapped_column(String(200))
    worst_rank: Mapped[int | None]

    started_at: Mapped[datetime]
    monitoring_at: Mapped[datetime | None]
    resolved_at: Mapped[datetime | None]
    scheduled_for: Mapped[datetime | None]
    scheduled_until: Mapped[datetime | None]
    # The incident's place in the history; the database keeps it.
    begins_at: Mapped[datetime] = mapped_column(
        Computed("coalesce(scheduled_for, started_at)", persisted=True)
    )
    cancelled_at: Mapped[datetime | None]
    # How long before its start people are reminded, and when that is due; None once it is done.
    remind_minutes: Mapped[int | None]
    remind_at: Mapped[datetime | None]
    # How long it verifies from its planned end on; None where it completes then.
    verify_minutes: Mapped[int | None]
    # Whether it begins and ends without anybody, when its time has come.
    auto_starts: Mapped[bool] = mapped_column(default=True, server_default=true())
    auto_ends: Mapped[bool] = mapped_column(default=True, server_default=true())
    # Which occurrence of which series it is: the time that the series had for it.
    series_id: Mapped[int | None]
    occurs_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    updated_at: Mapped[datetime] = mapped_column(default=clock.now)
    next_update_at: Mapped[datetime | None]

    # What each audience's texts are made from; internal facts never meet a public template.
    users_notice: Mapped[Prose]
    public_facts: Mapped[Facts] = mapped_column(default=dict)
    internal_facts: Mapped[Facts] = mapped_column(default=dict)

    commander_id: Mapped[int | None] = mapped_column(ForeignKey("contacts.id"))
    technical_lead_id: Mapped[int | None] = mapped_column(ForeignKey("contacts.id"))
    comms_lead_id: Mapped[int | None] = mapped_column(ForeignKey("contacts.id"))
    scribe_id: Mapped[int | None] = mapped_column(ForeignKey("contacts.id"))
    chat_channel: Mapped[Line]
    war_room: Mapped[Line]
    # The key of the template that it was declared from.
    template_key: Mapped[str] = mapped_column(String(64), default="", server_default="")
    # One of the page's categories, by the name that it had then.
    cause_category: Mapped[str] = mapped_column(String(TITLE_LIMIT), default="", server_default="")

    # The code of the incident that it turned out to be part of; such a one is over.
    merged_into: Mapped[str | None] = mapped_column(String(12))
    # Whether everybody is concerned although components are named: a part of it named none.
    concerns_all: Mapped[bool] = mapped_column(default=False)
    resolutions: Mapped[int] = mapped_column(default=0)
    review_due_at: Mapped[datetime | None]
    # A contact; without a foreign key, as columns added to a table of SQLite are.
    review_owner_id: Mapped[int | None]
    # What was ticked off after the end: {"components": {"at": "...", "by": "..."}}.
    closing: Mapped[Facts] = mapped_column(default=dict)
    # A drill is internal as well, and reaches only its own list: [{"email": "...", "name": "..."}].
    is_drill: Mapped[bool] = mapped_column(default=False)
    drill_list: Mapped[list[Any]] = mapped_column(default=list)
    entry_id: Mapped[str] = mapped_column(String(500))
    # An impact that was chosen apart from the severity's, and stays when that changes.
    impact_override: Mapped[Impact | None]
    # What tools keep with it: {"metadata": {...}, "postmortem": {"body": "...", "at": "..."}}.
    tool_data: Mapped[Facts] = mapped_column(default=dict, server_default="{}")
    # Its number in the range of its service; given once, for colleagues.
    number: Mapped[str | None] = mapped_column(String(64))
    # What its ticket says beyond all that, where it was imported: {"logs": "...", ...}.
    ticket: Mapped[Facts] = mapped_column(default=dict, server_default="{}")
    origin: Mapped[str | None] = mapped_column(String(200))
    origin_id: Mapped[str | None] = mapped_column(String(200))
    version: Mapped[int] = mapped_column(default=1)

    commander: Mapped[Contact | None] = relationship(foreign_keys=[commander_id])
    technical_lead: Mapped[Contact | None] = relationship(foreign_keys=[technical_lead_id])
    comms_lead: Mapped[Contact | None] = relationship(foreign_keys=[comms_lead_id])
    scribe: Mapped[Contact | None] = relationship(foreign_keys=[scribe_id])
    updates: Mapped[list[IncidentUpdate]] = relationship(
        back_populates="incident",
        order_by="IncidentUpdate.happened_at, IncidentUpdate.id",
        foreign_keys="IncidentUpdate.incident_id",
    )
    affected: Mapped[list[IncidentComponent]] = relationship(
        back_populates="incident", order_by="IncidentComponent.component_id"
    )
    tagged: Mapped[list[IncidentTag]] = relationship(
        order_by="IncidentTag.tag", cascade="all, delete-orphan"
    )

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 (SQLAlchemy's own form)

    @property
    def step(self) -> Status:
        """The status as a word of its kind."""
        return status_of(self.kind, self.status)

    @property
    def tags(self) -> list[str]:
        """Its tags, in alphabetical order."""
        return [one.tag for one in self.tagged]

    @property
    def is_open(self) -> bool:
        """Whether the incident still goes on."""
        return self.status not in CLOSED

    @property
    def is_internal(self) -> bool:
        """Whether no public surface may show it."""
        return self.visibility is Visibility.INTERNAL

    @property
    def tells_outsiders(self) -> bool:
        """Whether texts for outsiders are written: it is public, or a drill that plays it."""
        return self.is_drill or not self.is_internal

    @property
    def was_rank_one(self) -> bool:
        """Whether it was ever of the worst severity."""
        return self.worst_rank == 1

    def person(self, role: IncidentRole) -> Contact | None:
        """Who holds a role, if anybody."""
        return cast("Contact | None", getattr(self, role.value))


class MaintenanceSeries(Base):
    """A maintenance that recurs; each occurrence is an incident of its own, announced ahead."""

    __tablename__ = "maintenance_series"

    id: Mapped[Key]
    code: Mapped[Code]
    title: Mapped[Name]
    users_notice: Mapped[Prose]
    # RFC 5545: the first start as a wall-clock time in the zone, and the rule without its start.
    time_zone: Mapped[str] = mapped_column(String(64))
    first_start: Mapped[str] = mapped_column(String(16))
    rule: Mapped[Line]
    # The starts that were left out (EXDATE, section 3.8.5.1), as wall-clock times too.
    exdates: Mapped[list[Any]] = mapped_column(default=list)
    length_minutes: Mapped[int]
    remind_minutes: Mapped[int | None]
    verify_minutes: Mapped[int | None]
    # Why its announcements go out although the checks would hold them back.
    because: Mapped[Line]
    component_ids: Mapped[list[Any]] = mapped_column(default=list)
    stopped_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    updated_at: Mapped[datetime] = mapped_column(default=clock.now)
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 (SQLAlchemy's own form)


class IncidentComponent(Base):
    """A component that an incident affects or affected, and the state the incident last set."""

    __tablename__ = "incident_components"

    incident_id: Mapped[int] = mapped_column(ForeignKey("incidents.id"), primary_key=True)
    component_id: Mapped[int] = mapped_column(
        ForeignKey("components.id"), primary_key=True, index=True
    )
    status: Mapped[ComponentStatus]

    incident: Mapped[Incident] = relationship(back_populates="affected")
    component: Mapped[Component] = relationship()


class IncidentTag(Base):
    """A word that colleagues find incidents again by."""

    __tablename__ = "incident_tags"
    __table_args__ = (UniqueConstraint("incident_id", "tag"),)

    id: Mapped[Key]
    incident_id: Mapped[int] = mapped_column(ForeignKey("incidents.id"))
    tag: Mapped[str] = mapped_column(String(TAG_LIMIT), index=True)


class IncidentUpdate(Base):
    """One dated post; it carries the status that it set, and its feed id for ever."""

    __tablename__ = "incident_updates"
    __table_args__ = (
        Index("ix_incident_updates_incident_happened", "incident_id", "happened_at"),
        Index("ix_incident_updates_posted", "posted_at"),
    )

    id: Mapped[Key]
    code: Mapped[Code]
    incident_id: Mapped[int] = mapped_column(ForeignKey("incidents.id"))
    status: Mapped[str] = mapped_column(String(32))
    visibility: Mapped[Visibility] = mapped_column(default=Visibility.PUBLIC)
    body: Mapped[Prose]
    # {"de": {"title": "...", "body": "..."}}, by language, where every fact had a text in it.  Rows
    # from before titles were kept hold the body alone: {"de": "..."}.
    translations: Mapped[Facts] = mapped_column(default=dict, server_default="{}")
    # The times that stand in these texts, ISO 8601, by how they stand there: visitors read them in
    # their own zones.
    times: Mapped[Facts] = mapped_column(default=dict, server_default="{}")
    happened_at: Mapped[datetime]
    posted_at: Mapped[datetime]
    edited_at: Mapped[datetime | None]
    reopens: Mapped[bool] = mapped_column(default=False)
    next_update_at: Mapped[datetime | None]
    # Why it promises no next update although the severity would.
    no_promise_because: Mapped[Line]
    # Whether people outside were notified of it, as far as the update itself decides.
    notifies: Mapped[bool] = mapped_column(default=True)
    # The audiences that were not notified, and why: {"subscriber": "..."}.
    left_out: Mapped[Facts] = mapped_column(default=dict)
    # Why it is a resolution although something did not hold: {"watched": "...", ...}.
    gate: Mapped[Facts] = mapped_column(default=dict)
    # [{"code", "name", "old_status", "new_status"}], as the public JSON shows them.
    affected: Mapped[list[Any]] = mapped_column(default=list)
    entry_id: Mapped[str] = mapped_column(String(500), unique=True)
    # One sheet of the form makes one post, however often it is sent.
    form_key: Mapped[str | None] = mapped_column(String(64), unique=True)
    account_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))

    incident: Mapped[Incident] = relationship(back_populates="updates", foreign_keys=[incident_id])
    revisions: Mapped[list[UpdateRevision]] = relationship(
        back_populates="update", order_by="UpdateRevision.id"
    )

    @property
    def step(self) -> Status:
        """The status that it set, as a word of its incident's kind."""
        return status_of(self.incident.kind, self.status)


class UpdateRevision(Base):
    """What a post said before it was corrected; for colleagues alone once it was taken off."""

    __tablename__ = "update_revisions"

    id: Mapped[Key]
    update_id: Mapped[int] = mapped_column(ForeignKey("incident_updates.id"), index=True)
    body: Mapped[Prose]
    replaced_at: Mapped[datetime]
    account_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    taken_off_because: Mapped[Line]

    update: Mapped[IncidentUpdate] = relationship(back_populates="revisions")


class Approval(Base):
    """A request that a second account approve exactly what a resolution says, and its answer."""

    __tablename__ = "approvals"

    id: Mapped[Key]
    incident_id: Mapped[int] = mapped_column(ForeignKey("incidents.id"), index=True)
    incident_version: Mapped[int]
    # Of what outsiders would read and of the facts behind it: anything else is not approved.
    fingerprint: Mapped[str] = mapped_column(String(64))
    # {"customer": {"subject": "...", "body": "..."}, ...}
    texts: Mapped[Facts]
    # What was typed, as [name, value], to go on with it.
    form: Mapped[list[Any]]
    asked_by_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    asked_at: Mapped[datetime]
    approved_by_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    approved_at: Mapped[datetime | None]

    incident: Mapped[Incident] = relationship()
    asked_by: Mapped[Account] = relationship(foreign_keys=[asked_by_id])
    approved_by: Mapped[Account | None] = relationship(foreign_keys=[approved_by_id])


class IncidentTemplate(Base):
    """A template that was added, or what was made of a shipped one: changed or removed."""

    __tablename__ = "incident_templates"

    id: Mapped[Key]
    key: Mapped[str] = mapped_column(String(64), unique=True)
    # The fields of setup.TemplateDetails.
    details: Mapped[Facts]
    removed: Mapped[bool] = mapped_column(default=False)
    updated_at: Mapped[datetime] = mapped_column(default=clock.now)
