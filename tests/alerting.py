"""Tools that send alerts: what each posts, by its documentation, and a source to post to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from statuspage.intake import alert_sources
from statuspage.intake.alert_mapping import TOOLS, IncomingAlert, read_alerts
from statuspage.intake.alert_sources import SourceDetails
from tests.announcing import ACTOR

Payload = dict[str, Any]


def make_source(**details: Any) -> tuple[int, str]:
    """A source of Alertmanager's alerts, and its key."""
    return alert_sources.add_source(
        SourceDetails(**{"name": "Production", "tool": "alertmanager", **details}), actor=ACTOR
    )


def notice(*alerts: Payload, group: str = "one") -> Payload:
    """What Alertmanager posts of one group."""
    return {
        "version": "4",
        "groupKey": f'{{}}:{{alertname="{group}"}}',
        "status": "firing",
        "receiver": "statuspage",
        "externalURL": "http://alertmanager.example:9093",
        "alerts": list(alerts) or [alert()],
    }


def alert(name: str = "HighErrorRate", *, number: int = 1, **changes: Any) -> Payload:
    """One alert of Alertmanager's; ``labels`` are added."""
    labels = {"alertname": name, "instance": str(number), **changes.pop("labels", {})}
    return {
        "status": "firing",
        "labels": labels,
        "annotations": {"summary": "Many requests fail", "description": "More than 5 % fail."},
        "startsAt": "2026-03-04T11:50:00.123456789Z",
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus.example:9090/graph",
        "fingerprint": f"{name}-{number}",
        **changes,
    }


def over(one: Payload) -> Payload:
    """The same alert, resolved."""
    return {**one, "status": "resolved", "endsAt": "2026-03-04T11:58:00Z"}


def incoming(payload: Payload, tool: str = "alertmanager") -> list[IncomingAlert]:
    """The alerts of a request, read."""
    return read_alerts(TOOLS[tool].mapping, payload)[0]


def _of_pagerduty(event: str, status: str) -> Payload:
    return {
        "event": {
            "id": "01EVENT",
            "event_type": event,
            "resource_type": "incident",
            "occurred_at": "2026-03-04T11:50:00Z",
            "data": {
                "id": "PINCIDENT",
                "type": "incident",
                "html_url": "https://acme.pagerduty.example/incidents/PINCIDENT",
                "status": status,
                "created_at": "2026-03-04T11:50:00Z",
                "title": "Many requests fail",
                "service": {"id": "PSERVICE", "summary": "Checkout"},
                "priority": {"id": "P1", "summary": "P1"},
                "urgency": "high",
            },
        }
    }


def _of_sentry(action: str) -> Payload:
    return {
        "action": action,
        "actor": {"id": "sentry", "name": "Sentry", "type": "application"},
        "data": {
            "metric_alert": {
                "id": "7",
                "date_started": "2026-03-04T11:50:00Z",
                "projects": ["checkout"],
                "alert_rule": {"name": "Too many errors", "aggregate": "count()"},
            },
            "description_title": "Many requests fail",
            "description_text": "1000 events in the last 10 minutes",
            "web_url": "https://sentry.example/alerts/7",
        },
    }


def _of_datadog(transition: str) -> Payload:
    return {
        "alert_id": "123",
        "cycle": "1234567",
        "transition": transition,
        "title": "Many requests fail",
        "text": "More than 5 %",
        "tags": "service:checkout,env:prod",
        "link": "https://app.datadog.example/event",
        "date": 1772625000000,
        "priority": "P1",
    }


def _of_uptime_kuma(status: int) -> Payload:
    return {
        "heartbeat": {
            "monitorID": 29,
            "status": status,
            "time": "2026-03-04 11:50:00.527",
            "msg": "timeout",
            "important": True,
        },
        "monitor": {
            "id": 29, "name": "Many requests fail", "url": "https://example.com", "type": "http",
            "tags": [{"name": "service", "value": "checkout"}],
        },
        "msg": "[Many requests fail] timeout",
    }  # fmt: skip


def _of_gatus(state: str) -> Payload:
    return {
        "key": "shop_checkout",
        "name": "Many requests fail",
        "group": "shop",
        "description": "healthcheck failed",
        "url": "https://example.com",
        "state": state,
        "labels": {"service": "checkout"},
    }


def _of_better_stack(event: str) -> Payload:
    return {
        "event": event,
        "data": {
            "id": "1",
            "type": "incident",
            "attributes": {
                "name": "Many requests fail",
                "url": "https://example.com",
                "cause": "Status 500",
                "started_at": "2026-03-04T11:50:00.151Z",
                "resolved_at": None,
            },
        },
    }


def _of_grafana(status: str) -> Payload:
    one = alert(labels={"service": "checkout"})
    changed = {**one, "status": status, "dashboardURL": "https://grafana.example/d/1", "values": {}}
    return {**notice(changed), "orgId": 1, "title": "[FIRING:1]", "state": "alerting"}


def _of_generic(status: str) -> Payload:
    return {
        "id": "one",
        "title": "Many requests fail",
        "state": status,
        "started_at": "2026-03-04T11:50:00Z",
        "labels": {"service": "checkout"},
    }


BOTH_STATES: Final[Mapping[str, tuple[Payload, Payload]]] = {
    "alertmanager": (notice(), notice(over(alert()))),
    "grafana": (_of_grafana("firing"), _of_grafana("resolved")),
    "sentry": (_of_sentry("critical"), _of_sentry("resolved")),
    "datadog": (_of_datadog("Triggered"), _of_datadog("Recovered")),
    "pagerduty": (
        _of_pagerduty("incident.triggered", "triggered"),
        _of_pagerduty("incident.resolved", "resolved"),
    ),
    "uptimekuma": (_of_uptime_kuma(0), _of_uptime_kuma(1)),
    "gatus": (_of_gatus("TRIGGERED"), _of_gatus("RESOLVED")),
    "betterstack": (_of_better_stack("started"), _of_better_stack("resolved")),
    "generic": (_of_generic("firing"), _of_generic("resolved")),
    "people": (_of_generic("firing"), _of_generic("resolved")),
}
"""By tool: what it posts when an alert fires, and when the same one resolves."""
