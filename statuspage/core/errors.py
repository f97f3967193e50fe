"""What a verb answers to a person whose input it cannot take: the field, and why."""

from __future__ import annotations


class Invalid(Exception):
    """One field's input cannot be taken; ``reason`` is a sentence for the person who typed it."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason
