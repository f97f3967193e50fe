"""Names of internal systems and Windows accounts in a text, and codes that customers see."""

from __future__ import annotations

import pytest

from tests.checking import Examples, misread

EXAMPLES: dict[str, Examples] = {
    "account": ([("SHOPSTACK\\dweiss did it", "SHOPSTACK\\dweiss")], ["AND\\OR", "a\\b"]),
    "identifier": (
        [
            ("The orders-dlq queue is full", "orders-dlq"),
            ("order_items is slow", "order_items"),
            ("We turned enableNewCart off", "enableNewCart"),
        ],
        ["created_at and user_id are ignored", "ERR_NOT_FOUND", "The us-east-1 cluster"],
    ),
}


@pytest.mark.parametrize("rule", EXAMPLES)
def test_a_rule_marks_what_it_is_for_and_leaves_the_rest(rule: str) -> None:
    assert misread(rule, EXAMPLES[rule]) == []
