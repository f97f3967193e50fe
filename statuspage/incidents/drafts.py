"""The texts of an announcement before they go: what each says, to whom, and what it lacks.

Beside them are texts to copy, which are sent nowhere, and whether an update only repeats the last.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from statuspage.core import richtext
from statuspage.core.enums import CLOSED, Audience, Step
from statuspage.core.languages import nearest
from statuspage.incidents.announcement import Announcement
from statuspage.incidents.check_texts import check_text
from statuspage.incidents.inputs import Draft, NewUpdate
from statuspage.messages.checks import Finding, blocking
from statuspage.messages.compose import (
    Composed,
    Text,
    Unfinished,
    as_drill,
    compose,
    compose_versions,
    finish,
    unfilled,
)
from statuspage.messages.facts import facts_in
from statuspage.models import Incident
from statuspage.recipients.who_receives import Reader

Texts = Mapping[Audience, Text]


def drafts(announcement: Announcement, texts: Texts | None = None) -> list[Draft]:
    """The text of every audience, an edited one as it was edited; changes nothing."""
    return [
        _draft(announcement, texts or {}, audience, step)
        for audience, step in announcement.audiences
    ]


def _draft(announcement: Announcement, texts: Texts, audience: Audience, step: Step) -> Draft:
    session, facts = announcement.session, announcement.facts
    recipients, suppressed, why = announcement.reach(audience)
    composed = compose(session, facts, audience=audience, step=step)
    text = chosen_text(texts, audience, composed)
    readers = announcement.first_readers(audience)
    before = announcement.last_messages.get(audience)
    return Draft(
        audience=audience,
        step=step,
        text=text,
        made=composed,
        recipients=recipients,
        suppressed=suppressed,
        why=why,
        finished=_finish_if_whole(
            announcement, text, audience, step, readers, is_made=text == composed
        ),
        by_mail=announcement.subscribers if audience is Audience.PUBLIC else None,
        readers=readers,
        edited=text != composed,
        missing=unfilled(text, audience=audience, facts=facts),
        wanted=composed.wanted,
        findings=check_text(
            session, announcement.incident, text, audience=audience, step=step, facts=facts
        ),
        before=Text(before.subject, before.body) if before else None,
        is_like_before=before is not None and before.step is step,
        fell_back=composed.fell_back,
        is_drill=announcement.incident.is_drill,
        left_out=announcement.left_out.get(
            Audience.SUBSCRIBER if audience is Audience.PUBLIC else audience
        ),
    )


def text_at_once(announcement: Announcement) -> Text | None:
    """What goes out where nobody looks first: the first audience's text.

    None where something is missing from a text of it, or would be held back.
    """
    session, incident, facts = announcement.session, announcement.incident, announcement.facts
    made: list[Text] = []
    for audience, step in announcement.audiences:
        text = compose(session, facts, audience=audience, step=step)
        if unfilled(text, audience=audience, facts=facts):
            return None
        if blocking(check_text(session, incident, text, audience=audience, step=step, facts=facts)):
            return None
        made.append(text)
    return made[0] if made else None


@dataclass(frozen=True, slots=True)
class TranslatedFact:
    """A fact's text in a further language, and what the checks say of it.

    ``is_sent``: every fact has a text in that language, so messages are written in it.
    """

    name: str
    text: Text
    findings: tuple[Finding, ...]
    is_sent: bool


def translated_facts(announcement: Announcement) -> list[TranslatedFact]:
    """What is typed in further languages, each text checked by itself."""
    facts, found = announcement.facts, []
    for language, texts in facts.public.translations.items():
        known = replace(facts, public=replace(facts.public, language=language))
        is_sent = facts_in(facts, language) is not None
        for name, typed in texts.items():
            text = Text(typed, "") if name == "title" else Text("", typed)
            findings = check_text(
                announcement.session,
                announcement.incident,
                text,
                audience=Audience.PUBLIC,
                step=announcement.step,
                facts=known,
            )
            # What is missing from a message as a whole is no fault of one fact.
            placed = tuple(one for one in findings if one.excerpt)
            found.append(TranslatedFact(name, text, placed, is_sent))
    return found


def chosen_text(texts: Texts, audience: Audience, composed: Text) -> Text:
    """The text as it was edited, under the composed subject where it came without one."""
    edited = texts.get(audience, composed)
    return edited if edited.subject else Text(composed.subject, edited.body)


def _finish_if_whole(
    announcement: Announcement,
    text: Text,
    audience: Audience,
    step: Step,
    readers: Sequence[Reader],
    *,
    is_made: bool,
) -> Composed | None:
    language, facts = announcement.page.language, announcement.facts
    others = {nearest(reader.language, default=language) for reader in readers} - {language}
    try:
        return finish(
            text,
            audience=audience,
            step=step,
            facts=facts,
            language=language,
            versions=compose_versions(
                announcement.session, facts, audience=audience, step=step, languages=sorted(others)
            )
            if is_made
            else None,
        )
    except Unfinished:
        return None


@dataclass(frozen=True, slots=True)
class CopyText:
    """A plain text for somebody to copy; ``findings`` are what the checks say of it."""

    audience: Audience
    text: Text
    findings: tuple[Finding, ...]


def copy_texts(announcement: Announcement) -> tuple[CopyText, ...]:
    """What could be handed out once this is published."""
    # Support answers customers, who learn nothing of what is internal.
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
    findings = check_text(
        session,
        announcement.incident,
        text,
        audience=audience,
        step=announcement.step,
        facts=facts,
    )
    if announcement.incident.is_drill:
        text = as_drill(text, audience)
    return CopyText(audience, text, findings)


def repeats(incident: Incident, update: NewUpdate, drafts: Sequence[Draft]) -> bool:
    """Whether visitors would read the same words again, or nothing at all differs from before.

    A form that comes back after an update differs in nothing: that is what a second click sends.
    """
    compared = [draft for draft in drafts if draft.audience is Audience.PUBLIC] or list(drafts)
    if any(draft.before and draft.before.body == draft.as_sent.body for draft in compared):
        return True
    return not any(draft.edited for draft in drafts) and _changes_nothing(incident, update)


def _changes_nothing(incident: Incident, update: NewUpdate) -> bool:
    if update.status.value != incident.status or update.severity_rank or update.happened_at:
        return False
    if update.impact not in {None, incident.impact}:
        return False
    if update.users_notice is not None and update.users_notice != incident.users_notice:
        return False
    present = {row.component_id: row.status for row in incident.affected}
    if any(present.get(key) is not status for key, status in update.components.items()):
        return False
    return _adds_nothing(incident.public_facts, update.public_facts) and _adds_nothing(
        incident.internal_facts, update.internal_facts
    )


def _adds_nothing(stored: Mapping[str, Any], typed: Mapping[str, Any]) -> bool:
    return all((stored.get(name) or "") == (value or "") for name, value in typed.items())
