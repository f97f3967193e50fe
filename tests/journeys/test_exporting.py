"""The real service keeps a folder: what is posted stands there, whatever happens to the worker."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import requests

from statuspage.incidents import lifecycle
from statuspage.incidents.inputs import Declaration
from statuspage.incidents.publish import Submission
from tests.actors import acting
from tests.service import Service
from tests.waiting import eventually

ACTOR = acting("Ada")


@pytest.fixture
def declare(desk: None) -> Callable[[str], str]:
    """Posts from another process; gives the incident's code."""

    def act(title: str) -> str:
        told = Declaration(title, 1, users_notice=f"You see that {title.lower()}.")
        return lifecycle.declare(told, Submission(ACTOR, title)).code

    return act


def says(file: Path, text: str) -> bool:
    return file.exists() and text in file.read_text()


def test_a_post_stands_in_the_folder_with_all_that_tells_of_it(
    service: Service, site: Path, declare: Callable[[str], str]
) -> None:
    eventually((site / "index.html").exists)
    code = declare("Deliveries are late")
    eventually(lambda: says(site / "index.html", "Deliveries are late"))
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
    # So that whoever reads the page next finds it still.
    eventually(lambda: "Orders are late" in requests.get(service.url, timeout=30).text)
