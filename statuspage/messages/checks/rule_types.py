"""What a check is made of: a rule, the text it looks at, and the place that it marks."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from statuspage.core.enums import Audience, Step
from statuspage.core.errors import Invalid
from statuspage.messages.checks.allowed import Allowed
from statuspage.messages.facts import Facts


class FindingKind(StrEnum):
    """What a rule is about."""

    LEAK = "leak"
    TRUTH = "truth"
    TONE = "tone"


class Span(NamedTuple):
    """A place in a text, and what more can be said about it; an empty one means the whole text."""

    start: int
    end: int
    hint: str = ""


WHOLE = Span(0, 0)


@dataclass(frozen=True, slots=True)
class BlockedTerms:
    """What a company keeps to itself, as it is written, and what it lets everybody read.

    ``contacts`` are the names of colleagues in the admin, accounts too; they count as people.
    ``customers`` are the names and companies of customers that the text was seen to hold.
    """

    people: tuple[str, ...] = ()
    vendors: tuple[str, ...] = ()
    code_names: tuple[str, ...] = ()
    contacts: tuple[str, ...] = ()
    customers: tuple[str, ...] = ()
    allowed: Allowed = field(default_factory=Allowed)


@dataclass(frozen=True, slots=True)
class CheckedText:
    """One text as it is read, and what it is held against.

    ``text`` is without Markdown's escapes and marks, so that no rule is fooled by them.
    """

    text: str
    audience: Audience
    step: Step
    facts: Facts
    own: BlockedTerms

    @property
    def is_maintenance(self) -> bool:
        """Whether it is about planned work."""
        return self.facts.public.scheduled_for is not None


def named(words: str) -> frozenset[str]:
    """The words of a list, parted by spaces."""
    return frozenset(words.split())


def spans(pattern: re.Pattern[str], text: str) -> Iterator[Span]:
    """Every place that a pattern marks."""
    return (Span(*found.span()) for found in pattern.finditer(text))


Find = Callable[[CheckedText], Iterable[Span]]


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing that a text is checked for; ``reason`` is a sentence for who wrote it.

    ``is_mild`` marks a leak that often has a harmless reading: it warns.
    """

    id: str
    kind: FindingKind
    reason: str
    find: Find
    body_only: bool = False
    is_mild: bool = False

    @property
    def blocks(self) -> bool:
        """What would leak blocks; all else warns."""
        return self.kind is FindingKind.LEAK and not self.is_mild


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule found: in the ``subject`` or the ``body``, from ``start`` to ``end``.

    Both count characters of the text as it is edited; equal ones mean the whole text.
    """

    rule: str
    blocks: bool
    reason: str
    field: str
    start: int
    end: int
    excerpt: str


def blocking(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Those that keep a text from going out."""
    return tuple(finding for finding in findings if finding.blocks)


class Blocked(Invalid):
    """A text that would leak and goes nowhere; ``findings`` are the places in it."""

    def __init__(self, field: str, findings: Sequence[Finding]) -> None:
        super().__init__(field, in_words(findings))
        self.findings = tuple(findings)


def in_words(held: Sequence[Finding]) -> str:
    """Why a text cannot go out, naming the first few places."""
    places = list(dict.fromkeys(one.excerpt for one in held))
    named = ", ".join(f"“{_short(place)}”" for place in places[:3])
    more = f" and {len(places) - 3} more" if len(places) > 3 else ""
    return (
        f"This would expose internal information: {named}{more}. Take it out, or say why it stays."
    )


def _short(place: str) -> str:
    line = " ".join(place.split())
    return line if len(line) <= 40 else f"{line[:39]}…"
