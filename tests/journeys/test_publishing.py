"""A post is committed by one process and stands on page, feeds and JSON at once."""

from __future__ import annotations

import time

import feedparser
import requests

from statuspage.core.enums import IncidentStatus, Visibility
from statuspage.incidents import lifecycle
from statuspage.incidents.inputs import Declaration, NewUpdate
from statuspage.incidents.publish import Submission
from statuspage.public.queries import RECKONED_EVERY
from tests.actors import acting
from tests.service import Service
from tests.waiting import eventually

ACTOR = acting("Ada")


def get(service: Service, path: str) -> requests.Response:
    answer = requests.get(service.url + path, timeout=30)
    assert answer.status_code == 200
    return answer


def test_a_post_is_everywhere_at_once(service: Service, desk: None) -> None:
    before = get(service, "/updates.atom").text
    incident = lifecycle.declare(
        Declaration("Search finds nothing", 1, users_notice="Searches come up empty."),
        Submission(ACTOR, "journey"),
    )
    update = incident.updates[0]
    eventually(lambda: incident.code in get(service, "/").text)
    # Swapped whole: from the moment the page has it, nothing else may lack it.
    known = {entry.id for entry in feedparser.parse(before).entries}
    feed = feedparser.parse(get(service, "/updates.atom").text)
    assert [entry.id for entry in feed.entries if entry.id not in known] == [update.entry_id]
    assert f"/incidents/{incident.code}" in get(service, "/history.rss").text
    unresolved = get(service, "/api/v2/incidents/unresolved.json").json()["incidents"]
    assert incident.code in [entry["id"] for entry in unresolved]
    assert get(service, "/api/v2/status.json").json()["status"]["indicator"] == "critical"
    assert "Searches come up empty." in get(service, f"/incidents/{incident.code}").text
    assert "Search finds nothing" in get(service, "/history").text


def test_a_reader_that_has_seen_everything_finds_nothing_new(service: Service) -> None:
    first = get(service, "/updates.rss")
    again = requests.get(
        service.url + "/updates.rss",
        headers={"If-None-Match": first.headers["ETag"]},
        timeout=30,
    )
    assert (again.status_code, again.content) == (304, b"")


def pass_a_count_that_is_due() -> None:
    """Wait where a day that has trouble is about to be counted again, which changes the page."""
    period = RECKONED_EVERY.total_seconds()
    left = period - time.time() % period
    if left < 30:
        time.sleep(left + 3)


def test_an_internal_incident_is_on_no_public_surface(service: Service, desk: None) -> None:
    pass_a_count_that_is_due()
    before = {path: get(service, path).text for path in PUBLIC}
    incident = lifecycle.declare(
        Declaration(
            "Zebra staging fails",
            severity_rank=1,
            users_notice="Zebra.",
            visibility=Visibility.INTERNAL,
        ),
        Submission(ACTOR, "internal journey"),
    )
    lifecycle.post_update(
        incident.code, NewUpdate(IncidentStatus.RESOLVED), Submission(ACTOR, "internal end")
    )
    assert {path: get(service, path).text for path in PUBLIC} == before
    assert requests.get(f"{service.url}/incidents/{incident.code}", timeout=30).status_code == 404


PUBLIC = (
    "/",
    "/history",
    "/history.rss",
    "/history.atom",
    "/updates.rss",
    "/updates.atom",
    "/updates.json",
    "/maintenances.ics",
    "/api/v2/summary.json",
    "/api/v2/status.json",
    "/api/v2/components.json",
    "/api/v2/incidents.json",
    "/api/v2/incidents/unresolved.json",
    "/api/v2/scheduled-maintenances.json",
)
