"""The OpenID Connect provider, as the screens ask it; what speaks with it is loaded when needed."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from typing import Any

from statuspage.access.identity import Identity, Logout, Pending, Refused, Unavailable
from statuspage.admin.marked_texts import _
from statuspage.core.config import current_settings
from statuspage.core.db import current_session
from statuspage.core.errors import Invalid
from statuspage.core.links import current_links

log = logging.getLogger(__name__)


def begin(*, is_proof: bool = False, hint: str = "") -> tuple[str, Pending]:
    """Where to send the browser, and what its session must keep; :class:`Invalid` says why not."""
    begun: tuple[str, Pending] = _ask(
        "begin", redirect_to=_callback(), is_proof=is_proof, hint=hint
    )
    return begun


def finish(answer: Mapping[str, str], pending: Pending) -> Identity:
    """Who came back; :class:`Invalid` where nothing proves it."""
    found: Identity = _ask("finish", answer, pending, redirect_to=_callback())
    return found


def read_logout(token: str) -> Logout:
    """Whose session has ended there; :class:`Invalid` where nothing proves it."""
    found: Logout = _ask("read_logout", token)
    return found


def sign_out_address(id_token: str) -> str | None:
    """Where the browser signs out at the provider, too; None where it cannot."""
    if current_settings().oidc_issuer is None:
        return None
    back_to = f"{current_links().base}/admin/login"
    url: str | None = _ask("sign_out_address", id_token, back_to=back_to)
    return url


def _ask(what: str, *args: Any, **options: Any) -> Any:
    # Nothing is held in the database while somebody else's server is waited for.
    current_session().rollback()
    settings = current_settings()
    try:
        return getattr(_oidc(), what)(settings, *args, **options)
    except Unavailable as error:
        log.warning("the identity provider is not available: %s", error)
        raise Invalid(
            "form", _("%(name)s can’t be reached right now. Try again later.", name=_name())
        ) from None
    except Refused as error:
        log.warning("single sign-on was refused: %s", error)
        raise Invalid(
            "form", _("%(name)s didn’t confirm who you are. Try again.", name=_name())
        ) from None


def _name() -> str:
    name = current_settings().oidc_name
    return name[:1].upper() + name[1:]


def _callback() -> str:
    return f"{current_links().base}/admin/sso/callback"


@cache
def _oidc() -> Any:
    # Its libraries cost memory that nobody has to pay who signs in by password.
    return import_module("statuspage.access.oidc")
