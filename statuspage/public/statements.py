"""The statements of the site's reads, and the gate that they all pass.

Keys are read first, rows by their keys: in one statement SQLite's planner, which does not know how
many rows there are, walks through the whole history.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    ColumnElement,
    Label,
    Text,
    bindparam,
    case,
    cast,
    func,
    null,
    select,
    type_coerce,
)
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.types import NullType

from statuspage.core.db import JsonArray, UtcDateTime, among
from statuspage.core.enums import CLOSED, RUNNING, Kind, MaintenanceStatus, Visibility
from statuspage.models import (
    Component,
    ComponentChange,
    ComponentGroup,
    Incident,
    IncidentComponent,
    IncidentUpdate,
    Metric,
    Page,
    PublicNotice,
    StateRule,
    UpdateRevision,
)

# A flood of incidents slows nobody: older ones of the last days are not even counted.
MOST_INCIDENTS_COUNTED = 1000
RECENT_INCIDENTS = 50
FEED_UPDATES = 50
FEED_INCIDENTS = 25


def gate(room: type[Incident] | type[IncidentUpdate]) -> ColumnElement[bool]:
    """The one condition under which the public may see an incident or a post."""
    return room.visibility == Visibility.PUBLIC


# The gate follows when the rows are read: asked here it would keep the index of what is open away.
OPEN = select(Incident.id).where(
    Incident.kind.in_(list(Kind)), Incident.resolved_at.is_(None), Incident.status.not_in(CLOSED)
)
RECENT = (
    select(Incident.id)
    .where(gate(Incident), Incident.kind == bindparam("kind"))
    .order_by(Incident.begins_at.desc(), Incident.id.desc())
    .limit(RECENT_INCIDENTS)
)
BY_CODE = select(Incident.id).where(Incident.code == bindparam("code"))
RECENT_OF_PARTS = (
    select(Incident.id)
    .join(IncidentComponent)
    .join(Component, Component.id == IncidentComponent.component_id)
    .where(gate(Incident), Component.code.in_(bindparam("codes", expanding=True)))
    .group_by(Incident.id)
    .order_by(Incident.begins_at.desc(), Incident.id.desc())
    .limit(RECENT_INCIDENTS)
)
_PLACED = (
    select(
        IncidentComponent.component_id,
        Incident.id,
        func.row_number()
        .over(
            partition_by=IncidentComponent.component_id,
            order_by=(Incident.begins_at.desc(), Incident.id.desc()),
        )
        .label("place"),
    )
    .join(IncidentComponent)
    .where(gate(Incident))
    .subquery()
)
# The same of all components at once.
RECENT_OF_COMPONENTS = (
    select(_PLACED.c.component_id, _PLACED.c.id)
    .where(_PLACED.c.place <= RECENT_INCIDENTS)
    .order_by(_PLACED.c.component_id, _PLACED.c.place)
)
LATEST_TOLD = (
    select(IncidentUpdate.incident_id)
    .where(
        gate(IncidentUpdate),
        # Not a join, nor EXISTS, which becomes one: the planner may turn those round.
        select(Incident.id)
        .where(Incident.id == IncidentUpdate.incident_id, gate(Incident))
        .scalar_subquery()
        .is_not(None),
    )
    .order_by(IncidentUpdate.posted_at.desc(), IncidentUpdate.id.desc())
    .limit(FEED_UPDATES)
)

IS_HISTORY = (
    gate(Incident),
    Incident.status != MaintenanceStatus.SCHEDULED.value,
    Incident.begins_at < bindparam("until"),
)
_SINCE = Incident.begins_at >= bindparam("since")
_HISTORY = (
    select(Incident.id)
    .where(*IS_HISTORY, _SINCE)
    .order_by(Incident.begins_at.desc(), Incident.id.desc())
)
HISTORY_PAGE = _HISTORY.limit(bindparam("limit")).offset(bindparam("offset"))
HISTORY_COUNT = select(func.count(Incident.id)).where(*IS_HISTORY, _SINCE)
HISTORY_BACKWARDS = (
    select(Incident.begins_at).where(*IS_HISTORY).order_by(Incident.begins_at.desc()).limit(1)
)
HISTORY_FORWARDS = (
    select(Incident.begins_at).where(*IS_HISTORY, _SINCE).order_by(Incident.begins_at).limit(1)
)
# When it ended matters on later days, on which nothing cancelled is told.
_ENDED = case((Incident.cancelled_at.is_(None), Incident.resolved_at), else_=Incident.begins_at)
WINDOW = _HISTORY.add_columns(Incident.begins_at, type_coerce(_ENDED, UtcDateTime)).limit(
    MOST_INCIDENTS_COUNTED
)
_HAS_RUN = (
    gate(Incident),
    Incident.status != MaintenanceStatus.SCHEDULED.value,
    Incident.cancelled_at.is_(None),
)
_STRETCH = select(Incident.id, Incident.begins_at, Incident.resolved_at)
ENDED_LATER = (
    _STRETCH.where(
        *_HAS_RUN,
        Incident.resolved_at > bindparam("since"),
        Incident.begins_at < bindparam("since"),
    )
    .order_by(Incident.begins_at.desc())
    .limit(RECENT_INCIDENTS)
)
STILL_OPEN = _STRETCH.where(
    *_HAS_RUN,
    Incident.kind.in_(list(Kind)),
    Incident.resolved_at.is_(None),
    Incident.status.not_in(CLOSED),
    Incident.begins_at < bindparam("since"),
)
ENDED_BACKWARDS = (
    select(Incident.resolved_at)
    .where(
        *_HAS_RUN,
        Incident.resolved_at <= bindparam("until"),
        Incident.begins_at < bindparam("until"),
    )
    .order_by(Incident.resolved_at.desc())
    .limit(1)
)


def _gate_of_rows(room: type[Incident] | type[IncidentUpdate]) -> ColumnElement[bool]:
    """The same condition, in a form that no index serves: for rows that their keys should find."""
    return case((gate(room), 1), else_=0) == 1


def _raw(column: InstrumentedAttribute[Any]) -> Label[Any]:
    """A column as the driver hands it out, hashable: what it means is worked out only once."""
    return type_coerce(column, NullType()).label(column.key)


# Named one by one: a column that is not named here cannot reach the public by mistake.
_SHOWN = tuple(_raw(column) for column in (
    Incident.code, Incident.kind, Incident.title, Incident.status, Incident.impact,
    Incident.severity_rank, Incident.begins_at, Incident.started_at, Incident.monitoring_at,
    Incident.resolved_at, Incident.scheduled_for, Incident.scheduled_until,
    Incident.cancelled_at, Incident.created_at, Incident.next_update_at, Incident.entry_id,
    Incident.merged_into,
))  # fmt: skip
# What belongs to an incident comes in its own row, as text: the same text is the same view again.
_EARLIER = (
    select(
        func.aggregate_strings(
            JsonArray(
                UpdateRevision.id,
                # What was taken off never leaves the database.
                case((UpdateRevision.taken_off_because == "", UpdateRevision.body), else_=""),
                UpdateRevision.replaced_at,
            ),
            ",",
        )
    )
    .where(UpdateRevision.update_id == IncidentUpdate.id)
    .scalar_subquery()
)


def _update(earlier: ColumnElement[str]) -> JsonArray:
    return JsonArray(
        IncidentUpdate.happened_at, IncidentUpdate.id, IncidentUpdate.code,
        IncidentUpdate.status, IncidentUpdate.body, IncidentUpdate.posted_at,
        IncidentUpdate.edited_at, IncidentUpdate.reopens, IncidentUpdate.next_update_at,
        IncidentUpdate.entry_id, IncidentUpdate.notifies, cast(IncidentUpdate.affected, Text),
        cast(IncidentUpdate.translations, Text), cast(IncidentUpdate.times, Text), earlier,
    )  # fmt: skip


_OF_INCIDENT = (IncidentUpdate.incident_id == Incident.id, _gate_of_rows(IncidentUpdate))
_UPDATES = select(func.aggregate_strings(_update(_EARLIER), ",")).where(*_OF_INCIDENT)
_NEWEST_UPDATE = (
    select(_update(cast(null(), Text)))
    .where(*_OF_INCIDENT)
    .order_by(IncidentUpdate.happened_at.desc(), IncidentUpdate.id.desc())
    .limit(1)
)
# When a maintenance really began, for incidents that have their newest post alone.
_BEGUN = select(type_coerce(func.min(IncidentUpdate.happened_at), NullType())).where(
    *_OF_INCIDENT, IncidentUpdate.status.in_(RUNNING)
)
_AFFECTED = (
    select(func.aggregate_strings(cast(IncidentComponent.component_id, Text), ","))
    .where(IncidentComponent.incident_id == Incident.id)
    .scalar_subquery()
)
_BY_KEYS = (_gate_of_rows(Incident), among(Incident.id, "keys"))
# The columns of a view, its updates, the keys of its components, and when it began.
INCIDENTS = select(Incident.id, *_SHOWN, _UPDATES.scalar_subquery(), _AFFECTED, null()).where(
    *_BY_KEYS
)
INCIDENTS_WITH_NEWEST = select(
    Incident.id, *_SHOWN, _NEWEST_UPDATE.scalar_subquery(), _AFFECTED, _BEGUN.scalar_subquery()
).where(*_BY_KEYS)
BODIES = select(IncidentUpdate.incident_id, IncidentUpdate.body).where(
    _gate_of_rows(IncidentUpdate), among(IncidentUpdate.incident_id, "keys")
)

# The log of a component's states: what stood when the days that are counted began, and what changed
# in them.  Each is one text, `at|id|status,…` in any order: rows would cost five times as much, and
# mostly they say what they said before.
_CHANGE = (
    cast(ComponentChange.at, Text)
    + "|"
    + cast(ComponentChange.id, Text)
    + "|"
    + cast(ComponentChange.status, Text)
)
_STATE_BEFORE = (
    select(_CHANGE)
    .where(ComponentChange.component_id == Component.id, ComponentChange.at < bindparam("since"))
    .order_by(ComponentChange.at.desc(), ComponentChange.id.desc())
    .limit(1)
)
_CHANGES = select(func.aggregate_strings(_CHANGE, ",")).where(
    ComponentChange.component_id == Component.id,
    ComponentChange.at >= bindparam("since"),
    ComponentChange.at <= bindparam("until"),
)
STATE_LOGS = select(
    Component.code, _STATE_BEFORE.scalar_subquery(), _CHANGES.scalar_subquery()
).where(Component.removed_at.is_(None))
STATE_LOG = STATE_LOGS.where(Component.code == bindparam("code"))
# Incidents that went on at some time in the days that are counted, the newest first.
ALL_BEHIND = (
    select(
        IncidentComponent.component_id,
        _raw(Incident.code),
        _raw(Incident.title),
        _raw(Incident.begins_at),
        _raw(Incident.resolved_at),
    )
    .join(IncidentComponent)
    .where(
        _gate_of_rows(Incident),
        Incident.status != MaintenanceStatus.SCHEDULED.value,
        Incident.cancelled_at.is_(None),
        Incident.begins_at <= bindparam("until"),
        Incident.resolved_at.is_(None) | (Incident.resolved_at >= bindparam("since")),
    )
    .order_by(Incident.begins_at.desc(), Incident.id.desc())
)
BEHIND = ALL_BEHIND.where(IncidentComponent.component_id == bindparam("key")).limit(
    MOST_INCIDENTS_COUNTED
)

# The whole history at a glance: little of each incident, but enough to tell whether it changed.
SURVEY = (
    select(
        Incident.id,
        Incident.begins_at.label("moment"),
        Incident.resolved_at.label("ended_at"),
        *_SHOWN,
    )
    .where(gate(Incident))
    .order_by(Incident.begins_at.desc(), Incident.id.desc())
)
SURVEY_POSTS = (
    select(
        IncidentUpdate.incident_id,
        func.count(),
        func.max(IncidentUpdate.id),
        func.count(IncidentUpdate.edited_at),
        type_coerce(func.max(IncidentUpdate.edited_at), NullType()),
        func.sum(func.length(IncidentUpdate.body)),
    )
    .where(gate(IncidentUpdate))
    .group_by(IncidentUpdate.incident_id)
)
SURVEY_AFFECTED = select(IncidentComponent.incident_id, IncidentComponent.component_id)

# One that was ended before it had begun was never public.
_NOTICES = (
    select(PublicNotice.__table__)
    .where(PublicNotice.ends_at.is_(None) | (PublicNotice.ends_at > PublicNotice.begins_at))
    .order_by(PublicNotice.begins_at.desc(), PublicNotice.id.desc())
)
NOTICES = _NOTICES.where(
    PublicNotice.ends_at.is_(None) | (PublicNotice.ends_at > bindparam("since"))
)
NOTICE = _NOTICES.where(PublicNotice.code == bindparam("code"))
SURVEY_NOTICES = _NOTICES.where(PublicNotice.begins_at <= bindparam("until"))

# Named one by one, as above: what Prometheus is asked is internal.
METRICS = (
    select(
        Metric.code, Metric.name, Metric.unit, Metric.decimals,
        Component.code, Component.name, Metric.series,
    )
    .outerjoin(Component, Component.id == Metric.component_id)
    .where(Metric.is_shown, Component.removed_at.is_(None))
    .order_by(func.lower(Metric.name), Metric.id)
)  # fmt: skip

PAGE = select(Page.__table__).order_by(Page.id).limit(1)
GROUPS = select(ComponentGroup.__table__).order_by(ComponentGroup.id)
# As the drivers hand them out: most of them are what they were, and become the same views again.
COMPONENTS = select(
    Component.id,
    Component.group_id,
    *(_raw(column) for column in (
        Component.code, Component.name, Component.description, Component.status,
        Component.position, Component.only_show_if_degraded, Component.created_at,
        Component.updated_at, Component.removed_at,
    )),
    # Whether a rule has set the state that it has.
    select(StateRule.id)
    .where(
        StateRule.component_id == Component.id,
        StateRule.set_at.is_not(None),
        StateRule.status == Component.status,
    )
    .scalar_subquery()
    .is_not(None),
).order_by(Component.id)  # fmt: skip
