"""Assistants over HTTP: ``/mcp``, behind an API key.  ``docs/agents.md`` says how one connects."""

from __future__ import annotations

from importlib import import_module
from typing import Any, Final

from flask import Blueprint, Flask, Response, request
from flask.typing import ResponseReturnValue

from statuspage.admin import body_limits
from statuspage.api import callers
from statuspage.api.callers import KeyRefused
from statuspage.api.problems import problem
from statuspage.core.enums import KeyScope

MOST_BYTES: Final = 256 * 1024
# What the protocol reads of a request; anything else stays here.
_READ: Final = ("Accept", "Content-Type", "Mcp-Protocol-Version", "Mcp-Method", "Mcp-Name")

agents = Blueprint("agents", __name__)


def register(app: Flask) -> None:
    """Hang the address on the app."""
    app.register_blueprint(agents)


@agents.errorhandler(KeyRefused)
def agent_refused(refusal: KeyRefused) -> ResponseReturnValue:
    """Say why nothing was answered."""
    return problem(refusal.status, refusal.reason, headers=refusal.headers)


@agents.post("/mcp")
@body_limits.takes_up_to(body_limits.with_api_key(MOST_BYTES))
def mcp() -> ResponseReturnValue:
    """Answer one message of the protocol, in JSON; there are no sessions."""
    callers.admit("mcp")
    holder = callers.need(KeyScope.READ)
    headers = {name: request.headers[name] for name in _READ if name in request.headers}
    made = protocol().answer_http(
        holder, method=request.method, headers=headers, body=request.get_data(cache=False)
    )
    answer = Response(made.body, made.status)
    for name, value in made.headers:
        if name.lower() not in {"content-length", "mcp-session-id"}:
            answer.headers[name] = value
    answer.headers["Cache-Control"] = "no-store"
    return answer


def protocol() -> Any:
    """The module that speaks the protocol, loaded where one is spoken."""
    return import_module("statuspage.api.mcp_server")
