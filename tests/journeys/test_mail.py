"""A SEV1 is resolved: each customer of 300 gets exactly one mail, by a real worker."""

from __future__ import annotations

import email
import email.policy
from collections import Counter
from pathlib import Path

from tests.chaos.company import Company, environ_of
from tests.chaos.processes import WorkerProcess
from tests.databases import Database
from tests.fakes.sendgrid import FakeSendGrid
from tests.fakes.smtp import SmtpSink

CUSTOMERS = 300
EVERYBODY = {f"c{number}@example.com" for number in range(CUSTOMERS)}


def send_all(company: Company, folder: Path) -> bool:
    """Resolve the incident with a worker running; whether nothing waits in the end."""
    with WorkerProcess(company.environ, log=folder / "worker.log") as worker:
        company.resolve()
        done = company.wait_until_done(seconds=300)
        worker.end()
    company.close()
    return done


def test_over_smtp_each_customer_gets_one_mail(database: Database, tmp_path: Path) -> None:
    with SmtpSink() as sink:
        company = Company(environ_of(database.url, tmp_path / "data", SMTP_URL=sink.url), CUSTOMERS)
        assert send_all(company, tmp_path)
    assert Counter(taken.address for taken in sink.mails) == Counter(EVERYBODY)
    message = email.message_from_bytes(sink.mails[0].message, policy=email.policy.default)
    assert message["To"].addresses[0].addr_spec == sink.mails[0].address
    assert message["Subject"] == "Resolved: Payments fail (Acme)"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert {part.get_content_type() for part in message.iter_parts()} == {
        "text/plain",
        "text/html",
    }


def test_over_sendgrid_each_customer_gets_one_mail(database: Database, tmp_path: Path) -> None:
    with FakeSendGrid() as fake:
        settings = {"SENDGRID_API_KEY": "SG.test", "SENDGRID_API_HOST": fake.url}
        company = Company(environ_of(database.url, tmp_path / "data", **settings), CUSTOMERS)
        assert send_all(company, tmp_path)
    assert Counter(mail.address for mail in fake.mails) == Counter(EVERYBODY)
    assert fake.requests == 1
    mail = fake.mails[0]
    assert mail.subject == "Resolved: Payments fail (Acme)"
    assert f"Hello {mail.name}," in mail.text


def test_with_no_provider_each_mail_is_a_file(tmp_path: Path, sqlite_template: object) -> None:
    database = sqlite_template.copy_to(tmp_path / "data")  # type: ignore[attr-defined]
    company = Company(environ_of(database.url, tmp_path / "data"), CUSTOMERS)
    assert send_all(company, tmp_path)
    assert len(list((tmp_path / "data" / "mail").rglob("*.eml"))) == CUSTOMERS
