"""What tools keep with an incident: kept for them, shown to nobody, announced to nobody."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from statuspage.access import audit
from statuspage.access.audit import Actor
from statuspage.access.permissions import Permission, needs
from statuspage.core import clock
from statuspage.core.db import writing
from statuspage.core.enums import Impact
from statuspage.incidents.check_texts import let_title_pass
from statuspage.incidents.inputs import check_title
from statuspage.models import Incident, revision


@needs(Permission.DRAFT)
def keep_for_tool(code: str, tool_data: Mapping[str, Any], *, actor: Actor) -> None:
    """Keep what a tool sends with an incident; raises ``NoResultFound`` where there is none."""
    with writing() as session:
        _change(session, _locked(session, code), actor, {"tool_data": tool_data})


@needs(Permission.PUBLISH)
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
        incident = _locked(session, code)
        if title not in {None, incident.title} and not incident.is_internal:
            let_title_pass(session, incident, title or "", reason="", actor=actor)
        wanted = {
            **({"title": title} if title is not None else {}),
            **({"impact": impact, "impact_override": impact} if impact is not None else {}),
            **({"tool_data": tool_data} if tool_data else {}),
        }
        _change(session, incident, actor, wanted)
        return incident


def _locked(session: Session, code: str) -> Incident:
    chosen = select(Incident).filter_by(code=code).with_for_update()
    return session.scalars(chosen.execution_options(populate_existing=True)).one()


def _change(session: Session, incident: Incident, actor: Actor, wanted: Mapping[str, Any]) -> None:
    if "tool_data" in wanted:
        wanted = {**wanted, "tool_data": {**incident.tool_data, **wanted["tool_data"]}}
    before = {name: getattr(incident, name) for name in wanted}
    after = {name: value for name, value in wanted.items() if value != before[name]}
    if not after:
        return
    for name, value in after.items():
        setattr(incident, name, value)
    incident.updated_at = clock.now()
    audit.record(
        session, actor, "incident.change", subject_kind=incident.kind.value,
        subject=incident.code, before={name: before[name] for name in after}, after=after,
    )  # fmt: skip
    if not incident.is_internal:
        revision.bump(session)
