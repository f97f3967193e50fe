"""Rules propose a severity and a component by labels."""

from __future__ import annotations

import pytest

from statuspage.core.errors import Invalid
from statuspage.intake.alert_rules import AlertRules, read_rules
from statuspage.models import Component, SeverityLevel

LEVELS = [SeverityLevel(name="SEV1", rank=1), SeverityLevel(name="SEV3", rank=3)]
PARTS = [Component(id=7, name="Checkout"), Component(id=8, name="Catalog")]


def rules(severities: str = "", components: str = "", *, strict: bool = True) -> AlertRules:
    return read_rules(severities, components, levels=LEVELS, components=PARTS, strict=strict)


def test_the_first_rule_that_fits_counts() -> None:
    read = rules("severity = critical, team = pay* -> SEV1\n\nseverity = * -> sev3")
    labels = {"Severity": "Critical", "team": "payments"}
    assert read.severity_of(labels) == 1
    assert read.severity_of({**labels, "team": "web"}) == 3
    assert read.severity_of({"team": "payments"}) is None


def test_a_rule_without_conditions_fits_everything() -> None:
    assert rules("-> SEV3").severity_of({}) == 3


def test_brackets_and_question_marks_stand_for_themselves() -> None:
    read = rules("path = /a[1]? -> SEV1")
    assert [read.severity_of({"path": path}) for path in ("/a[1]?", "/a1x")] == [1, None]


def test_a_component_is_found_by_rule_and_else_by_a_label_with_its_name() -> None:
    read = rules(components="namespace = shop-* -> Catalog")
    assert read.component_of({"namespace": "shop-1", "service": "checkout"}) == 8
    assert read.component_of({"service": "CHECKOUT"}) == 7
    assert read.component_of({"service": "other"}) is None


@pytest.mark.parametrize("line", ["severity -> SEV1", "SEV1", "severity = x ->", "= x -> SEV1"])
def test_a_line_that_is_no_rule_is_refused(line: str) -> None:
    with pytest.raises(Invalid, match="isn’t a rule"):
        rules(line)


def test_a_name_that_does_not_exist_is_refused_when_saved_and_left_out_later() -> None:
    with pytest.raises(Invalid, match="there is no “SEV9”") as refused:
        rules("severity = x -> SEV9")
    assert refused.value.field == "severity_rules"
    assert rules("severity = x -> SEV9", strict=False).severity_of({"severity": "x"}) is None
