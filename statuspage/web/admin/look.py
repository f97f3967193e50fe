"""The company's own look: colours, logo, links and footer, with a preview."""

from __future__ import annotations

from typing import Final

from flask import request
from flask.typing import ResponseReturnValue
from wtforms import FileField

from statuspage import setup
from statuspage.db import session
from statuspage.setup import LookChoices
from statuspage.setup.look import MOST_LOGO_BYTES
from statuspage.setup.own_css import MOST_BYTES
from statuspage.site.look import DARK_GROUNDS, fitting, ink_on
from statuspage.web.admin.shell import admin, done, page
from statuspage.web.auth import actor
from statuspage.web.forms import EditForm, Form, LineField, ProseField

_PLAIN: Final = "#535b66"


class LookForm(EditForm):
    """Colours, links, footer and style sheet."""

    accent = LineField("Accent colour", limit=7)
    accent_dark = LineField("Accent colour in the dark scheme", limit=7)
    links = ProseField("Links", limit=2_000, render_kw={"rows": 3})
    footer = ProseField("Footer", limit=1_000, render_kw={"rows": 3})
    css = ProseField("Style sheet", limit=MOST_BYTES, render_kw={"rows": 6, "spellcheck": "false"})


class LogoForm(Form):
    """A picture to take in."""

    logo = FileField("Picture", render_kw={"accept": "image/png,image/jpeg,image/webp"})


@admin.route("/look", methods=["GET", "POST"])
def look() -> ResponseReturnValue:
    """Show the look, and change its colours, links and footer."""
    form = LookForm.read(setup.look_choices(session()))
    if form.is_accepted():
        with form.refusals():
            setup.change_look(LookChoices(**form.typed()), actor=actor(), seen=form.seen.data)
            return done("The page has its new look.", "admin.look")
    return _show(form, LogoForm())


@admin.post("/look/logo")
def set_logo() -> ResponseReturnValue:
    """Take a logo in."""
    form = LogoForm()
    file = request.files.get("logo")
    if file is None or not file.filename:
        form.refuse("logo", "Choose a picture")
    else:
        with form.refusals():
            setup.set_logo(file.read(MOST_LOGO_BYTES + 1), actor=actor())
            return done("The logo stands on the page.", "admin.look")
    standing = setup.look_choices(session())
    return _show(LookForm(None, standing), form)


@admin.post("/look/logo/remove")
def remove_logo() -> ResponseReturnValue:
    """Show the name again."""
    setup.remove_logo(actor=actor())
    return done("The page shows its name again.", "admin.look")


def _show(form: LookForm, logo_form: LogoForm) -> ResponseReturnValue:
    standing = setup.the_page(session())
    accent = form.accent.data or _PLAIN
    is_colour = len(accent) == 7 and not form.accent.errors
    light = accent if is_colour else _PLAIN
    dark = (form.accent_dark.data if not form.accent_dark.errors else "") or fitting(
        light, DARK_GROUNDS
    )
    answer = page(
        "admin/look.html",
        form=form,
        logo_form=logo_form,
        has_logo=bool(standing and standing.look.get("logo")),
        swatches=[("light", light, ink_on(light)), ("dark", dark, ink_on(dark))],
    )
    if logo_form.is_refused:
        answer.status_code = 422
    return answer
