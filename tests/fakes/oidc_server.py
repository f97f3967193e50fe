"""A real OpenID Connect provider, npm's oidc-provider, as a process of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

ROOT = Path(__file__).resolve().parents[2]
LIBRARY = ROOT / ".tools" / "oidc-provider"
# Where the machine has no node, pip's is in the environment of the tests.
PATH = os.pathsep.join([os.environ["PATH"], str(ROOT / ".venv" / "bin")])


class OidcServer:
    """The provider at ``port``, ready when entered: ``people`` are claims by what they sign in as.

    Any password will do.
    """

    def __init__(
        self, port: int, *, client: Mapping[str, Any], people: Mapping[str, Mapping[str, Any]]
    ) -> None:
        self._setup = {"port": port, "client": client, "people": people}

    def __enter__(self) -> Self:
        node = shutil.which("node", path=PATH)
        if node is None or not LIBRARY.exists():
            raise RuntimeError("the OpenID Connect provider is missing: make .tools/oidc-provider")
        script = ROOT / "tests" / "fakes" / "oidc_provider.mjs"
        self._process = subprocess.Popen(
            [node, str(script), str(LIBRARY.resolve()), json.dumps(self._setup)],
            stdout=subprocess.PIPE,
            # It warns at every start that it is set up for tests.
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self._process.stdout is not None
        if self._process.stdout.readline() != "ready\n":
            raise RuntimeError("the OpenID Connect provider did not start")
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.communicate(timeout=10)
