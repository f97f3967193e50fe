"""Notifying colleagues of new suggestions: by chat, counted, and one email to who is on call."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from statuspage.access import throttle
from statuspage.configuration import on_call, severity
from statuspage.core import clock
from statuspage.core.config import current_settings
from statuspage.core.db import current_session, writing
from statuspage.core.enums import Audience, Step, SuggestionState
from statuspage.core.links import current_links
from statuspage.delivery import queue
from statuspage.intake.alert_mapping import PEOPLE
from statuspage.messages.compose import Composed, Text, finish_for_account
from statuspage.messages.incident_facts import sign_up_facts
from statuspage.models import Message, Page, Suggestion

CHAT_PAUSE: Final = timedelta(seconds=30)
"""Colleagues are notified at most so often, however many alerts come."""
CALL_PAUSE: Final = timedelta(minutes=15)
"""Who is on call is emailed at most so often."""
NAMED: Final = 5

_NEW: Final = (Suggestion.notified_at.is_(None), Suggestion.state == SuggestionState.OPEN)


def notify_due() -> int:
    """Notify colleagues of the suggestions that are new; of how many.  The worker's duty."""
    session = current_session()
    waiting = select(func.count()).select_from(Suggestion).where(*_NEW)
    if not session.scalar(waiting) or session.scalar(select(Page.is_demo)):
        return 0
    with writing() as session:
        if throttle.count_try(session, "suggestions", "chat", limit=1, window=CHAT_PAUSE):
            return 0
        return _notify(session)


def _notify(session: Session) -> int:
    chosen = (
        select(Suggestion)
        .where(*_NEW)
        .options(joinedload(Suggestion.component), joinedload(Suggestion.source))
        # Locked in the order in which whoever takes alerts locks them.
        .order_by(Suggestion.id)
        .with_for_update(of=Suggestion)
    )
    found = sorted(session.scalars(chosen), key=lambda one: one.severity_rank or 1_000)
    if not found:
        return 0
    message = _message(session, found)
    moment = clock.now()
    for suggestion in found:
        suggestion.notified_at = moment
    session.add(message)
    session.flush()
    step_key = f"suggested:{message.id}"
    queue.queue_chat(session, message, step_key=step_key, rooms=current_settings().chat_rooms)
    people = on_call.on_call_now(session)
    if people and not throttle.count_try(
        session, "suggestions", "call", limit=1, window=CALL_PAUSE
    ):
        why = [(contact, "On-call engineer") for contact in people]
        queue.queue_colleagues(session, message, step_key=step_key, people=why)
    return len(found)


def _message(session: Session, found: Sequence[Suggestion]) -> Message:
    mail = _text(session, found)
    return Message(
        step=Step.SUGGESTED, audience=Audience.INTERNAL, subject=mail.subject, body=mail.body,
        text=mail.text, html=mail.html, created_at=clock.now(),
    )  # fmt: skip


def _text(session: Session, found: Sequence[Suggestion]) -> Composed:
    links, page = current_links(), session.get_one(Page, 1)
    levels = {level.rank: level.name for level in severity.severity_levels(session)}
    one = found[0]
    if len(found) == 1:
        subject = f"{'Report' if one.source.tool == PEOPLE else 'Alert'}: {one.title}"
        where = links.admin_suggestion(one.code)
    else:
        subject = f"Alerts suggest {len(found):,} incidents"
        where = links.admin_suggestions
    lines = [f"- {_line(suggestion, levels)}" for suggestion in found[:NAMED]]
    if len(found) > NAMED:
        lines.append(f"- and {len(found) - NAMED:,} more")
    body = "\n".join([*lines, "", f"Nothing has been published. Declare or dismiss: {where}"])
    return finish_for_account(
        Text(subject, body), facts=sign_up_facts(page, links=links), has_link=False
    )


def _line(suggestion: Suggestion, levels: dict[int, str]) -> str:
    name = levels.get(suggestion.severity_rank or 0, "")
    component = suggestion.component.name if suggestion.component else ""
    before = " · ".join(part for part in (name, component) if part)
    verb = "reported" if suggestion.source.tool == PEOPLE else "firing"
    what = f"{suggestion.title} ({suggestion.firing:,} {verb})"
    return f"{before}: {what}" if before else what
