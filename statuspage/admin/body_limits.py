"""How large a request may be, by what it asks for and who sends it.

Strangers may send what a long form holds, signed-in people a sheet, the customers' file and the
company's tools what they need.  A larger body is answered 413 before anything is parsed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar
from wsgiref.types import WSGIEnvironment

from flask import Flask, Request, current_app, request
from flask.wrappers import Request as FlaskRequest
from werkzeug.exceptions import RequestEntityTooLarge

from statuspage.access import api_keys
from statuspage.admin import auth
from statuspage.core.config import current_settings
from statuspage.core.db import current_session
from statuspage.intake.alert_sources import SIGNATURES, has_signing_source

KB: Final = 1024
STRANGERS: Final = 64 * KB
SIGNED_IN: Final = 2 * KB * KB
# What a browser sends around a file: boundaries, names, the form's token.
FORM_AROUND_A_FILE: Final = 64 * KB
# A form of the admin names each component a few times; parsing a field costs microseconds.
MOST_FIELDS: Final = 10_000

# Set by a server that has refused the body already: the application then only says so.
REFUSED: Final = "statuspage.body_refused"

# What SendGrid and tools that send alerts sign with, as WSGI names it.
SIGNED: Final = frozenset(
    {
        "HTTP_X_TWILIO_EMAIL_EVENT_WEBHOOK_SIGNATURE",
        *(f"HTTP_{name.upper().replace('-', '_')}" for name, _ in SIGNATURES.values()),
    }
)

View = TypeVar("View", bound=Callable[..., Any])
Rule = Callable[[Request], int]
_rules: dict[Callable[..., Any], Rule] = {}


class LimitedRequest(FlaskRequest):
    """A request whose form has a bounded number of fields."""

    max_content_length = STRANGERS

    def _load_form_data(self) -> None:
        # Werkzeug bounds the parts of a multipart form, and not the fields of this kind.
        is_plain = self.mimetype == "application/x-www-form-urlencoded"
        if is_plain and self.get_data().count(b"&") >= MOST_FIELDS:
            raise RequestEntityTooLarge
        super()._load_form_data()


def register(app: Flask) -> None:
    """Hold every request to its limit, before any view reads its body."""
    app.request_class = LimitedRequest
    app.before_request(hold_to_limit)


def takes_up_to(most: int | Rule) -> Callable[[View], View]:
    """Mark a view that takes more than others: from signed-in people, or by a rule of its own."""

    def mark(view: View) -> View:
        _rules[view] = most if callable(most) else lambda _asked: _for_signed_in(most)
        return view

    return mark


def hold_to_limit() -> None:
    """Set the request's limit; raise 413 for one that a server has refused already."""
    request.max_content_length = body_limit(request)
    if is_refused(request):
        raise RequestEntityTooLarge


def is_refused(asked: Request) -> bool:
    """Whether the body is larger than its limit, so that nothing of it can be read."""
    most = asked.max_content_length
    return REFUSED in asked.environ or (most is not None and (asked.content_length or 0) > most)


def body_limit(asked: Request) -> int:
    """How many bytes the body of the current request may have; reads none of them."""
    view = _view(asked)
    if view is None or asked.method not in {"POST", "PUT", "PATCH", "DELETE"}:
        return STRANGERS
    if (rule := _rules.get(view)) is not None:
        return rule(asked)
    return _for_signed_in(SIGNED_IN) if asked.blueprint == "admin" else STRANGERS


def may_be_known(environ: WSGIEnvironment) -> bool:
    """Whether a request carries anything by which its sender could be more than a stranger."""
    return not environ.keys().isdisjoint({"HTTP_AUTHORIZATION", "HTTP_COOKIE", *SIGNED})


def with_webhook_key(most: int, header: str) -> Rule:
    """The limit for events that carry a signature, where a key could verify it."""

    def rule(asked: Request) -> int:
        is_expected = current_settings().sendgrid_webhook_key and asked.headers.get(header)
        return most if is_expected else STRANGERS

    return rule


def with_api_key(most: int) -> Rule:
    """The limit for a request with an API key that works."""

    def rule(asked: Request) -> int:
        kind, _, token = asked.headers.get("Authorization", "").partition(" ")
        is_known = kind.lower() in {"bearer", "oauth"} and api_keys.is_key(
            current_session(), token.strip()
        )
        return most if is_known else STRANGERS

    return rule


def from_alert_source(most: int) -> Rule:
    """The limit for a request with a key that works, as a password too, or with a signature.

    Whether a signature is right is known only once the body is read.
    """
    by_key = with_api_key(most)

    def rule(asked: Request) -> int:
        if (asked.content_length or most) <= STRANGERS:
            # Of what everybody may send, nobody needs to be known.
            return STRANGERS
        if asked.authorization and asked.authorization.type == "basic":
            password = asked.authorization.password or ""
            return most if api_keys.is_key(current_session(), password) else STRANGERS
        if SIGNED & asked.environ.keys() and has_signing_source(current_session()):
            return most
        return by_key(asked)

    return rule


def ask(app: Flask, environ: WSGIEnvironment) -> int:
    """The limit of a request that is not read yet; for a server, in a thread of its own."""
    environ = {name: value for name, value in environ.items() if name != "wsgi.input"}
    with app.request_context(environ):
        return body_limit(request)


def _view(asked: Request) -> Callable[..., Any] | None:
    return current_app.view_functions.get(asked.endpoint) if asked.endpoint else None


def _for_signed_in(most: int) -> int:
    return most if auth.signed_in() is not None else STRANGERS
