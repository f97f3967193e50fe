"""Requests to the management API in the shape of Statuspage's v1: who may send what, and errors.

Addresses, names, paging, limits and errors are as https://developer.statuspage.io has them, so that
tools written for it work here with another host and key.  Every address is also found with
``.json`` after it.  What is left out stands in ``docs/api.md``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from http import HTTPStatus
from itertools import pairwise
from types import ModuleType
from typing import Any, Final, TypeVar

import orjson
from flask import Blueprint, Flask, Response, request
from sqlalchemy.exc import NoResultFound
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.routing import BaseConverter

from statuspage.access import throttle
from statuspage.admin import body_limits
from statuspage.api import callers
from statuspage.core.conflict import Conflict
from statuspage.core.db import current_session, writing
from statuspage.core.enums import KeyScope
from statuspage.core.errors import Invalid
from statuspage.core.links import current_links
from statuspage.messages.checks import Blocked
from statuspage.models.page import the_page
from statuspage.public import openapi

MOST_BYTES: Final = 256 * 1024
PER_PAGE: Final = 100
CALLS: Final = 60
CALLS_WINDOW: Final = timedelta(minutes=1)

_PART: Final = re.compile(r"\[([^\[\]]*)\]")
# By what the forms call a field, where v1 has another word for it.
_FIELDS: Final = {
    "title": "name",
    "users_notice": "body",
    "what": "body",
    "text_public": "body",
    "because_approval": "status",
    "group_id": "components",
}

View = TypeVar("View", bound=Callable[..., Any])

v1 = Blueprint("v1", __name__, url_prefix="/v1")


class MissingRecord(Exception):
    """What an address names is not there; ``what`` says what that is."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


class UnreadableBody(Exception):
    """A body that is neither a form nor JSON, or is too large."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status, self.reason = status, reason


class _Identifier(BaseConverter):
    """An id in an address: never what follows a dot."""

    regex = r"[A-Za-z0-9_-]{1,64}"


def register(app: Flask, *_views: ModuleType) -> None:
    """Hang the addresses on the app; importing the modules of views has registered them."""
    app.url_map.converters["id"] = _Identifier
    app.register_blueprint(v1)


def route(rule: str, method: str, scope: KeyScope) -> Callable[[View], View]:
    """Answer a method at ``rule``, below the page, to keys with that scope."""
    path = f"/pages/<id:page_id>{rule}"

    def mark(view: View) -> View:
        marked = body_limits.takes_up_to(body_limits.with_api_key(MOST_BYTES))(view)
        for ending in ("", ".json"):
            v1.add_url_rule(
                path + ending, f"{view.__name__}{ending.replace('.', '_')}", marked,
                methods=[method], defaults={"needed": scope},
            )  # fmt: skip
        return view

    return mark


@v1.get("/openapi.json")
def description() -> Response:
    """What all of this takes and gives, as OpenAPI; for everybody."""
    return answer(openapi.describe("statuspage_v1", current_links()))


@v1.before_request
def admit() -> None:
    """Only with a key that works, that may do this, and that asks for a page of ours."""
    if request.endpoint == "v1.description":
        return
    holder = callers.admit("statuspage")
    with writing() as session:
        wait = throttle.count_try(
            session, "v1", str(holder.key_id), limit=CALLS, window=CALLS_WINDOW
        )
    if wait is not None:
        seconds = str(int(wait.total_seconds()) + 1)
        raise callers.KeyRefused(429, "Too many requests with this key.", Retry_After=seconds)
    arguments = request.view_args or {}
    if (scope := arguments.pop("needed", None)) is not None:
        callers.need(scope)
    page = the_page(current_session())
    if "page_id" in arguments and (page is None or arguments.pop("page_id") != page.code):
        raise MissingRecord("page")


@v1.after_request
def set_headers(answer: Response) -> Response:
    """What a key may read must stay behind nowhere on the way."""
    answer.headers["Cache-Control"] = "no-store"
    return answer


# --- what is sent --------------------------------------------------------------------------------


def sent_object(name: str, *, needed: bool = True) -> Mapping[str, Any]:
    """The object of that name in the body: ``{"incident": {...}}``, or ``incident[name]=...``.

    Raises :class:`UnreadableBody`, and :class:`Invalid` where it is no object or is not there.
    """
    found = sent_body().get(name)
    if found is None and not needed:
        return {}
    if not isinstance(found, Mapping):
        raise Invalid(name, f"Send an object “{name}”")
    return found


def sent_body() -> Mapping[str, Any]:
    """The whole body; JSON where it is one, whatever it says it is: some clients say nothing."""
    try:
        raw = request.get_data(cache=True)
    except RequestEntityTooLarge:
        raise UnreadableBody(413, f"Send at most {MOST_BYTES:,} bytes.") from None
    if not raw.strip():
        return {}
    is_form = request.mimetype in {"application/x-www-form-urlencoded", "multipart/form-data"}
    if is_form and not raw.lstrip().startswith(b"{"):
        return nested(request.form.items(multi=True))
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise UnreadableBody(400, f"This is not JSON: {error}.") from None
    if not isinstance(body, dict):
        raise UnreadableBody(400, "Send a JSON object.")
    return body


def nested(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """What a form says with brackets: ``incident[components][abc]=...``, ``[component_ids][]``."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        first, bracket, rest = name.partition("[")
        steps = [first, *_PART.findall(bracket + rest)]
        place: Any = found
        for step, following in pairwise(steps):
            if isinstance(place, dict):
                place = place.setdefault(step, [] if following == "" else {})
            else:
                place = None
        if isinstance(place, list) and steps[-1] == "":
            place.append(value)
        elif isinstance(place, dict) and steps[-1]:
            place[steps[-1]] = value
        else:
            raise Invalid(first, f"“{name[:100]}” does not fit what came before it")
    return found


def page_number() -> int:
    """Which page of a list is asked for, from 1."""
    return max(1, _number("page", 1))


def per_page() -> int:
    """How many a page holds; as on Statuspage ``limit`` is another name for it."""
    name = "limit" if "limit" in request.args else "per_page"
    return min(PER_PAGE, max(1, _number(name, PER_PAGE)))


def paged(rows: list[Any]) -> list[Any]:
    """The rows of the page that is asked for."""
    begin = (page_number() - 1) * per_page()
    return rows[begin : begin + per_page()]


def _number(name: str, default: int) -> int:
    text = request.args.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else default


# --- what is answered ----------------------------------------------------------------------------


def answer(value: object, status: int = 200) -> Response:
    """JSON, as Statuspage answers it: the object or the list itself."""
    return Response(orjson.dumps(value), status, mimetype="application/json")


def error_answer(
    status: int, reason: str, *, headers: Mapping[str, str] | None = None, **more: Any
) -> Response:
    """An error: ``error`` as Statuspage sends it, ``message`` as it documents it."""
    body = {"error": [reason] if status == 422 else reason, "message": reason, **more}
    made = answer(body, status)
    made.headers.update(dict(headers or {}))
    made.headers["Cache-Control"] = "no-store"
    return made


@v1.errorhandler(callers.KeyRefused)
def show_refused_key(error: callers.KeyRefused) -> Response:
    """401, 403 or 429."""
    return error_answer(error.status, error.reason, headers=error.headers)


@v1.errorhandler(MissingRecord)
def show_missing_record(error: MissingRecord) -> Response:
    """404 that says what is not there."""
    return error_answer(404, f"There is no such {error.what}.")


@v1.errorhandler(NoResultFound)
def show_missing_row(_: NoResultFound) -> Response:
    """404 for what went away meanwhile."""
    return error_answer(404, HTTPStatus.NOT_FOUND.phrase)


@v1.errorhandler(UnreadableBody)
def show_unreadable_body(error: UnreadableBody) -> Response:
    """400 or 413."""
    return error_answer(error.status, error.reason)


@v1.errorhandler(Invalid)
def show_invalid(error: Invalid) -> Response:
    """422: the field and why; for a text that would leak, each rule and the place that broke it."""
    field = _FIELDS.get(error.field, error.field)
    if not isinstance(error, Blocked):
        return error_answer(422, error.reason, field=field)
    findings = [{"rule": one.rule, "excerpt": one.excerpt} for one in error.findings]
    return error_answer(422, error.reason, field=field, findings=findings)


@v1.errorhandler(Conflict)
def show_conflict(_: Conflict) -> Response:
    """409: somebody else changed it in the same moment."""
    return error_answer(409, "Someone else changed this incident in the meantime. Read it again.")
