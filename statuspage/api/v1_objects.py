"""What v1 answers: pages, components, incidents and subscribers as Statuspage writes them.

An incident and a component begin as the public JSON has them (:mod:`statuspage.public.api_v2`);
here follows what only the management API says.  What this service has not is null, or false.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from statuspage.configuration.incident_templates import Template, components_of
from statuspage.core import clock
from statuspage.core.enums import IncidentStatus, Kind, Visibility
from statuspage.core.links import Links, current_links
from statuspage.models import Component, Incident, Metric, Page, Subscriber
from statuspage.public import api_v2, queries
from statuspage.public.queries import Site
from statuspage.public.snapshot import ComponentView, GroupView

Json = dict[str, Any]
Entry = Mapping[str, Any]

_NOT_HERE: Final = (
    "headline", "branding", "subdomain", "ip_restrictions", "city", "state", "country",
    "notifications_from_email", "notifications_email_footer", "twitter_username",
    "css_body_background_color", "css_font_color", "css_light_font_color", "css_greens",
    "css_yellows", "css_oranges", "css_blues", "css_reds", "css_border_color", "css_graph_color",
    "css_link_color", "css_no_data", "favicon_logo", "transactional_logo", "hero_cover",
    "email_logo", "twitter_logo",
)  # fmt: skip

# Our page shows the days of each component, as Statuspage does of a showcased one.
_COMPONENT: Final[Json] = {"showcase": True, "automation_email": None}


def page_object(page: Page, links: Links) -> Json:
    """The page."""
    return {
        "id": page.code,
        "created_at": _moment(page.created_at, page.zone),
        "updated_at": _moment(page.updated_at, page.zone),
        "name": page.name,
        "page_description": page.about or None,
        "domain": links.host,
        "url": links.base,
        "support_url": page.support_url or None,
        "hidden_from_search": False,
        "allow_page_subscribers": True,
        "allow_incident_subscribers": True,
        "allow_email_subscribers": True,
        "allow_sms_subscribers": False,
        "allow_rss_atom_feeds": True,
        "allow_webhook_subscribers": False,
        "activity_score": 0,
        "viewers_must_be_team_members": False,
        "time_zone": page.time_zone,
        **dict.fromkeys(_NOT_HERE),
    }


def component_object(view: ComponentView, site: Site) -> Json:
    """A component."""
    shown = api_v2.component_object(view, site.page.code, site.zone)
    return {**shown, **_COMPONENT}


def group_row(view: GroupView, site: Site) -> Json:
    """A group where it stands among the components."""
    return {**api_v2.group_object(view, site.page), "automation_email": None}


def group_object(view: GroupView, site: Site) -> Json:
    """A group by itself."""
    return {
        "id": view.code,
        "page_id": site.page.code,
        "name": view.name,
        "description": view.description or None,
        "components": [component.code for component in view.components],
        "position": view.position,
        "created_at": _moment(view.created_at, site.zone),
        "updated_at": _moment(view.updated_at, site.zone),
    }


def public_incident(session: Session, code: str) -> Incident | None:
    """An incident that the public may see; only those are known to v1."""
    chosen = select(Incident).filter_by(code=code, visibility=Visibility.PUBLIC)
    return session.scalars(chosen).one_or_none()


def incident_objects(session: Session, incidents: Sequence[Incident]) -> list[Json]:
    """Incidents with all their updates, in the order given."""
    site = queries.read_site(session)
    views = queries.read_incidents(site, [incident.id for incident in incidents])
    links = current_links()
    made = []
    for incident in incidents:
        document = api_v2.incident_object(views[incident.id], site.page, links)
        for component in document["components"]:
            component |= _COMPONENT
        for update in document["incident_updates"]:
            update |= {"twitter_updated_at": None, "wants_twitter_update": False}
        made.append({**_rest_of_incident(incident, document, site.zone), **document})
    return made


def _rest_of_incident(incident: Incident, document: Json, zone: ZoneInfo) -> Json:
    """What the public JSON does not say; what it does say replaces these."""
    is_planned = incident.kind is Kind.MAINTENANCE
    override = incident.impact_override
    return {
        "impact_override": override.value if override else None,
        "incident_impacts": [],
        "backfilled": incident.origin is not None,
        "metadata": incident.tool_data.get("metadata", {}),
        "reminder_intervals": None,
        "scheduled_for": None,
        "scheduled_until": None,
        "scheduled_remind_prior": is_planned and incident.remind_minutes is not None,
        "scheduled_reminded_at": None,
        "scheduled_auto_in_progress": is_planned and incident.auto_starts,
        "scheduled_auto_completed": is_planned and incident.auto_ends,
        "auto_transition_to_maintenance_state": is_planned,
        "auto_transition_to_operational_state": is_planned,
        "auto_transition_deliver_notifications_at_start": is_planned,
        "auto_transition_deliver_notifications_at_end": is_planned,
        **_postmortem_of(document),
    }


def _postmortem_of(document: Json) -> Json:
    told = [one for one in document["incident_updates"] if one["status"] == "postmortem"]
    newest = told[0] if told else {}
    return {
        "postmortem_body": newest.get("body"),
        "postmortem_body_last_updated_at": newest.get("updated_at"),
        "postmortem_ignored": False,
        "postmortem_notified_subscribers": bool(newest),
        "postmortem_notified_twitter": False,
        "postmortem_published_at": newest.get("created_at"),
    }


def postmortem_object(incident: Incident, document: Json, zone: ZoneInfo) -> Json | None:
    """The draft of an incident's post-mortem and what is published of it; None for neither."""
    kept: Entry = incident.tool_data.get("postmortem") or {}
    told = [one for one in document["incident_updates"] if one["status"] == "postmortem"]
    if not kept and not told:
        return None
    newest: Entry = told[0] if told else {}
    drafted_at = clock.read_exact(kept["at"]) if kept else None
    drafted = _moment(drafted_at, zone)
    return {
        "preview_key": None,
        "body": newest.get("body"),
        "body_updated_at": newest.get("updated_at"),
        "body_draft": kept.get("body"),
        "body_draft_updated_at": drafted,
        "published_at": newest.get("created_at"),
        "notify_subscribers": bool(newest),
        "notify_twitter": False,
        "custom_tweet": None,
        "created_at": newest.get("created_at") or drafted,
        "updated_at": newest.get("updated_at") or drafted,
    }


def subscriber_object(subscriber: Subscriber, codes: Mapping[int, str], zone: ZoneInfo) -> Json:
    """A subscriber by email; ``codes`` are those of components, by their rows' ids."""
    return {
        "id": str(subscriber.id),
        "skip_confirmation_notification": False,
        "mode": "email",
        "email": subscriber.email,
        "endpoint": None,
        "phone_number": None,
        "phone_country": None,
        "display_phone_number": None,
        "obfuscated_channel_name": None,
        "workspace_name": None,
        "quarantined_at": None,
        "purge_at": None,
        "components": [
            codes[link.component_id] for link in subscriber.components if link.component_id in codes
        ],
        "page_access_user_id": None,
        "created_at": _moment(subscriber.asked_at, zone),
    }


def component_codes(session: Session) -> dict[int, str]:
    """The codes of all components, by their rows' ids."""
    return {row[0]: row[1] for row in session.execute(select(Component.id, Component.code))}


def template_object(template: Template, session: Session, site: Site) -> Json:
    """An incident template."""
    named = components_of(session, template.details)
    shown = [component_object(view, site) for key, view in site.by_key.items() if key in named]
    return {
        "id": template.key,
        "components": shown,
        "name": template.details.label,
        "title": template.details.title,
        "body": template.details.users_notice,
        "group_id": None,
        "update_status": IncidentStatus.INVESTIGATING.value,
        "should_tweet": False,
        "should_send_notifications": True,
    }


def metric_object(metric: Metric, zone: ZoneInfo) -> Json:
    """A metric; of what it is made stays here."""
    return {
        "id": metric.code,
        "metrics_provider_id": None,
        "metric_identifier": None,
        "name": metric.name,
        "display": metric.is_shown,
        "tooltip_description": None,
        "backfilled": False,
        "y_axis_min": None,
        "y_axis_max": None,
        "y_axis_hidden": False,
        "suffix": metric.unit or None,
        "decimal_places": metric.decimals,
        "most_recent_data_at": _moment(metric.newest_at, zone),
        "created_at": _moment(metric.created_at, zone),
        "updated_at": _moment(metric.updated_at, zone),
        "last_fetched_at": _moment(metric.read_at, zone),
        "backfill_percentage": None,
        "reference_name": None,
    }


def _moment(moment: datetime | None, zone: ZoneInfo) -> str | None:
    return clock.iso_millis(moment, zone) if moment else None
