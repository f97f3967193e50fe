"""What tools send is read by mappings: text and times, and nothing that breaks."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from time_machine import Traveller

from statuspage.core.errors import Invalid
from statuspage.intake.alert_mapping import (
    MOST_ALERTS,
    MOST_LABELS,
    PROVIDERS,
    TOOLS,
    AlertMapping,
    check_mapping,
    read_alerts,
)
from tests.alerting import BOTH_STATES, incoming, notice
from tests.factories import NOON

pytestmark = pytest.mark.usefixtures("frozen")


@pytest.mark.parametrize("tool", sorted(set(TOOLS) - {PROVIDERS}))
def test_an_alert_of_each_tool_fires_and_resolves_as_one(tool: str) -> None:
    fires, resolved = (incoming(payload, tool) for payload in BOTH_STATES[tool])
    assert [(one.title, one.fires) for one in (*fires, *resolved)] == [
        ("Many requests fail", True), ("Many requests fail", False),
    ]  # fmt: skip
    assert (fires[0].fingerprint, fires[0].group) == (resolved[0].fingerprint, resolved[0].group)


@pytest.mark.parametrize("tool", sorted(set(TOOLS) - {"gatus", PROVIDERS}))
def test_the_start_that_a_tool_names_is_the_start(tool: str) -> None:
    (one,) = incoming(BOTH_STATES[tool][0], tool)
    assert one.started_at.replace(microsecond=0) == datetime(2026, 3, 4, 11, 50, tzinfo=UTC)


def test_what_is_shipped_holds_to_the_rules_of_mappings() -> None:
    for tool in TOOLS.values():
        check_mapping(tool.mapping)


def test_labels_come_as_an_object_as_pairs_or_as_text() -> None:
    mapping = AlertMapping(title="t", labels="l", label_fields="team = owner.team\nnone = nothing")
    for sent in ({"a": "1", "b": 2}, [["a", "1"], ["b", "2"]], "a:1,b:2",
                 [{"name": "a", "value": "1"}, {"name": "b", "value": "2"}]):  # fmt: skip
        (one,), _ = read_alerts(mapping, {"t": "T", "l": sent, "owner": {"team": "pay"}})
        assert one.labels == {"a": "1", "b": "2", "team": "pay"}


def test_a_path_leads_through_lists_and_takes_the_first_that_is_there() -> None:
    mapping = AlertMapping(alerts="data.items", title="name | $.data.items[1].label | $.fallback")
    sent = {"data": {"items": [{"name": ""}, {"label": "second"}]}, "fallback": "x"}
    assert [one.title for one in read_alerts(mapping, sent)[0]] == ["second", "second"]


def test_times_that_nobody_could_mean_are_now(frozen: Traveller) -> None:
    mapping = AlertMapping(title="t", started="s")
    odd: list[Any] = ["0001-01-01T00:00:00Z", "soon", 1e300, -5, True, {}, "9999-12-31T23:59:59Z"]
    read = [read_alerts(mapping, {"t": "T", "s": value})[0][0].started_at for value in odd]
    assert read == [NOON] * len(odd)


def test_the_list_of_alerts_may_stand_at_one_of_several_paths() -> None:
    mapping = AlertMapping(alerts="events | data.items", title="name")
    check_mapping(mapping)
    sent = {"data": {"items": [{"name": "first"}, {"name": "second"}]}}
    assert [one.title for one in read_alerts(mapping, sent)[0]] == ["first", "second"]


def test_labels_that_are_none_cost_no_alert() -> None:
    mapping = AlertMapping(title="t", labels="l")
    for odd in (5, 0.5, True, [[1, 2, 3]], [None], "", {"": "x"}):
        (one,), _ = read_alerts(mapping, {"t": "T", "l": odd})
        assert one.labels == {}


def test_what_is_no_alert_is_left_out_and_counted() -> None:
    odd: list[Any] = [None, 5, "x", [], {"labels": "x"}]
    assert read_alerts(TOOLS["alertmanager"].mapping, {"alerts": odd}) == ([], 5)
    for sent in (None, 5, [], {}, {"alerts": {}}):
        assert read_alerts(TOOLS["alertmanager"].mapping, sent)[0] == []


def test_events_of_pagerduty_about_other_things_are_no_alerts() -> None:
    ping = {"event": {"event_type": "pagey.ping", "data": {"message": "hello", "title": "Ping"}}}
    assert incoming(ping, "pagerduty") == []


def test_an_issue_alert_of_sentry_ends_with_its_issue() -> None:
    """As Sentry documents them: the alert names the issue, and the issue's own webhook ends it."""
    tags = [["browser", "Chrome 75.0.3770"], ["service", "checkout"]]
    event = {
        "culprit": "?(<anonymous>)", "datetime": "2026-03-04T11:50:00.403000Z", "level": "error",
        "issue_id": "1117540176", "project": 1, "tags": tags, "title": "heck is not defined",
        "web_url": "https://sentry.example/organizations/shop/issues/1117540176/",
    }  # fmt: skip
    issue = {
        "id": "1117540176", "title": "heck is not defined", "culprit": "?(<anonymous>)",
        "level": "error", "project": {"id": "1", "slug": "shop"}, "status": "resolved",
    }  # fmt: skip
    rule = {"event": event, "triggered_rule": "Very important"}
    (fires,) = incoming({"action": "triggered", "data": rule}, "sentry")
    (ends,) = incoming({"action": "resolved", "data": {"issue": issue}}, "sentry")
    assert (fires.title, fires.fires, ends.fires) == ("heck is not defined", True, False)
    assert fires.fingerprint == ends.fingerprint
    assert fires.labels["service"] == "checkout"
    assert fires.labels["rule"] == "Very important"
    # Of whatever else happens to an issue nothing fires.
    assert incoming({"action": "assigned", "data": {"issue": issue}}, "sentry") == []


def test_an_alert_has_bounds() -> None:
    many = {f"label {number}": "x" * 5_000 for number in range(500)}
    sent = notice({"status": "firing", "annotations": {"summary": "x\0\ud800" * 5_000},
                   "labels": many, "generatorURL": "javascript:alert(1)"})  # fmt: skip
    (one,) = incoming(sent)
    assert len(one.title) == 200
    assert not {"\0", "\ud800"} & set(one.title)
    assert (len(one.labels), {len(value) for value in one.labels.values()}) == (MOST_LABELS, {200})
    assert one.url == ""


def test_a_request_has_a_bound_of_alerts() -> None:
    sent = {"alerts": [{"labels": {"alertname": "A"}}] * (MOST_ALERTS + 7)}
    read, left_out = read_alerts(TOOLS["alertmanager"].mapping, sent)
    assert (len(read), left_out) == (MOST_ALERTS, 7)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", ""),
        ("state", "a..b"),
        ("started", "a[x]"),
        ("group", "a |"),
        ("label_fields", "service"),
        ("label_fields", "service = a..b"),
    ],
)
def test_a_mapping_that_cannot_be_followed_is_refused_at_its_field(field: str, value: str) -> None:
    with pytest.raises(Invalid) as refused:
        check_mapping(AlertMapping(**{"title": "t", field: value}))
    assert refused.value.field == field
