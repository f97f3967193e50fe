"""A second pair of eyes: what a resolution would say, seen and approved by another account."""

from __future__ import annotations

from flask.typing import ResponseReturnValue

from statuspage import incidents
from statuspage.db import session
from statuspage.models import Approval
from statuspage.refusals import Refused
from statuspage.richtext import to_html
from statuspage.web.admin.shell import admin, done, page, refused
from statuspage.web.admin.texts import TITLES
from statuspage.web.auth import actor
from statuspage.words import Audience


@admin.get("/approvals/<int:approval_id>")
def approval(approval_id: int) -> ResponseReturnValue:
    """Exactly what is to be approved; whoever asked goes on from here once it is."""
    found = session().get_one(Approval, approval_id)
    return page(
        "admin/approval.html",
        approval=found,
        story=found.incident,
        is_own=found.asked_by_id == actor().account_id,
        is_current=incidents.is_current(found),
        texts=[
            (TITLES[Audience(name)], text["subject"] if name == Audience.CUSTOMER else "",
             to_html(text["body"]))
            for name, text in found.texts.items()
        ],
    )  # fmt: skip


@admin.post("/approvals/<int:approval_id>/approve")
def approve(approval_id: int) -> ResponseReturnValue:
    """Approve what was shown."""
    try:
        incidents.approve(approval_id, actor=actor())
    except Refused as error:
        return refused(error.reason, "admin.approval", approval_id=approval_id)
    said = "Approved. It goes out once somebody presses the button of the last step."
    return done(said, "admin.approval", approval_id=approval_id)
