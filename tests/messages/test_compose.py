"""From facts to what goes out: composed, edited, finished."""

from __future__ import annotations

import logging
import re
from dataclasses import replace

import pytest
from sqlalchemy.orm import Session

from statuspage.core.enums import Audience, Step
from statuspage.delivery.channels.provider import fill_html, fill_subject, fill_text
from statuspage.messages.compose import (
    Composed,
    Text,
    Unfinished,
    compose,
    finish,
    preview,
    preview_sample,
    unfilled,
)
from statuspage.messages.facts import Facts
from statuspage.messages.sample_incident import bare_facts, sample_facts
from statuspage.messages.template_language import TemplateProblem
from statuspage.messages.tokens import token_values
from statuspage.messages.wording import Unfit, save_wording
from statuspage.models import Wording
from tests.actors import acting
from tests.htmlchecker import HtmlChecker

ALICE = acting("Alice")
RESOLVED = sample_facts(Audience.CUSTOMER, Step.RESOLVED)
LEAVE = "https://status.shopstack.example/unsubscribe/t0k3n"


def with_public(facts: Facts, **changes: object) -> Facts:
    return replace(facts, public=replace(facts.public, **changes))  # type: ignore[arg-type]


def mail(text: Text, facts: Facts = RESOLVED) -> Composed:
    return finish(text, audience=Audience.CUSTOMER, step=Step.RESOLVED, facts=facts)


def filled(composed: Composed, name: str = "Ines") -> tuple[str, str, str]:
    """Subject, text and HTML as one recipient in Los Angeles gets them."""
    times = token_values(composed.moments, zone="America/Los_Angeles", name=name)
    values = {**times, "unsubscribe_url": LEAVE}
    return (
        fill_subject(composed.subject, values),
        fill_text(composed.text, values),
        fill_html(composed.html, values),
    )


def test_the_edited_wording_is_used(session: Session) -> None:
    save_wording("public/resolved", subject="Over", body="{{ title }}: over.", actor=ALICE)
    facts = sample_facts(Audience.PUBLIC, Step.RESOLVED)

    text = compose(session, facts, audience=Audience.PUBLIC, step=Step.RESOLVED)

    assert text == Text("Over", "Card payments fail at checkout: over.")
    assert text.fell_back is False


def test_an_edited_wording_that_fails_falls_back_to_the_shipped_one(
    session: Session, caplog: pytest.LogCaptureFixture
) -> None:
    facts = sample_facts(Audience.PUBLIC, Step.RESOLVED)
    shipped = compose(session, facts, audience=Audience.PUBLIC, step=Step.RESOLVED)
    # Saved before a word of it was taken away, say.
    session.add(Wording(name="public/resolved", subject="Over", body="{{ a_word_of_old }}"))
    session.flush()

    with caplog.at_level(logging.ERROR):
        text = compose(session, facts, audience=Audience.PUBLIC, step=Step.RESOLVED)

    assert (text, text.fell_back) == (shipped, True)
    assert [record.levelname for record in caplog.records] == ["ERROR"]


def test_what_a_text_would_say_if_it_knew_is_told(session: Session) -> None:
    facts = bare_facts(Audience.PUBLIC, Step.MONITORING)

    text = compose(session, facts, audience=Audience.PUBLIC, step=Step.MONITORING)

    assert text.wanted == ("resolution", "watch_until", "watch", "support", "next_update")


def test_a_fact_that_nobody_told_keeps_a_text_from_going_out(session: Session) -> None:
    facts = bare_facts(Audience.PUBLIC, Step.POSTMORTEM)
    text = compose(session, facts, audience=Audience.PUBLIC, step=Step.POSTMORTEM)

    lacking = ("cause", "resolution", "prevention")
    assert unfilled(text, audience=Audience.PUBLIC, facts=facts) == lacking
    with pytest.raises(Unfinished) as refusal:
        finish(text, audience=Audience.PUBLIC, step=Step.POSTMORTEM, facts=facts)
    assert refusal.value.tokens == lacking


@pytest.mark.parametrize(
    ("body", "lacking"),
    [
        ("Over at [[ended]].", ()),
        ("Back by [[expected_back]].", ("expected_back",)),
        ("Hello [[Name]], [[ ended ]] [[foo]] [[foo]]", ("Name", "ended", "foo")),
        ("Not [[a token]] nor [name]", ()),
    ],
)
def test_only_what_is_known_can_be_filled(body: str, lacking: tuple[str, ...]) -> None:
    text = Text("Resolved", body)

    assert unfilled(text, audience=Audience.CUSTOMER, facts=RESOLVED) == lacking


@pytest.mark.parametrize("audience", [Audience.PUBLIC, Audience.INTERNAL])
def test_nothing_is_filled_into_public_and_internal_texts(audience: Audience) -> None:
    assert unfilled(Text("x", "At [[ended]]"), audience=audience, facts=RESOLVED) == ("ended",)


def test_a_token_inside_a_links_address_is_refused() -> None:
    with pytest.raises(Unfinished) as refusal:
        mail(Text("Resolved", "[here](https://a.example/?n=[[name]])"))

    assert refusal.value.tokens == ("name",)


def test_a_public_post_is_its_body_alone() -> None:
    text = Text(" Resolved\u0000 ", "It is **over**.\r\n")

    done = finish(text, audience=Audience.PUBLIC, step=Step.RESOLVED, facts=RESOLVED)

    assert done == Composed("Resolved", "It is **over**.")


def test_an_internal_message_is_plain_text() -> None:
    text = Text("SEV1", "SEV1: *it* is over")

    done = finish(text, audience=Audience.INTERNAL, step=Step.CLOSED, facts=RESOLVED)

    assert done == Composed("SEV1", "SEV1: *it* is over", text="SEV1: *it* is over")


def test_the_companys_colour_is_that_of_a_mails_button() -> None:
    text = Text("Resolved", "It is over.")
    coloured = mail(text, with_public(RESOLVED, accent="#7a1fa2")).html
    assert re.search(r'class="button"[^>]*background-color: ?#7a1fa2', coloured)
    assert "#7a1fa2" not in mail(text).html


def test_a_mail_is_text_and_html_filled_for_its_recipient() -> None:
    done = mail(Text("Over ([[ended]])", "Hello [[name]],\n\nIt was **[[span]]**."))

    subject, text, html = filled(done, name="Ines <3")
    assert subject == "Over (Feb 13, 2026, 17:00 PST (UTC−8))"
    span = "Feb 13, 2026, 14:30 – 17:00 PST (UTC−8)"
    assert text.startswith(f"Hello Ines <3,\n\nIt was {span}.\n\n---\n")
    assert ">Hello Ines &lt;3,</p>" in html
    assert f"<strong>{span}</strong>" in html
    assert done.moments == {
        "started": "2026-02-13T22:30:00+00:00",
        "ended": "2026-02-14T01:00:00+00:00",
    }


def test_a_mail_says_why_it_came_and_how_to_leave() -> None:
    _, text, html = filled(mail(Text("Over", "It is over.")))

    assert text.split("---\n")[1].splitlines() == [
        "You’re receiving this because you’re a customer of ShopStack "
        "and this incident affected Checkout and Payments.",
        "This incident: https://status.shopstack.example/incidents/p4ym3nts0ut1",
        f"Unsubscribe from incident emails: {LEAVE}",
    ]
    assert re.findall(r'<a href="([^"]*)"[^>]*>Unsubscribe from', html) == [LEAVE]


def test_the_list_of_mails_shows_the_first_words_after_the_greeting() -> None:
    html = mail(Text("Over", "Hello [[name]],\n\nIt is over.\n\nMore.")).html

    assert re.findall(r'class="preheader"[^>]*>([^<]*)<', html) == ["It is over."]


def test_no_token_is_left_in_what_a_recipient_gets() -> None:
    done = mail(Text("Over [[ended]]", "Hello [[name]], [[started]] [[ended]] [[span]]"))

    assert [part for part in filled(done) if "[[" in part] == []


@pytest.mark.parametrize(
    "title", ["[[name]]", "[[html:name]]", "[[[name]]]", "[[unsubscribe_url]]"]
)
def test_a_title_that_looks_like_a_token_stays_text(session: Session, title: str) -> None:
    facts = with_public(RESOLVED, title=title, service=title, components=((title, "Up"),))
    text = compose(session, facts, audience=Audience.CUSTOMER, step=Step.RESOLVED)

    subject, plain, html = (part.replace("\u2060", "") for part in filled(mail(text, facts)))

    assert subject == f"Resolved: {title} ({title})"
    assert f"The problem with {title} is fully resolved." in plain
    assert html.replace("&#91;", "[").count(title) == 10
    assert (plain.count("Ines"), html.count("Ines")) == (1, 1)


def test_what_people_type_cannot_become_a_template_or_markup(session: Session) -> None:
    typed = "{{ service }} {% if x %} <script>alert(1)</script> **[x](javascript:x)** # _a_"
    facts = with_public(RESOLVED, title=typed, components=((typed, "Up"),))

    text = compose(session, facts, audience=Audience.CUSTOMER, step=Step.RESOLVED)
    _, plain, html = filled(mail(text, facts))

    assert f"The problem with {typed} is fully resolved." in plain
    assert "<script" not in html
    assert "{{ service }} {% if x %} &lt;script&gt;" in html


def test_a_fact_with_simple_markdown_keeps_it(session: Session) -> None:
    facts = with_public(RESOLVED, users_notice="- **Cards** fail\n- Carts are kept")

    text = compose(session, facts, audience=Audience.CUSTOMER, step=Step.RESOLVED)
    html = re.sub(r' style="[^"]*"', "", mail(text, facts).html)

    noticed = "<p><strong>What you may have noticed:</strong></p>\n<ul>\n"
    items = "<li><strong>Cards</strong> fail</li>\n<li>Carts are kept</li>\n</ul>"
    assert noticed + items in html


def test_headings_in_a_mail_stand_right_under_its_title() -> None:
    html = mail(Text("Over", "# Why\n\n## More\n\nIt said <h3>.")).html

    assert re.findall(r"<(h\d)[ >]", html) == ["h1", "h2", "h3"]
    assert "It said &lt;h3&gt;." in html


def test_a_mail_is_valid_html(html_errors: HtmlChecker, session: Session) -> None:
    text = compose(session, RESOLVED, audience=Audience.CUSTOMER, step=Step.RESOLVED)

    assert html_errors(filled(mail(text))[2]) == []


def test_a_wording_that_is_not_saved_can_be_seen_on_the_sample() -> None:
    text = preview("public/resolved", subject="{{ status }}", body="{{ title }}, {{ duration }}")

    assert text == Text("Resolved", "Card payments fail at checkout, 2 hours 30 minutes")


def test_a_wording_can_be_seen_on_an_incident() -> None:
    facts = with_public(preview_sample("public/resolved"), title="Slow search")

    text = preview("public/resolved", subject="{{ title }}", body="x", facts=facts)

    assert text.subject == "Slow search"


def test_a_preview_of_an_unfit_wording_says_where() -> None:
    with pytest.raises(Unfit) as refusal:
        preview("public/resolved", subject="x", body="{{ commander }}")

    reason = "“commander” is an internal fact: it does not exist for this audience"
    assert refusal.value.problems == (TemplateProblem(1, 4, reason),)
