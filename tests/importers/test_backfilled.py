"""Backfilled incidents: kept with their own times, checked, and nobody is emailed."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from statuspage.access.permissions import Forbidden
from statuspage.core.db import writing
from statuspage.core.enums import AccountRole, ComponentStatus, Impact, IncidentStatus
from statuspage.core.errors import Invalid
from statuspage.core.links import current_links
from statuspage.importers.backfilled import PastIncident, PastUpdate, backfill
from statuspage.models import (
    AuditEntry,
    ComponentChange,
    Delivery,
    Incident,
    Message,
    revision,
)
from statuspage.public.feeds import updates_feed
from statuspage.public.queries import read_site, read_snapshot
from tests.actors import acting
from tests.factories import NOON, make_component, make_page

pytestmark = pytest.mark.usefixtures("frozen")

LEAD = acting("Kim", AccountRole.COMMS_LEAD)
BEGAN = NOON - timedelta(days=3)


def said(minutes: float, status: str, body: str = "It was so.", name: str = "u") -> PastUpdate:
    return PastUpdate(BEGAN + timedelta(minutes=minutes), IncidentStatus(status), body, name)


UPDATES = (
    said(60, "resolved", "It is over.", "u1"),
    said(10, "investigating", "Payments fail.", "u0"),
)


def past(**changes: Any) -> PastIncident:
    values = {"title": "Payments failed", "updates": UPDATES, "severity_rank": 1}
    return PastIncident(**{**values, **changes})


@pytest.fixture
def checkout(session: Session) -> int:
    with writing() as session:
        make_page(session)
        component = make_component(session, "Checkout")
        session.flush()
        return component.id


def only(session: Session) -> Incident:
    session.expire_all()
    return session.scalars(select(Incident)).one()


def test_it_is_in_the_history_with_its_own_times_and_severity(
    session: Session, checkout: int
) -> None:
    states = {checkout: ComponentStatus.MAJOR_OUTAGE}
    code = backfill(past(components=states, started_at=BEGAN), form_key="sheet", actor=LEAD)
    incident = only(session)
    assert (incident.code, incident.status, incident.impact, incident.severity_name) == (
        code, "resolved", Impact.CRITICAL, "SEV1",
    )  # fmt: skip
    assert (incident.started_at, incident.resolved_at) == (BEGAN, BEGAN + timedelta(minutes=60))
    assert [(one.status, one.body, one.posted_at, one.notifies) for one in incident.updates] == [
        ("investigating", "Payments fail.", BEGAN + timedelta(minutes=10), False),
        ("resolved", "It is over.", BEGAN + timedelta(minutes=60), False),
    ]
    log = session.execute(
        select(ComponentChange.at, ComponentChange.status)
        .where(ComponentChange.incident_id.is_not(None))
        .order_by(ComponentChange.at)
    ).all()
    assert [tuple(row) for row in log] == [
        (BEGAN, ComponentStatus.MAJOR_OUTAGE),
        (BEGAN + timedelta(minutes=60), ComponentStatus.OPERATIONAL),
    ]


def test_feeds_date_it_as_old_news_and_the_headline_stays(session: Session, checkout: int) -> None:
    number = revision.current_number(session)
    backfill(past(), form_key="sheet", actor=LEAD)
    assert revision.current_number(session) > number
    snapshot = read_snapshot(read_site(session))
    feed = updates_feed(snapshot.page, snapshot.updates, current_links())
    assert [entry.published for entry in feed.entries] == [
        BEGAN + timedelta(minutes=60), BEGAN + timedelta(minutes=10),
    ]  # fmt: skip
    assert (snapshot.frame.indicator, snapshot.frame.pinned) == (Impact.NONE, ())


def test_nobody_is_emailed_and_the_audit_trail_says_who_added_it(
    session: Session, checkout: int
) -> None:
    code = backfill(past(), form_key="sheet", actor=LEAD)
    assert [session.scalar(select(func.count()).select_from(one)) for one in (Message, Delivery)] \
        == [0, 0]  # fmt: skip
    entry = session.scalars(select(AuditEntry).filter_by(action="incident.backfill")).one()
    assert (entry.actor, entry.subject, entry.after and entry.after["updates"]) == ("Kim", code, 2)


def test_a_form_that_is_sent_twice_adds_one(session: Session, checkout: int) -> None:
    codes = {backfill(past(), form_key="sheet", actor=LEAD) for _ in range(2)}
    assert codes == {only(session).code}


def test_impact_none_is_possible_at_any_severity(session: Session, checkout: int) -> None:
    backfill(past(impact=Impact.NONE), form_key="sheet", actor=LEAD)
    assert (only(session).impact, only(session).severity_rank) == (Impact.NONE, 1)


def in_the_future() -> datetime:
    return NOON + timedelta(minutes=1)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"title": ""}, "title"),
        ({"updates": ()}, "updates"),
        ({"started_at": in_the_future() + timedelta(minutes=9)}, "started_at"),
        ({"started_at": BEGAN + timedelta(minutes=11)}, "u0-at"),
        ({"updates": (*UPDATES, PastUpdate(in_the_future(), IncidentStatus.RESOLVED, "x", "u2"))},
         "u2-at"),
        ({"updates": (said(10, "investigating", name="u0"),)}, "u0-status"),
        ({"updates": (*UPDATES, said(70, "monitoring", name="u2"))}, "u2-status"),
        ({"updates": (said(10, "postmortem", name="u0"),)}, "u0-status"),
        ({"updates": (*UPDATES, said(60, "resolved", name="u2"))}, "u2-at"),
        ({"updates": (said(10, "investigating", "", "u0"), UPDATES[0])}, "u0-body"),
        ({"updates": UPDATES[:1], "components": {1: ComponentStatus.MAJOR_OUTAGE}}, "components"),
        ({"title": "db-7.prod.internal failed"}, "title"),
    ],
)  # fmt: skip
def test_what_cannot_have_been_is_refused_at_its_field(
    session: Session, checkout: int, changes: dict[str, Any], field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        backfill(past(**changes), form_key="sheet", actor=LEAD)
    assert refused.value.field == field
    assert session.scalar(select(func.count()).select_from(Incident)) == 0


def test_a_reason_lets_a_text_pass_and_is_kept(session: Session, checkout: int) -> None:
    title = "db-7.prod.internal failed"
    backfill(past(title=title, because="Everybody knows it."), form_key="sheet", actor=LEAD)
    entry = session.scalars(select(AuditEntry).filter_by(action="incident.backfill")).one()
    assert entry.after is not None
    assert (entry.after["shown although"], entry.after["found"]) == (
        "Everybody knows it.", ["db-7.prod.internal"],
    )  # fmt: skip


def test_whoever_may_not_publish_may_not_add_one(session: Session, checkout: int) -> None:
    with pytest.raises(Forbidden):
        backfill(past(), form_key="sheet", actor=acting("Sam", AccountRole.RESPONDER))
