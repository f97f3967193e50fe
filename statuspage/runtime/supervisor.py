"""Keeps the web server and the delivery worker running, until it is told to stop.

Run by its path (``python -P statuspage/runtime/supervisor.py``) and made of the standard library
alone, so that watching two processes costs about as much memory as an empty interpreter.  A child
that dies is started again, at once when it had run well and after up to 30 s when it keeps dying;
one that ends with code 2 has named a wrong setting, which no restart can mend, and ends everything
with that code.  A web server that does not answer ``/healthz`` any more, stopped or hung, is killed
too.

No child outlives this process: it stops them on SIGTERM, SIGINT and SIGHUP, and on Linux the kernel
tells them when it is killed itself (``PR_SET_PDEATHSIG``,
https://man7.org/linux/man-pages/man2/PR_SET_PDEATHSIG.2const.html).
"""

from __future__ import annotations

import contextlib
import ctypes
import json
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

# In a checkout the children run at its top; those of an installed package where they are started.
ROOT = Path(__file__).resolve().parents[2]
IS_CHECKOUT = (ROOT / "app.py").is_file()

FIRST_DELAY_S = 1.0
# The web server is asked so often whether it lives, and killed when it has been silent for so long.
# Nothing of it has to wait for anything to answer that, so only a stopped or hung one is silent.
ASK_EVERY_S = 2.0
ANSWER_WITHIN_S = 2.0
SILENT_TIMES = 3
LONGEST_DELAY_S = 30.0
# A child that ran this long was well: its next death is a first one again.
STEADY_S = 60.0
PATIENCE_S = 10.0
WRONG_SETTING = 2

_ASK = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def main() -> int:
    """Start the web server, which sets up first, and the worker; the result is the exit code."""
    host = os.environ.get("HOST", "").strip() or "127.0.0.1"
    port = os.environ.get("PORT", "").strip() or "8000"
    bell = Bell()
    if refusal := _port_refusal(host, port):
        place = host if _is_socket(host) else f"{host}:{port}"
        _say(f"{place} cannot be served on: {refusal}")
        return WRONG_SETTING
    command = [sys.executable, *([] if IS_CHECKOUT else ["-P"]), "-m", "statuspage"]
    web = Child("web server", [*command, "serve", "--setup"])
    worker = Child("worker", [*command, "worker"])

    def answers() -> bool:
        if not _announce(host, port):
            return False
        # From here on the database may be away, and the page must come back all the same.
        web.command = [*command, "serve"]
        return True

    watch = Watch(web, lives=lambda: _lives(host, port))
    return keep_running([web, worker], bell=bell, ready=answers, watch=watch)


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
            cwd=ROOT if IS_CHECKOUT else None,
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
        wait = self.delay
        if now - self.started_at > STEADY_S:
            # One death after a steady run is bad luck: nobody should wait for the page.
            wait, self.delay = 0.0, FIRST_DELAY_S
        else:
            self.delay = min(self.delay * 2, LONGEST_DELAY_S)
        self.due_at = now + wait
        return wait


@dataclass(slots=True)
class Watch:
    """Asks a child again and again whether it lives, and kills it when it is silent too often.

    It is left in peace until it has answered once: a start may take its time.
    """

    child: Child
    lives: Callable[[], bool]
    due_at: float = 0.0
    silent: int = 0
    answered: subprocess.Popen[bytes] | None = None

    def look(self) -> None:
        """Ask, where it is time to."""
        process = self.child.process
        if process is None or time.monotonic() < self.due_at:
            return
        if self.lives():
            self.answered, self.silent = process, 0
        elif self.answered is process:
            self.silent += 1
        if self.silent >= SILENT_TIMES:
            _say(f"the {self.child.name} does not answer")
            self.child.kill()
            self.answered, self.silent = None, 0
        self.due_at = time.monotonic() + ASK_EVERY_S


def keep_running(
    children: Sequence[Child],
    *,
    bell: Bell,
    ready: Callable[[], bool] | None = None,
    watch: Watch | None = None,
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
        if watch is not None and ready is None:
            watch.look()
        due = [child.due_at for child in children if child.process is None]
        due += [watch.due_at] if watch is not None and watch.child.process is not None else []
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
    if _is_socket(host):
        if not os.access(os.path.dirname(host), os.W_OK):
            return "its folder is not there or cannot be written to"
        return "another server answers there" if _lives(host, port) else None
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
    if not _lives(host, port):
        return False
    target = _target(host)
    name = f"[{target}]" if ":" in target else target
    url = os.environ.get("PUBLIC_URL", "").strip().rstrip("/") or f"http://{name}:{port}"
    print(f"Status page {url}/ · admin {url}/admin/ · Ctrl-C stops both", flush=True)
    return True


def _lives(host: str, port: str) -> bool:
    """Whether the web server says that it lives."""
    try:
        with _connect(host, port) as connection:
            connection.sendall(_ASK)
            return connection.recv(64).startswith(b"HTTP/1.1 200 ")
    except OSError:
        return False


def _is_socket(host: str) -> bool:
    return host.startswith("/")


def _connect(host: str, port: str) -> socket.socket:
    if not _is_socket(host):
        return socket.create_connection((_target(host), port), ANSWER_WITHIN_S)
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(ANSWER_WITHIN_S)
    try:
        connection.connect(host)
    except OSError:
        connection.close()
        raise
    return connection


def _target(host: str) -> str:
    """Where to connect to: a wildcard is for listening alone."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)


def _how(code: int) -> str:
    return f"ended with code {code}" if code >= 0 else f"was killed by signal {-code}"


def _say(text: str) -> None:
    line = f"statuspage: {text}"
    if os.environ.get("LOG_FORMAT", "").strip() == "json":
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        line = json.dumps({"time": now, "level": "WARNING", "logger": "supervise", "message": text})
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
