"""The screen of blocked and allowed terms, and the one to try a sentence on."""

from __future__ import annotations

from lxml import html

from statuspage.configuration import blocked_terms
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


def listed(desk: Desk) -> list[str]:
    shown = html.fromstring(desk.get("/admin/words").text)
    return [one.text_content() for one in shown.cssselect("#published ~ table strong")]


def test_a_term_that_was_published_with_a_reason_is_allowed_with_one_click(desk: Desk) -> None:
    desk.declare(title="db-01 is slow", because_public="Customers know it.")
    assert listed(desk) == ["db-01"]
    answer = desk.browser.send("/admin/words/allow", {"term": "db-01"})
    assert answer.status_code == 303
    assert fields(desk.get("/admin/words").text)["allowed"] == "db-01"
    assert listed(desk) == []


def test_a_term_that_would_allow_everything_is_refused_with_the_reason(desk: Desk) -> None:
    answer = desk.browser.send("/admin/words/allow", {"term": "**"})
    assert answer.status_code == 422
    assert "would allow nearly everything" in answer.text


def test_a_malformed_pattern_is_refused_beside_its_list_and_kept(desk: Desk) -> None:
    answer = desk.browser.send_shown("/admin/words", {"allowed": "prod-[0-9"})
    assert answer.status_code == 422
    assert "is malformed" in answer.text
    assert fields(answer.text)["allowed"] == "prod-[0-9"


def test_a_sentence_is_tried_and_kept_nowhere(desk: Desk) -> None:
    answer = desk.browser.send_shown(
        "/admin/words/try", {"title": "Slow", "text": "db-01 fails. Back soon.", "step": "resolved"}
    )
    said = html.fromstring(answer.text).cssselect(".remarks li")
    assert answer.status_code == 200
    assert ["Blocks." in one.text_content() for one in said] == [True, False, False]
    assert {one.cssselect(".mark")[0].text for one in said} == {"host", "no-apology", "hedge"}
    with desk.app.app_context():
        assert blocked_terms.published_anyway(current_session()) == []


def test_a_careful_sentence_has_no_problems(desk: Desk) -> None:
    text = "Checkout works again. We’re sorry for the disruption."
    answer = desk.browser.send_shown("/admin/words/try", {"text": text, "step": "resolved"})
    assert "No problems found" in answer.text


def test_rules_without_phrases_in_the_language_are_named(desk: Desk) -> None:
    shown = html.fromstring(desk.get("/admin/words").text).text_content()
    assert "off in the page’s language" not in shown
