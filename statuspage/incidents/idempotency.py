"""Idempotency: a form that is sent twice publishes once.

Each form that is shown carries a random key.  What it makes keeps the key, or has a code that comes
of it, so the second time finds what the first time made.
"""

from __future__ import annotations

import hmac
from hashlib import blake2b

from sqlalchemy import select
from sqlalchemy.orm import Session

from statuspage.core.config import current_settings
from statuspage.models import IncidentUpdate
from statuspage.models.columns import code_of, new_code


def posted_with(session: Session, form_key: str) -> IncidentUpdate | None:
    """The update that the form with this key has made already, if any."""
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


def series_code_for(form_key: str) -> str:
    """The code of the series of maintenances that a form will make."""
    return blake2b(form_key.encode(), digest_size=6).hexdigest()
