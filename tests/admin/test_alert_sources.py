"""The screens of alert sources: a key that is shown once, rules, and trying them."""

from __future__ import annotations

import json

import lxml.html
from werkzeug.test import TestResponse

from tests.admin.conftest import Desk
from tests.alerting import BOTH_STATES, alert, notice
from tests.browsing import actions, fields, reasons, texts

SOURCES = "/admin/alert-sources"


def add(desk: Desk, tool: str = "alertmanager") -> tuple[str, str]:
    """Add a source; its address, and its key."""
    answer = desk.browser.send(f"{SOURCES}/new", {"name": "Production", "tool": tool})
    assert answer.status_code == 200, answer.text
    tree = lxml.html.fromstring(answer.text)
    (form,) = (one for one in tree.forms if "severity_rules" in one.fields)
    return form.action, str(tree.get_element_by_id("token").text_content())


def proposed(answer: TestResponse) -> list[list[str]]:
    tree = lxml.html.fromstring(answer.text)
    rows = tree.xpath("//*[@id='tried']//tbody/tr")
    return [[" ".join(cell.text_content().split()) for cell in row[:4]] for row in rows]


def test_without_a_source_it_says_what_one_is_for(desk: Desk) -> None:
    assert texts(desk.get(SOURCES), "empty", "//strong") == ["No alert sources yet"]


def test_a_key_is_shown_once_and_replaced(desk: Desk) -> None:
    path, key = add(desk)
    assert key not in desk.get(path).text
    assert "/hooks/alertmanager" in desk.get(path).text
    replaced = desk.browser.send(f"{path}/key").text
    assert key not in replaced
    assert 'id="token"' in replaced
    desk.browser.send(f"{path}/remove")
    assert desk.get(path).status_code == 404
    assert [name for name in actions(desk.app) if name.startswith("alert_source")] == [
        "alert_source.add", "alert_source.remove",
    ]  # fmt: skip


def test_rules_are_tried_on_a_sample_and_keep_nothing(desk: Desk) -> None:
    path, _ = add(desk)
    sample = json.dumps(notice(alert(labels={"severity": "critical", "service": "checkout"})))
    rules = {"severity_rules": "severity = critical -> SEV1", "sample": sample, "try": "1"}
    answer = desk.browser.send_shown(path, rules)
    assert proposed(answer) == [["Many requests fail", "Firing", "SEV1", "Checkout"]]
    assert fields(desk.get(path).text)["severity_rules"] == ""


def test_rules_are_tried_on_the_last_alerts(desk: Desk) -> None:
    path, key = add(desk)
    nothing = desk.browser.send_shown(path, {"try": "1"})
    assert "sent no alerts yet" in nothing.text
    headers = {"Authorization": f"Bearer {key}"}
    desk.browser.client.post("/hooks/alertmanager", json=notice(), headers=headers)
    answer = desk.browser.send_shown(path, {"severity_rules": "-> SEV2", "try": "1"})
    assert proposed(answer) == [["Many requests fail", "Firing", "SEV2", "–"]]


def test_a_mapping_is_tried_on_what_the_tool_sends(desk: Desk) -> None:
    path, _ = add(desk, "generic")
    sample = json.dumps(BOTH_STATES["pagerduty"][0])
    typed = {"title": "event.data.title", "sample": sample, "try": "1"}
    assert proposed(desk.browser.send_shown(path, typed))[0][0] == "Many requests fail"
    lost = desk.browser.send_shown(path, {**typed, "title": "event.data.nothing"})
    assert lost.status_code == 422
    assert reasons(lost) == ["Sample: No alerts found. Check the sample and the mapping"]


def test_what_is_wrong_is_said_at_its_field_and_nothing_typed_is_lost(desk: Desk) -> None:
    path, _ = add(desk)
    for typed, reason in (
        ({"sample": "{", "try": "1"}, "Sample: This is not JSON"),
        ({"severity_rules": "critical -> SEV1"}, "Severity rules: “critical -> SEV1” isn’t a rule"),
        ({"component_rules": "a = b -> Nowhere"}, "Component rules: “a = b -> Nowhere”: there"),
    ):
        answer = desk.browser.send_shown(path, typed)
        assert reasons(answer)[0].startswith(reason)
        assert fields(answer.text).items() >= {**typed, "try": ""}.items() - {("try", "")} - {
            ("try", "1")
        }
