"""A rolling restart: behind HAProxy each process is replaced while people read and mail is sent."""

from __future__ import annotations

import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import requests

from tests.chaos.company import Company, Tally, environ_of
from tests.chaos.kills import sendgrid
from tests.chaos.processes import ROOT, WebProcess, WorkerProcess, wait_until
from tests.ports import free_port

PATHS = ("/", "/history.atom", "/api/v2/summary.json", "/admin/login")
READERS = 3
PAUSE_SECONDS = 0.02


@dataclass(frozen=True)
class Restarted:
    """What readers and customers noticed of it."""

    answers: Counter[str]
    tally: Tally

    @property
    def held(self) -> bool:
        """Whether they noticed nothing."""
        return set(self.answers) == {"200"} and not self.tally.lost and not self.tally.doubled

    def __str__(self) -> str:
        failed = self.answers.total() - self.answers["200"]
        return f"{self.answers.total():,} requests, {failed} failed; {self.tally}"


@dataclass
class Readers:
    """Some threads that ask one address after the other, and what they were answered."""

    url: str
    answers: Counter[str] = field(default_factory=Counter)
    _over: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def reading(self) -> Iterator[None]:
        threads = [threading.Thread(target=self._read) for _ in range(READERS)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._over.set()
            for thread in threads:
                thread.join()

    def _read(self) -> None:
        with requests.Session() as session:
            while not self._over.is_set():
                for path in PATHS:
                    self.answers[self.ask(session, path)] += 1
                self._over.wait(PAUSE_SECONDS)

    def ask(self, session: requests.Session, path: str) -> str:
        try:
            asked = session.get(self.url + path, headers={"Host": "status.example.com"}, timeout=30)
        except requests.RequestException as error:
            return type(error).__name__
        return str(asked.status_code)


@contextmanager
def haproxy(ports: list[int], folder: Path) -> Iterator[str]:
    """The shipped recipe without TLS, before these ports; the address to ask."""
    front = free_port()
    recipe = (ROOT / "deploy" / "proxies" / "haproxy.cfg").read_text()
    tls = "bind :::443 v4v6 ssl crt /etc/ssl/status.example.com.pem alpn h2,http/1.1"
    one = "    server web 127.0.0.1:8000 check inter 2s"
    assert tls in recipe
    assert one in recipe
    each = "\n".join(f"    server web{port} 127.0.0.1:{port} check inter 2s" for port in ports)
    written = recipe.replace(tls, f"bind 127.0.0.1:{front}").replace(one, each)
    (folder / "haproxy.cfg").write_text(written)
    process = subprocess.Popen(
        [ROOT / ".tools" / "haproxy", "-db", "-f", folder / "haproxy.cfg"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    readers = Readers(f"http://127.0.0.1:{front}")
    try:
        with requests.Session() as session:
            wait_until(lambda: readers.ask(session, "/") == "200", what="HAProxy answers")
        yield readers.url
    finally:
        process.terminate()
        process.wait(10)


def restart_one_by_one(url: str, folder: Path, *, customers: int) -> Restarted:
    """Replace two web servers and the worker, one after the other, by new processes."""
    with ExitStack() as ending, sendgrid(folder, batch=20, latency=0.2) as provider:
        settings = {name: text for name, text in provider.settings.items() if name != "PORT"}
        log = folder / "log"

        def environ(part: str, **more: str) -> dict[str, str]:
            return environ_of(url, folder / part, TRUSTED_PROXIES="1", **settings, **more)

        company = Company(environ("company"), customers)
        ending.callback(company.close)
        ports = [free_port(), free_port()]
        webs = [WebProcess(environ(f"web{port}", PORT=str(port)), log=log) for port in ports]
        worker = WorkerProcess(environ("worker"), log=log)
        ending.callback(lambda: [process.end() for process in (*webs, worker)])
        readers = Readers(ending.enter_context(haproxy(ports, folder)))
        with readers.reading():
            company.resolve()
            for place, port in enumerate(ports):
                time.sleep(2)
                webs[place].end()
                webs[place] = WebProcess(environ(f"web{port}", PORT=str(port)), log=log)
            worker.end()
            worker = WorkerProcess(environ("worker"), log=log)
            company.wait_until_done(seconds=120)
        return Restarted(readers.answers, company.tally(provider.journal))
