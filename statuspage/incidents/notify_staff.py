"""Calling colleagues about an incident: one internal message, by chat and by mail."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy.orm import Session

from statuspage.core.config import current_settings
from statuspage.core.enums import Audience, Step
from statuspage.delivery import queue
from statuspage.messages.compose import compose, finish_for_colleagues
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
    finished = finish_for_colleagues(text, step=step, facts=facts)
    message = Message(
        incident_id=incident.id,
        update_id=newest_update(incident).id,
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
