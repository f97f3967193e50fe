"""What is held on an address, and erasing it on request."""

from __future__ import annotations

from flask import request
from flask.typing import ResponseReturnValue

from statuspage.admin.auth import actor
from statuspage.admin.base import admin, done, page, refused
from statuspage.admin.forms import Form, MailField
from statuspage.admin.marked_texts import _
from statuspage.core.config import current_settings
from statuspage.core.db import current_session
from statuspage.core.errors import Invalid
from statuspage.core.languages import N_
from statuspage.delivery import privacy


class AddressForm(Form):
    """Whose data is asked for."""

    email = MailField(N_("Email address"), needed=N_("Enter the address of the person who asks"))


@admin.route("/personal-data", methods=["GET", "POST"])
def personal_data() -> ResponseReturnValue:
    """Search an address.  Sent and not linked to: an address belongs in no log."""
    form = AddressForm.read()
    held = None
    if form.is_accepted():
        with form.refusals():
            held = privacy.holdings(current_session(), form.email.data)
    retention = current_settings().address_retention_days
    return page("admin/personal_data.html", form=form, held=held, retention=retention)


@admin.post("/personal-data/erase")
def erase_person() -> ResponseReturnValue:
    """Erase what is held on an address; asks for a confirmation first."""
    address = request.form.get("address", "")
    if not request.form.get("sure"):
        return refused(
            _("Nothing was erased. Check the box, then click Erase."), "admin.personal_data"
        )
    try:
        gone = privacy.erase(address, actor=actor())
    except Invalid as error:
        return refused(error.reason, "admin.personal_data")
    return done(
        _(
            "Erased: %(lists)s list entries, the address in %(deliveries)s deliveries, "
            "%(files)s files. What was sent and when stays, under a hash.",
            lists=gone.lists,
            deliveries=f"{gone.deliveries:,}",
            files=f"{gone.files:,}",
        ),
        "admin.personal_data",
    )


@admin.post("/personal-data/allow")
def allow_person() -> ResponseReturnValue:
    """Let somebody who was erased be put on a list again."""
    try:
        privacy.allow_again(request.form.get("address", ""), actor=actor())
    except Invalid as error:
        return refused(error.reason, "admin.personal_data")
    return done(_("The address is allowed again."), "admin.personal_data")
