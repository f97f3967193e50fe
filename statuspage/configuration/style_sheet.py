"""The company's own style sheet for the page: taken as it is, or refused with line and reason.

Nothing in it can run or fetch.  It is served as a file of our own, never written into a page, and
the page's Content-Security-Policy holds whatever it says; what would be blocked there is refused
here already, so that nobody wonders.  Syntax: https://www.w3.org/TR/css-syntax-3/.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

import tinycss2

from statuspage.core.errors import Invalid

MOST_BYTES: Final = 20 * 1024
FIELD: Final = "css"
# Blocks and functions inside one another.  Real sheets need about five; the parser calls itself for
# each, and gives up with a RecursionError at some hundreds.
MOST_NESTED: Final = 32

_AT_RULES: Final = {"media", "supports", "container", "layer", "keyframes", "page", "property"}
_FETCHING: Final = {"url", "src", "image", "image-set", "-webkit-image-set", "element", "paint"}
_RUNNING: Final = {"expression"}
_RUNNING_PROPERTIES: Final = {"behavior", "-moz-binding", "-ms-behavior"}
_PICTURE: Final = re.compile(r"data:image/(?:png|jpeg|webp|gif)[;,]", re.IGNORECASE)


def check_css(text: str) -> None:
    """Raise :class:`Invalid` for the first thing that could not be taken."""
    if len(text.encode()) > MOST_BYTES:
        raise Invalid(FIELD, f"Use at most {MOST_BYTES // 1024} KB of CSS.")
    if line := _nested_too_deep(text):
        raise Invalid(FIELD, f"Line {line}: use at most {MOST_NESTED} blocks inside one another.")
    for line, reason in _faults(tinycss2.parse_stylesheet(text, skip_comments=True)):
        raise Invalid(FIELD, f"Line {line}: {reason}")


def _nested_too_deep(text: str) -> int | None:
    """The line of a block that lies in too many others, where there is one.

    Walked with a list of its own: what calls itself here would fail as what it guards.
    """
    waiting = [(node, 1) for node in tinycss2.parse_component_value_list(text)]
    while waiting:
        node, depth = waiting.pop()
        inside = node.arguments if node.type == "function" else getattr(node, "content", None)
        if inside is None:
            continue
        if depth > MOST_NESTED:
            return int(node.source_line)
        waiting += [(node, depth + 1) for node in inside]
    return None


def _faults(nodes: Iterable[Any]) -> Iterator[tuple[int, str]]:
    """What is wrong with a list of rules, declarations or values, with the line of each."""
    for node in nodes:
        if node.type == "error":
            yield node.source_line, f"this is no CSS ({node.message})."
        elif node.type == "at-rule":
            yield from _faults_of_at_rule(node)
        elif node.type == "qualified-rule":
            yield from _faults(node.prelude)
            yield from _faults(tinycss2.parse_blocks_contents(node.content, skip_comments=True))
        elif node.type == "declaration":
            if node.lower_name in _RUNNING_PROPERTIES:
                yield node.source_line, f"{node.lower_name} could run something."
            yield from _faults(node.value)
        else:
            yield from _faults_of_value(node)


def _faults_of_at_rule(node: Any) -> Iterator[tuple[int, str]]:
    name = node.lower_at_keyword
    if name.removeprefix("-webkit-") not in _AT_RULES:
        yield node.source_line, f"@{name} is not taken: the page loads nothing from elsewhere."
    yield from _faults(node.prelude)
    if node.content is not None:
        yield from _faults(tinycss2.parse_blocks_contents(node.content, skip_comments=True))


def _faults_of_value(node: Any) -> Iterator[tuple[int, str]]:
    if node.type == "url":
        if not _PICTURE.match(node.value):
            yield node.source_line, _elsewhere(f"url({node.value[:40]})")
    elif node.type == "function":
        if node.lower_name in _RUNNING:
            yield node.source_line, f"{node.lower_name}() could run something."
        if node.lower_name in _FETCHING and not _is_picture(node.arguments):
            yield node.source_line, _elsewhere(f"{node.lower_name}()")
        yield from _faults(node.arguments)
    elif node.type in {"() block", "[] block", "{} block"}:
        yield from _faults(node.content)


def _is_picture(arguments: Iterable[Any]) -> bool:
    """Whether all that a function names stands in the sheet itself."""
    named = [node for node in arguments if node.type in {"string", "url"}]
    return bool(named) and all(_PICTURE.match(node.value) for node in named)


def _elsewhere(what: str) -> str:
    return (
        f"{what} is not taken: the page loads nothing from elsewhere. A small picture can stand in"
        " the sheet itself, as url(data:image/png;base64,…)."
    )
