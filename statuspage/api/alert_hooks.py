"""What tools post when an alert fires or resolves: known by a key, kept, answered at once.

Nothing that comes in here is published: it becomes a suggestion (``statuspage/intake``).
"""

from __future__ import annotations

from typing import Final

from flask import Blueprint, Flask, jsonify, request
from flask.typing import ResponseReturnValue

from statuspage.admin import body_limits
from statuspage.api import callers
from statuspage.api.callers import KeyRefused
from statuspage.api.problems import problem
from statuspage.core.db import current_session
from statuspage.intake import alert_mapping, alert_sources, suggestions
from statuspage.intake.alert_mapping import TOOLS
from statuspage.intake.alert_sources import SIGNATURES
from statuspage.models import AlertSource
from statuspage.public import http

MOST_BYTES: Final = 1024 * 1024

alert_hooks = Blueprint("alert_hooks", __name__, url_prefix="/hooks")


def register(app: Flask) -> None:
    """Hang the addresses on the app."""
    app.register_blueprint(alert_hooks)


@alert_hooks.errorhandler(KeyRefused)
def key_refused(refusal: KeyRefused) -> ResponseReturnValue:
    """Say why nothing was taken."""
    return problem(refusal.status, refusal.reason, headers=refusal.headers)


@alert_hooks.post(f"/<any({','.join(TOOLS)}):tool>")
@body_limits.takes_up_to(body_limits.from_alert_source(MOST_BYTES))
def take(tool: str) -> ResponseReturnValue:
    """Keep a tool's alerts: 202 and how many; 400 for no JSON, 401 and 403 without its key.

    429 where it sends more than it may.  Alerts without a title, in states that do not count, and
    those that are too many, are left out and counted.
    """
    source = _source(tool)
    actor = alert_sources.as_actor(source, address=http.present_address())
    source_id, mapping = source.id, alert_sources.mapping_of(source)
    try:
        sent = alert_mapping.parse(request.get_data())
    except ValueError:
        return problem(400, "The body is not JSON.")
    alerts, unread = alert_mapping.read_alerts(mapping, sent)
    try:
        left_out = suggestions.take_alerts(source_id, alerts, actor=actor)
    except suggestions.TooManyRequests as throttled:
        wait = str(int(throttled.wait.total_seconds()) + 1)
        return problem(429, "Too many requests from this source.", headers={"Retry-After": wait})
    answer = jsonify(taken=len(alerts) - left_out, left_out=left_out + unread)
    answer.status_code = 202
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _source(tool: str) -> AlertSource:
    """The source that sent the request; raises :class:`KeyRefused`."""
    session = current_session()
    signature = request.headers.get(SIGNATURES[tool][0], "") if tool in SIGNATURES else ""
    if signature:
        signed = alert_sources.source_that_signed(session, tool, request.get_data(), signature)
        if signed is None:
            callers.refuse_signature()
        return signed
    holder = callers.admit("alerts", by_password=True)
    source = alert_sources.source_of_key(session, holder.key_id)
    if source is None:
        raise KeyRefused(403, "This key belongs to no alert source.")
    if source.tool != tool:
        raise KeyRefused(403, f"The source of this key sends to /hooks/{source.tool}.")
    return source
