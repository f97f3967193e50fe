"""Tickets, source code, channels and colleagues’ handles in a text, and what is public of them."""

from __future__ import annotations

import pytest

from tests.checking import Examples, misread

EXAMPLES: dict[str, Examples] = {
    "ticket": (
        [
            ("OPS-1234 tells more", "OPS-1234"),
            ("ops-221 tells more", "ops-221"),
            ("See #4711", "#4711"),
        ],
        [
            "UTF-8, SHA-256 and COVID-19.",
            "100 incidents",
            "We are #1.",
            "incident 100% over",
            "Date of incident: 2026-05-21",
            "Q4-2026 and EU-1",
            "a refund for order #100234",
        ],
    ),
    "source": (
        [
            ("We rolled out 3f9c2ab1e4", "3f9c2ab1e4"),
            ("hotfix/cart-total is live", "hotfix/cart-total"),
            ("checkout:v1.4.2 runs", "checkout:v1.4.2"),
        ],
        ["We fixed/improved it.", "Version v2.1.120 runs.", "The defaced page is back."],
    ),
    "handle": (
        [
            ("Ask @priya", "@priya"),
            ("In #incidents", "#incidents"),
            ("kim@acme.com", "kim@acme.com"),
        ],
        [
            "Write to help@acme-shop.com.",
            "# Heading",
            "kontakt@other.org and servicedesk@other.org",
            "actions/deploy@v4",
            "@acmestatus and #acmedown",
            "@cf/meta/llama",
        ],
    ),
    "issue": (
        [("See https://github.com/acme/sdk/issues/12", "https://github.com/acme/sdk/issues/12")],
        ["See https://github.com/acme/sdk"],
    ),
}


@pytest.mark.parametrize("rule", EXAMPLES)
def test_a_rule_marks_what_it_is_for_and_leaves_the_rest(rule: str) -> None:
    assert misread(rule, EXAMPLES[rule]) == []
