"""How long the desk takes to open, and to go on, where a lot was said and many are to be told."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

from statuspage.core.db import writing
from statuspage.core.enums import IncidentStatus
from statuspage.incidents import lifecycle
from statuspage.incidents.inputs import NewUpdate
from statuspage.incidents.publish import Submission
from tests.announcing import ACTOR
from tests.apps import Client
from tests.bench.delivery import CUSTOMERS, Places
from tests.bench.figures import Figure
from tests.browsing import Browser, fields, make_account
from tests.chaos.company import Company, environ_of

UPDATES = 200


def opening(places: Places) -> Iterator[Figure]:
    """The desk of an incident with 200 updates and 100,000 customers, and its last step."""
    for kind in ("sqlite", "postgresql"):
        with TemporaryDirectory() as name:
            folder = Path(name)
            company = Company(environ_of(places.url(kind, folder), folder / "data"), CUSTOMERS)
            _talk(company)
            yield from _look(company, kind)
            company.close()


def _talk(company: Company) -> None:
    with company.app.app_context():
        with writing() as session:
            session.add(make_account())
        for number in range(UPDATES - 1):
            lifecycle.post_update(
                company.code,
                NewUpdate(
                    IncidentStatus.IDENTIFIED, public_facts={"action": f"We try way {number}."}
                ),
                Submission(ACTOR, uuid4().hex),
            )


def _look(company: Company, kind: str) -> Iterator[Figure]:
    company.app.test_client_class = Client
    browser = Browser(company.app)
    browser.sign_in()
    path = f"/admin/incidents/{company.code}"
    desk = fields(browser.get(path).text)
    ended = {**desk, "status": "resolved", "publish": "1"}
    typed = {**desk, "users_notice": "Some payments fail."}
    opened = _median_ms(lambda: browser.get(path))
    yield Figure(f"the desk opened, {kind}", opened, "ms", at_most=105)
    texts = _median_ms(lambda: browser.send(f"{path}/texts", typed))
    yield Figure(f"  its texts after a keystroke, {kind}", texts, "ms", at_most=45)
    last = _median_ms(lambda: browser.send(path, ended))
    yield Figure(f"  its last step, {kind}", last, "ms", at_most=300)


def _median_ms(ask: Callable[[], object], *, times: int = 9) -> float:
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        ask()
        taken.append(1000 * (time.perf_counter() - start))
    return statistics.median(taken)
