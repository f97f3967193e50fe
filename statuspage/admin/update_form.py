"""The form of the incident screen: the next update, its end included, and notes on its facts."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Final

from wtforms import BooleanField, HiddenField

from statuspage.admin.forms import LineField, MomentField, RowField, TermRadioField
from statuspage.admin.incident_form import IncidentForm
from statuspage.configuration import severity
from statuspage.core import clock
from statuspage.core.db import current_session
from statuspage.core.enums import CLOSED, Audience, IncidentStatus, Step
from statuspage.incidents.announcement import Announcement, of_update
from statuspage.incidents.drafts import drafts
from statuspage.incidents.inputs import Draft, NewUpdate
from statuspage.messages import facts
from statuspage.messages.facts import Use
from statuspage.messages.wording import STEPS, current_wording, template_name
from statuspage.models import Incident, SeverityLevel

OPEN_STATUSES: Final = (
    IncidentStatus.INVESTIGATING,
    IncidentStatus.IDENTIFIED,
    IncidentStatus.MONITORING,
)


class UpdateForm(IncidentForm):
    """The next update of an incident."""

    status = TermRadioField("Status", IncidentStatus)
    severity_rank = RowField("Severity", none="As it is")
    happened_at = MomentField("When it happened", not_after_now=True)
    # The moment that the last step offered, to the second: the field shows whole minutes.
    exactly = HiddenField()
    publishes = BooleanField("Make this incident public with this post")
    seen_version = HiddenField()
    seen_update = HiddenField()
    at_the_end = HiddenField()
    because_watched = LineField("Resolve although it was not watched that long, because")
    because_components = LineField("Resolve although not everything is back, because")

    because_approval = LineField("Resolve without approval, because")
    because_customer_mail = LineField("Send customers no email, because")
    false_alarm = BooleanField("It was a false alarm: nothing was wrong")
    # What became of the test mail that was asked for.
    tried = ""

    @property
    def resolves(self) -> bool:
        """Whether this update ends the incident."""
        return self.status.data is IncidentStatus.RESOLVED

    @property
    def promises(self) -> bool:
        """Whether what is published could promise a next update at all."""
        return self.status.data not in CLOSED

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


_TAG: Final = re.compile(r"\{[{%](.*?)[%}]\}", re.DOTALL)


def unused_facts() -> dict[str, list[str]]:
    """For each public fact the statuses at which nobody outside reads it, by the present wording.

    An update says only what its template asks for, so a filled field may reach nobody.
    """
    variables = {status: _variables_used(status) for status in IncidentStatus}
    return {
        fact.name: [
            status.value
            for status, variables_then in variables.items()
            if fact.variable not in variables_then
        ]
        for fact in facts.ASKED_PUBLIC
        if fact.meaning
    }


def _variables_used(status: IncidentStatus) -> set[str]:
    step = Step(status.value)
    sources = [
        current_wording(current_session(), template_name(audience, step)).body
        for audience in (Audience.PUBLIC, Audience.CUSTOMER)
        if step in STEPS[audience]
    ]
    tags = " ".join(" ".join(_TAG.findall(source)) for source in sources)
    return set(re.findall(r"\w+", tags))


def stored_facts(incident: Incident) -> dict[str, datetime]:
    """The facts that go out of date, each with the time since which it is unchanged, or longer.

    Each update keeps all facts of its form, so none is newer than the last update.
    """
    if not incident.updates:
        return {}
    newest = max(update.posted_at for update in incident.updates)
    stored = {**incident.public_facts, **incident.internal_facts}
    return {
        fact.name: newest
        for fact in (*facts.ASKED_PUBLIC, *facts.ASKED_INTERNAL)
        if Use.AGES in fact.use and stored.get(fact.name)
    }


def carried_over(incident: Incident, form: UpdateForm) -> list[str]:
    """The labels of facts that an update of another status would repeat."""
    if form.status.data is None or form.status.data.value == incident.status:
        return []
    typed = {**form.public_facts(), **form.internal_facts()}
    stored = {**incident.public_facts, **incident.internal_facts}
    variables = _variables_used(form.status.data)
    ageing = stored_facts(incident)
    return [
        fact.label
        for fact in (*facts.ASKED_PUBLIC, *facts.ASKED_INTERNAL)
        if fact.name in ageing and typed[fact.name] == stored[fact.name]
        if fact.internal or fact.variable in variables
    ]
