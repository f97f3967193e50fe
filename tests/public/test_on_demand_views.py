import json
import random
import string
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import feedparser
import lxml.html
import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from statuspage.core.db import db, writing
from statuspage.core.enums import Visibility
from statuspage.core.languages import BY_SEGMENT
from statuspage.models import Alarm, Incident, Revision
from statuspage.models.revision import bump
from statuspage.public import edition_builder, on_demand_views
from statuspage.public.edition import load, save
from statuspage.public.refresher import Refresher
from statuspage.public.times import iso
from tests.apps import PUBLIC_URL
from tests.editions import AtOnce
from tests.factories import (
    NOON,
    add_update,
    make_component,
    make_incident,
    make_page,
)

OLD = "old000000000"
HIDDEN = "hidden000000"
CHECKOUT = "checkout0000"
DAY = timedelta(days=1)

ON_DEMAND = [
    f"/incidents/{OLD}",
    f"/api/v2/incidents/{OLD}.json",
    f"/incidents/{OLD}/updates.atom",
    f"/incidents/{OLD}/updates.rss",
    f"/incidents/{OLD}/updates.json",
    f"/components/{CHECKOUT}",
    f"/components/{CHECKOUT}/updates.atom",
    f"/components/{CHECKOUT}/updates.rss",
    f"/components/{CHECKOUT}/updates.json",
    f"/components/{CHECKOUT}/history.atom",
    f"/components/{CHECKOUT}/history.rss",
    "/history/2024-02",
]

pytestmark = pytest.mark.usefixtures("site", "frozen")


@pytest.fixture
def site(app: Flask) -> AtOnce:
    """A page with an old incident, an internal one, and enough between to leave the old one out."""

    def write(session: Session) -> None:
        make_page(session)
        checkout = make_component(session, "Checkout", code=CHECKOUT)
        make_component(session, "Fax", code="fax000000000", removed_at=NOON)
        make_incident(
            session,
            "Long ago",
            code=OLD,
            updates=("investigating", "resolved"),
            started_at=datetime(2024, 2, 3, tzinfo=UTC),
            components=[checkout],
        )
        make_incident(
            session,
            "zebra",
            code=HIDDEN,
            updates=[("investigating", "zebra")],
            components=[checkout],
            visibility=Visibility.INTERNAL,
        )
        for number in range(26):
            make_incident(
                session,
                f"Recent {number}",
                updates=("investigating", "resolved"),
                started_at=NOON - (number * 4 + 20) * DAY,
            )

    change(app, write)
    found: AtOnce = app.extensions["refresher"]
    return found


def change(app: Flask, act: Callable[[Session], object]) -> None:
    with app.app_context(), writing() as session:
        act(session)
        bump(session)


# Documents that are made when somebody asks.


def test_what_the_edition_leaves_out_is_made_on_demand(site: AtOnce, client: FlaskClient) -> None:
    edition = site.edition()
    assert edition is not None
    assert [path for path in ON_DEMAND if path in edition.documents] == []
    told = {path: client.get(path).text for path in ON_DEMAND}
    assert [path for path, text in told.items() if "Long ago" not in text] == []


def test_it_is_answered_like_what_is_in_the_edition(client: FlaskClient) -> None:
    policy = client.get("/").headers["Cache-Control"]
    for path in ON_DEMAND:
        first = client.get(path)
        assert (first.status_code, first.headers["Cache-Control"]) == (200, policy)
        assert first.headers["Vary"] == "Accept-Encoding"
        assert "Set-Cookie" not in first.headers
        again = client.get(path, headers={"If-None-Match": first.headers["ETag"]})
        assert (again.status_code, again.data) == (304, b"")
        head = client.head(path)
        assert (head.status_code, head.data) == (200, b"")
        assert head.headers["Content-Length"] == str(len(first.data))


def test_json_and_feeds_made_on_demand_may_be_read_by_scripts_of_any_site(
    client: FlaskClient,
) -> None:
    shared = {
        path
        for path in ON_DEMAND
        if client.get(path).headers.get("Access-Control-Allow-Origin") == "*"
    }
    assert set(ON_DEMAND) - shared == {
        f"/incidents/{OLD}", f"/components/{CHECKOUT}", "/history/2024-02",
    }  # fmt: skip
    preflight = client.options(f"/api/v2/incidents/{OLD}.json")
    assert preflight.status_code == 204
    assert preflight.headers["Access-Control-Allow-Origin"] == "*"


def test_a_document_is_made_once_until_the_site_changes(app: Flask, client: FlaskClient) -> None:
    client.get("/")
    assert count_reads(app, lambda: client.get(f"/incidents/{OLD}")) > 1
    assert count_reads(app, lambda: client.get(f"/incidents/{OLD}")) == 0


def count_reads(app: Flask, act: Callable[[], object]) -> int:
    """Statements on anything but the revision."""
    statements: list[str] = []

    def note(*arguments: object) -> None:
        statements.append(str(arguments[2]))

    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    act()
    event.remove(engine, "before_cursor_execute", note)
    return sum("FROM" in text and "revisions" not in text for text in statements)


def test_an_old_incident_shows_its_new_post_at_once(app: Flask, client: FlaskClient) -> None:
    before = client.get(f"/incidents/{OLD}")

    def announce(session: Session) -> None:
        incident = session.query(Incident).filter_by(code=OLD).one()
        add_update(session, incident, status="postmortem", body="What we learnt.", happened_at=NOON)

    change(app, announce)
    after = client.get(f"/incidents/{OLD}", headers={"If-None-Match": before.headers["ETag"]})
    assert after.status_code == 200
    assert "What we learnt." in after.text


def test_the_feed_of_a_component_tells_its_incidents_alone(client: FlaskClient) -> None:
    updates = feedparser.parse(client.get(f"/components/{CHECKOUT}/updates.rss").data)
    history = feedparser.parse(client.get(f"/components/{CHECKOUT}/history.atom").data)
    assert [entry.title for entry in updates.entries] == [
        "Resolved: Long ago",
        "Investigating: Long ago",
    ]
    assert [entry.title for entry in history.entries] == ["Long ago"]


def test_the_months_of_the_history_are_linked_page_by_page(app: Flask, client: FlaskClient) -> None:
    def flood(session: Session) -> None:
        for number in range(60):
            make_incident(
                session,
                f"Flood {number}",
                updates=("resolved",),
                started_at=datetime(2023, 5, 1, tzinfo=UTC) + timedelta(hours=number),
            )

    change(app, flood)
    first, second = client.get("/history/2023-05"), client.get("/history/2023-05/2")
    assert ("Flood 59" in first.text, "Flood 0" in second.text) == (True, True)
    assert "/history/2023-05/2" in first.text
    assert "This month has no page 3" in client.get("/history/2023-05/3").text


def test_an_open_incident_of_the_worst_rank_is_pinned_on_old_pages_too(
    app: Flask, client: FlaskClient
) -> None:
    change(app, lambda session: make_incident(session, "All is down", severity_rank=1))
    for path in ("/", "/history", f"/incidents/{OLD}", "/history/2024-02"):
        assert "All is down" in client.get(path).text


# What is not there.


NOT_THERE = [
    f"/incidents/{HIDDEN}",
    f"/incidents/{HIDDEN}/updates.atom",
    f"/incidents/{OLD}/updates.xml",
    "/incidents/nothing00000",
    "/incidents/" + "x" * 5000,
    "/incidents/%00",
    "/incidents/OLD000000000",
    "/components/fax000000000/updates.atom",
    "/components/nothing00000/updates.atom",
    "/history/2022-01",
    "/components/fax000000000",
    "/components/nosuchcode00",
    "/components/..%2fadmin",
    "/history/2024-13",
    "/history/2024-2",
    "/history/2024-02/1",
    "/history/2024-02/0",
    "/history/9999-12",
    "/history/0000-00",
    "/history/２０２４-02",
    "/history/2024-02/99999999999999999999",
    "/nothing",
    "/wp-login.php",
]
NOT_THERE_FOR_TOOLS = [
    f"/api/v2/incidents/{HIDDEN}.json",
    "/api/v2/incidents/nothing00000.json",
    "/api/v2/nothing.json",
    "/api/",
    f"/components/{CHECKOUT}/history.json",
    "/nothing.json",
]


@pytest.mark.parametrize("odd", ["/incidents/{}/", "/incidents//{}//"])
def test_a_incident_is_found_whatever_slashes_were_written(client: FlaskClient, odd: str) -> None:
    answer = client.get(odd.format(OLD))
    assert (answer.status_code, answer.headers["Location"]) == (301, f"/incidents/{OLD}")


def test_what_is_not_there_is_answered_in_the_pages_look(client: FlaskClient) -> None:
    answers = {path: client.get(path) for path in NOT_THERE}
    assert {path: (a.status_code, a.content_type) for path, a in answers.items()} == dict.fromkeys(
        NOT_THERE, (404, "text/html; charset=utf-8")
    )
    assert [path for path, a in answers.items() if "zebra" in a.text] == []


def test_what_is_not_there_is_answered_in_the_pages_frame(app: Flask, client: FlaskClient) -> None:
    with app.app_context(), writing() as session:
        make_incident(session, "Orders cannot be placed", code="worst0000000", severity_rank=1)
        bump(session)
    for path, status in (("/nothing", 404), (f"/incidents/{HIDDEN}", 404)):
        answer = client.get(path)
        assert answer.status_code == status
        assert "Orders cannot be placed" in answer.text
        assert 'href="/history"' in answer.text
    answer = client.post("/components/checkout0000")
    assert (answer.status_code, "Orders cannot be placed" in answer.text) == (405, True)


def test_a_framed_error_is_made_once_until_the_site_changes(
    app: Flask, client: FlaskClient
) -> None:
    client.get("/nothing")
    asked: list[str] = []
    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", lambda *details: asked.append(details[2]))
    client.get("/nothing-else")
    assert not [statement for statement in asked if "incidents" in statement]


def test_while_the_database_is_away_an_error_stands_alone(
    site: AtOnce, client: FlaskClient
) -> None:
    client.get("/")
    site.stale_since = NOON
    answer = client.get("/nothing")
    assert (answer.status_code, "Page not found" in answer.text) == (404, True)
    assert 'class="masthead' not in answer.text


def test_what_is_not_there_is_answered_in_json_to_tools(client: FlaskClient) -> None:
    answers = {path: client.get(path) for path in NOT_THERE_FOR_TOOLS}
    assert {path: (a.status_code, a.json) for path, a in answers.items()} == dict.fromkeys(
        NOT_THERE_FOR_TOOLS, (404, {"error": "Not Found"})
    )
    # A script on another site must be able to tell that from a failure.
    assert {a.headers["Access-Control-Allow-Origin"] for a in answers.values()} == {"*"}


def test_what_can_only_be_read_refuses_other_methods(client: FlaskClient) -> None:
    for path in ("/", "/updates.atom", *ON_DEMAND):
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            answer = client.open(path, method=method)
            allowed = {word.strip() for word in answer.headers["Allow"].split(",")}
            assert (answer.status_code, {"GET", "HEAD"} <= allowed) == (405, True)


def test_nothing_that_a_client_invents_changes_an_old_page(client: FlaskClient) -> None:
    path = f"/incidents/{OLD}"
    plain = client.get(path)
    invented = {
        "Host": "evil.example.net",
        "Cookie": "session=1",
        "Range": "bytes=0-1",
        "If-None-Match": '"unfinished',
        "If-Modified-Since": "yesterday",
        "Accept": ";;;",
        "Accept-Language": "xx",
        "X-Forwarded-Host": "evil.example.net",
        "User-Agent": "\xff",
    }
    odd = client.get(f"{path}?x=1&y=%00", headers=invented)
    assert (odd.status_code, odd.data, dict(odd.headers)) == (200, plain.data, dict(plain.headers))


def test_hundreds_of_invented_addresses_find_no_fault(client: FlaskClient) -> None:
    draw = random.Random(7)
    letters = string.printable + "éß€\u202e\x00%%%///...---"
    parts = [*ON_DEMAND, "/history/", "/incidents/", "/api/v2/", "/components/", "/"]
    found = set()
    for _ in range(300):
        tail = "".join(draw.choices(letters, k=draw.randint(0, 12)))
        path = draw.choice(parts)[: draw.randint(1, 40)] + tail.replace("?", "").replace("#", "")
        found.add(client.get("/" + path.lstrip("/")).status_code)
    assert found <= {200, 301, 404}


# While the database is away.


def test_what_was_made_before_is_shown_marked_while_the_database_is_away(
    site: AtOnce, client: FlaskClient
) -> None:
    path = f"/incidents/{OLD}"
    good, feed = client.get(path), client.get(f"{path}/updates.atom")
    site.stale_since = NOON
    shown = client.get(path)
    assert shown.status_code == 200
    assert shown.data != good.data
    assert client.get(path).data == shown.data
    assert client.get(f"{path}/updates.atom").data == feed.data


def test_what_was_never_made_is_unavailable_while_the_database_is_away(
    app: Flask, site: AtOnce, client: FlaskClient
) -> None:
    client.get("/")
    site.stale_since = NOON
    assert count_reads(app, lambda: client.get("/history/2024-02")) == 0
    answer = client.get("/history/2024-02")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert client.get("/").status_code == 200


def test_what_was_never_made_is_made_while_only_the_edition_is_in_doubt(
    site: AtOnce, client: FlaskClient
) -> None:
    client.get("/")
    site.stale_since, site.database_is_well = NOON, True
    paths = [f"/incidents/{OLD}", "/history/2024-02", "/search?q=ago"]
    assert [client.get(path).status_code for path in paths] == [200, 200, 200]
    assert 'id="unconfirmed"' not in client.get(f"/incidents/{OLD}").text


def test_after_a_restart_without_the_database_whatever_the_page_leads_to_is_there(
    app: Flask, site: AtOnce, client: FlaskClient, tmp_path: Path
) -> None:
    fresh = site.edition()
    assert fresh is not None
    with app.app_context():
        list(edition_builder.complete_edition(db.engine, fresh))
    save(fresh, tmp_path / "edition")
    site.hold(load(tmp_path / "edition"))
    site.stale_since = NOON

    def crawl() -> None:
        waiting = ["/", *(f"/{segment}/" for segment in BY_SEGMENT if segment != "en")]
        found = {}
        while waiting:
            path = waiting.pop()
            if path not in found:
                answer = client.get(path)
                found[path] = answer.status_code
                if answer.content_type.startswith("text/html"):
                    links = lxml.html.fromstring(answer.text).xpath("//a/@href | //link/@href")
                    paths = (urlsplit(link.removeprefix(PUBLIC_URL)) for link in links)
                    waiting += {each.path for each in paths if each.path and not each.scheme}
        missing = {path for path, status in found.items() if status != 200}
        assert {path for path in missing if "/history/" not in path} == {
            "/search", *(f"/{segment}/search" for segment in BY_SEGMENT if segment != "en")
        }  # fmt: skip
        assert found.keys() >= {
            f"/components/{CHECKOUT}", f"/components/{CHECKOUT}/updates.json",
            f"/ar/incidents/{OLD}", f"/pt-br/components/{CHECKOUT}", "/ja/subscribe",
        }  # fmt: skip

    assert count_reads(app, crawl) == 0
    page = client.get(f"/de/components/{CHECKOUT}")
    assert "Seit <time" in page.text
    assert client.get(f"/api/v2/incidents/{OLD}.json").json["incident"]["name"] == "Long ago"


def test_what_is_older_than_the_last_edition_says_since_when(
    app: Flask, site: AtOnce, client: FlaskClient, frozen: time_machine.Traveller
) -> None:
    path, later = "/history/2024-02", NOON + 2 * DAY
    client.get(path)
    frozen.move_to(later)
    with app.app_context(), writing() as session:
        bump(session)
    client.get("/")
    site.stale_since = later
    notices = [
        lxml.html.fromstring(client.get(each).text).xpath("//*[@id='unconfirmed']//time/@datetime")
        for each in (path, "/")
    ]
    assert notices == [[iso(NOON)], [iso(later)]]


def test_a_database_that_fails_meanwhile_is_a_503(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.get("/")
    monkeypatch.setattr(on_demand_views, "open_site", lambda engine: _Away())
    assert client.get(f"/incidents/{OLD}").status_code == 503


class _Away:
    def __enter__(self) -> None:
        raise OperationalError("SELECT 1", {}, Exception("gone"))

    def __exit__(self, *error: object) -> None: ...


# The real refresher.


def test_the_real_refresher_builds_from_the_database_and_keeps_a_copy(app: Flask) -> None:
    refresher = on_demand_views.make_refresher(app)
    refresher.look()
    refresher.keep_copy()
    assert refresher.revision == 1
    settings = app.extensions["settings"]
    assert (settings.data_dir / "edition").exists()


def test_a_build_that_fails_raises_an_alarm_and_recovery_clears_it(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: object, **named: object) -> None:
        raise ZeroDivisionError("a template divides by zero")

    refresher = on_demand_views.make_refresher(app)
    with monkeypatch.context() as patch:
        patch.setattr(on_demand_views.edition_builder, "build_edition", fail)
        refresher.look()
    assert standing(app) == [
        "The public page cannot be rebuilt: ZeroDivisionError: a template divides by zero"
    ]
    settle(refresher)
    refresher.look()
    assert (standing(app), refresher.revision) == ([], 1)


def settle(refresher: Refresher) -> None:
    """As if the pause after a failure were over."""
    refresher._not_before = 0.0


def standing(app: Flask) -> list[str]:
    with app.app_context():
        found = db.session.query(Alarm).filter(Alarm.cleared_at.is_(None))
        return [alarm.text for alarm in found]


def test_the_home_page_of_a_database_without_revision_is_served(
    app: Flask, client: FlaskClient
) -> None:
    with app.app_context(), writing() as session:
        session.query(Revision).delete()
    assert client.get("/").status_code == 200
    assert json.loads(client.get("/api/v2/status.json").data)["page"]["name"] == "Acme"


# Searching.


def test_the_history_is_searched_by_words_component_and_kind(client: FlaskClient) -> None:
    for query in ("q=ong+AGO", f"component={CHECKOUT}", "kind=incident&q=long"):
        answer = client.get(f"/search?{query}")
        assert (answer.status_code, f"/incidents/{OLD}" in answer.text) == (200, True), query
    newest = client.get("/search")
    assert ("Recent 0" in newest.text, f"/incidents/{OLD}" in newest.text) == (True, False)
    assert 'rel="next" href="/search?before=' in newest.text
    nothing = client.get("/search?q=zebra")
    assert "No results." in nothing.text


def test_what_nobody_knows_is_left_out_of_a_search_and_said(client: FlaskClient) -> None:
    query = {"kind": "<b>", "component": "nothing", "before": "nothing", "q": "word " * 40}
    answer = client.get("/search", query_string=query)
    said = " ".join(answer.text.split())
    assert answer.status_code == 200
    assert "There’s no type “<bdi>&lt;b&gt;</bdi>”. Showing all types." in said
    assert "There’s no component “<bdi>nothing</bdi>”. Showing all components." in said
    assert "There’s no entry “<bdi>nothing</bdi>” to continue from. Showing the newest." in said
    assert "Only the first 8 words and 100 characters are searched" in said


def test_what_is_searched_for_comes_back_as_text(client: FlaskClient) -> None:
    answer = client.get("/search", query_string={"q": '"><script>alert(1)</script>\x00'})
    assert (answer.status_code, "<script>alert" in answer.text) == (200, False)


def test_a_search_says_so_while_the_database_is_away_or_too_many_search(
    site: AtOnce, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.get("/")
    monkeypatch.setattr(on_demand_views, "SECONDS_TO_BEGIN_A_SEARCH", 0.0)
    monkeypatch.setattr(on_demand_views, "_SEARCHES", threading.BoundedSemaphore(1))
    with on_demand_views._SEARCHES:
        assert client.get("/search").status_code == 503
    assert client.get("/search").status_code == 200
    site.stale_since = NOON
    assert client.get("/search").status_code == 503


def test_a_page_that_a_month_has_not_is_its_last_and_says_so(client: FlaskClient) -> None:
    answer = client.get("/history/2024-02/7")
    assert answer.status_code == 200
    assert "This month has no page 7. This is its last page." in answer.text
    assert client.get("/history/2031-02/7").status_code == 404
