"""A second pair of eyes: what a resolution would say, seen and approved by another account."""

from __future__ import annotations

from flask.typing import ResponseReturnValue

from statuspage.admin.auth import actor
from statuspage.admin.base import admin, done, page, refused
from statuspage.admin.previews import TITLES
from statuspage.core.db import current_session
from statuspage.core.enums import Audience
from statuspage.core.errors import Invalid
from statuspage.core.richtext import to_html
from statuspage.incidents.resolution import approval as approval_resolution
from statuspage.incidents.resolution.approval import is_current
from statuspage.models import Approval


@admin.get("/approvals/<int:approval_id>")
def approval(approval_id: int) -> ResponseReturnValue:
    """Exactly what is to be approved; whoever asked goes on from here once it is."""
    found = current_session().get_one(Approval, approval_id)
    return page(
        "admin/approval.html",
        approval=found,
        incident=found.incident,
        is_own=found.asked_by_id == actor().account_id,
        is_current=is_current(found),
        texts=[
            (TITLES[Audience(name)], text["subject"] if name == Audience.CUSTOMER else "",
             to_html(text["body"], top=3))
            for name, text in found.texts.items()
        ],
    )  # fmt: skip


@admin.post("/approvals/<int:approval_id>/approve")
def approve(approval_id: int) -> ResponseReturnValue:
    """Approve what was shown."""
    try:
        approval_resolution.approve(approval_id, actor=actor())
    except Invalid as error:
        return refused(error.reason, "admin.approval", approval_id=approval_id)
    notice = "Approved. It goes out once somebody presses the button of the last step."
    return done(notice, "admin.approval", approval_id=approval_id)
