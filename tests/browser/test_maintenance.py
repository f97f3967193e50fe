"""A maintenance as a visitor meets it, from its announcement to its end, with the clock moved.

The app answers within the test: what the browser asks for is handed to it, so nothing waits.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from icalendar import Calendar
from playwright.sync_api import Page, Route
from sqlalchemy import select
from time_machine import Traveller

from statuspage.core.db import current_session, writing
from statuspage.core.enums import Audience
from statuspage.incidents import maintenance
from statuspage.incidents.maintenance import MaintenanceWindow, Plan, advance_due
from statuspage.incidents.publish import Submission
from statuspage.models import Message
from tests.announcing import ACTOR, Scenario, set_up_scenario
from tests.apps import PUBLIC_URL
from tests.browser.conftest import NewPage
from tests.databases import SqliteTemplate
from tests.factories import the_page
from tests.subscribing import add_subscriber

# In Berlin from 00:30 CET to 04:00 CEST: there is no hour from two to three in that night.
BEGINS = datetime(2026, 3, 28, 23, 30, tzinfo=UTC)
ENDS = datetime(2026, 3, 29, 2, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def environ(sqlite_template: SqliteTemplate, data_dir: Path) -> dict[str, str]:
    """One database is enough: what is looked at is the page."""
    return {
        "DATABASE_URL": sqlite_template.copy_to(data_dir).url,
        "DATA_DIR": str(data_dir),
        "PUBLIC_URL": PUBLIC_URL,
        "SECRET_KEY": "a key for tests, never for anything else",
    }


@pytest.fixture
def scenario(app: Flask, frozen: Traveller) -> Scenario:
    scenario = set_up_scenario(app)
    with app.app_context(), writing() as session:
        the_page(session).time_zone = "Europe/Berlin"
    with app.app_context():
        add_subscriber("fan@example.com")
    return scenario


@dataclass
class Visitor:
    """Somebody who reads the page, the incident and the calendar at the moment that it is."""

    page: Page
    app: Flask
    code: str
    sequence: int = -1

    def sees(self) -> tuple[str, str, str, str]:
        """The incident's status and plan, the component's state, and when the calendar ends it."""
        self.page.goto(f"{PUBLIC_URL}/incidents/{self.code}")
        status, planned = (self.page.locator("dl.summary dd").nth(at) for at in (0, 1))
        seen = (status.inner_text(), planned.inner_text())
        self.page.goto(PUBLIC_URL)
        state = self.page.locator(".component", has_text="Checkout").first.locator(".state").first
        return (*seen, state.inner_text().strip(), self._ends_in_calendar())

    def reads(self) -> list[str]:
        """The headings of the incident's posts; the third from the end began it, late, and says so.

        When it really was stands on the page too.
        """
        self.page.goto(f"{PUBLIC_URL}/incidents/{self.code}")
        begun = self.page.locator(".post").nth(-3).inner_text()
        assert "It was scheduled for Mar 29, 2026, 00:30 CET and started late." in begun
        when, length = (self.page.locator("dl.summary dd").nth(at) for at in (2, 3))
        assert when.inner_text() == "Mar 29, 2026, 01:30 CET – 05:30 CEST"
        assert length.inner_text() == "3 hours"
        return self.page.locator(".post h3").all_inner_texts()

    def _ends_in_calendar(self) -> str:
        answer = self.app.test_client().get("/maintenances.ics")
        (event,) = Calendar.from_ical(answer.data).events
        assert event["sequence"] > self.sequence, "the calendar was not told"
        self.sequence = event["sequence"]
        return f"{event.end:%d %H:%M}"


@pytest.fixture
def visit(new_page: NewPage, app: Flask) -> Callable[[str], Visitor]:
    page = new_page(timezone_id="Europe/Berlin", locale="en-GB")

    def answer(route: Route) -> None:
        path = route.request.url.removeprefix(PUBLIC_URL)
        found = app.test_client().get(path)
        route.fulfill(status=found.status_code, body=found.data, headers=dict(found.headers))

    page.route("**/*", answer)
    return lambda code: Visitor(page, app, code)


def test_a_maintenance_through_its_life_in_the_night_that_the_clocks_change(
    app: Flask, scenario: Scenario, frozen: Traveller, visit: Callable[[str], Visitor]
) -> None:
    plan = Plan(
        title="Database upgrade",
        what="Checkout is read-only.",
        scheduled_for=BEGINS,
        scheduled_until=ENDS,
        component_ids=[scenario.checkout],
        verify_minutes=30,
    )
    with app.app_context():
        code = maintenance.schedule(plan, Submission(ACTOR, "plan")).code
    visitor = visit(code)

    def at(moment: datetime) -> tuple[str, str, str, str]:
        frozen.move_to(moment)
        visitor.page.clock.set_fixed_time(moment)
        with app.app_context():
            # Whatever is due is done once, however often the worker looks.
            assert [advance_due(), advance_due()] == [1, 0]
        return visitor.sees()

    night = "Mar 29, 2026, 00:30 CET – 04:00 CEST, 2 hours 30 minutes"
    longer = "Mar 29, 2026, 00:30 CET – 05:00 CEST, 3 hours 30 minutes"
    assert visitor.sees() == ("Scheduled", night, "Operational", "29 02:00")
    assert at(BEGINS - 24 * HOUR) == ("Scheduled", night, "Operational", "29 02:00")
    assert at(BEGINS + HOUR) == ("In progress", night, "Under maintenance", "29 02:00")
    frozen.shift(HOUR)
    with app.app_context():
        longer_window = MaintenanceWindow(BEGINS, ENDS + HOUR, 30)
        maintenance.move(code, longer_window, Submission(ACTOR, "longer"))
    assert visitor.sees() == ("In progress", longer, "Under maintenance", "29 03:00")
    checked = "Mar 29, 2026, 00:30 CET – 05:30 CEST, 4 hours"
    assert at(ENDS + HOUR) == ("Verifying", checked, "Under maintenance", "29 03:30")
    assert at(ENDS + 1.5 * HOUR) == ("Completed", checked, "Operational", "29 03:30")
    assert visitor.reads() == [
        "Completed", "Verifying", "In progress", "In progress", "Scheduled", "Scheduled",
    ]  # fmt: skip
    with app.app_context():
        mails = select(Message.subject).filter_by(audience=Audience.SUBSCRIBER)
        subjects = current_session().scalars(mails.order_by(Message.id)).all()
    assert [subject.partition(":")[0] for subject in subjects] == [
        "Scheduled maintenance", "Reminder", "Maintenance in progress", "Maintenance in progress",
        "Verifying", "Completed",
    ]  # fmt: skip
