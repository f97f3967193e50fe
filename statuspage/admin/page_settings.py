"""The page's own settings."""

from __future__ import annotations

from flask.typing import ResponseReturnValue
from wtforms import SelectField

from statuspage.admin.auth import actor
from statuspage.admin.base import admin, done, page
from statuspage.admin.forms import (
    EditForm,
    LanguageField,
    LineField,
    MailField,
    NameField,
    ProseField,
    WebAddressField,
)
from statuspage.admin.time_fields import ZoneField
from statuspage.configuration import editing
from statuspage.configuration.editing import PageSettings
from statuspage.configuration.page_settings import change_page
from statuspage.core.db import current_session
from statuspage.models.page import the_page


class PageForm(EditForm):
    """What the page says about itself, and where people turn."""

    name = NameField("Name", needed="Enter the name visitors know")
    about = ProseField("About", limit=2_000, render_kw={"rows": 3})
    time_zone = ZoneField("Time zone")
    language = LanguageField("Language")
    support_email = MailField("Support address")
    support_url = WebAddressField("Support page")
    sign_off = LineField("Email sign-off")
    incident_channel = LineField("Incident channel")
    no_change_email_minutes = SelectField(
        "Email “No change yet” to subscribers",
        choices={
            "0": "With every update",
            "30": "At most every 30 minutes",
            "60": "At most every hour",
            "120": "At most every 2 hours",
            "240": "At most every 4 hours",
        },
        coerce=int,
        default=60,
    )
    cause_categories = ProseField("Cause categories", limit=5_000, render_kw={"rows": 5})


@admin.route("/settings", methods=["GET", "POST"])
def page_settings() -> ResponseReturnValue:
    """Show the settings, and change them."""
    stored = the_page(current_session())
    form = PageForm.read(editing.read_as(PageSettings, stored) if stored else None)
    if form.is_accepted():
        with form.refusals():
            change_page(PageSettings(**form.typed()), actor=actor(), seen=form.seen.data)
            return done("The page settings were saved.", "admin.page_settings")
    return page("admin/page_settings.html", form=form)
