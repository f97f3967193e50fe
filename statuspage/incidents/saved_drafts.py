"""Drafts of updates, kept on the server as they are typed: one for each incident and account.

Colleagues see each other's drafts and go on from a copy, so nobody's words are written over.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from statuspage.access import audit
from statuspage.access.audit import Actor
from statuspage.access.permissions import Permission, needs
from statuspage.core import clock
from statuspage.core.db import insert_new, writing
from statuspage.core.errors import Invalid
from statuspage.incidents.idempotency import posted_with
from statuspage.models import Account, ApiKey, Incident, SavedDraft, ToolDraft

MOST_CHARACTERS = 200_000


@needs(Permission.DRAFT)
def save_draft(
    incident_code: str,
    form: Sequence[tuple[str, str]],
    *,
    form_key: str,
    seen_version: int,
    actor: Actor,
) -> bool:
    """Keep what somebody typed in place of what they had typed before; whether it was kept.

    What was published by the same sheet of the form is no draft any more.  Raises :class:`Invalid`
    where it is too long, and ``NoResultFound`` for no such incident.
    """
    check_length(form)
    with writing() as session:
        incident_id = _incident_id(session, incident_code)
        if actor.account_id is None or posted_with(session, form_key) is not None:
            return False
        kept = {
            "form": [list(pair) for pair in form],
            "seen_version": seen_version,
            "saved_at": clock.now(),
        }
        session.execute(
            insert_new(session, SavedDraft)
            .values(incident_id=incident_id, account_id=actor.account_id, **kept)
            .on_conflict_do_update(index_elements=["incident_id", "account_id"], set_=kept)
        )
        return True


@needs(Permission.DRAFT)
def save_tool_draft(
    incident_code: str,
    form: Sequence[tuple[str, str]],
    *,
    key_id: int,
    seen_version: int,
    actor: Actor,
) -> None:
    """Keep a draft that a tool prepared, in place of the one that its key had there before.

    A person opens a copy of it.  Raises :class:`Invalid` for one that is empty or too long, and
    ``NoResultFound`` for no such incident.
    """
    if not form:
        raise Invalid("form", "Nothing was prepared: give a status or a fact.")
    check_length(form)
    with writing() as session:
        incident_id = _incident_id(session, incident_code)
        kept = {
            "form": [list(pair) for pair in form],
            "seen_version": seen_version,
            "saved_at": clock.now(),
        }
        session.execute(
            insert_new(session, ToolDraft)
            .values(incident_id=incident_id, key_id=key_id, **kept)
            .on_conflict_do_update(index_elements=["incident_id", "key_id"], set_=kept)
        )
        audit.record(
            session, actor, "incident.prepare_update", subject_kind="incident",
            subject=incident_code, after={"form": kept["form"]},
        )  # fmt: skip


@needs(Permission.DRAFT)
def discard_draft(incident_code: str, *, actor: Actor) -> None:
    """Forget an account's own draft; raises ``NoResultFound`` for no such incident."""
    with writing() as session:
        incident_id = _incident_id(session, incident_code)
        session.execute(
            delete(SavedDraft).where(
                SavedDraft.incident_id == incident_id, SavedDraft.account_id == actor.account_id
            )
        )


def check_length(form: Sequence[tuple[str, str]]) -> None:
    """Raise :class:`Invalid` for more than is kept as a draft."""
    if sum(len(name) + len(value) for name, value in form) > MOST_CHARACTERS:
        raise Invalid("form", "This draft is too long to be kept.")


def drafts_on(session: Session, incident: Incident) -> list[tuple[SavedDraft | ToolDraft, str]]:
    """The drafts on an incident, each with its author's name, the newest first.

    Those that tools prepared come after those of people.
    """
    rows = session.execute(
        select(SavedDraft, Account.name)
        .join(Account, Account.id == SavedDraft.account_id)
        .where(SavedDraft.incident_id == incident.id)
        .order_by(SavedDraft.saved_at.desc(), SavedDraft.account_id)
    )
    prepared = session.execute(
        select(ToolDraft, ApiKey.name)
        .join(ApiKey, ApiKey.id == ToolDraft.key_id)
        .where(ToolDraft.incident_id == incident.id)
        .order_by(ToolDraft.saved_at.desc(), ToolDraft.key_id)
    )
    return [(row[0], row[1]) for row in (*rows, *prepared)]


def _incident_id(session: Session, code: str) -> int:
    return session.scalars(select(Incident.id).filter_by(code=code)).one()
