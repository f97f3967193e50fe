"""The incident of the previews: every fact for each step, and none that a step cannot know."""

from __future__ import annotations

import pytest

from statuspage.core.enums import Audience, Step
from statuspage.messages.facts import InternalFacts
from statuspage.messages.sample_incident import bare_facts, sample_facts
from statuspage.messages.wording import STEPS

SHOWN = [(audience, step) for audience in STEPS for step in STEPS[audience]]


def test_only_colleagues_are_shown_internal_facts() -> None:
    told = {
        audience for audience, step in SHOWN
        if sample_facts(audience, step).internal != InternalFacts()
    }  # fmt: skip
    assert told == {audience for audience in STEPS if audience.is_inside}


@pytest.mark.parametrize(("audience", "step"), SHOWN)
def test_the_bare_incident_says_nothing_that_the_full_one_does_not(
    audience: Audience, step: Step
) -> None:
    bare, full = bare_facts(audience, step), sample_facts(audience, step)
    assert bare.internal == InternalFacts()
    said = {name: getattr(bare.public, name) for name in ("title", "status", "started", "ended")}
    assert said == {name: getattr(full.public, name) for name in said}
    assert (bare.public.cause, bare.public.components, bare.public.next_update) == ("", (), None)


@pytest.mark.parametrize(
    ("step", "is_over"),
    [(Step.IDENTIFIED, False), (Step.RESOLVED, True), (Step.POSTMORTEM, True)],
)
def test_what_is_over_has_an_end_and_promises_nothing(step: Step, is_over: bool) -> None:
    known = sample_facts(Audience.PUBLIC, step).public
    states = {state for _, state in known.components}
    assert (known.ended is not None, known.next_update is None) == (is_over, is_over)
    assert (states == {"Operational"}) is is_over


def test_a_false_alarm_has_neither_cause_nor_prevention() -> None:
    known = sample_facts(Audience.PUBLIC, Step.FALSE_ALARM).public
    assert (known.cause, known.prevention) == ("", "")
    assert known.resolution.startswith("A test of our alarms reached this page.")


def test_subscribers_asked_about_the_incident_and_are_told_of_no_components() -> None:
    assert sample_facts(Audience.SUBSCRIBER, Step.IDENTIFIED).public.components == ()


def test_a_maintenance_is_shown_where_the_step_is_one_of_planned_work() -> None:
    planned = {
        step for step in STEPS[Audience.PUBLIC]
        if sample_facts(Audience.PUBLIC, step).public.scheduled_for
    }  # fmt: skip
    assert Step.COMPLETED in planned
    assert planned.isdisjoint({Step.RESOLVED, Step.IDENTIFIED, Step.POSTMORTEM})
