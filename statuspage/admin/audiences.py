"""Who is notified of an update: the audiences that a form offers, and those that nobody ticks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from wtforms import Field
from wtforms.utils import unset_value

from statuspage.core.enums import Audience
from statuspage.incidents.announcement import Announcement
from statuspage.incidents.inputs import Draft
from statuspage.models import Incident, IncidentUpdate
from statuspage.recipients.who_receives import asks_why

OFFERED: Final = (Audience.SUBSCRIBER, Audience.CUSTOMER, Audience.INTERNAL)


@dataclass(frozen=True, slots=True)
class AudienceRow:
    """An audience to tick: how many it is, and why it is not notified where that is so."""

    audience: Audience
    number: int
    left_out: str | None
    asks_why: bool
    is_drill: bool

    @property
    def is_ticked(self) -> bool:
        """Whether it is notified."""
        return self.left_out is None


class AudiencesField(Field):
    """The audiences that are left out: what the form offered, and nobody ticked.

    A form that offers an audience says so beside its box.  What it did not offer is notified by the
    rules, so that no audience is lost because a form was drawn before it was concerned.
    """

    data: frozenset[Audience]
    offered: frozenset[Audience]

    def process(
        self, formdata: Any, data: Any = unset_value, extra_filters: Sequence[Any] | None = None
    ) -> None:
        """Read ``tell-<audience>`` of each ``offered-<audience>``."""
        self.process_errors: list[str] = []
        self.raw_data: list[str] = []
        sent = formdata if formdata is not None else {}
        self.offered = frozenset(one for one in OFFERED if f"offered-{one.value}" in sent)
        self.data = frozenset(one for one in self.offered if f"tell-{one.value}" not in sent)


def audience_rows(announcement: Announcement, drafts: Sequence[Draft]) -> list[AudienceRow]:
    """The audiences that can be left out of an update, and who would be notified; none is empty."""
    by_audience = {draft.audience: draft for draft in drafts}
    public = by_audience.get(Audience.PUBLIC)
    found = []
    for audience in announcement.could_be_notified:
        draft = by_audience.get(audience)
        number = draft.recipients if draft else 0
        if audience is Audience.SUBSCRIBER and public and public.by_mail:
            number = public.by_mail.total
        if number:
            found.append(
                AudienceRow(
                    audience,
                    number,
                    announcement.left_out.get(audience),
                    asks_why(audience, changes_status=not announcement.still),
                    announcement.drill is not None,
                )
            )
    return found


def not_notified(incident: Incident) -> list[IncidentUpdate]:
    """The updates of an incident that left an audience out, newest first."""
    return [update for update in reversed(incident.updates) if update.left_out]
