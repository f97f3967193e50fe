"""Only ``delivery/`` calls a provider, so every mail is a row of the outbox first."""

from __future__ import annotations

from collections.abc import Iterable

from tests.guards.source import Source, sources

CHANNELS = "statuspage.delivery.channels"
# Reading what a provider reports is no sending, nor is filling in a mail to show it.
READERS = {f"{CHANNELS}.sendgrid_webhook", f"{CHANNELS}.provider"}


def callers(given: Iterable[Source]) -> list[str]:
    return [
        f"{source.path}:{found.line} imports {found.module}"
        for source in given
        if source.room != "delivery"
        for found in source.imports
        if f"{found.module}.{found.name}".startswith(CHANNELS)
        and not {found.module, f"{found.module}.{found.name}"} & READERS
    ]


def test_only_delivery_calls_a_provider() -> None:
    assert callers(sources()) == []


def test_the_guard_sees_a_provider_in_another_room() -> None:
    text = "from statuspage.delivery.channels import provider, smtp\n"
    assert callers([Source("statuspage/api/x.py", text)]) == [
        "statuspage/api/x.py:1 imports statuspage.delivery.channels"
    ]
