"""What an assistant may do over MCP: read what its key may, and prepare; never publish or send.

The tools are declared here without the protocol's own package, which :mod:`.mcp_server` loads.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import uuid4

from sqlalchemy import select

from statuspage.access.api_keys import KeyHolder
from statuspage.api.own_incidents import as_object, check_is_incident, newest_incidents
from statuspage.configuration.blocked_terms import blocked_terms_of
from statuspage.core.clock import as_utc
from statuspage.core.db import current_session
from statuspage.core.enums import CLOSED, IncidentStatus, KeyScope, NoteKind
from statuspage.core.errors import Invalid
from statuspage.core.links import current_links
from statuspage.core.richtext import clean
from statuspage.incidents import notes, saved_drafts
from statuspage.incidents.notes import NewNote
from statuspage.intake import suggestions
from statuspage.messages.checks import find_in_name
from statuspage.messages.facts import PUBLIC, FactKind
from statuspage.models import Component, Incident, Suggestion

MOST_INCIDENTS: Final = 20
MOST_TEXT: Final = 10_000

Arguments = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class AgentTool:
    """A tool: what it is for, the JSON Schema of its arguments, the scope that it needs."""

    name: str
    description: str
    scope: KeyScope
    run: Callable[[KeyHolder, Arguments], object]
    properties: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    required: Sequence[str] = ()

    @property
    def only_reads(self) -> bool:
        """Whether it changes nothing."""
        return self.scope is KeyScope.READ

    @property
    def schema(self) -> dict[str, Any]:
        """Its arguments, as JSON Schema."""
        return {
            "type": "object",
            "properties": {name: dict(one) for name, one in self.properties.items()},
            "required": list(self.required),
            "additionalProperties": False,
        }


class NotAllowed(Exception):
    """The key lacks the scope of a tool, or there is no such tool."""


def tools_of(holder: KeyHolder) -> list[AgentTool]:
    """The tools that a key may use."""
    return [tool for tool in TOOLS.values() if holder.may(tool.scope)]


def run(holder: KeyHolder, name: str, arguments: Arguments) -> object:
    """Run a tool; raises :class:`NotAllowed`, and :class:`Invalid` for wrong arguments."""
    tool = TOOLS.get(name)
    if tool is None or not holder.may(tool.scope):
        raise NotAllowed(f"This key has no tool “{name[:40]}”.")
    _check(tool, arguments)
    return tool.run(holder, arguments)


# --- reading -------------------------------------------------------------------------------------


def _list_incidents(_: KeyHolder, given: Arguments) -> object:
    chosen = newest_incidents().limit(MOST_INCIDENTS)
    if given.get("open"):
        chosen = chosen.where(Incident.status.not_in(CLOSED))
    names = ("id", "kind", "title", "status", "impact", "severity", "visibility", "started_at",
             "resolved_at", "next_update_at", "admin_url")  # fmt: skip
    found = [as_object(one) for one in current_session().scalars(chosen)]
    return {"incidents": [{name: one[name] for name in names} for one in found]}


def _get_incident(_: KeyHolder, given: Arguments) -> object:
    session, incident = current_session(), _incident(given)
    alerts = suggestions.alerts_of_incident(session, incident)
    return {
        **as_object(incident),
        "notes": [
            {
                "kind": note.kind.value,
                "body": note.body,
                "author": note.author,
                "happened_at": as_utc(note.happened_at).isoformat(),
            }
            for note in notes.notes_of(session, incident, most=50)
        ],
        "alerts": {"firing": alerts.firing, "known": alerts.alerts} if alerts else None,
    }


def _list_components(_: KeyHolder, __: Arguments) -> object:
    chosen = select(Component).where(Component.removed_at.is_(None)).order_by(Component.position)
    return {
        "components": [
            {"id": one.code, "name": one.name, "status": one.status.value}
            for one in current_session().scalars(chosen)
        ]
    }


def _list_suggestions(_: KeyHolder, __: Arguments) -> object:
    found = suggestions.open_suggestions(current_session(), most=MOST_INCIDENTS)
    return {"suggestions": [_suggestion(one) for one in found]}


def _suggestion(one: Suggestion) -> dict[str, Any]:
    return {
        "id": one.code,
        "title": one.title,
        "text": one.text,
        "component": one.component.name if one.component else None,
        "severity_rank": one.severity_rank,
        "firing": one.firing,
        "alerts": one.alerts,
        "started_at": as_utc(one.started_at).isoformat(),
        "source": one.source.name,
        "admin_url": current_links().admin_suggestion(one.code),
    }


def _check_text(_: KeyHolder, given: Arguments) -> object:
    own = blocked_terms_of(current_session())
    found = find_in_name(" ".join(given["text"].split()), own=own)
    return {
        "findings": [
            {"rule": one.rule, "blocks": one.blocks, "excerpt": one.excerpt, "reason": one.reason}
            for one in found
        ]
    }


# --- preparing -----------------------------------------------------------------------------------


def _add_note(holder: KeyHolder, given: Arguments) -> object:
    note = NewNote(NoteKind(given.get("kind", NoteKind.OBSERVATION)), clean(given["body"]))
    notes.add_note(_incident(given).code, note, form_key=uuid4().hex, actor=holder.actor)
    return {"kept": True}


def _prepare_update(holder: KeyHolder, given: Arguments) -> object:
    incident = _incident(given)
    check_is_incident(incident)
    code, version = incident.code, incident.version
    form = [(name, clean(given[name])) for name in _DRAFTED if given.get(name)]
    saved_drafts.save_tool_draft(
        code, form, key_id=holder.key_id, seen_version=version, actor=holder.actor
    )
    return {"prepared": True, "admin_url": f"{current_links().admin_incident(code)}#post"}


def _incident(given: Arguments) -> Incident:
    code = clean(given["incident"])[:64]
    found = current_session().scalars(select(Incident).filter_by(code=code)).one_or_none()
    if found is None:
        raise Invalid("incident", "There is no incident with this id.")
    return found


def _check(tool: AgentTool, arguments: Arguments) -> None:
    """Raise :class:`Invalid` for the first argument that does not fit its schema."""
    for name in tool.required:
        if name not in arguments:
            raise Invalid(name, f"“{name}” is required.")
    for name, value in arguments.items():
        schema = tool.properties.get(name)
        if schema is None:
            raise Invalid(name, f"There is no argument “{name[:40]}”.")
        kind = bool if schema["type"] == "boolean" else str
        if not isinstance(value, kind):
            raise Invalid(name, f"“{name}” is a {schema['type']}.")
        if isinstance(value, str) and len(value) > MOST_TEXT:
            raise Invalid(name, f"“{name}” has more than {MOST_TEXT:,} characters.")
        if "enum" in schema and value not in schema["enum"]:
            raise Invalid(name, f"“{name}” is one of: {', '.join(schema['enum'])}.")


def _text(description: str) -> dict[str, Any]:
    return {"type": "string", "description": description}


_INCIDENT: Final = _text("The incident’s id: 12 letters and digits.")
_DRAFTED_FACTS: Final = {
    fact.name: _text(f"{fact.label or fact.meaning}. Public.")
    for fact in PUBLIC
    if fact.place and fact.kind in {FactKind.PROSE, FactKind.LINE}
}
_DRAFTED: Final = ("status", "users_notice", *_DRAFTED_FACTS)

TOOLS: Final[Mapping[str, AgentTool]] = {
    tool.name: tool
    for tool in (
        AgentTool(
            "list_incidents",
            "The newest incidents and maintenances, public and internal.",
            KeyScope.READ, _list_incidents,
            {"open": {"type": "boolean", "description": "Only those that are not over."}},
        ),
        AgentTool(
            "get_incident",
            "One incident: facts, updates, internal notes, and whether its alerts still fire.",
            KeyScope.READ, _get_incident, {"incident": _INCIDENT}, ("incident",),
        ),
        AgentTool(
            "list_components", "The components of the page and their status.",
            KeyScope.READ, _list_components,
        ),
        AgentTool(
            "list_suggestions", "The open suggestions from alerts.",
            KeyScope.READ, _list_suggestions,
        ),
        AgentTool(
            "check_text",
            "What the checks would find in a public text: internal names, hosts, secrets and more.",
            KeyScope.READ, _check_text, {"text": _text("The text.")}, ("text",),
        ),
        AgentTool(
            "add_note",
            "Keep an internal note on an incident. Nobody is notified.",
            KeyScope.DRAFT, _add_note,
            {
                "incident": _INCIDENT,
                "body": _text("What colleagues should know."),
                "kind": {"type": "string", "enum": [kind.value for kind in NoteKind]},
            },
            ("incident", "body"),
        ),
        AgentTool(
            "prepare_update",
            "Prepare a draft of the next update of an incident. A person reads it in the admin, "
            "changes it, and publishes it or not.",
            KeyScope.DRAFT, _prepare_update,
            {
                "incident": _INCIDENT,
                "status": {
                    "type": "string",
                    "enum": [one.value for one in IncidentStatus if one not in CLOSED],
                },
                "users_notice": _text("What users notice. Public."),
                **_DRAFTED_FACTS,
            },
            ("incident",),
        ),
    )
}  # fmt: skip
"""The tools, by name."""
