"""Customers are known by name and company, however long the list is."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from statuspage.core import clock
from statuspage.recipients import named_customers as module
from statuspage.recipients.named_customers import named_customers
from tests.announcing import make_customer
from tests.statements import noted


def test_a_text_names_customers_by_name_and_company(session: Session) -> None:
    session.add(make_customer("a@example.com", "Ada Quist", company="Umbrella Logistics AG"))
    session.add(make_customer("k@example.com", "Kim", company="Initech"))
    session.flush()
    text = "We called UMBRELLA logistics AG, initech and Initech; ada quist and Kim know."
    assert named_customers(session, text) == ("Umbrella Logistics AG", "Initech", "Ada Quist")
    assert named_customers(session, "Nobody is named here.") == ()


def test_somebody_new_is_known_at_once(session: Session) -> None:
    assert named_customers(session, "Only Soylent Foods is affected.") == ()
    session.add(make_customer("s@example.com", "", company="Soylent Foods"))
    session.flush()
    assert named_customers(session, "Only Soylent Foods is affected.") == ("Soylent Foods",)


def test_a_new_name_is_known_at_once(session: Session) -> None:
    customer = make_customer("s@example.com", "", company="Soylent Foods")
    session.add(customer)
    session.flush()
    assert named_customers(session, "Only Soylent Foods is affected.") == ("Soylent Foods",)
    customer.company, customer.updated_at = "Tyrell Corporation", clock.now()
    session.flush()
    text = "Soylent Foods is now Tyrell Corporation."
    assert named_customers(session, text) == ("Tyrell Corporation",)


def test_for_some_seconds_nobody_asks_whether_another_process_changed_the_list(
    session: Session,
) -> None:
    text = "Only Soylent Foods is affected."
    engine = session.get_bind()
    assert isinstance(engine, Engine)
    assert named_customers(session, text) == ()
    session.rollback()
    with noted(engine) as asked:
        assert named_customers(session, text) == ()
    assert [one for one in asked if "customers" in one] == []


def test_then_what_another_process_wrote_is_known(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ASKED_EVERY", 0.0)
    text = "Only Soylent Foods is affected."
    assert named_customers(session, text) == ()
    session.rollback()
    with Session(session.get_bind()) as other:
        other.add(make_customer("s@example.com", "", company="Soylent Foods"))
        other.commit()
    assert named_customers(session, text) == ("Soylent Foods",)
