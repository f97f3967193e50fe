"""Every text for outsiders is checked before it goes; what would leak needs a reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy.orm import Session

from statuspage import audit, setup
from statuspage.audit import Actor
from statuspage.messages import Facts, Text, checks
from statuspage.messages.checks import Finding, blocking
from statuspage.models import Incident
from statuspage.refusals import Refused
from statuspage.words import Audience, Step

OUTSIDE: Final = frozenset(audience for audience in Audience if not audience.is_inside)
LONGEST_REASON: Final = 500

Overrides = Mapping[Audience, str]
"""Why a text goes out although something in it would leak, by audience."""


def check_text(
    current: Session, text: Text, *, audience: Audience, step: Step, facts: Facts
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
        own=setup.own_words(current),
    )


def let_correction_pass(
    current: Session,
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
    findings = check_text(current, text, audience=audience, step=step, facts=facts)
    return let_pass(
        current, incident, findings, audience=audience, reason=reason, actor=actor, field="body"
    )


def let_pass(
    current: Session,
    incident: Incident,
    findings: Sequence[Finding],
    *,
    audience: Audience,
    reason: str,
    actor: Actor,
    field: str = "",
) -> dict[str, Any]:
    """What a message keeps about being let through; empty where nothing blocks it.

    Raises :class:`~statuspage.refusals.Refused` on the text's ``field`` where something does and no
    reason is given.  A reason is kept in the audit trail too.
    """
    held = blocking(findings)
    if not held:
        return {}
    if not reason:
        raise Refused(field or f"text_{audience.value}", in_words(held))
    kept = {
        "reason": reason[:LONGEST_REASON],
        "findings": [{"rule": one.rule, "excerpt": one.excerpt} for one in held],
    }
    audit.record(
        current, actor, "message.override", subject_kind=incident.kind.value, subject=incident.code,
        after={"audience": audience, **kept},
    )  # fmt: skip
    return kept


def in_words(held: Sequence[Finding]) -> str:
    """Why a text cannot go out, naming the first few places."""
    places = list(dict.fromkeys(one.excerpt for one in held))
    named = ", ".join(f"“{_short(place)}”" for place in places[:3])
    more = f" and {len(places) - 3} more" if len(places) > 3 else ""
    return (
        f"This would tell outsiders what is not for them: {named}{more}. "
        "Take it out, or say why it stays."
    )


def _short(place: str) -> str:
    line = " ".join(place.split())
    return line if len(line) <= 40 else f"{line[:39]}…"
