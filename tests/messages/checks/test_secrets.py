"""Keys, tokens and passwords in a text, and words that only look like them."""

from __future__ import annotations

import pytest

from tests.checking import Examples, misread

EXAMPLES: dict[str, Examples] = {
    "secret": (
        [
            ("Use AKIAIOSFODNN7EXAMPLE for now.", "AKIAIOSFODNN7EXAMPLE"),
            ("The password is hunter2!", "hunter2!"),
            ("postgres://app:pw@db/x is down", "postgres://app:pw@db/x"),
            ("DB_PASSWORD=abc123", "DB_PASSWORD=abc123"),
        ],
        [
            "The password is wrong, we are told.",
            "Tokens are refused.",
            "Reset your password: soon",
            "You cannot login to Office365.",
        ],
    ),
}


@pytest.mark.parametrize("rule", EXAMPLES)
def test_a_rule_marks_what_it_is_for_and_leaves_the_rest(rule: str) -> None:
    assert misread(rule, EXAMPLES[rule]) == []
