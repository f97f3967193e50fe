"""Every text for outsiders is checked before it goes; what would leak needs a reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from statuspage.access import audit
from statuspage.access.audit import Actor
from statuspage.configuration import blocked_terms
from statuspage.core.db import read_once
from statuspage.core.enums import Audience, Step
from statuspage.messages import checks
from statuspage.messages.checks import Blocked, BlockedTerms, Finding, blocking
from statuspage.messages.compose import Text
from statuspage.messages.facts import Facts
from statuspage.models import AuditEntry, Incident
from statuspage.recipients.named_customers import named_customers

OUTSIDE: Final = frozenset(audience for audience in Audience if not audience.is_inside)
LONGEST_REASON: Final = 500

Overrides = Mapping[Audience, str]
"""Why a text goes out although something in it would leak, by audience."""


def check_text(
    session: Session,
    incident: Incident,
    text: Text,
    *,
    audience: Audience,
    step: Step,
    facts: Facts,
) -> tuple[Finding, ...]:
    """What is wrong with a text as it would go out; nothing ever is with one for colleagues.

    What was let through in the incident's title is let through in all its texts.
    """
    if audience not in OUTSIDE:
        return ()
    return checks.find(
        subject=text.subject,
        body=text.body,
        audience=audience,
        step=step,
        facts=facts,
        own=_terms_for(session, incident, text),
    )


def _terms_for(session: Session, incident: Incident, text: Text | None = None) -> BlockedTerms:
    written = text or Text(incident.title, "")
    own = replace(
        blocked_terms.blocked_terms_of(session),
        customers=named_customers(session, written.subject, written.body),
    )
    passed = read_once(session, f"passed {incident.code}", lambda: _passed(session, incident))
    words = tuple(one for one in passed if one in incident.title)
    return replace(own, allowed=replace(own.allowed, words=words)) if words else own


def _passed(session: Session, incident: Incident) -> tuple[str, ...]:
    """What was marked in this incident's texts and published with a reason."""
    if not incident.code:
        return ()
    kept = session.scalars(
        select(AuditEntry.after).filter_by(
            action=blocked_terms.OVERRIDE, subject_kind=incident.kind.value, subject=incident.code
        )
    )
    return tuple(
        dict.fromkeys(one["excerpt"] for after in kept if after for one in after["findings"])
    )


def let_correction_pass(
    session: Session,
    incident: Incident,
    text: Text,
    *,
    audience: Audience,
    step: Step,
    facts: Facts,
    reason: str,
    actor: Actor,
) -> dict[str, Any]:
    """As :func:`let_pass`, for what puts a text right; refused on its ``body``."""
    findings = check_text(session, incident, text, audience=audience, step=step, facts=facts)
    return let_pass(
        session, incident, findings, audience=audience, reason=reason, actor=actor, field="body"
    )


def hold_title_back(
    session: Session, incident: Incident, *, field: str, overrides: Overrides
) -> None:
    """Refuse, on ``field``, a title that would leak with the first public update.

    Whoever says why the update goes out says it of its title too, and it is kept with the update.
    """
    if incident.is_internal or overrides.get(Audience.PUBLIC):
        return
    held = blocking(checks.find_in_name(incident.title, own=_terms_for(session, incident)))
    if held:
        raise Blocked(field, held)


def let_title_pass(
    session: Session, incident: Incident, title: str, *, reason: str, actor: Actor
) -> None:
    """As :func:`let_pass`, for a title that gets public without an update; on ``title``."""
    found = checks.find_in_name(title, own=blocked_terms.blocked_terms_of(session))
    let_pass(
        session,
        incident,
        found,
        audience=Audience.PUBLIC,
        reason=reason,
        actor=actor,
        field="title",
    )


def let_pass(
    session: Session,
    incident: Incident,
    findings: Sequence[Finding],
    *,
    audience: Audience,
    reason: str,
    actor: Actor,
    field: str = "",
) -> dict[str, Any]:
    """What a message keeps about being let through; empty where nothing blocks it.

    Raises :class:`~statuspage.core.errors.Invalid` on the text's ``field`` where something does and
    no reason is given.  A reason is kept in the audit trail too.
    """
    held = blocking(findings)
    if not held:
        return {}
    if not reason:
        raise Blocked(field or f"text_{audience.value}", held)
    override = {
        "reason": reason[:LONGEST_REASON],
        "findings": [{"rule": one.rule, "excerpt": one.excerpt} for one in held],
    }
    audit.record(
        session, actor, blocked_terms.OVERRIDE,
        subject_kind=incident.kind.value, subject=incident.code,
        after={"audience": audience, **override},
    )  # fmt: skip
    return override
