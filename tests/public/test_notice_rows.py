"""Notices on the public site: from their start to their end, on the page, in feeds and files."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy.orm import Session
from time_machine import Traveller

from statuspage.core.db import db
from statuspage.models.revision import bump
from statuspage.public import html_pages, queries
from statuspage.public.edition_builder import build_edition
from statuspage.public.export import sync, targets
from statuspage.public.queries import open_site
from tests.editions import in_three_languages, own_documents
from tests.factories import LINKS, NOON, make_notice, make_page

DAY = timedelta(days=1)


@pytest.fixture
def notices(session: Session, frozen: Traveller) -> dict[str, str]:
    """Codes by title."""
    make_page(session)
    german = {"de": {"title": "Neue Anmeldung", "body": "Sie sieht anders aus."}}
    made = {
        "Now": make_notice(session, "Now", translations=german, ends_at=NOON + DAY),
        "Pinned": make_notice(session, "Pinned", is_pinned=True, in_feeds=True),
        "Coming": make_notice(session, "Coming", begins_at=NOON + DAY, in_feeds=True),
        "Over": make_notice(session, "Over", ends_at=NOON - DAY / 2, in_feeds=True),
        "Withdrawn": make_notice(session, "Withdrawn", ends_at=NOON - DAY),
        "Old": make_notice(session, "Old", begins_at=NOON - 90 * DAY, ends_at=NOON - 60 * DAY),
    }
    bump(session)
    session.commit()
    return made


def test_the_page_shows_those_that_go_on_the_pinned_ones_first(notices: dict[str, str]) -> None:
    made = build_edition(db.engine, LINKS)
    documents = {
        path: one.body.decode(errors="replace") for path, one in own_documents(made).items()
    }
    home = documents["/"]
    shown = [f'id="notice-{notices[title]}"' in home for title in notices]
    assert shown == [True, True, False, False, False, False]
    places = [
        home.index(part) for part in ('id="pinned-notices"', 'id="components"', 'id="notices"')
    ]
    assert places == sorted(places)
    assert {path for path in documents if path.startswith("/notices/")} == {
        f"/notices/{notices[title]}" for title in ("Now", "Pinned", "Over")
    }
    assert "This notice is over." in documents[f"/notices/{notices['Over']}"]
    assert "<strong>Please</strong>" in documents[f"/notices/{notices['Now']}"]
    # When the next one begins, or ends, the page is made anew.
    assert made.next_change_at <= NOON + DAY
    german = made.versions.get("/de/")
    assert german is not None
    assert "Neue Anmeldung" in german.body.decode()
    with open_site(db.engine) as site:
        frame, notice = queries.read_frame(site), queries.read_notice(site, notices["Now"])
    assert notice is not None
    alone = html_pages.render_notice(replace(frame, read_in="de"), notice, LINKS)
    assert '<meta name="description" content="Sie sieht anders aus.">' in alone


def test_feeds_hold_those_that_are_not_quiet(notices: dict[str, str]) -> None:
    feed = own_documents(build_edition(db.engine, LINKS))["/updates.atom"].body.decode()
    assert [f"Notice: {title}" in feed for title in notices] == [
        False, True, False, True, False, False,
    ]  # fmt: skip
    assert "tag:example.com,Pinned" in feed


def test_statuspage_s_json_knows_nothing_of_them(notices: dict[str, str]) -> None:
    documents = own_documents(build_edition(db.engine, LINKS))
    apis = b"".join(one.body for path, one in documents.items() if path.startswith("/api/v2/"))
    assert [title for title in notices if f'"{title}"'.encode() in apis] == []


def test_only_what_has_begun_has_an_address_and_stays_in_the_export(
    notices: dict[str, str], tmp_path: Path
) -> None:
    with open_site(db.engine) as site:
        found = {title: queries.read_notice(site, key) for title, key in notices.items()}
    assert [title for title, view in found.items() if view] == ["Now", "Pinned", "Over", "Old"]
    target = targets.open_target(str(tmp_path / "site"))
    with in_three_languages():
        sync.export_site(target, db.engine, LINKS, progress=lambda done, total: None)
    files = {path.stem for path in (tmp_path / "site" / "notices").rglob("*.html")}
    named = {path.parent.name for path in (tmp_path / "site" / "notices").rglob("*.html")}
    assert {title for title, key in notices.items() if key in files | named} == {
        "Now", "Pinned", "Over", "Old",
    }  # fmt: skip
