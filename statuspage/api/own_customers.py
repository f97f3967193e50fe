"""The company's own API: its list of customers, kept by a tool instead of by hand.

Every call carries a key with the scope ``customers`` (:mod:`.callers`).  Every error is a problem
document (:mod:`.problems`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import orjson
from flask import Blueprint, Flask, Response, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import RequestEntityTooLarge

from statuspage.access.audit import Actor
from statuspage.admin import body_limits
from statuspage.api import callers
from statuspage.api.problems import problem
from statuspage.core.db import current_session
from statuspage.core.enums import KeyScope
from statuspage.core.errors import Invalid
from statuspage.core.links import current_links
from statuspage.core.richtext import clean_line
from statuspage.models import Customer
from statuspage.public import openapi
from statuspage.recipients import customer_json, customers
from statuspage.recipients.customer_csv import ImportReport
from statuspage.recipients.customer_csv_rows import RowError
from statuspage.recipients.customers import KEY_LIMIT, check_line

MOST_BYTES: Final = 4 * 1024 * 1024
MOST_ROWS: Final = 1_000
PAGE_SIZE: Final = 100

_JSON: Final = "application/json"
_LINES: Final = frozenset({"application/x-ndjson", "application/ndjson", "application/jsonl"})

api = Blueprint("api", __name__, url_prefix="/api/v1")


class Unreadable(Exception):
    """The request cannot be read; ``answer`` says why."""

    def __init__(self, status: int, detail: str, **headers: str) -> None:
        super().__init__(detail)
        self.answer = problem(status, detail, headers=headers)


def register(app: Flask) -> None:
    """Hang the addresses on the app."""
    app.register_blueprint(api)


@api.errorhandler(Unreadable)
def show_unreadable(error: Unreadable) -> ResponseReturnValue:
    """What :func:`_body` could not read."""
    return error.answer


@api.errorhandler(callers.KeyRefused)
def show_refusal(error: callers.KeyRefused) -> ResponseReturnValue:
    """Why a key does not open this."""
    return problem(error.status, error.reason, headers=error.headers)


@api.after_request
def set_headers(answer: Response) -> Response:
    """No copy of anybody's data may stay behind on the way."""
    answer.headers["Cache-Control"] = "no-store"
    return answer


@api.get("/openapi.json")
def description() -> ResponseReturnValue:
    """What all of this takes and gives, as OpenAPI; for everybody."""
    return _json(openapi.describe("customers", current_links()))


@api.get("/customers")
def list_customers() -> ResponseReturnValue:
    """A page of customers by address, and where it goes on."""
    session = current_session()
    text, tag, after = (
        clean_line(request.args.get(name, ""))[:320] for name in ("text", "tag", "after")
    )
    found = customers.search_customers(
        session, text=text, tag=tag, after=after, page_size=PAGE_SIZE
    )
    following = None
    if found.after:
        path = url_for("api.list_customers", text=text or None, tag=tag or None, after=found.after)
        following = current_links().to(path.removeprefix(request.script_root))
    return _json(
        {"customers": customer_json.as_objects(session, found.customers), "next": following}
    )


@api.put("/customers")
@body_limits.takes_up_to(body_limits.with_api_key(MOST_BYTES))
def put_customers() -> ResponseReturnValue:
    """Keep many customers: a JSON array, or one object a line; wrong ones are named by index."""
    objects, errors = _read_many()
    report = customer_json.put_customers(objects, actor=_actor(), source="API", errors=errors)
    counts = {"added": report.added, "updated": report.updated, "unchanged": report.unchanged}
    wrong, notes = _errors(report.errors), _notes(report)
    if wrong and not any(counts.values()):
        return problem(422, "No customer in it can be taken.", errors=wrong)
    return _json({**counts, "errors": wrong, "notes": notes})


@api.get("/customers/<path:key>")
def get_customer(key: str) -> ResponseReturnValue:
    """One customer."""
    found = customer_json.find_customer(current_session(), key)
    return _json(_object(found)) if found else _no_customer(key)


@api.put("/customers/<path:key>")
@body_limits.takes_up_to(body_limits.with_api_key(MOST_BYTES))
def put_customer(key: str) -> ResponseReturnValue:
    """Keep one customer whole: 201 where they are new, 200 where they were known."""
    _check_key(key)
    given = _parse(_body(_JSON))
    if not isinstance(given, Mapping):
        return problem(422, "Send one object.")
    if given.get("key", key) != key:
        return problem(
            422, "The key in the body is not the key in the address.",
            errors=[{"field": "key", "reason": "Leave it out, or send the one in the address"}],
        )  # fmt: skip
    report = customer_json.put_customers({0: {**given, "key": key}}, actor=_actor(), source="API")
    if report.errors:
        return _refuse_one(report.errors)
    found = customer_json.find_customer(current_session(), key)
    # Somebody may have removed them in the same moment.
    return _json(_object(found), 201 if report.added else 200) if found else _no_customer(key)


@api.delete("/customers/<path:key>")
def delete_customer(key: str) -> ResponseReturnValue:
    """Forget one customer; what was sent to them stays on record."""
    found = customer_json.find_customer(current_session(), key)
    if found is None:
        return _no_customer(key)
    try:
        customers.remove_customer(found.id, actor=_actor())
    except LookupError:
        return _no_customer(key)
    return Response(status=204)


# --- who asks ------------------------------------------------------------------------------------


@api.before_request
def refuse_strangers() -> None:
    """Only with a key that works, and that may keep customers."""
    if request.endpoint != "api.description":
        callers.admit("customers")
        callers.need(KeyScope.CUSTOMERS)


def _actor() -> Actor:
    return callers.caller().actor


# --- what is sent --------------------------------------------------------------------------------


def _body(*types: str) -> bytes:
    """The body, of one of these types; raises :class:`Unreadable`."""
    if request.mimetype not in types:
        allowed = ", ".join(types)
        raise Unreadable(415, f"Send the body as {' or '.join(types)}.", Accept=allowed)
    if request.headers.get("Content-Encoding", "identity") != "identity":
        raise Unreadable(415, "Send the body without a content encoding.")
    try:
        return request.get_data(cache=False)
    except RequestEntityTooLarge:
        raise Unreadable(413, f"Send at most {MOST_BYTES:,} bytes at once.") from None


def _check_key(key: str) -> None:
    try:
        is_sound = check_line("key", key, limit=KEY_LIMIT) == key
    except Invalid:
        is_sound = False
    if not is_sound:
        raise Unreadable(
            422, f"A key is one line of at most {KEY_LIMIT} characters, without spaces around it."
        )


def _parse(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Unreadable(400, f"This is not JSON: {error}.") from None


def _read_many() -> tuple[dict[int, object], list[RowError]]:
    """The objects by index, and what is wrong with lines that hold none."""
    body = _body(_JSON, *sorted(_LINES))
    if request.mimetype in _LINES:
        return _read_lines(body)
    objects = _parse(body)
    if not isinstance(objects, list):
        raise Unreadable(422, "Send an array of objects.")
    _limit(len(objects))
    return dict(enumerate(objects)), []


def _read_lines(body: bytes) -> tuple[dict[int, object], list[RowError]]:
    lines = [line for line in body.split(b"\n") if line.strip()]
    _limit(len(lines))
    objects: dict[int, object] = {}
    errors = []
    for index, line in enumerate(lines):
        try:
            objects[index] = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            errors.append(RowError(index, "", line[:200].decode("utf-8", "replace"),
                                   f"This is not JSON: {error}"))  # fmt: skip
    return objects, errors


def _limit(count: int) -> None:
    if count > MOST_ROWS:
        raise Unreadable(413, f"Send at most {MOST_ROWS:,} customers at once, not {count:,}.")


# --- what is answered ----------------------------------------------------------------------------


def _json(value: object, status: int = 200) -> Response:
    return Response(orjson.dumps(value), status, mimetype=_JSON)


def _object(customer: Customer) -> dict[str, Any]:
    return customer_json.as_objects(current_session(), [customer])[0]


def _no_customer(key: str) -> Response:
    return problem(404, f"There is no customer with key {key[:200]!r}.")


def _errors(errors: tuple[RowError, ...]) -> list[dict[str, Any]]:
    return [
        {"index": one.line, "field": one.field, "value": one.value, "reason": one.reason}
        for one in errors
    ]


def _notes(report: ImportReport) -> list[dict[str, Any]]:
    reason = "The same customer came before in this list; this one counts"
    return [{"index": note.line, "reason": reason} for note in report.notes]


def _refuse_one(errors: tuple[RowError, ...]) -> Response:
    status = 409 if all(one.conflict for one in errors) else 422
    named = [{"field": one.field, "value": one.value, "reason": one.reason} for one in errors]
    return problem(status, "; ".join(f"{one.field}: {one.reason}" for one in errors), errors=named)
