"""What ships the service is well-formed, and names settings and commands that are there."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
import yaml
from flask import Flask

from statuspage.core.config import SETTINGS
from statuspage.runtime.server import IDLE_SECONDS
from tests.guards.source import ROOT

DEPLOY = ROOT / "deploy"
# What Compose, PostgreSQL's image and Python read themselves.
NOT_OURS = {"POSTGRES_USER", "POSTGRES_DB", "POSTGRES_PASSWORD", "PATH", "PYTHONDONTWRITEBYTECODE"}
NAMES = {setting.name for setting in SETTINGS}


def documents() -> Iterator[Any]:
    for file in sorted(DEPLOY.rglob("*.yaml")):
        yield from yaml.safe_load_all(file.read_text())


def nodes(node: Any) -> Iterator[dict[str, Any]]:
    """Every mapping of a document."""
    if isinstance(node, dict):
        yield node
    children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    for child in children:
        yield from nodes(child)


def settings_named() -> set[str]:
    found = set()
    for mapping in (each for document in documents() for each in nodes(document)):
        found |= set(mapping.get("environment", {}))
        if mapping.get("kind") == "ConfigMap":
            found |= set(mapping["data"])
    for unit in DEPLOY.glob("systemd/*.service"):
        for line in re.findall(r"^Environment=(.+)$", unit.read_text(), re.MULTILINE):
            found |= {pair.split("=")[0] for pair in line.split()}
    (image,) = re.findall(r"^ENV (PATH.+?)^USER", (DEPLOY / "Dockerfile").read_text(), re.M | re.S)
    return found | set(re.findall(r"(\w+)=", image))


def commands_named() -> set[str]:
    found = set(re.findall(r'^CMD \["(\w+)"\]', (DEPLOY / "Dockerfile").read_text(), re.MULTILINE))
    for unit in DEPLOY.glob("systemd/*.service"):
        found |= set(re.findall(r"bin/statuspage (\w+)", unit.read_text()))
    for mapping in (each for document in documents() for each in nodes(document)):
        if mapping.get("image") == "statuspage":
            found.add((mapping.get("args") or mapping.get("command") or ["run"])[0])
    return found


def test_every_setting_that_is_named_is_one() -> None:
    assert settings_named() - NOT_OURS - NAMES == set()
    assert {"DATABASE_URL", "SECRET_KEY", "PUBLIC_URL", "DATA_DIR"} <= settings_named()


@pytest.mark.only_on("sqlite")
def test_every_command_that_is_named_is_one(app: Flask) -> None:
    assert commands_named() == {"run", "serve", "worker", "setup", "backup"}
    assert commands_named() <= set(app.cli.commands)


def test_the_image_is_built_as_its_linter_asks() -> None:
    linter = Path(sys.executable).with_name("hadolint")
    said = subprocess.run([linter, DEPLOY / "Dockerfile"], capture_output=True, text=True)
    assert (said.returncode, said.stdout) == (0, "")


def test_compose_files_are_what_the_compose_specification_allows() -> None:
    schema = files("check_jsonschema") / "builtin_schemas" / "vendor" / "compose-spec.json"
    composed = [yaml.safe_load(file.read_text()) for file in DEPLOY.glob("compose*.yaml")]
    assert len(composed) == 2
    for each in composed:
        jsonschema.validate(each, json.loads(schema.read_text()))


@pytest.mark.parametrize("file", sorted(DEPLOY.glob("kubernetes/*.yaml")), ids=lambda f: f.stem)
def test_manifests_have_no_field_that_kubernetes_does_not_know(file: Path) -> None:
    newest = kubernetes_validate.latest_version()
    for manifest in yaml.safe_load_all(file.read_text()):
        assert newest.startswith(kubernetes_validate.validate(manifest, newest, strict=True))


@pytest.mark.parametrize("part", ["web", "worker"])
def test_a_unit_starts_again_but_not_after_a_wrong_setting(part: str) -> None:
    text = (DEPLOY / "systemd" / f"statuspage-{part}.service").read_text()
    assert "Restart=always\n" in text
    assert "RestartPreventExitStatus=2\n" in text


def test_proxies_close_unused_connections_before_the_server_does() -> None:
    recipes = "\n".join(file.read_text() for file in (DEPLOY / "proxies").iterdir())
    kept = r"(?:keepalive_timeout|keepalive|http-keep-alive|idleConnTimeout:) (\d+)s"
    assert [int(seconds) < IDLE_SECONDS for seconds in re.findall(kept, recipes)] == [True] * 4


def test_every_metric_that_an_alert_reads_is_measured() -> None:
    (rules,) = DEPLOY.glob("prometheus/*.yaml")
    named = set(re.findall(r"\bstatuspage_\w+", rules.read_text()))
    source = (ROOT / "statuspage" / "api" / "health.py").read_text()
    measured = set(re.findall(r'"(statuspage_\w+)"', source))
    assert {name for name in named if name.removesuffix("_total") not in measured} == set()
    assert len(named) >= 6
