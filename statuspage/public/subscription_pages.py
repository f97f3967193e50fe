"""Mail for the public: subscribing, confirming, changing, leaving.

Opening a link only shows; a button (or the mail program) acts.  No cookie and no token of a form is
asked for: whoever posts to ``/subscribe`` can have one mail sent to an address and no more, and
everywhere else the address of the page is the proof.  Mail programs post to it by themselves (RFC
8058), and whoever only follows links, as scanners do, changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TypeVar

from flask import Blueprint, Flask, Response, make_response, redirect, request
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from werkzeug.exceptions import NotFound

from statuspage.access.visitor_limits import TooManyVisitors
from statuspage.core.config import current_settings
from statuspage.core.db import current_session, db
from statuspage.core.enums import Impact, SubscribedUpdates, Term, Visibility
from statuspage.core.errors import Invalid
from statuspage.core.languages import N_, nearest, split_path, translations
from statuspage.core.links import current_links, read_delivery_token
from statuspage.delivery import subscribe, unsubscribe
from statuspage.delivery.subscribe import (
    Scenario,
    Subscription,
)
from statuspage.delivery.unsubscribe import AddressState
from statuspage.models import Component, Incident
from statuspage.models.columns import CODE
from statuspage.public import html_pages, http
from statuspage.public.mail_form import FollowedIncidentChoice, MailForm
from statuspage.public.page_language import (
    IN_A_LANGUAGE,
    address_in,
    asked_language,
    own_language,
    present_frame,
)
from statuspage.public.queries import Site, open_site
from statuspage.public.times import Times
from statuspage.recipients.subscribers import SubscriptionPreferences

AnyTerm = TypeVar("AnyTerm", bound=Term)

leaving = Blueprint("leaving", __name__)

CONFIRM = "confirm"
LEAVE = "leave"
STAY = "stay"

_NO_SUCH_ADDRESS = N_("Enter an email address, like name@example.com.")
_FOREIGN = N_("This form was sent by another site. Send it from here.")
_MOST_TICKS = 500


def register(app: Flask) -> None:
    """Hang the addresses on the app."""
    app.register_blueprint(leaving)


@leaving.post("/subscribe")
@leaving.post(IN_A_LANGUAGE + "/subscribe")
def ask_to_subscribe() -> ResponseReturnValue:
    """Ask for mail; every address is answered the same."""
    sent = _sent_form()
    if request.headers.get("Sec-Fetch-Site") == "cross-site":
        return _refuse(sent, "form", _FOREIGN, 403)
    if request.form.get("website"):
        return _sign_up_sent()
    try:
        subscribe.subscribe(sent.email, _preferences(sent), client=http.present_address())
    except TooManyVisitors as error:
        answer = _refuse(sent, error.field, _too_many(error), 429)
        answer.headers["Retry-After"] = str(int(error.wait.total_seconds()) + 1)
        return answer
    except Invalid as error:
        reason = _NO_SUCH_ADDRESS if error.field == "email" else error.reason
        return _refuse(sent, error.field, reason, 422)
    return _sign_up_sent()


@leaving.get("/subscriptions/<token>")
@leaving.get(IN_A_LANGUAGE + "/subscriptions/<token>")
def show(token: str) -> ResponseReturnValue:
    """Ask to confirm, or show what is heard; opening the link changes nothing."""
    found = subscribe.find_subscription(current_session(), token)
    if found is None:
        raise NotFound
    return _show_subscription(found, acted="", offered=request.args.get("follow", ""))


@leaving.post("/subscriptions/<token>")
@leaving.post(IN_A_LANGUAGE + "/subscriptions/<token>")
def act_on(token: str) -> ResponseReturnValue:
    """Confirm, change, leave or return, whichever button was pressed."""
    choice = request.form.get("choice", "")
    try:
        if choice == CONFIRM:
            return _show_subscription(subscribe.confirm(token), acted=CONFIRM)
        if choice == LEAVE:
            return _show_subscription(subscribe.unsubscribe_by_link(token), acted=LEAVE)
        if choice == STAY:
            return _show_subscription(subscribe.resubscribe_by_link(token), acted=STAY)
        return _change(token)
    except LookupError:
        raise NotFound from None


@leaving.get("/unsubscribe/<token>")
@leaving.get(IN_A_LANGUAGE + "/unsubscribe/<token>")
def ask(token: str) -> ResponseReturnValue:
    """Show what leaving means, with a button; opening the link changes nothing."""
    standing = unsubscribe.find_address_state(current_session(), _delivery_of(token))
    if standing is None:
        raise NotFound
    return _show(standing, acted="")


@leaving.post("/unsubscribe/<token>")
@leaving.post(IN_A_LANGUAGE + "/unsubscribe/<token>")
def act(token: str) -> ResponseReturnValue:
    """Leave, or with ``choice=stay`` take that back; once or often, the result is the same.

    The body that mail programs send, ``List-Unsubscribe=One-Click``, leaves as the button does.
    """
    delivery_id = _delivery_of(token)
    wants_to_stay = request.form.get("choice") == STAY
    try:
        if wants_to_stay:
            return _show(unsubscribe.resubscribe(delivery_id), acted=STAY)
        return _show(unsubscribe.unsubscribe(delivery_id), acted=LEAVE)
    except LookupError:
        raise NotFound from None


# --- what was sent --------------------------------------------------------------------------------


def _sent_form() -> MailForm:
    """The form as it was sent, with the incident that is to be followed, if one is."""
    kinds = set(request.form.getlist("kinds"))
    incidents = _incidents([request.form.get("incident", "")])
    return MailForm(
        email=request.form.get("email", "")[:320],
        incidents="incidents" in kinds and not incidents,
        maintenance="maintenance" in kinds and not incidents,
        updates=request.form.get("updates", SubscribedUpdates.EVERY)[:32],
        least_impact=request.form.get("least_impact", Impact.NONE)[:32],
        components=frozenset(request.form.getlist("components")[:_MOST_TICKS]),
        followed=tuple(
            FollowedIncidentChoice(incident.code, incident.title) for incident in incidents
        ),
        time_zone=request.form.get("time_zone", "")[:64],
        language=request.form.get("language", "")[:16],
    )


def _preferences(form: MailForm) -> SubscriptionPreferences:
    """What a form asks for; raises :class:`Invalid` for what is not there any more."""
    rows = current_session().execute(select(Component.code, Component.id))
    by_code = {row.code: row.id for row in rows}
    if not form.components <= by_code.keys():
        raise Invalid("components", N_("One of these components no longer exists."))
    ticked = [incident.code for incident in form.followed if incident.is_ticked]
    return SubscriptionPreferences(
        incidents=form.incidents,
        maintenance=form.maintenance,
        updates=_term(SubscribedUpdates, "updates", form.updates),
        least_impact=_term(Impact, "least_impact", form.least_impact),
        components=frozenset(by_code[code] for code in form.components),
        follows=frozenset(incident.id for incident in _incidents(ticked)),
        time_zone=form.time_zone or None,
        language=form.language or asked_language() or own_language(),
    )


def _term(words: type[AnyTerm], field: str, value: str) -> AnyTerm:
    try:
        return words(value)
    except ValueError:
        raise Invalid(field, N_("Choose one from the list.")) from None


def _incidents(codes: Iterable[str]) -> list[Incident]:
    """The public incidents of these codes, newest first."""
    wanted = [code for code in codes if CODE.fullmatch(code)][:_MOST_TICKS]
    chosen = select(Incident).where(
        Incident.code.in_(wanted), Incident.visibility == Visibility.PUBLIC
    )
    return list(current_session().scalars(chosen.order_by(Incident.id.desc()))) if wanted else []


def _change(token: str) -> Response:
    found = subscribe.find_subscription(current_session(), token)
    if found is None:
        raise NotFound
    ticked = request.form.getlist("follows")
    form = replace(
        _sent_form(),
        email=found.email,
        followed=tuple(
            FollowedIncidentChoice(incident.code, incident.title, incident.code in ticked)
            for incident in _offered_incidents(found.preferences, ticked)
        ),
    )
    try:
        return _show_subscription(subscribe.change(token, _preferences(form)), acted="change")
    except Invalid as error:
        form = replace(form, field=error.field, reason=error.reason)
        return _show_subscription(found, acted="", form=form, status=422)


def _offered_incidents(
    preferences: SubscriptionPreferences, codes: Iterable[str]
) -> list[Incident]:
    """What is followed, and what else may be."""
    followed = select(Incident).where(
        Incident.id.in_(preferences.follows), Incident.visibility == Visibility.PUBLIC
    )
    known = {incident.id: incident for incident in current_session().scalars(followed)}
    return list((known | {incident.id: incident for incident in _incidents(codes)}).values())


# --- what is shown --------------------------------------------------------------------------------


def _sign_up_sent() -> Response:
    own = own_language()
    answer = redirect(address_in(asked_language() or own, "/subscribe/sent", own=own), 303)
    answer.headers["Cache-Control"] = "no-store"
    return make_response(answer)


def _refuse(form: MailForm, field: str, reason: str, status: int) -> Response:
    with open_site(db.engine) as site:
        frame = present_frame(site)
    form = replace(form, field=field, reason=reason)
    html = html_pages.render_subscribe(frame, site.tree, current_links(), form=form)
    return _private(html, status)


def _too_many(error: TooManyVisitors) -> str:
    """What :class:`TooManyVisitors` says, in the language of the page."""
    language = asked_language() or own_language()
    say = translations(language).gettext
    text = (
        say("Too many sign-ups right now. Try again in %(time)s.")
        if error.everybody
        else say("Too many sign-ups from your network. Try again in %(time)s.")
    )
    # Rounded up: who comes back when told must not be told to wait again.
    return text % {"time": Times(language, "UTC").length(int(error.wait.total_seconds()) + 59)}


def _show_subscription(
    found: Subscription,
    *,
    acted: str,
    offered: str = "",
    form: MailForm | None = None,
    status: int = 200,
) -> Response:
    with open_site(db.engine) as site:
        frame = present_frame(site)
    html = html_pages.render_subscription(
        frame,
        site.tree,
        current_links(),
        scenario=found.scenario.value,
        form=form or _kept_form(found, site, offered),
        suppressed=found.suppressed,
        acted=acted,
        here=split_path(request.path)[1],
    )
    return _private(html, 410 if found.scenario is Scenario.OVER else status)


def _kept_form(found: Subscription, site: Site, offered: str) -> MailForm:
    """The form of a subscription as it is kept, and an incident that its mail offered."""
    chosen = [view for key, view in site.by_key.items() if key in found.preferences.components]
    incidents = _offered_incidents(found.preferences, [offered])
    return MailForm(
        email=found.email,
        incidents=found.preferences.incidents,
        maintenance=found.preferences.maintenance,
        updates=found.preferences.updates.value,
        least_impact=found.preferences.least_impact.value,
        components=frozenset(view.code for view in chosen),
        removed=tuple(view for view in chosen if view.is_removed),
        followed=tuple(
            FollowedIncidentChoice(incident.code, incident.title) for incident in incidents
        ),
        time_zone=found.preferences.time_zone or "",
        language=nearest(found.preferences.language, default=own_language()),
    )


def _delivery_of(token: str) -> int:
    delivery_id = read_delivery_token(current_settings().secret_key, token)
    if delivery_id is None:
        raise NotFound
    return delivery_id


def _show(standing: AddressState, *, acted: str) -> Response:
    with open_site(db.engine) as site:
        frame = present_frame(site)
    html = html_pages.render_leaving(
        frame,
        current_links(),
        email=standing.email,
        suppressed=standing.suppressed,
        is_owed=standing.is_owed,
        acted=acted,
        here=split_path(request.path)[1],
    )
    return _private(html)


def _private(html: str, status: int = 200) -> Response:
    answer = make_response(html, status)
    answer.headers["Cache-Control"] = "no-store"
    # The address of this page is a key: no other site may learn it.
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer
