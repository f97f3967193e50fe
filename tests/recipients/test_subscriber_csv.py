"""Subscribers come in with their consent, and what they chose here stays."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from statuspage.access import audit
from statuspage.core.db import writing
from statuspage.core.enums import Impact, SubscribedUpdates, SubscriberState
from statuspage.core.errors import Invalid
from statuspage.models import Delivery, Subscriber, Suppression
from statuspage.recipients import subscriber_csv
from statuspage.recipients.customer_csv import ImportReport
from statuspage.recipients.subscriber_csv import (
    import_subscribers,
    read_columns,
    read_moment,
)
from statuspage.recipients.subscribers import export_subscribers
from statuspage.recipients.suppression import suppressions_among
from tests.factories import make_component, make_page

CONFIRMED = datetime(2026, 1, 2, 10, tzinfo=UTC)
HEADER = "email,confirmed_at,components\n"


@pytest.fixture(autouse=True)
def page(session: Session) -> None:
    with writing() as writes:
        make_page(writes)
        make_component(writes, "Checkout")
        make_component(writes, "Search")


def take(text: str, **options: object) -> ImportReport:
    return import_subscribers(text, actor=audit.SYSTEM, **options)  # type: ignore[arg-type]


def counts(report: ImportReport) -> tuple[int, int, int, int]:
    return report.added, report.updated, report.unchanged, report.refused


def stored(session: Session, address: str) -> Subscriber:
    session.rollback()
    return session.scalars(select(Subscriber).filter_by(address=address)).one()


def test_who_confirmed_elsewhere_is_subscribed_and_emailed_nothing(session: Session) -> None:
    text = HEADER + "Ana@example.com,2026-01-02T10:00:00Z,Checkout; Search\n"
    assert counts(take(text)) == (1, 0, 0, 0)
    ana = stored(session, "ana@example.com")
    assert (ana.email, ana.state, ana.confirmed_at) == (
        "Ana@example.com", SubscriberState.CONFIRMED, CONFIRMED,
    )  # fmt: skip
    assert (ana.all_components, len(ana.components), ana.token_hash) == (False, 2, None)
    assert session.scalar(select(func.count(Delivery.id))) == 0


def test_a_file_that_comes_again_changes_nothing(session: Session) -> None:
    text = HEADER + "ana@example.com,2026-01-02,\nbo@example.com,2026-01-02,Checkout\n"
    assert [counts(take(text)), counts(take(text))] == [(2, 0, 0, 0), (0, 0, 2, 0)]


def test_bad_rows_are_named_by_line_and_the_rest_comes_in(session: Session) -> None:
    rows = [
        "ana@example.com,2026-01-02,",
        "nobody,2026-01-02,",
        "bo@example.com,,",
        "cy@example.com,2026-01-02,Nowhere",
        "di@example.com,soon,",
        "ed@example.com,2999-01-01,",
    ]
    report = take(HEADER + "\n".join(rows))
    assert counts(report) == (1, 0, 0, 5)
    assert [str(error) for error in report.errors] == [
        "line 3: email 'nobody': An email address must have an @-sign",
        "line 4: confirmed_at '': Nothing says when they confirmed; name that column, or say when "
        "with --confirmed-at",
        "line 5: components 'Nowhere': There is no component 'Nowhere'",
        "line 6: confirmed_at 'soon': Write it as 2026-03-02 or 2026-03-02T10:00:00Z",
        "line 7: confirmed_at '2999-01-01': This is in the future",
    ]


def test_one_moment_of_consent_can_be_given_for_all(session: Session) -> None:
    assert counts(take("email\nana@example.com\n", confirmed_at=CONFIRMED)) == (1, 0, 0, 0)
    assert stored(session, "ana@example.com").confirmed_at == CONFIRMED


def test_a_preview_changes_nothing(session: Session) -> None:
    text = HEADER + "ana@example.com,2026-01-02,\n"
    assert counts(take(text, preview=True)) == (1, 0, 0, 0)
    assert session.scalar(select(func.count(Subscriber.id))) == 0


def test_no_statement_of_a_preview_asks_about_a_whole_file(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def look_up(session: Session, identities: Collection[str]) -> Mapping[str, Suppression]:
        asked.append(len(identities))
        return suppressions_among(session, identities)

    monkeypatch.setattr(subscriber_csv, "_SLICE", 2)
    monkeypatch.setattr(subscriber_csv, "suppressions_among", look_up)
    text = HEADER + "".join(f"one{number}@example.com,2026-01-02,\n" for number in range(5))
    assert counts(take(text, preview=True)) == (5, 0, 0, 0)
    assert asked == [2, 2, 1]


def test_what_somebody_chose_here_counts_for_more(session: Session) -> None:
    with writing() as writes:
        for name, state in (
            ("left", SubscriberState.UNSUBSCRIBED),
            ("here", SubscriberState.CONFIRMED),
            ("asked", SubscriberState.PENDING),
        ):
            email = f"{name}@example.com"
            writes.add(Subscriber(email=email, address=email, state=state))
    names = ("left", "here", "asked")
    text = HEADER + "".join(f"{name}@example.com,2026-01-02,Checkout\n" for name in names)
    assert counts(take(text)) == (0, 1, 2, 0)
    assert [stored(session, f"{name}@example.com").state.value for name in names] == [
        "unsubscribed", "confirmed", "confirmed",
    ]  # fmt: skip
    assert stored(session, "here@example.com").all_components


def test_columns_of_another_service_are_mapped_and_its_unsubscribed_left_out(
    session: Session,
) -> None:
    text = "E-Mail;Opt-in date;Status\nana@example.com;2026-01-02;Active\nbo@example.com;;deleted\n"
    report = take(text, renamed=read_columns(["Opt-in date=confirmed_at"]))
    assert counts(report) == (1, 0, 0, 0)
    assert [str(note) for note in report.notes] == ["line 3: Unsubscribed there: left out"]


def test_the_export_comes_in_again_as_it_was(app: Flask, session: Session) -> None:
    take(
        "email,confirmed_at,components,incidents,least_impact,maintenance,language,time_zone\n"
        "ana@example.com,2026-01-02T10:00:00Z,Checkout,last,major,no,de,Europe/Berlin\n"
    )
    exported = "".join(export_subscribers(session))
    session.rollback()
    with writing() as writes:
        writes.delete(writes.scalars(select(Subscriber)).one())
    assert counts(take(exported)) == (1, 0, 0, 0)
    assert "".join(export_subscribers(session)) == exported
    ana = stored(session, "ana@example.com")
    assert (ana.updates, ana.least_impact, ana.maintenance, ana.language) == (
        SubscribedUpdates.LAST, Impact.MAJOR, False, "de",
    )  # fmt: skip


def test_a_mapping_to_no_column_of_ours_is_refused() -> None:
    with pytest.raises(Invalid, match="THEIRS=OURS"):
        read_columns(["Mail=address"])
    assert read_moment("2026-01-02 10:00:00 UTC", "x") == CONFIRMED
