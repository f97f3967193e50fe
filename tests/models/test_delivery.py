from __future__ import annotations

from sqlalchemy.dialects import sqlite

from statuspage.core.enums import DeliveryState
from statuspage.models import Delivery
from statuspage.models.delivery import in_state


def test_an_erased_recipient_is_shown_by_the_beginning_of_a_hash() -> None:
    assert Delivery(email="Ana@example.com", address="ana@example.com").recipient == (
        "Ana@example.com"
    )
    erased = Delivery(email="", address="erased:0123456789abcdef")
    assert erased.recipient == "erased address 0123456789ab"


def test_the_state_stands_in_the_statement_so_that_its_partial_index_serves_it() -> None:
    condition = in_state(DeliveryState.PENDING).compile(dialect=sqlite.dialect())
    assert (str(condition), condition.params) == ("deliveries.state = 'pending'", {})
