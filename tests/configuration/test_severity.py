"""The severity scheme: chosen, and changed level by level."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from statuspage.configuration import editing, severity
from statuspage.configuration.editing import LevelRules
from statuspage.configuration.severity import PRESETS, Scheme, severity_levels
from statuspage.core.conflict import fingerprint
from statuspage.core.enums import CustomerMail, Impact
from statuspage.models import (
    Page,
    SeverityLevel,
)
from statuspage.models.page import the_page
from tests.configuration_edits import ACTOR, last_entry, refusal
from tests.factories import NOON, minutes


def test_another_scheme_replaces_all_levels(session: Session, page: Page) -> None:
    severity.choose_scheme("critical", actor=ACTOR)
    assert [level.name for level in severity_levels(session)] == [
        "Critical",
        "High",
        "Medium",
        "Low",
    ]
    assert the_page(session).scheme == "critical"  # type: ignore[union-attr]
    entry = last_entry(session)
    assert (entry.subject, entry.before, entry.after) == (
        "Critical to Low",
        {"scheme": "sev"},
        {"scheme": "critical"},
    )


def test_a_scheme_that_nobody_knows_is_refused(page: Page) -> None:
    with refusal(field="scheme", reason="Pick one of the schemes"):
        severity.choose_scheme("p9", actor=ACTOR)


def test_a_level_is_changed_and_the_trail_says_how(session: Session, page: Page) -> None:
    level = session.scalars(select(SeverityLevel).filter_by(rank=2)).one()
    rules = editing.read_as(LevelRules, level)
    changed = replace(
        rules,
        cadence_minutes=45,
        customer_mail=CustomerMail.EVERY_UPDATE,
        impact=Impact.CRITICAL,
        escalation=[{"after_minutes": 20, "to": "technical_lead"}],
    )
    severity.change_level(level.id, changed, actor=ACTOR, seen=fingerprint(rules))
    assert editing.read_as(LevelRules, session.get_one(SeverityLevel, level.id)) == changed
    entry = last_entry(session)
    assert entry.before == {
        "impact": "major",
        "cadence_minutes": 60,
        "customer_mail": "never",
        "escalation": [],
    }
    assert entry.after == {
        "impact": "critical",
        "cadence_minutes": 45,
        "customer_mail": "every_update",
        "escalation": [{"after_minutes": 20, "to": "technical_lead"}],
    }


def test_two_levels_have_two_names(session: Session, page: Page) -> None:
    level = session.scalars(select(SeverityLevel).filter_by(rank=2)).one()
    rules = editing.read_as(LevelRules, level)
    with refusal(field="name", reason="Another level has this name"):
        severity.change_level(level.id, replace(rules, name="sev1"), actor=ACTOR)


@pytest.mark.parametrize("scheme", PRESETS.values(), ids=PRESETS)
def test_a_scheme_is_installed_as_it_is_declared(session: Session, scheme: Scheme) -> None:
    severity.install_scheme(session, scheme.name)
    session.flush()

    installed = [editing.read_as(LevelRules, level) for level in severity_levels(session)]
    assert installed == list(scheme.levels)


def test_the_next_update_is_promised_by_the_cadence_of_the_level() -> None:
    level = SeverityLevel(cadence_minutes=30)

    assert severity.promise_next_update(level, NOON + timedelta(seconds=20)) == NOON + minutes(30)
    assert severity.promise_next_update(SeverityLevel(), NOON) is None
    assert severity.promised(level, NOON, None, because="It waits for a delivery") is None
    assert severity.promised(level, NOON, NOON + minutes(5), because=None) == NOON + minutes(5)


def test_a_review_is_due_after_hours_or_after_business_days() -> None:
    friday = datetime(2026, 3, 6, 12, tzinfo=UTC)

    assert severity.review_due(SeverityLevel(review_hours=48), friday) == friday + timedelta(days=2)
    assert severity.review_due(SeverityLevel(review_business_days=3), friday) == (
        friday + timedelta(days=5)
    )
    assert severity.review_due(SeverityLevel(), friday) is None
    assert severity.review_due(None, friday) is None
