"""The one place where errors become answers: pages in the product's look, JSON for tools."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Final

from flask import Flask, Response, current_app, make_response, request
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import InterfaceError, NoResultFound, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import (
    Forbidden,
    HTTPException,
    NotFound,
    RequestEntityTooLarge,
    SecurityError,
    ServiceUnavailable,
)

from statuspage.access import permissions
from statuspage.admin import auth, body_limits
from statuspage.api.problems import problem
from statuspage.api.v1_requests import error_answer
from statuspage.core.links import current_links
from statuspage.public import html_pages, on_demand_views
from statuspage.public.page_language import asked_language, own_language

log = logging.getLogger(__name__)

RETRY_SECONDS: Final = 10
# What a visitor meets while the service is well: these are in the page's own frame.
_FRAMED: Final = frozenset({404, 405, 410})


@dataclass(frozen=True, slots=True)
class Explanation:
    """What an error page of the admin says: what happened, and what to do."""

    title: str
    text: str


_EXPLANATIONS: Final = {
    400: Explanation("That request could not be read", "Go back and try it again."),
    401: Explanation("Please sign in", "Your sign-in has ended, so nothing was saved."),
    403: Explanation("You don’t have permission", "Ask an administrator of the page."),
    404: Explanation("Page not found", "It may have been removed, or the address is wrong."),
    405: Explanation("Not possible here", "Go back and use the page's own buttons."),
    413: Explanation("Too large", "Send a smaller file or a shorter text."),
    500: Explanation(
        "Something went wrong on our side",
        "It has been logged. Check whether what you did was saved before you do it again.",
    ),
    503: Explanation(
        "The database cannot be reached",
        "Nothing new can be shown or saved until it’s back. The public page keeps "
        "showing the last known status. Check whether what you sent was saved before you "
        "send it again.",
    ),
}
# What a tool is answered, beside the name of the error.
_DETAILS: Final = {
    403: "The API key lacks the scope for this.",
    404: "There is nothing at this address.",
    405: "This method cannot be used here.",
    413: "Send less at once, with a key that works.",
    500: "It has been logged. Check whether it was done before doing it again.",
    503: "The database can’t be reached. Try again; putting a customer twice does no harm.",
}
_FORGED: Final = Explanation(
    "This form was too old to be accepted",
    "Nothing was saved. Open the page again and send it once more.",
)
_WRONG_HOST: Final = Explanation(
    "The service does not know this address",
    "It answers to the host name in its PUBLIC_URL setting, and on the machine itself as "
    "localhost. Set PUBLIC_URL to the address that people use.",
)


def register(app: Flask) -> None:
    """Answer for every error that leaves a view."""
    app.register_error_handler(HTTPException, show)
    for kind in (OperationalError, InterfaceError, PoolTimeout):
        app.register_error_handler(kind, show_database_away)
    app.register_error_handler(NoResultFound, show_missing)
    app.register_error_handler(permissions.Forbidden, show_forbidden)


def show(error: HTTPException) -> ResponseReturnValue:
    """A page for a person, JSON for a tool; redirects go on their way."""
    if error.code is None or error.code < 400:
        return error
    if request.path.startswith("/v1/"):
        reason = _DETAILS.get(error.code, error.name)
        return error_answer(error.code, reason, headers=_own_headers(error))
    if request.path.startswith("/api/v1/"):
        return problem(error.code, _DETAILS.get(error.code, ""), headers=_own_headers(error))
    answer = make_response(_body(error), error.code)
    answer.headers["Cache-Control"] = "no-store"
    if _wants_json():
        answer.mimetype = "application/json"
        # As what there is may be read by scripts of any site, so may that there is nothing.
        answer.headers["Access-Control-Allow-Origin"] = "*"
    answer.headers.update(_own_headers(error))
    return answer


def compile_pages(app: Flask) -> None:
    """Compile the page of the admin's errors: before a server starts, and not for a stranger."""
    with app.test_request_context("/admin/"):
        show(RequestEntityTooLarge())


def _own_headers(error: HTTPException) -> dict[str, str]:
    """What an error says besides its page: which methods are allowed, when to try again."""
    of_the_page = {"Content-Type", "Content-Length"}
    return {name: value for name, value in error.get_headers() if name not in of_the_page}


def show_missing(error: NoResultFound) -> ResponseReturnValue:
    """A row that a view asked for by its id and that is not there: 404."""
    return show(NotFound())


def show_forbidden(error: permissions.Forbidden) -> ResponseReturnValue:
    """403: what the role of whoever asked may not do, and which roles may."""
    refusal = RoleForbidden()
    refusal.permission = error.permission
    return show(refusal)


class RoleForbidden(Forbidden):
    """403 for a permission that the role lacks."""

    permission: permissions.Permission | None = None


def show_database_away(error: Exception) -> ResponseReturnValue:
    """503, try again: nothing is wrong with the request."""
    log.error("the database could not be used: %s", error)
    return show(ServiceUnavailable(retry_after=RETRY_SECONDS))


def typed_texts() -> list[tuple[str, str]]:
    """What a person typed into the refused form, to be copied from the page that refuses it.

    Only from a form of our own pages, so that no other site can put words there; no passwords.
    """
    is_own = request.headers.get("Sec-Fetch-Site") == "same-origin"
    if request.method != "POST" or not is_own or body_limits.is_refused(request):
        return []
    return [
        (name, text)
        for name, text in request.form.items(multi=True)
        if text.strip() and name not in _NOT_TYPED and "password" not in name
    ]


_NOT_TYPED: Final = frozenset({"code", "csrf_token", "form_key", "seen", "present", "new", "next"})


def _body(error: HTTPException) -> str | Response:
    code = error.code or 500
    if _wants_json():
        return make_response({"error": error.name})
    # A wrong host is the operator's to correct, whatever was asked for.
    if not request.path.startswith("/admin") and not isinstance(error, SecurityError):
        framed = on_demand_views.error_page(code) if code in _FRAMED else None
        return framed or html_pages.render_error(
            code, links=current_links(), asked=asked_language(), own=own_language()
        )
    # Not through Flask's own rendering: what surrounds a screen is read from the database.
    template = current_app.jinja_env.get_template("admin/error.html")
    return template.render(code=code, explanation=_explain(error, code), typed=typed_texts())


def _explain(error: HTTPException, code: int) -> Explanation:
    if isinstance(error, CSRFError):
        return _FORGED
    if isinstance(error, SecurityError):
        return _WRONG_HOST
    if isinstance(error, RoleForbidden) and error.permission is not None:
        return _explain_role(error.permission)
    return _EXPLANATIONS.get(code) or _EXPLANATIONS[500 if code >= 500 else 400]


def _explain_role(permission: permissions.Permission) -> Explanation:
    roles = [role.label for role in permissions.roles_with(permission)]
    person = auth.signed_in()
    yours = f"Your role is {person.role.label}. " if person else ""
    return Explanation(
        f"Your role cannot {permissions.MEANINGS[permission]}",
        f"{yours}This needs the role {' or '.join(roles)}. Ask an admin to change your role.",
    )


def _wants_json() -> bool:
    return request.path.startswith(("/api/", "/hooks/")) or request.path.endswith(".json")
