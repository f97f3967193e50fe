"""Branding: the company's colours, logos, links and footer, with a preview."""

from __future__ import annotations

from dataclasses import asdict
from typing import Final

from flask import make_response, render_template, request
from flask.typing import ResponseReturnValue
from wtforms import FileField

from statuspage.admin.auth import actor
from statuspage.admin.base import admin, done, page
from statuspage.admin.forms import EditForm, Form, LineField, ProseField
from statuspage.admin.marked_texts import _
from statuspage.admin.wordings import framed
from statuspage.configuration import branding
from statuspage.configuration.branding import MOST_LOGO_BYTES, BrandingChoices
from statuspage.configuration.style_sheet import MOST_BYTES
from statuspage.core.db import current_session
from statuspage.core.languages import N_
from statuspage.core.links import current_links
from statuspage.models.page import the_page
from statuspage.public.branding_preview import SCHEMES, render_branding
from statuspage.public.queries import read_site, read_snapshot

# The style sheet is in a data: address here; and like a copy of a mail, the preview runs no
# script, sends no form, loads nothing from elsewhere, and counts as nobody's origin.
PREVIEW_POLICY: Final = (
    "default-src 'none'; style-src data:; img-src 'self' data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'self'; "
    "sandbox allow-popups allow-popups-to-escape-sandbox"
)


# The place that the preview scrolls to while one of these is typed.
_AT_THE_FOOT: Final = {"rows": 3, "data-at": "zone"}


class BrandingForm(EditForm):
    """Colours, links, footer and style sheet."""

    accent = LineField(N_("Accent color"), limit=7)
    accent_dark = LineField(N_("Accent color in the dark scheme"), limit=7)
    links = ProseField(N_("Links"), limit=2_000, render_kw=_AT_THE_FOOT)
    footer = ProseField(N_("Footer"), limit=1_000, render_kw=_AT_THE_FOOT)
    css = ProseField(
        N_("Style sheet"), limit=MOST_BYTES, render_kw={"rows": 6, "spellcheck": "false"}
    )


_PICTURES: Final = {"accept": "image/png,image/jpeg,image/webp"}


class LogoForm(Form):
    """Pictures to take in."""

    logo = FileField(N_("Picture"), render_kw=_PICTURES)
    logo_dark = FileField(N_("Picture for dark backgrounds"), render_kw=_PICTURES)


@admin.route("/look", methods=["GET", "POST"])
def edit_branding() -> ResponseReturnValue:
    """Show the branding, and change its colours, links and footer."""
    form = BrandingForm.read(branding.branding_choices(current_session()))
    if form.is_accepted():
        with form.refusals():
            branding.change_branding(
                BrandingChoices(**form.typed()), actor=actor(), seen=form.seen.data
            )
            return done(_("The branding was saved."), "admin.edit_branding")
    return _show(form, LogoForm())


@admin.route("/look/preview", methods=["GET", "POST"])
def preview_branding() -> ResponseReturnValue:
    """The public page for a frame, in the branding that was typed, or in its own; stores nothing.

    What cannot be taken is left out, and the reason is shown before the page.
    """
    form = BrandingForm.read(branding.branding_choices(current_session()))
    if request.method == "POST":
        form.validate()
    chosen, refused = branding.sort_choices(BrandingChoices(**form.typed()))
    for name, reason in refused.items():
        if not form[name].errors:
            form.refuse(name, reason)
    reasons = [(field.label.text, field.errors[0]) for field in form if field.errors]
    scheme = request.form.get("scheme", "")
    html = render_branding(
        read_snapshot(read_site(current_session())),
        current_links(),
        chosen=asdict(chosen),
        scheme=scheme if scheme in SCHEMES else SCHEMES[0],
        notice=render_template("admin/branding_reasons.html", reasons=reasons),
    )
    return framed(make_response(html), PREVIEW_POLICY)


@admin.post("/look/logo")
def set_logo() -> ResponseReturnValue:
    """Take a logo in, and the one for dark backgrounds."""
    form = LogoForm()
    pictures = {
        name: file.read(MOST_LOGO_BYTES + 1)
        for name in ("logo", "logo_dark")
        if (file := request.files.get(name)) is not None and file.filename
    }
    if not pictures:
        form.refuse("logo", _("Choose a picture"))
    else:
        with form.refusals():
            branding.set_logo(pictures, actor=actor())
            return done(_("The logo is on the page."), "admin.edit_branding")
    return _show(BrandingForm(None, branding.branding_choices(current_session())), form)


@admin.post("/look/logo/remove")
def remove_logo() -> ResponseReturnValue:
    """Show the name again, or the one logo on every background."""
    only_dark = request.form.get("only") == "dark"
    branding.remove_logo(actor=actor(), only_dark=only_dark)
    shown = _("one logo on every background") if only_dark else _("its name again")
    return done(_("The page shows %(shown)s.", shown=shown), "admin.edit_branding")


def _show(form: BrandingForm, logo_form: LogoForm) -> ResponseReturnValue:
    found = the_page(current_session())
    answer = page(
        "admin/branding.html", form=form, logo_form=logo_form, stored=found.look if found else {}
    )
    if logo_form.is_refused:
        answer.status_code = 422
    return answer
