"""The application, put together: every part that answers requests is registered here."""

from __future__ import annotations

import os
import sys

from flask import Flask

from statuspage import admin
from statuspage.admin import body_limits
from statuspage.api import (
    agents,
    alert_hooks,
    error_pages,
    health,
    own_customers,
    own_incidents,
    own_preparations,
    provider_hooks,
    v1_components,
    v1_incidents,
    v1_metrics,
    v1_requests,
    v1_subscribers,
    visitor_reports,
)
from statuspage.core.config import ConfigError, Settings, load_settings
from statuspage.core.db import db, engine_options, tune
from statuspage.core.links import Links
from statuspage.core.paths import ROOT
from statuspage.public import http, mount, on_demand_views, page_language, subscription_pages
from statuspage.runtime import commands


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
        "statuspage",
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
    body_limits.register(app)
    http.register(app)
    error_pages.register(app)
    admin.register(app)
    on_demand_views.register(app)
    page_language.register(app)
    health.register(app)
    provider_hooks.register(app)
    alert_hooks.register(app)
    agents.register(app)
    own_customers.register(app)
    v1_requests.register(app, v1_components, v1_incidents, v1_metrics, v1_subscribers)
    own_incidents.register(app, own_preparations)
    subscription_pages.register(app)
    visitor_reports.register(app)
    mount.register(app)
    commands.register(app)
    return app


def keep_files_private() -> None:
    """Have what this process writes be its owner's alone; the exported site says otherwise itself.

    Database, mail files and uploads hold people's addresses.
    """
    os.umask(0o077)
