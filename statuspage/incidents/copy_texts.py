"""Texts to copy: one line for executives, a reply for support.  They are sent nowhere."""

from __future__ import annotations

from dataclasses import dataclass

from statuspage.core import richtext
from statuspage.core.db import current_session
from statuspage.core.enums import CLOSED, Audience, Step
from statuspage.incidents.announcement import (
    Telling,
    facts_for,
    telling_of_declaration,
    telling_of_update,
)
from statuspage.incidents.check_texts import check_text
from statuspage.incidents.inputs import Declaration, Post
from statuspage.messages.checks import Finding
from statuspage.messages.compose import Text, as_drill, compose
from statuspage.models import Incident


@dataclass(frozen=True, slots=True)
class Handout:
    """A plain text for somebody to copy; ``findings`` are what the checks say of it."""

    audience: Audience
    text: Text
    findings: tuple[Finding, ...]


def handouts_of_declaration(declaration: Declaration) -> tuple[Handout, ...]:
    """What could be handed out once this is declared; raises as the verb does."""
    return _handouts(telling_of_declaration(declaration), None)


def handouts_of_update(
    incident: Incident, update: Post, *, reopens: bool = False, publishes: bool = False
) -> tuple[Handout, ...]:
    """What could be handed out once this is posted; raises as the verb does."""
    telling = telling_of_update(incident, update, reopens=reopens, publishes=publishes)
    return _handouts(telling, incident)


def _handouts(telling: Telling, incident: Incident | None) -> tuple[Handout, ...]:
    # Support answers customers, who are told nothing of what is internal.
    wanted = [Audience.EXECUTIVE]
    if telling.incident.tells_outsiders:
        wanted.append(Audience.SUPPORT)
    return tuple(_handout(telling, incident, audience) for audience in wanted)


def _handout(telling: Telling, incident: Incident | None, audience: Audience) -> Handout:
    session = current_session()
    facts = facts_for(session, telling, incident)
    step = Step.CLOSED if telling.incident.status in CLOSED else Step.UPDATE
    text = compose(session, facts, audience=audience, step=step)
    if audience is Audience.EXECUTIVE:
        text = Text(text.subject, richtext.clean_line(text.body))
    findings = check_text(session, text, audience=audience, step=telling.step, facts=facts)
    if telling.incident.is_drill:
        text = as_drill(text, audience)
    return Handout(audience, text, findings)
