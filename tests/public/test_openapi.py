"""Every address that ``/api/openapi.json`` describes, called with what a machine makes up."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from sqlalchemy.orm import Session

from statuspage.core.config import load_settings
from statuspage.core.db import db, writing
from statuspage.core.enums import ComponentStatus
from statuspage.models.revision import bump
from statuspage.runtime.application import create_app
from tests.databases import SqliteTemplate
from tests.editions import serve_at_once
from tests.factories import (
    LINKS,
    make_component,
    make_group,
    make_incident,
    make_maintenance,
    make_page,
)

SETTINGS = settings(
    max_examples=6,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def schema(
    sqlite_template: SqliteTemplate, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[schemathesis.BaseSchema]:
    """The description as the service serves it, on a page with something to tell."""
    folder: Path = tmp_path_factory.mktemp("described")
    sqlite_template.copy_to(folder)
    app = create_app(load_settings({"DATA_DIR": str(folder), "PUBLIC_URL": LINKS.base}))
    with app.app_context(), writing() as session:
        write(session)
        bump(session)
    serve_at_once(app)
    yield schemathesis.openapi.from_wsgi("/api/openapi.json", app)
    with app.app_context():
        db.engine.dispose()


def write(session: Session) -> None:
    make_page(session, time_zone="Asia/Kathmandu")
    shop = make_group(session)
    checkout = make_component(
        session, group_id=shop.id, status=ComponentStatus.DEGRADED_PERFORMANCE
    )
    make_component(session, "Fax", position=1, only_show_if_degraded=True, description="Fax!")
    make_incident(session, components=[checkout], updates=("investigating", "identified"))
    make_incident(session, "Over", updates=("investigating", "monitoring", "resolved"))
    make_maintenance(session, components=[checkout])
    make_maintenance(session, "Cleaning", updates=("scheduled", "in_progress", "completed"))


HEADERS = {"Host": "status.example.com", "Accept-Encoding": "identity"}


def operations(schema: schemathesis.BaseSchema) -> list[schemathesis.APIOperation]:
    return [found.ok() for found in schema.get_all_operations()]


def call_often(operation: schemathesis.APIOperation, mode: schemathesis.GenerationMode) -> set[int]:
    """Call it with generated requests; the statuses that were answered."""
    statuses = set()

    @SETTINGS
    @given(case=operation.as_strategy(generation_mode=mode))
    def call(case: schemathesis.Case) -> None:
        statuses.add(case.call_and_validate(headers=HEADERS).status_code)

    call()
    return statuses


def test_every_document_is_as_described(schema: schemathesis.BaseSchema) -> None:
    found = {
        operation.path: call_often(operation, schemathesis.GenerationMode.POSITIVE)
        for operation in operations(schema)
    }
    assert found == {path: {404 if "{" in path else 200} for path in schema.raw_schema["paths"]}


def test_a_code_that_is_none_is_not_found(schema: schemathesis.BaseSchema) -> None:
    with_code = [operation for operation in operations(schema) if "{code}" in operation.path]
    assert len(with_code) == 2
    for operation in with_code:
        assert call_often(operation, schemathesis.GenerationMode.NEGATIVE) <= {404, 405}


def test_every_incident_and_badge_is_as_described(schema: schemathesis.BaseSchema) -> None:
    by_path = {operation.path: operation for operation in operations(schema)}
    codes = {
        "/api/v2/incidents/{code}.json": codes_in(by_path, "incidents"),
        "/components/{code}/badge.svg": codes_in(by_path, "components"),
    }
    for path, known in codes.items():
        assert known
        for code in known:
            case = by_path[path].Case(path_parameters={"code": code})
            assert case.call_and_validate(headers=HEADERS).status_code == 200


def codes_in(by_path: dict[str, schemathesis.APIOperation], name: str) -> list[str]:
    """The codes of what one of the JSON documents lists, groups aside."""
    answer = by_path[f"/api/v2/{name}.json"].Case().call(headers=HEADERS)
    return [each["id"] for each in answer.json()[name] if not each.get("group")]
