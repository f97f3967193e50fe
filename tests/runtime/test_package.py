"""The wheel: it holds what the service needs, and its command serves from anywhere."""

from __future__ import annotations

import compileall
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from requests.adapters import HTTPAdapter
from urllib3 import Retry

from statuspage import __version__
from tests.service import ROOT, Service

# The folders at the top that go into the package.
SHIPPED = ("templates", "static", "migrations")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    built = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder],
        cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    assert built.returncode == 0, built.stderr
    (file,) = folder.glob("*.whl")
    return file


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The wheel's files where nothing can be written."""
    folder = tmp_path_factory.mktemp("installed")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    # As the installers do.
    assert compileall.compile_dir(folder / "statuspage", quiet=1)
    folders = [folder, *(path for path in folder.rglob("*") if path.is_dir())]
    for path in folders:
        path.chmod(0o555)
    yield folder
    for path in folders:
        path.chmod(0o755)


def run(installed: Path, *words: str, **environ: str) -> str:
    """What a command of the installed package says."""
    return subprocess.run(
        [sys.executable, "-P", "-m", "statuspage", *words],
        cwd="/", env={"PATH": os.environ["PATH"], "PYTHONPATH": str(installed), **environ},
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip


def files_below(folder: Path) -> set[str]:
    return {
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_the_wheel_holds_every_file_of_the_service(installed: Path) -> None:
    assert files_below(installed / "statuspage" / "shipped") == {
        f"{name}/{path}" for name in SHIPPED for path in files_below(ROOT / name)
    }
    own = {
        path for path in files_below(installed / "statuspage") if not path.startswith("shipped/")
    }
    assert own == files_below(ROOT / "statuspage")


def test_the_wheel_needs_exactly_what_is_pinned(installed: Path) -> None:
    (metadata,) = installed.glob("*.dist-info/METADATA")
    needed = {
        line.removeprefix("Requires-Dist: ").replace(" ", "").lower()
        for line in metadata.read_text().splitlines()
        if line.startswith("Requires-Dist: ")
    }
    pinned = {
        line.lower()
        for line in (ROOT / "requirements.txt").read_text().splitlines()
        if line and not line.startswith("#")
    }
    assert needed == pinned


def test_its_command_names_its_version_and_how_it_is_called(
    installed: Path,
) -> None:
    assert run(installed, "--version") == f"statuspage {__version__}\n"
    says = "from statuspage.core.paths import COMMAND; print(COMMAND)"
    assert subprocess.run(
        [sys.executable, "-P", "-c", says],
        cwd="/", env={"PYTHONPATH": str(installed)}, capture_output=True, text=True, check=True,
    ).stdout == "statuspage\n"  # fmt: skip


def test_it_serves_from_anywhere_and_keeps_its_data_in_the_users_home(
    installed: Path, tmp_path: Path
) -> None:
    service = Service(
        tmp_path,
        {
            "PYTHONPATH": str(installed),
            "XDG_DATA_HOME": str(tmp_path),
            "DATA_DIR": "",
            "DEMO": "0",
        },
        command=[sys.executable, "-P", "-m", "statuspage", "run"],
        cwd=Path("/"),
    )
    try:
        session = requests.Session()
        # The first edition is made in the first moments.
        retries = Retry(total=60, backoff_factor=0.5, backoff_max=1, status_forcelist=[503])
        session.mount(service.url, HTTPAdapter(max_retries=retries))
        answers = [
            session.get(service.url + path, timeout=30).status_code
            for path in ("/", "/history.atom", "/admin/", "/api/v2/summary.json")
        ]
        assert answers == [200, 200, 200, 200]
        assert (tmp_path / "statuspage" / "statuspage.db").is_file()
    finally:
        assert service.stop() == 0
