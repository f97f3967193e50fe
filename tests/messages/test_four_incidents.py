"""Four incidents from their first word to their last, in every language, as outsiders read them."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import pytest

from statuspage.core.enums import Audience, Step
from statuspage.core.languages import OFFERED
from statuspage.delivery.channels.provider import fill_subject, fill_text
from statuspage.messages.compose import finish, render_text
from statuspage.messages.facts import Facts, InternalFacts, PublicFacts
from statuspage.messages.tokens import token_values
from statuspage.messages.wording import STEPS, Source, shipped_wording, template_name
from tests.messages.snapshots import kept, kept_names

CODES = tuple(language.code for language in OFFERED)
TYPED: Final = tomllib.loads(Path(__file__).with_name("four_incidents.toml").read_text("utf-8"))
ZONES: Final = {
    "ar": "Africa/Cairo",
    "de": "Europe/Berlin",
    "en": "America/New_York",
    "es": "Europe/Madrid",
    "fr": "Europe/Paris",
    "ja": "Asia/Tokyo",
    "pt-BR": "America/Sao_Paulo",
}
SYNTAX: Final = {"if", "elif", "else", "endif", "and", "or", "not"}
STARTED: Final = datetime(2026, 2, 13, 22, 30, tzinfo=UTC)
WINDOW: Final = datetime(2026, 2, 17, 10, 0, tzinfo=UTC)
LINKS: Final = {
    "unsubscribe_url": "https://status.shopstack.example/unsubscribe/t0k3n",
    "manage_url": "https://status.shopstack.example/subscriptions/t0k3n",
}


def after(minutes: int) -> datetime:
    return STARTED + timedelta(minutes=minutes)


@dataclass(frozen=True)
class Message:
    """One message of an incident: for whom, about what, and what is known by then.

    ``typed`` are the texts that are known; ``was`` stands for what users noticed.
    """

    audience: Audience
    step: Step
    typed: tuple[str, ...] = ()
    known: dict[str, Any] = field(default_factory=dict)


def both(step: Step, *typed: str, **known: Any) -> list[Message]:
    """The update on the page, and the email to customers."""
    return [Message(each, step, typed, known) for each in (Audience.PUBLIC, Audience.CUSTOMER)]


def public(step: Step, *typed: str, **known: Any) -> Message:
    return Message(Audience.PUBLIC, step, typed, known)


NOW: Final = ("users_notice", "workaround")
END: Final = ("was", "cause", "resolution", "prevention")
WHEN: Final = {"scheduled_for": WINDOW, "scheduled_until": WINDOW + timedelta(hours=2)}
MESSAGES: Final[dict[str, list[Message]]] = {
    "payments": [
        *both(Step.INVESTIGATING, *NOW, "unaffected", next_update=after(45), apologize=True),
        *both(Step.IDENTIFIED, *NOW, "cause", "action", expected_back=after(120),
              next_update=after(75)),
        *both(Step.IDENTIFIED, "action", still=True, cause_told=True, slips=True,
              expected_before=after(120), expected_back=after(150), next_update=after(105)),
        *both(Step.MONITORING, "resolution", watch_minutes=30, watch_until=after(140)),
        *both(Step.RESOLVED, *END, ended=after(150)),
        public(Step.POSTMORTEM, *END, ended=after(150)),
    ],
    "profiles": [
        public(Step.INVESTIGATING, "users_notice"),
        public(Step.NO_CHANGE, "users_notice", next_update=after(60)),
        *both(Step.IDENTIFIED, "action"),
        *both(Step.MONITORING, "resolution", still=True, monitoring=True),
        *both(Step.REOPENED, "users_notice", next_update=after(90)),
        *both(Step.RESOLVED, "was", "resolution", ended=after(200), again=True),
    ],
    "login": [
        *both(Step.INVESTIGATING),
        *both(Step.FALSE_ALARM, "resolution", ended=after(25)),
        Message(Audience.SUBSCRIBER, Step.CONFIRM),
        Message(Audience.SUBSCRIBER, Step.SUBSCRIBED),
    ],
    "maintenance": [
        public(Step.SCHEDULED, *NOW, **WHEN, verify_minutes=30),
        public(Step.REMINDER, *NOW, **WHEN, verify_minutes=30),
        public(Step.IN_PROGRESS, "users_notice", **WHEN, verify_minutes=30, late=True),
        public(Step.VERIFYING, **WHEN),
        public(Step.COMPLETED, "resolution", **WHEN),
        public(Step.COMPLETED, **WHEN, cancelled=True),
    ],
}  # fmt: skip


NAMES: Final = sorted(
    {template_name(each.audience, each.step) for told in MESSAGES.values() for each in told}
)


def facts_of(incident: str, language: str, message: Message) -> Facts:
    texts = TYPED[incident][language]
    typed = {
        "users_notice" if name == "was" else name: texts.get(name, "") for name in message.typed
    }
    known = {"components": tuple((each, "Major outage") for each in texts["components"])}
    facts = PublicFacts(
        service="ShopStack",
        title=texts["title"],
        status=(Step.IDENTIFIED if message.step is Step.NO_CHANGE else message.step).label,
        started=WINDOW if incident == "maintenance" else STARTED,
        page_url="https://status.shopstack.example/",
        incident_url=f"https://status.shopstack.example/incidents/{incident}",
        sign_off=texts["sign_off"],
        support_email="help@shopstack.example",
        zone=ZoneInfo(ZONES[language]),
        language=language,
        **known,
    )
    return Facts(replace(facts, **typed, **message.known), InternalFacts())


def as_read(incident: str, language: str, message: Message) -> str:
    """The message as its readers see it: subject and text, every time in their zone."""
    facts = facts_of(incident, language, message)
    source = shipped_wording(template_name(message.audience, message.step), language)
    text = render_text(source, facts, message.audience)
    done = finish(
        text, audience=message.audience, step=message.step, facts=facts, language=language
    )
    if message.audience is Audience.PUBLIC:
        return f"{done.subject}\n\n{done.body}\n"
    values = token_values(done.moments, zone=ZONES[language], locale=language, name="Ines Álvarez")
    values |= LINKS
    return f"{fill_subject(done.subject, values)}\n\n{fill_text(done.text, values)}"


def whole(incident: str, language: str) -> Iterator[str]:
    for message in MESSAGES[incident]:
        yield f"=== {message.audience.value}: {message.step.value}\n"
        yield as_read(incident, language, message).rstrip() + "\n"


def variables_in(source: Source) -> set[str]:
    """The facts that a wording names, in what it says and in what it depends on."""
    marks = re.findall(r"{[{%](.*?)[%}]}", source.subject + source.body)
    return {name for mark in marks for name in re.findall(r"\w+", mark)} - SYNTAX


@pytest.mark.parametrize("language", CODES)
@pytest.mark.parametrize("incident", MESSAGES)
def test_an_incident_is_told_word_for_word_as_it_is_kept(incident: str, language: str) -> None:
    told = "\n".join(whole(incident, language))

    assert kept(f"incidents/{incident}/{language}.txt", told) == told


@pytest.mark.parametrize("name", NAMES)
def test_a_wording_asks_for_the_same_facts_in_every_language(name: str) -> None:
    asked = {code: variables_in(shipped_wording(name, code)) for code in CODES}

    assert {code for code, names in asked.items() if names != asked["en"]} == set()


def test_together_they_use_every_message_that_outsiders_get() -> None:
    used = {(each.audience, each.step) for told in MESSAGES.values() for each in told}
    outsiders = (Audience.PUBLIC, Audience.CUSTOMER, Audience.SUBSCRIBER)

    assert used == {(audience, step) for audience in outsiders for step in STEPS[audience]}


@pytest.mark.parametrize("language", CODES)
def test_no_message_holds_a_line_of_another_language(language: str) -> None:
    """A line that equals English's and holds letters is a text that was not translated."""
    same = set()
    for incident in MESSAGES if language != "en" else ():
        english = {line for part in whole(incident, "en") for line in part.splitlines()}
        lines = [line for part in whole(incident, language) for line in part.splitlines()]
        same |= {line for line in lines if line in english and " " in line and "===" not in line}

    assert same == set()


def test_nothing_is_kept_of_incidents_that_are_not_told() -> None:
    kept_of_incidents = {name for name in kept_names() if name.startswith("incidents/")}

    assert kept_of_incidents == {
        f"incidents/{incident}/{language}.txt" for incident in MESSAGES for language in CODES
    }
