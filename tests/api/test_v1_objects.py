"""What v1 answers has each name that Statuspage documents, and null where there is nothing."""

from __future__ import annotations

from tests.api.statuspage_tool import StatuspageTool

# Of https://developer.statuspage.io, schema by schema.
COMPONENT = {
    *("id", "page_id", "group_id", "created_at", "updated_at", "group", "name", "description"),
    *("position", "status", "showcase", "only_show_if_degraded", "automation_email", "start_date"),
}
INCIDENT = {
    *("id", "components", "created_at", "impact", "impact_override", "incident_updates"),
    *("incident_impacts", "metadata", "monitoring_at", "name", "page_id", "postmortem_body"),
    *("postmortem_body_last_updated_at", "postmortem_ignored", "postmortem_notified_subscribers"),
    *("postmortem_notified_twitter", "postmortem_published_at", "resolved_at"),
    *("scheduled_auto_completed", "scheduled_auto_in_progress", "scheduled_for"),
    *("auto_transition_deliver_notifications_at_end", "scheduled_remind_prior"),
    *("auto_transition_deliver_notifications_at_start", "auto_transition_to_maintenance_state"),
    *("auto_transition_to_operational_state", "scheduled_reminded_at", "scheduled_until"),
    *("shortlink", "status", "updated_at", "reminder_intervals"),
}
UPDATE = {
    *("id", "incident_id", "affected_components", "body", "created_at", "custom_tweet"),
    *("deliver_notifications", "display_at", "status", "tweet_id", "twitter_updated_at"),
    *("updated_at", "wants_twitter_update"),
}
SUBSCRIBER = {
    *("id", "skip_confirmation_notification", "mode", "email", "endpoint", "phone_number"),
    *("phone_country", "display_phone_number", "obfuscated_channel_name", "workspace_name"),
    *("quarantined_at", "purge_at", "components", "page_access_user_id", "created_at"),
}
PAGE_NAMES = {
    *("id", "created_at", "updated_at", "name", "page_description", "headline", "branding"),
    *("subdomain", "domain", "url", "support_url", "hidden_from_search", "allow_page_subscribers"),
    *("allow_incident_subscribers", "allow_email_subscribers", "allow_sms_subscribers"),
    *("allow_rss_atom_feeds", "allow_webhook_subscribers", "notifications_from_email"),
    *("notifications_email_footer", "activity_score", "twitter_username", "ip_restrictions"),
    *("viewers_must_be_team_members", "city", "state", "country", "time_zone", "css_no_data"),
    *("css_body_background_color", "css_font_color", "css_light_font_color", "css_greens"),
    *("css_yellows", "css_oranges", "css_blues", "css_reds", "css_border_color"),
    *("css_graph_color", "css_link_color", "favicon_logo", "transactional_logo", "hero_cover"),
    *("email_logo", "twitter_logo"),
}


def test_each_documented_name_is_there(tool: StatuspageTool) -> None:
    incident = tool.create(
        name="Payments fail", body="We are looking into it.", component_ids=[tool.checkout]
    )
    subscriber = tool.send("POST", "/subscribers", {"subscriber": {"email": "a@example.com"}}).json
    assert subscriber is not None
    group = {"component_group": {"name": "Shop", "components": [tool.catalog]}}
    made = tool.send("POST", "/component-groups", group).json
    assert made is not None
    found = {
        "incident": INCIDENT - incident.keys(),
        "update": UPDATE - incident["incident_updates"][0].keys(),
        "component": COMPONENT - incident["components"][0].keys(),
        "group row": COMPONENT - tool.get("/components")[0].keys(),
        "group": {"id", "page_id", "name", "description", "components", "position", "created_at",
                  "updated_at"} - made.keys(),
        "subscriber": SUBSCRIBER - subscriber.keys(),
        "page": PAGE_NAMES - tool.get("").keys(),
    }  # fmt: skip
    assert found == {name: set() for name in found}
    assert (incident["scheduled_for"], incident["reminder_intervals"]) == (None, None)
