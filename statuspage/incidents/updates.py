"""What every verb on an incident begins with: the incident, locked; the post its form made; a new
one.
"""

from __future__ import annotations

import hmac
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from statuspage.access.audit import Actor
from statuspage.core import clock
from statuspage.core.config import current_settings
from statuspage.core.enums import Kind
from statuspage.core.errors import Invalid
from statuspage.core.links import current_links
from statuspage.models import Incident, IncidentUpdate
from statuspage.models.columns import LINE_LIMIT, code_of, new_code


def locked(session: Session, code: str, *, kind: Kind) -> Incident:
    """The incident as it stands now, kept from others until the end; :class:`Invalid` for none."""
    incident = session.scalars(
        select(Incident)
        .filter_by(code=code, kind=kind)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if incident is None:
        raise Invalid(kind.value, f"This {kind.value} does not exist.")
    return incident


def posted_with(session: Session, form_key: str) -> IncidentUpdate | None:
    """The post that this sheet of a form has made already, if any."""
    return session.scalars(select(IncidentUpdate).filter_by(form_key=form_key)).one_or_none()


def code_for(form_key: str) -> str:
    """The code of the incident that a form will make, the same whenever it is asked for.

    A text that is edited or copied before it is published holds links with that code, so they must
    lead to the incident later.  It comes from the form's key and SECRET_KEY: nobody can choose one.
    """
    if not form_key:
        return new_code()
    key = f"code of a story {current_settings().secret_key}".encode()
    return code_of(hmac.digest(key, form_key.encode(), "sha256"))


def add_update(
    session: Session,
    incident: Incident,
    *,
    status: str,
    actor: Actor,
    form_key: str,
    happened_at: datetime | None = None,
    reopens: bool = False,
    no_promise_because: str | None = None,
) -> IncidentUpdate:
    """A new post, dated now and still without its text; its feed id is made here, for ever."""
    moment = clock.now()
    code = new_code()
    update = IncidentUpdate(
        code=code,
        incident_id=incident.id,
        status=status,
        visibility=incident.visibility,
        body="",
        happened_at=happened_at or moment,
        posted_at=moment,
        reopens=reopens,
        next_update_at=incident.next_update_at,
        no_promise_because=(no_promise_because or "")[:LINE_LIMIT],
        entry_id=current_links().update(incident.code, code),
        form_key=form_key,
        account_id=actor.account_id,
    )
    session.add(update)
    session.flush()
    return update
