"""What this company keeps to itself: its own words, and this incident's internal facts."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Final

from statuspage.messages import facts
from statuspage.messages.checks.rule_types import CheckedText, Span, named
from statuspage.messages.checks.visible_text import read
from statuspage.messages.facts import FactKind, InternalFacts, PublicFacts, Secrecy

_WORD = re.compile(r"[^\W_]{1,200}(?:['’][^\W_]{1,3})?")
_MOST_WORDS: Final = 12

# What a contact may be called that is no name.
_ROLES: Final = named(
    "team support desk on call oncall ops operations engineering platform duty manager lead head "
    "the of and for service services customer customers security infra infrastructure database "
    "network office incident response status page communications comms product it sre"
)
# Names that are words too: alone they count only inside a sentence, and months never.
_ALSO_WORDS: Final = named(
    "will mark grace hope bill rob ray jack art joy rose drew pat sue chase frank dean young long "
    "white black brown green king price power bush field stone hill banks cash best case day page "
    "bell miles rich sandy dawn faith eve summer autumn sky guy max pierce cook baker carter"
)
_MONTHS: Final = frozenset({"april", "may", "june", "august"})

Index = Mapping[str, Sequence[tuple[str, ...]]]


def find_people(checked: CheckedText) -> Iterator[Span]:
    """Names of colleagues: whole ones in any case, first and last names as names are written."""
    names = _names_of_people(checked.own.people, checked.own.contacts)
    yield from _find_listed(checked.text, names)
    yield from _find_parts(checked.text, names)


@lru_cache(maxsize=4)
def _names_of_people(people: tuple[str, ...], colleagues: tuple[str, ...]) -> tuple[str, ...]:
    return (*people, *(name for name in colleagues if not _is_role(name)))


def _is_role(name: str) -> bool:
    """Whether a contact is a team and no person: “Support team”."""
    return all(word.casefold() in _ROLES for word in _WORD.findall(name))


def find_customers(checked: CheckedText) -> Iterator[Span]:
    """Customers by their names and companies."""
    return _find_listed(checked.text, checked.own.customers)


def find_vendors(checked: CheckedText) -> Iterator[Span]:
    """Vendors on the company's own list."""
    return _find_listed(checked.text, checked.own.vendors)


def find_code_names(checked: CheckedText) -> Iterator[Span]:
    """Code names on the company's own list."""
    return _find_listed(checked.text, checked.own.code_names)


def public_words(public: PublicFacts) -> tuple[str, ...]:
    """What the page itself says by these names: no rule of leaks counts a place inside them."""
    names = [name for name, _ in public.components]
    # A component called "US East (prod-us-east-0)" makes "prod-us-east-0" public too.
    parts = [part for name in names for part in _SYSTEM_NAME.findall(name)]
    return tuple(
        filter(
            None,
            (
                public.service, public.sign_off, public.support_email, public.support_url,
                public.incident_url, public.page_url, *names, *parts,
            ),
        )
    )  # fmt: skip


_SYSTEM_NAME = re.compile(r"(?=[\w.-]{0,60}\d)(?=[\w.-]{0,60}[A-Za-z])[\w.-]{3,60}")


def _find_listed(text: str, names: tuple[str, ...]) -> Iterator[Span]:
    index = _index(names)
    if not index:
        return
    words, places = _words_of(text)
    for at, word in enumerate(words):
        for name in index.get(word, ()):
            end = at + len(name)
            if words[at:end] == name and _is_one(text, places[at][0], places[end - 1][1]):
                yield Span(places[at][0], places[end - 1][1])
                break


@lru_cache(maxsize=4)
def _words_of(text: str) -> tuple[tuple[str, ...], tuple[tuple[int, int], ...]]:
    """The words of a text, folded, and their places: every list is held against the same ones."""
    places = tuple(one.span() for one in _WORD.finditer(text))
    words = [text[start:end].casefold() for start, end in places]
    return tuple(_bare(word) if not word.isalnum() else word for word in words), places


def _is_one(text: str, start: int, end: int) -> bool:
    """Whether nothing but a little parts the words of a name: no sentence ends inside it."""
    return re.search(r"[.!?;:]\s|\n\s*\n", text[start:end]) is None


@lru_cache(maxsize=16)
def _index(names: tuple[str, ...]) -> Index:
    """Names by their first word, the longest first."""
    index: dict[str, list[tuple[str, ...]]] = defaultdict(list)
    for name in names:
        words = tuple(_bare(word.casefold()) for word in _WORD.findall(name))[:_MOST_WORDS]
        if words:
            index[words[0]].append(words)
    return {first: sorted(found, key=len, reverse=True) for first, found in index.items()}


def _bare(word: str) -> str:
    return word.removesuffix("'s").removesuffix("’s").rstrip("'’")


def _find_parts(text: str, names: tuple[str, ...]) -> Iterator[Span]:
    parts = _parts(names)
    if not parts:
        return
    words, places = _words_of(text)
    folded = {part.casefold() for part in parts}
    for word, (start, end) in zip(words, places, strict=True):
        if word not in folded or _bare(text[start:end]) not in parts:
            continue
        if word not in _ALSO_WORDS or not _begins_sentence(text, start):
            yield Span(start, end)


@lru_cache(maxsize=16)
def _parts(names: tuple[str, ...]) -> frozenset[str]:
    found = set()
    for name in names:
        words = [word for word in _WORD.findall(name) if not word.isdecimal()]
        if not 2 <= len(words) <= 5 or any(word.casefold() in _ROLES for word in words):
            continue
        found |= {
            word for word in words
            if len(word) > 2 and word[0].isupper() and word.casefold() not in _MONTHS
        }  # fmt: skip
    return frozenset(found)


def _begins_sentence(text: str, start: int) -> bool:
    before = text[max(0, start - 4) : start].rstrip(" \"“'(-")
    return not before or before[-1] in ".!?:\n"


# --- internal facts ------------------------------------------------------------------------------

_BY_SECRECY: Final = {
    secrecy: tuple(fact.name for fact in facts.INTERNAL if fact.secrecy is secrecy)
    for secrecy in Secrecy
}
# What an incident's public facts say in prose; only a confirmed cause excuses everything.
_PROSE: Final = tuple(
    fact.name for fact in facts.PUBLIC if fact.kind is FactKind.PROSE and fact.name != facts.CAUSE
)
_RUN: Final = 5
_TOKEN = re.compile(r"[^\W_](?:[\w.:/@#$%&+-]{0,200}[^\W_])?")
_PLAIN: Final = named("critical high medium low major minor none zoom phone teams")
# Times, years, lengths and zones are said on both sides.
_USUAL: Final = re.compile(
    r"\d{1,2}:\d\d\S{0,6}|(?:19|20)\d\d|(?:UTC|GMT)\S{0,6}|\d{1,9}(?:min|mins|h|hrs|s|ms|%|x|th|st|"
    r"nd|rd)"
    r"|\d{4}-\d\d-\d\d\S{0,15}|i\.e|e\.g|a\.m|p\.m"
)


def find_internal_facts(checked: CheckedText) -> Iterator[Span]:
    """What this incident's internal facts say: a whole line, five words in a row, one odd word.

    Only the title and a confirmed cause may say the same.  All other public facts are being typed
    at this moment, and a pasted cause is no less internal for it; they excuse how the work goes.
    """
    internal = checked.facts.internal
    if internal == InternalFacts():
        return
    public = checked.facts.public
    open_to_all = _folded(public.title, public.cause, *public_words(public))
    typed = _folded(*(getattr(public, name) for name in _PROSE))
    names = [
        one for name in _BY_SECRECY[Secrecy.NAME] if _is_distinctive(one := getattr(internal, name))
    ]
    whole = [one for one in names if one.casefold() not in open_to_all]
    wanted: set[str] = set()
    for fields, said in (
        (_BY_SECRECY[Secrecy.TEXT], open_to_all),
        (_BY_SECRECY[Secrecy.WORK], f"{open_to_all} {typed}"),
    ):
        texts = [read(getattr(internal, name)).text for name in fields]
        lines = [line.strip(" -•.") for value in texts for line in value.splitlines()]
        short = [line for line in lines if 1 < len(_TOKEN.findall(line)) < _RUN]
        whole += [one for one in short if one.casefold() not in said]
        wanted |= {piece for value in texts for piece, _, _ in _pieces(value)} - {
            piece for piece, _, _ in _pieces(said)
        }
    yield from _find_whole(checked.text, whole)
    yield from (Span(start, end) for piece, start, end in _pieces(checked.text) if piece in wanted)


def _folded(*texts: str) -> str:
    return " ".join(texts).casefold()


def _is_distinctive(value: str) -> bool:
    """Whether a name is more than a plain word: a severity may be called “High”."""
    return len(value) > 2 and not (value.isalpha() and value.casefold() in _PLAIN)


def _find_whole(text: str, values: Iterable[str]) -> Iterator[Span]:
    low = text.casefold()
    if len(low) != len(text):  # a character that grows when folded: then places would be off
        low = text.lower() if len(text.lower()) == len(text) else text
    for value in values:
        # "Ada Chen (@ada)" is a name and a handle.
        for part in re.split(r"\s\(|\)", value.casefold()):
            if len(part) > 2:
                pattern = rf"(?<!\w){re.escape(part)}(?!\w)"
                yield from (Span(*found.span()) for found in re.finditer(pattern, low))


def _pieces(text: str) -> Iterator[tuple[str, int, int]]:
    """Runs of words, and words that only this text would hold."""
    found = [(match[0], match.start(), match.end()) for match in _TOKEN.finditer(text)]
    words = [word.casefold() for word, _, _ in found]
    for at in range(len(words) - _RUN + 1):
        yield " ".join(words[at : at + _RUN]), found[at][1], found[at + _RUN - 1][2]
    for word, start, end in found:
        if _is_odd(word):
            yield f"={word.casefold()}", start, end


def _is_odd(word: str) -> bool:
    """Whether a word is an identifier or a figure: ``pg_bouncer``, ``v2.41``, ``12,400``."""
    if _USUAL.fullmatch(word):
        return False
    has_digit, has_letter = any(map(str.isdigit, word)), any(map(str.isalpha, word))
    if has_digit:
        return len(word) > 3 if has_letter else sum(map(str.isdigit, word)) > 3
    return "_" in word or re.search(r"[a-z][A-Z]|\w\.\w", word) is not None
