"""All that was sent, newest first: when, what, to how many, and what became of it."""

from __future__ import annotations

from typing import Final

from flask import request
from flask.typing import ResponseReturnValue

from statuspage.admin.base import admin, page
from statuspage.admin.deliveries import in_words
from statuspage.admin.forms import read_number
from statuspage.core.db import current_session
from statuspage.core.languages import N_
from statuspage.core.richtext import clean_line
from statuspage.delivery.message_list import MessageKind, find_messages

KINDS: Final = {
    MessageKind.PUBLIC: N_("Public updates"),
    MessageKind.CUSTOMER: N_("Customer emails"),
    MessageKind.SUBSCRIBER: N_("Subscriber emails"),
    MessageKind.INTERNAL: N_("To colleagues"),
    MessageKind.PERSONAL: N_("Sign-ups and accounts"),
    MessageKind.TEST: N_("Tests"),
}


@admin.get("/messages")
def messages() -> ResponseReturnValue:
    """A page of messages, filtered by kind and incident."""
    asked = request.args.get("kind", "")
    kind = MessageKind(asked) if asked in set(MessageKind) else None
    incident = clean_line(request.args.get("incident", ""))[:200]
    before = request.args.get("before", 0, type=read_number)
    return page(
        "admin/messages.html",
        found=find_messages(current_session(), kind=kind, incident=incident, before=before),
        kinds=KINDS,
        kind=kind,
        incident=incident,
        asked={"kind": kind.value if kind else None, "incident": incident or None},
        before=before,
        in_words=in_words,
    )
