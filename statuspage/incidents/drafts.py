"""The texts of an announcement before they go: what each says, to whom, and what it lacks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from statuspage.core.db import read_once
from statuspage.core.enums import Audience, Step
from statuspage.core.languages import nearest
from statuspage.incidents.announcement import Announcement
from statuspage.incidents.check_texts import check_text
from statuspage.incidents.inputs import Draft
from statuspage.messages.compose import Composed, Text, Unfinished, compose, finish, unfilled
from statuspage.models import Incident, Message
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
    return Draft(
        audience=audience,
        step=step,
        text=text,
        made=composed,
        recipients=recipients,
        suppressed=suppressed,
        why=why,
        finished=_finish_if_whole(announcement, text, audience, step, readers),
        by_mail=announcement.subscribers if audience is Audience.PUBLIC else None,
        readers=readers,
        edited=text != composed,
        missing=unfilled(text, audience=audience, facts=facts),
        wanted=composed.wanted,
        findings=check_text(session, text, audience=audience, step=step, facts=facts),
        before=_last_message(session, announcement.saved, audience),
        fell_back=composed.fell_back,
        is_drill=announcement.incident.is_drill,
        left_out=announcement.left_out.get(
            Audience.SUBSCRIBER if audience is Audience.PUBLIC else audience
        ),
    )


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
) -> Composed | None:
    language = announcement.page.language
    others = {nearest(reader.language, default=language) for reader in readers} - {language}
    try:
        return finish(
            text,
            audience=audience,
            step=step,
            facts=announcement.facts,
            language=language,
            others=sorted(others),
        )
    except Unfinished:
        return None


def _last_message(session: Session, incident: Incident | None, audience: Audience) -> Text | None:
    """What that audience was told last about an incident, if anything."""
    if incident is None or incident.id is None:
        return None
    chosen = (
        select(Message.subject, Message.body)
        .where(Message.incident_id == incident.id, Message.audience == audience)
        .order_by(Message.id.desc())
        .limit(1)
    )
    name = f"last message of incident {incident.id} to {audience}"
    row = read_once(session, name, lambda: session.execute(chosen).one_or_none())
    return Text(row.subject, row.body) if row else None
