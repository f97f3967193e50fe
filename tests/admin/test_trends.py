"""The trends screen, its charts and its files."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask

from statuspage.admin.trends import short
from statuspage.core import clock
from statuspage.core.db import writing
from tests.browsing import Browser, texts
from tests.factories import make_component, make_incident


@pytest.fixture
def busy(admin: Browser, app: Flask) -> Browser:
    """Somebody signed in, where one incident lasted ninety minutes."""
    with app.app_context(), writing() as session:
        make_incident(
            session, updates=("investigating", "resolved"), step_minutes=90,
            started_at=clock.now() - timedelta(hours=3), severity_name="SEV2", severity_rank=2,
            components=[make_component(session, "<b>Checkout</b>")],
        )  # fmt: skip
    return admin


def test_a_quiet_period_says_so(admin: Browser) -> None:
    found = texts(admin.get("/admin/trends"), "empty", "//strong")
    assert found == ["No incidents in this period"]


def test_each_chart_writes_its_values_and_has_the_months_as_a_table(busy: Browser) -> None:
    answer = busy.get("/admin/trends?months=3")
    assert answer.text.count('<svg role="img"') == 3
    assert "1.5 h</text>" in answer.text
    assert answer.text.count("<rect ") == 9
    assert "&lt;b&gt;Checkout" in answer.text
    assert "<b>Checkout" not in answer.text


def test_a_period_that_is_not_offered_is_a_year(busy: Browser) -> None:
    assert busy.get("/admin/trends?months=99999999999").text.count("<rect ") == 36


def test_the_same_is_a_file_of_csv_and_of_json(busy: Browser) -> None:
    head, *lines = busy.get("/admin/trends.csv?months=3").text.splitlines()
    assert head == '"month","incidents","minutes","maintenances","median_minutes_to_resolve"'
    # Three hours ago may be in the month before.
    assert [line.split(",", 1)[1] for line in lines if '"1"' in line] == ['"1","90","0","90"']
    found = busy.get("/admin/trends.json?months=3").get_json()
    assert found["severities"] == [{"name": "SEV2", "incidents": 1, "minutes": 90}]
    assert found["times"][-1]["median"] == 90


@pytest.mark.parametrize(
    ("minutes", "said"),
    [(0, "0 min"), (59, "59 min"), (90, "1.5 h"), (6_000, "4 days"), (144_000, "100 days")],
)
def test_minutes_fit_above_a_column(minutes: int, said: str) -> None:
    assert short(minutes) == said
