"""Conflicts: what somebody read and edits may have been saved by somebody else meanwhile.

A form carries the version, or the fingerprint, of what its author read.  The verb compares it with
what is saved by now and raises :class:`Conflict` instead of replacing the other's work unseen.
"""

from __future__ import annotations

from hashlib import sha256


class Conflict(Exception):
    """Somebody else saved the same thing meanwhile; ``current`` is how it is now."""

    def __init__(self, current: object) -> None:
        super().__init__("someone else saved this in the meantime")
        self.current = current


def fingerprint(values: object) -> str:
    """A short text that is equal as long as the values are."""
    return sha256(repr(values).encode()).hexdigest()[:16]


def check_unchanged(seen: object, now: object, current: object) -> None:
    """Raise :class:`Conflict` with ``current`` where it is no longer as it was ``seen``.

    ``seen`` and ``now`` are versions or fingerprints; what was not ``seen`` (None) is not compared.
    """
    if seen is not None and seen != now:
        raise Conflict(current)
