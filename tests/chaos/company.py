"""A company whose SEV1 has just been resolved, with its customers waiting to be told."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

from flask import Flask
from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from statuspage.configuration.severity import install_scheme
from statuspage.core import clock
from statuspage.core.config import load_settings
from statuspage.core.db import current_session, db, writing
from statuspage.core.enums import Channel, DeliveryState, IncidentStatus
from statuspage.delivery import report
from statuspage.incidents import lifecycle
from statuspage.incidents.inputs import Declaration, NewUpdate
from statuspage.incidents.publish import Submission
from statuspage.models import Attempt, Customer, Delivery, Page
from statuspage.runtime.application import create_app
from tests.actors import acting
from tests.fakes.journal import count_addresses, read_journal

ACTOR = acting("Ada")
SECRET = "a key for chaos, never for anything else"


@dataclass(frozen=True)
class Tally:
    """What became of the mails of one run, by the provider's own count."""

    customers: int
    lost: int
    doubled: int
    kills: int = 0
    kills_while_sending: int = 0

    def __str__(self) -> str:
        killed = f", {self.kills} kills ({self.kills_while_sending} while sending)"
        return (
            f"{self.customers:,} customers{killed if self.kills else ''}:"
            f" {self.lost} lost, {self.doubled} doubled"
        )


@dataclass
class Company:
    """One database with its settings; workers are started and killed against it."""

    environ: dict[str, str]
    customers: int
    app: Flask = field(init=False)

    def __post_init__(self) -> None:
        self.app = create_app(load_settings(self.environ))
        with self.app.app_context():
            with writing() as session:
                _found(session, self.customers)
            self.code = lifecycle.declare(
                Declaration("Payments fail", severity_rank=1, users_notice="Payments fail."),
                Submission(ACTOR, uuid4().hex),
            ).code

    def resolve(self) -> None:
        """End the incident: every customer's mail is queued."""
        with self.app.app_context():
            lifecycle.post_update(
                self.code,
                NewUpdate(IncidentStatus.RESOLVED, although={"watched": "chaos is not watched"}),
                Submission(ACTOR, uuid4().hex),
            )

    def post(self, text: str) -> None:
        """Post an update on another incident, which stays open; no customer is written to."""
        with self.app.app_context():
            lifecycle.declare(
                Declaration(text, severity_rank=3, users_notice=text),
                Submission(ACTOR, uuid4().hex),
            )

    def waiting(self) -> int:
        """Mails that are not done yet."""
        with self.app.app_context():
            waiting = report.queues(current_session())
            return sum(one.total for one in waiting if one.channel is Channel.EMAIL)

    def in_hand(self) -> int:
        """Mails that a worker holds claimed right now, with its provider call begun."""
        with self.app.app_context():
            return len(
                current_session()
                .scalars(
                    select(Delivery.id)
                    .join(Attempt, Attempt.id == Delivery.attempt_id)
                    .where(
                        Delivery.channel == Channel.EMAIL,
                        Delivery.state == DeliveryState.SENDING,
                        Attempt.called_at.is_not(None),
                    )
                )
                .all()
            )

    def wait_until_done(self, *, seconds: float, look_every: float = 0.1) -> bool:
        """Wait until no mail waits any more; whether that came about in time.

        Looking costs a little of what others could do meanwhile.
        """
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.waiting() == 0:
                return True
            time.sleep(look_every)
        return False

    def close(self) -> None:
        """Let go of the database."""
        with self.app.app_context():
            db.engine.dispose()

    def tally(self, journal: Path, *, kills: int = 0, while_sending: int = 0) -> Tally:
        """Count what the provider accepted, by address."""
        accepted: Counter[str] = count_addresses(read_journal(journal))
        lost = self.customers - len(accepted)
        doubled = sum(accepted.values()) - len(accepted)
        return Tally(self.customers, lost, doubled, kills, while_sending)


def environ_of(database_url: str, data_dir: Path, **settings: str) -> dict[str, str]:
    """The settings of a company on that database."""
    return {
        "DATABASE_URL": database_url,
        "DATA_DIR": str(data_dir),
        "PUBLIC_URL": "https://status.example.com",
        "SECRET_KEY": SECRET,
        "MAIL_FROM": "status@example.com",
        # What is measured here begins when the mails may go.
        "CANCEL_WINDOW": "0",
        **settings,
    }


def _found(session: Session, customers: int) -> None:
    moment = clock.now()
    session.add(Page(id=1, name="Acme", set_up_at=moment, support_email="help@example.com"))
    install_scheme(session, "sev")
    session.execute(
        insert(Customer),
        [
            {"email": address, "address": address, "name": f"Customer {number}"}
            for number in range(customers)
            for address in [f"c{number}@example.com"]
        ],
    )
