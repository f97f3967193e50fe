"""Mail in each recipient's language: its frame and times; the company's words are as written."""

from __future__ import annotations

from collections import Counter

import pytest
import time_machine
from flask import Flask
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from statuspage.core.db import writing
from statuspage.core.enums import Channel
from statuspage.delivery import subscribe
from statuspage.delivery.channels.provider import fill_html, fill_text
from statuspage.delivery.dispatch import Dispatcher, Lane
from statuspage.models import Customer, Incident, Page
from statuspage.recipients.subscribers import SubscriptionPreferences
from tests.announcing import Scenario, declare, make_customer, resolve, set_up_scenario
from tests.delivery.test_dispatch import Provider
from tests.subscribing import SAM, ask, newest_link, sign_up_mails

LANGUAGES = ("en", "de", "ja", "de_AT", "nl")


@pytest.fixture
def provider() -> Provider:
    return Provider()


@pytest.fixture
def scenario(app: Flask, frozen: time_machine.Traveller, session: Session) -> Scenario:
    """A page with five customers, each of another language, and their subscribers."""
    made = set_up_scenario(app, customers=0)
    with writing() as session:
        for code in LANGUAGES:
            address = f"{code.lower()}@example.com"
            session.add(make_customer(address, "Kim", language=code))
    return made


def send_all(app: Flask, provider: Provider, *, batch: int = 100) -> None:
    lanes = {Channel.EMAIL: Lane(provider, parallel=1, batch=batch)}
    Dispatcher(app, 7, lanes).send_all()


def sent(provider: Provider, address: str) -> tuple[str, str, str]:
    """Subject, text and HTML of what somebody was sent last, filled in for them."""
    found = [pair for pair in provider.sent if pair[1].address == address]
    outgoing, recipient = found[-1]
    values = dict(recipient.values)
    if recipient.unsubscribe_url:
        values["unsubscribe_url"] = recipient.unsubscribe_url
    return outgoing.subject, fill_text(outgoing.text, values), fill_html(outgoing.html, values)


def test_a_mail_is_in_the_customer_s_language_where_every_fact_has_a_text_in_it(
    app: Flask, scenario: Scenario, provider: Provider, session: Session
) -> None:
    code = declare(scenario).code
    german_texts = {"title": "Zahlungen schlagen fehl", "users_notice": "Karten wurden abgelehnt."}
    with writing() as transaction:
        incident = transaction.scalars(select(Incident).filter_by(code=code)).one()
        incident.public_facts = {**incident.public_facts, "translations": {"de": german_texts}}
    resolve(code)
    send_all(app, provider)
    english, german = sent(provider, "en@example.com"), sent(provider, "de@example.com")
    assert german[0] == "Behoben: Zahlungen schlagen fehl (Acme)"
    assert english[0].startswith("Resolved: ")
    assert german[1].startswith("Guten Tag")
    assert "Das Problem ist vollständig behoben." in german[1]
    assert "Karten wurden abgelehnt." in german[1]
    assert "Sie erhalten diese E-Mail, weil Sie Kunde von Acme sind" in german[1]
    assert '<html lang="de" dir="ltr"' in german[2]
    assert f"/de/incidents/{code}" in german[1]
    assert "/de/unsubscribe/" in german[1]
    assert "4. März 2026" in german[1]
    assert "Mar 4, 2026" in english[1]


def test_a_mail_is_wholly_in_the_page_s_language_where_a_fact_has_no_other_text(
    app: Flask, scenario: Scenario, provider: Provider
) -> None:
    resolve(declare(scenario).code)
    send_all(app, provider)
    english, german = sent(provider, "en@example.com"), sent(provider, "de@example.com")
    assert german[0] == english[0]
    assert '<html lang="en" dir="ltr"' in german[2]
    assert "Mar 4, 2026" in german[1]
    assert "You’re receiving this because you’re a customer of Acme" in german[1]


def translate(code: str, *languages: str) -> None:
    """Give an incident's facts a text in these languages."""
    with writing() as transaction:
        incident = transaction.scalars(select(Incident).filter_by(code=code)).one()
        texts = {
            language: {"title": f"{language}: title", "users_notice": f"{language}: notice"}
            for language in languages
        }
        incident.public_facts = {**incident.public_facts, "translations": texts}


def test_a_language_that_is_not_offered_gets_the_nearest_or_the_page_s_own(
    app: Flask, scenario: Scenario, provider: Provider
) -> None:
    code = declare(scenario).code
    translate(code, "de", "ja")
    resolve(code)
    send_all(app, provider)
    assert '<html lang="de"' in sent(provider, "de_at@example.com")[2]
    assert '<html lang="en"' in sent(provider, "nl@example.com")[2]
    assert '<html lang="ja"' in sent(provider, "ja@example.com")[2]


def test_posts_and_mails_are_in_the_page_s_language(
    app: Flask, scenario: Scenario, provider: Provider, session: Session
) -> None:
    with writing() as transaction:
        transaction.get_one(Page, 1).language = "de"
    incident = declare(scenario)
    resolve(incident.code)
    send_all(app, provider)
    subject, text, html = sent(provider, "nl@example.com")
    assert subject.startswith("Behoben: ")
    assert "Das Problem ist vollständig behoben." in text
    assert "4. März 2026" in text
    assert '<html lang="de"' in html
    assert "/de/" not in text
    found = session.scalars(select(Incident).filter_by(code=incident.code)).one()
    posts = [update.body for update in found.updates]
    assert "Wir untersuchen die Störung" in posts[0]
    assert posts[1].startswith("Diese Störung ist behoben")


def test_a_further_language_costs_one_more_request_at_most(
    app: Flask, scenario: Scenario, provider: Provider
) -> None:
    with writing() as session:
        session.execute(delete(Customer).where(Customer.all_components))
        for number in range(20):
            code = ("en", "de", "fr")[number % 3]
            session.add(make_customer(f"c{number:02}@example.com", "", language=code))
    code = declare(scenario).code
    translate(code, "de", "fr")
    resolve(code)
    batches: list[Counter[str]] = []
    plain = provider.send

    def counting(outgoing, recipients, *, still_ours):  # type: ignore[no-untyped-def]
        batches.append(
            Counter({outgoing.html[outgoing.html.index("lang=") :][6:8]: len(recipients)})
        )
        return plain(outgoing, recipients, still_ours=still_ours)

    provider.send = counting  # type: ignore[method-assign]
    send_all(app, provider, batch=5)
    # Of 21 recipients in three languages: five full batches at best.
    assert sum(batches, Counter()) == {"en": 8, "de": 7, "fr": 6}
    assert len(batches) <= 5 + 2


def test_a_sign_up_is_answered_in_the_language_of_the_page(
    app: Flask, scenario: Scenario, provider: Provider
) -> None:
    ask(preferences=SubscriptionPreferences(language="de"))
    ((_, message),) = sign_up_mails()
    assert message.subject == "Bestätigen Sie Ihr Abonnement von Acme"
    send_all(app, provider)
    _, text, html = sent(provider, SAM)
    assert "Wir wurden gebeten" in text
    assert "Bestätigen: " in text
    assert "/de/subscriptions/" in text
    assert '<html lang="de" dir="ltr"' in html
    subscribe.confirm(newest_link())
    declare(scenario)
    send_all(app, provider)
    _, text, _ = sent(provider, SAM)
    # No fact has a German text, so all of it is in the page's language.
    assert "You’re receiving this because you subscribed to the Acme status page" in text


def test_arabic_mail_reads_from_right_to_left(
    app: Flask, scenario: Scenario, provider: Provider
) -> None:
    with writing() as session:
        session.add(make_customer("layla@example.com", "Layla", language="ar"))
    code = declare(scenario).code
    translate(code, "ar")
    resolve(code)
    send_all(app, provider)
    _, text, html = sent(provider, "layla@example.com")
    assert '<html lang="ar" dir="rtl"' in html
    for written in (text, html):
        time = written[written.index("\u2067") + 1 : written.index("\u2069")]
        assert time.endswith("UTC")
