"""Keys for the company's own tools: made, shown once, withdrawn."""

from __future__ import annotations

from flask.typing import ResponseReturnValue

from statuspage.access import api_keys as verbs
from statuspage.admin.auth import actor
from statuspage.admin.base import admin, done, page
from statuspage.admin.forms import Form, NameField
from statuspage.core.db import current_session
from statuspage.core.links import current_links


class KeyForm(Form):
    """What will use the key."""

    name = NameField("What will use it", needed="Say what will use the key")


@admin.route("/api-keys", methods=["GET", "POST"])
def api_keys() -> ResponseReturnValue:
    """The keys; sent, the form makes one and shows it, this once."""
    form = KeyForm.read()
    token = ""
    if form.is_accepted():
        with form.refusals():
            _, token = verbs.make_key(form.name.data, actor=actor())
    links = current_links()
    return page(
        "admin/api_keys.html",
        form=form,
        token=token,
        keys=verbs.all_keys(current_session()),
        example=links.to("/api/v1/customers/C-1001"),
        description=links.to("/api/v1/openapi.json"),
    )


@admin.post("/api-keys/<int:key_id>/withdraw")
def withdraw_api_key(key_id: int) -> ResponseReturnValue:
    """Have a key work no more."""
    verbs.withdraw_key(key_id, actor=actor())
    return done("The key does not work any more.", "admin.api_keys")
