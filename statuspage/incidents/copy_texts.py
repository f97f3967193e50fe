"""Texts to copy: one line for executives, a reply for support.  They are sent nowhere."""

from __future__ import annotations

from dataclasses import dataclass

from statuspage.core import richtext
from statuspage.core.enums import CLOSED, Audience, Step
from statuspage.incidents.announcement import Announcement
from statuspage.incidents.check_texts import check_text
from statuspage.messages.checks import Finding
from statuspage.messages.compose import Text, as_drill, compose


@dataclass(frozen=True, slots=True)
class CopyText:
    """A plain text for somebody to copy; ``findings`` are what the checks say of it."""

    audience: Audience
    text: Text
    findings: tuple[Finding, ...]


def copy_texts(announcement: Announcement) -> tuple[CopyText, ...]:
    """What could be handed out once this is published."""
    # Support answers customers, who are told nothing of what is internal.
    wanted = [Audience.EXECUTIVE]
    if announcement.incident.tells_outsiders:
        wanted.append(Audience.SUPPORT)
    return tuple(_copy_text(announcement, audience) for audience in wanted)


def _copy_text(announcement: Announcement, audience: Audience) -> CopyText:
    session, facts = announcement.session, announcement.facts
    step = Step.CLOSED if announcement.incident.status in CLOSED else Step.UPDATE
    text = compose(session, facts, audience=audience, step=step)
    if audience is Audience.EXECUTIVE:
        text = Text(text.subject, richtext.clean_line(text.body))
    findings = check_text(session, text, audience=audience, step=announcement.step, facts=facts)
    if announcement.incident.is_drill:
        text = as_drill(text, audience)
    return CopyText(audience, text, findings)
