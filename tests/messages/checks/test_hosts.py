"""Names of servers and links for colleagues in a text, and names of products beside them."""

from __future__ import annotations

import pytest

from tests.checking import Examples, misread

EXAMPLES: dict[str, Examples] = {
    "tool": ([("See docs.google.com/d/abc", "docs.google.com/d/abc")], ["See https://a.org/x"]),
    "host": (
        [
            ("We restarted db-01.", "db-01"),
            ("kafka-3.prod.acme.com is up", "kafka-3.prod.acme.com"),
            ("It was db\\-**01** again", "db\\-**01**"),
            ("files.corp is down", "files.corp"),
        ],
        [
            "See www.acme.com and docs.acme.com.",
            "The e-mail gateway works.",
            "IPv6 and S3 work.",
            "prod-us-central-0 and TOR1 are slow.",
        ],
    ),
}


@pytest.mark.parametrize("rule", EXAMPLES)
def test_a_rule_marks_what_it_is_for_and_leaves_the_rest(rule: str) -> None:
    assert misread(rule, EXAMPLES[rule]) == []
