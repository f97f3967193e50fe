"""Moving from a Statuspage page, from files or from its address."""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from statuspage.core.db import writing
from statuspage.core.enums import (
    ComponentStatus,
    Impact,
    Kind,
    MaintenanceStatus,
)
from statuspage.importers import statuspage_page
from statuspage.importers import statuspage_page as moving
from statuspage.importers.published import UnusableHistory
from statuspage.models import (
    Component,
    Delivery,
    Incident,
)
from tests.factories import make_page
from tests.importers.imported import (
    ACTOR,
    FEED,
    PAGE,
    at,
    counts,
    documents,
    effect,
    everything,
    history_row,
    lines,
    log_of,
    moment,
    move,
    part,
    posted,
    problems,
    published,
    said,
    summary,
    take,
    the_incident,
)

pytestmark = pytest.mark.usefixtures("frozen")


def test_a_page_moves_with_codes_groups_times_and_entry_ids(
    session: Session, tmp_path: Path
) -> None:
    with writing() as session:
        make_page(session)
    report = move(tmp_path, summary(), {"page": PAGE, "incidents": [published()]}, FEED)

    incident = the_incident(session)
    search = session.scalars(select(Component).filter_by(code="ssssssssssss")).one()
    assert counts(report) == (1, 0, 0, 2)
    assert (search.name, search.description, search.position) == ("Search", "Finds it", 2)
    assert search.group is not None
    assert (search.group.code, search.group.name) == ("gggggggggggg", "Shop")
    assert (incident.code, incident.started_at) == ("iiiiiiiiiiii", moment(-5))
    assert incident.entry_id == "tag:status.example.org,2005:Incident/99"
    assert [(u.code, u.status, u.happened_at) for u in incident.updates] == [
        ("uuuuuuuuuuu1", "investigating", moment(0)),
        ("uuuuuuuuuuu2", "resolved", moment(60)),
    ]
    assert incident.updates[0].affected == [
        effect("ssssssssssss", "Shop - Search", "operational", "major_outage")
    ]
    assert log_of(session, "Search") == [
        (datetime(2020, 1, 1, tzinfo=UTC), ComponentStatus.OPERATIONAL),
        (moment(0), ComponentStatus.MAJOR_OUTAGE),
        (moment(60), ComponentStatus.OPERATIONAL),
    ]


def test_moving_again_changes_nothing(session: Session, tmp_path: Path) -> None:
    content = summary([published()])
    move(tmp_path, content, FEED)
    before = everything(session)

    assert counts(move(tmp_path, content, FEED)) == (0, 0, 1, 0)
    assert everything(session) == before
    assert session.scalars(select(Delivery)).all() == []


def test_the_page_takes_the_code_that_it_had(session: Session, tmp_path: Path) -> None:
    with writing() as session:
        page = make_page(session)
    move(tmp_path, summary())

    session.refresh(page)
    assert page.code == "pgpgpgpgpgpg"


def test_a_page_that_was_not_set_up_needs_no_first_steps(session: Session, tmp_path: Path) -> None:
    with writing() as session:
        page = make_page(session, name="Status", set_up_at=None)
    denver = {**summary(), "page": {**PAGE, "name": "Acme & Sons", "time_zone": "America/Denver"}}
    move(tmp_path, denver)

    session.refresh(page)
    assert (page.name, page.time_zone, page.sign_off) == (
        "Acme & Sons", "America/Denver", "The Acme & Sons team",
    )  # fmt: skip
    assert page.set_up_at is not None
    # From then on it is the admin's.
    move(tmp_path, summary())
    session.refresh(page)
    assert (page.name, page.time_zone) == ("Acme & Sons", "America/Denver")


def test_when_a_incident_was_made_and_an_update_corrected_is_kept(
    session: Session, tmp_path: Path
) -> None:
    row = published(created_at=at(-1))
    row["incident_updates"][1]["updated_at"] = at(30)
    move(tmp_path, summary([row]))
    incident = the_incident(session)
    assert incident.created_at == moment(-1)
    assert [update.edited_at for update in incident.updates] == [moment(30), None]

    before = everything(session)
    assert counts(move(tmp_path, summary([row]))) == (0, 0, 1, 0)
    assert everything(session) == before
    row["incident_updates"][1] |= {"updated_at": at(45), "body": "Somebody looks into it."}
    assert counts(move(tmp_path, summary([row]))) == (0, 1, 0, 0)
    session.expire_all()
    assert the_incident(session).updates[0].edited_at == moment(45)


def test_a_component_shows_what_the_summary_says_even_where_no_incident_does(
    session: Session, tmp_path: Path
) -> None:
    move(tmp_path, summary(parts=[part("aaaaaaaaaaaa", "API", status="partial_outage")]))

    assert session.scalars(select(Component.status)).one() is ComponentStatus.PARTIAL_OUTAGE
    assert log_of(session, "API")[-1][1] is ComponentStatus.PARTIAL_OUTAGE


def test_a_component_made_here_before_becomes_the_one_of_its_name(
    session: Session, tmp_path: Path
) -> None:
    take(lines(history_row()))
    report = move(tmp_path, summary())

    search = session.scalars(select(Component).filter_by(name="Search")).one()
    assert report.components_added == 1
    assert search.code == "ssssssssssss"
    assert {e["code"] for u in the_incident(session).updates for e in u.affected} == {search.code}


def test_a_component_that_is_gone_stays_for_the_history_that_names_it(
    session: Session, tmp_path: Path
) -> None:
    move(tmp_path, summary([published()], parts=[part("aaaaaaaaaaaa", "API")]))

    gone = session.scalars(select(Component).filter_by(code="ssssssssssss")).one()
    assert (gone.name, gone.removed_at is not None) == ("Shop - Search", True)


def test_a_history_and_the_page_that_published_it_make_one_incident(
    session: Session, tmp_path: Path
) -> None:
    posts = said((0, "Investigating", "We look into it."), (60, "Resolved", "It is over."))
    take(lines(history_row("iiiiiiiiiiii", updates=posts)))
    before = {update.entry_id for update in the_incident(session).updates}
    report = move(tmp_path, summary([published()]))

    assert counts(report) == (0, 1, 0, 1)
    assert {update.entry_id for update in the_incident(session).updates} == before


def test_a_maintenance_to_come_moves_with_its_window(session: Session, tmp_path: Path) -> None:
    planned = published(
        status="scheduled", impact="maintenance", resolved_at=None,
        scheduled_for="2026-04-01T10:00:00.000Z", scheduled_until="2026-04-01T12:00:00.000Z",
        incident_updates=[posted("uuuuuuuuuuu1", "scheduled", 0, "We will upgrade it.")],
    )  # fmt: skip
    move(tmp_path, summary(maintenances=[planned]))

    maintenance = the_incident(session)
    assert (maintenance.kind, maintenance.status) == (
        Kind.MAINTENANCE,
        MaintenanceStatus.SCHEDULED,
    )
    assert maintenance.begins_at == datetime(2026, 4, 1, 10, 0, tzinfo=UTC)
    assert maintenance.scheduled_until == datetime(2026, 4, 1, 12, 0, tzinfo=UTC)


def test_of_two_documents_the_newer_word_on_a_incident_counts(
    session: Session, tmp_path: Path
) -> None:
    older = {"page": PAGE, "incidents": [published(name="Old", updated_at=at(50))]}
    move(tmp_path, summary([published(name="New")]), older)

    assert the_incident(session).title == "New"


@pytest.mark.parametrize(
    ("contents", "reason"),
    [
        (
            ['{"page": {"id": "x'],
            "0: this is not JSON, line 1 column 17: Unterminated string; the file is cut there",
        ),
        (["[]"], "0: this is no public document of a Statuspage page: it names no page"),
        (["<feed"], "0: this is not XML: unclosed token: line 1, column 0"),
        (["<!DOCTYPE x><feed/>"], "0: this is no feed: it declares a document type"),
        ([FEED], "documents: none of them is a Statuspage page's JSON"),
        (
            [summary(), {"page": {**PAGE, "id": "other"}}],
            "1: this is another page, other, than the documents before it, pgpgpgpgpgpg",
        ),
        (
            [summary([published(id=" ")])],
            "0, incident  : it has no id: ' '",
        ),
        (
            [summary([published(incident_updates=[])])],
            "0, incident iiiiiiiiiiii: it has no updates",
        ),
        (
            [summary(parts=[part("aaaaaaaaaaaa", "API", status="fine")])],
            "component aaaaaaaaaaaa: component state 'fine' is not known",
        ),
        (
            [summary(parts=[part("aaaaaaaaaaaa", "API", group_id="gggggggggggg")])],
            "component aaaaaaaaaaaa: its group gggggggggggg is not there",
        ),
    ],
)
def test_documents_that_are_wrong_say_where_and_nothing_is_imported(
    session: Session, tmp_path: Path, contents: Sequence[Any], reason: str
) -> None:
    given = documents(tmp_path, *contents)
    with pytest.raises(UnusableHistory) as unusable:
        statuspage_page.import_page(given, actor=ACTOR)

    assert [found.replace(f"{tmp_path}/", "") for found in problems(unusable)] == [reason]
    assert session.scalars(select(Component)).all() == []


def test_updates_of_two_incidents_with_one_code_are_named_and_nothing_is_imported(
    session: Session, tmp_path: Path
) -> None:
    given = documents(tmp_path, summary([published(), published(id="jjjjjjjjjjjj")]))
    with pytest.raises(UnusableHistory) as unusable:
        statuspage_page.import_page(given, actor=ACTOR)
    name = given[0].name
    assert problems(unusable) == [
        f"{name}, incident jjjjjjjjjjjj: the update uuuuuuuuuuu{number} has the same code as one of"
        f" {name}, incident iiiiiiiiiiii"
        for number in (1, 2)
    ]
    assert session.scalars(select(Incident)).all() == []


def test_updates_of_one_incident_with_one_code_are_both_kept_and_named(
    session: Session, tmp_path: Path
) -> None:
    first, second = published()["incident_updates"]
    twins = published(incident_updates=[first, {**second, "id": first["id"]}])
    given = documents(tmp_path, summary([twins]))
    report = statuspage_page.import_page(given, actor=ACTOR)
    again = statuspage_page.import_page(given, actor=ACTOR)

    where = f"{given[0].name}, incident iiiiiiiiiiii"
    text = f"two updates have the code {first['id']}; the later one gets a code of its own"
    assert [str(note) for note in report.notes] == [f"{where}: {text}"]
    assert sorted(update.body for update in the_incident(session).updates) == sorted(
        [first["body"], second["body"]]
    )
    assert (counts(report)[0], counts(again)[:3]) == (1, (0, 0, 1))


def test_what_cannot_be_taken_may_be_left_out_and_is_named(
    session: Session, tmp_path: Path
) -> None:
    parts = [part("aaaaaaaaaaaa", "API", status="fine"), part("bbbbbbbbbbbb", "Web")]
    content = summary([published(), published(id="jjjjjjjjjjjj", name="")], parts=parts)
    report = statuspage_page.import_page(documents(tmp_path, content), actor=ACTOR, skip_bad=True)

    assert [str(problem).partition(", ")[2] or str(problem) for problem in report.skipped] == [
        "incident jjjjjjjjjjjj: it has no title",
        "component aaaaaaaaaaaa: component state 'fine' is not known",
    ]
    assert the_incident(session).code == "iiiiiiiiiiii"
    listed = select(Component.name).where(Component.removed_at.is_(None))
    assert session.scalars(listed).all() == ["Web"]


@pytest.mark.parametrize(
    ("odd", "reason"),
    [
        # Statuspage wrote this for years.
        (
            [{"name": "No components were affected by this update."}],
            "component state None is not known",
        ),
        ([effect("", "Search", "operational", "major_outage")], "a component has no id: ''"),
        (
            [effect("ssssssssssss", "Search", "operational", "full_outage")],
            "component state 'full_outage' is not known",
        ),
        (["Search"], "'Search' is no component"),
        ({"name": "Search"}, "component state None is not known"),
    ],
    ids=["placeholder", "no code", "unknown state", "a name", "no list"],
)
def test_what_an_update_says_of_no_known_component_costs_nothing_else(
    session: Session, tmp_path: Path, odd: Any, reason: str
) -> None:
    row = published()
    row["incident_updates"][0]["affected_components"] = odd
    report = move(tmp_path, summary([row]))

    assert [note.reason for note in report.notes] == [
        f"update uuuuuuuuuuu2 says nothing of a component: {reason}"
    ]
    assert the_incident(session).updates[1].affected == []
    assert log_of(session, "Search")[-1] == (moment(60), ComponentStatus.OPERATIONAL)


def test_a_page_that_only_speaks_the_same_json_comes_in_with_codes_of_its_own(
    session: Session, tmp_path: Path
) -> None:
    page = {**PAGE, "id": "01G73SQ2W1V5TYQ60B36WP5WTK"}
    row = published(
        id="01HX5W0GZ8T3Q4N6Y7V1M2K9PA", started_at=None, created_at=None, impact="minor",
        incident_updates=[
            posted("01HX5W0GZ8T3Q4N6Y7V1M2K9PC", "resolved", 60, "It is over."),
            posted("01HX5W0GZ8T3Q4N6Y7V1M2K9PB", "investigating", 0, "We look into it."),
        ],
        components=[part("01HX5W0GZ8T3Q4N6Y7V1M2K9PD", "API")],
    )  # fmt: skip
    bare = published(id=7, components=None, incident_updates=[posted("8", "resolved", 60, "Over.")])
    parts = [
        part("01HX5W0GZ8T3Q4N6Y7V1M2K9PE", "Core", group=True),
        part("01HX5W0GZ8T3Q4N6Y7V1M2K9PD", "API", group_id="01HX5W0GZ8T3Q4N6Y7V1M2K9PE"),
    ]
    feed = FEED.replace("iiiiiiiiiiii", "01HX5W0GZ8T3Q4N6Y7V1M2K9PA")
    content = {**summary([row, bare], parts=parts), "page": page, "scheduled_maintenances": None}
    report = move(tmp_path, content, feed)
    before = everything(session)

    assert (counts(report), report.notes) == ((2, 0, 0, 1), ())
    incident = session.scalars(select(Incident).where(Incident.impact == Impact.MINOR)).one()
    assert (incident.origin_id, len(incident.code)) == ("01HX5W0GZ8T3Q4N6Y7V1M2K9PA", 12)
    assert (incident.started_at, incident.resolved_at) == (moment(0), moment(60))
    assert incident.entry_id == "tag:status.example.org,2005:Incident/99"
    api = session.scalars(select(Component)).one()
    assert (api.name, api.group and api.group.name) == ("API", "Core")
    assert [status for _, status in log_of(session, "API")][1:] == [
        ComponentStatus.DEGRADED_PERFORMANCE,
        ComponentStatus.OPERATIONAL,
    ]
    assert counts(move(tmp_path, content, feed)) == (0, 0, 2, 0)
    assert everything(session) == before


def test_a_folder_is_read_by_the_usual_names(tmp_path: Path) -> None:
    (tmp_path / "summary.json").write_text("{}")
    (tmp_path / "history.atom").write_text("<feed/>")
    (tmp_path / "notes.txt").write_text("no document")

    read = statuspage_page.read_documents([tmp_path])
    assert [Path(document.name).name for document in read] == ["summary.json", "history.atom"]


def test_a_folder_without_documents_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnusableHistory, match=r"holds none of summary\.json"):
        statuspage_page.read_documents([tmp_path])


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnusableHistory, match=r"nothing\.json: cannot be read: No such file"):
        statuspage_page.read_documents([tmp_path / "nothing.json"])


@pytest.fixture
def elsewhere() -> Any:
    """A page served over HTTP, by path."""
    served: dict[str, bytes] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = served.get(self.path)
            self.send_response(200 if body is not None else 404)
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, *_args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", served
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_page_is_fetched_from_its_address(
    session: Session, elsewhere: tuple[str, dict[str, bytes]]
) -> None:
    url, served = elsewhere
    bare: Mapping[str, Any] = {"page": PAGE, "incidents": [], "scheduled_maintenances": []}
    served["/api/v2/summary.json"] = json.dumps(summary([published()])).encode()
    served["/api/v2/incidents.json"] = json.dumps(bare).encode()
    served["/api/v2/scheduled-maintenances.json"] = json.dumps(bare).encode()
    served["/history.atom"] = FEED.encode()
    statuspage_page.import_page(statuspage_page.fetch_documents(url + "/"), actor=ACTOR)

    assert the_incident(session).entry_id == "tag:status.example.org,2005:Incident/99"


def test_an_address_that_does_not_answer_is_named(
    elsewhere: tuple[str, dict[str, bytes]],
) -> None:
    url, _ = elsewhere
    with pytest.raises(UnusableHistory, match=r"summary\.json: cannot be fetched: Not Found"):
        statuspage_page.fetch_documents(url)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{}", "IncompleteRead.*97 more expected"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n63\r\n{}", "IncompleteRead"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "SSH-2.0-OpenSSH_9.2"),
        (b"", "closed connection"),
        (b"HTTP/1.1 200 OK\r\n\r\n" + b" " * 1100, "is larger than 1,000 bytes"),
    ],
    ids=["cut", "cut between chunks", "no HTTP", "nothing", "too much"],
)
def test_an_answer_that_is_cut_or_none_is_named(
    answer: bytes, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moving, "MOST_BYTES", 1000)
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            visitor, _ = server.accept()
            with visitor:
                visitor.recv(65536)
                visitor.sendall(answer)

        thread = Thread(target=serve)
        thread.start()
        with pytest.raises(UnusableHistory, match=reason):
            statuspage_page.fetch_documents(f"http://127.0.0.1:{server.getsockname()[1]}")
        thread.join()


def test_a_server_that_trickles_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    class Trickle:
        length = None

        def __enter__(self) -> Trickle:
            return self

        def __exit__(self, *_: object) -> None: ...

        def read1(self, _: int) -> bytes:
            seconds[0] += 1
            return b" "

    seconds = [0.0]
    monkeypatch.setattr(moving.time, "monotonic", lambda: seconds[0])
    monkeypatch.setattr(moving, "urlopen", lambda *_, **__: Trickle())
    with pytest.raises(UnusableHistory, match="it took longer than 20 seconds"):
        statuspage_page.fetch_documents("https://status.example.org")
    assert seconds[0] == 21


@pytest.mark.parametrize("url", ["http://status.example.org:port/", "http://a b/", "https://[x/"])
def test_an_address_that_is_none_is_named(url: str) -> None:
    with pytest.raises(UnusableHistory):
        statuspage_page.fetch_documents(url)


def test_only_web_addresses_are_fetched() -> None:
    with pytest.raises(UnusableHistory, match=r"file:///etc/hosts: is no http or https address"):
        statuspage_page.fetch_documents("file:///etc/hosts")
