"""Customers as JSON objects: each value of its own type, and the whole customer each time."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy.orm import Session

from statuspage.recipients.customer_csv import ImportReport
from statuspage.recipients.customer_json import as_objects, find_customer, put_customers
from tests.configuration_edits import count_entries, last_entry
from tests.recipients.conftest import ACTOR, stored, the_customer

ADA = {
    "key": "C-1",
    "email": "Ada@Example.com",
    "name": "Ada",
    "company": "Engines",
    "components": ["Shop / API"],
    "tags": ["Gold", "eu", "gold"],
    "language": "en-GB",
    "time_zone": "Europe/London",
    "contractual": True,
}


def put(*objects: object) -> ImportReport:
    return put_customers(dict(enumerate(objects)), actor=ACTOR, source="API")


def wrong(report: ImportReport) -> list[tuple[int, str]]:
    return [(error.line, error.field) for error in report.errors]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"email": "nobody"}, "email"),
        ({"email": None}, "email"),
        ({"email": 7}, "email"),
        ({"name": "x" * 501}, "name"),
        ({"name": ["Ada"]}, "name"),
        ({"components": ["Nothing"]}, "components"),
        ({"components": ["API"]}, "components"),
        ({"components": "Checkout"}, "components"),
        ({"tags": ["a;b"]}, "tags"),
        ({"tags": [1]}, "tags"),
        ({"tags": ["x" * 51]}, "tags"),
        ({"language": "xx"}, "language"),
        ({"time_zone": "Moon/Crater"}, "time_zone"),
        ({"contractual": "yes"}, "contractual"),
        ({"colour": "red"}, "colour"),
        ({"key": ""}, "key"),
    ],
)
def test_a_wrong_value_is_named_by_its_field_and_nothing_is_kept(
    session: Session, shop: dict[str, int], change: dict[str, Any], field: str
) -> None:
    assert wrong(put({**ADA, **change})) == [(0, field)]
    assert stored(session) == []


def test_what_is_no_object_is_named_by_its_number_and_the_rest_goes_in(
    session: Session, shop: dict[str, int]
) -> None:
    report = put(7, ADA, ["Ada"])
    assert (report.added, wrong(report)) == (1, [(0, ""), (2, "")])
    assert stored(session) == [("ada@example.com", "Ada")]


def test_what_is_given_back_can_be_put_and_changes_nothing(
    session: Session, shop: dict[str, int]
) -> None:
    put(ADA)
    given = as_objects(session, [the_customer(session)])
    assert given == [{**ADA, "tags": ["eu", "gold"], "language": "en_GB"}]
    report = put(*given)
    assert (report.added, report.updated, report.unchanged) == (0, 0, 1)
    assert (count_entries(session), last_entry(session).action) == (1, "customer.save")


def test_what_an_object_does_not_say_is_empty_afterwards(
    session: Session, shop: dict[str, int]
) -> None:
    put(ADA)
    put({"key": "C-1", "email": "ada@example.com"})
    (left,) = as_objects(session, [the_customer(session)])
    assert left == {
        "key": "C-1", "email": "ada@example.com", "name": "", "company": "", "components": [],
        "tags": [], "language": "en", "time_zone": None, "contractual": False,
    }  # fmt: skip
    assert last_entry(session).before["name"] == "Ada"


def test_a_key_that_no_customer_could_have_finds_nobody(
    session: Session, shop: dict[str, int]
) -> None:
    put(ADA)
    assert [find_customer(session, key) is not None for key in ("C-1", "C-1\n", "c-1")] == [
        True, False, False,
    ]  # fmt: skip
