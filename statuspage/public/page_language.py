"""Which language an address asks for: that of its first segment, or else the page's own.

Nothing else decides: no header and no cookie, so every address has the same bytes for everybody.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final
from urllib.parse import urlsplit

from flask import Flask, Response, current_app, make_response, redirect, request

from statuspage.core.languages import BY_SEGMENT, ENGLISH, prefix, split_path
from statuspage.core.links import current_links
from statuspage.public.middleware import EditionMiddleware
from statuspage.public.queries import Site, read_frame
from statuspage.public.refresher import Refresher
from statuspage.public.snapshot import Frame

SEGMENTS: Final = ", ".join(f'"{segment}"' for segment in BY_SEGMENT)
IN_A_LANGUAGE: Final = f"/<any({SEGMENTS}):language>"
"""What stands before the rule of a page, for its addresses in other languages."""


def register(app: Flask) -> None:
    """Have every view find its language here, and not among its arguments."""
    app.url_value_preprocessor(_take_off)
    app.before_request(_lead_to_own)
    app.add_url_rule(IN_A_LANGUAGE, "without_slash", _add_slash)


def current_refresher() -> Refresher:
    """What keeps the edition of this process."""
    refresher: Refresher = current_app.extensions["refresher"]
    return refresher


def own_language() -> str:
    """The page's own language, as the present edition has it."""
    if not isinstance(current_app.wsgi_app, EditionMiddleware):
        return ENGLISH
    edition = current_refresher().edition()
    return edition.language if edition else ENGLISH


def asked_language() -> str | None:
    """The language that the address of this request names; None where it names none."""
    return split_path(request.path)[0]


def present_frame(site: Site) -> Frame:
    """What stands around the page of this request, in the language that is asked for."""
    frame, asked = read_frame(site), asked_language()
    return replace(frame, read_in=asked) if asked and asked != frame.page.language else frame


def address_in(language: str, path: str, *, own: str) -> str:
    """The path of a page in a language, from the root of the host."""
    return urlsplit(current_links().base).path + prefix(language, own=own) + path


def _take_off(endpoint: str | None, values: dict[str, Any] | None) -> None:
    if values:
        values.pop("language", None)


def _lead_to_own() -> Response | None:
    """One address for each page: what names the page's own language is led to where it names none.

    A page may have changed its language, and links to it go on working.
    """
    asked, path = split_path(request.path)
    if asked is None or request.url_rule is None or request.method not in {"GET", "HEAD"}:
        return None
    own = own_language()
    return _lead(address_in(own, path, own=own)) if asked == own else None


def _add_slash() -> Response:
    """The front page of a language, as people type it."""
    language = BY_SEGMENT[request.path.strip("/")].code
    return _lead(address_in(language, "/", own=own_language()))


def _lead(path: str) -> Response:
    answer = make_response(redirect(path, 302))
    answer.headers["Cache-Control"] = "no-cache"
    return answer
