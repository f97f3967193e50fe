"""Drafts on the screen of a declaration: kept as they are typed, gone on with, opened as copies."""

from __future__ import annotations

from dataclasses import dataclass

from flask import request
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from statuspage.admin.auth import actor, signed_in
from statuspage.admin.base import admin, done
from statuspage.admin.drafting import typed_again
from statuspage.admin.forms import PostForm
from statuspage.admin.marked_texts import _
from statuspage.core.db import current_session
from statuspage.core.errors import Invalid
from statuspage.incidents import declaration_drafts
from statuspage.models import DeclarationDraft


@dataclass(frozen=True, slots=True)
class OfferedDraft:
    """A draft of a declaration, and whose it is."""

    draft: DeclarationDraft
    author: str
    is_own: bool

    @property
    def title(self) -> str:
        """The title as it is so far, or nothing."""
        return next((str(value) for name, value in self.draft.form if name == "title"), "")


@dataclass(frozen=True, slots=True)
class OfferedDrafts:
    """The draft that the form was filled with, if any, and the others that there are."""

    shown: OfferedDraft | None
    others: tuple[OfferedDraft, ...]

    @property
    def values(self) -> MultiDict[str, str] | None:
        """What was typed, for the form; a copy of a colleague's is a sheet of its own."""
        if self.shown is None:
            return None
        draft = self.shown.draft
        typed = [(pair[0], pair[1]) for pair in draft.form]
        return MultiDict([*typed, ("form_key", draft.form_key)] if self.shown.is_own else typed)


@admin.post("/incidents/new/draft")
def save_declaration() -> ResponseReturnValue:
    """Keep what is typed, for the script and for the button."""
    try:
        declaration_drafts.save_declaration(typed_again(), form_key=_key(), actor=actor())
    except Invalid as error:
        return error.reason, 422
    if "save_draft" in request.form:
        return done(_("The draft is saved. Nothing has been published."), "admin.new_incident")
    return "", 204


@admin.post("/incidents/new/draft/discard")
def discard_declaration() -> ResponseReturnValue:
    """Forget one's own draft."""
    declaration_drafts.discard_declaration(_key(), actor=actor())
    return done(_("The draft is discarded."), "admin.new_incident")


def _key() -> str:
    """The key of the sheet that was sent; a new one in the place of any that is not ours."""
    return PostForm.read().form_key.data or ""


def offered_drafts() -> OfferedDrafts:
    """The draft that was asked for, and the others; none while a form is sent."""
    if request.method == "POST":
        return OfferedDrafts(None, ())
    person = signed_in()
    own, asked = person.account_id if person else None, request.args.get("draft", "")
    found = [
        OfferedDraft(draft, author, draft.account_id == own)
        for draft, author in declaration_drafts.kept_drafts(current_session(), own)
    ]
    shown = next((one for one in found if one.draft.handle == asked), None)
    return OfferedDrafts(shown, tuple(one for one in found if one is not shown))
