"""How often visitors without an account may send a form: by network, and all of them together."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Final

from statuspage.access import alarms, throttle
from statuspage.core import clock
from statuspage.core.db import writing
from statuspage.core.errors import Invalid

log = logging.getLogger(__name__)

WINDOW: Final = timedelta(hours=1)
MOST_BY_CLIENT = 30
MOST_BY_ALL = 1_000


class TooManyVisitors(Invalid):
    """Too many visitors sent a form; ``wait`` is how long until the next one counts."""

    def __init__(self, what: str, wait: timedelta, *, everybody: bool) -> None:
        # Rounded up: who comes back in time must not be asked to wait again.
        shown = clock.show_duration(wait + timedelta(seconds=59))
        whose = "at present" if everybody else "from your network"
        super().__init__("form", f"Too many {what}s {whose}. Try again in {shown}.")
        self.wait, self.everybody = wait, everybody


def count_visitor(what: str, client: str) -> None:
    """Count a form before anything comes of it; raises :class:`TooManyVisitors`.

    ``what`` is sent, such as ``sign-up``, by whoever has the address ``client``.
    """
    with writing() as session:
        by_client = throttle.count_try(
            session, f"{what} client", throttle.network(client),
            limit=MOST_BY_CLIENT, window=WINDOW,
        )  # fmt: skip
        # A client that is refused already must not use up what is left for the others.
        by_all = None if by_client else throttle.count_try(
            session, what, "everybody", limit=MOST_BY_ALL, window=WINDOW
        )  # fmt: skip
        if by_all is not None:
            alarms.raise_alarm(
                session,
                _alarm(what),
                f"More than {MOST_BY_ALL:,} {what}s of visitors came within an hour; "
                "further ones are rejected until then.",
            )
    if by_client is not None or by_all is not None:
        log.warning("a %s is held back, from %s", what, client)
        raise TooManyVisitors(what, by_client or by_all or WINDOW, everybody=by_client is None)


def clear_old_alarm(what: str) -> None:
    """Take the alarm back an hour later; the next one that is turned away raises it again."""
    with writing() as session:
        alarms.clear_alarm(session, _alarm(what), raised_before=clock.now() - WINDOW)


def _alarm(what: str) -> str:
    return f"{what}s"
