"""Names that everybody reads: checked before they are on the page, as texts are."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from statuspage.access.audit import Actor
from statuspage.configuration.blocked_terms import blocked_terms_of
from statuspage.configuration.editing import record
from statuspage.core.config import current_settings
from statuspage.core.enums import Audience, Step
from statuspage.messages.checks import Blocked, Finding, blocking, find, find_in_name
from statuspage.messages.facts import Facts, PublicFacts
from statuspage.models import Component, Page


def let_name_pass(
    session: Session, kind: str, name: str, description: str, *, reason: str, actor: Actor
) -> None:
    """Hold back a name or a description that would leak; a ``reason`` lets it pass, and is kept.

    Raises :class:`Blocked` on the field that would.
    """
    own = blocked_terms_of(session)
    for field, text in (("name", name), ("description", description)):
        held = blocking(find_in_name(text, own=own))
        if not held:
            continue
        if not reason:
            raise Blocked(field, held)
        record(
            session, actor, f"{kind}.override", name,
            after={"reason": reason, "findings": [one.excerpt for one in held]},
        )  # fmt: skip


def let_texts_pass(session: Session, texts: Iterable[tuple[str, str]], *, reason: str) -> list[str]:
    """Hold back texts of an incident that is over, each by its field, by the rules for names.

    Those need no facts: of such an incident there are none.  Returns what a ``reason`` lets pass;
    raises :class:`Blocked` on the field that would leak where there is none.
    """
    own, found = blocked_terms_of(session), []
    for field, text in texts:
        held = blocking(find_in_name(text, own=own))
        if held and not reason:
            raise Blocked(field, held)
        found += [one.excerpt for one in held]
    return found


def name_warning(session: Session, *texts: str) -> str:
    """What else the checks remark on names, as a sentence; empty where it is nothing."""
    own = blocked_terms_of(session)
    remarks = {
        f"“{one.excerpt}”: {one.reason}"
        for text in texts
        for one in find_in_name(text, own=own)
        if not one.blocks
    }
    return f" Check: {' '.join(sorted(remarks))}" if remarks else ""


def try_text(session: Session, title: str, text: str, *, step: Step) -> tuple[Finding, ...]:
    """What the checks would say of a text for everybody, of an incident that has no facts yet."""
    page = session.scalars(select(Page).order_by(Page.id).limit(1)).one()
    names = session.scalars(select(Component.name).where(Component.removed_at.is_(None)))
    public = PublicFacts(
        service=page.name,
        page_url=current_settings().public_url,
        support_email=page.support_email,
        support_url=page.support_url,
        sign_off=page.sign_off,
        title=title,
        components=tuple((name, "") for name in names),
        zone=page.zone,
        language=page.language,
    )
    return find(
        subject=title, body=text, audience=Audience.PUBLIC, step=step, facts=Facts(public),
        own=blocked_terms_of(session),
    )  # fmt: skip
