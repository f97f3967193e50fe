"""Facts to text for an audience: wording, rendering, preview."""

from statuspage.messages.compose import (
    Composed,
    Text,
    Unfinished,
    compose,
    finish,
    preview,
    preview_sample,
    unfilled,
)
from statuspage.messages.facts import Facts, InternalFacts, PublicFacts, TimelineEntry, facts_of
from statuspage.messages.language import Problem
from statuspage.messages.tokens import salutation, token_values
from statuspage.messages.wording import (
    Source,
    TemplateInfo,
    Unfit,
    UnknownTemplate,
    check,
    current_wording,
    history,
    names,
    newest_version,
    restore_wording,
    save_wording,
    shipped_wording,
    template_name,
)

__all__ = [
    "Composed",
    "Facts",
    "InternalFacts",
    "Problem",
    "PublicFacts",
    "Source",
    "TemplateInfo",
    "Text",
    "TimelineEntry",
    "Unfinished",
    "Unfit",
    "UnknownTemplate",
    "check",
    "compose",
    "current_wording",
    "facts_of",
    "finish",
    "history",
    "names",
    "newest_version",
    "preview",
    "preview_sample",
    "restore_wording",
    "salutation",
    "save_wording",
    "shipped_wording",
    "template_name",
    "token_values",
    "unfilled",
]
