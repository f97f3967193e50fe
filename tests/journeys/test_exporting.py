"""The real service keeps a folder: what is posted stands there, whatever happens to the worker."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from statuspage.core.config import load_settings
from statuspage.core.db import db
from statuspage.incidents import lifecycle
from statuspage.incidents.inputs import Declaration
from statuspage.incidents.publish import Submission
from statuspage.runtime.application import create_app
from tests.actors import acting
from tests.service import FirstStart, Service

ACTOR = acting("Ada")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("exported") / "site"


@pytest.fixture(scope="module")
def service(
    tmp_path_factory: pytest.TempPathFactory, site: Path, first_start: FirstStart
) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("exporting")
    running = Service(folder, {"EXPORT_TO": str(site)}, first_start=first_start)
    yield running
    assert running.stop() == 0


@pytest.fixture
def declare(service: Service) -> Iterator[Callable[[str], str]]:
    """Posts from another process; gives the incident's code."""
    app = create_app(
        load_settings({"DATA_DIR": str(service.folder / "data"), "PUBLIC_URL": service.url})
    )

    def act(title: str) -> str:
        told = Declaration(title, 1, users_notice=f"You see that {title.lower()}.")
        return lifecycle.declare(told, Submission(ACTOR, title)).code

    with app.app_context():
        yield act
        db.session.remove()
        db.engine.dispose()


def eventually(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def says(file: Path, text: str) -> bool:
    return file.exists() and text in file.read_text()


def test_a_post_stands_in_the_folder_with_all_that_tells_of_it(
    service: Service, site: Path, declare: Callable[[str], str]
) -> None:
    eventually((site / "index.html").exists)
    code = declare("Search finds nothing")
    eventually(lambda: says(site / "index.html", "Search finds nothing"))
    eventually((site / "incidents" / code / "updates.atom").exists)
    for path in ("/", "/history", "/updates.atom", "/api/v2/summary.json", f"/incidents/{code}"):
        answer = requests.get(service.url + path, timeout=30)
        name = path[1:] if "." in path else f"{path[1:]}/index.html".lstrip("/")
        assert (site / name).read_bytes() == answer.content


def test_a_worker_that_was_killed_goes_on(
    service: Service, site: Path, declare: Callable[[str], str]
) -> None:
    service.kill("worker")
    code = declare("Orders are late")
    eventually(lambda: says(site / "index.html", "Orders are late"))
    eventually(lambda: says(site / "incidents" / code / "index.html", "Orders are late"))
