"""What a storm of alerts costs: 10,000 of 200 groups, in a minute and as fast as they are taken."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

from sqlalchemy import func, select

from statuspage.core.db import current_session
from statuspage.core.enums import IncidentStatus, Step
from statuspage.incidents import lifecycle
from statuspage.incidents.inputs import NewUpdate
from statuspage.incidents.publish import Submission
from statuspage.intake import suggestion_notices
from statuspage.models import Alert, Message, Suggestion
from tests.alerting import alert, make_source, notice
from tests.announcing import ACTOR
from tests.bench.delivery import Places
from tests.bench.figures import Figure
from tests.chaos.company import Company, environ_of

GROUPS = 200
ALERTS = 10_000
REQUESTS = 1_000

_numbers = count(1)


def storm(places: Places) -> Iterator[Figure]:
    """10,000 alerts in 1,000 requests, with an update after each hundred requests."""
    for kind in ("sqlite", "postgresql"):
        with TemporaryDirectory() as name:
            folder = Path(name)
            company = Company(environ_of(places.url(kind, folder), folder / "data"), 10)
            calm = statistics.median(_publish(company) for _ in range(5))
            taken, published = _send(company)
            each = f"{ALERTS:,} alerts of {GROUPS} groups"
            yield Figure(f"{each} taken, {kind}", taken, "s", at_most=60)
            yield from _rows(company, kind)
            yield Figure(f"  an update before, {kind}", 1000 * calm, "ms")
            meanwhile = 1000 * statistics.median(published)
            yield Figure(f"  an update meanwhile, {kind}", meanwhile, "ms")
            company.close()


def _send(company: Company) -> tuple[float, list[float]]:
    """How long the requests took together, and each update between them."""
    with company.app.app_context():
        _, key = make_source()
    client, headers = company.app.test_client(), {"Authorization": f"Bearer {key}"}
    taken, published = 0.0, []
    for request in range(REQUESTS):
        group = f"group {request % GROUPS}"
        numbers = range(request * ALERTS // REQUESTS, (request + 1) * ALERTS // REQUESTS)
        sent = notice(*(alert(group, number=number) for number in numbers), group=group)
        start = time.perf_counter()
        answer = client.post("/hooks/alertmanager", json=sent, headers=headers)
        taken += time.perf_counter() - start
        if answer.status_code != 202:
            raise RuntimeError(answer.text)
        if request % 100 == 99:
            published.append(_publish(company))
            with company.app.app_context():
                suggestion_notices.notify_due()
    return taken, published


def _publish(company: Company) -> float:
    with company.app.app_context():
        start = time.perf_counter()
        lifecycle.post_update(
            company.code,
            NewUpdate(
                IncidentStatus.IDENTIFIED, public_facts={"action": f"We try way {next(_numbers)}."}
            ),
            Submission(ACTOR, uuid4().hex),
        )
        return time.perf_counter() - start


def _rows(company: Company, kind: str) -> Iterator[Figure]:
    with company.app.app_context():
        session = current_session()
        messages = select(func.count()).select_from(Message).filter_by(step=Step.SUGGESTED)
        found = session.scalar(select(func.count()).select_from(Suggestion)) or 0
        kept = session.scalar(select(func.count()).select_from(Alert)) or 0
        yield Figure(f"  suggestions, {kind}", found, "", at_most=GROUPS)
        yield Figure(f"  alerts kept, {kind}", kept, "", at_most=ALERTS)
        yield Figure(f"  chat messages, {kind}", session.scalar(messages) or 0, "", at_most=3)
