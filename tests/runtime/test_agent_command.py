"""An assistant on the machine: the protocol over standard input and output, by an API key."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner

from statuspage.access import api_keys
from statuspage.core.enums import KeyScope
from tests.announcing import ACTOR, set_up_scenario
from tests.service import ROOT

pytestmark = pytest.mark.only_on("sqlite")


def test_without_a_key_it_says_what_is_missing(runner: FlaskCliRunner) -> None:
    ended = runner.invoke(args=["mcp", "--key", "statuspage_wrong"])
    assert ended.exit_code == 2
    assert "STATUSPAGE_API_KEY" in ended.stderr


def test_the_protocol_is_spoken_and_not_loaded_before(
    app: Flask, environ: dict[str, str], tmp_path: Path
) -> None:
    set_up_scenario(app)
    with app.app_context():
        _, key = api_keys.make_key("Helper", actor=ACTOR, scopes=[KeyScope.READ])
    messages = (
        {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
            "protocolVersion": "2025-06-18", "capabilities": {},
            "clientInfo": {"name": "test", "version": "1"}}},
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {"jsonrpc": "2.0", "id": 2, "method": "tools/list"},
    )  # fmt: skip
    spoken = subprocess.run(
        [sys.executable, "-c", "import app, sys; print('mcp' in sys.modules, file=sys.stderr);"
         "app.app.test_cli_runner; app.app.cli.main(['mcp'])"],
        cwd=ROOT,
        env={**environ, "PATH": os.environ["PATH"], "STATUSPAGE_API_KEY": key},
        input="".join(f"{json.dumps(message)}\n" for message in messages),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )  # fmt: skip
    answers = {one["id"]: one["result"] for one in map(json.loads, spoken.stdout.splitlines())}
    assert (spoken.stderr.splitlines()[0], len(answers[2]["tools"])) == ("False", 5)
    assert key not in spoken.stderr
