"""A test of the mail that is about to go: the very mail, to the signed-in account alone."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256

from sqlalchemy.orm import Session

from statuspage.access import audit
from statuspage.access.audit import Actor
from statuspage.access.permissions import Permission, needs
from statuspage.core import clock
from statuspage.core.db import writing
from statuspage.core.enums import Audience, Kind, Step
from statuspage.core.errors import Invalid
from statuspage.delivery import queue
from statuspage.incidents import announcement as announcements
from statuspage.incidents.apply_update import locked
from statuspage.incidents.drafts import Texts, drafts
from statuspage.incidents.inputs import Draft, NewUpdate
from statuspage.messages.compose import Composed, finish_for_subscribers
from statuspage.models import Message
from statuspage.recipients.who_receives import Reader

PREFIX = "[Test] "


@needs(Permission.PUBLISH)
def send_test(
    incident_code: str,
    update: NewUpdate,
    *,
    to: Reader,
    form_key: str,
    actor: Actor,
    texts: Texts | None = None,
) -> bool:
    """Queue the mail that posting this would send to ``to`` alone, marked as a test.

    It belongs to no incident, so it counts as nobody's delivery and keeps no real one from going.
    The same mail from the same sheet goes once; False where it went already.  Raises
    :class:`Invalid` where no mail would go, or where it still lacks something.
    """
    with writing() as session:
        incident = locked(session, incident_code, kind=Kind.INCIDENT)
        announcement = announcements.of_update(incident, update)
        made = {draft.audience: draft for draft in drafts(announcement, texts)}
        audience, mail = _mail(made)
        language = announcement.page.language
        if audience is Audience.SUBSCRIBER:
            mail = finish_for_subscribers(
                mail, step=announcement.step, facts=announcement.facts, language=language
            )
        step_key = (
            f"test:{sha256(f'{form_key}{mail.subject}{mail.text}'.encode()).hexdigest()[:32]}"
        )
        if queue.was_queued(session, step_key, to.email):
            return False
        # A drill's mails go to its own list alone, the tests among them.
        sealed_by = incident.id if incident.is_drill else None
        if not _queue(session, mail, audience, to, step_key, language, incident_id=sealed_by):
            raise Invalid("form", "This is a drill, and you aren’t one of its recipients.")
        audit.record(
            session, actor, "message.test", subject_kind="incident", subject=incident.code,
            after={"to": to.email, "audience": audience},
        )  # fmt: skip
        return True


def _mail(made: Mapping[Audience, Draft]) -> tuple[Audience, Composed]:
    """Whose mail is tried: the customers', or the subscribers' where customers get none."""
    customers, public = made.get(Audience.CUSTOMER), made.get(Audience.PUBLIC)
    draft = customers or public
    if draft is None or (customers is None and not (draft.by_mail and draft.by_mail.total)):
        raise Invalid("form", "No email would be sent, so there’s nothing to test.")
    if draft.finished is None:
        raise Invalid("form", "The email is still missing something, so it can’t be tested yet.")
    return (Audience.CUSTOMER if customers else Audience.SUBSCRIBER), draft.finished


def _queue(
    session: Session,
    mail: Composed,
    audience: Audience,
    to: Reader,
    step_key: str,
    language: str,
    *,
    incident_id: int | None,
) -> int:
    message = Message(
        incident_id=incident_id,
        step=Step.TEST,
        audience=audience,
        subject=PREFIX + mail.subject,
        body=mail.body,
        text=mail.text,
        html=mail.html,
        language=language,
        moments=dict(mail.moments),
        created_at=clock.now(),
    )
    session.add(message)
    session.flush()
    return queue.queue_test(
        session, message, step_key=step_key, email=to.email, name=to.name, time_zone=to.time_zone
    )
