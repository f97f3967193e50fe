"""Cancelling the mails about a resolution, and sending them after all; the update stays."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from statuspage.access import audit
from statuspage.access.audit import Actor
from statuspage.access.permissions import Permission, needs
from statuspage.core.db import writing
from statuspage.core.enums import Kind
from statuspage.core.errors import Invalid
from statuspage.delivery import cancellation
from statuspage.delivery.cancellation import CancellationState
from statuspage.incidents.apply_update import locked
from statuspage.models import Incident


@dataclass(frozen=True, slots=True)
class Cancelled:
    """How many mails were cancelled, and how many had gone already."""

    kept_back: int
    gone: int


def mails_of_resolution(session: Session, incident: Incident) -> CancellationState:
    """How the mails about the newest resolution stand."""
    return cancellation.stand(session, cancellation.resolution_mails(session, incident.id))


@needs(Permission.PUBLISH)
def cancel_mails(incident_code: str, *, actor: Actor) -> Cancelled:
    """Cancel the mails about the newest resolution that still wait; :class:`Invalid` for none.

    No mail is both cancelled and sent: what a worker has in hand counts as gone.
    """
    with writing() as session:
        incident = locked(session, incident_code, kind=Kind.INCIDENT)
        messages = cancellation.resolution_mails(session, incident.id, for_update=True)
        reason = f"cancelled by {actor.name} before it was sent"[:500]
        kept_back = cancellation.cancel(session, messages, reason=reason)
        if not kept_back:
            raise Invalid("form", "There’s nothing to cancel: no emails are waiting.")
        found = cancellation.stand(session, messages)
        # What waits even now may have been sent once already.
        gone = found.gone + found.waiting
        audit.record(
            session, actor, "message.cancel", subject_kind="incident", subject=incident.code,
            after={"kept back": kept_back, "gone already": gone},
        )  # fmt: skip
        return Cancelled(kept_back, gone)


@needs(Permission.PUBLISH)
def send_after_all(incident_code: str, *, actor: Actor) -> int:
    """Send the cancelled mails about the newest resolution, once for each address; how many.

    Raises :class:`Invalid` where none was cancelled, or where the incident is open again.
    """
    with writing() as session:
        incident = locked(session, incident_code, kind=Kind.INCIDENT)
        if incident.is_open:
            raise Invalid(
                "form", "The incident is open again, so the resolution no longer applies."
            )
        messages = cancellation.resolution_mails(session, incident.id, for_update=True)
        reason = f"sent after all by {actor.name}"[:500]
        sent = cancellation.send_after_all(session, messages, reason=reason)
        if not sent:
            raise Invalid("form", "There’s nothing to send: none are cancelled any more.")
        audit.record(
            session, actor, "message.send_after_all", subject_kind="incident",
            subject=incident.code, after={"deliveries": sent},
        )  # fmt: skip
        return sent
