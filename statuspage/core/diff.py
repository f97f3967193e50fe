"""How two texts differ, line by line, as people read it."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import unified_diff


def changed_lines(before: Sequence[str], after: Sequence[str]) -> list[tuple[str, str]]:
    """The lines that differ, each with ``+``, ``-`` or a space, and ``@`` between distant ones."""
    differing = list(unified_diff(before, after, n=1, lineterm=""))[2:]
    return [(line[:1], "" if line.startswith("@@") else line[1:]) for line in differing][1:]
