"""What a stand-in accepted, in a file that survives whoever was killed meanwhile."""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import orjson


@dataclass(frozen=True, slots=True)
class Accepted:
    """One mail that a provider took responsibility for."""

    address: str
    delivery_id: str
    attempt_id: str
    message_id: str
    at: float


class Journal:
    """Keeps acceptances in memory, or in a file where one is given, before they are answered."""

    def __init__(self, path: Path | None = None) -> None:
        self.entries: list[Accepted] = []
        self._lock = threading.Lock()
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
        self._file = os.open(path, flags, 0o644) if path else None

    def record(self, mails: Iterable[tuple[str, str, str, str]]) -> list[Accepted]:
        """Write down that these (address, delivery, attempt, message id) are accepted now."""
        now = time.time()
        accepted = [Accepted(*mail, at=now) for mail in mails]
        with self._lock:
            if self._file is None:
                self.entries += accepted
            else:
                lines = b"".join(orjson.dumps(entry) + b"\n" for entry in accepted)
                os.write(self._file, lines)
        return accepted

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


def read_journal(path: Path) -> list[Accepted]:
    """Every acceptance in the file; a last line cut short by a kill was never answered."""
    if not path.exists():
        return []
    whole, _, _ = path.read_text().rpartition("\n")
    return [Accepted(**orjson.loads(line)) for line in whole.splitlines()]


def count_addresses(entries: Iterable[Accepted]) -> Counter[str]:
    """How often each address was accepted."""
    return Counter(entry.address for entry in entries)
