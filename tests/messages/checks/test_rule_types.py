"""What a rule is: which findings hold a text back, and how that is said."""

from __future__ import annotations

import pytest

from statuspage.messages.checks import Blocked, Finding, FindingKind, Rule, blocking, in_words


def finding(excerpt: str, *, blocks: bool = True) -> Finding:
    return Finding("host", blocks, "It leaks.", "body", 0, len(excerpt), excerpt)


@pytest.mark.parametrize(
    ("kind", "is_mild", "blocks"),
    [
        (FindingKind.LEAK, False, True),
        (FindingKind.LEAK, True, False),
        (FindingKind.TRUTH, False, False),
        (FindingKind.TONE, False, False),
    ],
)
def test_a_leak_blocks_unless_it_often_has_a_harmless_reading(
    kind: FindingKind, is_mild: bool, blocks: bool
) -> None:
    assert Rule("x", kind, "It leaks.", lambda _: (), is_mild=is_mild).blocks is blocks


def test_only_what_blocks_keeps_a_text_from_going_out() -> None:
    grave, mild = finding("db-01"), finding("soon", blocks=False)
    assert blocking([mild, grave]) == (grave,)


@pytest.mark.parametrize(
    ("excerpts", "named"),
    [
        (["db-01"], "“db-01”"),
        (["db-01", "db-01"], "“db-01”"),
        (["a1", "b2", "c3", "d4", "e5"], "“a1”, “b2”, “c3” and 2 more"),
        (["of two\n  lines"], "“of two lines”"),
        (["x" * 41], f"“{'x' * 39}…”"),
        (["x" * 40], f"“{'x' * 40}”"),
    ],
)
def test_a_refusal_names_the_first_few_places_on_one_line(excerpts: list[str], named: str) -> None:
    assert in_words([finding(one) for one in excerpts]) == (
        f"This would expose internal information: {named}. Take it out, or say why it stays."
    )


def test_a_refusal_is_about_a_field_and_keeps_its_places() -> None:
    refused = Blocked("title", [finding("db-01")])
    assert (refused.field, refused.findings) == ("title", (finding("db-01"),))
    assert refused.reason == in_words([finding("db-01")])
