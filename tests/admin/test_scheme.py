from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import select

from statuspage.core.db import current_session, writing
from statuspage.core.enums import CustomerMail
from statuspage.models import SeverityLevel
from tests.browsing import Browser, actions, reasons, said, texts
from tests.factories import make_incident


def level(app: Flask, rank: int) -> SeverityLevel:
    with app.app_context():
        return current_session().scalars(select(SeverityLevel).filter_by(rank=rank)).one()


def test_the_scheme_is_told_in_words(admin: Browser) -> None:
    assert texts(admin.get("/admin/severity"), "facts")[0] == (
        "Visitors see Critical impact First responsewithin 15 minutes Resolvedno limit "
        "Public updatesevery 30 minutes Internal notesevery 15 minutesMonitoring period no minimum "
        "Customer emailswhen it is resolved Reviewwithin 48 hours "
        "Escalates after 30 minutes to technical lead "
        "after 1 hour to incident commander"
    )


def test_a_level_is_changed_in_the_words_that_people_use(admin: Browser, app: Flask) -> None:
    answer = admin.send_shown(
        "/admin/severity/2",
        {
            "cadence_minutes": "1 h 30 min",
            "customer_mail": "every_update",
            "review_hours": "3 days",
            "after_1": "2 hours",
            "to_1": "management",
            "after_3": "30",
            "to_3": "technical_lead",
        },
    )
    assert answer.headers["Location"] == "/admin/severity"
    changed = level(app, 2)
    assert (changed.cadence_minutes, changed.customer_mail, changed.review_hours) == (
        90,
        CustomerMail.EVERY_UPDATE,
        72,
    )
    assert changed.escalation == [
        {"after_minutes": 30, "to": "technical_lead"},
        {"after_minutes": 120, "to": "management"},
    ]
    assert (changed.name, changed.respond_minutes) == ("SEV2", 60)


def test_a_level_that_is_saved_untouched_stays_as_it_is(admin: Browser, app: Flask) -> None:
    for rank in (1, 2, 3):
        assert admin.send_shown(f"/admin/severity/{rank}").status_code == 303
    assert actions(app) == ["account.sign_in"]


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"name": ""}, ["Name: Enter the level's name"]),
        ({"name": "SEV1"}, ["Name: Another level has this name"]),
        ({"description": ""}, ["What it means: Describe when this level applies"]),
        (
            {"respond_minutes": "soon"},
            ["First response within: Enter a duration, like 30 minutes, 4 hours or 2 days"],
        ),
        (
            {"cadence_minutes": "0"},
            ["Public update every: Leave it empty for no scheduled updates"],
        ),
        (
            {"review_hours": "2 days", "review_business_days": "3"},
            ["Or within business days: Use hours or business days, not both"],
        ),
        ({"after_2": "1 h"}, ["To: Pick somebody"]),
        ({"to_2": "management"}, ["After: Enter a time"]),
        ({"to_2": "the dog"}, ["To: Not a valid choice.", "After: Enter a time"]),
        ({"customer_mail": "sometimes"}, ["Customer emails: Pick one from the list"]),
    ],
)
def test_a_rule_that_cannot_be_is_told_beside_its_field(
    admin: Browser, values: dict[str, str], told: list[str]
) -> None:
    answer = admin.send_shown("/admin/severity/2", values)
    assert answer.status_code == 422
    assert sorted(reasons(answer)) == sorted(told)


def test_the_end_of_the_worst_is_always_told_to_customers(admin: Browser) -> None:
    answer = admin.send_shown("/admin/severity/1", {"customer_mail": "never"})
    assert reasons(answer) == ["Customer emails: Pick one from the list"]


def test_another_scheme_is_asked_about_before_it_is_taken(admin: Browser, app: Flask) -> None:
    with app.app_context(), writing() as session:
        make_incident(session)
    asked = admin.get("/admin/severity/choose?scheme=p0")
    assert texts(asked, "title") == []
    assert said(asked) == [
        "This replaces SEV1, SEV2, SEV3 and all changes made to them. Past incidents "
        "keep the name of their level. One incident is open: from now on they follow the "
        "new level with the same rank."
    ]
    assert level(app, 1).name == "SEV1"
    assert admin.send("/admin/severity/choose", {"scheme": "p0"}).status_code == 303
    assert level(app, 1).name == "P0"
    assert said(admin.get("/admin/severity")) == ["The scheme is P0 to P3 now."]


@pytest.mark.parametrize("scheme", ["", "p9"])
def test_a_scheme_that_nobody_knows_is_not_found(admin: Browser, scheme: str) -> None:
    assert admin.get(f"/admin/severity/choose?scheme={scheme}").status_code == 404
    assert admin.send("/admin/severity/choose", {"scheme": scheme}).status_code == 404


def test_the_closing_checklist_is_edited_and_ticked_by_its_own_items(
    admin: Browser, app: Flask
) -> None:
    path = "/admin/severity/closing"
    assert "ticked when a cause is recorded" in admin.get(path).text
    answer = admin.send_shown(path, {"closing": "fix: One\nfix: Two"})
    assert (answer.status_code, reasons(answer)) == (422, ["Items: “fix” is there twice"])
    answer = admin.send_shown(path, {"closing": "fix: It <holds>\nTell the board"})
    assert answer.headers["Location"] == "/admin/severity"
    shown = admin.get("/admin/severity").text
    assert "It &lt;holds&gt;" in shown
    assert "Tell the board" in shown
