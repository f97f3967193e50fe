"""The page's own settings."""

from __future__ import annotations

from flask.typing import ResponseReturnValue

from statuspage import setup
from statuspage.db import session
from statuspage.setup import PageSettings
from statuspage.web.admin.shell import admin, done, page
from statuspage.web.auth import actor
from statuspage.web.forms import (
    EditForm,
    LanguageField,
    LineField,
    MailField,
    NameField,
    ProseField,
    WebAddressField,
    ZoneField,
)


class PageForm(EditForm):
    """What the page says about itself, and where people turn."""

    name = NameField("Name", needed="Enter the name that visitors know you by")
    about = ProseField("About", limit=2_000, render_kw={"rows": 3})
    time_zone = ZoneField("Time zone")
    language = LanguageField("Language")
    support_email = MailField("Support address")
    support_url = WebAddressField("Support page")
    sign_off = LineField("Sign-off of mails")
    incident_channel = LineField("Incident channel")


@admin.route("/settings", methods=["GET", "POST"])
def page_settings() -> ResponseReturnValue:
    """Show the settings, and change them."""
    standing = setup.the_page(session())
    form = PageForm.read(setup.read_as(PageSettings, standing) if standing else None)
    if form.is_accepted():
        with form.refusals():
            setup.change_page(PageSettings(**form.typed()), actor=actor(), seen=form.seen.data)
            return done("The page's settings are saved.", "admin.page_settings")
    return page("admin/page_settings.html", form=form)
