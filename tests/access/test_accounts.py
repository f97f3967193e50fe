from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from statuspage.access import accounts, sign_ins
from statuspage.core import clock
from statuspage.core.db import writing
from statuspage.core.errors import Invalid
from statuspage.delivery import account_changes
from statuspage.models import (
    Account,
    AuditEntry,
)
from tests.accounts import ACTOR, ADDRESS, KIM, PASSWORD, add_account, refusal, trail
from tests.actors import acting


@pytest.fixture
def kim(session: Session) -> int:
    """The id of an account whose password is known."""
    return add_account(KIM)


def test_the_first_account_is_given_a_password_that_nobody_else_has(session: Session) -> None:
    email, password = accounts.create_first("Kim@Example.com", name="Kim")
    _, account = sign_ins.sign_in(email, password, address=ADDRESS)
    assert (email, account.email, account.name) == (KIM, KIM, "Kim")
    assert len(password) == 24
    assert len(set(password.replace("-", ""))) > 8
    assert trail(session)[0] == ("command line", "account.create", KIM)


def test_there_is_a_first_account_only_once(kim: int) -> None:
    with pytest.raises(Invalid):
        accounts.create_first("other@example.com")


def test_a_disabled_account_does_not_open_the_door_for_a_first_one(
    session: Session, kim: int
) -> None:
    with writing() as session:
        session.get_one(Account, kim).disabled_at = clock.now()
    assert not accounts.any_account(session)
    with pytest.raises(Invalid):
        accounts.create_first("other@example.com")


def test_names_are_given_for_those_who_have_one(session: Session, kim: int) -> None:
    other = add_account("ada@example.com")
    assert accounts.names_of(session, [kim, other, None, 999]) == {kim: "kim", other: "ada"}


def test_a_new_name_is_kept_with_the_old_one_in_the_trail(session: Session, kim: int) -> None:
    accounts.rename(kim, name="  Kim   Lee ", actor=ACTOR)
    accounts.rename(kim, name="Kim Lee", actor=ACTOR)
    entry = session.scalars(select(AuditEntry)).one()
    assert (entry.action, entry.before, entry.after) == (
        "account.rename",
        {"name": "kim"},
        {"name": "Kim Lee"},
    )


@pytest.mark.parametrize(
    ("name", "reason"), [(" ", "Enter a name"), ("x" * 201, "Use at most 200 characters")]
)
def test_a_name_must_be_one(kim: int, name: str, reason: str) -> None:
    with refusal(field="name", reason=reason):
        accounts.rename(kim, name=name, actor=ACTOR)


def test_each_account_has_a_zone_and_a_language_of_dates(session: Session, kim: int) -> None:
    for _ in range(2):  # once in the trail
        accounts.change_times(
            time_zone="Europe/Berlin", date_language="de", actor=acting("Kim", account_id=kim)
        )
    kept, entry = session.get_one(Account, kim), session.scalars(select(AuditEntry)).one()
    assert (kept.time_zone, kept.date_language) == ("Europe/Berlin", "de")
    assert (entry.action, entry.before) == (
        "account.change_times",
        {"time_zone": None, "date_language": "en"},
    )


@pytest.mark.parametrize(
    ("zone", "language", "field", "reason"),
    [
        (
            "Mars/Base",
            "en",
            "time_zone",
            "'Mars/Base' is not a time zone; pick one like Europe/Berlin or UTC",
        ),
        (None, "tlh", "date_language", "Pick one from the list"),
    ],
)
def test_zone_and_language_must_be_offered(
    kim: int, zone: str | None, language: str, field: str, reason: str
) -> None:
    with refusal(field=field, reason=reason):
        accounts.change_times(
            time_zone=zone, date_language=language, actor=acting("Kim", account_id=kim)
        )


def test_an_enabled_account_has_its_password_again(session: Session, kim: int) -> None:
    sam = add_account("sam@example.com")
    account_changes.disable(sam, actor=ACTOR)
    accounts.enable(sam, actor=ACTOR)
    accounts.enable(sam, actor=ACTOR)
    assert sign_ins.sign_in("sam@example.com", PASSWORD, address=ADDRESS)[1].id == sam
    assert [action for _, action, _ in trail(session)].count("account.enable") == 1


def test_active_accounts_are_listed_first(session: Session, kim: int) -> None:
    account_changes.disable(add_account("alex@example.com"), actor=ACTOR)
    add_account("sam@example.com")
    assert [account.name for account in accounts.all_accounts(session)] == ["kim", "sam", "alex"]
