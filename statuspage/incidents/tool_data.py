"""What tools keep with an incident: kept for them, shown to nobody, announced to nobody."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from statuspage.access import audit
from statuspage.access.audit import Actor
from statuspage.core import clock
from statuspage.core.db import writing
from statuspage.core.enums import Impact
from statuspage.incidents.check_texts import let_title_pass
from statuspage.incidents.inputs import check_title
from statuspage.models import Incident, revision


def change_quietly(
    code: str,
    *,
    actor: Actor,
    title: str | None = None,
    impact: Impact | None = None,
    tool_data: Mapping[str, Any] | None = None,
) -> Incident:
    """Change what is no update: the title, the impact, what a tool keeps; nobody is notified.

    What is None stays.  Raises :class:`~statuspage.core.errors.Invalid`, and ``NoResultFound``
    where there is no such incident.
    """
    if title is not None:
        check_title(title)
    with writing() as session:
        chosen = select(Incident).filter_by(code=code).with_for_update()
        incident = session.scalars(chosen.execution_options(populate_existing=True)).one()
        wanted: dict[str, Any] = {
            **({"title": title} if title is not None else {}),
            **({"impact": impact, "impact_override": impact} if impact is not None else {}),
            **({"tool_data": {**incident.tool_data, **tool_data}} if tool_data else {}),
        }
        before = {name: getattr(incident, name) for name in wanted}
        after = {name: value for name, value in wanted.items() if value != before[name]}
        if not after:
            return incident
        if "title" in after and not incident.is_internal:
            let_title_pass(session, incident, after["title"], reason="", actor=actor)
        for name, value in after.items():
            setattr(incident, name, value)
        incident.updated_at = clock.now()
        audit.record(
            session, actor, "incident.change", subject_kind=incident.kind.value,
            subject=incident.code, before={name: before[name] for name in after}, after=after,
        )  # fmt: skip
        if not incident.is_internal:
            revision.bump(session)
        return incident
