"""The service's real processes, each of which can be stopped, continued and killed."""

from __future__ import annotations

import contextlib
import http.client
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

import psutil

import statuspage.__main__

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 60.0


class Forked:
    """``statuspage`` with some words, forked from a process that has loaded the program.

    Loading it is most of what a start costs; the process is one of its own all the same, and is
    used like a ``Popen``.
    """

    def __init__(self, words: Sequence[str], environ: Mapping[str, str], log: Path) -> None:
        self._process = _FORKS.Process(target=_run, args=(words, dict(environ), log))
        self._process.start()
        assert self._process.pid is not None
        self.pid = self._process.pid

    def poll(self) -> int | None:
        """Its exit code once it has ended."""
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code once it has ended; ``TimeoutError`` where it does not."""
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise TimeoutError(f"process {self.pid} did not end")
        return self._process.exitcode

    def kill(self) -> None:
        """Kill -9."""
        self._process.kill()

    def terminate(self) -> None:
        """Ask it to end."""
        self._process.terminate()

    def send_signal(self, number: int) -> None:
        """Send it a signal."""
        os.kill(self.pid, number)


_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["statuspage.__main__", "tests.chaos.kills"])


def _run(words: Sequence[str], environ: dict[str, str], log: Path) -> None:
    with log.open("a") as output:
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
    os.environ.clear()
    os.environ.update(environ)
    sys.argv = ["statuspage", *words]
    statuspage.__main__.main()


class ServiceProcess:
    """``statuspage`` with some words, writing to a log."""

    words: tuple[str, ...] = ()
    is_forked = True

    def __init__(self, environ: Mapping[str, str], *, log: Path) -> None:
        self._environ = {"PATH": os.environ["PATH"], **environ}
        self._log = log
        self._process = self._start()

    def _start(self) -> subprocess.Popen[bytes] | Forked:
        if self.is_forked:
            return Forked(self.words, self._environ, self._log)
        with self._log.open("a") as output:
            return subprocess.Popen(
                [sys.executable, "-m", "statuspage", *self.words],
                cwd=ROOT,
                env=self._environ,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def kill(self) -> None:
        """Kill -9."""
        self._process.kill()
        self._process.wait()

    def end(self) -> int:
        """Ask it to end, as the supervisor does; its exit code."""
        self._process.terminate()
        return self._process.wait(30)

    def wait(self) -> int:
        """Wait until it ends by itself; its exit code."""
        return self._process.wait(PATIENCE_SECONDS)

    def freeze(self) -> None:
        """Stop it where it stands (SIGSTOP)."""
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on (SIGCONT)."""
        self._process.send_signal(signal.SIGCONT)


class WorkerProcess(ServiceProcess):
    """A delivery worker."""

    words = ("worker",)


class LoadedWorker(WorkerProcess):
    """A delivery worker that loads the program itself, as an operator's does.

    For what is measured of it, and for what the system gives a program that it loads.
    """

    is_forked = False


class WebProcess(ServiceProcess):
    """A web server on the PORT of its settings; answers when made."""

    words = ("serve",)

    def __init__(self, environ: Mapping[str, str], *, log: Path) -> None:
        super().__init__(environ, log=log)
        self.port = int(environ["PORT"])
        self.wait_until_it_answers()

    def kill(self) -> None:
        """Kill -9, and with it the process that serves."""
        children = self._children()
        # First the one that would start another in their place.
        super().kill()
        for child in children:
            with contextlib.suppress(psutil.NoSuchProcess):
                child.kill()

    def kill_server(self) -> None:
        """Kill -9 the process that serves, alone."""
        for child in self._children():
            with contextlib.suppress(psutil.NoSuchProcess):
                child.kill()

    def come_back(self) -> None:
        """Wait until another process serves: its parent starts one, or gives up and is started."""

        def answers() -> bool:
            if self._process.poll() is not None:
                self._process = self._start()
            return self._answers()

        wait_until(answers, what="the web server is back")

    def write_no_more_than(self, size: int | None) -> None:
        """Let no file of the serving process grow beyond ``size`` bytes; None takes that back."""
        for child in self._children():
            limit_files(child.pid, size)

    def wait_until_it_answers(self) -> None:
        """Return once the server says that it lives."""
        wait_until(self._answers, what="the web server answers")

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/healthz")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def _children(self) -> list[psutil.Process]:
        try:
            return psutil.Process(self.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            return []


def limit_files(pid: int, size: int | None) -> None:
    """Let no file that the process writes grow beyond ``size`` bytes, as on a disk that is full."""
    most = psutil.RLIM_INFINITY
    psutil.Process(pid).rlimit(psutil.RLIMIT_FSIZE, (most if size is None else size, most))


def wait_until(is_true: object, *, what: str, seconds: float = PATIENCE_SECONDS) -> None:
    """Wait until ``is_true()``; raises ``TimeoutError`` that names what did not come about."""
    assert callable(is_true)
    deadline = time.monotonic() + seconds
    while not is_true():
        if time.monotonic() > deadline:
            raise TimeoutError(f"it did not come about that {what}")
        time.sleep(0.01)
