"""The texts beside a form: whom they reach, in the words of the button that sends them."""

from __future__ import annotations

from markupsafe import Markup

from statuspage.admin.previews import TextPreview, name_targets
from statuspage.core.enums import Audience
from statuspage.recipients.who_receives import Reach
from tests.admin.conftest import FIRST_POST, NEW, Desk, look, messages, publish_after
from tests.browsing import fields, said, texts


def sheet(
    name: str, recipients: int = 0, subscribers: int | None = None, *, drill: bool = False
) -> TextPreview:
    """A text with its recipients, and nothing else worth telling."""
    by_mail = None if subscribers is None else Reach([("all", subscribers)])
    return TextPreview(
        name, "", "", Markup(), False, "", recipients, 0, by_mail, False, False, False, (), (), (),
        False, None, (), drill, None,
    )  # fmt: skip


def test_the_button_names_everybody_whom_it_reaches() -> None:
    sheets = [sheet("public", subscribers=1212), sheet("internal", 1), sheet("customer", 1)]
    assert name_targets(sheets, "#incidents") == (
        "page, 1,212 subscribers, #incidents and 1 customer"
    )
    assert name_targets(sheets[:2], "") == "page, 1,212 subscribers and 1 chat room"


def test_nobody_is_named_who_is_not_reached() -> None:
    assert name_targets([sheet("public", subscribers=0), sheet("internal", 0)], "#help") == "page"
    assert name_targets([sheet("internal", 2)], "#help") == "2 chat rooms"
    assert name_targets([], "#help") == ""


def test_a_drill_reaches_its_own_addresses_and_no_page() -> None:
    sheets = [sheet("public", subscribers=2, drill=True)]
    assert name_targets(sheets, "") == "2 drill addresses"


def test_the_form_s_button_says_what_it_does(desk: Desk) -> None:
    code = desk.declare()
    path = f"/admin/incidents/{code}"
    assert texts(desk.get(path), "bar-below", "/button[@data-part='press']") == ["Post to page"]
    resolving = desk.browser.send_shown(path, {"status": "resolved", "preview": "1"})
    assert texts(resolving, "bar-below", "/button[@data-part='press']") == ["Continue to resolve"]


def test_every_text_is_seen_before_it_goes_and_seeing_changes_nothing(desk: Desk) -> None:
    shown = look(desk)
    assert shown.status_code == 200
    assert texts(shown, "sheet", "//h3") == ["Public post", "Internal message"]
    assert texts(shown, "reading")[0] == " ".join(FIRST_POST.split())
    assert "Impact: " in texts(shown, "reading")[1]
    assert texts(shown, "who") == [
        "All visitors and feed readers",
        "Chat isn’t set up; colleagues are not notified",
    ]
    assert texts(shown, "mark") == ["generated"] * 2
    assert desk.incidents() == []


def test_a_scheme_that_writes_to_customers_counts_them_and_shows_their_mail(desk: Desk) -> None:
    shown = look(desk)
    assert "Customer email" not in texts(shown, "sheet", "//h3")
    desk.use_scheme("p1")
    shown = look(desk)
    assert texts(shown, "who")[2] == ("2 customers: customers using Checkout or all components")
    assert texts(shown, "reading")[2].startswith(
        "Subject Investigating: Payments fail (Acme)Hello Ada,"
    )
    # Ada reads times in her own zone.
    assert "Mar 4, 2026, 13:00 CET (UTC+1)" in texts(shown, "reading")[2]


def test_an_edited_text_goes_out_as_edited_and_the_others_as_made(desk: Desk) -> None:
    shown = look(desk)
    answer = publish_after(desk, shown, text_public="We know.\r\n\r\nWe are **on it**.")
    assert answer.status_code == 303
    told = messages(desk)
    assert told[Audience.PUBLIC].body == "We know.\n\nWe are **on it**."
    assert told[Audience.PUBLIC].subject == "Investigating: Payments fail"
    assert (told[Audience.PUBLIC].edited, told[Audience.INTERNAL].edited) == (True, False)


def test_a_text_that_nobody_touched_follows_the_facts(desk: Desk) -> None:
    shown = look(desk)
    publish_after(desk, shown, users_notice="Nobody can pay.")
    assert messages(desk)[Audience.PUBLIC].body.startswith("Nobody can pay.")
    assert messages(desk)[Audience.PUBLIC].edited is False


def test_an_edited_text_is_kept_and_said_to_be_out_of_date_when_a_fact_changes(desk: Desk) -> None:
    edited = desk.browser.send(
        NEW, {**fields(look(desk).text), "text_public": "We know.", "preview": "1"}
    )
    assert texts(edited, "mark")[0] == "edited"
    assert said(edited) == []
    changed = desk.browser.send(
        NEW, {**fields(edited.text), "users_notice": "Nobody can pay.", "preview": "1"}
    )
    assert said(changed) == [
        "A fact has changed since you edited this text. Check that it’s still correct."
    ]
    assert fields(changed.text)["text_public"] == "We know."


def test_an_edited_text_can_be_made_from_the_facts_again(desk: Desk) -> None:
    edited = {**fields(look(desk).text), "text_public": "We know."}
    again = desk.browser.send(NEW, {**edited, "remake": "public"})
    assert fields(again.text)["text_public"].replace("\r\n", "\n") == FIRST_POST
    assert texts(again, "mark")[0] == "generated"


def test_an_emptied_text_is_made_from_the_facts(desk: Desk) -> None:
    publish_after(desk, look(desk), text_public="")
    assert messages(desk)[Audience.PUBLIC].body == FIRST_POST


def test_typed_markup_and_tokens_stay_text(desk: Desk) -> None:
    shown = look(
        desk, title="<b>Pay</b> [[name]]", users_notice="<script>alert(1)</script> \u202e [[x]]"
    )
    assert "<script>alert" not in shown.text
    assert "<b>Pay</b>" not in shown.text
    assert texts(shown, "is-incomplete") == []


def test_the_script_gets_the_texts_alone(desk: Desk) -> None:
    filled = {**fields(desk.get(NEW).text), **desk.filled()}
    answer = desk.browser.send(f"{NEW}/texts", filled)
    assert answer.status_code == 200
    assert texts(answer, "reading")[0] == " ".join(FIRST_POST.split())
    assert "<html" not in answer.text


def test_without_a_title_the_texts_wait(desk: Desk) -> None:
    assert said(desk.get(NEW)) == [
        "The messages appear here once they can be generated. "
        "Give it a title that a customer would understand."
    ]
