"""What is answered stands in the table of public addresses, and all of the table is answered."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import feedparser
import pytest
from flask import Flask
from flask.testing import FlaskClient

from statuspage.core.db import db, writing
from statuspage.core.languages import BY_SEGMENT
from statuspage.models.revision import bump
from statuspage.public.addresses import ADDRESSES, PUBLIC, RECENT_FEEDS, SEARCH_PAGE, PublicAddress
from statuspage.public.archive import survey
from statuspage.public.assets import asset_documents
from statuspage.public.edition import Edition
from statuspage.public.edition_builder import build_edition, complete_edition, mark_stale
from statuspage.public.page_language import IN_A_LANGUAGE
from statuspage.public.queries import open_site
from tests.factories import (
    LINKS,
    NOON,
    make_component,
    make_group,
    make_incident,
    make_notice,
    make_page,
)

GROUP = "group0000000"
CHECKOUT = "checkout0000"

pytestmark = pytest.mark.usefixtures("frozen")


@pytest.fixture
def edition(app: Flask) -> Iterator[Edition]:
    """A page with colours of its own, a group of two components, and incidents of two years."""
    with app.app_context():
        with writing() as session:
            make_page(session, look={"accent": "#123456"})
            group = make_group(session, "Shop", code=GROUP)
            checkout = make_component(session, "Checkout", code=CHECKOUT, group_id=group.id)
            search = make_component(
                session, "Search", code="search000000", group_id=group.id, position=1
            )
            fax = make_component(session, "Fax", code="fax000000000", position=2)
            for title, days, parts in (
                ("Both fail", 1, (checkout, search)),
                ("Nobody faxes", 2, (fax,)),
                ("Search fails", 3, (search,)),
                ("Long ago", 500, (checkout,)),
            ):
                make_incident(
                    session,
                    title,
                    started_at=NOON - timedelta(days=days),
                    updates=("investigating", "resolved"),
                    components=parts,
                )
            make_notice(session, "Slow networks")
            bump(session)
        yield build_edition(db.engine, LINKS)


@pytest.fixture
def exported(edition: Edition) -> set[str]:
    """All addresses that an export writes."""
    with open_site(db.engine) as site:
        parts = survey(site)
    return {
        *edition.documents,
        *edition.versions.paths,
        *(path for part in parts for path in part.paths),
    }


def own_paths(address: PublicAddress[object], paths: set[str]) -> set[str]:
    """The paths of an address in the page's own language."""
    own = re.compile(address.pattern)
    return {path for path in paths if own.fullmatch(path) and path.split("/")[1] not in BY_SEGMENT}


def test_each_address_stands_in_the_table_once() -> None:
    rules = [address.rule for address in ADDRESSES]
    assert len(rules) == len(set(rules))


def test_what_is_exported_stands_in_the_table_or_is_a_static_file(exported: set[str]) -> None:
    assert {path for path in exported if not PUBLIC.fullmatch(path)} == set(asset_documents())


def test_what_flask_answers_stands_in_the_table(app: Flask) -> None:
    rules = {
        rule.rule.removeprefix(IN_A_LANGUAGE)
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith("public.")
    }
    assert rules == {address.rule for address in ADDRESSES}


def test_every_address_is_exported_but_the_search(exported: set[str]) -> None:
    missing = [address for address in ADDRESSES if not own_paths(address, exported)]
    assert missing == [SEARCH_PAGE]


def test_every_address_is_answered(exported: set[str], client: FlaskClient) -> None:
    paths = ["/search", *(path for each in ADDRESSES for path in own_paths(each, exported))]
    answers = {path: client.get(path).status_code for path in paths}
    assert answers == dict.fromkeys(paths, 200)


def test_every_page_is_exported_and_answered_in_every_language(
    exported: set[str], client: FlaskClient
) -> None:
    pages = {path for each in ADDRESSES if each.has_languages for path in own_paths(each, exported)}
    others = {f"/{segment}{path}" for segment in BY_SEGMENT if segment != "en" for path in pages}
    assert others - exported == set()
    answers = {path: client.get(path).text for path in (f"/de{path}" for path in pages)}
    assert {path for path, text in answers.items() if '<html lang="de"' not in text} == set()


def test_only_pages_have_languages(exported: set[str]) -> None:
    translated = {path for path in exported if path.split("/")[1] in BY_SEGMENT}
    pages = re.compile("|".join(each.pattern for each in ADDRESSES if each.has_languages))
    assert {path for path in translated if not pages.fullmatch(path)} == set()


def test_the_views_alone_make_what_belongs_to_incidents_components_and_groups(
    edition: Edition, exported: set[str]
) -> None:
    """While the database is away nothing else can be made."""
    list(complete_edition(db.engine, edition))
    more = mark_stale(edition, NOON).more
    asked = {path for each in RECENT_FEEDS for path in own_paths(each, exported)}
    assert len(asked) == 4 * len(RECENT_FEEDS)
    assert asked - more.keys() == set()


@pytest.mark.parametrize("name", ["updates.rss", "updates.atom", "history.rss", "history.atom"])
def test_a_group_has_the_feeds_of_its_components_incidents_each_once(
    edition: Edition, client: FlaskClient, name: str
) -> None:
    path = f"/components/{GROUP}/{name}"
    found = feedparser.parse(client.get(path).data)
    titles = [entry.title.split(": ")[-1] for entry in found.entries]
    times = 2 if name.startswith("updates") else 1
    assert titles == [
        title for title in ("Both fail", "Search fails", "Long ago") for _ in range(times)
    ]
    assert found.feed.title.startswith("Acme Shop - ")
    # While the database is away the same is made of the views.
    list(complete_edition(db.engine, edition))
    kept = mark_stale(edition, NOON).more[path](None)
    assert feedparser.parse(kept.body).entries == found.entries


def test_a_group_has_no_page_and_no_badge(edition: Edition, client: FlaskClient) -> None:
    for path in (f"/components/{GROUP}", f"/components/{GROUP}/badge.svg"):
        assert client.get(path).status_code == 404
