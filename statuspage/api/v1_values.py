"""Values as tools send them to v1: text, yes and no, times, lists of ids."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from statuspage.core import clock
from statuspage.core.enums import ComponentStatus, Term
from statuspage.core.errors import Invalid
from statuspage.core.richtext import clean, clean_line

_YES: Final = frozenset({True, "true", "1", "t", "yes"})
_NO: Final = frozenset({False, "false", "0", "f", "no"})


def read_text(sent: Mapping[str, Any], name: str) -> str | None:
    """Text of several lines; None where it is absent, null or empty."""
    return clean(_string(sent, name) or "") or None


def read_line(sent: Mapping[str, Any], name: str) -> str | None:
    """One line of text; None where it is absent, null or empty."""
    return clean_line(_string(sent, name) or "") or None


def read_flag(sent: Mapping[str, Any], name: str, *, default: bool) -> bool:
    """Yes or no, as JSON or as forms write it."""
    value = sent.get(name)
    if value is None or value == "":
        return default
    if not isinstance(value, bool | str | int):
        raise Invalid(name, "Send true or false")
    value = value.lower() if isinstance(value, str) else value
    if value not in _YES | _NO:
        raise Invalid(name, "Send true or false")
    return value in _YES


def read_moment(sent: Mapping[str, Any], name: str) -> datetime | None:
    """A time with its offset (ISO 8601); None where it is absent, null or empty."""
    text = read_line(sent, name)
    if text is None:
        return None
    moment = clock.read_exact(text)
    if moment is None:
        raise Invalid(name, "Send a time with its offset, like 2026-03-04T12:00:00Z")
    return moment


def read_term(sent: Mapping[str, Any], name: str, words: type[Term]) -> Any:
    """One of some words; None where it is absent, null or empty."""
    text = read_line(sent, name)
    return None if text is None else term_of(text, name, words)


def term_of(text: object, name: str, words: type[Term]) -> Any:
    """The word; raises :class:`Invalid` that names those that there are."""
    if not isinstance(text, str) or text not in {word.value for word in words}:
        raise Invalid(name, f"Send one of: {', '.join(word.value for word in words)}")
    return words(text)


def read_codes(sent: Mapping[str, Any], name: str) -> list[str] | None:
    """A list of ids; None where it is absent or null."""
    value = sent.get(name)
    if value is None:
        return None
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise Invalid(name, "Send a list of ids")
    return value


def read_states(sent: Mapping[str, Any], name: str) -> dict[str, ComponentStatus | None]:
    """Components by their ids with the state of each; None for one that stays as it is.

    Statuspage takes an object of states, and a list of ids as well.
    """
    value = sent.get(name)
    if value is None or isinstance(value, list):
        return dict.fromkeys(read_codes(sent, name) or ())
    if not isinstance(value, dict):
        raise Invalid(name, "Send an object of component ids and states")
    return {
        code: term_of(status, name, ComponentStatus) if status else None
        for code, status in value.items()
    }


def _string(sent: Mapping[str, Any], name: str) -> str | None:
    value = sent.get(name)
    if value is not None and not isinstance(value, str):
        raise Invalid(name, "Send text")
    return value
