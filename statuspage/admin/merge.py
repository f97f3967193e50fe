"""Merging an incident into another that it turned out to be part of."""

from __future__ import annotations

from flask import request
from flask.typing import ResponseReturnValue

from statuspage.admin.auth import actor
from statuspage.admin.base import admin, done, refused
from statuspage.admin.forms import PostForm, read_number
from statuspage.core.conflict import Conflict
from statuspage.core.errors import Invalid
from statuspage.incidents import merge
from statuspage.incidents.publish import Submission


@admin.post("/incidents/<code>/merge")
def merge_incident(code: str) -> ResponseReturnValue:
    """End this one as a part of the chosen one, and go on there."""
    form = PostForm.read()
    try:
        seen = read_number(request.form.get("seen_version")) or None
        submission = Submission(actor(), form.form_key.data or "", seen)
        into = merge.merge(code, request.form.get("into", ""), submission)
    except Invalid as error:
        return refused(error.reason, "admin.incident", code=code)
    except Conflict:
        notice = "Somebody else posted meanwhile, so nothing was merged. Read it first."
        return refused(notice, "admin.incident", code=code)
    return done(
        "Merged. This incident tells of both from now on.", "admin.incident", code=into.code
    )
