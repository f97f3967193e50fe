"""What trying the settings shows, and what can be said of them without trying."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from statuspage.core.config import Settings


class State(StrEnum):
    """How a setting stands: as it should be, worth a thought, or broken."""

    OK = "ok"
    ADVICE = "advice"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class CheckLine:
    """What trying a setting showed, in a sentence."""

    setting: str
    state: State
    says: str


def what_is_not_set(settings: Settings) -> list[CheckLine]:
    """The settings without which this is a trial on a laptop, and what each of them would change.

    Asks nothing and nobody.
    """
    found = []
    if settings.mail_channel == "file":
        says = f"no email is sent: it is written to {settings.data_dir / 'mail'}"
        found.append(CheckLine("SENDGRID_API_KEY or SMTP_URL", State.ADVICE, says))
    if not settings.has_chat:
        says = "colleagues are told nothing in chat"
        found.append(CheckLine("CHAT_URLS", State.ADVICE, says))
    if urlsplit(settings.public_url).hostname in {"localhost", "127.0.0.1", "::1", "0.0.0.0"}:
        says = f"links lead to {settings.public_url}, which only this machine can open"
        found.append(CheckLine("PUBLIC_URL", State.ADVICE, says))
    return found
