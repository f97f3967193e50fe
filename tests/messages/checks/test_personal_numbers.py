"""Cards, accounts, dates of birth and telephones in a text, told by their check digits."""

from __future__ import annotations

import pytest

from tests.checking import Examples, misread

EXAMPLES: dict[str, Examples] = {
    "personal-data": (
        [
            ("IBAN DE89 3704 0044 0532 0130 00 was charged.", "DE89 3704 0044 0532 0130 00"),
            ("Card 4242 4242 4242 4242 is refused.", "4242 4242 4242 4242"),
            ("SSN 219-09-9999 was shown.", "219-09-9999"),
            ("Born on 12.03.1981.", "12.03.1981"),
        ],
        ["IBAN DE89 3704 0044 0532 0130 01", "Order 4242 4242 4242 4243", "Cards ending in 4242"],
    ),
    "phone": (
        [("Call +49 30 901820 now", "+49 30 901820"), ("Call 617-253-1212", "617-253-1212")],
        ["From 2026-11-30 to 2026-12-01", "100 200 300"],
    ),
}


@pytest.mark.parametrize("rule", EXAMPLES)
def test_a_rule_marks_what_it_is_for_and_leaves_the_rest(rule: str) -> None:
    assert misread(rule, EXAMPLES[rule]) == []
