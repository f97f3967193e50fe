"""Addresses in networks in a text, and clocks and versions that are written alike."""

from __future__ import annotations

import pytest

from tests.checking import Examples, misread

EXAMPLES: dict[str, Examples] = {
    "private-address": (
        [
            ("10.1.2.3 is slow", "10.1.2.3"),
            ("fe80::1 is slow", "fe80::1"),
            ("All of 192.168.0.0/16", "192.168.0.0/16"),
        ],
        [
            "At 12:30:45 UTC.",
            "From 14:14:00-15:43:00 UTC.",
            "Version 10.1.2.",
            "std::vector",
            "Chrome 10.0.0.999",
        ],
    ),
    "public-address": ([("9.9.9.9 is slow", "9.9.9.9")], ["Version 9.9.9"]),
}


@pytest.mark.parametrize("rule", EXAMPLES)
def test_a_rule_marks_what_it_is_for_and_leaves_the_rest(rule: str) -> None:
    assert misread(rule, EXAMPLES[rule]) == []
