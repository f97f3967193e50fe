"""Waiting for what another process does in its own time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

# Nothing is proved by it: what takes a moment alone takes seconds on a busy machine.
PATIENCE: Final = 60.0


def eventually(holds: Callable[[], bool]) -> None:
    """Wait until it holds, a minute at most."""
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)
