"""What stands beside the fields of facts: who does not read them, and from when they are."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

from statuspage.admin.update_form import UpdateForm
from statuspage.core.db import current_session
from statuspage.core.enums import Audience, IncidentStatus, Step
from statuspage.messages.wording import STEPS, current_wording, template_name
from statuspage.models import Incident

# The word of the templates behind each public fact.
_WORDS: Final = {
    "action": "action",
    "cause": "cause",
    "workaround": "workaround",
    "expected_back": "expected_back",
    "watch_minutes": "watch",
    "resolution": "resolution",
    "prevention": "prevention",
}
# What goes out of date when an incident moves on; a cause that was found stays found.
_AGEING: Final = (
    "action", "workaround", "expected_back", "watch_minutes", "resolution", "progress",
    "current_actions", "next_steps",
)  # fmt: skip
_TAG: Final = re.compile(r"\{[{%](.*?)[%}]\}", re.DOTALL)


def unused_facts() -> dict[str, list[str]]:
    """For each public fact the statuses at which nobody outside reads it, by the present wording.

    A post says only what its template asks for, so a filled field may reach nobody.
    """
    said = {status: _words_said(status) for status in IncidentStatus}
    return {
        name: [status.value for status, words in said.items() if word not in words]
        for name, word in _WORDS.items()
    }


def _words_said(status: IncidentStatus) -> set[str]:
    step = Step(status.value)
    sources = [
        current_wording(current_session(), template_name(audience, step)).body
        for audience in (Audience.PUBLIC, Audience.CUSTOMER)
        if step in STEPS[audience]
    ]
    tags = " ".join(" ".join(_TAG.findall(source)) for source in sources)
    return set(re.findall(r"\w+", tags))


def kept_facts(incident: Incident) -> dict[str, datetime]:
    """The facts that go out of date, each with the post that it stands unchanged since, or longer.

    Each post keeps all facts of its form, so none is newer than the last post.
    """
    if not incident.updates:
        return {}
    newest = max(update.posted_at for update in incident.updates)
    kept = {**incident.public_facts, **incident.internal_facts}
    return {name: newest for name in _AGEING if kept.get(name)}


def carried_over(incident: Incident, form: UpdateForm) -> list[str]:
    """The labels of facts that a post of another status would say as they were said before."""
    if form.status.data is None or form.status.data.value == incident.status:
        return []
    told = {**form.public_facts(), **form.internal_facts()}
    kept = {**incident.public_facts, **incident.internal_facts}
    said = _words_said(form.status.data)
    return [
        form[name].label.text
        for name in kept_facts(incident)
        if told[name] == kept[name] and _WORDS.get(name, name) in {*said, *_INSIDE}
    ]


_INSIDE: Final = {"progress", "current_actions", "next_steps"}
