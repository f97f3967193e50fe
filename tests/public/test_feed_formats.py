"""Feeds as readers get them: Atom by its grammar, RSS, and JSON Feed."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from lxml import etree

from statuspage.core.links import Links
from statuspage.public import feed_formats
from statuspage.public.feeds import Feed, incident_feed, updates_feed
from statuspage.public.snapshot import IncidentView
from tests.public.samples import INVESTIGATING, LINKS, PAGE, ago, component, incident, post
from tests.public.test_feeds import CAUSE, FOUND, HISTORY, OLD, OUTAGE, OVER, UPDATES, read, told

ATOM = "{http://www.w3.org/2005/Atom}"
GRAMMAR = etree.RelaxNG(file=Path(__file__).with_name("atom.rng"))
WRITERS = [feed_formats.write_atom, feed_formats.write_rss]

Writer = Callable[[Feed, Links], bytes]


@pytest.mark.parametrize("write", WRITERS)
@pytest.mark.parametrize("feed", [UPDATES, HISTORY, incident_feed(PAGE, OUTAGE, LINKS)])
def test_writing_twice_gives_the_same_bytes(write: Writer, feed: Feed) -> None:
    assert write(feed, LINKS) == write(feed, LINKS)


@pytest.mark.parametrize("feed", [UPDATES, HISTORY, updates_feed(PAGE, [], LINKS)])
def test_atom_keeps_to_its_grammar_and_no_id_comes_twice(feed: Feed) -> None:
    root = etree.fromstring(feed_formats.write_atom(feed, LINKS))
    GRAMMAR.assertValid(root)
    assert root.findtext(f"{ATOM}author/{ATOM}name") == "Marigold"
    ids = [element.text for element in root.iter(f"{ATOM}id")]
    assert len(set(ids)) == len(ids) == len(feed.entries) + 1


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        (b"<author><name>Marigold</name></author>", b""),
        (b"<updated>2026-03-04T11:00:00+00:00</updated>", b"<updated>2026-03-04</updated>"),
        (b"<title>Identified: Payments fail</title>", b""),
        (b"<published>", b"<issued/><published>"),
    ],
)
def test_the_grammar_refuses_what_the_rfc_forbids(right: bytes, wrong: bytes) -> None:
    content = feed_formats.write_atom(UPDATES, LINKS)
    assert right in content
    assert not GRAMMAR.validate(etree.fromstring(content.replace(right, wrong, 1)))


@pytest.mark.parametrize(
    ("write", "ending"), [(feed_formats.write_atom, "atom"), (feed_formats.write_rss, "rss")]
)
def test_a_feed_names_its_own_address_and_the_page(write: Writer, ending: str) -> None:
    found = read(write(UPDATES, LINKS))
    links = {link.rel: link.href for link in found.feed.links}
    assert links == {
        "self": f"https://status.example.com/updates.{ending}",
        "alternate": "https://status.example.com/",
    }
    assert found.feed.link == "https://status.example.com/"


def test_a_feed_is_as_old_as_its_newest_entry() -> None:
    assert read(feed_formats.write_atom(UPDATES, LINKS)).feed.updated == "2026-03-04T11:00:00+00:00"
    channel = etree.fromstring(feed_formats.write_rss(UPDATES, LINKS)).find("channel")
    assert channel is not None
    assert channel.findtext("lastBuildDate") == "Wed, 04 Mar 2026 11:00:00 +0000"


@pytest.mark.parametrize("write", WRITERS)
def test_an_empty_feed_is_as_old_as_the_page(write: Writer) -> None:
    found = read(write(updates_feed(PAGE, [], LINKS), LINKS))
    moment = datetime(*found.feed.updated_parsed[:6], tzinfo=UTC)
    assert moment == PAGE.created_at


def test_a_reader_that_has_seen_everything_finds_exactly_one_entry_after_a_post() -> None:
    after = updates_feed(PAGE, told(replace(OUTAGE, updates=(OVER, CAUSE, FOUND)), OLD), LINKS)
    for write in WRITERS:
        seen = {entry.id for entry in read(write(UPDATES, LINKS)).entries}
        found = [entry.id for entry in read(write(after, LINKS)).entries if entry.id not in seen]
        assert found == [OVER.entry_id]


def test_a_fraction_of_a_second_is_left_out() -> None:
    moment = datetime(2026, 3, 4, 9, 0, 0, 123456, tzinfo=UTC)
    shown = incident("Odd", post(INVESTIGATING, "Odd.", moment))
    (entry,) = read(feed_formats.write_atom(incident_feed(PAGE, shown, LINKS), LINKS)).entries
    assert entry.published == "2026-03-04T09:00:00+00:00"


def test_json_feed_says_the_same() -> None:
    document = json.loads(feed_formats.write_json(UPDATES, LINKS))
    assert list(document) == [
        "version", "title", "home_page_url", "feed_url", "description", "language", "authors",
        "items",
    ]  # fmt: skip
    assert document["version"] == "https://jsonfeed.org/version/1.1"
    assert document["feed_url"] == "https://status.example.com/updates.json"
    assert document["items"][1] == {
        "id": FOUND.entry_id,
        "url": LINKS.update(OUTAGE.code, FOUND.code),
        "title": "Investigating: Payments fail",
        "content_html": (
            "<p><small>Mar 4, 2026, 09:00 UTC</small><br><strong>Investigating</strong> - "
            "We are looking.</p>"
        ),
        "date_published": "2026-03-04T09:00:00+00:00",
        "date_modified": "2026-03-04T09:00:00+00:00",
        "tags": ["Shop - Checkout"],
    }


# Hostile text.

NASTY = "<script>alert(1)</script> ]]> & \x00\x0b\ufffe\x1b[31m \u200fשלום\u200e \N{PILE OF POO} "
SAFE = "<script>alert(1)</script> ]]> & [31m \u200fשלום\u200e \N{PILE OF POO}"


def nasty_incident(size: int = 1) -> IncidentView:
    return incident(NASTY, post(INVESTIGATING, NASTY * size, ago(hours=3)), components=[
        component(NASTY, group=NASTY)
    ])  # fmt: skip


@pytest.mark.parametrize("write", WRITERS)
def test_hostile_text_arrives_as_text(write: Writer) -> None:
    page = replace(PAGE, name=NASTY)
    content = write(updates_feed(page, told(nasty_incident()), LINKS), LINKS)
    if write is feed_formats.write_atom:
        GRAMMAR.assertValid(etree.fromstring(content))
    (entry,) = read(content).entries
    assert entry.title == f"Investigating: {SAFE}"
    assert entry.tags[0].term.strip() == f"{SAFE}  - {SAFE}"
    root = etree.fromstring(content)
    bodies = [element.text for element in root.iter(f"{ATOM}content", "description")]
    assert "&lt;script&gt;alert(1)&lt;/script&gt; ]]&gt; &amp;" in str(bodies[-1])


def test_hostile_text_is_harmless_in_json() -> None:
    feed = updates_feed(PAGE, told(nasty_incident()), LINKS)
    written = json.loads(feed_formats.write_json(feed, LINKS))
    assert "<script" not in written["items"][0]["content_html"]


def test_ten_thousand_characters_fit() -> None:
    shown = incident("Long", post(INVESTIGATING, "a <b> " * 1666, ago(hours=3)))
    feed = incident_feed(PAGE, shown, LINKS)
    (entry,) = read(feed_formats.write_atom(feed, LINKS)).entries
    assert len(entry.content[0].value) > 10_000
