from __future__ import annotations

from statuspage.core.config import load_settings
from statuspage.runtime.findings import what_is_not_set

SECRET = {"SECRET_KEY": "k" * 32}


def named(**environ: str) -> list[str]:
    return [finding.setting for finding in what_is_not_set(load_settings({**SECRET, **environ}))]


def test_what_a_start_on_a_laptop_lacks_is_named() -> None:
    assert named() == ["SENDGRID_API_KEY or SMTP_URL", "CHAT_URLS", "PUBLIC_URL"]


def test_nothing_is_named_once_all_is_set() -> None:
    mail = {"SMTP_URL": "smtp://mail.example.com", "MAIL_FROM": "status@example.com"}
    everything = {"PUBLIC_URL": "https://status.example.com", "CHAT_URLS": "json://chat.example"}
    assert named(**mail, **everything) == []
