from __future__ import annotations

from datetime import datetime, timedelta

import lxml.html
import pytest
from flask import Flask
from time_machine import Traveller

from statuspage.access import alarms
from statuspage.core.db import current_session, writing
from statuspage.core.enums import (
    Audience,
    Channel,
    ComponentStatus,
    DeliveryState,
    Impact,
    Step,
    Visibility,
)
from statuspage.models import Delivery, Hold, Message
from statuspage.models.revision import bump
from tests.browsing import Browser, said, texts
from tests.factories import (
    NOON,
    make_component,
    make_incident,
    make_maintenance,
    minutes,
)


@pytest.fixture(autouse=True)
def _noon(frozen: Traveller) -> None:
    """All times are told from `NOON`."""


def test_when_all_is_well_it_says_so(admin: Browser, app: Flask) -> None:
    with app.app_context(), writing() as session:
        make_component(session)
        make_incident(session, "Over", updates=["resolved"])
    page = admin.get("/admin/")
    assert texts(page, "calm", "//h2") == ["No open incidents"]
    assert "All operational" in page.text
    assert "Over" not in page.text
    assert "Nothing in the next two weeks." in page.text


def test_the_soonest_promise_comes_first(admin: Browser, app: Flask) -> None:
    with app.app_context(), writing() as session:
        make_incident(session, "No promise", visibility=Visibility.INTERNAL)
        make_incident(session, "In time", next_update_at=NOON + minutes(12))
        make_incident(
            session, "Late", impact=Impact.CRITICAL, severity_name="SEV1",
            next_update_at=NOON - minutes(8),
        )  # fmt: skip
    page = admin.get("/admin/")
    assert texts(page, "story", "//h3") == ["Late", "In time", "No promise"]
    assert texts(page, "promise") == [
        "Update overdue: was due 8 minutes ago · Mar 4, 2026, 11:52 UTC",
        "Next update due in 12 minutes · Mar 4, 2026, 12:12 UTC",
        "No next update scheduled",
    ]
    assert texts(page, "story", "/header/p") == [
        "SEV1 · Investigating · started 2 hours ago",
        "Investigating · started 2 hours ago",
        "Investigating · started 2 hours ago · internal",
    ]


def test_components_in_trouble_and_coming_work_are_listed(admin: Browser, app: Flask) -> None:
    with app.app_context(), writing() as session:
        make_component(session, "Fine")
        make_component(session, "Slow", status=ComponentStatus.DEGRADED_PERFORMANCE)
        for number in range(7):
            name = f"Down {number + 1}"
            make_component(session, name, position=number, status=ComponentStatus.MAJOR_OUTAGE)
        make_maintenance(session, "Soon")
        make_maintenance(session, "Much later", scheduled_for=NOON + timedelta(days=15))
    page = admin.get("/admin/")
    assert texts(page, "list", "/li") == ["SoonMar 6, 2026, 12:00 UTC Scheduled"]
    assert texts(page, "troubled", "/li") == [
        "Major outage: 7 Down 1, Down 2, Down 3, Down 4, Down 5 and 2 more",
        "Degraded performance Slow",
    ]


def test_the_outbox_says_how_much_waits_and_what_failed(admin: Browser, app: Flask) -> None:
    states = [
        *[DeliveryState.PENDING] * 3,
        DeliveryState.SENDING,
        *[DeliveryState.UNCERTAIN] * 2,
        *[DeliveryState.ACCEPTED] * 4,
        DeliveryState.DELIVERED,
        DeliveryState.FAILED,
        DeliveryState.BOUNCED,
        DeliveryState.SUPPRESSED,
    ]
    with app.app_context(), writing():
        add_deliveries(states, at=NOON - minutes(30))
        add_deliveries([DeliveryState.FAILED], at=NOON - timedelta(days=2))
    page = admin.get("/admin/")
    assert texts(page, "figures", "//dd") == ["6", "5", "2"]
    assert "Oldest waiting since" in page.text
    assert "Unconfirmed: 2." in page.text


def add_deliveries(states: list[DeliveryState], *, at: datetime) -> None:
    session = current_session()
    message = Message(step=Step.RESOLVED, audience=Audience.CUSTOMER, created_at=at)
    session.add(message)
    session.flush()
    for number, state in enumerate(states):
        address = f"{number}@example.com"
        session.add(
            Delivery(
                message_id=message.id, step_key=str(message.id), channel=Channel.EMAIL,
                address=address, email=address, state=state, due_at=at, queued_at=at,
                changed_at=at,
            )
        )  # fmt: skip


def test_what_an_operator_must_see_stands_above_everything(admin: Browser, app: Flask) -> None:
    with app.app_context(), writing() as session:
        alarms.raise_alarm(session, "sendgrid", "SendGrid rejects the key")
        session.add(Hold(channel="all", reason="Restored from a backup"))
    for path in ("/admin/", "/admin/contacts"):
        assert said(admin.get(path))[0] == ("SendGrid rejects the keySince Mar 4, 2026, 12:00 UTC")
    assert said(admin.get("/admin/"))[1] == "Sending is paused: Restored from a backup"


def test_the_page_is_opened_as_it_is_now_and_beside_the_admin(admin: Browser, app: Flask) -> None:
    def link() -> tuple[str, str]:
        [found] = lxml.html.fromstring(admin.get("/admin/").text).xpath(
            "//a[contains(., 'View the page')]"
        )
        return found.get("href"), found.get("target")

    before = link()
    with app.app_context(), writing() as session:
        bump(session)
    assert link() != before
    assert link()[1] == "_blank"
    assert link()[0].startswith("https://status.example.com/?v=")
