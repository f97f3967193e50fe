"""Applications that tests share: making one costs more than most tests do with it.

Routes, compiled templates and the statements that SQLAlchemy has compiled are kept; the database
behind it, the public site in front of it and all else that a test may change is new for each.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, Final

from flask import Flask
from flask.testing import FlaskClient
from jinja2 import StrictUndefined

from statuspage.core.config import load_settings
from statuspage.public.middleware import OnDemand
from statuspage.recipients import named_customers
from statuspage.runtime.application import create_app
from tests.editions import serve_at_once

PUBLIC_URL = "https://status.example.com"

# Each keeps its statements; modules with settings of their own come one after the other.
MOST_KEPT: Final = 6


class Client(FlaskClient):
    """A browser at the public address, so that host checks and secure cookies are the real ones."""

    def open(self, *args: Any, **kwargs: Any) -> Any:
        if args and isinstance(args[0], str):
            kwargs.setdefault("base_url", PUBLIC_URL)
        return super().open(*args, **kwargs)


class Apps:
    """The applications of one test process, by their settings."""

    def __init__(self) -> None:
        self._made: OrderedDict[tuple[tuple[str, str], ...], tuple[Flask, Any]] = OrderedDict()

    def get(self, environ: dict[str, str]) -> Flask:
        """The app with these settings, with a public site in front of it that knows nothing yet."""
        key = tuple(sorted(environ.items()))
        if key not in self._made:
            self._made[key] = _make(environ)
            if len(self._made) > MOST_KEPT:
                self._made.popitem(last=False)
        self._made.move_to_end(key)
        app, behind_the_site = self._made[key]
        app.wsgi_app = behind_the_site
        app.extensions["on_demand"] = OnDemand()
        # A list of as many customers, of the test before, would be taken for this one's.
        named_customers._known.clear()
        serve_at_once(app)
        return app


def _make(environ: dict[str, str]) -> tuple[Flask, Any]:
    app = create_app(load_settings(environ))
    app.test_client_class = Client
    # A name that a template misspells would be shown as nothing at all.
    app.jinja_env.undefined = StrictUndefined
    return app, app.wsgi_app
