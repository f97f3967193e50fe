"""Texts checked before they go: every rule, every kind of leak, and nothing else."""

from __future__ import annotations

import pkgutil
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import UTC, datetime
from importlib import import_module

import pytest
from time_machine import travel

from statuspage.core.enums import Audience, Step
from statuspage.messages import checks
from statuspage.messages.checks import RULES, FindingKind, blocking, find, phrases
from statuspage.messages.compose import finish, render_text
from statuspage.messages.facts import Facts, InternalFacts
from statuspage.messages.sample_incident import sample_facts
from statuspage.messages.wording import STEPS, shipped_wording, template_name
from tests.checking import INCIDENT, INTERNAL, check, marked
from tests.factories import NOON
from tests.guards.awkward import AWKWARD, COMPONENTS, SERVICE
from tests.guards.hostile_texts import HOSTILE
from tests.guards.leaks import FRAMES, KINDS, Leak, facts, planted
from tests.guards.wild_leaks import KINDS as WILD_KINDS
from tests.guards.wild_leaks import wild


def test_every_rule_has_examples_beside_the_tests_of_its_module() -> None:
    without = []
    for rule in RULES:
        name = rule.find.__module__.rpartition(".")[2]
        if rule.id not in import_module(f"tests.messages.checks.test_{name}").EXAMPLES:
            without.append(rule.id)
    assert without == ["internal-fact", "no-next-update", "no-apology", "present-tense"]
    assert [rule.id for rule in RULES if not rule.reason.endswith((".", "?"))] == []


def test_what_would_leak_blocks_and_all_else_warns() -> None:
    leaks = {"secret", "personal-data", "trace", "tool", "file", "host", "private-address"}
    leaks |= {"account", "ticket", "source", "handle", "person", "customer", "vendor"}
    leaks |= {"code-name", "internal-fact"}
    assert {rule.id for rule in RULES if rule.blocks} == leaks


def test_the_gravest_rule_tells_of_a_place_and_blocks_come_first() -> None:
    found = check("High latency. http://10.0.0.1/var/log/app.log fails on db-01.", subject="db-02")
    assert [one.blocks for one in found] == sorted((one.blocks for one in found), reverse=True)
    assert found[0].field == "subject"
    assert len({(one.field, one.start) for one in found}) == len(found)


def test_what_the_page_says_itself_is_no_leak() -> None:
    assert blocking(check("Grace is back. See https://status.acme-shop.com/ for more.")) == ()


@pytest.mark.parametrize(
    ("audience", "step"),
    [
        (audience, step)
        for audience in (Audience.PUBLIC, Audience.CUSTOMER, Audience.SUPPORT)
        for step in STEPS[audience]
    ],
)
def test_the_shipped_wording_passes(audience: Audience, step: Step) -> None:
    known = sample_facts(audience, step)
    text = render_text(shipped_wording(template_name(audience, step)), known, audience)
    finish(text, audience=audience, step=step, facts=known)
    with travel(known.public.started or NOON, tick=False):
        found = find(
            subject=text.subject, body=text.body, audience=audience, step=step, facts=known
        )
    assert [(one.rule, one.excerpt) for one in found] == []


# --- planted leaks -------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(5))
def test_of_two_hundred_planted_leaks_next_to_none_gets_through(seed: int) -> None:
    through = [leak.secret for leak in planted(200, seed=seed) if not is_blocked(leak)]
    assert len(through) <= 4, through


def is_blocked(leak: object) -> bool:
    found = find(
        subject="",
        body=leak.text,  # type: ignore[attr-defined]
        audience=Audience.PUBLIC,
        step=Step.INVESTIGATING,
        facts=leak.facts,  # type: ignore[attr-defined]
        own=leak.own,  # type: ignore[attr-defined]
    )
    return bool(blocking(found))


def test_every_kind_is_planted_alike() -> None:
    counted = Counter(leak.kind for leak in planted(220, seed=1))
    assert counted == dict.fromkeys(KINDS, 20)


@pytest.mark.parametrize("frame", FRAMES)
def test_what_leaks_are_planted_in_is_clean_itself(frame: str) -> None:
    assert blocking(check(frame.format("the checkout"))) == ()
    assert facts().internal == InternalFacts()


@pytest.mark.parametrize("seed", [1, 2])
def test_of_four_hundred_leaks_of_forty_kinds_nine_in_ten_are_caught(seed: int) -> None:
    leaks = list(wild(8 * len(WILD_KINDS), seed=seed))
    missed = [leak.text for leak in leaks if not is_caught(leak)]
    assert len(WILD_KINDS) >= 40
    assert len(leaks) >= 400
    assert len(missed) <= len(leaks) // 10, missed


def is_caught(leak: Leak) -> bool:
    """Whether a rule of leaks marks something, and so blocks or warns."""
    found = find(
        subject="",
        body=leak.text,
        audience=Audience.PUBLIC,
        step=Step.INVESTIGATING,
        facts=leak.facts,
        own=leak.own,
    )
    return bool({one.rule for one in found} & LEAK_RULES)


LEAK_RULES = {rule.id for rule in RULES if rule.kind is FindingKind.LEAK}


# --- places --------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", HOSTILE, ids=[text[:12] for text in HOSTILE])
def test_a_hostile_text_comes_to_an_end(text: str) -> None:
    known = Facts(replace(INCIDENT, ended=datetime(2026, 3, 4, tzinfo=UTC)), INTERNAL)
    for finding in check(text[:2_000], step=Step.RESOLVED, known=known):
        assert finding.end <= 2_000


@pytest.mark.parametrize(
    "module",
    [
        module.name
        for package in (checks, phrases)
        for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}.")
    ],
)
def test_no_pattern_repeats_without_a_bound(module: str) -> None:
    """So that no text, however hostile, takes a rule more than its length times a constant."""
    patterns = [
        one
        for value in vars(import_module(module)).values()
        for one in (value if isinstance(value, tuple) else (value,))
        if isinstance(one, re.Pattern)
    ]
    assert [one.pattern for one in patterns if is_unbounded(one.pattern)] == []


@pytest.mark.parametrize("language", phrases.LISTED)
def test_no_phrase_repeats_without_a_bound(language: str) -> None:
    read = phrases.patterns(language)
    found = [getattr(read, one.name) for one in fields(phrases.Patterns)]
    assert [
        one.pattern for one in found if isinstance(one, re.Pattern) and is_unbounded(one.pattern)
    ] == []


def is_unbounded(pattern: str) -> bool:
    """Whether something in a pattern may repeat for ever."""
    return any(_unbounded(re._parser.parse(pattern)))  # type: ignore[attr-defined]


def _unbounded(tree: object) -> Iterator[bool]:
    parts = getattr(tree, "data", tree)
    if not isinstance(parts, list | tuple):
        return
    if len(parts) == 2 and str(parts[0]).endswith("_REPEAT"):
        yield parts[1][1] > 100_000
    for part in parts:
        yield from _unbounded(part)


def test_the_guard_sees_a_pattern_without_a_bound() -> None:
    assert [is_unbounded(one) for one in ("a{1,9}", "a+", "(?:ab*){1,3}", r"\d{2}")] == [
        False, True, True, False,
    ]  # fmt: skip


# --- harmless texts ------------------------------------------------------------------------------


@pytest.mark.parametrize("sentence", AWKWARD)
def test_a_harmless_sentence_near_the_rules_is_not_blocked(sentence: str) -> None:
    components = tuple((name, "") for name in COMPONENTS)
    known = Facts(replace(INCIDENT, service=SERVICE, title="", components=components))
    assert blocking(check(sentence, known=known)) == ()


def test_what_a_component_is_called_excuses_its_parts() -> None:
    named = Facts(replace(INCIDENT, components=(("US East (db-prod-7)", ""),)))
    assert marked("db-prod-7 is slow", "host", known=named) == []
    assert marked("db-prod-8 is slow", "host", known=named) == ["db-prod-8"]
