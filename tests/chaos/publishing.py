"""Kill -9 the web server while it publishes: what was acknowledged is stored whole, or not at all.

A person at the desk sends an update, the server dies at some moment of it, and the person sends the
same form again until it is acknowledged.
"""

from __future__ import annotations

import http.client
import random
import threading
import time
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from urllib.parse import urlencode

from sqlalchemy import func, select

from statuspage.access import accounts
from statuspage.core.db import current_session
from statuspage.core.enums import Audience, Channel
from statuspage.models import AuditEntry, Delivery, Incident, IncidentUpdate, Message, Revision
from tests.browsing import fields
from tests.chaos.company import Company, environ_of
from tests.chaos.processes import WebProcess
from tests.ports import free_port

AUDIENCES = {Audience.PUBLIC, Audience.INTERNAL}


@dataclass(frozen=True)
class Published:
    """What came of it: every number but ``sent`` and ``cut`` must be 0."""

    sent: int
    cut: int
    """Forms whose answer the kill cut off."""
    lost: int
    doubled: int
    torn: int
    """Updates that are stored in part: without a message, a delivery or an audit entry."""

    @property
    def held(self) -> bool:
        """Whether nothing was lost, doubled or torn, and kills fell while forms were sent."""
        return self.cut > 0 and not (self.lost or self.doubled or self.torn)

    def __str__(self) -> str:
        return (
            f"{self.sent} updates, {self.cut} kills in the act: {self.lost} acknowledged and lost, "
            f"{self.doubled} doubled, {self.torn} torn"
        )


class Desk:
    """A browser at the desk of one incident, on connections of its own."""

    def __init__(self, port: int, code: str, *, email: str, password: str) -> None:
        self._port = port
        self._cookies: dict[str, str] = {}
        self._numbers = count(1)
        self._path = f"/admin/incidents/{code}"
        self._send("/admin/login", {**self._form("/admin/login"), "email": email,
                                    "password": password})  # fmt: skip

    def sheet(self) -> dict[str, str]:
        """The form as the desk shows it now, to be sent once."""
        # What is said word for word once more would be asked about.
        notice = f"Payments are declined at checkout ({next(self._numbers)})."
        form = self._form(self._path)
        return {**form, "status": "investigating", "users_notice": notice, "publish": "1"}

    def send(self, sheet: dict[str, str]) -> bool:
        """Send the form; whether it was acknowledged."""
        try:
            return self._send(self._path, sheet) == 303
        except (OSError, http.client.HTTPException):
            return False

    def _form(self, path: str) -> dict[str, str]:
        status, text = self._ask("GET", path)
        assert status == 200, (status, path)
        return fields(text)

    def _send(self, path: str, values: dict[str, str]) -> int:
        return self._ask("POST", path, urlencode(values))[0]

    def _ask(self, method: str, path: str, body: str | None = None) -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        headers = {
            "Cookie": "; ".join(f"{name}={value}" for name, value in self._cookies.items()),
            "Sec-Fetch-Site": "same-origin",
        }
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            for cookie in answer.headers.get_all("Set-Cookie", []):
                name, _, value = cookie.partition(";")[0].partition("=")
                self._cookies[name] = value
            return answer.status, answer.read().decode()
        finally:
            connection.close()


def kill_while_publishing(database_url: str, folder: Path, *, kills: int, seed: int) -> Published:
    """Send ``kills`` updates and kill the server in the middle of each."""
    port = free_port()
    environ = environ_of(
        database_url,
        folder / "data",
        PORT=str(port),
        PUBLIC_URL=f"http://127.0.0.1:{port}",
        CHAT_URLS="json://127.0.0.1:9/",
    )
    company = Company(environ, customers=1)
    with company.app.app_context():
        email = "kim@example.com"
        account = accounts.create_first(email)
        before = _updates()
    dice = random.Random(seed)
    cut = lost = 0
    try:
        with WebProcess(environ, log=folder / "web.log") as web:
            desk = Desk(port, company.code, email=email, password=account[1])
            patience = _time_one(desk)
            for _ in range(kills):
                sheet = desk.sheet()
                acknowledged = _send_and_kill(desk, web, sheet, after=dice.uniform(0, patience))
                cut += not acknowledged
                with company.app.app_context():
                    lost += acknowledged and not _is_stored(sheet["form_key"])
                while not acknowledged:
                    acknowledged = desk.send(sheet)
        with company.app.app_context():
            sent = kills + 1
            return Published(sent, cut, lost, _updates() - before - sent, _torn())
    finally:
        company.close()


def _time_one(desk: Desk) -> float:
    """Seconds that one update takes, so that kills are spread over all of it."""
    sheet = desk.sheet()
    start = time.monotonic()
    assert desk.send(sheet)
    return time.monotonic() - start


def _send_and_kill(desk: Desk, web: WebProcess, sheet: dict[str, str], *, after: float) -> bool:
    answers: list[bool] = []
    sending = threading.Thread(target=lambda: answers.append(desk.send(sheet)))
    sending.start()
    time.sleep(after)
    web.kill_server()
    sending.join()
    web.come_back()
    return answers[0]


def _updates() -> int:
    return current_session().scalar(select(func.count()).select_from(IncidentUpdate)) or 0


def _is_stored(form_key: str) -> bool:
    return (
        current_session().scalar(select(IncidentUpdate.id).filter_by(form_key=form_key)) is not None
    )


def _torn() -> int:
    """How many updates lack a part that their transaction holds, or have it without the rest."""
    session = current_session()
    torn = 0
    updates = list(session.scalars(select(IncidentUpdate)))
    for update in updates:
        messages = list(session.scalars(select(Message).filter_by(update_id=update.id)))
        chat = session.scalar(
            select(func.count())
            .select_from(Delivery)
            .filter_by(step_key=f"update:{update.id}", channel=Channel.CHAT)
        )
        whole = {one.audience for one in messages} >= AUDIENCES and chat == 1 and update.body
        torn += not whole
    written = select(func.count()).select_from(AuditEntry)
    audited = session.scalar(
        written.where(AuditEntry.action.in_(("incident.declare", "incident.update")))
    )
    stray = session.scalar(
        select(func.count()).select_from(Message).where(Message.update_id.is_(None))
    )
    moved = session.scalar(select(Revision.number))
    version = session.scalar(select(Incident.version))
    torn += abs((audited or 0) - len(updates)) + (stray or 0)
    torn += (moved or 0) < len(updates) or (version or 0) < len(updates)
    return torn
