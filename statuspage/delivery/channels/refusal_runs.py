"""Refusals: whether a mail was refused for its recipient, or because the server takes none of ours.

One reply does not show whose fault it is.  A server that has reached our daily limit, or distrusts
our domain, often answers as it does for an address that does not exist.  What tells is what it says
to others: an acceptance afterwards means that the refusal was about that recipient; a run of
refusals without one means that it is about us.  So a refusal is written down once it is known which
of the two it is, and until then nobody's delivery ends.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace

from statuspage.delivery.channels.provider import Fault, Outcome, Result, brief

MANY = 10
"""So many recipients refused one after another, and none accepted: it is not the addresses."""
_SEVERAL = 2


class RefusalRun:
    """Whom a server refused since it last accepted a mail; shared by all batches of a channel."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._addresses: set[str] = set()

    def note_accepted(self) -> None:
        """The server takes our mail."""
        with self._lock:
            self._addresses.clear()

    def note_refused(self, address: str) -> None:
        """The server refused this recipient."""
        with self._lock:
            if len(self._addresses) < MANY:
                self._addresses.add(address)

    def count(self) -> int:
        """How many different recipients were refused since the last acceptance; ``MANY`` at most.

        One recipient who is tried again and again is one.
        """
        with self._lock:
            return len(self._addresses)


class Trial:
    """The results of one batch on their way out; refusals stay until it is known whose they are.

    A channel gives ``REFUSED`` with ``Fault.RECIPIENT`` where the reply names the recipient, and
    with ``Fault.PROVIDER`` where it may as well be about us; what comes out is ``REFUSED`` with
    ``Fault.RECIPIENT``, or ``NOT_SENT``.
    """

    def __init__(self, refusals: RefusalRun) -> None:
        self._refusals = refusals
        self._held: list[Result] = []

    @property
    def is_hopeless(self) -> bool:
        """Whether the rest of the batch should not be tried: it would be refused as well."""
        return self._refusals.count() >= MANY

    def add(self, results: Sequence[Result]) -> list[Result]:
        """The results that have become certain by these."""
        if any(result.outcome is Outcome.ACCEPTED for result in results):
            self._refusals.note_accepted()
            return [*map(_about_the_recipient, self._take_kept()), *results]
        refused = [result for result in results if result.outcome is Outcome.REFUSED]
        self._held += refused
        for result in refused:
            self._refusals.note_refused(result.recipient.address)
        others = [result for result in results if result.outcome is not Outcome.REFUSED]
        return [*self.finish(), *others] if refused and self.is_hopeless else others

    def finish(self) -> list[Result]:
        """The refusals of a batch that is over, by what is known of them now."""
        count = self._refusals.count()
        return [_conclude(result, refused=count) for result in self._take_kept()]

    def _take_kept(self) -> list[Result]:
        held, self._held = self._held, []
        return held


def describe_run(reason: str) -> str:
    """What people are told of a run of refusals that ended with this one."""
    return f"{MANY} recipients in a row were refused, which is not about them: {reason}"


def _about_the_recipient(result: Result) -> Result:
    return replace(result, fault=Fault.RECIPIENT)


def _conclude(result: Result, *, refused: int) -> Result:
    """What a refusal means after which nothing was accepted, with so many recipients refused."""
    if refused >= MANY:
        reason = brief(describe_run(result.reason))
        return replace(result, outcome=Outcome.NOT_SENT, fault=Fault.PROVIDER, reason=reason)
    if result.fault is Fault.PROVIDER and refused >= _SEVERAL:
        return replace(result, outcome=Outcome.NOT_SENT)
    if result.fault is Fault.PROVIDER:
        # One alone: it is tried again, and no alarm is raised for it.
        return replace(result, outcome=Outcome.NOT_SENT, fault=Fault.RECIPIENT)
    return result
