"""What sending is tried on: a provider that answers as told, and a dispatcher that uses it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from statuspage.core.enums import Channel, DeliveryState
from statuspage.delivery.channels.provider import Fault, Outcome, OutgoingMessage, Recipient, Result
from statuspage.delivery.dispatch import Dispatcher, Lane
from statuspage.models import Delivery
from tests.announcing import (
    Scenario,
    declare,
    resolve,
    set_up_scenario,
)

EVERYBODY = ["c1@example.com", "c2@example.com", "c3@example.com", "shopper@example.com"]


WORKER = 7


@dataclass
class Provider:
    """Answers as scripted by address, else accepts; remembers what it was given."""

    answers: dict[str, tuple[Outcome, Fault]] = field(default_factory=dict)
    sent: list[tuple[OutgoingMessage, Recipient]] = field(default_factory=list)
    max_batch: int = 1000
    before_each: Callable[[], None] = lambda: None
    chunk: int = 1000

    def send(
        self,
        outgoing: OutgoingMessage,
        recipients: Sequence[Recipient],
        *,
        still_ours: Callable[[], bool],
    ) -> Iterator[Sequence[Result]]:
        for start in range(0, len(recipients), self.chunk):
            self.before_each()
            if not still_ours():
                return
            yield [self._answer(outgoing, one) for one in recipients[start : start + self.chunk]]

    def _answer(self, outgoing: OutgoingMessage, recipient: Recipient) -> Result:
        self.sent.append((outgoing, recipient))
        outcome, fault = self.answers.get(recipient.address, (Outcome.ACCEPTED, Fault.NONE))
        reason = "" if outcome is Outcome.ACCEPTED else "as told"
        return Result(recipient, outcome, fault, reason)

    def close(self) -> None:
        """Nothing is kept open."""

    @property
    def addresses(self) -> list[str]:
        return sorted(recipient.address for _, recipient in self.sent)


@pytest.fixture
def provider() -> Provider:
    return Provider()


@pytest.fixture
def scenario(app: Flask, frozen: time_machine.Traveller) -> Scenario:
    return set_up_scenario(app)


@pytest.fixture
def dispatcher(app: Flask, provider: Provider) -> Dispatcher:
    return make_dispatcher(app, provider)


def make_dispatcher(app: Flask, provider: Provider, *, worker_id: int = WORKER) -> Dispatcher:
    return Dispatcher(app, worker_id, {Channel.EMAIL: Lane(provider, parallel=1, batch=100)})


@pytest.fixture
def resolved(scenario: Scenario, session: Session) -> str:
    """A resolved SEV1 whose customers wait for their mail."""
    code = declare(scenario).code
    resolve(code)
    return code


def states(session: Session) -> dict[str, tuple[DeliveryState, str]]:
    rows = session.scalars(
        select(Delivery).filter_by(channel=Channel.EMAIL).execution_options(populate_existing=True)
    )
    found = {row.address: (row.state, row.reason) for row in rows}
    session.rollback()
    return found
