"""Texts held against the facts: promises, apologies, and times that contradict them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from time_machine import travel

from statuspage.core.enums import Step
from statuspage.messages.facts import Facts
from tests.checking import INCIDENT, STARTED, Examples, check, misread
from tests.factories import NOON

EXAMPLES: dict[str, Examples] = {
    "unconfirmed-cause": ([("It was due to a change.", "due to")], ["An update is due today."]),
    "unbacked-time": (
        [
            ("We expect it back by 15:00 UTC.", "15:00"),
            ("We will write within 30 minutes.", "within 30 minutes"),
        ],
        ["It was back by 15:00 UTC.", "It took 30 minutes."],
    ),
    "no-zone": ([("It began at 10:00.", "10:00")], ["It began at 10:00 UTC.", "From 9 to 10."]),
    "contradiction": (
        [("It started at 09:00 UTC.", "09:00")],
        ["It started at 10:00 UTC.", "We wrote at 09:00 UTC."],
    ),
    "dead-link": (
        [
            ("See [here]().", "[here]()"),
            ("See [it](status).", "[it](status)"),
            ("https://shop.test/x fails", "https://shop.test/x"),
            ("http:/acme.org", "http:/acme.org"),
        ],
        ["[Here](https://acme.org/a).", "https://status.acme-shop.com/x", "<mailto:a@b.org>"],
    ),
    "placeholder": ([("Back by TBD.", "TBD"), ("At [time]", "[time]")], ["To do: nothing."]),
}


@pytest.mark.parametrize("rule", EXAMPLES)
def test_a_rule_marks_what_it_is_for_and_leaves_the_rest(rule: str) -> None:
    assert misread(rule, EXAMPLES[rule]) == []


def test_an_open_incident_says_when_it_is_heard_of_again() -> None:
    promised = replace(INCIDENT, next_update=NOON + timedelta(minutes=30))
    with travel(NOON, tick=False):
        silent = check("We are on it.", step=Step.IDENTIFIED)
        spoken = check(
            "The next update comes by 12:30 UTC.", step=Step.IDENTIFIED, known=Facts(promised)
        )
        filled = check("Until [[next_update]].", step=Step.IDENTIFIED)
    assert [one.rule for one in silent] == ["no-next-update"]
    assert (silent[0].start, silent[0].end, silent[0].excerpt) == (0, 0, "")
    assert spoken == filled == []


def test_a_resolution_says_sorry() -> None:
    assert [one.rule for one in check("It is over.", step=Step.RESOLVED)] == ["no-apology"]
    assert check("It is over. We apologise.", step=Step.RESOLVED) == []


def test_a_resolution_is_in_the_past_tense() -> None:
    goes_on = "We apologise. Payments at checkout fail, and we’re reverting the change."
    (first, second) = check(goes_on, step=Step.RESOLVED)
    assert (first.rule, first.excerpt) == ("present-tense", "Payments at checkout fail")
    assert (second.rule, second.excerpt) == ("present-tense", "we’re reverting")
    assert check("We apologise. Payments failed.", step=Step.RESOLVED) == []
    assert check("Sorry. If payments fail again, contact us.", step=Step.RESOLVED) == []


def test_dates_in_the_wrong_order_are_told() -> None:
    backwards = replace(INCIDENT, ended=STARTED - timedelta(minutes=1))
    (finding,) = check("Sorry. It is over.", step=Step.RESOLVED, known=Facts(backwards))
    assert finding.reason == (
        "This contradicts the facts. The facts say that it ended before it started."
    )


def test_an_end_that_is_not_the_end_is_told() -> None:
    over = replace(INCIDENT, ended=NOON)
    text = "Sorry. It lasted from 10:00 UTC until 11:45 UTC."
    (finding,) = check(text, step=Step.RESOLVED, known=Facts(over))
    assert finding.excerpt == "11:45"
    assert finding.reason.endswith("The facts say that it ended at Mar 4, 2026, 12:00 UTC.")
