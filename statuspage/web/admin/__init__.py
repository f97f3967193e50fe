"""The comms lead's side: screens that call the verbs."""

from flask import Flask

from statuspage.web import auth
from statuspage.web.admin import (
    accounts,
    api_keys,
    approvals,
    audit_trail,
    clocks,
    components,
    contacts,
    customers,
    dashboard,
    declare,
    deliveries,
    door,
    first_steps,
    incident_desk,
    incident_templates,
    incidents,
    kept_back,
    look,
    mail_corrections,
    maintenances,
    merging,
    outbox_screen,
    own_words,
    page_settings,
    personal_data,
    scheme,
    series,
    shell,
    subscribers,
    wordings,
)

__all__ = [
    "accounts",
    "api_keys",
    "approvals",
    "audit_trail",
    "clocks",
    "components",
    "contacts",
    "customers",
    "dashboard",
    "declare",
    "deliveries",
    "door",
    "first_steps",
    "incident_desk",
    "incident_templates",
    "incidents",
    "kept_back",
    "look",
    "mail_corrections",
    "maintenances",
    "merging",
    "outbox_screen",
    "own_words",
    "page_settings",
    "personal_data",
    "register",
    "scheme",
    "series",
    "subscribers",
    "wordings",
]


def register(app: Flask) -> None:
    """Hang the admin on the app; importing its modules has hung their screens on its shell."""
    auth.register(app)
    shell.register(app)
