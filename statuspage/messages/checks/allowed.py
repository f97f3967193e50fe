"""What a company lets everybody read, although a rule would mark it.

An entry is a term, found as whole words in any case, or a pattern for one word: ``*`` stands for
any characters, ``?`` for one, ``[a-z]`` for one of a range (as in Python's ``fnmatch``).  The name
of a domain allows its addresses: ``docs.example.com`` every link there, ``*.example.com`` those of
all hosts below it, and ``@example.com`` every mailbox.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

SHORTEST: Final = 2
LONGEST: Final = 100
# A pattern that fixes fewer letters and digits would let nearly everything pass.
FEWEST_FIXED: Final = 3
MOST_STARS: Final = 3

_WILD = re.compile(r"[*?\[\]]")
_SET = re.compile(r"\[[^\[\]]{1,40}\]")
_TOKEN = re.compile(r"[^\s<>()\"“”,;]{1,300}")
_DOMAIN = re.compile(r"(?:[a-z0-9-]{1,63}\.){1,8}[a-z][a-z0-9-]{1,62}")
_SCHEME = re.compile(r"(?:https?|mailto):/{0,2}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Allowed:
    """The entries of the list, as they are written, each one by itself right (:func:`refusal`).

    ``words`` are allowed literally, an asterisk too: what was let through in a title.
    """

    entries: tuple[str, ...] = ()
    words: tuple[str, ...] = ()

    def places(self, text: str) -> Iterator[tuple[int, int, bool]]:
        """From where to where something allowed stands, and whether its exact words are."""
        terms, words = _compiled(self.entries, self.words)
        if terms:
            yield from ((*found.span(), True) for found in terms.finditer(text))
        if words:
            for found in _TOKEN.finditer(text):
                scheme = _SCHEME.match(found[0])
                token = found[0][scheme.end() if scheme else 0 :].rstrip(".!?:'’\"")
                if words.match(token.casefold()):
                    end = found.start() + (scheme.end() if scheme else 0) + len(token)
                    yield found.start(), end, False


def refusal(entry: str) -> str:
    """Why an entry cannot be on the list; empty where it can."""
    if not SHORTEST <= len(entry) <= LONGEST:
        return f"“{entry[:40]}” has not {SHORTEST} to {LONGEST} characters"
    if not _WILD.search(entry):
        return "" if any(map(str.isalnum, entry)) else f"“{entry}” has no letter and no digit"
    if " " in entry:
        return f"“{entry}” is a pattern with a space in it: a pattern covers a single word"
    if _WILD.search(_SET.sub("", entry).replace("*", "").replace("?", "")):
        return f"“{entry}” is malformed: a bracket is not closed, is empty, or stands alone"
    if entry.count("*") > MOST_STARS:
        return f"“{entry}” has more than {MOST_STARS} asterisks"
    fixed = sum(map(str.isalnum, _WILD.sub("", _SET.sub("", entry))))
    if fixed < FEWEST_FIXED:
        return (
            f"“{entry}” would allow nearly everything: "
            f"give at least {FEWEST_FIXED} letters or digits"
        )
    return ""


@lru_cache(maxsize=16)
def _compiled(
    entries: tuple[str, ...], literal: tuple[str, ...]
) -> tuple[re.Pattern[str] | None, re.Pattern[str] | None]:
    """The terms as one pattern, and the patterns and domains as one for single words."""
    terms = [one for one in entries if not _WILD.search(one)]
    exact = sorted(
        (r"\s{1,3}".join(map(re.escape, one.split())) for one in (*terms, *literal)), key=len
    )
    words = [one.casefold() for one in entries if _WILD.search(one)]
    words += [
        shape
        for one in (*map(str.casefold, terms), *words)
        for shape in (f"{one}/*", f"{one}:*")
        if _DOMAIN.fullmatch(one.removeprefix("*."))
    ]
    words += [f"*{one.casefold()}" for one in terms if one.startswith("@")]
    return (
        re.compile(rf"(?<!\w)(?:{'|'.join(reversed(exact))})(?!\w)", re.IGNORECASE)
        if exact
        else None,
        re.compile("|".join(map(fnmatch.translate, words))) if words else None,
    )
