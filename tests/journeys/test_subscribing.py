"""From the form on the page to the mail and out again, with a real worker over real SMTP."""

from __future__ import annotations

import email
import email.policy
import re
import time
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path
from uuid import uuid4

from flask.testing import FlaskClient
from sqlalchemy import select

from statuspage.core import clock
from statuspage.core.db import current_session
from statuspage.core.enums import IncidentStatus, SubscriberState
from statuspage.incidents import lifecycle
from statuspage.incidents.inputs import NewUpdate
from statuspage.incidents.publish import Submission
from statuspage.models import Subscriber
from tests.chaos.company import ACTOR, Company, environ_of
from tests.chaos.processes import WorkerProcess
from tests.databases import Database
from tests.fakes.smtp import SmtpSink
from tests.subscribing import add_subscriber

SAM = "sam@example.com"
PREFERENCES = {"email": SAM, "kinds": ["incidents", "maintenance"]}
HERE = "https://status.example.com"


class Mailbox:
    """What arrives at one address, in order."""

    def __init__(self, sink: SmtpSink, address: str) -> None:
        self._sink = sink
        self._address = address

    def mails(self) -> list[EmailMessage]:
        return [
            email.message_from_bytes(taken.message, policy=email.policy.default)  # type: ignore[misc]
            for taken in list(self._sink.mails)
            if taken.address == self._address
        ]

    def wait_for(self, number: int) -> EmailMessage:
        """The newest of so many mails, once they are there."""
        deadline = time.monotonic() + 30
        while len(self.mails()) < number and time.monotonic() < deadline:
            time.sleep(0.05)
        return self.mails()[number - 1]


def text_of(mail: EmailMessage) -> str:
    part = mail.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


def path_in(mail: EmailMessage, label: str) -> str:
    """The path of the link after ``label`` in a mail's text."""
    found = re.search(rf"{label}: {HERE}(/\S+)", text_of(mail))
    assert found is not None, text_of(mail)
    return found[1]


def post(company: Company, status: str) -> None:
    with company.app.app_context():
        lifecycle.post_update(
            company.code, NewUpdate(IncidentStatus(status)), Submission(ACTOR, uuid4().hex)
        )


def send(client: FlaskClient, path: str, **values: object) -> int:
    return client.post(path, base_url=HERE, data=values).status_code


def test_from_the_form_to_the_mail_and_out_again(database: Database, tmp_path: Path) -> None:
    with SmtpSink() as sink:
        environ = environ_of(database.url, tmp_path / "data", SMTP_URL=sink.url)
        company = Company(environ, customers=1)
        client = company.app.test_client()
        with company.app.app_context():
            long_ago = clock.now() - timedelta(days=8)
            add_subscriber("stale@example.com", state=SubscriberState.PENDING, asked_at=long_ago)
        box = Mailbox(sink, SAM)
        with WorkerProcess(environ, log=tmp_path / "worker.log") as worker:
            post(company, "identified")
            assert send(client, "/subscribe", **PREFERENCES) == 303
            asked = box.wait_for(1)
            assert asked["Subject"] == "Confirm your subscription to Acme"
            assert asked["List-Unsubscribe"] is None
            link = path_in(asked, "Confirm")
            assert client.get(link, base_url=HERE).status_code == 200
            post(company, "identified")

            assert send(client, link, choice="confirm") == 200
            post(company, "monitoring")
            told = box.wait_for(2)
            assert told["Subject"] == "Monitoring: Payments fail (Acme)"
            assert told["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
            assert f"View this incident: {HERE}" not in text_of(told)
            assert path_in(told, "This incident") == f"/incidents/{company.code}"
            manage = path_in(told, "Manage notifications")
            assert send(client, manage, choice="change", kinds=["incidents"]) == 200

            company.resolve()
            over = box.wait_for(3)
            assert over["Subject"] == "Resolved: Payments fail (Acme)"
            one_click = over["List-Unsubscribe"].strip("<>").removeprefix(HERE)
            assert send(client, one_click, **{"List-Unsubscribe": "One-Click"}) == 200
            with company.app.app_context():
                lifecycle.reopen(
                    company.code,
                    NewUpdate(IncidentStatus.INVESTIGATING),
                    Submission(ACTOR, uuid4().hex),
                )
            assert company.wait_until_done(seconds=90)
            worker.end()
        with company.app.app_context():
            # The worker forgets who did not confirm.
            assert current_session().scalars(select(Subscriber.address)).all() == [SAM]
        company.close()
    assert len(box.mails()) == 3
    assert "c0@example.com" in {taken.address for taken in sink.mails}
