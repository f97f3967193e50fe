"""Whether a post would only repeat what was said: then somebody is asked before it goes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from statuspage.core.enums import Audience
from statuspage.incidents.inputs import Draft, NewUpdate
from statuspage.models import Incident


def repeats(incident: Incident, update: NewUpdate, drafts: Sequence[Draft]) -> bool:
    """Whether visitors would read the same words again, or nothing at all differs from before.

    A form that comes back after a post differs in nothing: that is what a second press sends.
    """
    compared = [draft for draft in drafts if draft.audience is Audience.PUBLIC] or list(drafts)
    if any(draft.before and draft.before.body == draft.as_sent.body for draft in compared):
        return True
    return not any(draft.edited for draft in drafts) and _changes_nothing(incident, update)


def _changes_nothing(incident: Incident, update: NewUpdate) -> bool:
    if update.status.value != incident.status or update.severity_rank or update.happened_at:
        return False
    if update.users_notice is not None and update.users_notice != incident.users_notice:
        return False
    present = {row.component_id: row.status for row in incident.affected}
    if any(present.get(key) is not status for key, status in update.components.items()):
        return False
    return _adds_nothing(incident.public_facts, update.public_facts) and _adds_nothing(
        incident.internal_facts, update.internal_facts
    )


def _adds_nothing(stored: Mapping[str, Any], typed: Mapping[str, Any]) -> bool:
    return all((stored.get(name) or "") == (value or "") for name, value in typed.items())
