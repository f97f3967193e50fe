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

# Each rule with what it marks, and with what it must leave alone.
EXAMPLES: dict[str, tuple[list[tuple[str, str]], list[str]]] = {
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
    "personal-data": (
        [
            ("IBAN DE89 3704 0044 0532 0130 00 was charged.", "DE89 3704 0044 0532 0130 00"),
            ("Card 4242 4242 4242 4242 is refused.", "4242 4242 4242 4242"),
            ("SSN 219-09-9999 was shown.", "219-09-9999"),
            ("Born on 12.03.1981.", "12.03.1981"),
        ],
        ["IBAN DE89 3704 0044 0532 0130 01", "Order 4242 4242 4242 4243", "Cards ending in 4242"],
    ),
    "trace": (
        [("We saw TypeError: x is not a function", "TypeError: x is not a function")],
        [
            "An error occurred at 19:13:50 UTC.",
            "Errors and exceptions are rarer now.",
            "GitHub.com works. Select a date from the list.",
        ],
    ),
    "tool": ([("See docs.google.com/d/abc", "docs.google.com/d/abc")], ["See https://a.org/x"]),
    "file": (
        [
            ("It is in /var/log/app.log now", "/var/log/app.log"),
            ("See C:\\Shop\\cart.dll", "C:\\Shop\\cart.dll"),
            ("checkout.py:142 fails", "checkout.py:142"),
        ],
        ["Node.js and Next.js work.", "Answers and/or mails are late.", "Version 2.14.1 works."],
    ),
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
    "account": ([("SHOPSTACK\\dweiss did it", "SHOPSTACK\\dweiss")], ["AND\\OR", "a\\b"]),
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
    "person": (
        [("mark stone fixed it", "mark stone"), ("Ask Hopper", "Hopper"), ("We and Mark", "Mark")],
        ["Mark it as read.", "The support desk helps.", "Milestones. Grace works."],
    ),
    "customer": ([("Umbrella AG cannot pay", "Umbrella AG")], ["An umbrella for all"]),
    "vendor": ([("BRIGHTPAY's API fails", "BRIGHTPAY's")], ["A bright day"]),
    "code-name": ([("blue-harvest is slow", "blue-harvest")], ["It was blue. Harvest time."]),
    "internal-fact": ([], []),  # below
    "issue": (
        [("See https://github.com/acme/sdk/issues/12", "https://github.com/acme/sdk/issues/12")],
        ["See https://github.com/acme/sdk"],
    ),
    "phone": (
        [("Call +49 30 901820 now", "+49 30 901820"), ("Call 617-253-1212", "617-253-1212")],
        ["From 2026-11-30 to 2026-12-01", "100 200 300"],
    ),
    "error-message": ([("You see connection refused", "connection refused")], ["It is refused"]),
    "identifier": (
        [
            ("The orders-dlq queue is full", "orders-dlq"),
            ("order_items is slow", "order_items"),
            ("We turned enableNewCart off", "enableNewCart"),
        ],
        ["created_at and user_id are ignored", "ERR_NOT_FOUND", "The us-east-1 cluster"],
    ),
    "public-address": ([("9.9.9.9 is slow", "9.9.9.9")], ["Version 9.9.9"]),
    "unconfirmed-cause": ([("It was due to a change.", "due to")], ["An update is due today."]),
    "unbacked-time": (
        [
            ("We expect it back by 15:00 UTC.", "15:00"),
            ("We will write within 30 minutes.", "within 30 minutes"),
        ],
        ["It was back by 15:00 UTC.", "It took 30 minutes."],
    ),
    "no-zone": ([("It began at 10:00.", "10:00")], ["It began at 10:00 UTC.", "From 9 to 10."]),
    "contradiction": (
        [("It started at 09:00 UTC.", "09:00")],
        ["It started at 10:00 UTC.", "We wrote at 09:00 UTC."],
    ),
    "no-next-update": ([], []),  # below
    "no-apology": ([], []),  # below
    "present-tense": ([], []),  # below
    "dead-link": (
        [
            ("See [here]().", "[here]()"),
            ("See [it](status).", "[it](status)"),
            ("https://shop.test/x fails", "https://shop.test/x"),
            ("http:/acme.org", "http:/acme.org"),
        ],
        ["[Here](https://acme.org/a).", "https://status.acme-shop.com/x", "<mailto:a@b.org>"],
    ),
    "placeholder": ([("Back by TBD.", "TBD"), ("At [time]", "[time]")], ["To do: nothing."]),
    "blame": ([("This was human error.", "human error")], ["We are to fix it."]),
    "hedge": (
        [("It will be back soon.", "soon")],
        ["Sooner if there is news.", "We write as soon as we know more."],
    ),
    "jargon": ([("A failover ran.", "failover")], ["It is slow."]),
    "shouting": ([("ALL SYSTEMS ARE DOWN", "ALL SYSTEMS ARE DOWN")], ["The API and SSO work."]),
}


def test_every_rule_has_examples() -> None:
    assert list(EXAMPLES) == [rule.id for rule in RULES]
    assert [rule.id for rule in RULES if not rule.reason.endswith((".", "?"))] == []


@pytest.mark.parametrize("rule", EXAMPLES)
def test_a_rule_marks_what_it_is_for_and_leaves_the_rest(rule: str) -> None:
    hits, misses = EXAMPLES[rule]
    for text, place in hits:
        found = [one for one in check(text) if one.rule == rule]
        assert [text[one.start : one.end] for one in found] == [place], text
    for text in misses:
        assert marked(text, rule) == [], text


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
