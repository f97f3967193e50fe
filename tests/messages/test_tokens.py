"""Tokens: what each recipient's copy is filled with."""

from __future__ import annotations

import pytest

from statuspage.delivery.channels.provider import fill_subject, fill_text
from statuspage.messages.tokens import (
    disarm,
    fillable,
    greeting,
    page_times,
    salutation,
    times_in,
    token_values,
)

MOMENTS = {
    "started": "2026-02-13T22:30:00+00:00",
    "ended": "2026-02-14T01:00:00+00:00",
    "next_update": "2026-02-13T23:30:00+00:00",
}


def test_times_are_shown_in_the_recipients_zone() -> None:
    values = token_values(MOMENTS, zone="America/Los_Angeles", name="Ines")

    assert values == {
        "started": "Feb 13, 2026, 14:30 PST (UTC−8)",
        "ended": "Feb 13, 2026, 17:00 PST (UTC−8)",
        "next_update": "Feb 13, 2026, 15:30 PST (UTC−8)",
        "span": "Feb 13, 2026, 14:30 – 17:00 PST (UTC−8)",
        "name": "Ines",
        "greeting": "Hello Ines,",
    }


def test_another_zone_gives_another_day() -> None:
    values = token_values(MOMENTS, zone="Asia/Karachi", name="Ines")

    assert values["span"] == "Feb 14, 2026, 03:30 – 06:00 PKT (UTC+5)"


def test_times_are_written_in_the_recipients_language() -> None:
    values = token_values(MOMENTS, zone="Europe/Berlin", locale="de")

    assert values["started"] == "13. Feb. 2026, 23:30 CET (UTC+1)"


@pytest.mark.parametrize("locale", ["en", "de", "fr", "es", "pt-BR", "ja", "ar"])
def test_the_times_in_a_finished_text_are_found_as_they_stand_there(locale: str) -> None:
    shown = page_times(MOMENTS, zone="America/New_York", locale=locale)
    text = f"{shown['span']} … {shown['next_update']}"
    found = times_in(text, MOMENTS, zone="America/New_York", locale=locale)
    assert found == {
        shown["span"]: f"{MOMENTS['started']}/{MOMENTS['ended']}",
        shown["next_update"]: MOMENTS["next_update"],
    }


@pytest.mark.parametrize(
    ("zone", "locale"), [("Mars/Olympus", "en"), ("UTC", "klingon"), ("", ""), ("../etc", "x-y-z")]
)
def test_a_wrong_zone_or_locale_costs_nobody_their_mail(zone: str, locale: str) -> None:
    values = token_values({"started": MOMENTS["started"]}, zone=zone, locale=locale)

    assert values == {"started": "Feb 13, 2026, 22:30 UTC", "name": "there", "greeting": "Hello,"}


@pytest.mark.parametrize(
    ("name", "called"), [("Ines  Álvarez\n", "Ines Álvarez"), ("", "there"), ("  ", "there")]
)
def test_a_customer_is_greeted_by_name_where_there_is_one(name: str, called: str) -> None:
    assert salutation(name) == called


@pytest.mark.parametrize(
    ("language", "named", "nameless"),
    [
        ("en", "Hello Ada,", "Hello,"),
        ("de", "Guten Tag Ada,", "Guten Tag,"),
        ("es", "Hola, Ada:", "Hola:"),
        ("pt-BR", "Olá, Ada,", "Olá,"),
        ("ja", "Ada 様", "お客様各位"),
        ("ar", "مرحبًا Ada،", "مرحبًا،"),
    ],
)
def test_a_mail_begins_in_its_own_language(language: str, named: str, nameless: str) -> None:
    assert (greeting(" Ada ", language), greeting("", language)) == (named, nameless)


def test_a_name_that_looks_like_a_token_is_filled_once() -> None:
    values = token_values(MOMENTS, zone="UTC", name="[[started]]")

    assert fill_text("Hello [[name]]", values) == "Hello [[started]]"


def test_a_disarmed_value_is_never_filled() -> None:
    text = disarm("[[name]] [[[name]]] [[[[name]]]]")

    assert fill_subject(text, {"name": "Ines"}) == text
    assert text.replace("\u2060", "") == "[[name]] [[[name]]] [[[[name]]]]"


def test_a_span_needs_both_ends() -> None:
    assert fillable({"started": ""}) == {"name", "greeting", "started"}
    assert fillable({"started": "", "ended": ""}) == {
        "name",
        "greeting",
        "started",
        "ended",
        "span",
    }
