"""Drafts of declarations, kept on the server as they are typed: one for each sheet of the form.

Each account goes on with its own and opens copies of its colleagues', so nobody's words are written
over.  A draft goes with the declaration that is made of it, and a week after it was typed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from statuspage.access.audit import Actor
from statuspage.access.permissions import Permission, needs
from statuspage.core import clock
from statuspage.core.db import insert_new, writing
from statuspage.incidents.idempotency import posted_with
from statuspage.incidents.saved_drafts import check_length
from statuspage.models import Account, DeclarationDraft

KEPT_FOR: Final = timedelta(days=7)
MOST_OFFERED: Final = 3
"""So many of one's own, and so many of colleagues'."""


@needs(Permission.DRAFT)
def save_declaration(form: Sequence[tuple[str, str]], *, form_key: str, actor: Actor) -> bool:
    """Keep what somebody typed into a sheet, in place of what it held before; whether it was kept.

    What was declared by the same sheet is no draft any more.  Raises
    :class:`~statuspage.core.errors.Invalid` where it is too long.
    """
    check_length(form)
    with writing() as session:
        if actor.account_id is None or posted_with(session, form_key) is not None:
            return False
        moment = clock.now()
        session.execute(
            delete(DeclarationDraft).where(DeclarationDraft.saved_at < moment - KEPT_FOR)
        )
        kept = {"form": [list(pair) for pair in form], "saved_at": moment}
        session.execute(
            insert_new(session, DeclarationDraft)
            .values(account_id=actor.account_id, form_key=form_key, **kept)
            .on_conflict_do_update(
                index_elements=["form_key"],
                set_=kept,
                where=DeclarationDraft.account_id == actor.account_id,
            )
        )
        return True


@needs(Permission.DRAFT)
def discard_declaration(form_key: str, *, actor: Actor) -> None:
    """Forget one of an account's own drafts."""
    with writing() as session:
        session.execute(
            delete(DeclarationDraft).where(
                DeclarationDraft.form_key == form_key,
                DeclarationDraft.account_id == actor.account_id,
            )
        )


def end_draft(session: Session, form_key: str) -> None:
    """Forget the draft of a sheet that is declared, within its transaction."""
    session.execute(delete(DeclarationDraft).where(DeclarationDraft.form_key == form_key))


def kept_drafts(session: Session, account_id: int | None) -> list[tuple[DeclarationDraft, str]]:
    """The newest drafts of an account, then those of others, each with its author's name.

    Some of either, the newest first: colleagues' drafts never hide one's own.
    """
    is_own = DeclarationDraft.account_id.is_not_distinct_from(account_id)
    newest_first = DeclarationDraft.saved_at.desc(), DeclarationDraft.id.desc()
    place = func.row_number().over(partition_by=is_own, order_by=newest_first).label("place")
    kept = (
        select(DeclarationDraft.id, is_own.label("is_own"), place)
        .where(DeclarationDraft.saved_at >= clock.now() - KEPT_FOR)
        .subquery()
    )
    rows = session.execute(
        select(DeclarationDraft, Account.name)
        .join(kept, kept.c.id == DeclarationDraft.id)
        .join(Account, Account.id == DeclarationDraft.account_id)
        .where(kept.c.place <= MOST_OFFERED)
        .order_by(kept.c.is_own.desc(), *newest_first)
    )
    return [(row[0], row[1]) for row in rows]
