"""The frame of every screen of the admin: who may come in, what surrounds a screen.

A screen is a view on :data:`admin` that ends in :func:`page` or :func:`done`::

    @admin.get("/contacts")
    def contacts() -> ResponseReturnValue:
        return page("admin/contacts.html", contacts=setup.contacts(session()))

Nobody comes in without a sign-in except where a view says :func:`~.auth.open_to_strangers`, no form
is taken without its token, and no answer may be kept by a browser or a proxy.  Every template
extends ``admin/layout.html`` (blocks ``title``, ``actions``, ``main``) and takes its form fields,
tables, marks and empty states from ``admin/macros.html``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import islice
from typing import Any, Final
from urllib.parse import unquote, urlsplit
from zoneinfo import ZoneInfo

from flask import (
    Blueprint,
    Flask,
    Response,
    abort,
    current_app,
    flash,
    g,
    make_response,
    redirect,
    render_template,
    request,
    stream_with_context,
    url_for,
)
from flask.typing import ResponseReturnValue
from jinja2 import StrictUndefined
from markupsafe import Markup
from werkzeug.routing import IntegerConverter, Map

from statuspage.access import alarms, second_factor
from statuspage.admin import auth
from statuspage.admin.forms import Form, write_length
from statuspage.admin.marked_texts import _, compile_in_english
from statuspage.admin.time_fields import MomentField
from statuspage.core import clock
from statuspage.core.config import NO_CHAT, current_settings
from statuspage.core.db import current_session, read_once
from statuspage.core.enums import DeliveryState, Term
from statuspage.core.languages import ENGLISH, N_, locale_name
from statuspage.core.links import Links, current_links
from statuspage.messages.checks.phrases import unlisted
from statuspage.models import Page, revision
from statuspage.models.page import the_page as stored_page
from statuspage.public.assets import asset
from statuspage.public.html_pages import TONES


class KeyConverter(IntegerConverter):
    """A row's id in an address: one that no table can hold is not found, and never asked for."""

    def __init__(self, url_map: Map, **options: Any) -> None:
        super().__init__(url_map, **{"max": 2**31 - 1, **options})


admin = Blueprint("admin", __name__, url_prefix="/admin")

# As the public page's policy; and a screen may frame a preview of ours.
POLICY: Final = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
SIGN_IN_ENDS_SOON: Final = timedelta(minutes=45)

_LINES_AT_ONCE: Final = 1_000
# Where an account may go whose password was printed by a command.
_BEFORE_OWN_PASSWORD: Final = frozenset(
    {"admin.me", "admin.change_password", "admin.sign_in", "admin.sign_out"}
)
# Where somebody may go who must set up a second factor.
_BEFORE_SECOND_FACTOR: Final = frozenset(
    {
        "admin.add_passkey", "admin.begin_second_factor", "admin.confirm_identity",
        "admin.passkeys", "admin.second_factor", "admin.sign_in", "admin.sign_in_with_passkey",
        "admin.sign_in_code", "admin.sign_out",
    }
)  # fmt: skip
# Where the first account may go before the page has been set up.
_BEFORE_SET_UP: Final = frozenset({"admin.first_steps", "admin.sign_in", "admin.sign_out"})


@dataclass(frozen=True, slots=True)
class MenuItem:
    """A screen that the menu leads to."""

    label: str
    endpoint: str
    # Where its screens have other addresses.
    also: tuple[str, ...] = ()


MENU: Final[tuple[tuple[str, tuple[MenuItem, ...]], ...]] = (
    (
        "",
        (
            MenuItem(N_("Dashboard"), "admin.dashboard"),
            MenuItem(N_("Incidents"), "admin.incidents"),
            MenuItem(N_("Suggestions"), "admin.suggestions"),
            MenuItem(N_("Maintenance"), "admin.maintenances"),
            MenuItem(N_("Notices"), "admin.notices"),
            MenuItem(N_("Action items"), "admin.action_items"),
            MenuItem(N_("Trends"), "admin.trends"),
            MenuItem(N_("Reports"), "admin.monthly_report"),
        ),
    ),
    (
        N_("Page"),
        (
            MenuItem(N_("Components"), "admin.components", also=("/admin/groups/",)),
            MenuItem(N_("Metrics"), "admin.metrics"),
            MenuItem(N_("Appearance"), "admin.edit_branding"),
            MenuItem(N_("Page settings"), "admin.page_settings"),
        ),
    ),
    (
        N_("Messages"),
        (
            MenuItem(N_("Outbox"), "admin.outbox"),
            MenuItem(N_("Sent messages"), "admin.messages", also=("/admin/deliveries/",)),
            MenuItem(N_("Delivery"), "admin.delivery_channels"),
            MenuItem(N_("Message templates"), "admin.wordings"),
            MenuItem(N_("Incident templates"), "admin.incident_templates"),
            MenuItem(N_("Blocked terms"), "admin.edit_blocked_terms"),
        ),
    ),
    (
        N_("People"),
        (
            MenuItem(N_("Customers"), "admin.customers"),
            MenuItem(N_("Subscribers"), "admin.subscribers"),
            MenuItem(N_("Contacts"), "admin.contacts"),
            MenuItem(N_("On-call"), "admin.on_call"),
            MenuItem(N_("Accounts"), "admin.accounts"),
            MenuItem(N_("Privacy requests"), "admin.personal_data"),
        ),
    ),
    (
        N_("System"),
        (
            MenuItem(N_("Severity scheme"), "admin.scheme"),
            MenuItem(N_("API keys"), "admin.api_keys"),
            MenuItem(N_("Alert sources"), "admin.alert_sources"),
            MenuItem(N_("Audit trail"), "admin.audit_trail"),
        ),
    ),
)

# How a term is shown: a colour of static/tokens.css and a symbol of templates/public/icons.svg.
_TONES: Final[dict[Term, str]] = {
    **TONES,
    DeliveryState.ACCEPTED: "fine",
    DeliveryState.DELIVERED: "fine",
    DeliveryState.PENDING: "clock",
    DeliveryState.SENDING: "clock",
    DeliveryState.UNCERTAIN: "minor",
    DeliveryState.BOUNCED: "critical",
    DeliveryState.FAILED: "critical",
}


def register(app: Flask) -> None:
    """Teach the app's templates how the admin shows things; screens hang themselves on the shell.

    Only the admin renders through the app's own environment.
    """
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    compile_in_english(app.jinja_env)
    links: Links = app.extensions["links"]
    app.jinja_env.globals.update(
        asset=lambda name: links.prefix + asset(name),
        prefix=links.prefix,
        may_open=auth.may_open,
        may_send=auth.may_send,
        in_page_zone=in_page_zone,
        menu=menu,
        now=clock.now,
        tone=tone,
        unchecked=unlisted,
    )
    app.jinja_env.filters.update(
        when=when,
        relative=relative,
        to_the_second=to_the_second,
        countdown=countdown,
        minutes=write_minutes,
        duration=clock.show_duration,
        day=show_day,
    )
    app.url_map.converters["int"] = KeyConverter
    app.register_blueprint(admin)


# --- who comes in --------------------------------------------------------------------------------


@admin.before_request
def guard() -> ResponseReturnValue | None:
    """Ask strangers to sign in, refuse forged forms, and lead the first account through set-up."""
    if any("\0" in part for part in (request.path, *request.args.values())):
        abort(404)  # PostgreSQL cannot even be asked for it
    view = current_app.view_functions[request.endpoint or ""]
    if not auth.is_open_to_strangers(view) and auth.signed_in() is None:
        return _ask_to_sign_in()
    auth.refuse_forgery()
    person = auth.signed_in()
    if person is None:
        return None
    auth.watch_proxy()
    if not auth.is_open_to_strangers(view):
        auth.require(request.endpoint or "", request.method)
        auth.require_proof(request.endpoint or "", request.method)
    if must_change_password(person):
        if request.endpoint in _BEFORE_OWN_PASSWORD:
            return None
        return refused(_("Choose your own password first."), "admin.me")
    if must_add_second_factor(person):
        if request.endpoint in _BEFORE_SECOND_FACTOR:
            return None
        return refused(
            _("Your role needs a second factor: set it up first."), "admin.second_factor"
        )
    if request.endpoint not in _BEFORE_SET_UP and the_page() is None:
        return redirect(url_for("admin.first_steps"), 303)
    return None


def must_add_second_factor(person: auth.SignedIn) -> bool:
    """Whether the settings ask for a second factor that somebody has not set up.

    Who signs in at a provider proves it there.
    """
    if person.by_provider:
        return False
    return second_factor.is_required(person.role) and not person.has_second_factor


def must_change_password(person: auth.SignedIn) -> bool:
    """Whether somebody's password was printed by a command, and this is more than a laptop."""
    if person.by_provider:
        return False
    settings = current_settings()
    is_laptop = settings.mail_channel == "file" and not settings.public_url.startswith("https://")
    return person.password_is_temporary and not is_laptop


@admin.after_request
def set_headers(response: Response) -> Response:
    """No copy may stay behind in a browser or a proxy; a view's own policy stays."""
    response.headers["Cache-Control"] = "no-store"
    response.headers.setdefault("Content-Security-Policy", POLICY)
    response.headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    return response


def _ask_to_sign_in() -> ResponseReturnValue:
    if request.method not in {"GET", "HEAD"}:
        abort(401)
    return redirect(url_for("admin.sign_in", next=request.full_path.removesuffix("?")), 303)


def local_target(target: str) -> str:
    """Where to go after signing in: an address of the admin, never somebody else's.

    ``target`` is a path below PUBLIC_URL.  One that a browser would read as another is not taken:
    dots and double slashes (WHATWG URL, path state), backslashes, control characters.
    """
    try:
        parts = urlsplit(target)
    except ValueError:
        return url_for("admin.dashboard")
    segments = unquote(parts.path).split("/")
    is_ours = not parts.scheme and not parts.netloc and parts.path.startswith("/admin/")
    is_plain = not {".", ".."} & set(segments) and "" not in segments[1:-1]
    if not is_ours or not is_plain or not target.isprintable() or "\\" in unquote(target):
        return url_for("admin.dashboard")
    return request.script_root + target


# --- what a view ends with -----------------------------------------------------------------------


def page(template: str, *, form: Form | None = None, **values: Any) -> Response:
    """A screen; 422 where its form has something to correct."""
    status = 422 if form is not None and form.is_refused else 200
    return make_response(render_template(template, form=form, **values), status)


def done(message: str, endpoint: str, **values: Any) -> Response:
    """Say what was done, on the screen that comes next."""
    flash(message)
    return make_response(redirect(url_for(endpoint, **values), 303))


def download(
    name: str, make_lines: Callable[[], Iterator[str]], *, mimetype: str = "text/csv"
) -> Response:
    """A file of lines, CSV or other, that is sent while it is made.

    ``make_lines`` is called while it is sent: the session of the request itself has ended by then.
    """

    def chunks() -> Iterator[str]:
        lines = make_lines()
        while chunk := "".join(islice(lines, _LINES_AT_ONCE)):
            yield chunk

    return Response(
        stream_with_context(chunks()),
        mimetype=mimetype,
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def refused(message: str, endpoint: str, **values: Any) -> Response:
    """Say why something was not done, on the screen that comes next."""
    flash(message, "problem")
    return make_response(redirect(url_for(endpoint, **values), 303))


# --- what surrounds a screen ---------------------------------------------------------------------


def the_page() -> Page | None:
    """The page, once it has been set up."""
    found = stored_page(current_session())
    return found if found is not None and found.set_up_at is not None else None


def as_it_is_now(address: str) -> str:
    """A public address as an admin opens it: and not a copy that the browser kept.

    Browsers may show a page for seconds after it has changed (``public/document.py``).  The service
    answers the same whatever the number is, and the page takes it out of the address.
    """
    return f"{address}?v={revision_number()}"


def revision_number() -> int:
    """The number of the public site's revision, read once a request."""
    session = current_session()
    return read_once(session, "revision", lambda: revision.current_number(session))


def page_zone() -> ZoneInfo:
    """The page's zone, which documents, days that are due and series are counted in."""
    if "page_zone" not in g:
        found = the_page()
        g.page_zone = found.zone if found else current_settings().time_zone
    chosen: ZoneInfo = g.page_zone
    return chosen


def zone() -> ZoneInfo:
    """The zone that the admin shows and reads times in: one's own, else the page's."""
    person = auth.signed_in()
    return clock.read_zone(person.time_zone) if person and person.time_zone else page_zone()


@admin.context_processor
def surroundings() -> dict[str, Any]:
    """What the layout of a screen shows around it."""
    person = auth.signed_in()
    if person is None:
        return {"person": None, "the_page": the_page()}
    soon = person.ends_at - clock.now() < SIGN_IN_ENDS_SOON
    return {
        "person": person,
        "the_page": the_page(),
        "public_url": current_links().home,
        "as_it_is_now": as_it_is_now,
        "provider_name": current_settings().oidc_name,
        "has_chat": current_settings().has_chat,
        "no_chat": NO_CHAT,
        "standing_alarms": alarms.open_alarms(current_session()),
        "sign_in_ends": person.ends_at if soon else None,
    }


def menu() -> list[tuple[str, list[tuple[str, str, bool]]]]:
    """The menu: each heading with the label, address and whether we are there, of its places.

    Only what the role of whoever is signed in may open.
    """
    shown = [
        (
            heading,
            [
                (place.label, url_for(place.endpoint), _is_here(place))
                for place in places
                if auth.may_open(place.endpoint)
            ],
        )
        for heading, places in MENU
    ]
    return [(heading, places) for heading, places in shown if places]


def _is_here(place: MenuItem) -> bool:
    url = url_for(place.endpoint).removeprefix(request.script_root)
    # Every address of the admin begins with the dashboard's.
    if place.endpoint == "admin.dashboard":
        return request.path == url
    return request.path == url or request.path.startswith((f"{url}/", *place.also))


def tone(term: Term) -> str:
    """The name of the colour and of the symbol of a term."""
    return _TONES.get(term, "unknown")


# --- how times are written: the only place of the admin that says it ------------------------------


def show_moment(moment: datetime, *, seconds: bool = False) -> str:
    """Date, time and zone as whoever is signed in reads them."""
    return clock.show(moment, zone(), _date_locale(), seconds=seconds)


def show_time(moment: datetime, *, seconds: bool = False) -> str:
    """The time of day with its zone."""
    return clock.show_time(moment, zone(), _date_locale(), seconds=seconds)


def show_span(start: datetime, end: datetime) -> str:
    """From when to when."""
    return clock.show_span(start, end, zone(), _date_locale())


def show_day(day: date) -> str:
    """A calendar day."""
    return clock.show_date(day, _date_locale())


def in_page_zone(field: MomentField) -> Markup:
    """What stands beside a time that is not typed in the page's zone: that time in the page's.

    Empty until there is a time; the script fills it in as one is typed.
    """
    there = page_zone()
    if field.zone.key == there.key:
        return Markup()
    moment = field.data if isinstance(field.data, datetime) else None
    text = f"= {clock.show(moment, there, _date_locale())}" if moment else ""
    return Markup(
        '<output class="soft" for="{}" title="In the page’s time zone" '
        'data-from="{}" data-to="{}" lang="{}">{}</output>'
    ).format(field.id, field.zone.key, there.key, _date_language(), text)


def _date_language() -> str:
    person = auth.signed_in()
    return person.date_language if person else ENGLISH


def _date_locale() -> str:
    return locale_name(_date_language())


def when(moment: datetime, *, seconds: bool = False) -> Markup:
    """A moment with its zone, as a ``<time>`` element."""
    return Markup('<time datetime="{}">{}</time>').format(
        moment.isoformat(timespec="seconds"), show_moment(moment, seconds=seconds)
    )


def relative(moment: datetime) -> str:
    """How far off a moment is: ``in 12 minutes``, ``3 hours ago``."""
    gap = moment - clock.now()
    if abs(gap) < timedelta(minutes=1):
        return "now"
    if gap > timedelta():
        return _("in %(gap)s", gap=clock.show_duration(gap + timedelta(seconds=30)))
    return _("%(gap)s ago", gap=clock.show_duration(-gap))


def countdown(moment: datetime) -> Markup:
    """How far off a moment is, kept up to date by the script; the moment itself on hovering."""
    return Markup(
        '<time class="countdown" datetime="{}" title="{}" data-countdown>{}</time>'
    ).format(moment.isoformat(timespec="seconds"), show_moment(moment), relative(moment))


def to_the_second(moment: datetime) -> Markup:
    """The time of day of a moment that is near, with seconds and its zone."""
    return Markup('<time datetime="{}">{}</time>').format(
        moment.isoformat(), show_time(moment, seconds=True)
    )


def write_minutes(minutes: int) -> str:
    """A number of minutes in words: ``4 hours``."""
    return write_length(timedelta(minutes=minutes))
