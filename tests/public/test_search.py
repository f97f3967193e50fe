from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from statuspage.core.enums import Kind, Visibility
from statuspage.public import search
from statuspage.public.queries import read_site
from statuspage.public.search import Search, SearchResult, find_incidents
from tests.factories import (
    NOON,
    add_update,
    make_component,
    make_incident,
    make_maintenance,
    make_page,
)

DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def page(session: Session) -> None:
    make_page(session)


def find(session: Session, **asked: object) -> SearchResult:
    return find_incidents(read_site(session, at=NOON), Search(**asked))  # type: ignore[arg-type]


def titles(session: Session, **asked: object) -> list[str]:
    return [incident.title for incident in find(session, **asked).incidents]


def test_nothing_asked_is_all_of_the_history_newest_first(session: Session) -> None:
    make_incident(session, "Old", started_at=NOON - 9 * DAY)
    make_incident(session, "New", started_at=NOON - DAY)
    make_maintenance(session, "To come")
    assert titles(session) == ["New", "Old"]


def test_all_words_must_be_in_a_incident_in_its_title_or_any_post(session: Session) -> None:
    payments = make_incident(session, "Payments fail")
    add_update(session, payments, body="A provider in Zürich does not answer.")
    add_update(session, payments, body="They are back.")
    make_incident(session, "Payments are slow")
    assert titles(session, words="payments ZÜRICH") == ["Payments fail"]
    assert titles(session, words="rovide") == ["Payments fail"]
    assert sorted(titles(session, words="payments")) == ["Payments are slow", "Payments fail"]
    assert titles(session, words="100%") == []


@pytest.mark.parametrize(
    ("written", "asked"),
    [
        ("Zürich", "Zu\u0308rich"),
        ("Ｐａｙｍｅｎｔ　ＡＰＩ", "payment api"),
        ("Payment API", "ｐａｙｍｅｎｔ"),
        ("サーバー障害", "ｻｰﾊﾞｰ"),
        ("ｻｰﾊﾞｰ", "サーバー"),
        ("Oﬃce", "office"),
        ("STRASSE", "straße"),
        ("Διακοπή ΣΑΣ", "σας"),
        ("한국어", "\u1112\u1161\u11ab"),
    ],
    ids=[
        "NFD", "full width written", "full width asked", "half width asked", "half width written",
        "ligature", "sharp s", "final sigma", "Hangul letters",
    ],
)  # fmt: skip
def test_words_are_found_in_whichever_form_of_unicode(
    session: Session, written: str, asked: str
) -> None:
    make_incident(session, "Other")
    add_update(session, make_incident(session, "The one"), body=f"Now: {written}.")
    assert titles(session, words=asked) == ["The one"]


def test_what_is_internal_is_never_found(session: Session) -> None:
    make_incident(session, "zebra", visibility=Visibility.INTERNAL)
    shown = make_incident(session, "Shown")
    add_update(session, shown, body="zebra", visibility=Visibility.INTERNAL)
    hidden = make_incident(session, "Hidden", visibility=Visibility.INTERNAL, code="hidden000000")
    assert titles(session, words="zebra") == []
    assert find(session, before=hidden.code).is_from_newest


def test_by_component_and_by_kind(session: Session) -> None:
    checkout = make_component(session, "Checkout", code="checkout0000")
    make_incident(session, "It fails", components=[checkout])
    make_incident(session, "Another")
    make_maintenance(
        session, "Work", status="completed", started_at=NOON - DAY, scheduled_for=NOON - DAY
    )
    assert titles(session, component="checkout0000") == ["It fails"]
    assert titles(session, kind=Kind.MAINTENANCE) == ["Work"]
    unknown = find(session, component="nothing00000", kind=Kind.INCIDENT)
    assert unknown.component is None
    assert len(unknown.incidents) == 2


def test_pages_follow_each_other_with_nothing_left_out(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "RESULTS_ON_A_PAGE", 3)
    monkeypatch.setattr(search, "INCIDENTS_AT_A_TIME", 4)
    # Two and two began at the same time.
    for number in range(8):
        make_incident(session, f"Number {number}", started_at=NOON - (number // 2) * DAY)
    pages, before = [], ""
    while True:
        found = find(session, words="number", before=before)
        pages.append([incident.title for incident in found.incidents])
        before = found.further
        if not before:
            break
    assert [len(page) for page in pages] == [3, 3, 2]
    assert len({title for page in pages for title in page}) == 8


def test_so_many_are_read_at_most_and_then_somebody_may_go_on(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "MOST_INCIDENTS_READ", 4)
    monkeypatch.setattr(search, "INCIDENTS_AT_A_TIME", 2)
    make_incident(session, "Needle", started_at=NOON - 9 * DAY)
    for number in range(4):
        make_incident(session, "Hay", started_at=NOON - number * DAY)
    first = find(session, words="needle")
    assert (first.incidents, first.looked_back_to) == ((), NOON - 3 * DAY)
    second = find(session, words="needle", before=first.further)
    assert [incident.title for incident in second.incidents] == ["Needle"]
    assert second.further == ""
