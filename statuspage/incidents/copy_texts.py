"""Texts to copy: one line for executives, a reply for support.  They are sent nowhere."""

from __future__ import annotations

from dataclasses import dataclass

from statuspage.core import richtext
from statuspage.core.db import current_session
from statuspage.core.enums import CLOSED, Audience, Step
from statuspage.incidents.announcement import (
    Announcement,
    announcement_of_declaration,
    announcement_of_update,
    facts_for,
)
from statuspage.incidents.check_texts import check_text
from statuspage.incidents.inputs import Declaration, NewUpdate
from statuspage.messages.checks import Finding
from statuspage.messages.compose import Text, as_drill, compose
from statuspage.models import Incident


@dataclass(frozen=True, slots=True)
class CopyText:
    """A plain text for somebody to copy; ``findings`` are what the checks say of it."""

    audience: Audience
    text: Text
    findings: tuple[Finding, ...]


def copy_texts_of_declaration(declaration: Declaration) -> tuple[CopyText, ...]:
    """What could be handed out once this is declared; raises as the verb does."""
    return _copy_texts(announcement_of_declaration(declaration), None)


def copy_texts_of_update(
    incident: Incident, update: NewUpdate, *, reopens: bool = False, publishes: bool = False
) -> tuple[CopyText, ...]:
    """What could be handed out once this is posted; raises as the verb does."""
    announcement = announcement_of_update(incident, update, reopens=reopens, publishes=publishes)
    return _copy_texts(announcement, incident)


def _copy_texts(announcement: Announcement, incident: Incident | None) -> tuple[CopyText, ...]:
    # Support answers customers, who are told nothing of what is internal.
    wanted = [Audience.EXECUTIVE]
    if announcement.incident.tells_outsiders:
        wanted.append(Audience.SUPPORT)
    return tuple(_copy_text(announcement, incident, audience) for audience in wanted)


def _copy_text(
    announcement: Announcement, incident: Incident | None, audience: Audience
) -> CopyText:
    session = current_session()
    facts = facts_for(session, announcement, incident)
    step = Step.CLOSED if announcement.incident.status in CLOSED else Step.UPDATE
    text = compose(session, facts, audience=audience, step=step)
    if audience is Audience.EXECUTIVE:
        text = Text(text.subject, richtext.clean_line(text.body))
    findings = check_text(session, text, audience=audience, step=announcement.step, facts=facts)
    if announcement.incident.is_drill:
        text = as_drill(text, audience)
    return CopyText(audience, text, findings)
