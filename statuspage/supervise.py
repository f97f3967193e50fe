"""Keeps the web server and the delivery worker running, until it is told to stop.

Run by its path (``python -P statuspage/supervise.py``) and made of the standard library alone, so
that watching two processes costs about as much memory as an empty interpreter.  A child that dies
is started again, after 1 s at first and up to 30 s when it keeps dying; one that ends with code 2
has named a wrong setting, which no restart can mend, and ends everything with that code.

No child outlives this process: it stops them on SIGTERM, SIGINT and SIGHUP, and on Linux the kernel
tells them when it is killed itself (``PR_SET_PDEATHSIG``,
https://man7.org/linux/man-pages/man2/PR_SET_PDEATHSIG.2const.html).
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

FIRST_DELAY_S = 1.0
LONGEST_DELAY_S = 30.0
# A child that ran this long was well: its next death is a first one again.
STEADY_S = 60.0
PATIENCE_S = 10.0
WRONG_SETTING = 2

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def main() -> int:
    """Start the web server, which sets up first, and the worker; the result is the exit code."""
    host = os.environ.get("HOST", "").strip() or "127.0.0.1"
    port = os.environ.get("PORT", "").strip() or "8000"
    bell = Bell()
    if refusal := _port_refusal(host, port):
        _say(f"{host}:{port} cannot be served on: {refusal}")
        return WRONG_SETTING
    command = [sys.executable, "-m", "statuspage"]
    web = Child("web server", [*command, "serve", "--setup"])
    worker = Child("worker", [*command, "worker"])

    def answers() -> bool:
        if not _announce(host, port):
            return False
        # From here on the database may be away, and the page must come back all the same.
        web.command = [*command, "serve"]
        return True

    return keep_running([web, worker], bell=bell, ready=answers)


class Bell:
    """Lets a wait end early, when a child has died or a person wants the service to stop."""

    STOP = frozenset({signal.SIGTERM, signal.SIGINT, signal.SIGHUP})

    def __init__(self) -> None:
        self._reader, writer = os.pipe()
        os.set_blocking(writer, False)
        signal.set_wakeup_fd(writer)
        for number in (*self.STOP, signal.SIGCHLD):
            # The wake-up pipe hears a signal only while a Python handler is set for it.
            signal.signal(number, lambda _number, _frame: None)

    def wait(self, seconds: float) -> bool:
        """Wait for a signal, at most ``seconds``; true if it was one that asks to stop."""
        readable, _, _ = select.select([self._reader], [], [], max(seconds, 0))
        return bool(readable) and not self.STOP.isdisjoint(os.read(self._reader, 4096))


@dataclass(slots=True)
class Child:
    """A process to keep running, and when it is due to be started again."""

    name: str
    command: Sequence[str]
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    due_at: float = 0.0
    delay: float = FIRST_DELAY_S

    def start(self) -> None:
        """Start it as the leader of a group of its own, which Ctrl-C does not reach."""
        parent = os.getpid()
        self.started_at = time.monotonic()
        self.process = subprocess.Popen(
            self.command,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=lambda: _die_with(parent),
        )

    def reap(self) -> int | None:
        """Its exit code once it has ended, with all that it left behind killed; else None."""
        if self.process is None or (code := self.process.poll()) is None:
            return None
        self.kill()
        self.process = None
        return code

    def terminate(self) -> None:
        """Ask it to end."""
        if self.process is not None:
            self.process.terminate()

    def kill(self) -> None:
        """Kill it and whatever it has started."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)

    def postpone(self) -> float:
        """Settle when it starts again; the result is in how many seconds."""
        now = time.monotonic()
        if now - self.started_at > STEADY_S:
            self.delay = FIRST_DELAY_S
        wait, self.delay = self.delay, min(self.delay * 2, LONGEST_DELAY_S)
        self.due_at = now + wait
        return wait


def keep_running(
    children: Sequence[Child], *, bell: Bell, ready: Callable[[], bool] | None = None
) -> int:
    """Keep the children running until a signal asks to stop; the result is the exit code.

    ``ready`` is asked every 50 ms until it says yes.  The others wait for that, or for the death of
    the first child: it sets up what they need, and once it has died they had better not wait.
    """
    alone = ready is not None
    while True:
        for child in children[:1] if alone else children:
            code = child.reap()
            if code == WRONG_SETTING:
                _stop(children, bell)
                return WRONG_SETTING
            if code is not None:
                alone = False
                _say(f"the {child.name} {_how(code)}; again in {child.postpone():g} s")
            if child.process is None and time.monotonic() >= child.due_at:
                child.start()
        if ready is not None and ready():
            ready, alone = None, False
        due = [child.due_at for child in children if child.process is None]
        pause = min(due, default=time.monotonic() + 60) - time.monotonic()
        if bell.wait(pause if ready is None else 0.05):
            _stop(children, bell)
            return 0


def _stop(children: Sequence[Child], bell: Bell) -> None:
    """Ask all to end, wait up to 10 s for them, and kill what is left."""
    deadline = time.monotonic() + PATIENCE_S
    for child in children:
        child.terminate()
    while any(child.reap() is None and child.process is not None for child in children):
        if time.monotonic() >= deadline:
            break
        bell.wait(deadline - time.monotonic())
    for child in children:
        child.kill()
        if child.process is not None:
            child.process.wait()


def _die_with(parent: int) -> None:
    """In a new child: have the kernel end it when its parent dies, however that dies."""
    if _libc is None:
        return
    _libc.prctl(PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def _port_refusal(host: str, port: str) -> str | None:
    """Why the address cannot be listened on; None where it can, or where set-up will say why."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, int(port), type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except ValueError:
        return None
    except OSError as error:
        return str(error.strerror)
    with socket.socket(family, kind, protocol) as probe:
        # Old connections that are only fading away do not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except (OSError, OverflowError) as error:
            return getattr(error, "strerror", None) or str(error)
    return None


def _announce(host: str, port: str) -> bool:
    """Print the address once the server answers there; whether it did."""
    # A wildcard is for listening; connecting takes a real address.
    target = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    try:
        with socket.create_connection((target, port), timeout=1) as connection:
            connection.sendall(b"GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n")
            answer = connection.recv(64)
    except OSError:
        return False
    if not answer.startswith(b"HTTP/1."):
        return False
    name = f"[{target}]" if ":" in target else target
    url = os.environ.get("PUBLIC_URL", "").strip().rstrip("/") or f"http://{name}:{port}"
    print(f"Status page {url}/ · admin {url}/admin/ · Ctrl-C stops both", flush=True)
    return True


def _how(code: int) -> str:
    return f"ended with code {code}" if code >= 0 else f"was killed by signal {-code}"


def _say(text: str) -> None:
    print(f"statuspage: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
