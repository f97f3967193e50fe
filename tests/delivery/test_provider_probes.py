from __future__ import annotations

from statuspage.core.config import Settings, load_settings
from statuspage.delivery.provider_probes import probe_mail, probe_slack
from tests.fakes.sendgrid import FakeSendGrid
from tests.fakes.smtp import FastSmtpSink


def settings(**environ: str) -> Settings:
    address = {"MAIL_FROM": "status@example.com", "PUBLIC_URL": "https://status.example.com"}
    return load_settings({"SECRET_KEY": "k" * 32, **address, **environ})


def test_nobody_is_asked_where_nothing_is_set() -> None:
    assert (probe_mail(settings()), probe_slack(settings())) == (None, None)


def test_a_mail_server_is_greeted_and_gets_no_mail() -> None:
    with FastSmtpSink() as server:
        probed = probe_mail(settings(SMTP_URL=server.url))
        assert probed is not None
        says = f"127.0.0.1:{server.port} answers, not encrypted, without a login"
        assert (probed.works, probed.says) == (True, says)
        assert (server.greeted, server.mails) == (["example.com"], [])


def test_sendgrid_checks_a_mail_in_its_sandbox_alone() -> None:
    with FakeSendGrid() as server:
        probed = probe_mail(settings(SENDGRID_API_KEY="SG.k", SENDGRID_API_HOST=server.url))
        assert (probed and probed.works, server.requests, server.mails) == (True, 1, [])
