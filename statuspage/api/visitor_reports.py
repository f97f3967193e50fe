"""The public form that reports a problem, where the page takes reports.

As the forms about mail (:mod:`statuspage.public.subscription_pages`): no cookie, no token, and what
is sent from another site is refused.
"""

from __future__ import annotations

from dataclasses import replace

from flask import Blueprint, Flask, Response, make_response, redirect, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from statuspage.access.visitor_limits import TooManyVisitors
from statuspage.core.db import db
from statuspage.core.errors import Invalid
from statuspage.core.languages import N_, translations
from statuspage.core.links import current_links
from statuspage.intake.problem_reports import report_as_visitor
from statuspage.models.columns import CODE_LENGTH, LINE_LIMIT
from statuspage.public import html_pages, http
from statuspage.public.mail_form import ReportForm, listed
from statuspage.public.page_language import (
    IN_A_LANGUAGE,
    address_in,
    asked_language,
    own_language,
    present_frame,
)
from statuspage.public.queries import open_site
from statuspage.public.times import Times

visitor_reports = Blueprint("visitor_reports", __name__)

_FOREIGN = N_("This form was sent by another site. Send it from here.")
_REFUSED = {
    "text": N_("Say what doesn’t work."),
    "component": N_("One of these components no longer exists."),
}


def register(app: Flask) -> None:
    """Hang the addresses on the app."""
    app.register_blueprint(visitor_reports)


@visitor_reports.get("/report")
@visitor_reports.get(IN_A_LANGUAGE + "/report")
def show_report() -> ResponseReturnValue:
    """The form; or that it was sent."""
    return _page(ReportForm(), is_sent="sent" in request.args)


@visitor_reports.post("/report")
@visitor_reports.post(IN_A_LANGUAGE + "/report")
def send_report() -> ResponseReturnValue:
    """Count a report; 404 where none are taken."""
    form = ReportForm(
        text=request.form.get("text", "")[:LINE_LIMIT],
        component=request.form.get("component", "")[:CODE_LENGTH],
    )
    if request.headers.get("Sec-Fetch-Site") == "cross-site":
        return _page(replace(form, field="form", reason=_FOREIGN), 403)
    if request.form.get("website"):
        return _sent()
    try:
        report_as_visitor(form.text, form.component, client=http.present_address())
    except LookupError:
        raise NotFound from None
    except TooManyVisitors as error:
        answer = _page(replace(form, field=error.field, reason=_too_many(error)), 429)
        answer.headers["Retry-After"] = str(int(error.wait.total_seconds()) + 1)
        return answer
    except Invalid as error:
        return _page(replace(form, field=error.field, reason=_REFUSED[error.field]), 422)
    return _sent()


def _page(form: ReportForm, status: int = 200, *, is_sent: bool = False) -> Response:
    with open_site(db.engine) as site:
        if not site.page.takes_reports:
            raise NotFound
        frame = present_frame(site)
    html = html_pages.render_unlisted(
        "public/report.html",
        frame,
        current_links(),
        here="/report",
        parts=listed(site.tree),
        form=form,
        is_sent=is_sent,
    )
    answer = make_response(html, status)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _sent() -> Response:
    own = own_language()
    answer = redirect(address_in(asked_language() or own, "/report", own=own) + "?sent", 303)
    answer.headers["Cache-Control"] = "no-store"
    return make_response(answer)


def _too_many(error: TooManyVisitors) -> str:
    """What the error says, in the language of the page."""
    language = asked_language() or own_language()
    say = translations(language).gettext
    text = (
        say("Too many reports right now. Try again in %(time)s.")
        if error.everybody
        else say("Too many reports from your network. Try again in %(time)s.")
    )
    return text % {"time": Times(language, "UTC").length(int(error.wait.total_seconds()) + 59)}
