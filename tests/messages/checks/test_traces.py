"""Error and log messages in a text, and sentences that only speak of errors."""

from __future__ import annotations

import pytest

from tests.checking import Examples, misread

EXAMPLES: dict[str, Examples] = {
    "trace": (
        [("We saw TypeError: x is not a function", "TypeError: x is not a function")],
        [
            "An error occurred at 19:13:50 UTC.",
            "Errors and exceptions are rarer now.",
            "GitHub.com works. Select a date from the list.",
        ],
    ),
    "error-message": ([("You see connection refused", "connection refused")], ["It is refused"]),
}


@pytest.mark.parametrize("rule", EXAMPLES)
def test_a_rule_marks_what_it_is_for_and_leaves_the_rest(rule: str) -> None:
    assert misread(rule, EXAMPLES[rule]) == []
