"""Every text for outsiders is checked before it goes; what would leak needs a reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy.orm import Session

from statuspage.access import audit
from statuspage.access.audit import Actor
from statuspage.configuration import blocked_terms
from statuspage.core.enums import Audience, Step
from statuspage.messages import checks
from statuspage.messages.checks import Blocked, Finding, blocking
from statuspage.messages.compose import Text
from statuspage.messages.facts import Facts
from statuspage.models import Incident

OUTSIDE: Final = frozenset(audience for audience in Audience if not audience.is_inside)
LONGEST_REASON: Final = 500

Overrides = Mapping[Audience, str]
"""Why a text goes out although something in it would leak, by audience."""


def check_text(
    session: Session, text: Text, *, audience: Audience, step: Step, facts: Facts
) -> tuple[Finding, ...]:
    """What is wrong with a text as it would go out; nothing ever is with one for colleagues."""
    if audience not in OUTSIDE:
        return ()
    return checks.find(
        subject=text.subject,
        body=text.body,
        audience=audience,
        step=step,
        facts=facts,
        own=blocked_terms.blocked_terms_of(session),
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
    findings = check_text(session, text, audience=audience, step=step, facts=facts)
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
    held = blocking(
        checks.find_in_name(incident.title, own=blocked_terms.blocked_terms_of(session))
    )
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
        session, actor, "message.override", subject_kind=incident.kind.value, subject=incident.code,
        after={"audience": audience, **override},
    )  # fmt: skip
    return override
