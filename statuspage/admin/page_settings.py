"""The page's own settings."""

from __future__ import annotations

from flask.typing import ResponseReturnValue
from wtforms import BooleanField, SelectField

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
from statuspage.admin.marked_texts import _
from statuspage.admin.time_fields import ZoneField
from statuspage.configuration import editing
from statuspage.configuration.editing import PageSettings
from statuspage.configuration.page_settings import change_page
from statuspage.core.db import current_session
from statuspage.core.languages import N_
from statuspage.models.page import the_page


class PageForm(EditForm):
    """What the page says about itself, and where people turn."""

    name = NameField(N_("Name"), needed=N_("Enter the name visitors know"))
    about = ProseField(N_("About"), limit=2_000, render_kw={"rows": 3})
    time_zone = ZoneField(N_("Time zone"))
    language = LanguageField(N_("Language"))
    support_email = MailField(N_("Support address"))
    support_url = WebAddressField(N_("Support page"))
    sign_off = LineField(N_("Email sign-off"))
    incident_channel = LineField(N_("Incident channel"))
    no_change_email_minutes = SelectField(
        N_("Email “No change yet” to subscribers"),
        choices={
            "0": N_("With every update"),
            "30": N_("At most every 30 minutes"),
            "60": N_("At most every hour"),
            "120": N_("At most every 2 hours"),
            "240": N_("At most every 4 hours"),
        },
        coerce=int,
        default=60,
    )
    cause_categories = ProseField(N_("Cause categories"), limit=5_000, render_kw={"rows": 5})
    ticket_numbers = ProseField(N_("Ticket numbers"), limit=5_000, render_kw={"rows": 3})
    takes_reports = BooleanField(N_("Visitors can report a problem"))


@admin.route("/settings", methods=["GET", "POST"])
def page_settings() -> ResponseReturnValue:
    """Show the settings, and change them."""
    stored = the_page(current_session())
    form = PageForm.read(editing.read_as(PageSettings, stored) if stored else None)
    if form.is_accepted():
        with form.refusals():
            change_page(PageSettings(**form.typed()), actor=actor(), seen=form.seen.data)
            return done(_("The page settings were saved."), "admin.page_settings")
    return page("admin/page_settings.html", form=form)
