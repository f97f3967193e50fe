"""Incidents: declare, post an update, resolve, reopen, correct.

Each verb is one transaction: the post, the settled component states, the messages of every
audience, one delivery for each recipient, the audit entry and a new revision of the public site
are kept together or not at all.  No provider is called here.
"""

from statuspage.incidents.details import Details, change_details
from statuspage.incidents.shape import Conflict, Declaration, Draft, Post, Reader
from statuspage.incidents.telling import preview_declaration, preview_update, story_facts
from statuspage.incidents.verbs import (
    correct_update,
    declare,
    hide,
    post_update,
    publish,
    reopen,
)

__all__ = [
    "Conflict",
    "Declaration",
    "Details",
    "Draft",
    "Post",
    "Reader",
    "change_details",
    "correct_update",
    "declare",
    "hide",
    "post_update",
    "preview_declaration",
    "preview_update",
    "publish",
    "reopen",
    "story_facts",
]
