"""Incidents: declare, post an update, resolve, reopen, correct.

Each verb is one transaction: the post, the settled component states, the messages of every
audience, one delivery for each recipient, the audit entry and a new revision of the public site
are kept together or not at all.  No provider is called here.
"""

from statuspage.incidents.approval import approve, ask_approval, is_current, open_approval
from statuspage.incidents.calling import call_colleagues, newest_post
from statuspage.incidents.cancelling import (
    Cancelled,
    cancel_mails,
    mails_of_resolution,
    send_after_all,
)
from statuspage.incidents.closing import Closing, closing_of, tick_off, untick
from statuspage.incidents.corrections import (
    Correction,
    CorrectionDraft,
    as_sent,
    correctable,
    may_be_corrected,
    preview_correction,
    send_correction,
)
from statuspage.incidents.details import Details, change_details
from statuspage.incidents.gate import WHY_NOT, Gate
from statuspage.incidents.gate import look as look_at_gate
from statuspage.incidents.handouts import (
    Handout,
    handouts_of_declaration,
    handouts_of_update,
)
from statuspage.incidents.hearing import (
    Groups,
    Hearing,
    explain_declaration,
    explain_step,
    explain_update,
    recipient_groups,
)
from statuspage.incidents.merging import merge, merge_targets
from statuspage.incidents.repeating import repeats
from statuspage.incidents.shape import Conflict, Declaration, Draft, Drill, Post, Reader
from statuspage.incidents.telling import preview_declaration, preview_update, story_facts
from statuspage.incidents.trial import send_test
from statuspage.incidents.verbs import (
    correct_update,
    declare,
    hide,
    post_update,
    publish,
    reopen,
)

__all__ = [
    "WHY_NOT",
    "Cancelled",
    "Closing",
    "Conflict",
    "Correction",
    "CorrectionDraft",
    "Declaration",
    "Details",
    "Draft",
    "Drill",
    "Gate",
    "Groups",
    "Handout",
    "Hearing",
    "Post",
    "Reader",
    "approve",
    "as_sent",
    "ask_approval",
    "call_colleagues",
    "cancel_mails",
    "change_details",
    "closing_of",
    "correct_update",
    "correctable",
    "declare",
    "explain_declaration",
    "explain_step",
    "explain_update",
    "handouts_of_declaration",
    "handouts_of_update",
    "hide",
    "is_current",
    "look_at_gate",
    "mails_of_resolution",
    "may_be_corrected",
    "merge",
    "merge_targets",
    "newest_post",
    "open_approval",
    "post_update",
    "preview_correction",
    "preview_declaration",
    "preview_update",
    "publish",
    "recipient_groups",
    "reopen",
    "repeats",
    "send_after_all",
    "send_correction",
    "send_test",
    "story_facts",
    "tick_off",
    "untick",
]
