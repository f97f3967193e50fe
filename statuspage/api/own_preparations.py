"""Notes and drafts over the company's own API: what tools prepare, and people publish."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask.typing import ResponseReturnValue

from statuspage.access import api_keys
from statuspage.admin.drafting import as_typed
from statuspage.api import callers
from statuspage.api.own_incidents import (
    TAKES,
    answer,
    check_is_incident,
    form_key,
    found_incident,
    incidents,
    prepare,
    read_body,
    read_facts,
    read_submission,
    read_update,
    reopens,
    seen_version,
    show_moment,
    where_prepared,
)
from statuspage.api.v1_values import read_flag, read_moment, read_term, read_text
from statuspage.core.db import current_session
from statuspage.core.enums import IncidentStatus, KeyScope, NoteKind
from statuspage.core.errors import Invalid
from statuspage.incidents import notes, saved_drafts, scheduled
from statuspage.incidents.inputs import NewUpdate
from statuspage.incidents.notes import NewNote
from statuspage.incidents.scheduled import PlannedPost
from statuspage.models import IncidentNote, ScheduledUpdate


@incidents.get("/<id:code>/notes")
def list_notes(code: str) -> ResponseReturnValue:
    """The notes for colleagues on an incident, newest first."""
    callers.need(KeyScope.READ)
    found = notes.notes_of(current_session(), found_incident(code))
    return answer({"notes": [_note(note) for note in found]})


@incidents.post("/<id:code>/notes")
@TAKES
def add_note(code: str) -> ResponseReturnValue:
    """Keep a note for colleagues; they are notified in chat only with ``in_chat``."""
    sent = read_body()
    note = NewNote(
        read_term(sent, "kind", NoteKind) or NoteKind.PROGRESS,
        read_text(sent, "body") or "",
        read_moment(sent, "happened_at"),
        in_chat=read_flag(sent, "in_chat", default=False),
    )
    found_incident(code)
    kept = notes.add_note(code, note, form_key=form_key(), actor=callers.caller().actor)
    return answer(_note(kept), 201)


@incidents.get("/<id:code>/drafts")
def list_drafts(code: str) -> ResponseReturnValue:
    """What people and tools have written and not published."""
    callers.need(KeyScope.READ)
    found = saved_drafts.drafts_on(current_session(), found_incident(code))
    return answer(
        {
            "drafts": [
                {
                    "author": name,
                    "saved_at": show_moment(draft.saved_at),
                    "seen_version": draft.seen_version,
                    "form": {pair[0]: pair[1] for pair in draft.form},
                }
                for draft, name in found
            ]
        }
    )


@incidents.put("/<id:code>/draft")
@TAKES
def put_draft(code: str) -> ResponseReturnValue:
    """Prepare the next update in the place of what this key had prepared; nobody is notified."""
    sent, incident = read_body(), found_incident(code)
    check_is_incident(incident)
    update = NewUpdate(
        read_term(sent, "status", IncidentStatus) or IncidentStatus(incident.status),
        users_notice=read_text(sent, "users_notice"),
        public_facts=read_facts(sent, "public_facts"),
        internal_facts=read_facts(sent, "internal_facts"),
    )
    prepare(code, as_typed(update, text=read_text(sent, "text") or ""))
    return answer({"approval_required": False, **where_prepared(code)})


@incidents.get("/<id:code>/scheduled")
def get_scheduled(code: str) -> ResponseReturnValue:
    """The update that is posted at its time, if there is one; with the reason where it was not."""
    callers.need(KeyScope.READ)
    found = scheduled.scheduled_on(current_session(), found_incident(code))
    return answer({"scheduled": _scheduled(*found) if found else None})


@incidents.post("/<id:code>/scheduled")
@TAKES
def schedule_update(code: str) -> ResponseReturnValue:
    """Have an update posted at its time, in the name of the key's owner."""
    sent, incident = read_body(), found_incident(code)
    publish_at = read_moment(sent, "publish_at")
    if publish_at is None:
        raise Invalid("publish_at", "Say when it is posted.")
    update, text = read_update(incident, sent), read_text(sent, "text") or ""
    submission = read_submission(sent, seen=seen_version())
    owner = api_keys.acting_for_owner(current_session(), callers.caller())
    if owner is None:
        raise Invalid("publish_at", "The owner of this key has no account that could post it.")
    planned = PlannedPost(
        publish_at, update, reopens=reopens(incident, update), form=as_typed(update, text=text)
    )
    scheduled.schedule(code, planned, replace(submission, actor=owner))
    made = scheduled.scheduled_on(current_session(), found_incident(code))
    return answer({"scheduled": _scheduled(*made) if made else None}, 201)


@incidents.delete("/<id:code>/scheduled")
def cancel_scheduled(code: str) -> ResponseReturnValue:
    """Have the scheduled update not posted at all."""
    found_incident(code)
    was_there = scheduled.cancel(code, actor=callers.caller().actor)
    return answer({"cancelled": was_there})


def _scheduled(row: ScheduledUpdate, author: str) -> dict[str, Any]:
    return {
        "publish_at": show_moment(row.publish_at),
        "status": scheduled.status_of_scheduled(row).value,
        "author": author,
        "text": row.checked.get("text", ""),
        "held_because": row.held_because or None,
    }


def _note(note: IncidentNote) -> dict[str, Any]:
    return {
        "kind": note.kind.value,
        "body": note.body,
        "author": note.author,
        "happened_at": show_moment(note.happened_at),
        "noted_at": show_moment(note.noted_at),
        "in_chat": note.in_chat,
    }
