"""The terms that a company blocks in its texts, and those that it always allows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Final

from sqlalchemy import select, union
from sqlalchemy.orm import Session

from statuspage.access.audit import Actor
from statuspage.access.permissions import Permission, needs
from statuspage.configuration.editing import record
from statuspage.core import clock
from statuspage.core.conflict import check_unchanged, fingerprint
from statuspage.core.db import read_once, writing
from statuspage.core.errors import Invalid
from statuspage.core.richtext import clean_line
from statuspage.messages.checks import Allowed, BlockedTerms
from statuspage.messages.checks.allowed import refusal
from statuspage.models import Account, AuditEntry, Contact, Page
from statuspage.models.page import the_page

LONGEST: Final = 100
SHORTEST: Final = 2
MOST: Final = 1_000
MOST_LISTED: Final = 20
# The entry of the audit trail about a text that was published although it was blocked.
OVERRIDE: Final = "message.override"


@dataclass(frozen=True, slots=True)
class TermLists:
    """The lists as people edit them: one per line."""

    people: str = ""
    vendors: str = ""
    code_names: str = ""
    allowed: str = ""


def term_lists(session: Session) -> TermLists:
    """The lists as they stand."""
    page = the_page(session)
    stored = page.blocked_terms if page else {}
    return TermLists(**{name: "\n".join(stored.get(name, ())) for name in asdict(TermLists())})


def blocked_terms_of(session: Session) -> BlockedTerms:
    """What texts for outsiders are held against: the lists, and who works here."""
    return read_once(session, "blocked terms", lambda: _read_blocked_terms(session))


def _read_blocked_terms(session: Session) -> BlockedTerms:
    page = the_page(session)
    stored = page.blocked_terms if page else {}
    return BlockedTerms(
        people=tuple(stored.get("people", ())),
        vendors=tuple(stored.get("vendors", ())),
        code_names=tuple(stored.get("code_names", ())),
        contacts=tuple(session.scalars(union(select(Contact.name), select(Account.name)))),
        allowed=Allowed(tuple(stored.get("allowed", ()))),
    )


@needs(Permission.SETTINGS)
def change_blocked_terms(lists: TermLists, *, actor: Actor, seen: str | None = None) -> None:
    """Replace the lists; :class:`Invalid` for a word that is too short, too long or one too many,
    and for a pattern that is malformed or would allow nearly everything.

    :class:`~statuspage.core.conflict.Conflict` where they no longer are as ``seen``.
    """
    wanted = {name: _read(name, text) for name, text in asdict(lists).items()}
    with writing() as session:
        page = session.scalars(select(Page).order_by(Page.id).limit(1).with_for_update()).one()
        saved = term_lists(session)
        before = {name: _read(name, text) for name, text in asdict(saved).items()}
        if wanted == before:
            return
        check_unchanged(seen, fingerprint(saved), saved)
        page.blocked_terms = wanted
        page.updated_at = clock.now()
        record(session, actor, "words.change", page.name, before=before, after=wanted)


@needs(Permission.SETTINGS)
def always_allow(term: str, *, actor: Actor) -> None:
    """Add a term to those that are always allowed; :class:`Invalid` where it cannot be one."""
    with writing() as session:
        page = session.scalars(select(Page).order_by(Page.id).limit(1).with_for_update()).one()
        before = list((page.blocked_terms or {}).get("allowed", ()))
        after = _read("allowed", "\n".join((*before, clean_line(term))))
        if after == before:
            return
        page.blocked_terms = {**(page.blocked_terms or {}), "allowed": after}
        page.updated_at = clock.now()
        record(
            session, actor, "words.change", page.name,
            before={"allowed": before}, after={"allowed": after},
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Published:
    """A term that was blocked in a text, and the reason with which the text was published."""

    term: str
    rule: str
    reason: str


def published_anyway(session: Session) -> list[Published]:
    """What was lately published with a reason and is not always allowed yet, newest first."""
    kept = session.scalars(
        select(AuditEntry.after)
        .filter_by(action=OVERRIDE)
        .order_by(AuditEntry.id.desc())
        .limit(MOST_LISTED)
    )
    found = {
        one["excerpt"].casefold(): Published(one["excerpt"], one["rule"], after["reason"])
        for after in reversed(list(filter(None, kept)))
        for one in after["findings"]
    }
    allowed = _read_blocked_terms(session).allowed
    return [
        one for one in reversed(found.values())
        if not refusal(one.term) and not any(allowed.places(one.term))
    ]  # fmt: skip


def _read(name: str, text: str) -> list[str]:
    words = _once(clean_line(line) for line in text.splitlines())
    if name == "allowed" and (reason := next(filter(None, map(refusal, words)), "")):
        raise Invalid(name, reason)
    for word in words:
        if not SHORTEST <= len(word) <= LONGEST:
            raise Invalid(name, f"“{word[:40]}” has not {SHORTEST} to {LONGEST} characters")
    if len(words) > MOST:
        raise Invalid(name, f"At most {MOST:,} of them")
    return words


def _once(words: Iterable[str]) -> list[str]:
    return list({word.casefold(): word for word in words if word}.values())
