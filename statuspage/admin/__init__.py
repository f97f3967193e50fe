"""The comms lead's side: screens that call the verbs."""

from flask import Flask

from statuspage.admin import (
    accounts,
    api_keys,
    audit_trail,
    auth,
    base,
    blocked_terms,
    branding,
    cancel_mail,
    components,
    contacts,
    customers,
    dashboard,
    declare,
    deliveries,
    first_steps,
    incident,
    incident_templates,
    incidents,
    live,
    mail_corrections,
    maintenances,
    outbox,
    page_settings,
    personal_data,
    promises,
    recurring,
    resolving,
    scheme,
    sign_in,
    step_up,
    subscribers,
    wordings,
)

__all__ = [
    "accounts",
    "api_keys",
    "audit_trail",
    "base",
    "blocked_terms",
    "branding",
    "cancel_mail",
    "components",
    "contacts",
    "customers",
    "dashboard",
    "declare",
    "deliveries",
    "first_steps",
    "incident",
    "incident_templates",
    "incidents",
    "live",
    "mail_corrections",
    "maintenances",
    "outbox",
    "page_settings",
    "personal_data",
    "promises",
    "recurring",
    "register",
    "resolving",
    "scheme",
    "sign_in",
    "step_up",
    "subscribers",
    "wordings",
]


def register(app: Flask) -> None:
    """Hang the admin on the app; importing its modules has hung their screens on its shell."""
    auth.register(app)
    base.register(app)
