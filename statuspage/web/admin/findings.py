"""What the checks and the last message tell about a text: marked places, and what has changed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import groupby
from typing import Final

from markupsafe import Markup

from statuspage.messages import Text
from statuspage.messages.checks import Finding
from statuspage.messages.checks.reading import read

AROUND: Final = 24
MOST_PLACES: Final = 4
MOST_MARKS: Final = 30
# More words than that are compared line by line.
MOST_WORDS: Final = 1_500

# No text holds these, and Markdown leaves them alone.
_HELD, _LOOKED, _END = "\ue010", "\ue011", "\ue012"
_MARKED = re.compile(f"([{_HELD}{_LOOKED}])([^<{_HELD}{_LOOKED}{_END}]*){_END}")
_ANY = re.compile(f"[{_HELD}{_LOOKED}{_END}]")
_PIECE = re.compile(r"\s+|\w+|[^\w\s]")


@dataclass(frozen=True, slots=True)
class Place:
    """An excerpt with what stands around it."""

    before: str
    excerpt: str
    after: str


@dataclass(frozen=True, slots=True)
class Remark:
    """What one rule says of a text: why, and where; ``more`` counts places that are not shown."""

    blocks: bool
    reason: str
    places: tuple[Place, ...]
    more: int


def remarks_on(text: Text, findings: Sequence[Finding]) -> tuple[Remark, ...]:
    """The findings by reason, blocking ones first."""

    def gravity(finding: Finding) -> tuple[bool, str]:
        return not finding.blocks, finding.reason

    made = []
    for (is_warning, reason), group in groupby(sorted(findings, key=gravity), gravity):
        found = list({(one.field, one.excerpt): one for one in group}.values())
        places = tuple(_place(text, one) for one in found[:MOST_PLACES] if one.excerpt)
        made.append(Remark(not is_warning, reason, places, max(0, len(found) - MOST_PLACES)))
    return tuple(made)


def _place(text: Text, finding: Finding) -> Place:
    written = text.subject if finding.field == "subject" else text.body
    before = written[max(0, finding.start - AROUND) : finding.start]
    after = written[finding.end : finding.end + AROUND]
    return Place(
        _line(before, cut_start=finding.start > AROUND),
        " ".join(finding.excerpt.split()),
        _line(after, cut_end=len(written) > finding.end + AROUND),
    )


def _line(text: str, *, cut_start: bool = False, cut_end: bool = False) -> str:
    line = re.sub(r"\s+", " ", read(text).text)
    return ("…" if cut_start else "") + line + ("…" if cut_end else "")


def show_marked(body: str, findings: Sequence[Finding], render: Callable[[str], Markup]) -> Markup:
    """What ``render`` makes of a body, with its found places as ``<mark>``.

    A mark that would change how the text reads, or stand across others of its tags, is left out.
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
    old, new = _pieces(before), _pieces(after)
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    return Markup("").join(_changes(matcher, old, new))


def _changes(
    matcher: SequenceMatcher[str], old: Sequence[str], new: Sequence[str]
) -> Iterator[Markup]:
    for action, first, last, start, end in matcher.get_opcodes():
        if action == "equal":
            yield Markup("{}").format("".join(old[first:last]))
            continue
        if first < last:
            yield Markup("<del>{}</del>").format("".join(old[first:last]))
        if start < end:
            yield Markup("<ins>{}</ins>").format("".join(new[start:end]))


def _pieces(text: str) -> list[str]:
    pieces = _PIECE.findall(text)
    return pieces if len(pieces) <= MOST_WORDS else text.splitlines(keepends=True)
