"""A whole page by Statuspage's management API, against a stand-in."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskCliRunner
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from statuspage.configuration.incident_templates import incident_templates
from statuspage.core.db import writing
from statuspage.importers.published import UnusableHistory
from statuspage.importers.statuspage_api import StatuspageAccount, fetch_page
from statuspage.models import Component, Incident, Subscriber
from tests.factories import make_page
from tests.fakes.statuspage import KEY, FakeStatuspage

PAGE = {
    "id": "p00000000000", "name": "ShopStack", "url": "https://shopstack.example",
    "domain": "status.shopstack.example", "time_zone": "Etc/UTC",
}  # fmt: skip
COMPONENT = {
    "id": "c00000000001", "name": "Checkout", "status": "operational", "position": 2,
    "group_id": "g00000000001", "created_at": "2025-01-01T00:00:00Z",
}  # fmt: skip
GROUP = {"id": "g00000000001", "name": "Shop", "components": ["c00000000001"], "position": 1}


def incident(number: int, **changes: Any) -> dict[str, Any]:
    day = f"2025-0{number % 9 + 1}-{number % 28 + 1:02}"
    return {
        "id": f"i{number:011}", "name": f"Incident {number}", "status": "resolved",
        "impact": "minor", "created_at": f"{day}T10:00:00Z", "resolved_at": f"{day}T11:00:00Z",
        "scheduled_for": None,
        "incident_updates": [
            {
                "id": f"r{number:011}", "status": "resolved", "body": "It works again.",
                "created_at": f"{day}T11:00:00Z",
                "affected_components": [{
                    "code": "c00000000001", "name": "Checkout",
                    "old_status": "degraded_performance", "new_status": "operational",
                }],
            },
            {
                "id": f"u{number:011}", "status": "investigating", "body": "It is slow.",
                "created_at": f"{day}T10:00:00Z",
                "affected_components": [{
                    "code": "c00000000001", "name": "Checkout",
                    "old_status": "operational", "new_status": "degraded_performance",
                }],
            },
        ],
        **changes,
    }  # fmt: skip


LISTS = {
    "/components": [COMPONENT],
    "/component-groups": [GROUP],
    # More than one page of them, and more than the public documents give.
    "/incidents": [incident(number) for number in range(120)],
    "/subscribers": [
        {"mode": "email", "email": "ana@example.com", "created_at": "2025-03-01T00:00:00Z",
         "components": ["c00000000001"]},
        {"mode": "email", "email": "bo@example.com", "created_at": "2025-03-01T00:00:00Z",
         "quarantined_at": "2025-04-01T00:00:00Z"},
        {"mode": "sms", "phone_number": "5550100", "created_at": "2025-03-01T00:00:00Z"},
    ],
    "/incident_templates": [
        {"id": "t00000000001", "name": "Payments", "title": "Payments fail", "body": "Cards fail.",
         "update_status": "investigating", "components": [COMPONENT]},
        {"id": "t00000000002", "name": "All clear", "title": "", "body": "It works again.",
         "update_status": "resolved", "components": []},
    ],
}  # fmt: skip


def test_the_whole_history_and_who_confirmed_move_and_move_again_without_doubling(
    runner: FlaskCliRunner, session: Session
) -> None:
    with writing() as writes:
        make_page(writes)
    with FakeStatuspage(PAGE, LISTS) as server:
        command = ["import-statuspage-account", PAGE["id"], "--key", KEY, "--api", server.api]
        runs = [runner.invoke(args=[*command, *options]) for options in (["--preview"], [], [])]
    assert [run.stdout.splitlines() for run in runs] == [
        [
            "Incidents: would be: 120 added, 0 updated, 0 unchanged, 0 left out. "
            "Components: 1 added.",
            "Subscribers: would be: 1 added, 0 updated, 0 unchanged, 0 refused.",
            "Templates: would be: 1 added, 0 unchanged.",
        ],
        [
            "Incidents: 120 added, 0 updated, 0 unchanged, 0 left out. Components: 1 added.",
            "Subscribers: 1 added, 0 updated, 0 unchanged, 0 refused.",
            "Templates: 1 added, 0 unchanged.",
        ],
        [
            "Incidents: 0 added, 0 updated, 120 unchanged, 0 left out. Components: 0 added.",
            "Subscribers: 0 added, 0 updated, 1 unchanged, 0 refused.",
            "Templates: 0 added, 1 unchanged.",
        ],
    ]  # fmt: skip
    assert runs[1].stderr.splitlines() == [
        "statuspage: subscriber 2: is quarantined there: left out",
        "statuspage: subscriber 3: is told by sms, not by email: left out",
        "statuspage: template 'All clear': is for an update that says resolved, and begins no "
        "incident: left out",
    ]
    session.rollback()
    assert session.scalar(select(func.count(Incident.id))) == 120
    checkout = session.scalars(select(Component)).one()
    assert (checkout.code, checkout.position, checkout.group and checkout.group.name) == (
        "c00000000001", 2, "Shop",
    )  # fmt: skip
    ana = session.scalars(select(Subscriber)).one()
    assert [link.component_id for link in ana.components] == [checkout.id]
    (added,) = [one.details for one in incident_templates(session) if not one.is_shipped]
    assert (added.label, added.title, added.users_notice, added.names) == (
        "Payments", "Payments fail", "Cards fail.", ["Checkout"],
    )  # fmt: skip


def test_the_limit_of_requests_is_waited_for() -> None:
    waits: list[float] = []
    with FakeStatuspage(PAGE, LISTS) as server:
        server.script.extend([420, 429])
        page = fetch_page(StatuspageAccount(PAGE["id"], KEY, server.api), wait=waits.append)
    assert (waits, len(page.subscribers)) == ([1.0, 2.0], 1)


def test_a_key_that_is_refused_is_named() -> None:
    with FakeStatuspage(PAGE, LISTS) as server:
        with pytest.raises(UnusableHistory) as refused:
            fetch_page(StatuspageAccount(PAGE["id"], "wrong", server.api))
        assert str(refused.value) == f"{server.api}: the page answers 401"
