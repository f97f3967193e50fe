"""Editing the wording of messages: preview, refusal, versions."""

from __future__ import annotations

import lxml.html
import pytest
from flask import Flask

from statuspage.core.db import current_session, writing
from statuspage.core.enums import IncidentStatus
from statuspage.messages import wording
from statuspage.models import Wording
from tests.browsing import Browser, actions, reasons, said, texts
from tests.factories import make_component, make_incident
from tests.htmlchecker import HtmlChecker

RESOLVED = "/admin/templates/customer/resolved"
POST = "/admin/templates/public/investigating"


def save(admin: Browser, path: str = POST, **values: str) -> None:
    answer = admin.send_shown(path, values)
    assert answer.status_code == 303, reasons(answer)


def standing(app: Flask, name: str = "public/investigating") -> wording.Source:
    with app.app_context():
        return wording.current_wording(current_session(), name)


def mail_in(html: str) -> str:
    """The mail in the frame of a preview, as text."""
    (frame,) = lxml.html.fromstring(html).xpath("//iframe")
    return " ".join(lxml.html.fromstring(frame.get("srcdoc")).text_content().split())


def test_every_template_is_listed_and_an_edited_one_is_marked(admin: Browser) -> None:
    save(admin, subject="We look into it", body="Something is wrong: {{ title }}.")
    page = admin.get("/admin/templates")
    assert len(texts(page, "templates", "/li")) == len(wording.names())
    assert [line for line in texts(page, "templates", "/li") if "edited" in line] == [
        "Investigating edited"
    ]


def test_a_saved_wording_counts_from_then_on(admin: Browser, app: Flask) -> None:
    save(admin, subject="Look: {{ title }}", body="About {{ title }}.")
    assert standing(app) == wording.Source("Look: {{ title }}", "About {{ title }}.", edited=True)
    assert actions(app)[-1] == "wording.save"


def test_every_template_is_shown_in_its_editor_with_its_words(admin: Browser) -> None:
    for info in wording.names():
        page = admin.get(f"/admin/templates/{info.name}")
        assert page.status_code == 200
        assert len(texts(page, "words", "/div")) == len(info.variables)


def test_an_unknown_word_cannot_be_saved_and_is_shown_at_its_place(
    admin: Browser, app: Flask
) -> None:
    body = "Hello,\n\nwe see {{ titel }} and work on it."
    answer = admin.send_shown(POST, {"body": body})
    reason = "“titel” is no known word; did you mean “title”?"
    assert answer.status_code == 422
    assert reasons(answer) == [f"Text: line 3, column 11: {reason}"]
    assert texts(answer, "mistake") == [
        f"Line 3, column 11: {reason} we see {{{{ titel }}}} and work on it."
    ]
    assert lxml.html.fromstring(answer.text).xpath("//mark/text()") == ["titel"]
    assert body.replace("\n", "\r\n") in answer.text.replace("\n", "\r\n")
    assert standing(app).edited is False


def test_an_internal_fact_cannot_get_into_a_customers_mail(admin: Browser) -> None:
    answer = admin.send_shown(RESOLVED, {"body": "Ask {{ commander }}."})
    assert reasons(answer) == [
        "Text: line 1, column 8: “commander” is an internal fact: "
        "it does not exist for this audience"
    ]


def test_a_long_line_is_cut_to_what_is_near_the_mistake(admin: Browser) -> None:
    answer = admin.send_shown(POST, {"body": "word " * 100 + "{{ oops }}" + " word" * 100})
    (shown,) = texts(answer, "mistake", "/pre")
    assert "{{ oops }}" in shown
    assert len(shown) < 120


def test_an_empty_text_is_asked_for(admin: Browser) -> None:
    answer = admin.send_shown(POST, {"subject": "", "body": ""})
    assert reasons(answer) == ["Subject: Enter a subject", "Text: Enter the text"]


def test_whoever_saves_second_is_shown_what_changed(admin: Browser, app: Flask) -> None:
    begun = admin.get(POST).text
    save(admin, subject="Theirs", body="Their text.")
    seen = lxml.html.fromstring(begun).xpath("//input[@name='seen']/@value")[0]
    answer = admin.send(POST, {"subject": "Mine", "body": "My text.", "seen": seen})
    assert answer.status_code == 422
    assert "Now saved here: Theirs" in reasons(answer)[1]
    assert "Their text." in answer.text
    assert standing(app).body == "Their text."
    again = lxml.html.fromstring(answer.text).xpath("//input[@name='seen']/@value")[0]
    admin.send(POST, {"subject": "Mine", "body": "My text.", "seen": again})
    assert standing(app).body == "My text."


def test_the_preview_of_a_mail_reads_as_its_recipient_will(admin: Browser) -> None:
    page = admin.get(f"{RESOLVED}/preview")
    assert "[[" not in page.text
    assert "Hello Robin Sample," in mail_in(page.text)
    assert texts(page, "label", "/../span[2]") == [
        "Resolved: Card payments fail at checkout (ShopStack)"
    ]


def test_the_preview_shows_what_is_typed_without_saving_it(admin: Browser, app: Flask) -> None:
    typed = {"subject": "Trouble", "body": "**Look:** {{ title }}"}
    page = admin.send(f"{POST}/preview", typed)
    assert texts(page, "prose") == ["Look: Card payments fail at checkout"]
    assert standing(app).edited is False


def test_the_preview_of_a_wording_that_fails_says_where(admin: Browser) -> None:
    page = admin.send(f"{POST}/preview", {"subject": "Trouble", "body": "{{ nothing }}"})
    assert page.status_code == 200
    assert texts(page, "mistake", "/p") == ["Line 1, column 4: “nothing” is no known word"]


def test_the_preview_can_be_about_an_open_incident(admin: Browser, app: Flask) -> None:
    with app.app_context(), writing() as session:
        make_component(session)
        incident = make_incident(session, "Search is <slow>", users_notice="Searching takes long.")
        code = incident.code
    editor = admin.get(POST)
    assert "<option value" in editor.text
    assert "Search is &lt;slow&gt;" in editor.text
    page = admin.get(f"{POST}/preview?about={code}")
    assert "Searching takes long." in texts(page, "prose")[0]
    mail = admin.get(f"{RESOLVED}/preview?about={code}")
    assert texts(mail, "note") != []
    assert "not known yet" in mail_in(mail.text)


def test_a_incident_that_has_ended_gives_way_to_the_sample(admin: Browser, app: Flask) -> None:
    with app.app_context(), writing() as session:
        over = make_incident(
            session, "Over", updates=["investigating", IncidentStatus.RESOLVED.value]
        )
        code = over.code
    page = admin.get(f"{POST}/preview?about={code}")
    assert "Card payments fail at checkout" in page.text
    assert admin.get(f"{POST}/preview?about=nonsense").text == page.text


@pytest.mark.parametrize("name", [info.name for info in wording.names()])
def test_every_shipped_template_can_be_previewed(admin: Browser, name: str) -> None:
    page = admin.get(f"/admin/templates/{name}/preview")
    assert page.status_code == 200
    assert texts(page, "mistake") == []
    assert texts(page, "note") == []


def test_a_preview_runs_nothing_and_only_we_may_frame_it(admin: Browser) -> None:
    headers = admin.get(f"{RESOLVED}/preview").headers
    policy = headers["Content-Security-Policy"]
    assert "script-src" not in policy
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'self'" in policy
    assert "sandbox" in policy
    assert headers["X-Frame-Options"] == "SAMEORIGIN"
    assert headers["Cache-Control"] == "no-store"


def test_markup_that_is_typed_stays_text(admin: Browser) -> None:
    typed = {"subject": "<b>Trouble</b>", "body": "<script>alert(1)</script>{{ title }}"}
    page = admin.send(f"{POST}/preview", typed)
    assert "<script>" not in page.text
    assert "<b>" not in page.text
    mail = admin.send(f"{RESOLVED}/preview", typed)
    assert "<script>alert(1)</script>Card payments" in mail_in(mail.text)


def test_versions_tell_what_each_of_them_changed(admin: Browser, app: Flask) -> None:
    save(admin, subject="One", body="First line.\nSecond line.")
    save(admin, subject="One", body="First line.\nAnother line.")
    page = admin.get(f"{POST}/versions")
    newest, first = lxml.html.fromstring(page.text).xpath("//ol[@class='versions']/li")
    assert [e.text_content().strip() for e in newest.xpath(".//ins | .//del")] == [
        "Removed: Second line.",
        "Added: Another line.",
    ]
    assert "Added: Subject: One" in first.text_content()
    assert texts(page, "mark") == ["counts now"]


def test_an_older_version_can_be_used_again(admin: Browser, app: Flask) -> None:
    save(admin, subject="One", body="First.")
    save(admin, subject="Two", body="Second.")
    with app.app_context():
        older = wording.history(current_session(), "public/investigating")[1].id
    answer = admin.send(f"{POST}/versions/{older}/use", follow_redirects=True)
    assert said(answer)[-1] == "That version is used again."
    assert standing(app) == wording.Source("One", "First.", edited=True)


def test_a_version_with_a_word_that_is_gone_cannot_be_used(admin: Browser, app: Flask) -> None:
    with app.app_context(), writing() as session:
        old = Wording(name="public/investigating", subject="Old", body="{{ gone }}")
        session.add(old)
        session.flush()
        number = old.id
    answer = admin.send(f"{POST}/versions/{number}/use", follow_redirects=True)
    assert said(answer) == ["That version can’t be used any more: “gone” is no known word."]


def test_a_version_of_another_template_is_not_found(admin: Browser, app: Flask) -> None:
    save(admin, subject="One", body="First.")
    with app.app_context():
        number = wording.history(current_session(), "public/investigating")[0].id
    assert admin.send(f"{RESOLVED}/versions/{number}/use").status_code == 404


def test_the_shipped_wording_can_be_restored(admin: Browser, app: Flask) -> None:
    save(admin, subject="One", body="First.")
    answer = admin.send(f"{POST}/restore", follow_redirects=True)
    assert said(answer)[-1] == "The default wording was restored."
    assert standing(app) == wording.shipped_wording("public/investigating")
    assert actions(app)[-1] == "wording.restore"


@pytest.mark.parametrize("name", ["public/declared", "nobody/resolved", "customer/nothing"])
def test_a_template_that_does_not_exist_is_not_found(admin: Browser, name: str) -> None:
    assert admin.get(f"/admin/templates/{name}").status_code == 404
    assert admin.get(f"/admin/templates/{name}/preview").status_code == 404


def test_the_pages_are_correct_html(admin: Browser, html_errors: HtmlChecker) -> None:
    save(admin, RESOLVED, subject="One", body="First.")
    pages = [
        admin.get("/admin/templates"),
        admin.get(RESOLVED),
        admin.get(f"{RESOLVED}/versions"),
        admin.get(f"{RESOLVED}/preview"),
        admin.get(f"{POST}/preview"),
        admin.get("/admin/templates/internal/update/preview"),
        admin.send_shown(POST, {"body": "{{ nothing }}"}),
    ]
    assert [html_errors(page.text) for page in pages] == [[]] * len(pages)


def test_no_word_is_explained_by_a_token(admin: Browser) -> None:
    for info in wording.names():
        page = admin.get(f"/admin/templates/{info.name}")
        assert [sample for sample in texts(page, "sample") if "[[" in sample] == []


def test_each_language_has_a_wording_of_its_own(admin: Browser) -> None:
    place = "/admin/templates/public/resolved?language=de"
    assert "Diese Störung ist behoben" in admin.get(place).text
    assert admin.send_shown(place, {"subject": "Behoben", "body": "Alles gut."}).status_code == 303
    assert "Alles gut." in admin.get(place).text
    assert "Alles gut." not in admin.get("/admin/templates/public/resolved").text
