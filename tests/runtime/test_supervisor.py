"""Keeping two processes running: with stand-in children, watched by a real supervisor process."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from statuspage.runtime import supervisor as supervise_module
from statuspage.runtime.supervisor import Child, Watch
from tests.ports import free_port
from tests.service import FirstStart, Service
from tests.waiting import eventually

ROOT = Path(__file__).resolve().parents[2]
RUNTIME = ROOT / "statuspage" / "runtime"

# The children are shell scripts; each notes its process id in a file of its own name.
SUPERVISOR = """
import os
import sys
sys.path.append({runtime!r})
import supervisor as supervise
supervise.PATIENCE_S = 0.3
children = [
    supervise.Child(name, ["sh", "-c", f"echo $$ >> {{name}}; {{script}}"], delay=0.01)
    for name, script in {scripts!r}.items()
]
supervise.ROOT = {folder!r}
ready = (lambda: os.path.exists({folder!r} + "/ready")) if {waits} else None
sys.exit(supervise.keep_running(children, bell=supervise.Bell(), ready=ready))
"""
SLEEP = "exec sleep 600"


class Supervisor:
    """A supervisor of its own in a folder, with children that run these scripts."""

    def __init__(self, folder: Path, scripts: dict[str, str], *, waits: bool) -> None:
        self.folder = folder
        text = SUPERVISOR.format(
            runtime=str(RUNTIME), scripts=scripts, folder=str(folder), waits=waits
        )
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-c", text], stderr=subprocess.PIPE, text=True
        )

    def pids(self, name: str, count: int = 1) -> list[int]:
        """The process ids of this child so far, once there are ``count``."""
        file = self.folder / name
        eventually(lambda: file.exists() and file.read_text().count("\n") >= count)
        return [int(line) for line in file.read_text().split()]

    def end(self) -> tuple[int, str]:
        """Its exit code, and what it said, once it has ended."""
        _, said = self.process.communicate(timeout=60)
        return self.process.returncode, said


def gone(pid: int) -> bool:
    """Whether the process has ended; one that nobody has collected yet counts as ended."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@pytest.fixture
def supervise(tmp_path: Path) -> Iterator[Callable[..., Supervisor]]:
    """Starts a supervisor; ended with its children when the test is over."""
    made: list[Supervisor] = []

    def start(scripts: dict[str, str], *, waits: bool = False) -> Supervisor:
        made.append(Supervisor(tmp_path, scripts, waits=waits))
        return made[-1]

    yield start
    for supervisor in made:
        supervisor.process.terminate()
        supervisor.process.communicate(timeout=60)


def test_a_killed_child_is_started_again_and_the_others_are_left_alone(supervise) -> None:
    running = supervise({"web": SLEEP, "worker": SLEEP})
    (first,) = running.pids("worker")
    (web,) = running.pids("web")
    os.kill(first, signal.SIGKILL)
    _, second = running.pids("worker", 2)
    assert (gone(first), gone(second), running.pids("web")) == (True, False, [web])


def test_the_others_wait_until_the_first_is_ready(supervise) -> None:
    running = supervise(
        {"web": "sleep 0.3; touch ready; exec sleep 600", "worker": SLEEP}, waits=True
    )
    running.pids("worker")
    started = [(running.folder / name).stat().st_mtime_ns for name in ("ready", "worker")]
    assert started == sorted(started)


def test_the_others_do_not_wait_for_a_first_that_dies(supervise) -> None:
    running = supervise({"web": "exit 1", "worker": SLEEP}, waits=True)
    assert len(running.pids("worker")) == 1


def test_a_child_that_found_a_wrong_setting_ends_everything_with_its_code(supervise) -> None:
    running = supervise({"web": SLEEP, "worker": "sleep 0.1; exit 2"})
    assert running.end() == (2, "")
    assert gone(running.pids("web")[0])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_stops_everything_without_a_word(supervise, number: signal.Signals) -> None:
    running = supervise({"web": SLEEP, "worker": SLEEP})
    pids = running.pids("web") + running.pids("worker")
    running.process.send_signal(number)
    assert running.end() == (0, "")
    assert [gone(pid) for pid in pids] == [True, True]


def test_a_child_that_does_not_listen_is_killed_in_the_end(supervise) -> None:
    running = supervise({"deaf": "trap '' TERM; touch ready; while :; do sleep 0.1; done"})
    (pid,) = running.pids("deaf")
    eventually((running.folder / "ready").exists)
    running.process.terminate()
    assert running.end() == (0, "")
    assert gone(pid)


def test_what_a_killed_child_had_started_goes_with_it(supervise) -> None:
    running = supervise({"web": "sleep 600 & echo $! > grandchild; wait"})
    (web,) = running.pids("web")
    (grandchild,) = running.pids("grandchild")
    os.kill(web, signal.SIGKILL)
    eventually(lambda: gone(grandchild))
    assert len(running.pids("web", 2)) == 2


def test_no_child_outlives_a_supervisor_that_is_killed_itself(supervise) -> None:
    running = supervise({"web": SLEEP, "worker": SLEEP})
    pids = running.pids("web") + running.pids("worker")
    running.process.kill()
    eventually(lambda: all(gone(pid) for pid in pids))


def test_a_child_that_keeps_dying_is_started_ever_more_slowly() -> None:
    child = Child("worker", ["false"], started_at=time.monotonic())
    assert [child.postpone() for _ in range(7)] == [1, 2, 4, 8, 16, 30, 30]


def test_after_a_minute_of_health_it_comes_back_at_once_and_the_next_death_is_a_first_one() -> None:
    child = Child("worker", ["false"], started_at=time.monotonic() - 61, delay=16)
    assert child.postpone() == 0
    child.started_at = time.monotonic()
    assert [child.postpone() for _ in range(2)] == [1, 2]


def test_a_port_that_is_taken_stops_the_start_with_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert start_by_path(PORT=str(port)) == (
            2,
            f"statuspage: 127.0.0.1:{port} cannot be served on: Address already in use\n",
        )


def test_a_host_that_is_not_ours_stops_the_start_with_one_line() -> None:
    port = free_port()
    assert start_by_path(PORT=str(port), HOST="192.0.2.1") == (
        2,
        f"statuspage: 192.0.2.1:{port} cannot be served on: Cannot assign requested address\n",
    )


def test_a_wrong_setting_stops_the_start_with_the_one_line_that_names_it(tmp_path: Path) -> None:
    code, said = start_by_path(DATA_DIR=str(tmp_path), PORT="eighty")
    assert (code, said) == (
        2,
        "statuspage: wrong setting PORT: must be a whole number, not 'eighty'\n",
    )


def test_the_page_is_back_soon_after_its_process_and_then_its_server_is_killed(
    tmp_path: Path, first_start: FirstStart
) -> None:
    service = Service(tmp_path, first_start=first_start)
    try:
        server = service.pid_of("serve")
        (process,) = psutil.Process(server).children()
        process.kill()
        eventually(lambda: answers(service.url))
        assert service.pid_of("serve") == server
        service.kill("serve")
        eventually(lambda: is_back(service, server))
    finally:
        assert service.stop() == 0


def is_back(service: Service, old_server: int) -> bool:
    """Whether another server answers in the old one's place."""
    try:
        return service.pid_of("serve") != old_server and answers(service.url)
    except LookupError:
        return False


def answers(url: str) -> bool:
    """Whether the page is there."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.status == 200
    except OSError:
        return False


def start_by_path(**environ: str) -> tuple[int, str]:
    """Start the whole service as ``make run`` does; its exit code, and what it said."""
    ended = subprocess.run(
        [sys.executable, "-P", str(RUNTIME / "supervisor.py")],
        env={"PATH": os.environ["PATH"], **environ},
        stderr=subprocess.PIPE,
        text=True,
        timeout=120,
    )
    return ended.returncode, ended.stderr


def test_a_server_that_is_silent_too_often_is_killed_and_one_that_starts_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(supervise_module, "ASK_EVERY_S", 0)
    child = Child("web server", ["sleep", "600"])
    child.start()
    assert child.process is not None
    answers = iter([False] * 9 + [True, False, False, True, False, False, False])
    watch = Watch(child, lives=lambda: next(answers))
    for _ in range(15):
        watch.look()
    assert child.process.poll() is None
    watch.look()
    assert child.process.wait(10) == -signal.SIGKILL


ANSWERS = """
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()
    def log_message(self, *_):
        pass
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


def test_a_server_that_hangs_is_killed_and_another_starts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(supervise_module, "ASK_EVERY_S", 0)
    monkeypatch.setattr(supervise_module, "ANSWER_WITHIN_S", 0.5)
    port = str(free_port())
    child = Child("web server", [sys.executable, "-S", "-c", ANSWERS, port])
    watch = Watch(child, lives=lambda: supervise_module._lives("127.0.0.1", port))

    def has_answered() -> bool:
        watch.look()
        return watch.answered is child.process

    child.start()
    eventually(has_answered)
    first = child.process
    assert first is not None
    first.send_signal(signal.SIGSTOP)
    for _ in range(supervise_module.SILENT_TIMES):
        watch.look()
    assert first.wait(10) == -signal.SIGKILL
    assert child.reap() == -signal.SIGKILL
    child.start()
    eventually(has_answered)
    child.kill()
    eventually(lambda: child.reap() is not None)


def test_a_server_that_accepts_and_says_nothing_does_not_live(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(supervise_module, "ANSWER_WITHIN_S", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        assert supervise_module._lives("127.0.0.1", str(port)) is False


def test_a_server_on_a_unix_socket_is_asked_there_and_its_place_is_not_taken(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(supervise_module, "ANSWER_WITHIN_S", 0.05)
    place = str(tmp_path / "web.sock")
    assert supervise_module._port_refusal(place, "8000") is None
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(place)
        silent.listen()
        assert supervise_module._lives(place, "8000") is False
    monkeypatch.setattr(supervise_module, "_lives", lambda *_: True)
    assert supervise_module._port_refusal(place, "8000") == "another server answers there"
    nowhere = str(tmp_path / "none" / "web.sock")
    said = "its folder is not there or cannot be written to"
    assert supervise_module._port_refusal(nowhere, "8000") == said
