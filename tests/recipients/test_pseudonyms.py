"""Pseudonyms: an erased address can still be recognised by whoever names it."""

from __future__ import annotations

from flask import Flask
from sqlalchemy.orm import Session

from statuspage.recipients import customers
from statuspage.recipients.customers import CustomerValues
from statuspage.recipients.pseudonyms import find_pseudonymized, is_pseudonym, pseudonymize
from tests.recipients.conftest import ACTOR


def test_an_address_has_one_pseudonym_that_is_no_address(app: Flask) -> None:
    with app.app_context():
        pseudonym = pseudonymize("ana@example.com")
        assert pseudonym == pseudonymize("ana@example.com") != pseudonymize("bo@example.com")
        assert "ana" not in pseudonym
    assert is_pseudonym(pseudonym)
    assert not is_pseudonym("ana@example.com")


def test_a_pseudonym_is_found_among_the_addresses_on_the_lists(session: Session) -> None:
    customers.save_customer(CustomerValues("ana@example.com"), actor=ACTOR)
    assert find_pseudonymized(session, pseudonymize("ana@example.com")) == "ana@example.com"
    assert find_pseudonymized(session, pseudonymize("bo@example.com")) is None
