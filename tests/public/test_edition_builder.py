import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import feedparser
import pytest
import time_machine
from flask import Flask
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from statuspage.core.db import current_session, db, writing
from statuspage.core.enums import ComponentStatus, Impact, Visibility
from statuspage.models import Component, Incident, IncidentUpdate
from statuspage.models.revision import bump, current_number, read_revision
from statuspage.public import api_v2, assets, badges, incident_rows, page_rows, queries
from statuspage.public.document import HTML
from statuspage.public.edition import Edition
from statuspage.public.edition_builder import (
    build_edition,
    complete_edition,
    mark_document,
    mark_stale,
)
from statuspage.public.middleware import respond
from tests.editions import own_documents
from tests.factories import (
    LINKS,
    NOON,
    add_update,
    make_component,
    make_incident,
    make_maintenance,
    make_page,
    minutes,
)
from tests.statements import noted

DAY = timedelta(days=1)
INTERNAL = {"visibility": Visibility.INTERNAL}


@pytest.fixture
def engine(app: Flask, frozen: time_machine.Traveller) -> Iterator[Engine]:
    """The database of an app context, with a page, at noon."""
    with app.app_context():
        with writing() as session:
            make_page(session)
            bump(session)
        yield db.engine


def change(act: Callable[[Session], object]) -> None:
    with writing() as session:
        act(session)
        bump(session)


def body(edition: Edition, path: str) -> str:
    return own_documents(edition)[path].body.decode()


def changed(before: Edition, after: Edition) -> set[str]:
    former = own_documents(before)
    return {
        path for path, document in own_documents(after).items() if former.get(path) is not document
    }


# What it holds.


def test_it_holds_every_address_that_clients_know(engine: Engine) -> None:
    made = build_edition(engine, LINKS)
    static = set(assets.asset_documents())
    assert set(own_documents(made)) - static == {
        "/", "/history", "/history/2026-03",
        "/history.atom", "/history.rss", "/updates.atom", "/updates.rss", "/updates.json",
        "/maintenances.ics", "/robots.txt", "/sitemap.xml", "/api/openapi.json", "/badge.svg",
        "/widget.js", "/preview.png", "/preview-unconfirmed.png",
        "/subscribe", "/subscribe/sent", "/components",
        "/api/v2/summary.json", "/api/v2/status.json", "/api/v2/components.json",
        "/api/v2/incidents.json", "/api/v2/incidents/unresolved.json",
        "/api/v2/scheduled-maintenances.json", "/api/v2/scheduled-maintenances/upcoming.json",
        "/api/v2/scheduled-maintenances/active.json",
    }  # fmt: skip


def test_it_holds_open_and_recent_incidents_and_the_newest_months(engine: Engine) -> None:
    def write(session: Session) -> None:
        make_incident(session, "Open", code="open00000000", started_at=NOON - 200 * DAY)
        make_maintenance(session, "Coming", code="coming000000")
        for number in range(60):
            make_incident(
                session,
                str(number),
                code=f"old{number:09d}",
                started_at=NOON - (number * 5 + 1) * DAY,
                updates=("investigating", "resolved"),
            )

    change(write)
    paths = set(own_documents(build_edition(engine, LINKS)))
    assert {"/incidents/open00000000", "/incidents/coming000000"} <= paths
    assert {f"/incidents/old{number:09d}" for number in range(24)} <= paths
    assert "/incidents/old000000059" not in paths
    assert {path for path in paths if path.startswith("/history/")} == {
        "/history/2026-03",
        "/history/2026-02",
        "/history/2026-01",
    }
    assert {
        path.replace("/incidents/", "/api/v2/incidents/") + ".json"
        for path in paths
        if path.startswith("/incidents/")
    } <= paths


def test_page_json_and_feeds_agree(engine: Engine) -> None:
    change(lambda session: make_incident(session, "Payments fail", code="payments0000"))
    made = build_edition(engine, LINKS)
    feed = feedparser.parse(made.documents["/updates.atom"].body)
    assert [entry.title for entry in feed.entries] == ["Investigating: Payments fail"]
    summary = json.loads(body(made, "/api/v2/summary.json"))
    assert [incident["name"] for incident in summary["incidents"]] == ["Payments fail"]
    for path in ("/", "/history", "/incidents/payments0000"):
        assert "Payments fail" in body(made, path)


def test_it_knows_its_revision_and_when_time_will_change_it(engine: Engine) -> None:
    change(lambda session: make_incident(session, next_update_at=NOON + minutes(30)))
    made = build_edition(engine, LINKS)
    assert (made.revision, made.next_change_at) == (2, NOON + minutes(30))


def test_json_and_feeds_may_be_read_by_scripts_of_any_site_and_pages_not(engine: Engine) -> None:
    made = build_edition(engine, LINKS)
    shared = {path for path, document in made.documents.items() if document.cors}
    assert {"/updates.atom", "/api/v2/status.json", "/maintenances.ics"} <= shared
    assert not {"/", "/history", "/robots.txt"} & shared


# The gate, on every surface.


def test_nothing_internal_is_in_any_document(engine: Engine) -> None:
    def write(session: Session) -> None:
        component = make_component(session)
        for step in ("investigating", "resolved"):
            make_incident(
                session, "zebra title", updates=[(step, "zebra body")], components=[component],
                severity_rank=1, code=f"zebra{step[:7]}", **INTERNAL,
            )  # fmt: skip
        make_maintenance(session, "zebra upgrade", updates=[("scheduled", "zebra")], **INTERNAL)
        shown = make_incident(
            session,
            "Shown",
            chat_channel="#zebra",
            war_room="https://zebra.example.com",
            internal_facts={"technical_cause": "zebra"},
            severity_name="zebra",
            users_notice="zebra",
        )
        add_update(session, shown, body="zebra note", **INTERNAL)

    change(write)
    made = build_edition(engine, LINKS)
    assert [
        path for path, document in own_documents(made).items() if b"zebra" in document.body.lower()
    ] == []
    assert "Shown" in body(made, "/")


def test_a_incident_that_becomes_internal_is_gone_everywhere(engine: Engine) -> None:
    change(lambda session: make_incident(session, "zebra", code="zebra0000000"))
    before = build_edition(engine, LINKS)
    assert "/incidents/zebra0000000" in before.documents

    def hide(session: Session) -> None:
        incident = session.query(Incident).one()
        incident.visibility = Visibility.INTERNAL

    change(hide)
    after = build_edition(engine, LINKS, before)
    documents = own_documents(after)
    assert [path for path, document in documents.items() if b"zebra" in document.body] == []
    assert "/incidents/zebra0000000" not in documents


# What is kept.


def test_an_edition_of_the_same_is_the_same_documents(engine: Engine) -> None:
    change(lambda session: make_incident(session))
    first = build_edition(engine, LINKS)
    own_documents(first)
    assert changed(first, build_edition(engine, LINKS, first)) == set()


def test_two_builds_from_nothing_agree_in_bytes_and_dates(engine: Engine) -> None:
    change(lambda session: make_incident(session))
    first, second = build_edition(engine, LINKS), build_edition(engine, LINKS)
    assert own_documents(first) == own_documents(second)


def test_a_post_changes_only_the_documents_that_tell_of_it(engine: Engine) -> None:
    def write(session: Session) -> None:
        make_incident(session, "Old", code="old000000000", updates=("resolved",))
        make_incident(session, "New", code="new000000000")
        make_maintenance(session, code="planned00000")

    change(write)
    before = build_edition(engine, LINKS)
    own_documents(before)

    def announce(session: Session) -> None:
        incident = session.query(Incident).filter_by(title="New").one()
        add_update(session, incident, happened_at=NOON, body="More.")

    change(announce)
    assert changed(before, build_edition(engine, LINKS, before)) == {
        "/", "/history", "/history/2026-03", "/incidents/new000000000",
        "/api/v2/incidents/new000000000.json", "/api/v2/summary.json", "/api/v2/status.json",
        "/api/v2/components.json", "/api/v2/incidents.json", "/api/v2/incidents/unresolved.json",
        "/api/v2/scheduled-maintenances.json", "/api/v2/scheduled-maintenances/upcoming.json",
        "/api/v2/scheduled-maintenances/active.json",
        "/history.atom", "/history.rss", "/updates.atom", "/updates.rss", "/updates.json",
        "/sitemap.xml",
    }  # fmt: skip


def test_the_sitemap_lists_more_incidents_than_are_ready_and_the_newest_months(
    engine: Engine,
) -> None:
    def announce(session: Session) -> None:
        for number in range(60):
            make_incident(
                session, f"Story {number}", updates=("investigating", "resolved"),
                started_at=NOON - timedelta(days=20, minutes=number),
            )  # fmt: skip

    change(announce)
    sitemap = body(build_edition(engine, LINKS), "/sitemap.xml")
    assert sitemap.count("/incidents/") == 50
    assert f"<loc>{LINKS.base}/history/2026-02</loc>" in sitemap
    assert f"<loc>{LINKS.base}/history/2026-02/2</loc>" in sitemap


def test_of_very_many_components_only_the_one_that_changed_is_made_again(engine: Engine) -> None:
    def found(session: Session) -> None:
        for number in range(300):
            make_component(session, f"Part {number}")

    change(found)
    makers = (badges._draw, api_v2._write_component, page_rows._component_view, queries._uptime)
    for maker in makers:
        maker.cache_clear()
    before = build_edition(engine, LINKS)
    own_documents(before)
    made = [maker.cache_info().misses for maker in makers]

    def fail(session: Session) -> None:
        part = session.query(Component).filter_by(name="Part 7").one()
        part.status = ComponentStatus.MAJOR_OUTAGE

    change(fail)
    after = build_edition(engine, LINKS, before)
    paths = [path for path in changed(before, after) if path.startswith("/components/")]
    again = [maker.cache_info().misses - former for maker, former in zip(makers, made, strict=True)]
    # The page's own badge is drawn as well; a component without a log in trouble counts anew.
    assert again == [2, 1, 1, 1]
    assert len(paths) == 1


def test_the_page_of_all_components_is_there_in_every_language(engine: Engine) -> None:
    change(lambda session: make_component(session, "Fax", code="fax000000000"))
    made = build_edition(engine, LINKS)
    pages_of_all = [made.find(path) for path in ("/components", "/de/components")]
    assert [page and b"fax000000000" in page.body for page in pages_of_all] == [True, True]
    assert "/components" not in made.documents


def test_a_correction_keeps_the_entrys_id_and_date(engine: Engine) -> None:
    change(lambda session: make_incident(session, updates=[("investigating", "Wrong.")]))
    before = build_edition(engine, LINKS)

    def correct(session: Session) -> None:
        update = session.query(IncidentUpdate).one()
        update.body, update.edited_at = "Right.", NOON

    change(correct)
    after = build_edition(engine, LINKS, before)
    entries = [
        feedparser.parse(made.documents["/updates.atom"].body).entries[0]
        for made in (before, after)
    ]
    assert entries[0].id == entries[1].id
    assert entries[0].published == entries[1].published
    assert entries[1].updated == "2026-03-04T12:00:00+00:00"
    assert "Right." in entries[1].content[0].value


def test_no_document_is_dated_later_than_now(engine: Engine) -> None:
    change(lambda session: make_maintenance(session))
    made = build_edition(engine, LINKS)
    assert max(document.last_modified for document in made.documents.values()) <= NOON


def test_a_withdrawn_incident_makes_its_documents_newer_not_older(
    engine: Engine, frozen: time_machine.Traveller
) -> None:
    change(lambda session: make_incident(session))
    before = build_edition(engine, LINKS)
    frozen.shift(60)
    change(lambda session: session.query(Incident).update({"visibility": Visibility.INTERNAL}))
    after = build_edition(engine, LINKS, before)
    former, documents = own_documents(before), own_documents(after)
    for path in ("/", "/updates.atom", "/api/v2/incidents.json"):
        assert documents[path].last_modified > former[path].last_modified


# Time, and absence.


def test_a_promise_that_falls_due_is_told_by_the_next_build(
    engine: Engine, frozen: time_machine.Traveller
) -> None:
    change(lambda session: make_incident(session, next_update_at=NOON + minutes(30)))
    before = build_edition(engine, LINKS)
    frozen.shift(minutes(31))
    after = build_edition(engine, LINKS, before)
    assert "/" in changed(before, after)
    assert after.next_change_at == datetime(2026, 3, 5, tzinfo=UTC)


def test_a_stale_edition_says_so_on_every_page_and_badge_and_leaves_the_rest(
    engine: Engine,
) -> None:
    def write(session: Session) -> None:
        make_component(session)
        make_incident(session, impact=Impact.NONE, code="calm00000000")

    change(write)
    good = build_edition(engine, LINKS)
    stale = mark_stale(good, NOON)
    documents = own_documents(good)
    pages = {path for path, made in documents.items() if made.content_type == HTML}
    assert {"/", "/history", "/incidents/calm00000000"} <= pages
    badges = {path for path in documents if path.endswith("/badge.svg")}
    assert len(badges) == 2
    assert changed(good, stale) == pages | badges | {"/preview.png"}
    assert stale.documents["/preview.png"] is good.documents["/preview-unconfirmed.png"]
    assert "<!--" not in body(stale, "/").partition("<main")[2][:200]
    assert (stale.revision, stale.next_change_at) == (good.revision, good.next_change_at)


def test_a_client_that_asks_by_date_gets_the_mark_and_loses_it_again(engine: Engine) -> None:
    good = build_edition(engine, LINKS).documents["/"]
    marked = mark_document(good, NOON)
    answers = [
        respond(shown, {"REQUEST_METHOD": "GET", "HTTP_IF_MODIFIED_SINCE": held.last_modified_http})
        for shown, held in ((marked, good), (marked, marked), (good, marked), (good, good))
    ]
    assert [status[:3] for status, _, _ in answers] == ["200", "200", "200", "304"]


def test_a_page_that_nobody_has_set_up_is_built(app: Flask) -> None:
    with app.app_context():
        made = build_edition(db.engine, LINKS)
    assert (made.revision, "/" in made.documents) == (0, True)


# Static files, and the revision.


def test_static_files_are_served_under_names_that_carry_their_hash(engine: Engine) -> None:
    made = build_edition(engine, LINKS)
    for name in ("page.css", "tokens.css"):
        path = assets.asset(name)
        assert path.startswith(f"/static/{name[:-4]}.")
        assert made.documents[path].cache_control == "public, max-age=31536000, immutable"


def test_the_page_links_only_to_static_files_that_are_there(engine: Engine) -> None:
    made = build_edition(engine, LINKS)
    linked = {
        part.split('"')[0]
        for part in body(made, "/").split('="')[1:]
        if part.startswith("/static/")
    }
    assert linked
    assert linked <= set(made.documents)


def test_an_unknown_static_file_has_no_path() -> None:
    with pytest.raises(KeyError):
        assets.asset("nothing.css")


def test_the_revision_moves_with_its_transaction_only(engine: Engine) -> None:
    assert current_number(current_session()) == 1
    bump(current_session())
    current_session().rollback()
    assert current_number(current_session()) == 1
    change(lambda session: None)
    assert read_revision(current_session()) == (2, NOON)


def test_a_component_that_fails_turns_the_page(engine: Engine) -> None:
    change(lambda session: make_component(session))
    before = build_edition(engine, LINKS)

    def fail(session: Session) -> None:
        session.query(Component).one().status = ComponentStatus.MAJOR_OUTAGE

    change(fail)
    after = build_edition(engine, LINKS, before)
    status = [json.loads(body(made, "/api/v2/status.json"))["status"] for made in (before, after)]
    assert [found["indicator"] for found in status] == ["none", "critical"]
    assert "Major System Outage" in body(after, "/")


def test_what_few_ask_for_is_made_when_somebody_does(engine: Engine) -> None:
    def write(session: Session) -> None:
        make_component(session, code="part00000000")
        make_incident(session, "Open", code="open00000000", started_at=NOON - 9 * DAY)
        for number in range(7):
            make_incident(
                session, code=f"old{number:09d}", started_at=NOON - number * DAY,
                updates=("resolved",),
            )  # fmt: skip

    change(write)
    made = build_edition(engine, LINKS)
    newest = {f"/incidents/old{number:09d}" for number in range(5)}
    ready = {path for path in made.documents if path.startswith("/incidents/")}
    assert ready == newest | {"/incidents/open00000000"}
    for path in (
        "/incidents/old000000006", "/history/2026-03", "/subscribe", "/subscribe/sent",
        "/components", "/components/part00000000/badge.svg", "/sitemap.xml",
        "/api/v2/incidents.json", "/api/v2/incidents/old000000006.json",
    ):  # fmt: skip
        assert made.peek(path) is None
        assert made.find(path) is not None
        assert made.peek(path) is made.find(path)


def test_what_was_asked_for_before_keeps_its_date_where_it_says_the_same(
    engine: Engine, frozen: time_machine.Traveller
) -> None:
    change(lambda session: make_component(session, code="part00000000"))
    before = build_edition(engine, LINKS)
    badge = before.find("/components/part00000000/badge.svg")
    frozen.shift(60)
    change(lambda session: make_incident(session))
    unasked = build_edition(engine, LINKS, before)
    after = build_edition(engine, LINKS, unasked)
    assert after.find("/components/part00000000/badge.svg") is badge


@pytest.mark.only_on("sqlite")
def test_of_a_long_history_only_the_incident_that_was_updated_is_read_again(
    engine: Engine,
) -> None:
    def write(session: Session) -> None:
        part = make_component(session)
        for number in range(60):
            make_incident(
                session, code=f"old{number:09d}", started_at=NOON - number * DAY,
                updates=("investigating", "resolved"), components=[part],
            )  # fmt: skip

    change(write)
    before = build_edition(engine, LINKS)
    list(complete_edition(engine, before))
    read = [
        maker.cache_info().misses
        for maker in (incident_rows.incident_view, incident_rows.update_views)
    ]
    change(lambda session: add_update(session, session.query(Incident).first(), happened_at=NOON))
    with noted(engine) as statements:
        after = build_edition(engine, LINKS, before)
        list(complete_edition(engine, after))
    again = [
        maker.cache_info().misses
        for maker in (incident_rows.incident_view, incident_rows.update_views)
    ]
    assert [now - former for now, former in zip(again, read, strict=True)] == [1, 1]
    assert len(statements) == 62
