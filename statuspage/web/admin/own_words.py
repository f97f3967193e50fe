"""The words that a company keeps inside, and the rules that texts are checked by."""

from __future__ import annotations

from flask.typing import ResponseReturnValue

from statuspage import setup
from statuspage.db import session
from statuspage.messages.checks import RULES
from statuspage.setup import WordLists
from statuspage.web.admin.shell import admin, done, page
from statuspage.web.auth import actor
from statuspage.web.forms import EditForm, ProseField

MOST_TYPED = 50_000


class WordsForm(EditForm):
    """The lists, one word or name to a line."""

    people = ProseField("People", limit=MOST_TYPED, render_kw={"rows": 4})
    vendors = ProseField("Vendors", limit=MOST_TYPED, render_kw={"rows": 4})
    code_names = ProseField("Code names", limit=MOST_TYPED, render_kw={"rows": 4})


@admin.route("/words", methods=["GET", "POST"])
def own_words() -> ResponseReturnValue:
    """Show the lists and the rules, and change the lists."""
    form = WordsForm.read(setup.word_lists(session()))
    if form.is_accepted():
        with form.refusals():
            setup.change_own_words(WordLists(**form.typed()), actor=actor(), seen=form.seen.data)
            return done("The words are saved. Every text is held against them.", "admin.own_words")
    return page("admin/own_words.html", form=form, rules=RULES)
