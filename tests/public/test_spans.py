"""Whatever times an incident was written down with, nothing is shown that ends before it begins."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from icalendar import Calendar

from statuspage.core import clock
from statuspage.public import feeds, html_pages
from statuspage.public.api_v2 import api_documents, incident_document
from statuspage.public.calendar import write_calendar
from statuspage.public.snapshot import IncidentView
from tests.factories import LINKS, NOON
from tests.public.samples import (
    COMPLETED,
    IN_PROGRESS,
    INVESTIGATING,
    PAGE,
    RESOLVED,
    SCHEDULED,
    ago,
    incident,
    maintenance,
    post,
    snapshot,
)

SPAN = re.compile(
    r"<span data-span><time datetime=\"(.+?)\">.+?</time> – <time datetime=\"(.+?)\">"
)
IN_WORDS = re.compile(
    r"(\w{3} \d+, \d{4}, )(\d\d:\d\d)(?: UTC)? – (\w{3} \d+, \d{4}, )?(\d\d:\d\d) UTC"
)
MOMENTS = st.integers(-4_000, 4_000).map(lambda minutes: NOON + timedelta(minutes=minutes))
MAYBE = st.none() | MOMENTS


@st.composite
def incidents(draw: st.DrawFn) -> IncidentView:
    """An incident whose times are anything, and one that is over."""
    if draw(st.booleans()):
        told = incident(
            "Odd",
            post(RESOLVED, "Over.", draw(MOMENTS)),
            post(INVESTIGATING, "We look.", draw(MOMENTS)),
            started_at=draw(MOMENTS),
        )
        return replace(told, resolved_at=draw(MAYBE), created_at=draw(MOMENTS))
    steps = [post(COMPLETED, "Done.", draw(MOMENTS)), post(SCHEDULED, "Soon.", draw(MOMENTS))]
    if draw(st.booleans()):
        steps.insert(1, post(IN_PROGRESS, "Now.", draw(MOMENTS)))
    start = draw(MOMENTS)
    planned = maintenance("Odd work", *steps, start=start, end=draw(MOMENTS))
    return replace(
        planned,
        started_at=draw(MOMENTS),
        scheduled_until=draw(MAYBE),
        resolved_at=draw(MAYBE),
        cancelled_at=draw(MAYBE),
        begun_at=draw(MAYBE),
    )


def in_words(text: str) -> list[tuple[datetime, datetime]]:
    """The spans in a text, in whose zone everything is in UTC."""
    return [
        (
            datetime.strptime(day + begin, "%b %d, %Y, %H:%M").replace(tzinfo=UTC),
            datetime.strptime((other or day) + end, "%b %d, %Y, %H:%M").replace(tzinfo=UTC),
        )
        for day, begin, other, end in IN_WORDS.findall(text)
    ]


def shown(incident: IncidentView) -> list[tuple[datetime, datetime]]:
    """Every span that any surface shows of an incident."""
    site = snapshot(incidents=[incident])
    html = [
        html_pages.render_home(site, LINKS),
        html_pages.render_incident(site.frame, incident, LINKS),
    ]
    found = [
        (datetime.fromisoformat(begin), datetime.fromisoformat(end))
        for page in html
        for begin, end in SPAN.findall(page)
    ]
    feed = feeds.history_feed(PAGE, [incident], LINKS)
    for text in (*html, *(entry.html for entry in feed.entries)):
        found += in_words(re.sub("<[^>]+>", "", text))
    documents = [json.loads(incident_document(PAGE, incident, LINKS))["incident"]]
    for content in api_documents(site, LINKS).values():
        document = json.loads(content)
        documents += document.get("incidents", []) + document.get("scheduled_maintenances", [])
    for row in documents:
        for begin, end in (("started_at", "resolved_at"), ("scheduled_for", "scheduled_until")):
            if row.get(begin) and row.get(end):
                found.append((datetime.fromisoformat(row[begin]), datetime.fromisoformat(row[end])))
    if incident.is_maintenance:
        calendar = Calendar.from_ical(write_calendar(PAGE, [incident], LINKS))
        found += [
            # An end that is there must be later.
            (event["dtstart"].dt, event["dtend"].dt - timedelta(seconds=1))
            for event in calendar.walk("VEVENT")
            if "dtend" in event
        ]
    return found


@settings(max_examples=40, deadline=None)
@given(incidents())
def test_every_span_that_is_shown_ends_at_or_after_its_beginning(incident: IncidentView) -> None:
    assert [(begin, end) for begin, end in shown(incident) if end < begin] == []


def test_the_spans_of_a_incident_are_found_on_every_surface() -> None:
    """The test above would hold of surfaces on which nothing is found."""
    over = incident(
        "Slow", post(RESOLVED, "Over.", ago(hours=1)), post(INVESTIGATING, "", ago(hours=3))
    )
    # The line on the front page and the incident's own, each as elements and in words, and JSON.
    assert shown(over).count((ago(hours=3), ago(hours=1))) == 6
    work = maintenance(
        "Work", post(COMPLETED, "Done.", ago(hours=1)), post(IN_PROGRESS, "", ago(hours=3)),
        start=ago(hours=3), end=ago(hours=1),
    )  # fmt: skip
    assert len(shown(work)) > len(shown(over))


@pytest.mark.parametrize("end", [NOON - timedelta(minutes=2), NOON, NOON + timedelta(minutes=2)])
def test_a_span_that_runs_backwards_is_the_moment_of_its_end(end: datetime) -> None:
    assert clock.in_order(NOON, end) == (min(NOON, end), end)
    begins = clock.show_span(NOON, end, PAGE.zone).partition(" – ")[0]
    assert begins.endswith(f"{min(NOON, end):%H:%M}")
