"""Invented requests of every role to every address: no fault, and nothing changed beyond the role.

``FUZZ_REQUESTS=2000`` sends more than the usual sample of each role.
"""

from __future__ import annotations

import os
import random
import re
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

import pytest
from flask import Flask
from sqlalchemy import ColumnElement, Select, select, update

from statuspage.access import api_keys, sign_ins
from statuspage.access.permissions import ROLES, Permission
from statuspage.core.db import Base, current_session, writing
from statuspage.core.enums import AccountRole, SubscriberState, Visibility
from statuspage.intake.problem_reports import SOURCE_NAME
from statuspage.models import (
    Account,
    ApiKey,
    Component,
    ComponentGroup,
    Contact,
    Customer,
    Hold,
    Incident,
    IncidentTemplate,
    IncidentUpdate,
    Invitation,
    MaintenanceSeries,
    Message,
    Page,
    SavedDraft,
    ScheduledUpdate,
    SeverityLevel,
    SignIn,
    Subscriber,
    Wording,
)  # fmt: skip
from tests.actors import acting
from tests.admin.conftest import Desk
from tests.admin.test_hostile_forms import MOMENTS, TEXTS, SentForm, all_forms
from tests.browsing import Browser, make_account

REQUESTS: Final = int(os.environ.get("FUZZ_REQUESTS", "20"))
SAM: Final = "sam@example.com"

METHODS = ["GET", "GET", "POST", "POST", "POST", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"]
TOKENS = ["Bearer sp_live_made_up", "OAuth x", "Basic YTpi", ""]


def whole(model: type[Base], *conditions: ColumnElement[bool]) -> Select[Any]:
    """All columns of the rows of a table."""
    return select(*model.__table__.columns).where(*conditions)


_OTHERS = Account.email != SAM
# What changing rows needs.  Of incidents those that are public, since responders write others.
NEEDED: Mapping[Permission, list[Select[Any]]] = {
    Permission.PEOPLE: [
        # Whoever forgot a password gets a link to another, without any role.
        whole(Invitation, Invitation.email != SAM),
        whole(Account, _OTHERS),
        whole(SignIn, SignIn.account_id.in_(select(Account.id).where(_OTHERS))),
        select(Account.email, Account.role, Account.disabled_at),
    ],
    # What colleagues report comes in by a key of its own, which the first of them has made.
    Permission.KEYS: [whole(ApiKey, ApiKey.name != f"Alerts: {SOURCE_NAME}")],
    Permission.SETTINGS: [whole(Page), whole(Contact), whole(SeverityLevel)],
    Permission.TEMPLATES: [whole(Wording), whole(IncidentTemplate)],
    Permission.CUSTOMERS: [whole(Customer)],
    Permission.SUBSCRIBERS: [whole(Subscriber, Subscriber.state == SubscriberState.CONFIRMED)],
    Permission.COMPONENTS: [whole(ComponentGroup), select(Component.id, Component.name)],
    Permission.COMPONENT_STATUS: [select(Component.id, Component.status)],
    Permission.SEND: [whole(Hold)],
    Permission.PUBLISH: [
        whole(MaintenanceSeries),
        # By the category of its cause colleagues sort an incident; nobody outside reads it.
        select(
            *(one for one in Incident.__table__.columns if one.name != "cause_category")
        ).where(Incident.visibility == Visibility.PUBLIC),
        whole(IncidentUpdate, IncidentUpdate.visibility == Visibility.PUBLIC),
    ],
    Permission.DRAFT: [
        whole(Incident), whole(IncidentUpdate), whole(SavedDraft), whole(ScheduledUpdate),
        whole(Message, Message.incident_id.is_not(None)),
    ],
}  # fmt: skip


@pytest.mark.only_on("sqlite")
def test_nothing_changes_that_a_role_may_not_change(desk: Desk) -> None:
    forms, known = all_forms(desk), prepare(desk)
    faults, wrong = [], []
    answered: Counter[int] = Counter()
    for role in (None, *AccountRole):
        fuzz = Fuzz(desk.app, forms, known, role)
        before = fuzz.state()
        for _ in range(REQUESTS):
            what, status = fuzz.ask()
            answered[status] += 1
            # Without a worker it is not ready, and says so.
            if status >= 500 and "/readyz" not in what:
                faults.append((role, what, status))
        wrong += [(role, name) for name, rows in fuzz.state().items() if rows != before[name]]
    assert (faults, wrong) == ([], [])
    assert {200, 303, 403, 404, 405} <= set(answered)


def prepare(desk: Desk) -> dict[str, list[Any]]:
    """What addresses name, by the kind of their parts; Sam is the one who asks."""
    with desk.app.app_context(), writing() as session:
        session.add(make_account("Sam", SAM))
        subscriber = {"email": "ada@example.com", "address": "ada@example.com"}
        session.add(Subscriber(**subscriber, state=SubscriberState.CONFIRMED))
    with desk.app.app_context():
        kim = current_session().scalars(select(Account).where(_OTHERS)).one()
        api_keys.make_key("CRM sync", actor=acting("Kim", account_id=kim.id))
        session = current_session()
        codes = [Incident.code, IncidentUpdate.code, MaintenanceSeries.code]
        named = [code for column in codes for code in session.scalars(select(column))]
    return {
        "int": [*range(1, 6), 99, 2**31 - 1],
        "text": [*named, "public", "customer", "investigating", "x", "%00", "ü/🙈"],
    }


def sign_in_of(email: str) -> str:
    with writing() as session:
        account = session.scalars(select(Account).filter_by(email=email)).one()
        return sign_ins.begin(session, account)


class Fuzz:
    """Sam in one role, or a stranger for none, who asks for whatever comes to mind."""

    def __init__(
        self,
        app: Flask,
        forms: list[SentForm],
        known: dict[str, list[Any]],
        role: AccountRole | None,
    ) -> None:
        self.app, self.forms, self.known, self.role = app, forms, known, role
        self.dice = random.Random(f"fuzz {role}")
        self.browser = Browser(app)
        self.rules = sorted({rule.rule for rule in app.url_map.iter_rules()})
        self.sign_in()

    def sign_in(self) -> None:
        """Begin a session, whatever ended the one before."""
        if self.role is None:
            return
        with self.app.app_context():
            with writing() as session:
                session.execute(
                    update(Account).filter_by(email=SAM).values(role=self.role, disabled_at=None)
                )
            token = sign_in_of(SAM)
        self.browser.client.set_cookie(
            "__Host-admin_sign_in", token, domain="status.example.com", path="/"
        )

    def ask(self) -> tuple[str, int]:
        """Send one request; what it was, and how it was answered."""
        if self.dice.random() < 0.6:
            form = self.dice.choice(self.forms)
            method, path, values = "POST", form.action, self.bend(form.values)
        else:
            method, path, values = self.dice.choice(METHODS), self.address(), self.bend({})
        headers = {"Sec-Fetch-Site": "same-origin", "Authorization": self.dice.choice(TOKENS)}
        answer = self.browser.client.open(
            path,
            method=method,
            data={**values, "csrf_token": self.browser.token()} if method != "GET" else None,
            headers=headers,
            buffered=True,
        )
        if answer.status_code == 401 or "/admin/login" in answer.headers.get("Location", ""):
            self.sign_in()
        return f"{method} {path}", answer.status_code

    def address(self) -> str:
        """A route with something in each of its places."""

        def fill(place: re.Match[str]) -> str:
            kind = "int" if place[1].startswith("int:") else "text"
            return quote(str(self.dice.choice(self.known[kind])))

        return re.sub("<([^>]+)>", fill, self.dice.choice(self.rules))

    def bend(self, values: Mapping[str, str]) -> dict[str, bytes]:
        """Values of a form with some of them changed, left out or added."""
        bent = dict(values)
        for name in self.dice.sample(sorted(bent), min(len(bent), self.dice.choice((0, 0, 1, 3)))):
            bent[name] = self.dice.choice(TEXTS + MOMENTS)
        for name in ("email", "role", "publish", "visibility", "account_id", "status"):
            if self.dice.random() < 0.1:
                bent[name] = self.dice.choice(["admin", SAM, "1", "public", "resolved"])
        return {name: text.encode("utf-8", "surrogatepass") for name, text in bent.items()}

    def state(self) -> dict[str, list[str]]:
        """The rows that the role may not change, by what is asked for them."""
        mine = ROLES[self.role] if self.role else frozenset()
        with self.app.app_context():
            session = current_session()
            return {
                f"{permission}: {place}": sorted(map(str, session.execute(chosen)))
                for permission, all_chosen in NEEDED.items()
                if permission not in mine
                for place, chosen in enumerate(all_chosen)
            }
