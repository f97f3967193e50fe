"""Every shipped message, word for word, as its readers get it."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from statuspage.core.enums import Audience, Step
from statuspage.delivery.channels.provider import fill_html, fill_subject, fill_text
from statuspage.messages.compose import Text, finish, finish_for_subscribers, render_text, unfilled
from statuspage.messages.facts import Facts
from statuspage.messages.sample_incident import bare_facts, sample_facts
from statuspage.messages.tokens import token_values
from statuspage.messages.wording import STEPS, check, parts_of, shipped_wording, template_name
from tests.messages.snapshots import kept, kept_names

NAMES = [template_name(audience, step) for audience, steps in STEPS.items() for step in steps]
MAILS = [name for name in NAMES if name.startswith(("customer/", "subscriber/"))]
POSTS = [name for name in NAMES if name.startswith("public/")]
LINKS = {
    "unsubscribe_url": "https://status.shopstack.example/unsubscribe/t0k3n",
    "manage_url": "https://status.shopstack.example/subscriptions/t0k3n",
}


def variants(name: str) -> dict[str, Facts]:
    """The incident with every fact, with as few as can be, and its turns."""
    audience, step = parts_of(name)
    full = sample_facts(audience, step)
    turns = {name: full, f"{name}.bare": bare_facts(audience, step)}
    if step in {Step.RESOLVED, Step.CLOSED}:
        turns[f"{name}.again"] = with_public(full, again=True)
    if step in {Step.INVESTIGATING, Step.IDENTIFIED, Step.MONITORING, Step.IN_PROGRESS}:
        turns[f"{name}.still"] = with_public(full, still=True, cause="")
    if step is Step.IN_PROGRESS:
        turns[f"{name}.late"] = with_public(full, late=True)
    if audience is Audience.SUBSCRIBER:
        turns[f"{name}.plain"] = with_public(full, title="", incident_url="")
    if step is Step.COMPLETED:
        turns[f"{name}.cancelled"] = with_public(full, cancelled=True)
    return turns


def with_public(facts: Facts, **changes: object) -> Facts:
    return replace(facts, public=replace(facts.public, **changes))  # type: ignore[arg-type]


ALL = {turn: facts for name in NAMES for turn, facts in variants(name).items()}


def text_of(turn: str) -> Text:
    name = turn.split(".")[0]
    return render_text(shipped_wording(name), ALL[turn], parts_of(name)[0])


@pytest.mark.parametrize("turn", ALL)
def test_each_text_is_word_for_word_as_it_is_kept(turn: str) -> None:
    text = text_of(turn)
    shown = f"Subject: {text.subject}\n\n{text.body}\n"

    assert kept(f"{turn}.md", shown) == shown


@pytest.mark.parametrize("name", MAILS)
def test_each_mail_is_word_for_word_as_it_is_kept(name: str) -> None:
    audience, step = parts_of(name)
    mail = finish(text_of(name), audience=audience, step=step, facts=ALL[name])
    values = LINKS | token_values(mail.moments, zone="Europe/Berlin", name="Ines Álvarez")
    text = f"Subject: {fill_subject(mail.subject, values)}\n\n{fill_text(mail.text, values)}"
    html = fill_html(mail.html, values)

    assert kept(f"{name}.mail.txt", text) == text
    assert kept(f"{name}.mail.html", html) == html


@pytest.mark.parametrize("name", POSTS)
def test_each_post_reaches_subscribers_word_for_word_as_it_is_kept(name: str) -> None:
    audience, step = parts_of(name)
    update = finish(text_of(name), audience=audience, step=step, facts=ALL[name])
    mail = finish_for_subscribers(update, step=step, facts=ALL[name])
    values = LINKS | token_values(mail.moments, zone="Europe/Berlin")
    text = f"Subject: {fill_subject(mail.subject, values)}\n\n{fill_text(mail.text, values)}"
    html = fill_html(mail.html, values)

    assert mail.body == update.body
    assert "PST" not in text
    assert "[[" not in text + html
    assert kept(f"{name}.mail.txt", text) == text


def test_nothing_is_kept_that_no_message_says() -> None:
    mails = {f"{name}.mail.{kind}" for name in MAILS for kind in ("txt", "html")}
    mails |= {f"{name}.mail.txt" for name in POSTS}

    found = {name for name in kept_names() if not name.startswith("incidents/")}
    assert found == {f"{turn}.md" for turn in ALL} | mails


@pytest.mark.parametrize("name", NAMES)
def test_each_shipped_wording_could_be_saved_as_it_is(name: str) -> None:
    source = shipped_wording(name)

    assert check(name, source.subject, source.body) == []


@pytest.mark.parametrize("name", NAMES)
def test_with_every_fact_told_no_text_lacks_or_wants_anything(name: str) -> None:
    text = text_of(name)

    assert unfilled(text, audience=parts_of(name)[0], facts=ALL[name]) == ()
    assert text.wanted == ()


@pytest.mark.parametrize(
    ("name", "lacking"),
    [
        ("public/postmortem", ("cause", "resolution", "prevention")),
    ],
)
def test_what_a_text_cannot_do_without_is_named(name: str, lacking: tuple[str, ...]) -> None:
    turn = f"{name}.bare"

    assert unfilled(text_of(turn), audience=parts_of(name)[0], facts=ALL[turn]) == lacking


@pytest.mark.parametrize(
    "turn", [turn for turn in ALL if not parts_of(turn.split(".")[0])[0].is_inside]
)
def test_no_public_text_holds_an_internal_fact(turn: str) -> None:
    audience, step = parts_of(turn.split(".")[0])
    internal = sample_facts(Audience.INTERNAL, Step.UPDATE).internal
    facts = replace(ALL[turn], internal=internal)
    text = render_text(shipped_wording(template_name(audience, step)), facts, audience)

    told = [internal.technical_cause, internal.progress, internal.commander, internal.severity]
    told += [internal.references, internal.users_affected, internal.suspected_cause]
    assert [fact for fact in told if fact in text.subject + text.body] == []


def test_an_unconfirmed_cause_stands_in_no_public_text() -> None:
    facts = with_public(ALL["customer/identified"], cause="")
    text = render_text(shipped_wording("customer/identified"), facts, Audience.CUSTOMER)

    assert text.body.split("\n\n")[1] == "We’ve identified the problem with Checkout and Payments."


@pytest.mark.parametrize("turn", ALL)
def test_every_time_in_a_text_names_its_zone(turn: str) -> None:
    text = text_of(turn).body
    # The internal sample's own prose speaks of 14:22 and 14:30, as people in a chat do.
    spoken = re.compile(r"the 14:22 settings|since 14:30")

    assert re.findall(r"\d\d:\d\d(?! – )(?! [A-Z]{3,4}\b)", spoken.sub("", text)) == []
