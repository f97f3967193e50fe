"""The lists of blocked terms."""

from __future__ import annotations

from lxml import html

from statuspage.core.db import current_session
from statuspage.messages.checks import RULES
from statuspage.models import Page
from tests.admin.conftest import Desk
from tests.browsing import fields


def test_the_lists_are_edited_and_the_rules_are_shown(desk: Desk) -> None:
    answer = desk.browser.send_shown("/admin/words", {"vendors": "Brightpay\r\nNimbus"})
    assert answer.status_code == 303
    shown = desk.get("/admin/words").text
    assert fields(shown)["vendors"].split() == ["Brightpay", "Nimbus"]
    assert all(rule.reason in html.fromstring(shown).text_content() for rule in RULES)
    with desk.app.app_context():
        assert current_session().get_one(Page, 1).blocked_terms["vendors"] == [
            "Brightpay",
            "Nimbus",
        ]


def test_a_word_that_is_too_short_is_refused_beside_its_list(desk: Desk) -> None:
    answer = desk.browser.send_shown("/admin/words", {"people": "x"})
    assert answer.status_code == 422
    assert "“x” has not 2 to 100 characters" in answer.text
