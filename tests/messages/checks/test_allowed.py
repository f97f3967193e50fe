"""What is always allowed: terms, patterns for one word, domains; and what cannot be on the list."""

from __future__ import annotations

from dataclasses import replace

import pytest

from statuspage.core.enums import Audience, Step
from statuspage.messages.checks import Allowed, blocking, find
from statuspage.messages.checks.allowed import refusal
from statuspage.messages.facts import Facts
from tests.checking import INCIDENT, OWN


def blocked(text: str, *entries: str) -> list[str]:
    own = replace(OWN, allowed=Allowed(entries))
    found = find(
        subject="", body=text, audience=Audience.PUBLIC, step=Step.POSTMORTEM,
        facts=Facts(INCIDENT), own=own,
    )  # fmt: skip
    return [one.excerpt for one in blocking(found)]


@pytest.mark.parametrize(
    ("text", "entries", "left"),
    [
        ("db-01 and db-02 are slow", ("DB-01",), ["db-02"]),
        ("db-01 and db-02 are slow", ("db-*",), []),
        ("db-01, web-02.", ("*-0?",), []),
        ("db-01 is slow", ("db-0[2-9]",), ["db-01"]),
        ("Grace Hopper helps", ("Grace Hopper",), []),
        ("Grace  Hopper helps", ("Grace Hopper",), []),
        ("grafana.acme.com/d/a-1 shows it", ("grafana.acme.com",), []),
        ("https://grafana.acme.com/d/a-1 shows it", ("*.acme.com",), []),
        (
            "grafana.acme.com.evil.io/d/a-1",
            ("grafana.acme.com",),
            ["grafana.acme.com.evil.io"],
        ),
        ("Write to kim@acme.com.", ("@acme.com",), []),
        ("Write to kim@acme.com.", ("@acme.org",), ["kim@acme.com"]),
    ],
)
def test_what_is_on_the_list_is_not_blocked(
    text: str, entries: tuple[str, ...], left: list[str]
) -> None:
    assert blocked(text, *entries) == left


def test_a_pattern_allows_no_secret_and_an_exact_term_does() -> None:
    assert blocked("AKIAIOSFODNN7EXAMPLE", "AKIA*") == ["AKIAIOSFODNN7EXAMPLE"]
    assert blocked("AKIAIOSFODNN7EXAMPLE", "AKIAIOSFODNN7EXAMPLE") == []


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        ("*", "has not 2 to 100 characters"),
        ("**", "would allow nearly everything"),
        ("[a-z]*", "would allow nearly everything"),
        ("a?*", "would allow nearly everything"),
        ("prod-[0-9", "is malformed"),
        ("prod-]", "is malformed"),
        ("prod-[]", "is malformed"),
        ("*a*b*c*de", "more than 3 asterisks"),
        ("our prod-*", "covers a single word"),
        ("--", "no letter and no digit"),
        ("a" * 101, "has not 2 to 100 characters"),
    ],
)
def test_an_entry_that_cannot_be_on_the_list_is_refused_with_the_reason(
    entry: str, why: str
) -> None:
    assert why in refusal(entry)


@pytest.mark.parametrize("entry", ["db-01", "prod-*", "TOR?", "db-0[1-3]", "*.acme.com", "C++"])
def test_other_entries_are_taken(entry: str) -> None:
    assert refusal(entry) == ""
