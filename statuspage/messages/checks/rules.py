"""The rules that a text is held against before it goes, and the search by them.

:data:`RULES` is the whole of it.  What would leak blocks, all else warns.  :func:`find` marks each
place in the text as it is edited; it asks nothing over the network and takes a few milliseconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Final

from statuspage.core.enums import Audience, Step
from statuspage.messages.checks.file_paths import find_files
from statuspage.messages.checks.hosts import find_hosts, find_tools
from statuspage.messages.checks.identifiers import find_identifiers, find_windows_accounts
from statuspage.messages.checks.internal_facts import (
    find_code_names,
    find_customers,
    find_internal_facts,
    find_people,
    find_vendors,
    public_words,
)
from statuspage.messages.checks.ip_addresses import find_private_addresses, find_public_addresses
from statuspage.messages.checks.personal_numbers import find_personal_data, find_telephones
from statuspage.messages.checks.references import (
    find_handles,
    find_public_issues,
    find_source,
    find_tickets,
)
from statuspage.messages.checks.rule_types import (
    BlockedTerms,
    CheckedText,
    Finding,
    FindingKind,
    Rule,
)
from statuspage.messages.checks.secrets import find_secrets
from statuspage.messages.checks.tone import find_blame, find_hedges, find_jargon, find_shouting
from statuspage.messages.checks.traces import find_error_messages, find_traces
from statuspage.messages.checks.truth import (
    find_contradictions,
    find_dead_links,
    find_missing_zone,
    find_no_apology,
    find_no_next_update,
    find_placeholders,
    find_present_tense,
    find_unbacked_times,
    find_unconfirmed_cause,
)
from statuspage.messages.checks.visible_text import read
from statuspage.messages.facts import Facts, PublicFacts

LEAK, TRUTH, TONE = FindingKind.LEAK, FindingKind.TRUTH, FindingKind.TONE

RULES: Final = (
    Rule("secret", LEAK, "This looks like a key, a token or a password.", find_secrets),
    Rule(
        "personal-data", LEAK, "This is somebody's personal data, such as a card or an account.",
        find_personal_data,
    ),
    Rule("trace", LEAK, "This looks like an error or log message.", find_traces),
    Rule("tool", LEAK, "This link is for colleagues only.", find_tools),
    Rule("file", LEAK, "This is a file or folder on our side.", find_files),
    Rule("host", LEAK, "This is the name of a server.", find_hosts),
    Rule("private-address", LEAK, "This is an address in our network.", find_private_addresses),
    Rule("account", LEAK, "This is a Windows account.", find_windows_accounts),
    Rule("ticket", LEAK, "This refers to a ticket, an alert or a change.", find_tickets),
    Rule("source", LEAK, "This refers to our source code or a release.", find_source),
    Rule("handle", LEAK, "This names a colleague or one of our chat channels.", find_handles),
    Rule("person", LEAK, "This is the name of a colleague.", find_people),
    Rule("customer", LEAK, "This is the name of a customer.", find_customers),
    Rule("vendor", LEAK, "This vendor is on the list of blocked terms.", find_vendors),
    Rule("code-name", LEAK, "This is on the list of blocked terms.", find_code_names),
    Rule("internal-fact", LEAK, "This is in the internal notes.", find_internal_facts),
    Rule(
        "issue", LEAK, "This link leads to an issue or a change: is the repository public?",
        find_public_issues, is_mild=True,
    ),
    Rule(
        "phone", LEAK, "This is a phone number: is it a public one?", find_telephones,
        is_mild=True,
    ),
    Rule(
        "error-message", LEAK, "Say it in other words, unless customers see this message.",
        find_error_messages, is_mild=True,
    ),
    Rule(
        "identifier", LEAK, "This looks like the name of an internal system or setting.",
        find_identifiers, is_mild=True,
    ),
    Rule(
        "public-address", TRUTH, "This is the address of a server: is it meant to be public?",
        find_public_addresses,
    ),
    Rule(
        "unconfirmed-cause", TRUTH, "This states a cause, but none is confirmed.",
        find_unconfirmed_cause,
    ),
    Rule(
        "unbacked-time", TRUTH, "This promises a time that no fact backs.",
        find_unbacked_times,
    ),
    Rule("no-zone", TRUTH, "Add a time zone.", find_missing_zone),
    Rule("contradiction", TRUTH, "This contradicts the facts.", find_contradictions, True),
    Rule(
        "no-next-update", TRUTH, "It doesn’t say when the next update is due.",
        find_no_next_update, True,
    ),
    Rule("no-apology", TONE, "It’s resolved, and this doesn’t apologize.", find_no_apology, True),
    Rule(
        "present-tense", TRUTH, "It’s resolved, and this reads as if it still goes on.",
        find_present_tense, True,
    ),
    Rule("dead-link", TRUTH, "This link leads nowhere.", find_dead_links),
    Rule("placeholder", TRUTH, "This placeholder isn’t filled in.", find_placeholders),
    Rule("blame", TONE, "This blames someone. Say what you’re doing instead.", find_blame),
    Rule("hedge", TONE, "This is vague. Say what you know and what you don’t.", find_hedges),
    Rule("jargon", TONE, "Not everyone knows this word.", find_jargon),
    Rule("shouting", TONE, "Avoid capitals and repeated exclamation marks.", find_shouting),
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
    masks = _Masks(checked)
    for rule in RULES:
        if rule.body_only and field != "body":
            continue
        places = set(islice(rule.find(checked), MOST_PLACES))
        for start, end, hint in sorted(places, key=lambda one: (one.start, -one.end)):
            if start != end and not masks.take(rule, start, end):
                continue
            first, last = reading.place(start, end) if start != end else (0, 0)
            reason = f"{rule.reason} {hint}".strip()
            excerpt = checked.text[start:end]
            yield Finding(rule.id, rule.blocks, reason, field, first, last, excerpt)


class _Masks:
    """One byte for each character of a text: 1 where nothing is to be marked any more.

    A leak is no leak inside the page's own public names and inside what is always allowed; a
    pattern allows neither secrets nor personal data.
    """

    def __init__(self, checked: CheckedText) -> None:
        """Cover what is public already."""
        length = len(checked.text)
        self._strict, self._leaks, self._rest = (bytearray(length) for _ in range(3))
        for start, end in _public_places(checked):
            self._cover(start, end, self._strict, self._leaks)
        for start, end, is_exact in checked.own.allowed.places(checked.text):
            self._cover(start, end, self._leaks, self._rest)
            if is_exact:
                self._cover(start, end, self._strict)

    def take(self, rule: Rule, start: int, end: int) -> bool:
        """Whether a rule may mark a place; it is covered then."""
        mask = self._strict if rule.id in _STRICT else self._leaks
        if rule.kind is not FindingKind.LEAK:
            mask = self._rest
        if mask.find(0, start, end) < 0:
            return False
        self._cover(start, end, self._strict, self._leaks, self._rest)
        return True

    @staticmethod
    def _cover(start: int, end: int, *masks: bytearray) -> None:
        for mask in masks:
            mask[start:end] = b"\1" * (end - start)


_STRICT: Final = frozenset({"secret", "personal-data"})


def _public_places(checked: CheckedText) -> Iterator[tuple[int, int]]:
    """Where the page's own public names stand, and the names of systems inside them."""
    low = checked.text.lower()
    if len(low) != len(checked.text):
        return
    for word in public_words(checked.facts.public):
        at = low.find(word.lower())
        while at >= 0:
            yield at, at + len(word)
            at = low.find(word.lower(), at + len(word))
