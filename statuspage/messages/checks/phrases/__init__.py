"""Phrases that rules of tone and truth look for, one module for each language of the page.

A module says in regular expressions what the language's posts say; an empty one means that there is
no list, and the rules that need it are off in this language (:func:`unlisted`).  Japanese and
Chinese write without spaces, so their phrases are not bounded by words.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import lru_cache
from importlib import import_module
from typing import Final

NEVER: Final = re.compile(r"(?!)")


@dataclass(frozen=True, slots=True)
class Phrases:
    """What a language's posts say, as alternatives of a regular expression.

    ``zone`` names time zones, ``ahead`` what is to come, ``before_time`` what stands between a
    promise and its clock, ``within`` spans of time to come, ``next_update`` promises of a post,
    ``began`` and ``over`` what leads to a start and to an end, ``ongoing`` what has not ended,
    ``supposed`` what makes that a case that may come.  ``jargon`` has plainer words.
    """

    apology: str = ""
    hedge: str = ""
    blame: str = ""
    cause: str = ""
    zone: str = ""
    ahead: str = ""
    before_time: str = ""
    within: str = ""
    next_update: str = ""
    began: str = ""
    over: str = ""
    ongoing: str = ""
    supposed: str = ""
    placeholder: str = ""
    shouted: str = ""
    jargon: Mapping[str, str] = field(default_factory=dict)
    is_spaced: bool = True


@dataclass(frozen=True, slots=True)
class Patterns:
    """The same, compiled; what has no list matches nothing."""

    apology: re.Pattern[str]
    hedge: re.Pattern[str]
    blame: re.Pattern[str]
    cause: re.Pattern[str]
    zone: re.Pattern[str]
    ahead: re.Pattern[str]
    before_time: re.Pattern[str]
    within: re.Pattern[str]
    next_update: re.Pattern[str]
    began: re.Pattern[str]
    over: re.Pattern[str]
    ongoing: re.Pattern[str]
    supposed: re.Pattern[str]
    placeholder: re.Pattern[str]
    shouted: re.Pattern[str]
    jargon: re.Pattern[str]
    plainer: Mapping[str, str]
    missing: frozenset[str]


LISTED: Final = ("en", "de", "fr", "es", "pt-BR", "ja", "ar")

# Which list a rule cannot do without.
_NEEDED: Final = {
    "no-apology": "apology",
    "present-tense": "ongoing",
    "hedge": "hedge",
    "blame": "blame",
    "unconfirmed-cause": "cause",
    "no-zone": "zone",
    "unbacked-time": "ahead",
    "no-next-update": "next_update",
    "contradiction": "began",
    "placeholder": "placeholder",
    "jargon": "jargon",
    "shouting": "shouted",
}


def patterns(language: str) -> Patterns:
    """The phrases of a language; of one without a module, none."""
    return _read(language if language in LISTED else "")


def unlisted(language: str) -> frozenset[str]:
    """The rules that are off in a language, for want of a list."""
    return frozenset(rule for rule, name in _NEEDED.items() if name in patterns(language).missing)


@lru_cache(maxsize=len(LISTED) + 1)
def _read(language: str) -> Patterns:
    phrases = Phrases()
    if language:
        module = import_module(f"{__name__}.{language.replace('-', '_').lower()}")
        phrases = module.PHRASES
    listed = {
        one.name: getattr(phrases, one.name)
        for one in fields(Phrases)
        if one.name not in {"jargon", "is_spaced"}
    }
    compiled = {name: _compiled(listed[name], name, is_spaced=phrases.is_spaced) for name in listed}
    words = sorted(phrases.jargon, key=len, reverse=True)
    jargon = "|".join(re.escape(word).replace(r"\ ", r"\s{1,3}") for word in words)
    return Patterns(
        **compiled,
        jargon=_compiled(jargon, "jargon", is_spaced=phrases.is_spaced),
        plainer=phrases.jargon,
        missing=frozenset(
            {name for name, value in listed.items() if not value}
            | ({"jargon"} if not phrases.jargon else set())
        ),
    )


def _compiled(source: str, name: str, *, is_spaced: bool) -> re.Pattern[str]:
    if not source:
        return NEVER
    flags = re.NOFLAG if name in {"zone", "shouted"} else re.IGNORECASE
    if name == "before_time":
        return re.compile(rf"(?:{source})\W{{0,3}}(?:\w{{1,12}}\W{{1,3}}){{0,4}}$", flags)
    if not is_spaced:
        return re.compile(source, flags)
    return re.compile(rf"(?<![\w-])(?:{source})(?![\w-])", flags)
