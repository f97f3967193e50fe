"""Pages in other languages: made on demand, of the views of one edition."""

from collections.abc import Iterator

import pytest
import time_machine
from flask import Flask
from sqlalchemy import Engine, event

from statuspage.core.db import db, writing
from statuspage.models import Page
from statuspage.models.revision import bump
from statuspage.public.document import Document, make_document
from statuspage.public.edition_builder import build_edition, mark_stale
from statuspage.public.translated_pages import Make, Versions
from tests.factories import LINKS, NOON, make_incident, make_page


def text(document: Document | None) -> str:
    return document.body.decode() if document else ""


def page(words: str, calls: list[str] | None = None) -> Make:
    def make(former: Document | None) -> Document:
        if calls is not None:
            calls.append(words)
        return make_document(words, content_type="text/plain", last_modified=NOON, previous=former)

    return make


@pytest.fixture
def engine(app: Flask, frozen: time_machine.Traveller) -> Iterator[Engine]:
    with app.app_context():
        with writing() as session:
            make_page(session)
            make_incident(session, "Payments fail", code="pay000000000")
            bump(session)
        yield db.engine


def test_a_page_is_made_once_and_when_somebody_asks() -> None:
    calls: list[str] = []
    versions = Versions({"/de/": page("Gut", calls)})
    assert calls == []
    assert [text(versions.get("/de/")) for _ in range(3)] == ["Gut"] * 3
    assert calls == ["Gut"]
    assert versions.get("/fr/") is None


def test_equal_bytes_stay_the_same_document_in_the_next_edition() -> None:
    first = Versions({"/de/": page("Gut"), "/de/history": page("Nichts")})
    second = Versions({"/de/": page("Gut"), "/de/history": page("Etwas")}, former=first)
    assert second.get("/de/") is not first.get("/de/")
    asked = first.get("/de/"), first.get("/de/history")
    third = Versions({"/de/": page("Gut"), "/de/history": page("Etwas")}, former=first)
    assert third.get("/de/") is asked[0]
    assert third.get("/de/history") is not asked[1]


def test_an_edition_says_the_same_in_every_language_without_another_read(engine: Engine) -> None:
    edition = build_edition(engine, LINKS)
    asked: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *args: asked.append(args[2]))
    with writing() as session:
        make_incident(session, "Told later", code="later0000000")
        bump(session)
    asked.clear()
    paths = ["/de/", "/de/history", "/de/history/2026-03", "/de/incidents/pay000000000"]
    for path in paths:
        shown = text(edition.find(path))
        assert '<html lang="de" dir="ltr"' in shown
        assert "Payments fail" in shown
        assert "Told later" not in shown
    assert asked == []


def test_the_own_language_has_one_address(engine: Engine) -> None:
    edition = build_edition(engine, LINKS)
    assert edition.find("/en/") is None
    assert edition.find("/de/updates.atom") is None
    with writing() as session:
        session.get_one(Page, 1).language = "de"
        bump(session)
    edition = build_edition(engine, LINKS, edition)
    assert (edition.language, edition.find("/de/")) == ("de", None)
    assert '<html lang="de"' in text(edition.find("/"))
    assert '<html lang="en"' in text(edition.find("/en/"))
    assert "Störungen" in text(edition.find("/history.atom"))
    assert "Partial System Outage" in text(edition.find("/api/v2/status.json"))


def test_not_confirmed_it_says_so_in_each_language(engine: Engine) -> None:
    edition = build_edition(engine, LINKS)
    edition.find("/de/")
    stale = mark_stale(edition, NOON)
    assert "Seit <time" in text(stale.find("/de/"))
    assert "Letzter bekannter Stand:" in text(stale.find("/de/"))
    assert "Seit <time" not in text(edition.find("/de/"))
