"""The W3C's HTML checker as a server of its own: it takes seconds to start, then milliseconds.

Its answers are described on https://github.com/validator/validator/wiki/Output-»-JSON.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import subprocess
import time
from pathlib import Path

from tests.ports import free_port

ROOT = Path(__file__).resolve().parent.parent
JAR = ROOT / ".tools" / "vnu.jar"


class HtmlChecker:
    """Call it with a page to get its errors and warnings, each as one line."""

    def __init__(self) -> None:
        if not JAR.exists():
            raise RuntimeError("the HTML checker is missing: make .tools/vnu.jar")
        self._port = free_port()
        self._process = subprocess.Popen(
            [
                # The schemas nest deeper than the default stack; two compilers less start sooner.
                *("java", "-Xss4m", "-Xmx512m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"),
                "-Dnu.validator.servlet.bind-address=127.0.0.1",
                *("-cp", str(JAR), "nu.validator.servlet.Main", str(self._port)),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._wait()

    def __call__(self, html: str) -> list[str]:
        """What is wrong with the page: ``12: error: Element “x” not allowed …``."""
        # It refuses whoever does not give a name.
        headers = {"Content-Type": "text/html; charset=utf-8", "User-Agent": "tests"}
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        with contextlib.closing(connection):
            connection.request("POST", "/?out=json", html.encode(), headers)
            answer = connection.getresponse()
            if answer.status != 200:
                raise RuntimeError(f"the HTML checker answered {answer.status} {answer.reason}")
            found = json.load(answer)
        return [
            f"{message.get('lastLine', '?')}: {message.get('subType', message['type'])}: "
            f"{message['message']} ({message.get('extract', '').strip()})"
            for message in found["messages"]
        ]

    def stop(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()

    def _wait(self) -> None:
        deadline = time.monotonic() + 180
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                self("<!doctype html><html lang=en><title>x</title>")
            except (OSError, http.client.HTTPException):
                time.sleep(0.1)
            else:
                return
        self._process.kill()
        self._process.wait()
        raise RuntimeError("the HTML checker did not start; is Java 17 or newer installed?")
