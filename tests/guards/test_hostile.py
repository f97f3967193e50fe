"""Hostile text in every field that somebody can fill, on every surface that the public sees.

What an import or a mistake might let in is written into the tables directly: nothing before the
surfaces has cleaned it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import timedelta

import feedparser
import html5lib
import pytest
from flask import Flask
from icalendar import Calendar
from lxml import etree
from sqlalchemy.orm import Session

from statuspage.core.db import db, writing
from statuspage.core.enums import ComponentStatus
from statuspage.core.languages import split_path
from statuspage.models import UpdateRevision
from statuspage.models.revision import bump
from statuspage.public.archive import draft_parts, survey
from statuspage.public.document import Document
from statuspage.public.edition_builder import build_edition
from statuspage.public.queries import open_site
from tests.editions import in_three_languages, own_documents
from tests.factories import (
    LINKS,
    NOON,
    make_component,
    make_group,
    make_incident,
    make_maintenance,
    make_page,
)

NAMES = {
    "markup": "<script>alert(1)</script><img src=x onerror=alert(1)>\"'`&amp;&lt;",
    "cdata": "]]> <![CDATA[ <!-- --> ?> <?xml &#0; &xxe; %pe;",
    "control": "a\x01b\x08c\x0bd\x0ce\x1b[31mf\x7fg\x85h\ufffei\uffff",
    "direction": "\u202egnp.exe\u202c \u200fשלום\u200e \u2066x\u2069 \u2028 \u2029",
    "calendar": "x\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nUID:evil\r\nSUMMARY:evil;,\\n",
    "markdown": "[x](javascript:alert(1)) ![y](https://evil.example.com/p.png) **b** `c`",
    "template": "{{ 7*7 }} {% raw %} ${x} %s %(name)s [[name]] <!--unconfirmed-->",
    "long": "W" * 200,
}


@pytest.fixture(params=NAMES, ids=str)
def documents(request: pytest.FixtureRequest, app: Flask) -> Iterator[dict[str, Document]]:
    """Every document of a page that is called, and says, nothing else."""
    nasty = NAMES[request.param]
    short = nasty[:190]
    body = (nasty + "\n\n") * (1_000 // len(nasty))

    def write(session: Session) -> None:
        make_page(
            session, name=short, about=body, support_email=short, support_url=f"javascript:{short}"
        )
        group = make_group(session, short, description=nasty)
        shop = make_component(
            session, short, group_id=group.id, description=nasty,
            status=ComponentStatus.MAJOR_OUTAGE, code="component000",
        )  # fmt: skip
        affected = [
            {"code": shop.code, "name": nasty, "old_status": "operational",
             "new_status": "major_outage"}
        ]  # fmt: skip
        incident = make_incident(
            session, short, components=[shop], severity_rank=1, code="incident0000",
            updates=[{"status": "investigating", "body": body, "affected": affected,
                      "edited_at": NOON}],
        )  # fmt: skip
        session.flush()
        session.add(UpdateRevision(update_id=incident.updates[0].id, body=body, replaced_at=NOON))
        make_maintenance(session, short, updates=[("scheduled", body)], components=[shop])
        make_incident(
            session, short, started_at=NOON - timedelta(days=70), updates=[("resolved", body)]
        )

    with app.app_context(), in_three_languages():
        with writing() as session:
            write(session)
            bump(session)
        made = own_documents(build_edition(db.engine, LINKS))
        with open_site(db.engine) as site:
            for path, draft in draft_parts(site, survey(site), LINKS):
                made[path] = draft.finish(NOON)
        yield made


pytestmark = pytest.mark.usefixtures("frozen")


def of_type(documents: dict[str, Document], media: str) -> dict[str, bytes]:
    found = {
        path: each.body
        for path, each in documents.items()
        if each.content_type.startswith(media) and not path.startswith("/static/")
    }
    assert found
    return found


def test_it_is_harmless_everywhere(documents: dict[str, Document]) -> None:
    for path, body in of_type(documents, "text/html").items():
        check_page(path, body.decode())
    for media in ("application/atom+xml", "application/rss+xml"):
        for body in of_type(documents, media).values():
            check_feed(body)
    for body in of_type(documents, "application/json").values():
        json.loads(body)
    for body in of_type(documents, "application/feed+json").values():
        for item in json.loads(body)["items"]:
            check_fragment(item["content_html"])
    for body in of_type(documents, "image/svg+xml").values():
        tags = {etree.QName(each).localname for each in etree.fromstring(body).iter()}
        assert tags == {"svg", "title", "path", "g", "text"}
    (calendar,) = of_type(documents, "text/calendar").values()
    check_calendar(calendar)
    (sitemap,) = of_type(documents, "application/xml").values()
    etree.fromstring(sitemap)


def check_page(path: str, text: str) -> None:
    """No script but our own, no handler, and only addresses of the web in links."""
    tree = html5lib.parse(text, namespaceHTMLElements=False)
    scripts = [each.get("src", "inline") for each in tree.iter("script")]
    assert (
        scripts
        == re.findall(
            r'^<script src="(/static/page\.[0-9a-f]+\.js)" defer blocking="render">', text, re.M
        )[:1]
    ), path
    check_elements(tree)


def check_fragment(text: str) -> None:
    tree = html5lib.parseFragment(text, namespaceHTMLElements=False)
    assert {each.tag for each in tree.iter()} & {"script", "style", "form", "input"} == set()
    check_elements(tree)


def check_elements(tree: etree._Element) -> None:
    for element in tree.iter():
        for name, value in element.attrib.items():
            assert not str(name).lower().startswith("on")
            assert name != "style"
            if name in {"href", "src", "action", "formaction"}:
                assert not re.match(r"\s*(javascript|data|vbscript):", value, re.IGNORECASE)
    tags = {each.tag for each in tree.iter()}
    assert tags & {"img", "iframe", "object", "embed", "base"} == set()
    actions = {split_path(form.get("action", ""))[1] for form in tree.iter("form")}
    assert actions <= {"/subscribe"}, actions


def check_feed(body: bytes) -> None:
    etree.fromstring(body)
    assert b"<!ENTITY" not in body
    read = feedparser.parse(body)
    assert not read.bozo
    for entry in read.entries:
        check_fragment(entry.content[0].value if "content" in entry else entry.summary)


def check_calendar(body: bytes) -> None:
    events = Calendar.from_ical(body).walk("VEVENT")
    assert len(events) == 1
    assert str(events[0]["uid"]).endswith("@page00000000")
    assert not re.search(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]", body)
    assert max(len(line) for line in body.split(b"\r\n")) <= 75
