"""Passkeys of accounts: where they can be used, and what they are asked."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from sqlalchemy.orm import Session

from statuspage.access import passkeys
from statuspage.core.db import writing
from statuspage.core.errors import Invalid
from statuspage.models import Account, Passkey
from tests.accounts import KIM, add_account


@pytest.fixture
def kim(session: Session) -> Account:
    return session.get_one(Account, add_account(KIM))


def keep(account: Account, *names: str) -> None:
    with writing() as session:
        session.add_all(
            Passkey(account_id=account.id, name=name, credential=name, public_key=b"", uses=0)
            for name in names
        )


@pytest.mark.parametrize(
    ("url", "can_be_used"),
    [
        ("https://status.example.com", True),
        ("http://status.example.com", False),
        ("http://localhost:8000", True),
        ("http://127.0.0.1:8000", False),
        ("https://[::1]:8443", False),
    ],
)
def test_browsers_offer_them_by_a_name_under_tls_or_on_this_machine(
    monkeypatch: pytest.MonkeyPatch, url: str, can_be_used: bool
) -> None:
    settings = SimpleNamespace(public_url=url)
    monkeypatch.setattr(passkeys, "current_settings", lambda: settings)
    assert passkeys.can_be_used() is can_be_used


def test_nobody_is_asked_for_a_passkey_where_there_is_none(session: Session, kim: Account) -> None:
    assert passkeys.ask(session, None) == ("", "")
    keep(kim, "AAAA")
    asked, challenge = passkeys.ask(session, kim.id)
    assert '"id": "AAAA"' in asked
    assert challenge
    assert '"allowCredentials": []' in passkeys.ask(session, None)[0]


def test_an_account_has_so_many_passkeys_and_no_more(session: Session, kim: Account) -> None:
    keep(kim, *(f"key {number}" for number in range(passkeys.MOST)))
    with pytest.raises(Invalid, match="You have 20 passkeys"):
        passkeys.add(session, kim, "", challenge="", name="", user_agent="")
