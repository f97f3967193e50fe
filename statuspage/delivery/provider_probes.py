"""Whether the providers would take what is sent to them, asked without sending anything."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from statuspage.core.config import Settings
from statuspage.delivery.channels.chat import slack_trouble
from statuspage.delivery.channels.provider import Outcome, OutgoingMessage, Recipient
from statuspage.delivery.channels.sendgrid import SendGrid
from statuspage.delivery.channels.smtp import Smtp

_SECONDS: Final = 20.0


@dataclass(frozen=True, slots=True)
class Probe:
    """Whether a provider would take messages, and a sentence on what it answered."""

    works: bool
    says: str


def probe_mail(settings: Settings) -> Probe | None:
    """Ask the mail provider; None where mail is written as files."""
    if settings.sendgrid_api_key:
        return _probe_sendgrid(settings, settings.sendgrid_api_key)
    return _probe_smtp(settings, settings.smtp_url) if settings.smtp_url else None


def probe_slack(settings: Settings) -> Probe | None:
    """Ask Slack who the bot is; None where there is none."""
    if not (settings.slack_rooms and settings.slack_bot_token):
        return None
    trouble = slack_trouble(settings.slack_bot_token, settings.slack_api_url)
    return Probe(not trouble, trouble or "Slack knows the bot")


def _probe_smtp(settings: Settings, url: str) -> Probe:
    """Greet the server, encrypt and log in."""
    smtp = Smtp(url, timeout=_SECONDS, hostname=settings.mail_domain)
    try:
        return Probe(True, smtp.probe())
    except OSError as error:
        return Probe(False, str(error))
    finally:
        smtp.close()


def _probe_sendgrid(settings: Settings, key: str) -> Probe:
    """Have SendGrid check a mail in its sandbox: the key, its rights and the sender."""
    provider = SendGrid(key, host=settings.sendgrid_api_host, sandbox=True, timeout=_SECONDS)
    mail = OutgoingMessage(
        "Check", "Check", "<p>Check</p>", sender=settings.mail_from, sender_name="Check"
    )
    id_ = f"<check@{settings.mail_domain}>"
    recipient = Recipient("check", "check", settings.mail_from, "", message_id=id_)
    try:
        chunks = provider.send(mail, [recipient], still_ours=lambda: True)
        results = [result for chunk in chunks for result in chunk]
    finally:
        provider.close()
    if results and results[0].outcome is Outcome.ACCEPTED:
        says = f"SendGrid takes mail from {settings.mail_from} (checked in its sandbox)"
        return Probe(True, says)
    return Probe(False, results[0].reason if results else "SendGrid did not answer")
