"""What stands beside the fields of facts: who does not read them, and from when they are."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

from statuspage.admin.update_form import UpdateForm
from statuspage.core.db import current_session
from statuspage.core.enums import Audience, IncidentStatus, Step
from statuspage.messages import facts
from statuspage.messages.facts import Use
from statuspage.messages.wording import STEPS, current_wording, template_name
from statuspage.models import Incident

_TAG: Final = re.compile(r"\{[{%](.*?)[%}]\}", re.DOTALL)


def unused_facts() -> dict[str, list[str]]:
    """For each public fact the statuses at which nobody outside reads it, by the present wording.

    A post says only what its template asks for, so a filled field may reach nobody.
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
    """The facts that go out of date, each with the post that it stands unchanged since, or longer.

    Each post keeps all facts of its form, so none is newer than the last post.
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
    """The labels of facts that a post of another status would say as they were said before."""
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
