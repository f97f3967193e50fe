"""The process that posts to chat, as it is spoken to: an order a line, an answer a line."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from statuspage.delivery.channels import chat
from tests.ports import free_port

ORDER = {"sender": "Acme", "title": "Down", "text": "We look.", "mark": "…"}


def ask(*orders: dict[str, str]) -> list[dict[str, Any]]:
    """The answers to the orders, after the line that says that it is ready."""
    done = subprocess.run(
        [sys.executable, "-I", str(chat._APPRISE)], check=True, capture_output=True, text=True,
        input="".join(json.dumps(order) + "\n" for order in orders),
    )  # fmt: skip
    ready, *answers = (json.loads(line) for line in done.stdout.splitlines())
    assert ready == {}
    return answers


def test_each_order_is_answered_in_turn_and_trouble_with_one_ends_no_other() -> None:
    closed = f"json://127.0.0.1:{free_port()}/room/secret"
    unread, read, unknown, unreachable = ask(
        {"url": "nonsense://room", "sender": ""},
        {"url": closed, "sender": ""},
        {**ORDER, "url": "nonsense://room"},
        {**ORDER, "url": closed},
    )
    assert (unread, read) == ({"readable": False}, {"readable": True})
    assert unknown == {
        "outcome": "not_sent", "fault": "room", "retry_after": None,
        "reason": "Apprise cannot read this room's address",
    }  # fmt: skip
    assert unreachable == {
        "outcome": "not_sent", "fault": "provider", "retry_after": None,
        "reason": "the chat service cannot be reached",
    }  # fmt: skip
