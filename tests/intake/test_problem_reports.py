"""Problems that people report: a suggestion of colleagues, a count of visitors."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from time_machine import Traveller

from statuspage.core.db import current_session, writing
from statuspage.core.enums import SuggestionState
from statuspage.core.errors import Invalid
from statuspage.intake import problem_reports, suggestions
from statuspage.intake.problem_reports import (
    FEW,
    WINDOW,
    ProblemReport,
    forget_old_reports,
    holder_of_link,
    report_as_visitor,
    report_by_link,
    report_problem,
    visitor_counts,
)
from statuspage.intake.suggestion_notices import notify_due
from statuspage.intake.suggestions import KEPT_FOR, alerts_of_incident, dismiss
from statuspage.models import (
    Component,
    Incident,
    Message,
    Page,
    Suggestion,
    VisitorReport,
    revision,
)
from tests.alerting import make_source
from tests.announcing import ACTOR, Scenario, declare, resolve, set_up_scenario
from tests.factories import NOON


@pytest.fixture
def place(app: Flask, frozen: Traveller) -> Iterator[Scenario]:
    scenario = set_up_scenario(app)
    with app.app_context():
        yield scenario


def report(title: str = "Payments fail", *, key: str = "one", **details: object) -> None:
    report_problem(ProblemReport(title, **details), form_key=key, actor=ACTOR)  # type: ignore[arg-type]


def found() -> list[Suggestion]:
    current_session().expire_all()
    return list(current_session().scalars(select(Suggestion).order_by(Suggestion.id)))


def test_what_a_colleague_reports_is_a_suggestion_and_nothing_else(place: Scenario) -> None:
    before = revision.current_number(current_session())
    for _ in range(2):
        report(
            component_id=place.checkout, severity_rank=1, since=NOON - timedelta(minutes=9),
            impact="Nobody can pay.", details="Error 500", reporter="Ada",
        )  # fmt: skip
    (one,) = found()
    assert (one.title, one.text, one.component_id, one.severity_rank, one.alerts) == (
        "Payments fail", "Nobody can pay.\n\nError 500", place.checkout, 1, 1,
    )  # fmt: skip
    assert (one.source.name, one.started_at) == ("Colleagues", NOON - timedelta(minutes=9))
    assert suggestions.respond_by(current_session(), one) == NOON + timedelta(minutes=15)
    assert revision.current_number(current_session()) == before


def test_reports_of_one_component_are_one_and_chat_is_notified(place: Scenario) -> None:
    report(component_id=place.checkout)
    report("It fails for me too", key="two", component_id=place.checkout)
    report("Something else", key="three")
    assert [one.alerts for one in found()] == [2, 1]
    assert notify_due() == 2
    message = current_session().scalars(select(Message)).one()
    assert "Payments fail (2 reported)" in message.body


def test_a_decided_report_is_answered_and_the_next_one_is_new(place: Scenario) -> None:
    report(component_id=place.catalog)
    dismiss(found()[0].code, actor=ACTOR)
    report(key="two", component_id=place.catalog)
    assert [one.state for one in found()] == [SuggestionState.DISMISSED, SuggestionState.OPEN]


def test_a_report_joins_the_open_incident_and_is_no_alert_that_fires(
    place: Scenario, session: Session
) -> None:
    incident = declare(place)
    report(component_id=place.checkout)
    (one,) = found()
    assert (one.incident_id, one.firing) == (incident.id, 0)
    alerts = alerts_of_incident(session, session.get_one(Incident, incident.id))
    assert alerts is not None
    assert (alerts.alerts, alerts.firing, alerts.first_at) == (0, 0, NOON)
    resolve(incident.code)


def test_the_link_of_the_source_alone_opens_the_form(place: Scenario) -> None:
    _, other = make_source()
    _, token = make_source(name="Support", tool="people")
    holder = holder_of_link(token, address="192.0.2.1")
    assert holder is not None
    report_by_link(holder, ProblemReport("Slow"), form_key="k", address="192.0.2.1")
    assert [one.source.name for one in found()] == ["Support"]
    assert holder_of_link(other, address="192.0.2.1") is None
    assert holder_of_link("nonsense", address="192.0.2.1") is None


def test_more_than_five_visitors_within_an_hour_are_shown(
    place: Scenario, session: Session, frozen: Traveller
) -> None:
    with writing() as transaction:
        transaction.get_one(Page, 1).takes_reports = True
    code = session.get_one(Component, place.checkout).code
    session.rollback()
    for number in range(FEW):
        report_as_visitor(f" <b>{number}</b>\n", code, client="192.0.2.1")
    report_as_visitor("x" * 9_999, "", client="192.0.2.1")
    assert visitor_counts(session) == []
    session.rollback()
    report_as_visitor("Me too", code, client="192.0.2.1")
    (one,) = visitor_counts(session)
    assert one.component is not None
    assert (one.component.id, one.count) == (place.checkout, FEW + 1)
    assert list(one.newest) == ["Me too", "<b>4</b>", "<b>3</b>"]
    assert session.scalar(select(func.max(func.length(VisitorReport.text)))) == 500
    assert found() == []
    session.rollback()
    frozen.shift(WINDOW)
    assert visitor_counts(session) == []
    session.rollback()
    frozen.shift(KEPT_FOR)
    assert forget_old_reports() == FEW + 2


def test_nothing_is_taken_that_is_empty_unknown_or_not_switched_on(place: Scenario) -> None:
    with pytest.raises(LookupError):
        report_as_visitor("It fails", "", client="192.0.2.1")
    with writing() as transaction:
        transaction.get_one(Page, 1).takes_reports = True
    for text, component, field in ((" \n", "", "text"), ("It fails", "c0ffee000000", "component")):
        with pytest.raises(Invalid) as refused:
            report_as_visitor(text, component, client="192.0.2.1")
        assert refused.value.field == field
    assert problem_reports.visitor_counts(current_session()) == []
