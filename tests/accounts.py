"""Accounts for tests: made without a mail, and what became of them."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from statuspage.access import passwords, sign_ins
from statuspage.core.config import current_settings
from statuspage.core.db import writing
from statuspage.core.enums import AccountRole, Step
from statuspage.core.errors import Invalid
from statuspage.core.links import account_token
from statuspage.delivery import invitations
from statuspage.models import (
    Account,
    AuditEntry,
    Delivery,
    Message,
)
from tests.actors import acting

ADDRESS = "192.0.2.7"
KIM = "kim@example.com"
PASSWORD = "correct horse battery staple"
ACTOR = acting("Kim")


def add_account(email: str) -> int:
    with writing() as session:
        account = Account(
            email=email,
            role=AccountRole.ADMIN,
            name=email.split("@")[0],
            password_hash=passwords.HASHER.hash(PASSWORD),
        )
        session.add(account)
        session.flush()
        return account.id


def trail(session: Session) -> list[tuple[str, str, str]]:
    return [
        (entry.actor, entry.action, entry.subject)
        for entry in session.scalars(select(AuditEntry).order_by(AuditEntry.id))
    ]


def refusal(*, field: str, reason: str) -> pytest.RaisesExc[Invalid]:
    return pytest.RaisesExc(
        Invalid, check=lambda error: (error.field, error.reason) == (field, reason)
    )


def fail_to_sign_in(email: str = KIM, *, address: str = ADDRESS) -> Invalid:
    with pytest.raises(Invalid) as caught:
        sign_ins.sign_in(email, "wrong", address=address)
    return caught.value


def account_mails(session: Session) -> list[tuple[Delivery, Message]]:
    """The mails about accounts, oldest first."""
    rows = session.execute(
        select(Delivery, Message)
        .join(Message, Message.id == Delivery.message_id)
        .where(Message.step == Step.ACCOUNT)
        .order_by(Delivery.id)
    )
    return [(row[0], row[1]) for row in rows]


def mailed_token(session: Session) -> str:
    """What the link in the newest of them ends in."""
    [*_, (delivery, _)] = account_mails(session)
    return account_token(current_settings().secret_key, delivery.id)


def accept(token: str, *, name: str = "Dana", password: str = PASSWORD) -> Account:
    return invitations.accept_invitation(token, name=name, password=password)
