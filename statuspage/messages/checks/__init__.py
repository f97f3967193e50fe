"""A text, checked before it goes: what would leak, what is not so, and how it sounds.

:data:`RULES` is the whole of it.  What would leak blocks, all else warns.  :func:`find` marks each
place in the text as it is edited; it asks nothing over the network and takes a few milliseconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Final

from statuspage.core.enums import Audience, Step
from statuspage.messages.checks.hosts import (
    find_files,
    find_hosts,
    find_private_addresses,
    find_public_addresses,
    find_tools,
)
from statuspage.messages.checks.internal_facts import (
    find_code_names,
    find_internal_facts,
    find_people,
    find_vendors,
    public_words,
)
from statuspage.messages.checks.rules import (
    Blocked,
    BlockedTerms,
    CheckedText,
    Finding,
    FindingKind,
    Rule,
    blocking,
    in_words,
)
from statuspage.messages.checks.secrets import find_handles, find_secrets, find_tickets, find_traces
from statuspage.messages.checks.tone import find_blame, find_hedges, find_jargon, find_shouting
from statuspage.messages.checks.truth import (
    find_contradictions,
    find_dead_links,
    find_missing_zone,
    find_no_apology,
    find_no_next_update,
    find_placeholders,
    find_unbacked_times,
    find_unconfirmed_cause,
)
from statuspage.messages.checks.visible_text import read
from statuspage.messages.facts import Facts, PublicFacts

LEAK, TRUTH, TONE = FindingKind.LEAK, FindingKind.TRUTH, FindingKind.TONE

RULES: Final = (
    Rule("secret", LEAK, "This looks like a key, a token or a password.", find_secrets),
    Rule("trace", LEAK, "This is what a program says to programmers.", find_traces),
    Rule("tool", LEAK, "This address is for colleagues only.", find_tools),
    Rule("file", LEAK, "This is a file or a folder of ours.", find_files),
    Rule("host", LEAK, "This is the name of a machine.", find_hosts),
    Rule("private-address", LEAK, "This is an address inside our network.", find_private_addresses),
    Rule("ticket", LEAK, "This leads to a ticket or a change.", find_tickets),
    Rule("handle", LEAK, "This names a colleague or a room of ours.", find_handles),
    Rule("person", LEAK, "This is the name of a colleague.", find_people),
    Rule("vendor", LEAK, "This vendor is on the list of words to keep inside.", find_vendors),
    Rule("code-name", LEAK, "This is on the list of words to keep inside.", find_code_names),
    Rule("internal-fact", LEAK, "This stands in the internal facts.", find_internal_facts),
    Rule(
        "public-address", TRUTH, "This is the address of a machine: is it meant for everybody?",
        find_public_addresses,
    ),
    Rule(
        "unconfirmed-cause", TRUTH, "This states a cause, and none is confirmed.",
        find_unconfirmed_cause,
    ),
    Rule(
        "unbacked-time", TRUTH, "This promises a time that the facts do not know.",
        find_unbacked_times,
    ),
    Rule("no-zone", TRUTH, "A time without a zone is read as anybody's own.", find_missing_zone),
    Rule("contradiction", TRUTH, "This is not what the facts say.", find_contradictions, True),
    Rule(
        "no-next-update", TRUTH, "It does not say when the next update comes.",
        find_no_next_update, True,
    ),
    Rule("no-apology", TONE, "It is over, and this does not say sorry.", find_no_apology, True),
    Rule("dead-link", TRUTH, "This link leads nowhere.", find_dead_links),
    Rule("placeholder", TRUTH, "Something was to be filled in here.", find_placeholders),
    Rule("blame", TONE, "This blames somebody. Readers want to know what you do.", find_blame),
    Rule("hedge", TONE, "This is vague. Say what you know, and what you do not.", find_hedges),
    Rule("jargon", TONE, "Not everybody knows this word.", find_jargon),
    Rule("shouting", TONE, "Capitals and rows of exclamation marks shout.", find_shouting),
)  # fmt: skip
"""Every rule, in the order of gravity: where two mark the same place, the first one counts."""

MOST_PLACES: Final = 100
"""How many places one rule marks: more would help nobody."""


def find(
    *,
    subject: str,
    body: str,
    audience: Audience,
    step: Step,
    facts: Facts,
    own: BlockedTerms | None = None,
) -> tuple[Finding, ...]:
    """What is wrong with a text for outsiders; blocking findings first, then by place."""
    found = [
        finding
        for field, written in (("subject", subject), ("body", body))
        for finding in _check(field, written, audience, step, facts, own or BlockedTerms())
    ]
    return tuple(sorted(found, key=lambda one: (not one.blocks, one.field != "subject", one.start)))


def find_in_name(name: str, *, own: BlockedTerms | None = None) -> tuple[Finding, ...]:
    """What is wrong with the public name of something that no incident names yet."""
    facts = Facts(PublicFacts(service="", page_url="", title=""))
    found = find(
        subject=name, body="", audience=Audience.PUBLIC, step=Step.UPDATE, facts=facts, own=own
    )
    return tuple(one for one in found if one.field == "subject")


def _check(
    field: str, written: str, audience: Audience, step: Step, facts: Facts, own: BlockedTerms
) -> Iterator[Finding]:
    reading = read(written)
    checked = CheckedText(reading.text, audience, step, facts, own)
    ours = _public_places(checked)
    # One byte for each character: 1 where something marked it already.
    marked, leaking = bytearray(len(checked.text)), bytearray(ours)
    for rule in RULES:
        if rule.body_only and field != "body":
            continue
        taken = leaking if rule.blocks else marked
        places = set(islice(rule.find(checked), MOST_PLACES))
        for start, end, hint in sorted(places, key=lambda one: (one.start, -one.end)):
            if start != end and taken.find(0, start, end) < 0:
                continue
            for mask in (marked, leaking):
                mask[start:end] = b"\1" * (end - start)
            first, last = reading.place(start, end) if start != end else (0, 0)
            reason = f"{rule.reason} {hint}".strip()
            excerpt = checked.text[start:end]
            yield Finding(rule.id, rule.blocks, reason, field, first, last, excerpt)


def _public_places(checked: CheckedText) -> bytearray:
    """Where the page's own public names stand: what lies inside them is no leak."""
    places = bytearray(len(checked.text))
    low = checked.text.lower()
    if len(low) != len(checked.text):
        return places
    for word in public_words(checked.facts.public):
        at = low.find(word.lower())
        while at >= 0:
            places[at : at + len(word)] = b"\1" * len(word)
            at = low.find(word.lower(), at + len(word))
    return places


__all__ = [
    "RULES",
    "Blocked",
    "BlockedTerms",
    "CheckedText",
    "Finding",
    "FindingKind",
    "Rule",
    "blocking",
    "find",
    "find_in_name",
    "in_words",
]
