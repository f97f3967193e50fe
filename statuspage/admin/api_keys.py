"""Keys for the company's own tools: made, shown once, revoked."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from flask.typing import ResponseReturnValue
from wtforms import SelectField, SelectMultipleField

from statuspage.access import accounts
from statuspage.access import api_keys as verbs
from statuspage.admin.auth import actor
from statuspage.admin.base import admin, done, page, the_page
from statuspage.admin.forms import Form, NameField, RowField
from statuspage.admin.marked_texts import _
from statuspage.core import clock
from statuspage.core.db import current_session
from statuspage.core.enums import KeyScope
from statuspage.core.languages import N_
from statuspage.core.links import current_links

MEANINGS: Final[dict[KeyScope, str]] = {
    KeyScope.READ: N_(
        "Incidents, components, templates and deliveries, internal notes among them."
    ),
    KeyScope.DRAFT: N_("Declare and update internal incidents, for a person to publish."),
    KeyScope.PUBLISH: N_("Declare, update and resolve incidents, and schedule maintenance."),
    KeyScope.CUSTOMERS: N_("Read, change and remove customers."),
    KeyScope.SUBSCRIBERS: N_("Read, add and remove subscribers."),
    KeyScope.COMPONENTS: N_("Change components, groups and metrics, and the status of components."),
    KeyScope.METRICS: N_("Send the numbers of metrics."),
    KeyScope.ADMIN: N_("Everything above, and the settings of the page."),
}

_LIFETIMES: Final = {
    "30": N_("30 days"),
    "90": N_("90 days"),
    "365": N_("1 year"),
    "": N_("No end"),
}


class KeyForm(Form):
    """What will use the key, what it may do, and until when."""

    name = NameField(N_("What will use it"), needed=N_("Say what will use the key"))
    scopes = SelectMultipleField(
        N_("Scopes"), choices={scope.value: scope.label for scope in MEANINGS}, default=()
    )
    lifetime = SelectField(N_("Works for"), choices=_LIFETIMES, default="365")
    owner_id = RowField(N_("Owner"), none=N_("You"))

    def __init__(self, *args: Any, **values: Any) -> None:
        super().__init__(*args, **values)
        active = accounts.all_accounts(current_session())
        self.owner_id.offer((one.id, one.name) for one in active if one.disabled_at is None)


@admin.route("/api-keys", methods=["GET", "POST"])
def api_keys() -> ResponseReturnValue:
    """The keys; sent, the form makes one and shows it, this once."""
    form = KeyForm.read()
    token = ""
    if form.is_accepted():
        days = form.lifetime.data
        with form.refusals():
            _, token = verbs.make_key(
                form.name.data,
                actor=actor(),
                scopes=[KeyScope(scope) for scope in form.scopes.data or ()],
                lifetime=timedelta(days=int(days)) if days else None,
                owner_id=form.owner_id.data,
            )
    links, shown = current_links(), the_page()
    return page(
        "admin/api_keys.html",
        form=form,
        token=token,
        keys=verbs.all_keys(current_session()),
        meanings=MEANINGS,
        has_expired=lambda key: verbs.has_expired(key, clock.now()),
        addresses={
            "incidents": links.to("/api/v1/incidents"),
            "statuspage": links.to(f"/v1/pages/{shown.code if shown else '…'}"),
            "statuspage_description": links.to("/v1/openapi.json"),
            "customers_description": links.to("/api/v1/openapi.json"),
        },
    )


@admin.post("/api-keys/<int:key_id>/withdraw")
def withdraw_api_key(key_id: int) -> ResponseReturnValue:
    """Have a key work no more."""
    verbs.withdraw_key(key_id, actor=actor())
    return done(_("The key is revoked."), "admin.api_keys")
