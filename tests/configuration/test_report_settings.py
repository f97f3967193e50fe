"""The targets of monthly reports: percentages, saved once and never blindly."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from statuspage.configuration.report_settings import (
    ReportSettings,
    change_report_settings,
    report_settings,
)
from statuspage.core.conflict import Conflict, fingerprint
from statuspage.models import Page
from tests.configuration_edits import ACTOR, count_entries, last_entry, refusal


def test_targets_are_kept_as_percentages(session: Session, page: Page) -> None:
    typed = ReportSettings({"b": " 99,90 % ", "a": "100", "c": ""}, excludes_maintenance=False)
    change_report_settings(typed, actor=ACTOR, seen=None)
    session.expire_all()
    saved = report_settings(session)
    assert saved == ReportSettings({"a": "100", "b": "99.9"}, excludes_maintenance=False)
    assert last_entry(session).action == "page.report_settings"
    entries = count_entries(session)
    change_report_settings(saved, actor=ACTOR, seen=None)
    assert count_entries(session) == entries


@pytest.mark.parametrize("text", ["often", "0", "100.1", "NaN", "1e999"])
def test_what_is_no_percentage_is_refused(page: Page, text: str) -> None:
    with refusal(field="a", reason="Enter a percentage up to 100, like 99.9"):
        change_report_settings(ReportSettings({"a": text}), actor=ACTOR, seen=None)


def test_two_editors_make_one_change_and_one_question(session: Session, page: Page) -> None:
    seen = fingerprint(report_settings(session))
    change_report_settings(ReportSettings({"a": "99"}), actor=ACTOR, seen=seen)
    with pytest.raises(Conflict):
        change_report_settings(ReportSettings({"a": "98"}), actor=ACTOR, seen=seen)
