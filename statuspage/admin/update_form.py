"""The form of the incident screen: the next update, its end included."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Final

from wtforms import BooleanField, HiddenField, SelectMultipleField

from statuspage.admin.forms import LineField, RowField, TermRadioField
from statuspage.admin.incident_form import ImpactField, IncidentForm
from statuspage.admin.time_fields import MomentField
from statuspage.configuration import severity
from statuspage.core import clock
from statuspage.core.db import current_session
from statuspage.core.enums import CLOSED, IncidentStatus
from statuspage.core.languages import N_
from statuspage.incidents.announcement import Announcement, of_update
from statuspage.incidents.drafts import drafts
from statuspage.incidents.inputs import Draft, NewUpdate
from statuspage.models import Incident, SeverityLevel

OPEN_STATUSES: Final = (
    IncidentStatus.INVESTIGATING,
    IncidentStatus.IDENTIFIED,
    IncidentStatus.MONITORING,
)


class UpdateForm(IncidentForm):
    """The next update of an incident."""

    status = TermRadioField(N_("Status"), IncidentStatus)
    severity_rank = RowField(N_("Severity"), none=N_("As it is"))
    impact = ImpactField(N_("Impact"), N_("As it is"))
    happened_at = MomentField(N_("When it happened"), not_after_now=True)
    # The moment that the last step offered, to the second: the field shows whole minutes.
    exactly = HiddenField()
    publish_at = MomentField(N_("Post at"))
    # The id of the scheduled update that is edited.
    scheduled = HiddenField()
    publishes = BooleanField(N_("Make this incident public with this update"))
    seen_version = HiddenField()
    seen_update = HiddenField()
    at_the_end = HiddenField()
    # The facts, by name, that somebody keeps although they are older than the status.
    still_true = SelectMultipleField(N_("Still true"), validate_choice=False, default=())
    because_watched = LineField(N_("Resolve before the monitoring period ends, because"))
    because_components = LineField(N_("Resolve before everything is restored, because"))

    because_approval = LineField(N_("Resolve without approval, because"))
    because_customer_mail = LineField(N_("Send customers no email, because"))
    false_alarm = BooleanField(N_("It was a false alarm: everything was working"))
    # What became of the test mail that was asked for.
    tried = ""
    # The draft that it was filled with, and those of colleagues: an ``OpenDraft`` of drafting.
    draft: object = None

    @property
    def resolves(self) -> bool:
        """Whether this update ends the incident."""
        return self.status.data is IncidentStatus.RESOLVED

    @property
    def promises(self) -> bool:
        """Whether what is published could promise a next update at all."""
        return self.status.data not in CLOSED

    @property
    def later(self) -> datetime | None:
        """When it is to be posted, where that is later."""
        typed: datetime | None = self.publish_at.data
        return typed if typed and typed > clock.now() else None

    def moment(self) -> datetime | None:
        """When it happened, if the form says; to the second where nobody changed the minute."""
        typed: datetime | None = self.happened_at.data
        if not typed or not self.exactly.data:
            return typed
        exact = clock.read_exact(self.exactly.data)
        is_of_that_minute = exact and exact.replace(second=0, microsecond=0) == typed
        return exact if is_of_that_minute else typed

    def post(self, incident: Incident, level: SeverityLevel | None) -> NewUpdate:
        """The update as typed."""
        status = self.status.data or IncidentStatus(incident.status)
        return NewUpdate(
            status=status,
            components=self.components.data,
            next_update_at=None if status in CLOSED else self.promise_by(level),
            no_promise_because=self.no_promise(),
            severity_rank=self.severity_rank.data,
            impact=self.impact.impact,
            users_notice=self.users_notice.data,
            public_facts=self.public_facts(),
            internal_facts=self.internal_facts(),
            happened_at=self.moment(),
            false_alarm=bool(self.false_alarm.data) and status is IncidentStatus.RESOLVED,
            although={
                "watched": self.because_watched.data,
                "components": self.because_components.data,
                "approval": self.because_approval.data,
                "customer_mail": self.because_customer_mail.data,
            },
        )


@dataclass(eq=False)
class Posting:
    """What the form would publish: each part of it is worked out once a request."""

    incident: Incident
    form: UpdateForm

    @cached_property
    def level(self) -> SeverityLevel | None:
        """The severity that the incident has after it."""
        rank = self.form.severity_rank.data or self.incident.severity_rank
        return severity.level_of(current_session(), rank)

    @cached_property
    def update(self) -> NewUpdate:
        """The update as typed."""
        return self.form.post(self.incident, self.level)

    @property
    def resolves(self) -> bool:
        """Whether it ends an open incident."""
        return self.form.resolves and self.incident.is_open

    @property
    def reopens(self) -> bool:
        """Whether it opens the incident again."""
        return not self.incident.is_open and self.form.status.data in OPEN_STATUSES

    @property
    def publishes(self) -> bool:
        """Whether it makes the incident public."""
        return self.incident.is_internal and self.form.publishes.data is True

    @cached_property
    def announcement(self) -> Announcement:
        """The step that it would be; raises as :func:`of_update` does."""
        made = of_update(self.incident, self.update, reopens=self.reopens, publishes=self.publishes)
        return replace(made, choice=self.form.choice())

    @cached_property
    def drafts(self) -> list[Draft]:
        """Every text of it; raises as :func:`of_update` does."""
        return drafts(self.announcement, self.form.edited_texts())
