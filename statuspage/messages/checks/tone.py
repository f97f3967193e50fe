"""How a text sounds to somebody who waits: blame, hedges, jargon, shouting."""

from __future__ import annotations

import re
from collections.abc import Iterator

from statuspage.messages.checks.phrases import Patterns, patterns
from statuspage.messages.checks.rule_types import CheckedText, Span, spans

# At least three words; a list of airports or regions has commas.
_SHOUTED = re.compile(r"(?<![\w-])[^\W\d_a-z]{3,20}(?:[ '’-]{1,2}[^\W\d_a-z]{2,20}){2,20}(?![\w-])")
_EXCLAIMED = re.compile(r"[!！]{2,30}")


def find_blame(checked: CheckedText) -> Iterator[Span]:
    """Somebody else is made responsible."""
    return spans(_phrases(checked).blame, checked.text)


def find_hedges(checked: CheckedText) -> Iterator[Span]:
    """Words that promise nothing and belittle."""
    return spans(_phrases(checked).hedge, checked.text)


def find_jargon(checked: CheckedText) -> Iterator[Span]:
    """Words of the trade, with plainer ones."""
    phrases = _phrases(checked)
    names = {name.casefold() for name, _ in checked.facts.public.components}
    for found in phrases.jargon.finditer(checked.text):
        word = " ".join(found[0].lower().split())
        if not any(word in name for name in names):
            plain = phrases.plainer.get(word, "")
            yield Span(*found.span(), f"Perhaps “{plain}”?" if plain else "")


def find_shouting(checked: CheckedText) -> Iterator[Span]:
    """Capitals and rows of exclamation marks."""
    for found in _SHOUTED.finditer(checked.text):
        if all(word.isupper() for word in re.findall(r"\w{1,30}", found[0])):
            yield Span(*found.span())
    yield from spans(_EXCLAIMED, checked.text)
    for span in spans(_phrases(checked).shouted, checked.text):
        # "[RESOLVED] Network": a mark before the title, as many write it.
        if not checked.text.startswith("]", span.end):
            yield span


def _phrases(checked: CheckedText) -> Patterns:
    return patterns(checked.facts.public.language)
