"""Drafts on the screen of an incident: kept as they are typed, restored, opened by colleagues."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from flask import request
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from statuspage.admin.auth import actor, signed_in
from statuspage.admin.base import admin, done
from statuspage.admin.forms import read_number
from statuspage.admin.marked_texts import _
from statuspage.admin.resolving import what_was_typed
from statuspage.core.db import current_session
from statuspage.core.enums import Audience
from statuspage.core.errors import Invalid
from statuspage.incidents import saved_drafts
from statuspage.incidents.inputs import NewUpdate
from statuspage.models import Incident, SavedDraft, ScheduledUpdate, ToolDraft

# What belongs to the sheet that it was typed into, and not to what was typed.
_OF_THE_SHEET: Final = frozenset(
    {
        *("form_key", "seen_version", "seen_update", "at_the_end", "promised", "again"),
        *("save_draft", "scheduled"),
    }
)


@dataclass(frozen=True, slots=True)
class OpenDraft:
    """A draft that the form was filled with: whose it is, and what else there is."""

    shown: SavedDraft | ToolDraft | ScheduledUpdate | None
    author: str
    is_own: bool
    others: tuple[tuple[SavedDraft | ToolDraft, str], ...]

    @property
    def values(self) -> MultiDict[str, str] | None:
        """What was typed, for the form; None where no draft is open."""
        return MultiDict([(pair[0], pair[1]) for pair in self.shown.form]) if self.shown else None


@admin.post("/incidents/<code>/draft")
def save_draft(code: str) -> ResponseReturnValue:
    """Keep what is typed, for the script and for the button."""
    try:
        saved_drafts.save_draft(
            code,
            typed_again(),
            form_key=request.form.get("form_key", ""),
            seen_version=read_number(request.form.get("seen_version")),
            actor=actor(),
        )
    except Invalid as error:
        return error.reason, 422
    if "save_draft" in request.form:
        return done(_("The draft is saved."), "admin.incident", code=code, _anchor="post")
    return "", 204


@admin.post("/incidents/<code>/draft/discard")
def discard_draft(code: str) -> ResponseReturnValue:
    """Forget one's own draft."""
    saved_drafts.discard_draft(code, actor=actor())
    return done(_("The draft is discarded."), "admin.incident", code=code)


def as_typed(update: NewUpdate, *, text: str = "") -> list[tuple[str, str]]:
    """An update that a tool prepares, as it would stand in the form; ``text`` is the public one."""
    typed = {
        "status": update.status.value,
        "users_notice": update.users_notice,
        **update.public_facts,
        **update.internal_facts,
        **{f"because_{name}": reason for name, reason in update.although.items()},
        f"text_{Audience.PUBLIC.value}": text,
    }
    return [(name, str(value)) for name, value in typed.items() if value]


def typed_again() -> list[tuple[str, str]]:
    """What was typed, for another sheet of the form."""
    return [(name, value) for name, value in what_was_typed() if name not in _OF_THE_SHEET]


def open_draft(incident: Incident, scheduled: ScheduledUpdate | None = None) -> OpenDraft:
    """The draft to go on with: one's own, or the one that was asked for by its author's id.

    A ``scheduled`` update that is edited stands in its place.
    """
    if request.method == "POST" or scheduled is not None:
        return OpenDraft(scheduled, "", False, ())
    person = signed_in()
    own = str(person.account_id) if person else ""
    asked = request.args.get("draft") or own
    found = saved_drafts.drafts_on(current_session(), incident)
    shown = next(((draft, name) for draft, name in found if draft.handle == asked), None)
    others = tuple((draft, name) for draft, name in found if draft.handle not in {own, asked})
    if shown is None:
        return OpenDraft(None, "", False, others)
    return OpenDraft(*shown, shown[0].handle == own, others)
