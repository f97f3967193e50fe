"""A self-hosted status page and stakeholder communications service."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from flask import Flask

from statuspage import cli
from statuspage.config import ConfigError, Settings, load_settings
from statuspage.db import db, engine_options, tune
from statuspage.links import Links
from statuspage.web import (
    admin,
    api,
    errors,
    health,
    hooks,
    language,
    limits,
    mount,
    public,
    safety,
)
from statuspage.web import subscriptions as subscription_pages

ROOT = Path(__file__).resolve().parent.parent


def create_app(settings: Settings | None = None) -> Flask:
    """Build the application from ``settings``, or from the environment where none are given.

    A wrong setting in the environment ends the process with one line and exit code 2.
    """
    if settings is None:
        try:
            settings = load_settings(os.environ)
        except ConfigError as error:
            sys.stderr.write(f"statuspage: wrong setting {error}\n")
            raise SystemExit(2) from None
    app = Flask(
        __name__,
        root_path=str(ROOT),
        template_folder="templates",
        static_folder="static",
        instance_path=str(settings.data_dir),
    )
    app.config.update(
        SECRET_KEY=settings.secret_key,
        SQLALCHEMY_DATABASE_URI=settings.database_url,
        SQLALCHEMY_ENGINE_OPTIONS=engine_options(settings),
    )
    app.extensions["settings"] = settings
    app.extensions["links"] = Links(settings.public_url)
    db.init_app(app)
    with app.app_context():
        tune(db.engine)
    limits.register(app)
    safety.register(app)
    errors.register(app)
    admin.register(app)
    public.register(app)
    language.register(app)
    health.register(app)
    hooks.register(app)
    api.register(app)
    subscription_pages.register(app)
    mount.register(app)
    cli.register(app)
    return app
