"""Who is signed in, from where, and that a form is our own.

A sign-in is a row of ours; the browser holds its token in a cookie.  The public page never reads a
cookie and never sets one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar

from flask import Flask, Response, current_app, g, request
from flask_wtf.csrf import CSRFError, CSRFProtect
from werkzeug.exceptions import HTTPException

from statuspage.access import alarms, second_factor, sign_in_limits, sign_ins
from statuspage.access.audit import Actor
from statuspage.access.permissions import Forbidden, Permission, of_role
from statuspage.admin.permissions import asks_for_proof, needed
from statuspage.core import clock
from statuspage.core.config import current_settings
from statuspage.core.db import current_session, writing
from statuspage.core.enums import AccountRole
from statuspage.core.languages import N_
from statuspage.core.links import Links, current_links
from statuspage.public import http

COOKIE: Final = "admin_sign_in"
BROWSER_COOKIE: Final = "admin_browser"
SESSION_COOKIE: Final = "admin_session"
BROWSER_KEPT: Final = timedelta(days=180)

PROXY_ALARM: Final = "proxy"
_PROXY_TEXT: Final = N_(
    "A proxy stands in front (X-Forwarded-For), and TRUSTED_PROXIES is 0: every visitor seems to "
    "have the same address, so limits that are meant for one hold for all. Set TRUSTED_PROXIES to "
    "the number of proxies."
)
_PROXY_GONE: Final = timedelta(hours=1)

# What browsers say of a form of this very site, and of one that its person sends again by hand
# (https://www.w3.org/TR/fetch-metadata/).
_OWN_FORMS: Final = frozenset({"same-origin", "none"})

# A page that lies open asks for these by itself: that is no use of a session.
_ASKED_BY_SCRIPTS: Final = frozenset(
    {"admin.incident_live", "admin.incident_present", "admin.live", "admin.message_progress"}
)

csrf = CSRFProtect()

View = TypeVar("View", bound=Callable[..., Any])
_open_views: set[Callable[..., Any]] = set()


class ProofNeeded(Exception):
    """What was asked for needs the password again."""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who sits at this browser, and until when."""

    account_id: int
    name: str
    email: str
    ends_at: datetime
    token: str
    password_is_temporary: bool
    role: AccountRole
    sign_in_id: int
    proved_at: datetime
    has_second_factor: bool
    has_passkey: bool
    by_provider: bool
    # None is the page's.
    time_zone: str | None
    date_language: str

    def may(self, permission: Permission) -> bool:
        """Whether their role has a permission."""
        return permission in of_role(self.role)


def register(app: Flask) -> None:
    """Settle the cookies, and the check against forgery: made by the admin alone."""
    links: Links = app.extensions["links"]
    app.config.update(
        SESSION_COOKIE_NAME=cookie_name(SESSION_COOKIE, links),
        SESSION_COOKIE_PATH=cookie_path(links),
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=_is_secure(links),
        WTF_CSRF_CHECK_DEFAULT=False,
        # A form may lie open for a whole incident; its token lasts as long as the session.
        WTF_CSRF_TIME_LIMIT=None,
        # Browsers that send no Referer may work here: `refuse_forgery` asks for what all send.
        WTF_CSRF_SSL_STRICT=False,
    )
    csrf.init_app(app)


def open_to_strangers(view: View) -> View:
    """Mark a view of the admin that needs no sign-in; all others do."""
    _open_views.add(view)
    return view


def is_open_to_strangers(view: Callable[..., Any]) -> bool:
    """Whether a view may be reached without a sign-in."""
    return view in _open_views


def signed_in() -> SignedIn | None:
    """Who is signed in at the browser that asks; read once for each request."""
    if "signed_in" not in g:
        g.signed_in = _find()
    found: SignedIn | None = g.signed_in
    return found


def require(endpoint: str, method: str) -> None:
    """Raise :class:`Forbidden` where whoever is signed in may not do that at that address."""
    permission, person = needed(endpoint, method), signed_in()
    if person is None or permission is None or not person.may(permission):
        raise Forbidden(permission)


def require_proof(endpoint: str, method: str) -> None:
    """Raise :class:`ProofNeeded` where the password is needed again: it was given too long ago."""
    person, settings = signed_in(), current_settings()
    limit = clock.now() - timedelta(minutes=settings.step_up_minutes)
    is_stale = person is not None and person.proved_at <= limit
    if is_stale and asks_for_proof(endpoint, method, publishing=settings.step_up_to_publish):
        raise ProofNeeded


def may_send(address: str) -> bool:
    """Whether whoever is signed in may send a form to an address of the admin."""
    person, path = signed_in(), address.partition("?")[0].removeprefix(request.script_root)
    routes = current_app.url_map.bind("")
    try:
        endpoint, _ = routes.match(path or request.path, method="POST")
    except HTTPException:
        return False
    permission = needed(endpoint, "POST")
    return person is not None and permission is not None and person.may(permission)


def may_open(endpoint: str) -> bool:
    """Whether whoever is signed in may open a screen."""
    permission, person = needed(endpoint, "GET"), signed_in()
    return person is not None and permission is not None and person.may(permission)


def actor() -> Actor:
    """Who acts, for a verb; only where :func:`signed_in` has somebody."""
    person = signed_in()
    if person is None:
        raise RuntimeError("nobody is signed in")
    return Actor(
        person.name,
        person.account_id,
        of_role(person.role),
        origin=f"session {person.sign_in_id}",
        address=http.present_address(),
        sign_in_id=person.sign_in_id,
    )


def refuse_forgery() -> None:
    """Raise 400 for a form that another site made a browser send, or that lacks its token."""
    if request.method not in {"GET", "HEAD", "OPTIONS"} and not is_own():
        raise CSRFError("sent by another site")
    csrf.protect()


def is_own() -> bool:
    """Whether a page of ours, or the person themselves, had the browser ask; True where unsaid."""
    return request.headers.get("Sec-Fetch-Site", "same-origin") in _OWN_FORMS


def remember(response: Response, token: str) -> None:
    """Give the browser its sign-in."""
    _give(response, COOKIE, token, kept=timedelta(hours=current_settings().session_hours))


def remember_browser(response: Response, email: str) -> None:
    """Give the browser what identifies it; it outlasts signing out."""
    _give(response, BROWSER_COOKIE, sign_in_limits.browser_token(email), kept=BROWSER_KEPT)


def known_browser() -> str:
    """What :func:`remember_browser` gave the browser that asks; empty for a stranger."""
    return request.cookies.get(cookie_name(BROWSER_COOKIE, current_links()), "")


def _give(response: Response, name: str, value: str, *, kept: timedelta) -> None:
    links = current_links()
    response.set_cookie(
        cookie_name(name, links),
        value,
        max_age=kept,
        path=cookie_path(links),
        secure=_is_secure(links),
        httponly=True,
        samesite="Lax",
    )


def watch_proxy() -> None:
    """Raise an alarm where a proxy is in front that the settings do not count.

    Asked for people who are signed in alone: a stranger may send the header where no proxy is.
    """
    trusted = current_settings().trusted_proxies
    is_unknown = not trusted and "X-Forwarded-For" in request.headers
    standing = alarms.open_alarms(current_session())
    raised_at = next((alarm.raised_at for alarm in standing if alarm.key == PROXY_ALARM), None)
    if is_unknown and raised_at is None:
        with writing() as session:
            alarms.raise_alarm(session, PROXY_ALARM, _PROXY_TEXT)
    elif raised_at and not is_unknown and (trusted or raised_at < clock.now() - _PROXY_GONE):
        with writing() as session:
            alarms.clear_alarm(session, PROXY_ALARM)


def forget(response: Response) -> None:
    """Take the sign-in from the browser."""
    links = current_links()
    response.delete_cookie(
        cookie_name(COOKIE, links),
        path=cookie_path(links),
        secure=_is_secure(links),
        httponly=True,
        samesite="Lax",
    )


def _find() -> SignedIn | None:
    token = request.cookies.get(cookie_name(COOKIE, current_links()), "")
    found = sign_ins.find_sign_in(current_session(), token) if token else None
    if found is None:
        return None
    account = found.account
    person = SignedIn(
        account.id,
        account.name,
        account.email,
        found.ends_at,
        token,
        account.password_is_temporary,
        account.role,
        found.id,
        found.proved_at,
        second_factor.has_second_factor(account),
        account.has_passkey,
        found.id_token is not None,
        account.time_zone,
        account.date_language,
    )
    if request.endpoint not in _ASKED_BY_SCRIPTS:
        sign_ins.note_use(found)
    return person


def cookie_name(name: str, links: Links) -> str:
    """A cookie's name as browsers know it.

    Under TLS it has a prefix by which they refuse one that another host, or a page without TLS,
    planted (RFC 6265bis, 4.1.3): ``__Host-``, which is for the whole host, so ``__Secure-`` where
    PUBLIC_URL has a path.
    """
    if not _is_secure(links):
        return name
    return f"{'__Secure-' if links.prefix else '__Host-'}{name}"


def cookie_path(links: Links) -> str:
    """Where a browser sends the admin's cookies; the public page never looks at them."""
    return (links.prefix or "/") if _is_secure(links) else f"{links.prefix}/admin"


def _is_secure(links: Links) -> bool:
    return links.base.startswith("https://")
