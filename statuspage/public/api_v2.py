"""The public JSON, field for field as Atlassian Statuspage serves it.

Names, order, nulls and words are what existing clients read (https://metastatuspage.com/api):
times carry milliseconds and the page zone's offset, updates stand newest first, and what has no
value here is null.  ``shortlink`` is the incident's own address.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from statuspage.core import clock
from statuspage.core.links import Links
from statuspage.public.snapshot import (
    Affected,
    ComponentView,
    Frame,
    GroupView,
    IncidentView,
    PageView,
    Snapshot,
    UpdateView,
)

Json = dict[str, Any]

CONTENT_TYPE = "application/json; charset=utf-8"


def api_documents(snapshot: Snapshot, links: Links) -> dict[str, bytes]:
    """Every document of the present state and the recent past, by its path."""
    page = snapshot.page
    head = {"page": _write(_page(page, snapshot.updated_at, links))}
    status = {"status": _write(_status(snapshot.frame))}
    components = {"components": _write_tree(snapshot)}

    def incidents(shown: Iterable[IncidentView]) -> dict[str, str]:
        return {"incidents": _write_incidents(shown, page, links)}

    def maintenances(shown: Iterable[IncidentView]) -> dict[str, str]:
        return {"scheduled_maintenances": _write_incidents(shown, page, links)}

    unresolved, recent = incidents(snapshot.open_incidents), incidents(snapshot.incidents)
    planned = maintenances((*snapshot.active, *snapshot.upcoming))
    documents = {
        "summary": {**head, **components, **unresolved, **planned, **status},
        "status": {**head, **status},
        "components": {**head, **components},
        "incidents": {**head, **recent},
        "incidents/unresolved": {**head, **unresolved},
        "scheduled-maintenances": {**head, **maintenances(snapshot.maintenances)},
        "scheduled-maintenances/upcoming": {**head, **maintenances(snapshot.upcoming)},
        "scheduled-maintenances/active": {**head, **maintenances(snapshot.active)},
    }
    return {f"/api/v2/{name}.json": _join(parts) for name, parts in documents.items()}


def incident_document(page: PageView, incident: IncidentView, links: Links) -> bytes:
    """One incident by itself."""
    moment = max(page.updated_at, incident.updated_at)
    head = {"page": _write(_page(page, moment, links))}
    return _join({**head, "incident": _write_incident(incident, page, links)})


def write_json(document: Json) -> bytes:
    """Any other document as bytes."""
    return _write(document).encode()


def _write(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _join(parts: dict[str, str]) -> bytes:
    """An object of parts that are written already."""
    members = ",".join(f'"{name}":{text}' for name, text in parts.items())
    return f"{{{members}}}".encode()


def _write_incidents(incidents: Iterable[IncidentView], page: PageView, links: Links) -> str:
    return f"[{','.join(_write_incident(incident, page, links) for incident in incidents)}]"


@lru_cache(maxsize=512)
def _write_incident(incident: IncidentView, page: PageView, links: Links) -> str:
    """An incident as text: it stands in several documents, and in the next edition again."""
    return _write(incident_object(incident, page, links))


def _page(page: PageView, updated_at: datetime, links: Links) -> Json:
    return {
        "id": page.code,
        "name": page.name,
        "url": links.base,
        "time_zone": "Etc/UTC" if page.time_zone == "UTC" else page.time_zone,
        "updated_at": clock.iso_millis(updated_at, page.zone),
    }


def _status(frame: Frame) -> Json:
    return {"indicator": frame.indicator.value, "description": frame.description}


def _write_tree(snapshot: Snapshot) -> str:
    page, zone = snapshot.page, snapshot.page.zone
    rows: list[str] = []
    for item in snapshot.tree:
        if isinstance(item, GroupView):
            rows.append(_write(group_object(item, page)))
            rows += [_write_component(each, page.code, zone) for each in item.components]
        else:
            rows.append(_write_component(item, page.code, zone))
    return f"[{','.join(rows)}]"


@lru_cache(maxsize=8192)
def _write_component(component: ComponentView, page_code: str, zone: ZoneInfo) -> str:
    """A component as text: a post changes few of them."""
    return _write(component_object(component, page_code, zone))


def group_object(group: GroupView, page: PageView) -> Json:
    """A group, as it stands among the components."""
    return {
        "id": group.code,
        "name": group.name,
        "status": group.status.value,
        "created_at": clock.iso_millis(group.created_at, page.zone),
        "updated_at": clock.iso_millis(group.updated_at, page.zone),
        "position": group.position,
        "description": group.description or None,
        "showcase": False,
        "start_date": None,
        "group_id": None,
        "page_id": page.code,
        "group": True,
        "only_show_if_degraded": False,
        "components": [component.code for component in group.components],
    }


def component_object(component: ComponentView, page_code: str, zone: ZoneInfo) -> Json:
    """A component."""
    return {
        "id": component.code,
        "name": component.name,
        "status": component.status.value,
        "created_at": clock.iso_millis(component.created_at, zone),
        "updated_at": clock.iso_millis(component.updated_at, zone),
        "position": component.position,
        "description": component.description or None,
        "showcase": False,
        "start_date": None,
        "group_id": component.group_code,
        "page_id": page_code,
        "group": False,
        "only_show_if_degraded": component.only_show_if_degraded,
    }


def incident_object(incident: IncidentView, page: PageView, links: Links) -> Json:
    """An incident or a maintenance with its updates, newest first."""
    # A maintenance has started, for Statuspage, when it was announced.
    started_at = (
        min(incident.started_at, incident.created_at)
        if incident.is_maintenance
        else incident.started_at
    )
    document: Json = {
        "id": incident.code,
        "name": incident.title,
        "status": incident.status.value,
        "created_at": clock.iso_millis(incident.created_at, page.zone),
        "updated_at": clock.iso_millis(incident.updated_at, page.zone),
        "monitoring_at": _time(incident.monitoring_at, page),
        "resolved_at": _time(incident.resolved_at, page),
        "impact": incident.impact.value,
        "shortlink": links.incident(incident.code),
        "started_at": clock.iso_millis(started_at, page.zone),
        "page_id": page.code,
        "incident_updates": [_post(update, incident, page) for update in incident.updates],
        "components": [
            component_object(component, page.code, page.zone) for component in incident.components
        ],
    }
    if incident.is_maintenance:
        end = incident.scheduled_until or incident.begins_at
        document["scheduled_for"] = clock.iso_millis(incident.begins_at, page.zone)
        document["scheduled_until"] = clock.iso_millis(end, page.zone)
    return document


def _post(update: UpdateView, incident: IncidentView, page: PageView) -> Json:
    return {
        "id": update.code,
        "status": update.status.value,
        "body": update.body,
        "incident_id": incident.code,
        "created_at": clock.iso_millis(update.posted_at, page.zone),
        "updated_at": clock.iso_millis(update.changed_at, page.zone),
        "display_at": clock.iso_millis(update.happened_at, page.zone),
        # Statuspage has null here, and not an empty list.
        "affected_components": [_affected(change) for change in update.affected] or None,
        "deliver_notifications": update.notifies,
        "custom_tweet": None,
        "tweet_id": None,
    }


def _affected(change: Affected) -> Json:
    return {
        "code": change.code,
        "name": change.name,
        "old_status": change.old_status.value,
        "new_status": change.new_status.value,
    }


def _time(moment: datetime | None, page: PageView) -> str | None:
    return clock.iso_millis(moment, page.zone) if moment else None
