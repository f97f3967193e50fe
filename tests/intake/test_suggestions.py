"""Alerts become suggestions: one for a group and component, for a person to decide on."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select
from time_machine import Traveller

from statuspage.access.permissions import Forbidden
from statuspage.configuration.components import remove_component
from statuspage.core.db import current_session
from statuspage.core.enums import AccountRole, SuggestionState
from statuspage.core.errors import Invalid
from statuspage.incidents.inputs import Drill
from statuspage.intake import suggestions
from statuspage.intake.alert_sources import SourceDetails, change_source
from statuspage.intake.suggestions import (
    FLAP_TIME,
    KEPT_FOR,
    REQUEST_WINDOW,
    TooManyRequests,
    add_to_incident,
    alerts_of_incident,
    dismiss,
    find_suggestion,
    forget_old_alerts,
    open_suggestions,
    take_alerts,
)
from statuspage.models import Alert, AlertSource, AuditEntry, Incident, revision
from tests.actors import acting
from tests.alerting import alert, notice, over
from tests.announcing import ACTOR, declare, resolve
from tests.factories import NOON
from tests.intake.conftest import TOOL, Monitoring

CHECKOUT = {"service": "checkout"}


def incident_of(code: str) -> Incident:
    current_session().expire_all()
    return current_session().scalars(select(Incident).filter_by(code=code)).one()


def test_alerts_of_one_group_and_component_are_one_suggestion(monitoring: Monitoring) -> None:
    before = revision.current_number(current_session())
    critical = alert(number=2, labels={**CHECKOUT, "severity": "critical"})
    monitoring.send(notice(alert(labels=CHECKOUT), critical))
    monitoring.send(notice(alert(labels=CHECKOUT)))
    one = monitoring.only()
    assert (one.title, one.text, one.component_id, one.severity_rank) == (
        "Many requests fail", "More than 5 % fail.", monitoring.scenario.checkout, 1,
    )  # fmt: skip
    assert (one.received, one.alerts, one.firing, one.state) == (3, 2, 2, SuggestionState.OPEN)
    assert one.started_at.replace(microsecond=0) == NOON - timedelta(minutes=10)
    assert revision.current_number(current_session()) == before


def test_each_group_and_each_component_has_its_own(monitoring: Monitoring) -> None:
    monitoring.send(notice(alert(labels=CHECKOUT), alert(number=2, labels={"service": "catalog"})))
    monitoring.send(notice(alert(number=3, labels=CHECKOUT), group="two"))
    assert [one.component_id for one in monitoring.found()] == [
        monitoring.scenario.checkout, monitoring.scenario.catalog, monitoring.scenario.checkout,
    ]  # fmt: skip


def test_a_suggestion_is_over_once_every_alert_has_resolved(monitoring: Monitoring) -> None:
    first, second = alert(), alert(number=2)
    monitoring.send(notice(first, second))
    monitoring.send(notice(over(first)))
    assert (monitoring.only().firing, monitoring.only().state) == (1, SuggestionState.OPEN)
    monitoring.send(notice(over(second)))
    one = monitoring.only()
    assert (one.firing, one.state, one.ended_at) == (
        0, SuggestionState.OVER, NOON - timedelta(minutes=2),
    )  # fmt: skip


def test_an_alert_resolves_where_it_fired_although_its_component_is_gone(
    monitoring: Monitoring,
) -> None:
    monitoring.send(notice(alert(labels=CHECKOUT)))
    remove_component(monitoring.scenario.checkout, actor=ACTOR)
    monitoring.send(notice(over(alert(labels=CHECKOUT))))
    one = monitoring.only()
    assert (one.firing, one.state) == (0, SuggestionState.OVER)


def test_alerts_that_flap_are_the_same_suggestion_and_later_ones_a_new_one(
    monitoring: Monitoring, frozen: Traveller
) -> None:
    monitoring.send(notice(alert()))
    monitoring.send(notice(over(alert())))
    monitoring.send(notice(alert()))
    assert monitoring.only().state is SuggestionState.OPEN
    monitoring.send(notice(over(alert())))
    frozen.shift(FLAP_TIME)
    monitoring.send(notice(alert()))
    assert [one.state for one in monitoring.found()] == [
        SuggestionState.OVER, SuggestionState.OPEN,
    ]  # fmt: skip


def test_what_is_resolved_from_the_beginning_suggests_nothing(monitoring: Monitoring) -> None:
    assert monitoring.send(notice(over(alert()))) == 0
    assert monitoring.found() == []


def test_an_open_incident_of_the_component_is_extended(monitoring: Monitoring) -> None:
    code = declare(monitoring.scenario).code
    version = incident_of(code).version
    monitoring.send(notice(alert(labels=CHECKOUT)))
    one, incident = monitoring.only(), incident_of(code)
    assert (one.state, one.incident_id, one.decided_by) == (
        SuggestionState.ACCEPTED, incident.id, "",
    )  # fmt: skip
    assert incident.version == version
    found = alerts_of_incident(current_session(), incident)
    assert found is not None
    assert (found.firing, found.alerts, found.ended_at) == (1, 1, None)
    monitoring.send(notice(over(alert(labels=CHECKOUT))))
    found = alerts_of_incident(current_session(), incident_of(code))
    assert found is not None
    assert (found.firing, found.ended_at) == (0, NOON - timedelta(minutes=2))


def test_alerts_after_the_incident_is_resolved_suggest_another(monitoring: Monitoring) -> None:
    code = declare(monitoring.scenario).code
    monitoring.send(notice(alert(labels=CHECKOUT)))
    resolve(code)
    monitoring.send(notice(alert(labels=CHECKOUT)))
    assert [one.state for one in monitoring.found()] == [
        SuggestionState.ACCEPTED, SuggestionState.OPEN,
    ]  # fmt: skip


def test_an_alert_that_resolves_after_its_incident_is_settled_with_it(
    monitoring: Monitoring,
) -> None:
    code = declare(monitoring.scenario).code
    monitoring.send(notice(alert(labels=CHECKOUT)))
    resolve(code)
    monitoring.send(notice(over(alert(labels=CHECKOUT))))
    found = alerts_of_incident(current_session(), incident_of(code))
    assert found is not None
    assert (len(found.suggestions), found.firing, found.ended_at) == (
        1, 0, NOON - timedelta(minutes=2),
    )  # fmt: skip


def test_what_an_alert_has_left_counts_it_no_more(monitoring: Monitoring) -> None:
    monitoring.send(notice(alert(labels={"team": "pay"})))
    source = current_session().get_one(AlertSource, monitoring.source)
    rules = SourceDetails(source.name, source.tool, component_rules="team = pay -> Checkout")
    current_session().rollback()
    change_source(monitoring.source, rules, actor=ACTOR)
    monitoring.send(notice(alert(labels={"team": "pay"})))
    assert [(one.component_id, one.state, one.firing) for one in monitoring.found()] == [
        (None, SuggestionState.OVER, 0),
        (monitoring.scenario.checkout, SuggestionState.OPEN, 1),
    ]


def test_the_first_start_counts_while_an_alert_fires(
    monitoring: Monitoring, frozen: Traveller
) -> None:
    def started_at() -> timedelta:
        current_session().expire_all()
        return current_session().scalars(select(Alert.started_at)).one() - NOON

    for payload, minutes in (
        (alert(startsAt=""), 0),
        (alert(startsAt=""), 0),
        ({**over(alert(startsAt="")), "endsAt": ""}, 0),
        (alert(startsAt=""), 15),
    ):
        monitoring.send(notice(payload))
        assert started_at() == timedelta(minutes=minutes)
        frozen.shift(timedelta(minutes=5))


def test_declaring_from_a_suggestion_accepts_it(monitoring: Monitoring) -> None:
    monitoring.send(notice(alert(labels=CHECKOUT)))
    code = monitoring.only().code
    incident = declare(monitoring.scenario, suggestion=code)
    incident_id = incident.id
    one = monitoring.only()
    assert (one.state, one.incident_id, one.decided_by) == (
        SuggestionState.ACCEPTED, incident_id, "Ada",
    )  # fmt: skip
    trail = current_session().scalars(select(AuditEntry.action).order_by(AuditEntry.id)).all()
    assert trail[-2:] == ["incident.declare", "suggestion.accept"]


def test_what_was_dismissed_stays_so_until_its_alerts_resolve_and_fire_again(
    monitoring: Monitoring,
) -> None:
    monitoring.send(notice(alert()))
    dismiss(monitoring.only().code, actor=ACTOR)
    monitoring.send(notice(alert()))
    assert monitoring.only().state is SuggestionState.DISMISSED
    with pytest.raises(Invalid, match="already decided"):
        dismiss(monitoring.only().code, actor=ACTOR)
    monitoring.send(notice(over(alert())))
    monitoring.send(notice(alert()))
    assert [one.state for one in monitoring.found()] == [
        SuggestionState.DISMISSED, SuggestionState.OPEN,
    ]  # fmt: skip


def test_a_suggestion_is_added_to_an_open_incident_by_hand(monitoring: Monitoring) -> None:
    code = declare(monitoring.scenario).code
    monitoring.send(notice(alert()))
    one = monitoring.only().code
    with pytest.raises(Invalid):
        add_to_incident(one, "nothing", actor=ACTOR)
    drill = declare(monitoring.scenario, drill=Drill(), suggestion=one).code
    with pytest.raises(Invalid, match="open incident"):
        add_to_incident(one, drill, actor=ACTOR)
    add_to_incident(one, code, actor=ACTOR)
    assert monitoring.only().incident_id == incident_of(code).id
    with pytest.raises(Invalid, match="already decided"):
        add_to_incident(one, code, actor=ACTOR)


def test_a_code_that_is_none_finds_nothing(monitoring: Monitoring) -> None:
    monitoring.send(notice(alert()))
    code = monitoring.only().code
    found = [
        find_suggestion(current_session(), one) for one in (code, "", "\0", f"{code}\0", "x" * 99)
    ]
    assert [one and one.code for one in found] == [code, None, None, None, None]


def test_a_tool_may_neither_decide_nor_may_a_person_send(monitoring: Monitoring) -> None:
    monitoring.send(notice(alert()))
    with pytest.raises(Forbidden):
        dismiss(monitoring.only().code, actor=TOOL)
    with pytest.raises(Forbidden):
        take_alerts(monitoring.source, [], actor=acting("Ada", AccountRole.VIEWER))


def test_the_worst_suggestion_comes_first(monitoring: Monitoring) -> None:
    monitoring.send(notice(alert(), group="mild"))
    monitoring.send(notice(alert(number=2, labels={"severity": "critical"}), group="bad"))
    ranks = [one.severity_rank for one in open_suggestions(current_session())]
    assert ranks == [1, 3]


def test_there_is_a_bound_to_suggestions_and_to_alerts_of_one(
    monitoring: Monitoring, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(suggestions, "MOST_OPEN", 2)
    monkeypatch.setattr(suggestions, "MOST_ALERTS_EACH", 3)
    for number in range(4):
        monitoring.send(notice(alert(number=number), group=str(number)))
    assert monitoring.send(notice(*(alert(number=n) for n in range(10, 16)), group="0")) == 4
    # Those that are known are kept up to date.
    assert monitoring.send(notice(over(alert(number=0)), group="0")) == 0
    counted = current_session().execute(
        select(func.count(), func.max(AlertSource.left_out)).select_from(Alert).join(AlertSource)
    )
    assert (len(monitoring.found()), *counted.one()) == (2, 4, 6)


def test_a_source_that_sends_too_often_waits(
    monitoring: Monitoring, frozen: Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(suggestions, "MOST_REQUESTS", 2)
    for _ in range(2):
        suggestions.take_alerts(monitoring.source, [], actor=TOOL)
    with pytest.raises(TooManyRequests) as refused:
        monitoring.send(notice(alert()))
    assert (refused.value.wait, monitoring.found()) == (REQUEST_WINDOW, [])
    frozen.shift(REQUEST_WINDOW)
    monitoring.send(notice(alert()))
    assert len(monitoring.found()) == 1


def test_what_is_old_is_forgotten_unless_an_incident_has_it(
    monitoring: Monitoring, frozen: Traveller
) -> None:
    monitoring.send(notice(alert(), group="alone"))
    declare(monitoring.scenario)
    monitoring.send(notice(alert(number=2, labels=CHECKOUT)))
    frozen.shift(KEPT_FOR + timedelta(seconds=1))
    assert forget_old_alerts() == 1
    assert monitoring.only().incident_id is not None
    assert current_session().scalar(select(func.count()).select_from(Alert)) == 0
