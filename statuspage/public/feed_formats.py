"""Feeds as bytes: Atom (RFC 4287), RSS 2.0, and JSON Feed 1.1 (https://jsonfeed.org/version/1.1).

Atom and RSS are written by feedgen, which knows no types and has ways of its own: :func:`_generate`
is the only place that meets it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from feedgen.entry import FeedEntry
from feedgen.feed import FeedGenerator

from statuspage.core.links import Links
from statuspage.public.feeds import Entry, Feed

# What a mistake in a writer or an import might let through, and XML cannot hold.
_NOT_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write_atom(feed: Feed, links: Links) -> bytes:
    """The feed as Atom."""
    generator = _generate(feed, links, ending=".atom", content_type="application/atom+xml")
    return bytes(generator.atom_str())


def write_rss(feed: Feed, links: Links) -> bytes:
    """The feed as RSS 2.0."""
    generator = _generate(feed, links, ending=".rss", content_type="application/rss+xml")
    return bytes(generator.rss_str())


def write_json(feed: Feed, links: Links) -> bytes:
    """The feed as JSON Feed 1.1."""
    document = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": feed.title,
        "home_page_url": feed.home,
        "feed_url": links.to(feed.path + ".json"),
        "description": feed.description,
        "language": feed.page.language,
        "authors": [{"name": feed.page.name, "url": links.home}],
        "items": [
            {
                "id": entry.id,
                "url": entry.link,
                "title": entry.title,
                "content_html": entry.html,
                "date_published": whole_second(entry.published).isoformat(),
                "date_modified": whole_second(entry.updated).isoformat(),
                "tags": list(entry.tags),
            }
            for entry in feed.entries
        ],
    }
    return json.dumps(document, ensure_ascii=False).encode()


def _generate(feed: Feed, links: Links, *, ending: str, content_type: str) -> Any:
    generator = FeedGenerator()
    generator.id(feed.id)
    generator.title(xml_text(feed.title))
    generator.description(xml_text(feed.description))
    generator.language(feed.page.language)
    # Without an author Atom is invalid; RSS would want an address of one, and needs none.
    generator.author(name=xml_text(feed.page.name))
    # The last link becomes the channel's in RSS, so the feed's own comes first.
    generator.link(href=links.to(feed.path + ending), rel="self", type=content_type)
    generator.link(href=feed.home, rel="alternate", type="text/html")
    generator.updated(whole_second(feed.updated))
    generator.generator("statuspage")
    for entry in feed.entries:
        generator.add_entry(_feed_entry(entry), order="append")
    return generator


# The same object serves Atom and RSS: feedgen only reads it when it writes.
@lru_cache(maxsize=512)
def _feed_entry(entry: Entry) -> Any:
    written = FeedEntry()
    written.id(entry.id)
    written.title(xml_text(entry.title))
    written.link(href=entry.link, rel="alternate", type="text/html")
    written.content(xml_text(entry.html), type="html")
    written.published(whole_second(entry.published))
    written.updated(whole_second(entry.updated))
    for tag in entry.tags:
        written.category(term=xml_text(tag))
    return written


def xml_text(text: str) -> str:
    """The text without what XML cannot hold."""
    return _NOT_XML.sub("", text)


def whole_second(moment: datetime) -> datetime:
    """The second in which a moment falls: feeds and calendars know nothing smaller."""
    return moment.replace(microsecond=0)


# Each format's writer and media type, by the ending of its addresses.
FORMATS: Final[dict[str, tuple[Callable[[Feed, Links], bytes], str]]] = {
    "atom": (write_atom, "application/atom+xml; charset=utf-8"),
    "rss": (write_rss, "application/rss+xml; charset=utf-8"),
    "json": (write_json, "application/feed+json; charset=utf-8"),
}
"""Each format by the ending of its addresses."""

OF_HISTORY: Final = ("atom", "rss")
"""The formats of the feeds with one entry for each incident, at Statuspage's addresses."""
