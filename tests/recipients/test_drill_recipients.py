"""A drill's list: whom it lets through, and how an incident stores it."""

from __future__ import annotations

import pytest

from statuspage.core.enums import Channel
from statuspage.models import Incident
from statuspage.recipients.drill_recipients import as_stored, drill_recipients_on

STORED = [{"email": "Kim@Example.com", "name": "Kim"}, {"room": "#drills"}]


@pytest.mark.parametrize(
    ("channel", "address", "goes"),
    [
        (Channel.EMAIL, "kim@example.com", True),
        (Channel.EMAIL, "ana@example.com", False),
        (Channel.CHAT, "#drills", True),
        (Channel.CHAT, "#incidents", False),
        (Channel.PAGE, "kim@example.com", False),
    ],
)
def test_only_the_addresses_and_rooms_of_the_list_are_reached(
    channel: Channel, address: str, goes: bool
) -> None:
    found = drill_recipients_on(Incident(is_drill=True, drill_list=STORED))
    assert found is not None
    assert found.lets(channel, address) is goes


def test_a_real_incident_has_no_list() -> None:
    assert drill_recipients_on(Incident(is_drill=False, drill_list=[])) is None


def test_a_list_has_each_address_once_and_refuses_what_is_none() -> None:
    people = [("Kim@Example.com", "Kim"), ("Kim@example.com", "Kim again")]
    assert as_stored(people, ["#drills"]) == [
        {"email": "Kim@example.com", "name": "Kim again"}, {"room": "#drills"},
    ]  # fmt: skip
    with pytest.raises(ValueError, match="address"):
        as_stored([("nobody", "")], [])
