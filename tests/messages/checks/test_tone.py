"""How a text sounds: blame, vagueness, jargon and shouting."""

from __future__ import annotations

import pytest

from tests.checking import Examples, misread

EXAMPLES: dict[str, Examples] = {
    "blame": ([("This was human error.", "human error")], ["We are to fix it."]),
    "hedge": (
        [("It will be back soon.", "soon")],
        ["Sooner if there is news.", "We write as soon as we know more."],
    ),
    "jargon": ([("A failover ran.", "failover")], ["It is slow."]),
    "shouting": ([("ALL SYSTEMS ARE DOWN", "ALL SYSTEMS ARE DOWN")], ["The API and SSO work."]),
}


@pytest.mark.parametrize("rule", EXAMPLES)
def test_a_rule_marks_what_it_is_for_and_leaves_the_rest(rule: str) -> None:
    assert misread(rule, EXAMPLES[rule]) == []
