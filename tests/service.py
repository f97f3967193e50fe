"""The whole service, started as ``make run`` starts it, on a free port and data of its own."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil
import requests

from tests.ports import free_port

ROOT = Path(__file__).resolve().parent.parent
MAKE_RUN = (sys.executable, "-P", str(ROOT / "statuspage" / "runtime" / "supervisor.py"))


@dataclass(frozen=True, slots=True)
class FirstStart:
    """A data directory after its first start, to copy, and the sign-in that was printed."""

    data: Path
    email: str
    password: str

    @classmethod
    def make(cls, folder: Path) -> FirstStart:
        """The one in ``folder``; of several processes that ask at once, one makes it."""
        with (folder / "first-start.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            data, said = folder / "first-start", folder / "first-start.txt"
            if not said.exists():
                printed = subprocess.run(
                    [sys.executable, "-m", "statuspage", "setup"],
                    cwd=ROOT,
                    env={"PATH": os.environ["PATH"], "DATA_DIR": str(data)},
                    stdin=subprocess.DEVNULL,
                    capture_output=True,
                    text=True,
                    # As on most machines; the service closes its files to others itself.
                    umask=0o022,
                    check=True,
                )
                said.write_text(printed.stdout)
            return cls(data, *read_sign_in(said.read_text()))


def read_sign_in(said: str) -> tuple[str, str]:
    """The address and the password that a first start printed; empty, where it printed none."""
    found = re.search(r"^ +(\S+@\S+)\n +(\S+)$", said, re.MULTILINE)
    return (found[1], found[2]) if found else ("", "")


class Service:
    """Supervisor, web server and worker; ready when made.

    ``email`` and ``password`` are the sign-in that the first start prints.  It begins with a copy
    of ``first_start``, else from nothing.  ``command`` starts it in another way, in the folder
    ``cwd``.
    """

    def __init__(
        self,
        folder: Path,
        environ: Mapping[str, str] | None = None,
        *,
        first_start: FirstStart | None = None,
        command: Sequence[str] = MAKE_RUN,
        cwd: Path | None = None,
    ) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.output = folder / "output.txt"
        if first_start is not None:
            shutil.copytree(first_start.data, folder / "data")
        with self.output.open("w") as output:
            self._supervisor = subprocess.Popen(
                command,
                cwd=cwd,
                env={
                    "PATH": os.environ["PATH"],
                    "PORT": str(self.port),
                    "DATA_DIR": str(folder / "data"),
                    # Nobody waits for it here.
                    "CANCEL_WINDOW": "0",
                    **(environ or {}),
                },
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        try:
            said = self._wait_until_ready()
        except BaseException:
            self.stop()
            raise
        self.email, self.password = read_sign_in(said)
        if first_start is not None:
            self.email, self.password = first_start.email, first_start.password

    def pid_of(self, name: str) -> int:
        """The process id of the ``worker`` or of ``serve``, the web server."""
        for child in psutil.Process(self._supervisor.pid).children():
            try:
                words = child.cmdline()
            except psutil.Error:
                continue  # it has just ended
            if name in words:
                return child.pid
        raise LookupError(name)

    def kill(self, name: str) -> None:
        """Kill -9 one of the two; the supervisor starts it again."""
        os.kill(self.pid_of(name), signal.SIGKILL)

    def stop(self) -> int:
        """Stop all of it, as Ctrl-C does; the supervisor's exit code."""
        self._supervisor.send_signal(signal.SIGINT)
        return self._supervisor.wait(60)

    def _wait_until_ready(self) -> str:
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and self._supervisor.poll() is None:
            said = self.output.read_text()
            # Where the machine is busy, the first edition may come after the first five seconds.
            if "Status page" in said and requests.get(self.url, timeout=60).status_code != 503:
                return said
            time.sleep(0.02)
        raise RuntimeError(f"the service did not start:\n{self.output.read_text()}")
