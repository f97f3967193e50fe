"""``statuspage check``: each setting is tried against what it names."""

from __future__ import annotations

import shutil
import ssl
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import Result

from statuspage.core.config import load_settings
from statuspage.runtime import check
from statuspage.runtime.application import create_app
from statuspage.runtime.findings import CheckLine, State
from tests.databases import Database
from tests.fakes.certificates import make_certificate
from tests.fakes.names import NameServer
from tests.fakes.sendgrid import Does, FakeSendGrid
from tests.fakes.slack import TOKEN, FakeSlack
from tests.fakes.smtp import FastSmtpSink, SmtpSink

pytestmark = pytest.mark.only_on("sqlite")

OK, ADVICE, FAILED = State.OK, State.ADVICE, State.FAILED
Check = Callable[..., Mapping[str, CheckLine]]


@pytest.fixture
def find(environ: dict[str, str]) -> Check:
    """``find(SMTP_URL=…)`` is what the check finds with that setting, by setting."""

    def run(**changes: str) -> Mapping[str, CheckLine]:
        app = create_app(load_settings({**environ, "PUBLIC_URL": "http://localhost:1", **changes}))
        with NameServer({("example.com", "TXT"): ['"v=spf1 -all"']}) as names:
            found = check.check_all(app, resolver=names.resolver())
            return {finding.setting: finding for finding in found}

    return run


def stand(finding: CheckLine) -> tuple[State, str]:
    return finding.state, finding.says


def test_a_laptop_is_told_what_is_not_set_and_what_that_means(find: Check, data_dir: Path) -> None:
    found = find()
    assert {name: stand(found[name]) for name in list(found)[:2]} == {
        "SENDGRID_API_KEY or SMTP_URL": (
            ADVICE, f"not set: no email is sent: it is written to {data_dir / 'mail'}",
        ),
        "CHAT_URLS": (ADVICE, "not set: colleagues are told nothing in chat"),
    }  # fmt: skip
    assert found["DATABASE_URL"].state is OK
    assert stand(found["worker"]) == (
        ADVICE, "No worker is running, so nothing is sent. Start it.",
    )  # fmt: skip
    assert found["the others"].state is OK


def test_a_mail_server_is_greeted_and_logged_in_to(
    find: Check, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = make_certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.certificate))
    context: ssl.SSLContext = certificate.context()
    with SmtpSink(tls=context, login=("zoe", "s3cret")) as server:
        url = server.url.replace("127.0.0.1", "zoe:{}@localhost") + "?starttls=require"
        mail = {"MAIL_FROM": "status@example.com"}
        right = find(SMTP_URL=url.format("s3cret"), **mail)
        wrong = find(SMTP_URL=url.format("guess"), **mail)
    port = server.url.rpartition(":")[2]
    assert stand(right["SMTP_URL"]) == (
        OK, f"localhost:{port} answers, encrypted, logged in as zoe",
    )  # fmt: skip
    assert wrong["SMTP_URL"].state is FAILED
    assert "535" in wrong["SMTP_URL"].says
    assert server.mails == []
    # The sender's domain, too.
    assert stand(right["MAIL_FROM SPF"]) == (OK, "v=spf1 -all")
    assert right["MAIL_FROM DMARC"].state is ADVICE


def test_a_mail_server_that_is_not_there_is_named(find: Check) -> None:
    with FastSmtpSink() as gone:
        url = gone.url
    found = find(SMTP_URL=url, MAIL_FROM="status@example.com")["SMTP_URL"]
    assert (found.state, "cannot be reached" in found.says) == (FAILED, True)


def test_sendgrid_checks_key_and_sender_and_sends_nothing(find: Check) -> None:
    with FakeSendGrid() as server:
        mail = {
            "SENDGRID_API_KEY": "SG.key", "SENDGRID_API_HOST": server.url,
            "MAIL_FROM": "status@example.com",
        }  # fmt: skip
        right = find(**mail)
        server.manners.script.append(Does.FORBIDDEN)
        wrong = find(**mail)
    assert stand(right["SENDGRID_API_KEY"]) == (
        OK, "SendGrid takes mail from status@example.com (checked in its sandbox)",
    )  # fmt: skip
    assert wrong["SENDGRID_API_KEY"].state is FAILED
    assert "verified Sender Identity" in wrong["SENDGRID_API_KEY"].says
    assert server.mails == []
    assert right["SENDGRID_WEBHOOK_KEY"].state is ADVICE


def test_slack_is_asked_who_the_bot_is(find: Check) -> None:
    with FakeSlack() as slack:
        chat = {"CHAT_URLS": "slack-bot://C0123456789", "SLACK_API_URL": slack.api}
        right = find(SLACK_BOT_TOKEN=TOKEN, **chat)["SLACK_BOT_TOKEN"]
        wrong = find(SLACK_BOT_TOKEN="xoxb-other", **chat)["SLACK_BOT_TOKEN"]
    assert stand(right) == (OK, "Slack knows the bot")
    assert (wrong.state, "invalid_auth" in wrong.says) == (FAILED, True)
    assert slack.messages == {}


def test_a_place_for_the_export_that_holds_other_files_is_refused(
    find: Check, tmp_path: Path
) -> None:
    (tmp_path / "site").mkdir()
    assert find(EXPORT_TO=str(tmp_path / "site"))["EXPORT_TO"].state is OK
    (tmp_path / "mine.txt").touch()
    found = find(EXPORT_TO=str(tmp_path))["EXPORT_TO"]
    assert (found.state, "holds other files" in found.says) == (FAILED, True)


def test_https_without_a_counted_proxy_is_worth_a_thought(find: Check) -> None:
    assert find(PUBLIC_URL="https://localhost")["TRUSTED_PROXIES"].state is ADVICE
    assert "TRUSTED_PROXIES" not in find(PUBLIC_URL="https://localhost", TRUSTED_PROXIES="1")


def test_a_public_address_that_no_name_server_knows_is_named(find: Check) -> None:
    assert find(PUBLIC_URL="https://status.invalid")["PUBLIC_URL"].state is FAILED


def test_what_others_can_read_is_named(find: Check, data_dir: Path) -> None:
    (data_dir / "secret_key").touch(0o644)
    data_dir.chmod(0o755)
    found = find()
    assert (found["SECRET_KEY"].state, found["DATA_DIR"].state) == (FAILED, ADVICE)


def test_a_full_disk_is_named(find: Check, monkeypatch: pytest.MonkeyPatch) -> None:
    states = []
    for free in (10**6, 5 * 10**8, 10**10):
        monkeypatch.setattr(shutil, "disk_usage", lambda _, free=free: SimpleNamespace(free=free))
        states.append(find()["disk"].state)
    assert states == [FAILED, ADVICE, OK]


def test_a_database_that_waits_for_an_upgrade_is_named(find: Check, database: Database) -> None:
    found = find(DATABASE_URL=f"{database.url}.other")["DATABASE_URL"]
    assert (found.state, found.says.endswith("empty: run setup")) == (ADVICE, True)


def test_the_command_ends_with_one_where_something_is_broken(
    environ: dict[str, str], tmp_path: Path
) -> None:
    def run(**changes: str) -> Result:
        app = create_app(load_settings({**environ, "PUBLIC_URL": "http://localhost:1", **changes}))
        return app.test_cli_runner().invoke(args=["check"])

    well, broken = run(), run(EXPORT_TO=str(Path(__file__).parent))
    assert (well.exit_code, broken.exit_code) == (0, 1)
    assert well.output.splitlines()[1].split() == [
        "advice", "CHAT_URLS", "not", "set:", "colleagues", "are", "told", "nothing", "in", "chat",
    ]  # fmt: skip
