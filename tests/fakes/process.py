"""Running a stand-in as a process of its own, so that it outlives a worker that is killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


class StandIn:
    """A stand-in started with ``python -m tests.fakes.<name>``; ``facts`` is its ready file."""

    def __init__(self, name: str, *options: str, folder: Path) -> None:
        ready = folder / f"{name}-ready.json"
        ready.unlink(missing_ok=True)
        self.journal = folder / f"{name}-journal.jsonl"
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-m", f"tests.fakes.{name}"),
                *("--ready-file", str(ready), "--journal", str(self.journal), *options),
            ],
            cwd=ROOT,
        )
        self.facts: dict[str, Any] = self._wait_for(ready)

    def stop(self) -> None:
        """End the process."""
        self._process.terminate()
        self._process.wait(10)

    def _wait_for(self, ready: Path) -> dict[str, Any]:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            if ready.exists():
                facts: dict[str, Any] = json.loads(ready.read_text())
                return facts
            if self._process.poll() is not None:
                break
            time.sleep(0.02)
        self._process.kill()
        raise RuntimeError(f"{self._process.args!r} did not get ready")


def write_ready(path: Path, facts: dict[str, Any]) -> None:
    """Tell whoever waits that the server listens; the file appears whole."""
    draft = path.with_suffix(".draft")
    draft.write_text(json.dumps(facts | {"pid": os.getpid()}))
    draft.replace(path)


def wait_for_end() -> None:
    """Return when the process is asked to end."""
    end = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: end.set())
    end.wait()
