"""Sources of alerts: a key of their own, kept as a hash, and signatures where a tool signs."""

from __future__ import annotations

import hmac
from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from statuspage.access import api_keys
from statuspage.access.permissions import Forbidden
from statuspage.core.db import current_session
from statuspage.core.enums import AccountRole
from statuspage.core.errors import Invalid
from statuspage.intake.alert_mapping import AlertMapping
from statuspage.intake.alert_sources import (
    SourceDetails,
    add_source,
    alert_sources,
    change_source,
    mapping_of,
    remove_source,
    renew_key,
    source_of_key,
    source_that_signed,
)
from statuspage.models import AlertSource, AuditEntry
from tests.actors import acting
from tests.alerting import make_source
from tests.announcing import ACTOR, Scenario, set_up_scenario

SECRET = "a secret that they showed"
BODY = b'{"event": {}}'


@pytest.fixture
def scenario(app: Flask, session: Session) -> Scenario:
    return set_up_scenario(app)


pytestmark = pytest.mark.usefixtures("scenario")


def source(source_id: int) -> AlertSource:
    current_session().expire_all()
    return current_session().get_one(AlertSource, source_id)


def holder_of(token: str) -> int | None:
    holder = api_keys.use_key(token, address="192.0.2.1")
    return holder.key_id if holder else None


def test_a_source_has_a_key_that_does_nothing_else() -> None:
    source_id, token = make_source()
    holder = api_keys.use_key(token, address="192.0.2.1")
    assert holder is not None
    found = source_of_key(current_session(), holder.key_id)
    assert found is not None
    assert (found.id, found.key.scopes) == (source_id, ["alerts"])
    assert token not in str(vars(found.key))


def test_another_key_ends_the_one_before() -> None:
    source_id, first = make_source()
    second = renew_key(source_id, actor=ACTOR)
    assert holder_of(first) is None
    assert holder_of(second) == source(source_id).key_id


def test_a_removed_source_has_no_key() -> None:
    source_id, token = make_source()
    remove_source(source_id, actor=ACTOR)
    assert (holder_of(token), alert_sources(current_session())) == (None, [])
    with pytest.raises(Invalid):
        change_source(source_id, SourceDetails("Again", "alertmanager"), actor=ACTOR)


def test_rules_and_mappings_are_checked_before_they_are_kept() -> None:
    details = SourceDetails("Ours", "generic")
    for wrong, field in (
        (replace(details, severity_rules="severity = x -> SEV9"), "severity_rules"),
        (replace(details, component_rules="x"), "component_rules"),
        (replace(details, mapping=AlertMapping()), "title"),
        (replace(details, tool="other"), "tool"),
    ):
        with pytest.raises(Invalid) as refused:
            add_source(wrong, actor=ACTOR)
        assert refused.value.field == field


def test_only_a_source_of_any_tool_has_a_mapping_of_its_own() -> None:
    own = AlertMapping(title="name")
    ids = [
        add_source(SourceDetails("A", tool, mapping=own), actor=ACTOR)[0]
        for tool in ("generic", "grafana")
    ]
    assert [mapping_of(source(one)).title for one in ids] == [
        "name", "annotations.summary | labels.alertname",
    ]  # fmt: skip


@pytest.mark.parametrize(("tool", "before"), [("pagerduty", "v1=00,v1="), ("sentry", "")])
def test_a_tool_that_signs_is_known_by_its_signature(tool: str, before: str) -> None:
    source_id, _ = make_source(tool=tool, signing_secret=SECRET)
    signature = before + hmac.digest(SECRET.encode(), BODY, "sha256").hex()
    found = source_that_signed(current_session(), tool, BODY, signature)
    assert found is not None
    assert found.id == source_id
    for wrong in ((tool, BODY + b" ", signature), (tool, BODY, ""), (tool, BODY, "v1=\udcff"),
                  ("grafana", BODY, signature)):  # fmt: skip
        assert source_that_signed(current_session(), *wrong) is None


def test_signatures_are_those_that_the_tools_compute() -> None:
    """Worked out beforehand, as go-pagerduty's webhookv3 and Sentry's own source do it.

    PagerDuty sends several while a secret is replaced, and versions to come among them.
    """
    expected = "c28ba3260921d7a0320762e9eb5749c599340b1b948701ae8ca4f5b69bad8fe5"
    for tool, signature in (
        ("pagerduty", f"v1={'0' * 64},v1={expected},v2=later"),
        ("sentry", expected),
    ):
        source_id, _ = make_source(tool=tool, signing_secret=SECRET)
        found = source_that_signed(current_session(), tool, BODY, signature)
        assert found is not None
        assert found.id == source_id
        remove_source(source_id, actor=ACTOR)


def test_a_signing_secret_is_neither_readable_nor_in_the_trail() -> None:
    source_id, _ = make_source(tool="sentry", signing_secret=SECRET)
    change_source(source_id, SourceDetails("Still", "sentry"), actor=ACTOR)
    kept = source(source_id)
    assert kept.signing_secret is not None
    entries = current_session().query(AuditEntry).all()
    assert SECRET not in kept.signing_secret + str([entry.after for entry in entries])


def test_only_who_may_make_keys_makes_sources() -> None:
    with pytest.raises(Forbidden):
        add_source(SourceDetails("A"), actor=acting("Bo", AccountRole.COMMS_LEAD))
