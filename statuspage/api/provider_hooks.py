"""What providers post to us: verified, kept or done, answered at once."""

from __future__ import annotations

import logging

from flask import Blueprint, Flask, Response, jsonify, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from statuspage.admin import body_limits, provider
from statuspage.core.config import current_settings
from statuspage.core.errors import Invalid
from statuspage.delivery import provider_events, single_sign_on
from statuspage.delivery.channels.sendgrid_webhook import parse_events, verify_webhook

log = logging.getLogger(__name__)

# SendGrid sends a batch when it has reached 768 KB, or before.
# https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/getting-started-event-webhook
MOST_BYTES = 1024 * 1024
SIGNATURE = "X-Twilio-Email-Event-Webhook-Signature"
TIMESTAMP = "X-Twilio-Email-Event-Webhook-Timestamp"

hooks = Blueprint("hooks", __name__, url_prefix="/hooks")


def register(app: Flask) -> None:
    """Hang the addresses on the app."""
    app.register_blueprint(hooks)


@hooks.post("/sendgrid")
@body_limits.takes_up_to(body_limits.with_webhook_key(MOST_BYTES, SIGNATURE))
def sendgrid() -> ResponseReturnValue:
    """Keep SendGrid's events: 204, or 403 unsigned, 400 malformed, 503 while we cannot keep them.

    Events that cannot be read are counted and left out; those beside them are kept.
    https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/event
    """
    key = current_settings().sendgrid_webhook_key
    if key is None:
        return _refuse("no verification key is set, so no event can be believed", 403)
    body = request.get_data(cache=False)
    signature = request.headers.get(SIGNATURE, "")
    timestamp = request.headers.get(TIMESTAMP, "")
    if not verify_webhook(key, body, signature, timestamp):
        return _refuse("the signature does not fit these bytes", 403)
    try:
        events, unreadable = parse_events(body)
    except ValueError as error:
        return _refuse(str(error), 400)
    # A database that is away answers 503 (api/error_pages.py), and SendGrid sends them again.
    provider_events.keep(events, unreadable=len(unreadable))
    if unreadable:
        log.warning("%d of SendGrid's events were left out: %s", len(unreadable), unreadable[0])
    return "", 204


@hooks.post("/oidc-logout")
def oidc_logout() -> ResponseReturnValue:
    """End the sessions that have ended at the identity provider: 200, or 400 unproven.

    https://openid.net/specs/openid-connect-backchannel-1_0.html#BCResponse
    """
    if current_settings().oidc_issuer is None:
        raise NotFound
    try:
        ended = single_sign_on.end_sign_ins(
            provider.read_logout(request.form.get("logout_token", ""))
        )
    except Invalid as error:
        answer = jsonify(error="invalid_request", error_description=error.reason)
        answer.status_code = 400
    else:
        log.info("the identity provider ended %d sessions", ended)
        answer = Response(status=200)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _refuse(reason: str, code: int) -> Response:
    return Response(f"{reason}\n", code, mimetype="text/plain")
