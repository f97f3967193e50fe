"""The score of a drill: when the first update came, whom it reached, and what was overridden."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy.orm import Session
from time_machine import Traveller

from statuspage.incidents.drill_score import score_of
from statuspage.incidents.inputs import Drill
from tests.announcing import Scenario, declare, post, resolve
from tests.factories import NOON

DRILL = Drill(people=[("eve@example.com", "Eve")])


def test_a_drill_is_scored_by_what_was_published_and_queued(
    scenario: Scenario, session: Session, frozen: Traveller
) -> None:
    drill = declare(scenario, drill=DRILL)
    frozen.shift(timedelta(minutes=20))
    resolve(drill.code)
    session.expire_all()
    score = score_of(session, drill)
    assert score.first_update == NOON - drill.started_at == timedelta(minutes=10)
    assert score.resolved_after == timedelta(minutes=30)
    assert "visitors" in score.covered
    assert sorted((*score.covered, *score.left_out)) == [
        "colleagues", "customers", "subscribers", "visitors",
    ]  # fmt: skip
    assert score.first_update_allowed == timedelta(minutes=15)


def test_a_drill_that_goes_on_has_no_end_and_overrode_nothing(
    scenario: Scenario, session: Session
) -> None:
    drill = declare(scenario, drill=DRILL)
    post(drill.code, "identified")
    session.expire_all()
    score = score_of(session, drill)
    assert (score.resolved_after, score.overridden) == (None, ())
