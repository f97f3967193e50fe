"""Every JSON document has the fields of Statuspage's, in their order, of their types, and no more.

The description below was written down from documents that Atlassian Statuspage served.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from statuspage.core.db import db, writing
from statuspage.core.enums import ComponentStatus
from statuspage.models import IncidentUpdate
from statuspage.models.revision import bump
from statuspage.public.edition_builder import build_edition
from tests.editions import own_documents
from tests.factories import (
    LINKS,
    make_component,
    make_group,
    make_incident,
    make_maintenance,
    make_page,
)

MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}(Z|[+-]\d\d:\d\d)")

# An empty text stands for any; a trailing "?" may be null; "@" is a time; brackets make a list,
# which with a second None may be null.
PAGE = {"id": "", "name": "", "url": "", "time_zone": "", "updated_at": "@"}
STATUS = {"indicator": "none|minor|major|critical", "description": ""}
COMPONENT = {
    "id": "", "name": "",
    "status": "operational|under_maintenance|degraded_performance|partial_outage|major_outage",
    "created_at": "@", "updated_at": "@", "position": 0, "description": "?", "showcase": False,
    "start_date": "?", "group_id": "?", "page_id": "", "group": False,
    "only_show_if_degraded": False,
}  # fmt: skip
GROUP = {**COMPONENT, "components": [""]}
AFFECTED = {"code": "", "name": "", "old_status": "", "new_status": ""}
UPDATE = {
    "id": "", "status": "", "body": "", "incident_id": "", "created_at": "@", "updated_at": "@",
    "display_at": "@", "affected_components": [AFFECTED, None], "deliver_notifications": False,
    "custom_tweet": "?", "tweet_id": "?",
}  # fmt: skip
INCIDENT = {
    "id": "", "name": "", "status": "investigating|identified|monitoring|resolved|postmortem",
    "created_at": "@", "updated_at": "@", "monitoring_at": "@?", "resolved_at": "@?",
    "impact": "none|minor|major|critical", "shortlink": "", "started_at": "@", "page_id": "",
    "incident_updates": [UPDATE], "components": [COMPONENT],
}  # fmt: skip
MAINTENANCE = {
    **INCIDENT, "status": "scheduled|in_progress|verifying|completed", "impact": "maintenance",
    "scheduled_for": "@", "scheduled_until": "@",
}  # fmt: skip
PLANNED = {"page": PAGE, "scheduled_maintenances": [MAINTENANCE]}
TOLD = {"page": PAGE, "incidents": [INCIDENT]}
DOCUMENTS = {
    "summary": {
        "page": PAGE, "components": [COMPONENT], "incidents": [INCIDENT],
        "scheduled_maintenances": [MAINTENANCE], "status": STATUS,
    },
    "status": {"page": PAGE, "status": STATUS},
    "components": {"page": PAGE, "components": [COMPONENT]},
    "incidents": TOLD,
    "incidents/unresolved": TOLD,
    "incidents/incident0000": {"page": PAGE, "incident": INCIDENT},
    "incidents/planned00000": {"page": PAGE, "incident": MAINTENANCE},
    "scheduled-maintenances": PLANNED,
    "scheduled-maintenances/upcoming": PLANNED,
    "scheduled-maintenances/active": PLANNED,
}  # fmt: skip

pytestmark = pytest.mark.usefixtures("frozen")


@pytest.fixture
def told(app: Flask) -> dict[str, object]:
    """The documents of a page that has something of everything."""

    def write(session: Session) -> None:
        make_page(session, time_zone="America/Denver")
        shop = make_group(session, description="Where orders come in")
        checkout = make_component(session, group_id=shop.id, status=ComponentStatus.PARTIAL_OUTAGE)
        make_component(session, "Fax", position=1, description="Yes, fax")
        make_incident(
            session, code="incident0000", components=[checkout],
            updates=("investigating", "identified", "monitoring"),
        )  # fmt: skip
        make_incident(session, "Over", updates=("resolved",), components=[checkout])
        make_maintenance(session, code="planned00000", components=[checkout])
        make_maintenance(session, "Going on", updates=("in_progress",), components=[checkout])
        for update in session.query(IncidentUpdate):
            update.affected = [
                {"code": checkout.code, "name": "Shop - Checkout", "old_status": "operational",
                 "new_status": "partial_outage"}
            ]  # fmt: skip

    with app.app_context():
        with writing() as session:
            write(session)
            bump(session)
        made = own_documents(build_edition(db.engine, LINKS))
        return {name: json.loads(made[f"/api/v2/{name}.json"].body) for name in DOCUMENTS}


def test_every_document_has_the_samples_fields_order_and_types(told: dict[str, object]) -> None:
    assert {name: list(differences(told[name], DOCUMENTS[name], name)) for name in DOCUMENTS} == {
        name: [] for name in DOCUMENTS
    }


def test_no_list_was_empty(told: dict[str, object]) -> None:
    assert not re.search(r": \[\]", json.dumps(told))


def differences(value: object, shape: object, where: str) -> Iterator[str]:
    """Where a document departs from its shape."""
    if isinstance(shape, dict):
        if shape is COMPONENT and isinstance(value, dict) and value.get("group"):
            shape = GROUP
        if not isinstance(value, dict) or list(value) != list(shape):
            yield f"{where}: {value if not isinstance(value, dict) else list(value)}"
            return
        for name, inner in shape.items():
            yield from differences(value[name], inner, f"{where}.{name}")
    elif isinstance(shape, list):
        if value is None and None in shape:
            return
        for place, each in enumerate(value if isinstance(value, list) else [None]):
            yield from differences(each, shape[0], f"{where}[{place}]")
    elif not fits(value, shape):
        yield f"{where}: {value!r}"


def fits(value: object, shape: object) -> bool:
    if not isinstance(shape, str):
        return type(value) is type(shape)
    if value is None:
        return shape.endswith("?")
    if not isinstance(value, str):
        return False
    if shape.startswith("@"):
        return bool(MOMENT.fullmatch(value))
    return ("|" not in shape and shape != "maintenance") or value in shape.split("|")


@pytest.mark.parametrize(
    ("value", "shape"),
    [
        ({"id": "a", "more": 1}, {"id": ""}),
        ({"b": "", "a": ""}, {"a": "", "b": ""}),
        ("2026-03-04T12:00:00Z", "@"),
        (None, ""),
        (1, False),
        ("maintenance", "none|minor|major|critical"),
        ([{"id": 1}], [{"id": ""}]),
        (None, [{"id": ""}]),
        ({}, ["x"]),
    ],
)
def test_what_departs_is_noticed(value: object, shape: object) -> None:
    assert list(differences(value, shape, "here"))
