"""The last step: what holds before an incident is resolved, who approved it, and what is sent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from flask import request
from flask.typing import ResponseReturnValue

from statuspage.admin.audiences import OFFERED
from statuspage.admin.auth import actor
from statuspage.admin.base import admin, done, page, refused, show_span
from statuspage.admin.marked_texts import _
from statuspage.admin.previews import TITLES, TextPreview
from statuspage.admin.update_form import Posting, UpdateForm
from statuspage.core import clock
from statuspage.core.db import current_session
from statuspage.core.enums import Audience, ComponentStatus
from statuspage.core.errors import Invalid
from statuspage.core.richtext import to_html
from statuspage.incidents import explain_recipient
from statuspage.incidents.resolution import approval as approval_resolution
from statuspage.incidents.resolution import gate
from statuspage.incidents.resolution.approval import is_current
from statuspage.intake import suggestions
from statuspage.messages import facts
from statuspage.messages.facts import Use
from statuspage.models import Approval

# Buttons, and what the last step shows itself: the rest of the form rides along unseen.
_SHOWN_AT_THE_END: Final = frozenset(
    {
        *(
            "csrf_token",
            "form_key",
            "publish",
            "preview",
            "test",
            "back",
            "remake",
            "ask",
            "at_the_end",
            "promised",
        ),
        *("because_watched", "because_components", "because_approval", "ask_approval"),
        *("because_customer_mail", "because_left_out"),
        *(f"{part}-{audience.value}" for audience in OFFERED for part in ("tell", "offered")),
        "false_alarm",
        "users_notice",
        "second_language",
        *(f"second_{name}" for name in facts.TRANSLATED),
        *(fact.name for fact in facts.ASKED_INTERNAL if Use.AT_THE_END in fact.use),
        *("publish_at", "publish_at-fold"),
        *("happened_at", "happened_at-fold", "exactly", "subject_customer"),
        *(fact.name for fact in facts.ASKED_PUBLIC if Use.AT_THE_END in fact.use),
        *(
            f"{part}_{audience.value}"
            for audience in TITLES
            for part in ("text", "made", "because")
        ),
    }
)

_ASKS: Final = frozenset({"ask", "ask_approval"})


def begin_last_step(form: UpdateForm) -> None:
    """Offer the present moment as the end, where nobody said another."""
    if not form.at_the_end.data:
        form.at_the_end.data = "yes"
        if not form.happened_at.data:
            moment = clock.now()
            form.exactly.data = moment.isoformat()
            form.happened_at.data = moment
            form.happened_at.raw_data = None
    form.happened_at.label.text = _("Over since")


def show_last_step(posting: Posting, texts: dict[str, Any]) -> ResponseReturnValue:
    """Resolving asks once more: since when, for how long, what comes back, and who is notified."""
    # Whom it reaches by name is what somebody wants to check last.
    texts["sheets"].sort(key=lambda sheet: sheet.name != Audience.CUSTOMER)
    return page(
        "admin/resolve.html",
        form=posting.form,
        incident=posting.incident,
        kept=[
            (name, value)
            for name, value in request.form.items(multi=True)
            if name not in _SHOWN_AT_THE_END
        ],
        gate=gate_of(posting, texts["sheets"]),
        **texts,
    )


def what_was_typed() -> list[tuple[str, str]]:
    """The sent form without its buttons and keys, to go on with it later."""
    return [
        (name, value)
        for name, value in request.form.items(multi=True)
        if name not in {"csrf_token", "publish", "preview", "test", "remake", "back", *_ASKS}
    ]


def gate_of(posting: Posting, sheets: Sequence[TextPreview]) -> dict[str, Any]:
    """The questions before the button, each with its answer."""
    incident, form, update = posting.incident, posting.form, posting.update
    announced = (posting.announcement, posting.drafts) if sheets else None
    ended = update.happened_at or clock.now()
    return {
        "checked": gate.inspect(
            current_session(),
            incident,
            update,
            form.edited_texts(),
            choice=form.choice(),
            announced=announced,
        ),
        "level": incident.severity_name,
        "later": form.later,
        "step": incident.step.label,
        "span": show_span(incident.started_at, ended) if ended > incident.started_at else "",
        "length": clock.show_duration(ended - incident.started_at),
        "back": [
            (
                row.component.name,
                row.status,
                form.components.data.get(row.component_id, ComponentStatus.OPERATIONAL),
            )
            for row in incident.affected
        ],
        "alerts": suggestions.alerts_of_incident(current_session(), incident),
        "held": [sheet for sheet in sheets if sheet.is_held or sheet.missing],
        "remarks": sum(len(sheet.remarks) for sheet in sheets),
        "is_internal": not incident.tells_outsiders,
        "sheets": sheets,
        "sends_mail": any((sheet.mails and sheet.is_sent) or sheet.mailed for sheet in sheets),
        "groups": explain_recipient.recipient_groups(posting.announcement)
        if sheets and incident.tells_outsiders
        else None,
    }


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
    notice = _("Approved. It’s sent when someone resolves the incident in the last step.")
    return done(notice, "admin.approval", approval_id=approval_id)
