"""The terms that a company blocks or allows in its texts, the rules, and a text to try them on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from flask import request
from flask.typing import ResponseReturnValue

from statuspage.admin.auth import actor
from statuspage.admin.base import admin, done, page, the_page
from statuspage.admin.findings import remarks_on
from statuspage.admin.forms import EditForm, Form, LineField, ProseField, TermRadioField
from statuspage.admin.marked_texts import _
from statuspage.configuration import blocked_terms, public_names
from statuspage.configuration.blocked_terms import Published, TermLists
from statuspage.core.db import current_session
from statuspage.core.enums import Step
from statuspage.core.errors import Invalid
from statuspage.core.languages import N_
from statuspage.messages.checks import RULES
from statuspage.messages.checks.phrases import unlisted
from statuspage.messages.compose import Text

MOST_TYPED: Final = 50_000
LONGEST_TRIED: Final = 10_000
# Where in an incident a text could stand: some rules ask for it.
_STEPS: Final = (Step.INVESTIGATING, Step.MONITORING, Step.RESOLVED)


class TermsForm(EditForm):
    """The lists, one word or name to a line."""

    people = ProseField(N_("People"), limit=MOST_TYPED, render_kw={"rows": 4})
    vendors = ProseField(N_("Vendors"), limit=MOST_TYPED, render_kw={"rows": 4})
    code_names = ProseField(N_("Code names"), limit=MOST_TYPED, render_kw={"rows": 4})
    allowed = ProseField(N_("Always allowed"), limit=MOST_TYPED, render_kw={"rows": 5})


class TryForm(Form):
    """A text that is not published anywhere."""

    title = LineField(N_("Title"))
    text = ProseField(N_("Text"), limit=LONGEST_TRIED, render_kw={"rows": 6})
    step = TermRadioField(N_("Status"), _STEPS, default=Step.INVESTIGATING)


@admin.route("/words", methods=["GET", "POST"])
def edit_blocked_terms() -> ResponseReturnValue:
    """Show the lists and the rules, and change the lists."""
    form = TermsForm.read(blocked_terms.term_lists(current_session()))
    if form.is_accepted():
        with form.refusals():
            blocked_terms.change_blocked_terms(
                TermLists(**form.typed()), actor=actor(), seen=form.seen.data
            )
            return done(
                _("The terms are saved. Every text is checked."), "admin.edit_blocked_terms"
            )
    return _show(form)


@admin.post("/words/allow")
def allow_term() -> ResponseReturnValue:
    """Add one term to those that are always allowed."""
    term = request.form.get("term", "")
    try:
        blocked_terms.always_allow(term, actor=actor())
    except Invalid as refused:
        form = TermsForm.read(blocked_terms.term_lists(current_session()))
        form.refuse("allowed", refused.reason)
        return _show(form)
    return done(
        _("“%(term)s” is always allowed from now on.", term=term), "admin.edit_blocked_terms"
    )


@admin.route("/words/try", methods=["GET", "POST"])
def try_text() -> ResponseReturnValue:
    """Show what the checks say of a text, and by which rule; it is kept nowhere."""
    form = TryForm.read(None)
    remarks = None
    if form.is_accepted():
        text = Text(form.title.data or "", form.text.data or "")
        findings = public_names.try_text(
            current_session(), text.subject, text.body, step=form.step.data
        )
        remarks = remarks_on(text, findings)
    return page("admin/try_text.html", form=form, remarks=remarks)


def _show(form: TermsForm) -> ResponseReturnValue:
    off = unlisted(stored.language) if (stored := the_page()) else frozenset()
    published: Sequence[Published] = blocked_terms.published_anyway(current_session())
    return page("admin/blocked_terms.html", form=form, rules=RULES, off=off, published=published)
