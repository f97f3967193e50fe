"""Public addresses, and the tokens that end some of them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from statuspage.core import links
from statuspage.core.links import Links

SECRET = "x" * 32
LINKS = Links("https://status.example.com/shop")


def test_addresses_begin_with_the_public_url() -> None:
    assert LINKS.home == "https://status.example.com/shop/"
    assert LINKS.to("/history") == "https://status.example.com/shop/history"
    assert LINKS.incident("abc") == "https://status.example.com/shop/incidents/abc"
    assert LINKS.update("abc", "u1") == "https://status.example.com/shop/incidents/abc#update-u1"
    assert (LINKS.prefix, LINKS.host) == ("/shop", "status.example.com")


def test_a_feed_entry_is_named_by_a_tag_uri() -> None:
    made = LINKS.incident_entry("abc", datetime(2026, 3, 4, tzinfo=UTC))
    assert made == "tag:status.example.com,2026-03-04:incident/abc"


def test_a_token_names_its_delivery_to_us_alone() -> None:
    token = links.delivery_token(SECRET, 42)
    assert links.read_delivery_token(SECRET, token) == 42
    assert links.read_delivery_token("y" * 32, token) is None


def test_a_token_opens_only_what_it_was_made_for() -> None:
    made = {
        links.delivery_token(SECRET, 42),
        links.subscription_token(SECRET, 42),
        links.account_token(SECRET, 42),
    }
    assert len(made) == 3
    assert links.read_subscription_token(SECRET, links.delivery_token(SECRET, 42)) is None


@pytest.mark.parametrize("token", ["", "-", "42", "42-", "x-y", "٤٢-x", "9" * 19 + "-x"])
def test_what_is_no_token_names_nothing(token: str) -> None:
    assert links.read_delivery_token(SECRET, token) is None
