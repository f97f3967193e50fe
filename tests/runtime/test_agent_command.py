"""An assistant on the machine: the protocol over standard input and output, by an API key."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

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


def test_the_protocol_is_loaded_where_it_is_spoken_and_ends_with_the_key(
    app: Flask, environ: dict[str, str], tmp_path: Path
) -> None:
    set_up_scenario(app)
    with app.app_context():
        made, key = api_keys.make_key("Helper", actor=ACTOR, scopes=[KeyScope.READ])
        key_id = made.id
    messages: tuple[dict[str, Any], ...] = (
        {"id": 1, "method": "initialize", "params": {
            "protocolVersion": "2025-06-18", "capabilities": {},
            "clientInfo": {"name": "test", "version": "1"}}},
        {"method": "notifications/initialized"},
        {"id": 2, "method": "tools/list"},
    )  # fmt: skip
    call = {"name": "list_components", "arguments": {}}
    with subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import app, sys; print('mcp' in sys.modules, file=sys.stderr);"
            "app.app.test_cli_runner; app.app.cli.main(['mcp'])",
        ],
        cwd=ROOT,
        env={**environ, "PATH": os.environ["PATH"], "STATUSPAGE_API_KEY": key},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as spoken:
        asks, answers = spoken.stdin, spoken.stdout
        assert asks is not None
        assert answers is not None

        def say(**message: object) -> None:
            print(json.dumps({"jsonrpc": "2.0", **message}), file=asks, flush=True)

        def hear() -> Any:
            return json.loads(answers.readline())["result"]

        for message in messages:
            say(**message)
        hear()
        assert len(hear()["tools"]) == 5
        say(id=3, method="tools/call", params=call)
        assert not hear().get("isError")
        with app.app_context():
            api_keys.withdraw_key(key_id, actor=ACTOR)
        say(id=4, method="tools/call", params=call)
        assert "does not work any more" in hear()["content"][0]["text"]
        _, said = spoken.communicate(timeout=120)
    assert (said.splitlines()[0], key in said) == ("False", False)
