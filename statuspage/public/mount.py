"""The path in PUBLIC_URL: where the service stands below another site's address.

A proxy may pass that path on or take it away; both mean the same request.  What makes addresses
finds it as SCRIPT_NAME (PEP 3333).
"""

from __future__ import annotations

from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from flask import Flask

from statuspage.core.links import Links


def register(app: Flask) -> None:
    """Have the app know the path that PUBLIC_URL gives it."""
    links: Links = app.extensions["links"]
    if links.prefix:
        app.wsgi_app = _Mounted(app.wsgi_app, links.prefix)  # type: ignore[method-assign]


def mount(environ: WSGIEnvironment, prefix: str) -> None:
    """Move the path of PUBLIC_URL from the request's path to SCRIPT_NAME, unless that is done."""
    if not prefix or environ.get("SCRIPT_NAME"):
        return
    environ["SCRIPT_NAME"] = prefix
    path: str = environ["PATH_INFO"]
    if path == prefix or path.startswith(f"{prefix}/"):
        environ["PATH_INFO"] = path[len(prefix) :]


class _Mounted:
    """The application below a path."""

    def __init__(self, app: WSGIApplication, prefix: str) -> None:
        self._app = app
        self._prefix = prefix

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request whose path is settled."""
        mount(environ, self._prefix)
        return self._app(environ, start_response)
