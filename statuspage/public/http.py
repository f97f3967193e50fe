"""What every request to Flask must pass and every answer from it must carry: hosts and headers."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from flask import Flask, Request, Response, current_app, request
from werkzeug.exceptions import SecurityError

from statuspage.core.config import Settings, current_settings
from statuspage.public.document import PAGE_POLICY
from statuspage.public.site_headers import HSTS, framed_by, is_encrypted

# A probe asks by whatever address it has; these answers hold nothing that a host could spoil.
_ANY_HOST: Final = frozenset({"/healthz", "/readyz", "/metrics"})
# Nor do public documents, which are the same whoever asks, in memory or made on demand.
_ANY_HOST_BLUEPRINT: Final = "public"
_HERE: Final = frozenset({"localhost", "127.0.0.1", "::1"})


def register(app: Flask) -> None:
    """Check host names before any view, and set the headers that no view has set."""
    app.extensions["trusted_hosts"] = trusted_hosts(app.extensions["settings"])
    app.before_request(refuse_other_hosts)
    app.after_request(set_headers)


def trusted_hosts(settings: Settings) -> frozenset[str]:
    """The names under which the service answers: those in its settings, and this machine's own."""
    hosts = {urlsplit(settings.public_url).hostname or "", settings.host.lower()}
    return frozenset({_as_sent(host) for host in hosts if host} | _HERE)


def refuse_other_hosts() -> None:
    """Raise 400 for a host name that is not ours: links and cookies would be somebody else's."""
    if request.path in _ANY_HOST or request.blueprint == _ANY_HOST_BLUEPRINT:
        return
    try:
        host = urlsplit(f"//{request.host}").hostname
    except ValueError:
        host = None
    if host not in current_app.extensions["trusted_hosts"]:
        raise SecurityError


def set_headers(response: Response) -> Response:
    """Nothing inline, no frames, no guessing of types; a view's own header stays."""
    response.headers.setdefault("Content-Security-Policy", PAGE_POLICY)
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Referrer-Policy", "same-origin")
    settings = current_settings()
    if is_encrypted(settings):
        response.headers.setdefault(*HSTS)
    if settings.frame_ancestors == "'none'" or request.path.startswith("/admin"):
        response.headers.setdefault("X-Frame-Options", "DENY")
    else:
        # No value of X-Frame-Options names sites; where it stood, browsers would frame for nobody.
        policy = response.headers["Content-Security-Policy"]
        response.headers["Content-Security-Policy"] = framed_by(policy, settings)
    return response


def _as_sent(host: str) -> str:
    """A host name as a browser sends it: in its ASCII form (IDNA)."""
    try:
        return host.encode("idna").decode("ascii")
    except UnicodeError:
        return host


def present_address() -> str:
    """The address of the client that asks, as far as the settings let us believe it."""
    return client_address(request, trusted=current_settings().trusted_proxies)


def client_address(asked: Request, *, trusted: int) -> str:
    """The client's address, believing the ``trusted`` proxies nearest to us and nobody else.

    Each proxy appends the address that it was asked from to ``X-Forwarded-For``, so counted from
    the right only what trusted proxies wrote is read; what stands before it anybody could write.
    """
    direct = asked.remote_addr or ""
    if not trusted:
        return direct
    written = ",".join(asked.headers.getlist("X-Forwarded-For")).split(",")
    if len(written) < trusted:
        return direct
    return _bare_address(written[-trusted].strip()) or direct


def _bare_address(text: str) -> str | None:
    """An address as some proxies write it, without brackets and port; None where it is none."""
    candidates = (text, text.rpartition(":")[0], text.partition("]")[0].removeprefix("["))
    for candidate in candidates:
        try:
            return str(ip_address(candidate))
        except ValueError:
            continue
    return None
