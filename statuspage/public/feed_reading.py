"""Reading the public feed back as a reader does: over PUBLIC_URL, through whatever is in front."""

from __future__ import annotations

import threading
import urllib.request
from datetime import UTC, datetime, timedelta
from http.client import HTTPException
from typing import Final
from urllib.error import HTTPError
from xml.etree import ElementTree

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from statuspage.core import clock
from statuspage.core.db import current_session
from statuspage.core.enums import Visibility
from statuspage.core.links import Links, current_links
from statuspage.models import Incident, IncidentUpdate

DEADLINE_SECONDS: Final = 20.0
"""How long one reading may take, whatever it waits for."""
MOST_BYTES: Final = 10_000_000
MAY_LAG: Final = timedelta(minutes=5)
"""How long a copy of the feed may be kept by what is in front."""

_ATOM: Final = "{http://www.w3.org/2005/Atom}"


def read_newest() -> str:
    """Read the feed as :func:`read_back`; it must hold the newest update that is old enough."""
    newest = newest_update(current_session())
    # Nothing waits for the database while the network is waited for.
    current_session().rollback()
    return read_back(current_links(), newest=newest)


def newest_update(session: Session) -> datetime | None:
    """When the newest public update was posted that every copy of the feed must have by now."""
    return session.scalar(
        select(func.max(IncidentUpdate.posted_at))
        .join(Incident, Incident.id == IncidentUpdate.incident_id)
        .where(
            Incident.visibility == Visibility.PUBLIC,
            IncidentUpdate.visibility == Visibility.PUBLIC,
            IncidentUpdate.posted_at < clock.now() - MAY_LAG,
        )
    )


def read_back(links: Links, *, newest: datetime | None, deadline: float = DEADLINE_SECONDS) -> str:
    """Read the feed of updates; why it could not be, in words, and empty where it could.

    It must be a feed, and hold what was posted ``newest``.  Never longer than ``deadline`` seconds:
    a thread that waits for longer is left behind.
    """
    found: list[str] = []
    address = f"{links.base}/updates.atom"
    thread = threading.Thread(
        target=lambda: found.append(_read(address, newest, deadline)), name="feed", daemon=True
    )
    thread.start()
    thread.join(deadline)
    return found[0] if found else f"no answer within {deadline:.0f} seconds"


def _read(address: str, newest: datetime | None, deadline: float) -> str:
    request = urllib.request.Request(address, headers={"User-Agent": "statuspage delivery test"})
    try:
        with urllib.request.urlopen(request, timeout=deadline) as answer:
            data = answer.read(MOST_BYTES)
    except HTTPError as error:
        return f"it was answered with status {error.code}"
    except (OSError, HTTPException, ValueError):
        return "PUBLIC_URL cannot be reached from here"
    return _judge(data, newest)


def _judge(data: bytes, newest: datetime | None) -> str:
    try:
        root = ElementTree.fromstring(data)
        updated = datetime.fromisoformat(root.findtext(f"{_ATOM}updated", "")).astimezone(UTC)
    except (ElementTree.ParseError, ValueError):
        return "what PUBLIC_URL serves is no feed"
    if newest is not None and updated < newest.replace(microsecond=0):
        return f"it lacks the update of {newest:%Y-%m-%d %H:%M} UTC"
    return ""
