"""The first visit of a new installation: name, zone, severity scheme and components."""

from __future__ import annotations

from flask import redirect, url_for
from flask.typing import ResponseReturnValue
from wtforms import RadioField

from statuspage.admin.auth import actor
from statuspage.admin.base import admin, done, page, the_page
from statuspage.admin.forms import Form, MailField, NameField, ProseField
from statuspage.admin.marked_texts import _
from statuspage.admin.time_fields import ZoneField
from statuspage.configuration import editing, page_settings
from statuspage.configuration.editing import PageSettings
from statuspage.configuration.severity import PRESETS
from statuspage.core.config import current_settings
from statuspage.core.db import current_session
from statuspage.core.languages import N_


class FirstStepsForm(Form):
    """What a page cannot do without."""

    name = NameField(N_("Name of the page"), needed=N_("Enter the name visitors know"))
    time_zone = ZoneField(N_("Time zone"))
    support_email = MailField(N_("Support address"))
    scheme = RadioField(
        N_("Severity scheme"),
        choices={preset.name: preset.title for preset in PRESETS.values()},
        default="sev",
    )
    components = ProseField(
        N_("Components"),
        limit=50_000,
        render_kw={"rows": 9, "placeholder": N_("Shop:\nCheckout\nCatalog\n\nPlatform:\nAPI")},
    )

    def settings(self) -> PageSettings:
        """The page's settings so far; the rest can wait."""
        return editing.first_settings(
            self.name.data,
            time_zone=self.time_zone.data,
            support_email=self.support_email.data,
        )


@admin.route("/setup", methods=["GET", "POST"])
def first_steps() -> ResponseReturnValue:
    """Set the page up; once."""
    if the_page() is not None:
        return redirect(url_for("admin.dashboard"), 303)
    form = FirstStepsForm.read(time_zone=current_settings().time_zone.key)
    if form.is_accepted():
        with form.refusals():
            page_settings.set_up_page(
                form.settings(),
                scheme=form.scheme.data,
                components=page_settings.read_outline(form.components.data),
                actor=actor(),
            )
            return done(_("Your page is ready."), "admin.dashboard")
    return page(
        "admin/first_steps.html",
        form=form,
        components_known=page_settings.count_components(current_session()),
        scheme_hints={
            preset.name: "; ".join(f"{one.name}: {one.description}" for one in preset.levels)
            for preset in PRESETS.values()
        },
    )
