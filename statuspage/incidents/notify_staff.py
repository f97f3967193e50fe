"""Calling colleagues about an incident: one internal message, by chat and by mail."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy.orm import Session

from statuspage.core.config import current_settings
from statuspage.core.enums import Audience, Step
from statuspage.delivery import queue
from statuspage.messages.compose import Text, compose, finish_for_colleagues
from statuspage.messages.facts import Facts
from statuspage.models import Contact, Incident, IncidentUpdate, Message


def call_colleagues(
    session: Session,
    incident: Incident,
    facts: Facts,
    *,
    step: Step,
    step_key: str,
    people: Mapping[Contact, str],
) -> Message:
    """Queue the notice of a step to the chat rooms, and by mail to ``people``, each with why."""
    text = compose(session, facts, audience=Audience.INTERNAL, step=step)
    return send_to_colleagues(
        session, incident, text, facts, step=step, step_key=step_key, people=people,
        update_id=newest_update(incident).id,
    )  # fmt: skip


def send_to_colleagues(
    session: Session,
    incident: Incident,
    text: Text,
    facts: Facts,
    *,
    step: Step,
    step_key: str,
    people: Mapping[Contact, str],
    update_id: int | None = None,
) -> Message:
    """The same of a text that is made already; ``update_id`` is the update that it is about."""
    finished = finish_for_colleagues(text, step=step, facts=facts)
    message = Message(
        incident_id=incident.id,
        update_id=update_id,
        step=step,
        audience=Audience.INTERNAL,
        subject=finished.subject,
        body=finished.body,
        text=finished.text,
        html=finished.html,
    )
    session.add(message)
    session.flush()
    rooms = current_settings().chat_rooms
    queue.queue_chat(session, message, step_key=step_key, rooms=rooms)
    queue.queue_colleagues(session, message, step_key=step_key, people=people.items())
    return message


def newest_update(incident: Incident) -> IncidentUpdate:
    """The newest update, which is the one whose promise counts."""
    return max(incident.updates, key=lambda update: (update.posted_at, update.id))
