"""The catalogues are whole, and say with the same placeholders what the source says."""

import re
from collections import Counter

import pytest
from babel.messages import Catalog, Message

from statuspage.core.languages import (
    ENGLISH,
    OFFERED,
    Language,
    direction,
    nearest,
    prefix,
    split_path,
    translations,
)
from statuspage.public.times import Times
from tests.translations import catalogue_path, extract, read, translated

SOURCE = extract()
every_catalogue = pytest.mark.parametrize("language", translated(), ids=lambda one: one.code)


def ids(catalogue: Catalog) -> set[object]:
    return {message.id for message in catalogue if message.id}


def strings(message: Message) -> tuple[str, ...]:
    string = message.string
    return string if isinstance(string, tuple) else (string,)


def places(text: str) -> Counter[str]:
    return Counter(re.findall(r"%\(\w+\)[sd]|\{\w+\}|%%|</?\w+[^>]*>", text))


@every_catalogue
def test_a_catalogue_has_what_the_source_says_and_nothing_else(language: Language) -> None:
    assert ids(read(language)) == ids(SOURCE), "run make translations, and fill in what is new"


@every_catalogue
def test_nothing_is_left_untranslated_or_in_doubt(language: Language) -> None:
    catalogue = read(language)
    open_ones = [m.id for m in catalogue if m.id and (m.fuzzy or not all(strings(m)))]
    assert open_ones == []
    assert {len(strings(m)) for m in catalogue if isinstance(m.id, tuple)} == {
        catalogue.num_plurals
    }


@every_catalogue
def test_a_translation_has_the_placeholders_and_tags_of_the_original(language: Language) -> None:
    for message in read(language):
        if message.id and isinstance(message.id, tuple):
            # One, two or none may be said in words, the number left out.
            wanted = places(message.id[1])
            assert all(places(text) <= wanted for text in strings(message)), message.id
            assert places(strings(message)[-1]) == wanted, message.id
        elif message.id:
            assert places(strings(message)[0]) == places(message.id), message.id


@every_catalogue
def test_a_percent_sign_is_a_placeholder(language: Language) -> None:
    # Jinja formats whatever it translates, with values or without.
    said = [text for message in read(language) if message.id for text in strings(message)]
    assert [text for text in said if re.search(r"%(?!\(\w+\)[sd])", text)] == []


@every_catalogue
def test_a_catalogue_is_compiled_when_it_is_read(language: Language) -> None:
    said = read(language).get("Skip to the content").string
    assert translations(language.code).gettext("Skip to the content") == said
    assert catalogue_path(language).suffix == ".po"


@every_catalogue
def test_a_language_is_offered_in_its_own_words(language: Language) -> None:
    english = OFFERED[0]
    assert language.offer != english.offer
    assert language.close != english.close


def test_english_needs_no_catalogue() -> None:
    assert translations(ENGLISH).gettext("Skip to the content") == "Skip to the content"


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("de", "de"),
        ("de_AT", "de"),
        ("DE-ch", "de"),
        ("en_GB", "en"),
        ("nl", "en"),
        ("", "en"),
        ("pt_BR", "pt-BR"),
        ("pt-PT", "pt-BR"),
        ("ar_EG", "ar"),
        ("ja", "ja"),
    ],
)
def test_the_nearest_language_is_found(wanted: str, found: str) -> None:
    assert nearest(wanted) == found


@pytest.mark.parametrize(
    ("path", "parts"),
    [
        ("/de/", ("de", "/")),
        ("/de/history/2026-01", ("de", "/history/2026-01")),
        ("/de", (None, "/de")),
        ("/", (None, "/")),
        ("", (None, "")),
        ("/xx/history", (None, "/xx/history")),
        ("/DE/", (None, "/DE/")),
        ("/history/de/", (None, "/history/de/")),
        ("//de/", (None, "//de/")),
    ],
)
def test_an_address_names_its_language_in_its_first_segment(
    path: str, parts: tuple[str | None, str]
) -> None:
    assert split_path(path) == parts


def test_the_own_language_has_no_prefix() -> None:
    assert [prefix(one.code, own="de") for one in OFFERED[:2]] == ["/en", ""]
    assert [direction("de"), direction("ar")] == ["ltr", "rtl"]
    assert prefix("pt-BR", own="en") == "/pt-br"


@pytest.mark.parametrize(
    ("language", "lengths"),
    [
        ("de", ["1 Tag", "2 Tage", "3 Tage", "15 Tage", "1 Stunde 30 Minuten"]),
        ("fr", ["1 jour", "2 jours", "3 jours", "15 jours", "1 heure 30 minutes"]),
        ("es", ["1 día", "2 días", "3 días", "15 días", "1 hora y 30 minutos"]),
        ("pt-BR", ["1 dia", "2 dias", "3 dias", "15 dias", "1 hora e 30 minutos"]),
        ("ja", ["1日", "2日", "3日", "15日", "1時間30分"]),
        ("ar", ["يوم واحد", "يومان", "3 أيام", "15 يومًا", "ساعة واحدة و30 دقيقة"]),
    ],
)
def test_numbers_are_counted_as_the_language_counts(language: str, lengths: list[str]) -> None:
    when = Times(language, "UTC")
    seconds = [*(days * 86_400 for days in (1, 2, 3, 15)), 5_400]
    assert [when.length(each) for each in seconds] == lengths


@pytest.mark.parametrize(
    ("language", "percent"),
    [("en", "99.90%"), ("de", "99,90\xa0%"), ("pt-BR", "99,90%"), ("ja", "99.90%")],
)
def test_percentages_are_written_as_the_language_writes_them(language: str, percent: str) -> None:
    assert Times(language, "UTC").percent("99.90") == percent
    assert Times(language, "UTC").percent("100") == percent.replace("99.90", "100").replace(
        "99,90", "100"
    )
