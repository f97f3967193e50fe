"""Which promised updates came in time: read from the updates alone, so nobody can change it.

An update promises the next one by a moment; the next one keeps the promise if it comes by then, and
is late by what it comes later.  Moments of publishing count, never those that an update is about.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from statuspage.core import clock
from statuspage.models import Incident

_NO_TIME = timedelta()


@dataclass(frozen=True, slots=True)
class Promise:
    """One promised update: made when, due when, and when it came; None while it has not."""

    made_at: datetime
    due_at: datetime
    came_at: datetime | None
    late: timedelta

    @property
    def is_waited_for(self) -> bool:
        """Whether the update has not come."""
        return self.came_at is None


@dataclass(frozen=True, slots=True)
class Record:
    """Every promise of an incident, oldest first."""

    promises: Sequence[Promise] = ()

    @property
    def kept(self) -> int:
        """How many updates came in time."""
        return sum(not one.late and not one.is_waited_for for one in self.promises)

    @property
    def late(self) -> int:
        """How many came late, or are overdue."""
        return sum(one.late > _NO_TIME for one in self.promises)

    @property
    def latest(self) -> timedelta:
        """How late the latest one was."""
        return max((one.late for one in self.promises), default=_NO_TIME)

    def __str__(self) -> str:
        """``6 promises: 4 kept, 1 late by 4 minutes, 1 still to come``."""
        total = len(self.promises)
        if not total:
            return "No updates were due."
        by = f"{'by' if self.late == 1 else 'by up to'} {clock.show_duration(self.latest)}"
        pending = total - self.kept - self.late
        parts = [
            f"{self.kept} kept" if self.kept or not pending else "",
            f"{self.late} late {by}" if self.late else "",
            f"{pending} still to come" if pending else "",
        ]
        return f"{total} promise{'' if total == 1 else 's'}: {', '.join(filter(None, parts))}"


def record_of(incident: Incident, moment: datetime) -> Record:
    """What an incident promised and whether it kept it, as of ``moment``."""
    updates = sorted(incident.updates, key=lambda update: (update.posted_at, update.id))
    kept = [
        Promise(each.posted_at, each.next_update_at, after.posted_at,
                max(after.posted_at - each.next_update_at, _NO_TIME))
        for each, after in pairwise(updates)
        if each.next_update_at
    ]  # fmt: skip
    last = updates[-1] if updates else None
    if last and last.next_update_at and incident.is_open:
        late = max(moment - last.next_update_at, _NO_TIME)
        kept.append(Promise(last.posted_at, last.next_update_at, None, late))
    return Record(tuple(kept))
