"""What every process writes: a time and a level on each line, JSON where that is asked for."""

from __future__ import annotations

import json
import logging
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields

import pytest
from flask import Flask

from statuspage.core.config import Settings
from statuspage.core.logs import set_up_logs
from statuspage.core.paths import PACKAGE
from statuspage.runtime import commands

pytestmark = pytest.mark.only_on("sqlite")


@pytest.fixture(autouse=True)
def former_logging() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    hooks = sys.excepthook
    yield
    root.handlers[:], sys.excepthook = handlers, hooks
    root.setLevel(level)
    logging.captureWarnings(False)


@pytest.mark.parametrize("command", ["serve", "worker"])
def test_each_process_logs_as_the_setting_says(
    app: Flask, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[Settings] = []
    monkeypatch.setattr(commands, "set_up_logs", told.append)
    monkeypatch.setattr(commands.server, "serve", lambda _app: None)
    monkeypatch.setattr(commands.on_demand_views, "install", lambda _app: None)
    monkeypatch.setattr(commands.WorkerProcess, "run", lambda _self: None)
    with app.app_context():
        app.test_cli_runner().invoke(args=[command])
    assert told == [app.extensions["settings"]]


def test_a_traceback_is_one_object(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    object.__setattr__(settings, "log_format", "json")
    set_up_logs(settings)
    try:
        raise ValueError("broken")
    except ValueError:
        logging.getLogger("statuspage.api").exception("a request failed")
        sys.excepthook(*sys.exc_info())  # type: ignore[arg-type]
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [(line["level"], "ValueError: broken" in line["exc_info"]) for line in lines] == [
        ("ERROR", True),
        ("CRITICAL", True),
    ]
    assert all(re.fullmatch(r"[\d-]{10}T[\d:]{8}Z", line["time"]) for line in lines)


def test_the_supervisor_writes_objects_too() -> None:
    done = subprocess.run(
        [sys.executable, "-P", str(PACKAGE / "runtime" / "supervisor.py")],
        env={"LOG_FORMAT": "json", "HOST": "192.0.2.1", "PORT": "21099"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert json.loads(done.stderr)["message"].startswith("192.0.2.1:21099 cannot be served on")


def test_every_setting_is_used_beyond_the_place_where_it_is_read() -> None:
    sources = [
        path.read_text() for path in PACKAGE.rglob("*.py") if path != PACKAGE / "core" / "config.py"
    ]
    properties = (PACKAGE / "core" / "config.py").read_text()
    unused = {
        field.name
        for field in fields(Settings)
        if not any(re.search(rf"settings(\(\))?\.{field.name}\b", text) for text in sources)
        and f"self.{field.name}" not in properties
    }
    assert unused == set()
