"""What the checks and the last message say about a text: marked places, and what has changed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from difflib import Match, SequenceMatcher
from itertools import groupby
from typing import Final

from markupsafe import Markup

from statuspage.messages.checks import Finding
from statuspage.messages.checks.visible_text import read
from statuspage.messages.compose import Text

AROUND: Final = 24
MOST_PLACES: Final = 4
MOST_MARKS: Final = 30
# More words than that are compared line by line.
MOST_WORDS: Final = 1_500
FEWEST_KEPT: Final = 3

# No text holds these, and Markdown leaves them alone.
_HELD, _LOOKED, _END = "\ue010", "\ue011", "\ue012"
_MARKED = re.compile(f"([{_HELD}{_LOOKED}])([^<{_HELD}{_LOOKED}{_END}]*){_END}")
_ANY = re.compile(f"[{_HELD}{_LOOKED}{_END}]")
_WORD = re.compile(r"\S+\s*|\s+")


@dataclass(frozen=True, slots=True)
class MarkedPlace:
    """An excerpt with the text around it."""

    before: str
    excerpt: str
    after: str


@dataclass(frozen=True, slots=True)
class Remark:
    """What one rule says of a text: why, and where; ``more`` counts places that are not shown."""

    rule: str
    blocks: bool
    reason: str
    places: tuple[MarkedPlace, ...]
    more: int


def remarks_on(text: Text, findings: Sequence[Finding]) -> tuple[Remark, ...]:
    """The findings by reason, blocking ones first."""

    def gravity(finding: Finding) -> tuple[bool, str]:
        return not finding.blocks, finding.reason

    made = []
    for (is_warning, reason), group in groupby(sorted(findings, key=gravity), gravity):
        found = list({(one.field, one.excerpt): one for one in group}.values())
        places = tuple(_place(text, one) for one in found[:MOST_PLACES] if one.excerpt)
        made.append(
            Remark(found[0].rule, not is_warning, reason, places, max(0, len(found) - MOST_PLACES))
        )
    return tuple(made)


def _place(text: Text, finding: Finding) -> MarkedPlace:
    written = text.subject if finding.field == "subject" else text.body
    before = _as_line(written[max(0, finding.start - AROUND) : finding.start])
    after = _as_line(written[finding.end : finding.end + AROUND])
    # Cut where a word ends, and say so.
    if finding.start > AROUND:
        before = f"… {before.partition(' ')[2]}"
    if len(written) > finding.end + AROUND:
        after = f"{after.rpartition(' ')[0].rstrip('.,;:')} …"
    return MarkedPlace(before, " ".join(finding.excerpt.split()), after)


def _as_line(text: str) -> str:
    return re.sub(r"\s+", " ", read(text).text)


def show_marked(body: str, findings: Sequence[Finding], render: Callable[[str], Markup]) -> Markup:
    """What ``render`` makes of a body, with its found places as ``<mark>``.

    A mark that would change how the text reads, or cross others of its tags, is left out.
    """
    plain = render(body)
    found = [one for one in findings if one.field == "body" and one.start < one.end][:MOST_MARKS]
    if not found:
        return plain
    marked = render(_with_marks(body, found))
    if _ANY.sub("", marked) != plain:
        harmless = [one for one in found if _ANY.sub("", render(_with_marks(body, [one]))) == plain]
        marked = render(_with_marks(body, harmless))
        if _ANY.sub("", marked) != plain:
            return plain
    # Only what was escaped or sanitised before is put between the tags.
    return Markup(_ANY.sub("", _MARKED.sub(_as_tag, str(marked))))


def _with_marks(body: str, found: Sequence[Finding]) -> str:
    pieces, at = [], 0
    for one in sorted(found, key=lambda one: (one.start, one.end)):
        if one.start < at:
            continue
        opening = _HELD if one.blocks else _LOOKED
        pieces += [body[at : one.start], opening, body[one.start : one.end], _END]
        at = one.end
    return "".join((*pieces, body[at:]))


def _as_tag(found: re.Match[str]) -> str:
    return f'<mark class="{"held" if found[1] == _HELD else "look"}">{found[2]}</mark>'


# --- what has changed ----------------------------------------------------------------------------


def show_changes(before: str, after: str) -> Markup:
    """The words that came and went, as ``<ins>`` and ``<del>``; empty where nothing did."""
    if before == after:
        return Markup()
    old, new = _words(before), _words(after)
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    return Markup("").join(_changes(matcher.get_matching_blocks(), old, new))


def _changes(blocks: Sequence[Match], old: Sequence[str], new: Sequence[str]) -> Iterator[Markup]:
    at_old = at_new = 0
    for block in blocks:
        if _is_by_chance(block, old):
            continue
        if at_old < block.a:
            yield Markup("<del>{}</del> ").format("".join(old[at_old : block.a]).rstrip())
        if at_new < block.b:
            yield Markup("<ins>{}</ins> ").format("".join(new[at_new : block.b]).rstrip())
        if at_old < block.a or at_new < block.b:
            yield Markup("{}").format(_breaks(new[at_new : block.b] or old[at_old : block.a]))
        at_old, at_new = block.a + block.size, block.b + block.size
        yield Markup("{}").format("".join(old[block.a : at_old]))


def _is_by_chance(block: Match, words: Sequence[str]) -> bool:
    """Whether so few words are the same that they would only tear a changed sentence apart."""
    is_edge = not block.size or (block.a, block.b) == (0, 0)
    ends_line = "\n" in "".join(words[block.a : block.a + block.size])
    return not is_edge and not ends_line and block.size < FEWEST_KEPT


def _breaks(words: Sequence[str]) -> str:
    """The line ends after the last word."""
    text = "".join(words)
    return "\n" * text[len(text.rstrip()) :].count("\n")


def _words(text: str) -> list[str]:
    words = _WORD.findall(text)
    return words if len(words) <= MOST_WORDS else text.splitlines(keepends=True)
