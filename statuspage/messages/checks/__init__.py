"""A text, checked before it goes: what would leak, what is not so, and how it sounds.

The table of rules and the search are in :mod:`.rules`; what a rule is made of in
:mod:`.rule_types`, and what each looks for in the module that is named after it.
"""

from __future__ import annotations

from statuspage.messages.checks.allowed import Allowed
from statuspage.messages.checks.rule_types import (
    Blocked,
    BlockedTerms,
    CheckedText,
    Finding,
    FindingKind,
    Rule,
    blocking,
    in_words,
)
from statuspage.messages.checks.rules import RULES, find, find_in_name

__all__ = [
    "RULES",
    "Allowed",
    "Blocked",
    "BlockedTerms",
    "CheckedText",
    "Finding",
    "FindingKind",
    "Rule",
    "blocking",
    "find",
    "find_in_name",
    "in_words",
]
