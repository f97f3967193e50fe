"""Correcting a mail: one more, to exactly those who were sent what was wrong."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from statuspage.access import audit
from statuspage.access.audit import Actor
from statuspage.access.permissions import Permission, needs
from statuspage.core import clock
from statuspage.core.db import current_session, writing
from statuspage.core.enums import Audience, Step
from statuspage.core.errors import Invalid
from statuspage.delivery import corrections
from statuspage.delivery.queue import MAILED
from statuspage.incidents.announcement import incident_facts
from statuspage.incidents.check_texts import let_correction_pass
from statuspage.incidents.inputs import check_body
from statuspage.messages.compose import Composed, Text, Unfinished, finish, finish_for_subscribers
from statuspage.messages.tokens import token
from statuspage.models import Incident, Message, Page
from statuspage.models.columns import TITLE_LIMIT
from statuspage.recipients.who_receives import Reader

PREFIX = "Correction: "
NOTE = "Part of our last message about this was wrong. Here’s the correct version."


@dataclass(frozen=True, slots=True)
class Correction:
    """What a message should have said, and the sentence that says what was wrong.

    ``because`` says why it goes out although something in it would leak.
    """

    subject: str
    body: str
    note: str
    because: str = ""


@dataclass(frozen=True, slots=True)
class CorrectionDraft:
    """What a correction would send: ``mail`` to ``sent``, the right text to ``waiting``.

    ``suppressed`` of those who were sent it get no mail any more.  Where nobody was sent it
    yet, ``mail`` is the right text.  ``reader`` is one of those who get it.
    """

    mail: Composed
    sent: int
    suppressed: int
    waiting: int
    reader: Reader | None


def may_be_corrected(session: Session, message: Message) -> bool:
    """Whether somebody was mailed this message, or waits for it, and it was not corrected yet."""
    if message.audience not in MAILED or message.incident_id is None or message.step is Step.TEST:
        return False
    if corrections.correction_of(session, message.id) is not None:
        return False
    return any(corrections.count_sent(session, message.id))


def correctable(session: Session, update_id: int) -> list[Message]:
    """The mails about an update, as it was first sent, that may be corrected."""
    found = session.scalars(
        select(Message)
        .where(
            Message.update_id == update_id,
            Message.audience.in_(MAILED),
            Message.corrects_id.is_(None),
            Message.replaces_id.is_(None),
        )
        .order_by(Message.audience, Message.id)
    )
    return [one for one in found if may_be_corrected(session, one)]


def as_sent(session: Session, message: Message) -> Correction:
    """What was sent, to begin a correction with; a corrected update as it is now."""
    if message.audience is not Audience.SUBSCRIBER:
        return Correction(message.subject, message.body, NOTE)
    # The frame of the subscribers' mail adds it again.
    subject = message.subject.removesuffix(f" ({session.get_one(Page, 1).name})")
    body = message.update.body if message.update is not None else message.body
    return Correction(subject, body, NOTE)


def preview_correction(message: Message, correction: Correction) -> CorrectionDraft:
    """What this would send, and to how many; changes nothing.  Raises :class:`Invalid`."""
    session = current_session()
    incident = _check(session, message, correction)
    sent, suppressed, waiting = corrections.count_sent(session, message.id)
    first = corrections.first_reader(session, message.id, sent=sent > 0)
    plain = Text(correction.subject, correction.body)
    return CorrectionDraft(
        mail=_finish(message, incident, _with_note(message, correction) if sent else plain),
        sent=sent,
        suppressed=suppressed,
        waiting=waiting,
        reader=Reader(first.email, first.name, first.time_zone, first.language) if first else None,
    )


@needs(Permission.PUBLISH)
def send_correction(message_id: int, correction: Correction, *, actor: Actor) -> Message:
    """Send a correction to exactly those who were sent a message; whoever waits gets it right.

    A message is corrected once.  Raises :class:`Invalid`.
    """
    with writing() as session:
        wrong = session.get_one(Message, message_id, with_for_update=True)
        incident = _check(session, wrong, correction)
        override = let_correction_pass(
            session,
            incident,
            Text(correction.subject, f"{correction.note}\n\n{correction.body}"),
            audience=wrong.audience,
            step=wrong.step,
            facts=incident_facts(incident, wrong.step),
            reason=correction.because,
            actor=actor,
        )
        plain = Text(correction.subject, correction.body)
        right = _message(wrong, _finish(wrong, incident, plain))
        sent = _message(wrong, _finish(wrong, incident, _with_note(wrong, correction)))
        right.override = sent.override = override
        # Cancelled stays cancelled: the right text goes only if it is sent after all.
        right.cancelled_at = wrong.cancelled_at
        right.replaces_id = sent.corrects_id = wrong.id
        session.add_all([right, sent])
        session.flush()
        added, redirected = corrections.queue_correction(session, wrong=wrong, correction=sent)
        audit.record(
            session, actor, "message.correct", subject_kind="incident", subject=incident.code,
            before={"subject": wrong.subject, "body": wrong.body},
            after={"subject": sent.subject, "body": sent.body, "sent to": added,
                   "given the right text": redirected},
        )  # fmt: skip
        return sent


def _check(session: Session, message: Message, correction: Correction) -> Incident:
    """The incident of a message that this may correct; :class:`Invalid`."""
    if message.audience not in MAILED or message.incident is None or message.step is Step.TEST:
        raise Invalid("form", "Only emails about incidents and maintenance can be corrected.")
    if corrections.correction_of(session, message.id) is not None:
        raise Invalid("form", "This has been corrected already. Correct the correction if needed.")
    if not correction.subject:
        raise Invalid("subject", "Enter a subject.")
    if len(correction.subject) > TITLE_LIMIT:
        raise Invalid("subject", f"Use at most {TITLE_LIMIT} characters.")
    check_body("body", correction.body, needed=True)
    check_body("note", correction.note, needed=True)
    if (correction.subject, correction.body) == (as_sent(session, message).subject, message.body):
        raise Invalid("body", "This is what was sent. Correct it first.")
    return message.incident


def _with_note(message: Message, correction: Correction) -> Text:
    """The mail to those who know the wrong text: the note comes first, after the greeting."""
    subject = correction.subject.removeprefix(PREFIX)
    greeting, parts, rest = correction.body.partition("\n\n")
    if parts and (greeting == token("greeting") or greeting.endswith((",", ":", "،"))):
        return Text(PREFIX + subject, f"{greeting}\n\n{correction.note}\n\n{rest}")
    return Text(PREFIX + subject, f"{correction.note}\n\n{correction.body}")


def _finish(message: Message, incident: Incident, text: Text) -> Composed:
    facts, language = incident_facts(incident, message.step), message.language
    try:
        if message.audience is Audience.SUBSCRIBER:
            update = Composed(text.subject, text.body)
            return finish_for_subscribers(update, step=message.step, facts=facts, language=language)
        return finish(
            text,
            audience=message.audience,
            step=message.step,
            facts=facts,
            language=language,
        )
    except Unfinished as gap:
        lacking = ", ".join(name.replace("_", " ") for name in gap.tokens)
        raise Invalid("body", f"Nothing is known for: {lacking}. Write it out instead.") from gap


def _message(wrong: Message, mail: Composed) -> Message:
    return Message(
        incident_id=wrong.incident_id,
        update_id=wrong.update_id,
        step=wrong.step,
        audience=wrong.audience,
        language=wrong.language,
        subject=mail.subject,
        body=mail.body,
        text=mail.text,
        html=mail.html,
        edited=True,
        moments=dict(mail.moments),
        versions=dict(mail.versions),
        created_at=clock.now(),
    )
