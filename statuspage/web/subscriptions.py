"""Leaving by the link in a mail: opening it only asks, the button (or the mail program) acts.

No cookie and no token of a form is asked for: the address itself is the proof, and mail programs
post to it by themselves (RFC 8058).  Whoever only follows links, as scanners do, changes nothing.
"""

from __future__ import annotations

from flask import Blueprint, Flask, Response, make_response, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from statuspage import subscriptions
from statuspage.config import current_settings
from statuspage.db import db, session
from statuspage.links import current_links, read_delivery_token
from statuspage.site import pages
from statuspage.site.reading import open_site, read_frame
from statuspage.subscriptions import Standing

leaving = Blueprint("leaving", __name__)

STAY = "stay"


def register(app: Flask) -> None:
    """Hang the addresses on the app."""
    app.register_blueprint(leaving)


@leaving.get("/unsubscribe/<token>")
def ask(token: str) -> ResponseReturnValue:
    """Show what leaving means, with a button; opening the link changes nothing."""
    standing = subscriptions.standing(session(), _delivery_of(token))
    if standing is None:
        raise NotFound
    return _show(standing, acted="")


@leaving.post("/unsubscribe/<token>")
def act(token: str) -> ResponseReturnValue:
    """Leave, or with ``choice=stay`` take that back; once or often, the result is the same.

    The body that mail programs send, ``List-Unsubscribe=One-Click``, leaves as the button does.
    """
    delivery_id = _delivery_of(token)
    wants_to_stay = request.form.get("choice") == STAY
    try:
        if wants_to_stay:
            return _show(subscriptions.stay(delivery_id), acted=STAY)
        return _show(subscriptions.leave(delivery_id), acted="leave")
    except LookupError:
        raise NotFound from None


def _delivery_of(token: str) -> int:
    delivery_id = read_delivery_token(current_settings().secret_key, token)
    if delivery_id is None:
        raise NotFound
    return delivery_id


def _show(standing: Standing, *, acted: str) -> Response:
    with open_site(db.engine) as site:
        frame = read_frame(site)
    html = pages.render_leaving(
        frame,
        current_links(),
        email=standing.email,
        suppressed=standing.suppressed,
        is_owed=standing.is_owed,
        acted=acted,
    )
    answer = make_response(html)
    answer.headers["Cache-Control"] = "no-store"
    # The address of this page is a key: no other site may learn it.
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer
