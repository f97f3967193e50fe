"""The terms that a company blocks in its texts, and the rules that texts are checked by."""

from __future__ import annotations

from flask.typing import ResponseReturnValue

from statuspage.admin.auth import actor
from statuspage.admin.base import admin, done, page, the_page
from statuspage.admin.forms import EditForm, ProseField
from statuspage.configuration import blocked_terms
from statuspage.configuration.blocked_terms import TermLists
from statuspage.core.db import current_session
from statuspage.messages.checks import RULES
from statuspage.messages.checks.phrases import unlisted

MOST_TYPED = 50_000


class TermsForm(EditForm):
    """The lists, one word or name to a line."""

    people = ProseField("People", limit=MOST_TYPED, render_kw={"rows": 4})
    vendors = ProseField("Vendors", limit=MOST_TYPED, render_kw={"rows": 4})
    code_names = ProseField("Code names", limit=MOST_TYPED, render_kw={"rows": 4})


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
                "The words are saved. Every text is held against them.", "admin.edit_blocked_terms"
            )
    off = unlisted(stored.language) if (stored := the_page()) else frozenset()
    return page("admin/blocked_terms.html", form=form, rules=RULES, off=off)
