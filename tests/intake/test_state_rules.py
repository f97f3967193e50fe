"""Alerts set a component's state where a rule was switched on, and people win."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select
from time_machine import Traveller

from statuspage.configuration.components import set_component_status
from statuspage.core.db import current_session, db, writing
from statuspage.core.enums import ComponentStatus
from statuspage.core.errors import Invalid
from statuspage.intake.alert_sources import remove_source
from statuspage.intake.state_rules import (
    RuleDetails,
    apply_due,
    automatic_components,
    hand_back,
    remove_rule,
    rule_of,
    save_rule,
)
from statuspage.intake.suggestions import dismiss
from statuspage.models import AuditEntry, Component, ComponentChange
from statuspage.models.revision import current_number
from statuspage.public.queries import open_site
from tests.alerting import Payload, alert, make_source, notice, over
from tests.announcing import ACTOR, declare, resolve
from tests.factories import NOON
from tests.intake.conftest import Monitoring

MINUTE = timedelta(minutes=1)
OPERATIONAL = ComponentStatus.OPERATIONAL
DEGRADED = ComponentStatus.DEGRADED_PERFORMANCE
PARTIAL = ComponentStatus.PARTIAL_OUTAGE


def firing(**changes: str) -> Payload:
    return alert(labels={"service": "checkout"}, startsAt="2026-03-04T12:00:00Z", **changes)


def switched_on(monitoring: Monitoring, **changes: int) -> int:
    details = replace(RuleDetails(monitoring.source, DEGRADED), **changes)  # type: ignore[arg-type]
    save_rule(monitoring.scenario.checkout, details, actor=ACTOR)
    return monitoring.scenario.checkout


def status(component_id: int) -> ComponentStatus:
    current_session().expire_all()
    return current_session().get_one(Component, component_id).status


def is_marked(component_id: int) -> Mapping[str, bool]:
    """What the public page and the admin say of whether it was set automatically."""
    with open_site(db.engine) as site:
        public = site.by_key[component_id].is_automatic
    return {"public": public, "admin": component_id in automatic_components(current_session())}


def test_a_state_is_set_after_a_delay_and_taken_back_after_quiet(
    monitoring: Monitoring, frozen: Traveller
) -> None:
    checkout = switched_on(monitoring)
    monitoring.send(notice(firing()))
    frozen.shift(4 * MINUTE)
    assert (apply_due(), status(checkout)) == (0, OPERATIONAL)
    frozen.shift(MINUTE)
    before = current_number(current_session())
    assert (apply_due(), status(checkout)) == (1, DEGRADED)
    assert is_marked(checkout) == {"public": True, "admin": True}
    assert current_number(current_session()) == before + 1
    assert apply_due() == 0
    monitoring.send(notice(over(firing())))
    frozen.shift(9 * MINUTE)
    assert (apply_due(), status(checkout)) == (0, DEGRADED)
    frozen.shift(MINUTE)
    assert (apply_due(), status(checkout)) == (1, OPERATIONAL)
    assert is_marked(checkout) == {"public": False, "admin": False}
    entries = current_session().scalars(
        select(AuditEntry).filter_by(action="component.set_status").order_by(AuditEntry.id)
    )
    assert [(one.actor, one.after) for one in entries] == [
        ("Rule of “Production”", {"status": "degraded_performance"}),
        ("Rule of “Production”", {"status": "operational"}),
    ]
    log = current_session().scalars(
        select(ComponentChange).filter_by(component_id=checkout).order_by(ComponentChange.id)
    )
    assert [one.at for one in log][-2:] == [NOON + 5 * MINUTE, NOON + 15 * MINUTE]


def test_alerts_that_come_and_go_change_it_a_few_times_an_hour(
    monitoring: Monitoring, frozen: Traveller
) -> None:
    checkout = switched_on(monitoring, delay_minutes=0, quiet_minutes=1, most_per_hour=2)
    seen = []
    for _ in range(4):
        monitoring.send(notice(firing()))
        apply_due()
        seen.append(status(checkout))
        monitoring.send(notice(over(firing())))
        frozen.shift(MINUTE)
        apply_due()
        assert status(checkout) is OPERATIONAL
    assert seen == [DEGRADED, DEGRADED, OPERATIONAL, OPERATIONAL]
    frozen.shift(timedelta(hours=1))
    monitoring.send(notice(firing()))
    assert apply_due() == 1


def test_what_a_person_sets_stays_until_it_is_handed_back(
    monitoring: Monitoring, frozen: Traveller
) -> None:
    checkout = switched_on(monitoring, delay_minutes=0)
    monitoring.send(notice(firing()))
    apply_due()
    # Even the same state: somebody has looked.
    set_component_status(checkout, DEGRADED, actor=ACTOR)
    assert is_marked(checkout) == {"public": False, "admin": False}
    monitoring.send(notice(over(firing())))
    frozen.shift(timedelta(hours=2))
    assert (apply_due(), status(checkout)) == (0, DEGRADED)
    set_component_status(checkout, OPERATIONAL, actor=ACTOR)
    monitoring.send(notice(firing()))
    assert (apply_due(), status(checkout)) == (0, OPERATIONAL)
    hand_back(checkout, actor=ACTOR)
    hand_back(checkout, actor=ACTOR)
    assert (apply_due(), status(checkout)) == (1, DEGRADED)
    remove_rule(checkout, actor=ACTOR)
    assert (rule_of(current_session(), checkout), status(checkout)) == (None, DEGRADED)


def test_what_was_not_operational_is_left_as_it_is(monitoring: Monitoring) -> None:
    set_component_status(monitoring.scenario.checkout, PARTIAL, actor=ACTOR)
    checkout = switched_on(monitoring, delay_minutes=0)
    monitoring.send(notice(firing()))
    assert (apply_due(), status(checkout)) == (0, PARTIAL)


def test_an_open_incident_goes_before_the_rule(monitoring: Monitoring, frozen: Traveller) -> None:
    checkout = switched_on(monitoring, delay_minutes=0)
    monitoring.send(notice(firing()))
    apply_due()
    code = declare(monitoring.scenario).code
    assert (apply_due(), is_marked(checkout)["admin"]) == (0, False)
    monitoring.send(notice(over(firing())))
    frozen.shift(timedelta(hours=1))
    assert apply_due() == 0
    monitoring.send(notice(firing()))
    resolve(code)
    # What fired before counts no more; what fires anew does.
    assert (apply_due(), status(checkout)) == (0, OPERATIONAL)
    frozen.shift(MINUTE)
    again = {**firing(), "startsAt": "2026-03-04T13:01:00Z", "fingerprint": "another"}
    monitoring.send(notice(again))
    assert (apply_due(), status(checkout)) == (1, DEGRADED)


@pytest.mark.only_on("sqlite")
def test_dismissed_alerts_and_those_of_others_change_nothing(monitoring: Monitoring) -> None:
    checkout = switched_on(monitoring, delay_minutes=0)
    monitoring.send(notice(alert(labels={"service": "catalog"})))
    monitoring.send(notice(firing(), group="two"))
    (suggestion,) = (one for one in monitoring.found() if one.component_id == checkout)
    dismiss(suggestion.code, actor=ACTOR)
    assert (apply_due(), status(checkout)) == (0, OPERATIONAL)


@pytest.mark.only_on("sqlite")
def test_without_its_source_the_rule_takes_back_what_it_set(
    monitoring: Monitoring, frozen: Traveller
) -> None:
    checkout = switched_on(monitoring, delay_minutes=0)
    monitoring.send(notice(firing()))
    apply_due()
    remove_source(monitoring.source, actor=ACTOR)
    frozen.shift(10 * MINUTE)
    assert (apply_due(), status(checkout)) == (1, OPERATIONAL)
    with pytest.raises(Invalid, match="just been removed"):
        switched_on(monitoring)


@pytest.mark.only_on("sqlite")
def test_a_removed_component_is_let_go(monitoring: Monitoring) -> None:
    checkout = switched_on(monitoring, delay_minutes=0)
    monitoring.send(notice(firing()))
    apply_due()
    with writing() as session:
        session.get_one(Component, checkout).removed_at = NOON
    assert (apply_due(), automatic_components(current_session())) == (0, set())


@pytest.mark.only_on("sqlite")
@pytest.mark.parametrize("wrong", [OPERATIONAL, ComponentStatus.UNDER_MAINTENANCE])
def test_a_rule_sets_no_good_state(monitoring: Monitoring, wrong: ComponentStatus) -> None:
    with pytest.raises(Invalid):
        save_rule(monitoring.scenario.checkout, RuleDetails(monitoring.source, wrong), actor=ACTOR)


@pytest.mark.only_on("sqlite")
def test_reports_of_people_set_nothing(monitoring: Monitoring) -> None:
    people, _ = make_source(name="Colleagues", tool="people")
    with pytest.raises(Invalid, match="Reports of people"):
        save_rule(monitoring.scenario.checkout, RuleDetails(people, DEGRADED), actor=ACTOR)
