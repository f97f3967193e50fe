"""Customers: saved, changed, removed and found."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from statuspage.core.db import writing
from statuspage.core.errors import Invalid
from statuspage.models import AuditEntry, Suppression
from statuspage.recipients import customers
from statuspage.recipients.customers import CustomerValues
from tests.recipients.conftest import ACTOR, stored, take


def test_a_customer_is_saved_changed_and_removed_with_an_entry_each(
    session: Session, shop: dict[str, int]
) -> None:
    values = CustomerValues("Ana@example.com", components=frozenset({shop["checkout"]}))
    customer_id = customers.save_customer(values, actor=ACTOR).id
    customers.save_customer(
        CustomerValues("ana@example.com", name="Ana"), actor=ACTOR, customer_id=customer_id
    )
    customers.remove_customer(customer_id, actor=ACTOR)

    entries = session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
    assert [entry.action for entry in entries] == [
        "customer.save", "customer.save", "customer.remove",
    ]  # fmt: skip
    assert entries[0].after is not None
    assert entries[0].after["components"] == [shop["checkout"]]
    assert entries[1].after is not None
    assert entries[1].after["components"] == []
    assert stored(session) == []


@pytest.mark.parametrize(
    ("values", "field"),
    [
        (CustomerValues("ANA@example.com"), "email"),
        (CustomerValues("bo@example.com", key="K1"), "key"),
        (CustomerValues("bo"), "email"),
        (CustomerValues("bo@example.com", language="Klingon"), "language"),
        (CustomerValues("bo@example.com", time_zone="Mars/Base"), "time_zone"),
        (CustomerValues("bo@example.com", name="x" * 501), "name"),
    ],
)
def test_a_value_that_cannot_be_saved_is_refused_by_its_field(
    session: Session, shop: dict[str, int], values: CustomerValues, field: str
) -> None:
    customers.save_customer(CustomerValues("ana@example.com", key="K1"), actor=ACTOR)
    with pytest.raises(Invalid) as refused:
        customers.save_customer(values, actor=ACTOR)

    assert refused.value.field == field
    assert stored(session) == [("ana@example.com", "")]


def test_nobody_is_changed_or_removed_who_is_not_there(
    session: Session, shop: dict[str, int]
) -> None:
    with pytest.raises(LookupError):
        customers.save_customer(CustomerValues("ana@example.com"), actor=ACTOR, customer_id=7)
    with pytest.raises(LookupError):
        customers.remove_customer(7, actor=ACTOR)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", ["ana@example.com", "bo@example.org"]),
        ("ANA", ["ana@example.com"]),
        ("tea", ["ana@example.com"]),
        ("K-2", ["bo@example.org"]),
        ("%", []),
        ("example", ["ana@example.com", "bo@example.org"]),
    ],
)
def test_customers_are_found_by_any_part_of_what_is_known(
    session: Session, shop: dict[str, int], text: str, found: list[str]
) -> None:
    take("email,company,key\nana@example.com,Lima Tea,K-1\nbo@example.org,Books,K-2\n")

    page = customers.search_customers(session, text=text)
    assert [customer.address for customer in page.customers] == found


def test_customers_are_found_by_the_component_that_concerns_them(
    session: Session, shop: dict[str, int]
) -> None:
    take(
        "email,components\n"
        "all@example.com,\ncheckout@example.com,Checkout\nother@example.com,Shop/API\n"
    )

    page = customers.search_customers(session, component_id=shop["checkout"])
    assert [customer.address for customer in page.customers] == [
        "all@example.com",
        "checkout@example.com",
    ]


def test_customers_are_found_by_a_whole_tag(session: Session, shop: dict[str, int]) -> None:
    take("email,tags\nana@example.com,Gold;EU\nbo@example.com,golden\ncy@example.com,\n")

    def found(text: str = "", tag: str = "") -> list[str]:
        page = customers.search_customers(session, text=text, tag=tag)
        return [one.address for one in page.customers]

    assert found(tag=" GOLD ") == ["ana@example.com"]
    assert found(tag="%") == []
    assert found(text="gold") == ["ana@example.com", "bo@example.com"]


def test_customers_come_in_pages_forwards_and_back(session: Session, shop: dict[str, int]) -> None:
    take("email\n" + "".join(f"c{n}@example.com\n" for n in range(5)))

    def page(**asked: str) -> tuple[list[str], str | None, str | None]:
        found = customers.search_customers(session, page_size=2, **asked)  # type: ignore[arg-type]
        return [customer.address[:2] for customer in found.customers], found.before, found.after

    first, second, last = (
        (["c0", "c1"], None, "c1@example.com"),
        (["c2", "c3"], "c2@example.com", "c3@example.com"),
        (["c4"], "c4@example.com", None),
    )
    assert [page(), page(after="c1@example.com"), page(after="c3@example.com")] == [
        first,
        second,
        last,
    ]
    assert [page(before="c4@example.com"), page(before="c2@example.com")] == [second, first]
    assert page(after="z") == ([], None, None)


def test_customers_whom_nothing_is_sent_to_are_found(
    session: Session, shop: dict[str, int]
) -> None:
    take("email\nana@example.com\nbo@example.com\n")
    with writing() as session:
        session.add(Suppression(address="bo@example.com", kind="bounced", reason=""))

    page = customers.search_customers(session, suppressed=True)
    assert [customer.address for customer in page.customers] == ["bo@example.com"]
