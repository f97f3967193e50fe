"""Files and folders in a text, and versions and products that are written alike."""

from __future__ import annotations

import pytest

from tests.checking import Examples, misread

EXAMPLES: dict[str, Examples] = {
    "file": (
        [
            ("It is in /var/log/app.log now", "/var/log/app.log"),
            ("See C:\\Shop\\cart.dll", "C:\\Shop\\cart.dll"),
            ("checkout.py:142 fails", "checkout.py:142"),
        ],
        ["Node.js and Next.js work.", "Answers and/or mails are late.", "Version 2.14.1 works."],
    ),
}


@pytest.mark.parametrize("rule", EXAMPLES)
def test_a_rule_marks_what_it_is_for_and_leaves_the_rest(rule: str) -> None:
    assert misread(rule, EXAMPLES[rule]) == []
