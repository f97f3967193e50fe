"""What the company keeps to itself is found by its value, wherever it was typed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from statuspage.messages.facts import Facts
from tests.checking import INCIDENT, INTERNAL, Examples, check, marked, misread

EXAMPLES: dict[str, Examples] = {
    "person": (
        [("mark stone fixed it", "mark stone"), ("Ask Hopper", "Hopper"), ("We and Mark", "Mark")],
        ["Mark it as read.", "The support desk helps.", "Milestones. Grace works."],
    ),
    "customer": ([("Umbrella AG cannot pay", "Umbrella AG")], ["An umbrella for all"]),
    "vendor": ([("BRIGHTPAY's API fails", "BRIGHTPAY's")], ["A bright day"]),
    "code-name": ([("blue-harvest is slow", "blue-harvest")], ["It was blue. Harvest time."]),
}


@pytest.mark.parametrize("rule", EXAMPLES)
def test_a_rule_marks_what_it_is_for_and_leaves_the_rest(rule: str) -> None:
    assert misread(rule, EXAMPLES[rule]) == []


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("This is a SEV1.", "SEV1"),
        ("Noor van Dijk leads.", "Noor van Dijk"),
        ("Join us in room apollo.", "room apollo"),
        ("So *every checkout scan*.", ""),
        ("It made every checkout scan the table.", "made every checkout scan the table"),
        ("The table order_items is slow.", "order_items"),
        ("We rolled back build 48213.", "rolled back build 48213"),
        ("Payments are declined at checkout.", ""),
        ("It began on Mar 4, 2026, 12:00 UTC.", ""),
    ],
)
def test_internal_facts_are_known_by_their_value(text: str, place: str) -> None:
    public = replace(INCIDENT, users_notice="Payments are declined at checkout.")
    found = [one for one in check(text, known=Facts(public, INTERNAL)) if one.blocks]
    places = {place for one in found for place in range(one.start, one.end)}
    shown = text[min(places) : max(places) + 1] if places else ""
    assert shown == place


def test_an_internal_fact_is_not_made_public_by_being_typed_into_a_public_field() -> None:
    text = "A missing index on order_items made every checkout scan the table."
    typed, confirmed = replace(INCIDENT, users_notice=text), replace(INCIDENT, cause=text)
    assert marked(text, "internal-fact", known=Facts(typed, INTERNAL)) != []
    assert marked(text, "internal-fact", known=Facts(confirmed, INTERNAL)) == []
