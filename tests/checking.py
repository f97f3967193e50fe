"""A text that is checked, in an incident that is known."""

from __future__ import annotations

from datetime import timedelta

from statuspage.core.enums import Audience, Step
from statuspage.messages.checks import BlockedTerms, Finding, find
from statuspage.messages.facts import Facts, InternalFacts, PublicFacts
from tests.factories import NOON

# What a rule marks, each text with the place in it, and what it must leave alone.
Examples = tuple[list[tuple[str, str]], list[str]]

STARTED = NOON - timedelta(hours=2)
INCIDENT = PublicFacts(
    service="Acme",
    page_url="https://status.acme-shop.com/",
    support_email="help@acme-shop.com",
    title="Payments fail",
    components=(("Checkout", "Major outage"), ("Grace", "Operational")),
    started=STARTED,
)
OWN = BlockedTerms(
    people=("Grace Hopper",),
    vendors=("Brightpay",),
    code_names=("Blue Harvest",),
    contacts=("Mark Stone", "Support desk", "Kim"),
    customers=("Umbrella AG",),
)
INTERNAL = InternalFacts(
    severity="SEV1",
    commander="Noor van Dijk (@noor)",
    war_room="Room Apollo",
    technical_cause="A missing index on order_items made every checkout scan the table.",
    progress="Rolled back build 48213.",
    current_actions="Payments are declined at checkout.",
)


def check(
    text: str, *, step: Step = Step.POSTMORTEM, known: Facts | None = None, subject: str = ""
) -> list[Finding]:
    return list(
        find(
            subject=subject,
            body=text,
            audience=Audience.PUBLIC,
            step=step,
            facts=known or Facts(INCIDENT),
            own=OWN,
        )
    )


def marked(text: str, rule: str, **options: object) -> list[str]:
    return [one.excerpt for one in check(text, **options) if one.rule == rule]  # type: ignore[arg-type]


def misread(rule: str, examples: Examples) -> list[str]:
    """The examples in which a rule marks another place than it should."""
    hits, misses = examples
    expected = [(text, [place]) for text, place in hits] + [(text, []) for text in misses]
    return [text for text, places in expected if _places(text, rule) != places]


def _places(text: str, rule: str) -> list[str]:
    return [text[one.start : one.end] for one in check(text) if one.rule == rule]
