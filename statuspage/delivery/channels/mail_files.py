"""Mail into files, where no provider is set: the whole product works on a laptop.

Each mail is ``DATA_DIR/mail/<day>/<delivery id>.eml``, as SMTP would have sent it.  A file is named
after its delivery and appears whole, so sending again replaces it and never doubles it.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from itertools import islice
from pathlib import Path

from statuspage.delivery.channels.mime import MessageForm
from statuspage.delivery.channels.provider import (
    Fault,
    Outcome,
    OutgoingMessage,
    Recipient,
    Result,
    results,
)

_NAME = re.compile(r"[A-Za-z0-9_-]{1,100}")


class Drawer:
    """A folder of files by day, each named after what it holds, each written whole."""

    def __init__(self, folder: Path, *, suffix: str) -> None:
        self._folder = folder
        self._suffix = suffix

    def put(self, name: str, data: bytes, *, at: datetime) -> None:
        """Write ``data`` under ``name``, in place of what is there, on whatever day that was.

        Raises ``OSError``, and then nothing has changed, or ``ValueError`` for a name that could
        lead out of the folder.
        """
        path = self.find(name) or self._folder / f"{at:%Y-%m-%d}" / f"{name}{self._suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{name}.{secrets.token_hex(4)}")
        try:
            draft.write_bytes(data)
            draft.replace(path)
        except OSError:
            with contextlib.suppress(OSError):
                draft.unlink()
            raise

    def find(self, name: str) -> Path | None:
        """The file of that name, if there is one."""
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} cannot name a file")
        paths = (day / f"{name}{self._suffix}" for day in self._days())
        return next((path for path in paths if path.exists()), None)

    def remove(self, name: str) -> bool:
        """Remove the file of that name; whether there was one."""
        path = self.find(name)
        if path is not None:
            path.unlink(missing_ok=True)
        return path is not None

    def newest(self, limit: int) -> list[Path]:
        """The files written last, newest first."""
        return list(islice(self._by_age(), limit))

    def _by_age(self) -> Iterator[Path]:
        for day in self._days():
            found = [
                (entry.stat().st_mtime_ns, Path(entry))
                for entry in os.scandir(day)
                if entry.name.endswith(self._suffix) and not entry.name.startswith(".")
            ]
            yield from (path for _, path in sorted(found, reverse=True))

    def _days(self) -> list[Path]:
        try:
            return sorted(Path(day) for day in os.scandir(self._folder) if day.is_dir())[::-1]
        except FileNotFoundError:
            return []


@dataclass(frozen=True, slots=True)
class StoredMail:
    """A mail from its file, as its recipient would read it."""

    delivery_id: str
    subject: str
    sender: str
    recipient: str
    text: str
    html: str
    written_at: datetime


class MailFiles:
    """Writes each mail to a file."""

    max_batch = 500

    def __init__(self, data_dir: Path) -> None:
        self._drawer = mail_drawer(data_dir)

    def send(
        self,
        outgoing: OutgoingMessage,
        recipients: Sequence[Recipient],
        *,
        still_ours: Callable[[], bool],
    ) -> Iterator[Sequence[Result]]:
        """As :class:`.provider.Provider` promises, all recipients in one chunk."""
        try:
            form = MessageForm(outgoing, date=datetime.now(UTC))
        except ValueError as error:
            yield results(recipients, Outcome.NOT_SENT, fault=Fault.CREDENTIALS, reason=str(error))
            return
        done: list[Result] = []
        for recipient in recipients:
            if not still_ours():
                break
            done.append(self._write(recipient, form))
        if done:
            yield done

    def close(self) -> None:
        """Nothing is kept open."""

    def _write(self, recipient: Recipient, form: MessageForm) -> Result:
        try:
            message = form.render(recipient)
            self._drawer.put(recipient.delivery_id, message, at=datetime.now(UTC))
        except ValueError as error:
            return Result(recipient, Outcome.REFUSED, Fault.RECIPIENT, str(error))
        except OSError as error:
            reason = f"the mail cannot be written: {error.strerror}"
            return Result(recipient, Outcome.NOT_SENT, Fault.PROVIDER, reason)
        return Result(recipient, Outcome.ACCEPTED)


def read_mail(data_dir: Path, delivery_id: str) -> StoredMail | None:
    """The mail of one delivery, or None where there is none."""
    try:
        path = mail_drawer(data_dir).find(delivery_id)
    except ValueError:
        return None
    return _read(path) if path else None


def remove_mail(data_dir: Path, delivery_ids: Iterable[int]) -> int:
    """Remove the mails of these deliveries; returns how many there were."""
    drawer = mail_drawer(data_dir)
    return sum(drawer.remove(str(delivery_id)) for delivery_id in delivery_ids)


def list_mail(data_dir: Path, *, limit: int = 100) -> list[StoredMail]:
    """The mails written last, newest first."""
    return [_read(path) for path in mail_drawer(data_dir).newest(limit)]


def mail_drawer(data_dir: Path) -> Drawer:
    """Where mail is written."""
    return Drawer(data_dir / "mail", suffix=".eml")


def _read(path: Path) -> StoredMail:
    message = message_from_bytes(path.read_bytes(), policy=policy.default)
    assert isinstance(message, EmailMessage)
    return StoredMail(
        delivery_id=path.stem,
        subject=str(message["Subject"]),
        sender=str(message["From"]),
        recipient=str(message["To"]),
        text=_text(message, "plain"),
        html=_text(message, "html"),
        written_at=datetime.fromtimestamp(path.stat().st_mtime, UTC),
    )


def _text(message: EmailMessage, kind: str) -> str:
    part = message.get_body(preferencelist=(kind,))
    return str(part.get_content()).replace("\r\n", "\n") if part else ""
