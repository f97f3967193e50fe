"""Mail in each recipient's language: its frame and times; the company's words are as written."""

from __future__ import annotations

from collections import Counter

import pytest
import time_machine
from flask import Flask
from sqlalchemy import delete
from sqlalchemy.orm import Session

from statuspage.core.db import writing
from statuspage.core.enums import Channel
from statuspage.delivery import subscriptions
from statuspage.delivery.channels.outgoing import fill_html, fill_text
from statuspage.delivery.dispatch import Dispatcher, Lane
from statuspage.models import Customer, Page
from statuspage.recipients.subscribers import Wish
from tests.announcing import Stage, declare, make_customer, resolve, set_stage
from tests.delivery.test_dispatch import Door
from tests.subscribing import SAM, add_subscriber, ask, newest_link, sign_up_mails

LANGUAGES = ("en", "de", "ja", "de_AT", "nl")


@pytest.fixture
def door() -> Door:
    return Door()


@pytest.fixture
def stage(app: Flask, frozen: time_machine.Traveller, session: Session) -> Stage:
    """A page with five customers, each of another language, and their subscribers."""
    made = set_stage(app, customers=0)
    with writing() as session:
        for code in LANGUAGES:
            address = f"{code.lower()}@example.com"
            session.add(make_customer(address, "Kim", language=code))
    return made


def send_all(app: Flask, door: Door, *, batch: int = 100) -> None:
    lanes = {Channel.EMAIL: Lane(door, parallel=1, batch=batch)}
    Dispatcher(app, 7, lanes).send_all()


def sent(door: Door, address: str) -> tuple[str, str, str]:
    """Subject, text and HTML of what somebody was sent last, filled in for them."""
    found = [pair for pair in door.sent if pair[1].address == address]
    letter, recipient = found[-1]
    values = dict(recipient.values)
    if recipient.unsubscribe_url:
        values["unsubscribe_url"] = recipient.unsubscribe_url
    return letter.subject, fill_text(letter.text, values), fill_html(letter.html, values)


def test_each_customer_reads_the_frame_in_their_language(
    app: Flask, stage: Stage, door: Door
) -> None:
    code = declare(stage).code
    resolve(code)
    send_all(app, door)
    english, german = sent(door, "en@example.com"), sent(door, "de@example.com")
    assert english[0] == german[0]
    assert "You receive this because you are a customer of Acme" in english[1]
    assert "Sie erhalten diese E-Mail, weil Sie Kunde von Acme sind" in german[1]
    assert '<html lang="de" dir="ltr"' in german[2]
    assert "Störung ansehen" in german[2]
    # What the company wrote stays as it is, and says so to whoever reads aloud.
    assert 'lang="en"' in german[2]
    assert "We are sorry for the trouble" in german[1]
    assert f"/de/incidents/{code}" in german[1]
    assert "/de/unsubscribe/" in german[1]
    assert "/de/" not in english[1]
    assert "4. März 2026" in german[1]
    assert "Mar 4, 2026" in english[1]


def test_a_language_that_is_not_offered_gets_the_nearest_or_the_page_s_own(
    app: Flask, stage: Stage, door: Door
) -> None:
    resolve(declare(stage).code)
    send_all(app, door)
    assert '<html lang="de"' in sent(door, "de_at@example.com")[2]
    assert '<html lang="en"' in sent(door, "nl@example.com")[2]
    assert '<html lang="ja"' in sent(door, "ja@example.com")[2]


def test_the_page_s_own_language_is_that_of_whoever_has_none(
    app: Flask, stage: Stage, door: Door
) -> None:
    with writing() as session:
        session.get_one(Page, 1).language = "de"
    resolve(declare(stage).code)
    send_all(app, door)
    assert '<html lang="de"' in sent(door, "nl@example.com")[2]
    assert "/de/" not in sent(door, "nl@example.com")[1]
    assert "/en/incidents/" in sent(door, "en@example.com")[1]


def test_a_further_language_costs_one_more_request_at_most(
    app: Flask, stage: Stage, door: Door
) -> None:
    with writing() as session:
        session.execute(delete(Customer).where(Customer.all_components))
        for number in range(20):
            code = ("en", "de", "fr")[number % 3]
            session.add(make_customer(f"c{number:02}@example.com", "", language=code))
    resolve(declare(stage).code)
    batches: list[Counter[str]] = []
    plain = door.send

    def counting(letter, recipients, *, still_ours):  # type: ignore[no-untyped-def]
        batches.append(Counter({letter.html[letter.html.index("lang=") :][6:8]: len(recipients)}))
        return plain(letter, recipients, still_ours=still_ours)

    door.send = counting  # type: ignore[method-assign]
    send_all(app, door, batch=5)
    # Of 21 recipients in three languages: five full batches at best.
    assert sum(batches, Counter()) == {"en": 8, "de": 7, "fr": 6}
    assert len(batches) <= 5 + 2


def test_a_sign_up_is_answered_in_the_language_of_the_page(
    app: Flask, stage: Stage, door: Door
) -> None:
    ask(wish=Wish(language="de"))
    ((_, message),) = sign_up_mails()
    assert message.subject == "Bestätigen Sie Ihr Abonnement von Acme"
    send_all(app, door)
    _, text, html = sent(door, SAM)
    assert "Jemand, hoffentlich Sie selbst" in text
    assert "Bestätigen: " in text
    assert "/de/subscriptions/" in text
    assert '<html lang="de" dir="ltr"' in html
    subscriptions.confirm(newest_link())
    declare(stage)
    send_all(app, door)
    _, text, _ = sent(door, SAM)
    assert "Sie erhalten diese E-Mail, weil Sie die Statusseite von Acme" in text
    assert "/de/incidents/" in text


def test_arabic_mail_reads_from_right_to_left(app: Flask, stage: Stage, door: Door) -> None:
    add_subscriber("layla@example.com", language="ar")
    declare(stage)
    send_all(app, door)
    assert '<html lang="ar" dir="rtl"' in sent(door, "layla@example.com")[2]


def test_a_time_of_the_other_direction_keeps_its_order(
    app: Flask, stage: Stage, door: Door
) -> None:
    with writing() as session:
        session.add(make_customer("layla@example.com", "Layla", language="ar"))
    resolve(declare(stage).code)
    send_all(app, door)
    _, text, html = sent(door, "layla@example.com")
    for written in (text, html):
        time = written[written.index("\u2067") + 1 : written.index("\u2069")]
        assert time.endswith("UTC")
        assert "مارس 2026" in time
