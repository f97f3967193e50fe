"""Mail into files: whole, readable, and never doubled."""

from __future__ import annotations

import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import time_machine

from statuspage.delivery.channels.mail_files import (
    Drawer,
    MailFiles,
    StoredMail,
    list_mail,
    read_mail,
)
from tests.delivery.channels.samples import (
    OUTGOING,
    outcomes,
    recipient,
    recipients,
    send_all,
    yes_times,
)


@contextmanager
def disk_full_after(size: int) -> Iterator[None]:
    """No file may grow beyond ``size`` bytes meanwhile."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_a_mail_is_a_file_named_after_its_delivery_by_day(tmp_path: Path) -> None:
    with time_machine.travel(datetime(2026, 3, 1, 12, tzinfo=UTC)):
        results = send_all(MailFiles(tmp_path), recipients(2))
    assert {result.outcome for result in results} == {"accepted"}
    assert files(tmp_path) == ["mail/2026-03-01/1.eml", "mail/2026-03-01/2.eml"]


def test_a_mail_can_be_read_as_its_recipient_would(tmp_path: Path) -> None:
    outgoing = replace(OUTGOING, subject="Größe ✓", text="Für [[name]]\n")
    send_all(MailFiles(tmp_path), [recipient(7, name="Zoë")], outgoing=outgoing)
    mail = read_mail(tmp_path, "7")
    assert mail is not None
    assert mail == StoredMail(
        delivery_id="7",
        subject="Größe ✓",
        sender="Acme Status <status@example.com>",
        recipient="Zoë <customer7@example.org>",
        text="Für Zoë\n",
        html="<p>Hello Zoë, it began at noon.</p>",
        written_at=mail.written_at,
    )
    assert mail.written_at.tzinfo is UTC


def test_sending_again_replaces_the_file_even_on_another_day(tmp_path: Path) -> None:
    channel = MailFiles(tmp_path)
    with time_machine.travel(datetime(2026, 3, 1, tzinfo=UTC)):
        send_all(channel, recipients(1))
    with time_machine.travel(datetime(2026, 3, 2, tzinfo=UTC)):
        send_all(channel, recipients(1), outgoing=replace(OUTGOING, subject="Again"))
    assert [mail.subject for mail in list_mail(tmp_path)] == ["Again"]


def test_the_newest_mail_is_listed_first(tmp_path: Path) -> None:
    channel = MailFiles(tmp_path)
    with time_machine.travel(datetime(2026, 3, 1, tzinfo=UTC)):
        send_all(channel, recipients(1))
    with time_machine.travel(datetime(2026, 3, 2, tzinfo=UTC)):
        send_all(channel, [recipient(3), recipient(2)])
    assert [mail.delivery_id for mail in list_mail(tmp_path)] == ["2", "3", "1"]
    assert [mail.delivery_id for mail in list_mail(tmp_path, limit=1)] == ["2"]


def test_where_nothing_was_written_there_is_nothing_to_read(tmp_path: Path) -> None:
    assert (list_mail(tmp_path), read_mail(tmp_path, "1")) == ([], None)


@pytest.mark.parametrize("name", ["../../secret", "/etc/passwd", "", "a.b", "1\x00"])
def test_no_name_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    assert read_mail(tmp_path, name) is None
    assert outcomes(send_all(MailFiles(tmp_path), [recipient(1, delivery_id=name)])) == {
        "customer1@example.org": ("refused", "recipient")
    }
    assert files(tmp_path) == []


def test_a_full_disk_means_not_sent_and_leaves_nothing_half_written(tmp_path: Path) -> None:
    channel = MailFiles(tmp_path)
    with disk_full_after(200):
        results = send_all(channel, recipients(2))
    assert outcomes(results) == {
        person.address: ("not_sent", "provider") for person in recipients(2)
    }
    assert results[0].reason == "the mail cannot be written: File too large"
    assert files(tmp_path) == []
    assert {result.outcome for result in send_all(channel, recipients(2))} == {"accepted"}


def test_a_full_disk_keeps_what_was_there(tmp_path: Path) -> None:
    drawer = Drawer(tmp_path, suffix=".txt")
    drawer.put("a", b"old", at=datetime.now(UTC))
    with disk_full_after(2), pytest.raises(OSError, match="File too large"):
        drawer.put("a", b"new and longer", at=datetime.now(UTC))
    assert [path.read_bytes() for path in drawer.newest(9)] == [b"old"]


def test_nothing_is_written_when_it_is_not_ours_any_more(tmp_path: Path) -> None:
    results = send_all(MailFiles(tmp_path), recipients(5), still_ours=yes_times(2))
    assert [result.recipient.delivery_id for result in results] == ["1", "2"]
    assert len(files(tmp_path)) == 2


def test_what_is_no_address_is_refused(tmp_path: Path) -> None:
    assert outcomes(send_all(MailFiles(tmp_path), [recipient(1, address="nobody")])) == {
        "nobody": ("refused", "recipient")
    }


def test_an_unusable_sender_is_our_own_trouble(tmp_path: Path) -> None:
    outgoing = replace(OUTGOING, sender="nobody")
    assert outcomes(send_all(MailFiles(tmp_path), recipients(1), outgoing=outgoing)) == {
        "customer1@example.org": ("not_sent", "credentials")
    }
