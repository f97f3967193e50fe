"""The company's own API for incidents, where Statuspage's v1 cannot say it.

Internal incidents and facts, who is left out and why, what is promised, and what became of each
message.  Errors are problem documents (:mod:`.problems`); what a key may do is asked by the verbs.
``incidents.json`` beside the other descriptions says what all of it takes and gives.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from types import ModuleType
from typing import Any, Final
from uuid import uuid4

import orjson
from flask import Blueprint, Flask, Response, request
from flask.typing import ResponseReturnValue
from sqlalchemy import Select, select
from sqlalchemy.orm import Session, selectinload
from werkzeug.exceptions import RequestEntityTooLarge

from statuspage.admin import body_limits
from statuspage.admin.drafting import as_typed
from statuspage.api import callers
from statuspage.api.problems import problem
from statuspage.api.v1_changes import read_components
from statuspage.api.v1_values import (
    read_codes,
    read_flag,
    read_line,
    read_moment,
    read_term,
    read_text,
)
from statuspage.configuration import severity
from statuspage.core import clock
from statuspage.core.conflict import Conflict
from statuspage.core.db import current_session
from statuspage.core.enums import (
    CLOSED,
    Audience,
    IncidentStatus,
    KeyScope,
    Kind,
    Visibility,
)
from statuspage.core.errors import Invalid
from statuspage.core.links import current_links
from statuspage.core.richtext import clean_line
from statuspage.delivery import report
from statuspage.incidents import lifecycle, saved_drafts
from statuspage.incidents.classification import classify
from statuspage.incidents.inputs import Declaration, NewUpdate
from statuspage.incidents.publish import Submission
from statuspage.incidents.resolution import gate
from statuspage.incidents.tickets import SCHEMA_TEXT
from statuspage.messages.checks import Blocked
from statuspage.messages.compose import Text
from statuspage.messages.facts import INTERNAL, PUBLIC, FactKind
from statuspage.models import Incident, IncidentComponent, IncidentUpdate
from statuspage.public import openapi
from statuspage.recipients.who_receives import AudienceChoice

MOST_BYTES: Final = 256 * 1024
PAGE_SIZE: Final = 50
LONGEST_KEY: Final = 200
NEEDS_APPROVAL: Final = "because_approval"
"""The field that a resolution is refused on where a second account must approve it first."""

_TEXTS: Final = frozenset({FactKind.LINE, FactKind.PROSE, FactKind.ADDRESS})
TAKES: Final = body_limits.takes_up_to(body_limits.with_api_key(MOST_BYTES))
_NOTIFIED: Final = {audience.value: audience for audience in Audience if audience != "public"}

incidents = Blueprint("own_incidents", __name__, url_prefix="/api/v1/incidents")


class UnreadableRequest(Exception):
    """The request cannot be read; ``answer`` says why."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.answer = problem(status, detail)


def register(app: Flask, *_further: ModuleType) -> None:
    """Hang the addresses on the app, and those of further modules that stand on the same part."""
    app.register_blueprint(incidents)
    app.add_url_rule("/schemas/ticket.json", "ticket_schema", ticket_schema)


def ticket_schema() -> ResponseReturnValue:
    """What a ticket is, as JSON Schema; for everybody."""
    return Response(SCHEMA_TEXT, mimetype="application/schema+json")


@incidents.before_request
def admit() -> None:
    """Only with a key that works; only the description is for everybody."""
    if request.endpoint != "own_incidents.description":
        callers.admit("incidents")


@incidents.after_request
def set_headers(answer: Response) -> Response:
    """What a key may read must stay behind nowhere on the way."""
    answer.headers["Cache-Control"] = "no-store"
    return answer


@incidents.get("/openapi.json")
def description() -> ResponseReturnValue:
    """What all of this takes and gives, as OpenAPI."""
    return answer(openapi.describe("incidents", current_links()))


@incidents.get("")
def list_incidents() -> ResponseReturnValue:
    """Incidents and maintenances, newest first, fifty at a time; ``next`` goes on."""
    callers.need(KeyScope.READ)
    session = current_session()
    chosen = newest_incidents().limit(PAGE_SIZE + 1)
    if "after" in request.args:
        last = found_incident(request.args["after"])
        chosen = chosen.where(Incident.id < last.id)
    if read_flag(request.args, "open", default=False):
        chosen = chosen.where(Incident.status.not_in(CLOSED))
    rows = session.scalars(chosen).all()
    shown, is_more = rows[:PAGE_SIZE], len(rows) > PAGE_SIZE
    path = f"/api/v1/incidents?after={shown[-1].code}" if is_more else ""
    return answer(
        {
            "incidents": [as_object(one) for one in shown],
            "next": current_links().to(path) if path else None,
        }
    )


@incidents.get("/<id:code>")
def get_incident(code: str) -> ResponseReturnValue:
    """One incident whole; its ETag is its version."""
    callers.need(KeyScope.READ)
    return _shown(found_incident(code))


@incidents.post("")
@TAKES
def declare_incident() -> ResponseReturnValue:
    """Declare an incident, public or internal."""
    sent, session = read_body(), current_session()
    texts = read_text(sent, "text")
    declaration = Declaration(
        title=read_line(sent, "title") or "",
        severity_rank=_rank(session, sent) or 0,
        users_notice=read_text(sent, "users_notice") or texts or "",
        components=read_components(session, sent),
        started_at=read_moment(sent, "started_at"),
        status=read_term(sent, "status", IncidentStatus) or IncidentStatus.INVESTIGATING,
        visibility=read_term(sent, "visibility", Visibility) or Visibility.PUBLIC,
        next_update_at=read_moment(sent, "next_update_at"),
        no_promise_because=read_line(sent, "no_promise_because"),
        public_facts=read_facts(sent, "public_facts"),
        internal_facts=read_facts(sent, "internal_facts"),
    )
    if declaration.severity_rank == 0:
        raise Invalid("severity", _levels(session))
    if declaration.status in CLOSED:
        raise Invalid("status", "An incident is declared while it is open.")
    made = lifecycle.declare(declaration, read_submission(sent))
    return _shown(found_incident(made.code), 201)


@incidents.post("/<id:code>/updates")
@TAKES
def post_update(code: str) -> ResponseReturnValue:
    """Post an update: resolve, reopen, or only say more.  ``If-Match`` is the version seen."""
    incident, sent = found_incident(code), read_body()
    update = read_update(incident, sent)
    verb = lifecycle.reopen if reopens(incident, update) else lifecycle.post_update
    try:
        verb(code, update, read_submission(sent, seen=seen_version()))
    except Invalid as refused:
        if refused.field != NEEDS_APPROVAL:
            raise
        prepare(code, as_typed(update, text=read_text(sent, "text") or ""))
        return answer({"approval_required": True, **where_prepared(code)}, 202)
    return _shown(found_incident(code), 201)


def reopens(incident: Incident, update: NewUpdate) -> bool:
    """Whether an update opens an incident again."""
    return not incident.is_open and update.status not in CLOSED


def prepare(code: str, form: Sequence[tuple[str, str]]) -> None:
    """Keep a draft that a person opens in the admin, by the caller's key."""
    holder, version = callers.caller(), found_incident(code).version
    saved_drafts.save_tool_draft(
        code, form, key_id=holder.key_id, seen_version=version, actor=holder.actor
    )


def where_prepared(code: str) -> dict[str, str]:
    """Where a person goes on with it."""
    return {"admin_url": f"{current_links().admin_incident(code)}#post"}


@incidents.put("/<id:code>/classification")
@TAKES
def put_classification(code: str) -> ResponseReturnValue:
    """Give an incident tags, and its cause a category; what is not sent stays as it is."""
    sent, incident = read_body(), found_incident(code)
    check_is_incident(incident)
    tags, cause = read_codes(sent, "tags"), incident.cause_category
    if "cause_category" in sent:
        cause = read_line(sent, "cause_category") or ""
    tags = incident.tags if tags is None else tags
    classify(code, tags, cause, actor=callers.caller().actor)
    return _shown(found_incident(code))


@incidents.get("/<id:code>/deliveries")
def list_deliveries(code: str) -> ResponseReturnValue:
    """What became of each message about an incident, counted by state; newest first."""
    callers.need(KeyScope.READ)
    tallies = report.tallies(current_session(), found_incident(code).id)
    return answer(
        {
            "messages": [
                {
                    "audience": message.audience.value,
                    "step": message.step.value,
                    "subject": message.subject,
                    "created_at": show_moment(message.created_at),
                    "deliveries": {state.value: n for state, n in tally.counts.items()},
                }
                for message, tally in tallies
            ]
        }
    )


# --- what is sent --------------------------------------------------------------------------------


def read_body() -> Mapping[str, Any]:
    """The object that was sent; raises :class:`UnreadableRequest`."""
    if request.mimetype != "application/json":
        raise UnreadableRequest(415, "Send the body as application/json.")
    try:
        sent = orjson.loads(request.get_data(cache=False))
    except RequestEntityTooLarge:
        raise UnreadableRequest(413, f"Send at most {MOST_BYTES:,} bytes.") from None
    except orjson.JSONDecodeError as error:
        raise UnreadableRequest(400, f"This is not JSON: {error}.") from None
    if not isinstance(sent, dict):
        raise UnreadableRequest(422, "Send one object.")
    return sent


def read_update(incident: Incident, sent: Mapping[str, Any]) -> NewUpdate:
    """The update that was sent; raises :class:`Invalid`."""
    check_is_incident(incident)
    session = current_session()
    return NewUpdate(
        read_term(sent, "status", IncidentStatus) or IncidentStatus(incident.status),
        components=read_components(session, sent),
        next_update_at=read_moment(sent, "next_update_at"),
        no_promise_because=read_line(sent, "no_promise_because"),
        severity_rank=_rank(session, sent),
        users_notice=read_text(sent, "users_notice"),
        public_facts=read_facts(sent, "public_facts"),
        internal_facts=read_facts(sent, "internal_facts"),
        happened_at=read_moment(sent, "happened_at"),
        although=_although(sent),
        false_alarm=read_flag(sent, "false_alarm", default=False),
        no_change=read_flag(sent, "no_change", default=False),
        title=read_line(sent, "title"),
    )


def check_is_incident(incident: Incident) -> None:
    """Raise :class:`Invalid` for a maintenance, whose steps are others."""
    if incident.kind is not Kind.INCIDENT:
        raise Invalid("status", "This is a maintenance; use Statuspage's v1 for it.")


def read_submission(sent: Mapping[str, Any], *, seen: int | None = None) -> Submission:
    """Who posts, with which texts and to whom; raises :class:`Invalid`."""
    text = read_text(sent, "text")
    names = read_codes(sent, "leave_out") or []
    for name in names:
        if name not in _NOTIFIED:
            raise Invalid("leave_out", f"Send some of: {', '.join(_NOTIFIED)}")
    return Submission(
        callers.caller().actor,
        form_key(),
        seen_version=seen,
        texts={Audience.PUBLIC: Text("", text)} if text else {},
        choice=AudienceChoice(
            frozenset(_NOTIFIED[name] for name in names), read_line(sent, "because") or ""
        ),
    )


def form_key() -> str:
    """Of the ``Idempotency-Key``: the same key sent again with the same API key posts once."""
    given = request.headers.get("Idempotency-Key", "").strip()
    if not given:
        return uuid4().hex
    if len(given) > LONGEST_KEY:
        raise Invalid("Idempotency-Key", f"Use at most {LONGEST_KEY} characters")
    whole = f"{callers.caller().key_id} {request.path} {given}"
    return blake2b(whole.encode("utf-8", "surrogatepass"), digest_size=24).hexdigest()


def seen_version() -> int | None:
    """The version of ``If-Match``; None where none is given, a conflict for what is none."""
    given = request.headers.get("If-Match", "").strip().strip('"')
    if given in {"", "*"}:
        return None
    if not (given.isascii() and given.isdigit() and len(given) < 10):
        raise Conflict(None)
    return int(given)


def _rank(session: Session, sent: Mapping[str, Any]) -> int | None:
    name = read_line(sent, "severity")
    if name is None:
        return None
    for level in severity.severity_levels(session):
        if level.name.casefold() == name.casefold():
            return level.rank
    raise Invalid("severity", _levels(session))


def _levels(session: Session) -> str:
    return f"Send one of: {', '.join(one.name for one in severity.severity_levels(session))}"


def read_facts(sent: Mapping[str, Any], name: str) -> dict[str, str]:
    """Facts by their names; the text of each."""
    value = sent.get(name)
    if value is None:
        return {}
    declared = INTERNAL if name == "internal_facts" else PUBLIC
    typed = {fact.name for fact in declared if fact.place and fact.kind in _TEXTS}
    if not isinstance(value, dict):
        raise Invalid(name, "Send an object of facts")
    for fact in value:
        if fact not in typed:
            raise Invalid(name, f"There is no fact “{fact[:40]}”: {', '.join(sorted(typed))}")
    return {fact: read_text(value, fact) or "" for fact in value}


def _although(sent: Mapping[str, Any]) -> dict[str, str]:
    value = sent.get("although")
    if value is None:
        return {}
    if not isinstance(value, dict) or not value.keys() <= gate.WHY_NOT.keys():
        raise Invalid("although", f"Send reasons for some of: {', '.join(gate.WHY_NOT)}")
    return {name: read_line(value, name) or "" for name in value}


# --- what is answered ----------------------------------------------------------------------------


def answer(value: object, status: int = 200) -> Response:
    """An answer in JSON."""
    return Response(orjson.dumps(value), status, mimetype="application/json")


def _shown(incident: Incident, status: int = 200) -> Response:
    made = answer(as_object(incident), status)
    made.set_etag(str(incident.version))
    return made


def found_incident(code: str) -> Incident:
    """The incident of that code; raises ``NoResultFound``."""
    chosen = select(Incident).filter_by(code=clean_line(code)[:64])
    return current_session().scalars(chosen).one()


def newest_incidents() -> Select[Incident]:
    """Incidents, the newest first, read with all that :func:`as_object` shows of them."""
    return (
        select(Incident)
        .options(
            selectinload(Incident.updates),
            selectinload(Incident.tagged),
            selectinload(Incident.affected).joinedload(IncidentComponent.component),
        )
        .order_by(Incident.id.desc())
    )


def as_object(incident: Incident) -> dict[str, Any]:
    """An incident as this API shows it."""
    links = current_links()
    return {
        "id": incident.code,
        "kind": incident.kind.value,
        "title": incident.title,
        "status": incident.status,
        "impact": incident.impact.value,
        "severity": incident.severity_name,
        "number": incident.number,
        "tags": incident.tags,
        "cause_category": incident.cause_category,
        "visibility": incident.visibility.value,
        "is_drill": incident.is_drill,
        "version": incident.version,
        "started_at": show_moment(incident.started_at),
        "resolved_at": show_moment(incident.resolved_at),
        "scheduled_for": show_moment(incident.scheduled_for),
        "scheduled_until": show_moment(incident.scheduled_until),
        "next_update_at": show_moment(incident.next_update_at),
        "users_notice": incident.users_notice,
        "public_facts": incident.public_facts,
        "internal_facts": incident.internal_facts,
        "components": [
            {"id": row.component.code, "name": row.component.name, "status": row.status.value}
            for row in incident.affected
        ],
        "updates": [_update(update) for update in reversed(incident.updates)],
        "url": None if incident.is_internal else links.incident(incident.code),
        "admin_url": links.admin_incident(incident.code),
    }


def _update(update: IncidentUpdate) -> dict[str, Any]:
    return {
        "id": update.code,
        "status": update.status,
        "visibility": update.visibility.value,
        "text": update.body,
        "happened_at": show_moment(update.happened_at),
        "posted_at": show_moment(update.posted_at),
        "next_update_at": show_moment(update.next_update_at),
        "no_promise_because": update.no_promise_because,
        "left_out": update.left_out,
        "although": update.gate,
    }


def show_moment(moment: Any) -> str | None:
    """A moment in ISO 8601, or nothing."""
    return clock.as_utc(moment).isoformat() if moment else None


@incidents.errorhandler(callers.KeyRefused)
def show_refused_key(error: callers.KeyRefused) -> ResponseReturnValue:
    """401, 403 or 429."""
    return problem(error.status, error.reason, headers=error.headers)


@incidents.errorhandler(UnreadableRequest)
def show_unreadable(error: UnreadableRequest) -> ResponseReturnValue:
    """What :func:`read_body` could not read."""
    return error.answer


@incidents.errorhandler(Conflict)
def show_conflict(_: Conflict) -> ResponseReturnValue:
    """412: the incident is no longer as ``If-Match`` says."""
    return problem(412, "Someone else changed this incident in the meantime. Read it again.")


@incidents.errorhandler(Invalid)
def show_invalid(error: Invalid) -> ResponseReturnValue:
    """422: the field and why; for a text that would leak, each rule and the place that broke it."""
    more: dict[str, Any] = {"errors": [{"field": error.field, "reason": error.reason}]}
    if isinstance(error, Blocked):
        more["findings"] = [{"rule": one.rule, "excerpt": one.excerpt} for one in error.findings]
    return problem(422, error.reason, **more)
