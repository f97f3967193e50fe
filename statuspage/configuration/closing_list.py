"""The closing checklist: what the chosen severity scheme asks for after the end of an incident.

It is a text, an item a line.  A line that begins with one of :data:`ABOUT` and a colon is asked for
where that applies, and ticked by what the service sees of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from statuspage.access.audit import Actor
from statuspage.access.permissions import Permission, needs
from statuspage.configuration.editing import record
from statuspage.configuration.severity import PRESETS
from statuspage.core.conflict import check_unchanged, fingerprint
from statuspage.core.db import writing
from statuspage.core.errors import Invalid
from statuspage.core.richtext import clean_line
from statuspage.models import Page
from statuspage.models.columns import TITLE_LIMIT
from statuspage.models.page import the_page

MOST_ITEMS: Final = 20

ABOUT: Final[dict[str, str]] = {
    "stable": "ticked when the incident has not been reopened for an hour",
    "root_cause": "ticked when a cause is recorded",
    "components": "ticked when all affected components are operational",
    "fix": "ticked when the fix was monitored as long as the severity asks",
    "alerts": "ticked when none of the incident’s alerts fires",
    "page": "ticked when the page shows the end; left out of internal incidents",
    "customers": "asked for only where customers were emailed",
    "review": "ticked by naming the owner of the review; asked for where a review is due",
    "channel": "shows the incident’s chat channel",
}
"""The words that tie an item to what the service knows, each with what it does."""


@dataclass(frozen=True, slots=True)
class ClosingText:
    """The checklist as people edit it."""

    closing: str


@dataclass(frozen=True, slots=True)
class ClosingEntry:
    """An item of the checklist; ``name`` is one of :data:`ABOUT`, or made of its label."""

    name: str
    label: str


def closing_text(session: Session) -> ClosingText:
    """The checklist of the chosen scheme as it was edited, or else as it is shipped."""
    page = the_page(session)
    scheme = page.scheme if page else "sev"
    edited = page.closing_lists.get(scheme) if page else None
    return ClosingText(edited or PRESETS[scheme].closing)


def closing_list(session: Session) -> list[ClosingEntry]:
    """The items of the chosen scheme's checklist, in their order."""
    return list(_entries(closing_text(session).closing))


@needs(Permission.SETTINGS)
def change_closing_list(text: ClosingText, *, actor: Actor, seen: str | None) -> None:
    """Change the checklist of the chosen scheme; an empty text restores the shipped one.

    Raises :class:`Invalid`, and :class:`~statuspage.core.conflict.Conflict` with the text that is
    saved by now.
    """
    _check(text.closing)
    with writing() as session:
        page = session.scalars(select(Page).order_by(Page.id).limit(1).with_for_update()).one()
        before = closing_text(session)
        shipped = PRESETS[page.scheme].closing
        wanted = text.closing.strip() or shipped
        if wanted == before.closing:
            return
        check_unchanged(seen, fingerprint(before), before)
        others = {name: kept for name, kept in page.closing_lists.items() if name != page.scheme}
        page.closing_lists = others if wanted == shipped else {**others, page.scheme: wanted}
        record(
            session, actor, "scheme.closing_list", PRESETS[page.scheme].title,
            before={"closing": before.closing}, after={"closing": wanted},
        )  # fmt: skip


def _entries(text: str) -> Iterator[ClosingEntry]:
    for line in map(clean_line, text.splitlines()):
        word, colon, label = line.partition(":")
        if colon and word.strip().casefold() in ABOUT and label.strip():
            yield ClosingEntry(word.strip().casefold(), label.strip())
        elif line:
            digest = blake2b(line.casefold().encode(), digest_size=6).hexdigest()
            yield ClosingEntry(f"own-{digest}", line)


def _check(text: str) -> None:
    entries = list(_entries(text))
    if len(entries) > MOST_ITEMS:
        raise Invalid("closing", f"Use at most {MOST_ITEMS} items")
    names: set[str] = set()
    for entry in entries:
        if len(entry.label) > TITLE_LIMIT:
            raise Invalid(
                "closing", f"“{entry.label[:40]}…” is longer than {TITLE_LIMIT} characters"
            )
        if entry.name in names:
            what = entry.name if entry.name in ABOUT else entry.label
            raise Invalid("closing", f"“{what}” is there twice")
        names.add(entry.name)
