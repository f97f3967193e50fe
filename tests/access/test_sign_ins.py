from __future__ import annotations

import logging
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session
from time_machine import Traveller

from statuspage.access import accounts, passwords, sign_in_limits, sign_ins
from statuspage.core import clock
from statuspage.core.db import writing
from statuspage.core.enums import AccountRole
from statuspage.core.errors import Invalid
from statuspage.delivery import invitations
from statuspage.models import (
    Account,
    Contact,
    SignIn,
    Throttle,
)
from tests.accounts import (
    ACTOR,
    ADDRESS,
    KIM,
    PASSWORD,
    accept,
    add_account,
    fail_to_sign_in,
    refusal,
    trail,
)
from tests.actors import acting
from tests.factories import NOON

UNKNOWN = "Unknown browser"


@pytest.fixture
def kim(session: Session) -> int:
    """The id of an account whose password is known."""
    return add_account(KIM)


def test_a_sign_in_lasts_twelve_hours(session: Session, kim: int, frozen: Traveller) -> None:
    token, _ = sign_ins.sign_in(KIM, PASSWORD, address=ADDRESS)
    use_for(session, token, timedelta(hours=12) - timedelta(seconds=1), frozen)
    found = sign_ins.find_sign_in(session, token)
    assert found is not None
    assert found.account_id == kim
    session.rollback()
    frozen.shift(timedelta(seconds=1))
    assert sign_ins.find_sign_in(session, token) is None


def use_for(session: Session, token: str, time: timedelta, frozen: Traveller) -> None:
    """Let time pass in which a browser asks once an hour."""
    while time > timedelta():
        step = min(time, timedelta(hours=1))
        frozen.shift(step)
        time -= step
        found = sign_ins.find_sign_in(session, token)
        assert found is not None
        sign_ins.note_use(found)


def test_a_sign_in_that_nobody_uses_ends_earlier(
    session: Session, kim: int, frozen: Traveller
) -> None:
    token, _ = sign_ins.sign_in(KIM, PASSWORD, address=ADDRESS)
    frozen.shift(timedelta(hours=2) - timedelta(seconds=1))
    found = sign_ins.find_sign_in(session, token)
    assert found is not None
    session.rollback()
    frozen.shift(timedelta(seconds=1))
    assert sign_ins.find_sign_in(session, token) is None


def test_use_is_kept_at_most_once_a_minute(session: Session, kim: int, frozen: Traveller) -> None:
    token, _ = sign_ins.sign_in(KIM, PASSWORD, address=ADDRESS)
    seen = []
    for _ in range(3):
        frozen.shift(timedelta(seconds=40))
        found = sign_ins.find_sign_in(session, token)
        assert found is not None
        sign_ins.note_use(found)
        seen.append(found.seen_at)
    assert seen == [NOON, NOON + timedelta(seconds=80), NOON + timedelta(seconds=80)]


def test_a_session_says_where_it_is_and_can_be_ended_by_its_owner_alone(
    session: Session, kim: int
) -> None:
    agent = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"
    lost, _ = sign_ins.sign_in(KIM, PASSWORD, address=ADDRESS, user_agent=agent)
    sign_ins.sign_in(KIM, PASSWORD, address=ADDRESS)
    [first] = [one for one in sign_ins.open_sign_ins(session, kim) if one.browser != UNKNOWN]
    assert (first.address, first.browser) == (ADDRESS, "Firefox on Linux")
    sign_ins.end_sign_in(first.id, actor=acting("Sam", account_id=kim + 1))
    assert sign_ins.find_sign_in(session, lost) is not None
    sign_ins.end_sign_in(first.id, actor=acting("Kim", account_id=kim))
    assert sign_ins.find_sign_in(session, lost) is None
    assert [one.browser for one in sign_ins.open_sign_ins(session, kim)] == [UNKNOWN]


def test_the_password_once_more_gives_the_session_another_token(
    session: Session, kim: int, frozen: Traveller
) -> None:
    before, _ = sign_ins.sign_in(KIM, PASSWORD, address=ADDRESS)
    frozen.shift(timedelta(minutes=20))
    actor = acting("Kim", account_id=kim)
    after = sign_ins.prove(before, PASSWORD, address=ADDRESS, actor=actor)
    assert sign_ins.find_sign_in(session, before) is None
    found = sign_ins.find_sign_in(session, after)
    assert found is not None
    assert found.proved_at == NOON + timedelta(minutes=20)
    with refusal(field="password", reason="This is not your password"):
        sign_ins.prove(after, "wrong", address=ADDRESS, actor=actor)
    with refusal(field="password", reason="Your sign-in has ended. Sign in again"):
        sign_ins.prove(before, PASSWORD, address=ADDRESS, actor=actor)


def test_the_token_itself_is_kept_nowhere(session: Session, kim: int) -> None:
    token, _ = sign_ins.sign_in(KIM, PASSWORD, address=ADDRESS)
    assert token not in session.scalars(select(SignIn.token_hash)).one()
    assert len(token) == 43  # 256 bits as base64url


def test_an_address_is_the_same_however_its_domain_is_written(session: Session) -> None:
    email, password = accounts.create_first("admin@störung.example")
    assert email == "admin@xn--strung-xxa.example"
    for typed in (email, "Admin@STÖRUNG.example", "admin@störung.example"):
        assert sign_ins.sign_in(typed, password, address=ADDRESS)[1].email == email
    with writing() as session:
        contact = Contact(name="Dana", email="Dana@Störung.example")
        session.add(contact)
    _, token = invitations.invite("dana@störung.example", AccountRole.RESPONDER, actor=ACTOR)
    account = accept(token)
    assert (account.email, account.contact_id) == ("dana@xn--strung-xxa.example", contact.id)


def test_a_mail_address_may_be_typed_as_it_comes(kim: int) -> None:
    assert sign_ins.sign_in("  KIM@example.COM ", PASSWORD, address=ADDRESS)[1].id == kim


@pytest.mark.parametrize(
    ("email", "password"),
    [(KIM, "wrong"), ("nobody@example.com", PASSWORD), ("", ""), (KIM, ""), (KIM, "x" * 10_000)],
)
def test_a_refusal_does_not_say_which_half_was_wrong(kim: int, email: str, password: str) -> None:
    with refusal(field="password", reason="Wrong email or password"):
        sign_ins.sign_in(email, password, address=ADDRESS)


def test_an_unknown_account_takes_as_many_hashes_as_a_known_one(
    kim: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    passwords.hash_of_nobody()
    compared: list[str] = []
    matches = passwords.matches

    def count(hashed: str, password: str) -> bool:
        compared.append(hashed)
        return matches(hashed, password)

    monkeypatch.setattr(passwords, "matches", count)
    fail_to_sign_in(KIM)
    fail_to_sign_in("nobody@example.com")
    assert len(compared) == 2
    assert {hashed.split("$")[3] for hashed in compared} == {"m=8,t=1,p=1"}


def test_a_refused_sign_in_is_logged_with_its_address(
    kim: int, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        fail_to_sign_in()
    assert [record.getMessage() for record in caplog.records] == [
        "a sign-in was refused, from 192.0.2.7"
    ]


def test_a_password_does_not_expire(kim: int, frozen: Traveller) -> None:
    frozen.shift(timedelta(days=4_000))
    assert sign_ins.sign_in(KIM, PASSWORD, address=ADDRESS)[1].id == kim


def test_an_old_hash_is_made_anew_at_the_next_sign_in(session: Session, kim: int) -> None:
    old = passwords.PasswordHasher(time_cost=2, memory_cost=8, parallelism=1).hash(PASSWORD)
    with writing() as session:
        session.get_one(Account, kim).password_hash = old
    sign_ins.sign_in(KIM, PASSWORD, address=ADDRESS)
    assert "t=1" in session.get_one(Account, kim).password_hash


def test_an_account_whose_hash_is_damaged_cannot_sign_in(kim: int) -> None:
    with writing() as session:
        session.get_one(Account, kim).password_hash = "?"
    fail_to_sign_in()


def test_old_counts_and_sign_ins_are_cleared_away(
    session: Session, kim: int, frozen: Traveller
) -> None:
    fail_to_sign_in("x@example.com", address="203.0.113.9")
    sign_ins.sign_in(KIM, PASSWORD, address=ADDRESS)
    frozen.shift(timedelta(days=40))
    sign_ins.sign_in(KIM, PASSWORD, address=ADDRESS)
    assert len(session.scalars(select(SignIn)).all()) == 1
    assert len(session.scalars(select(Throttle)).all()) == 1


def test_signing_out_ends_this_sign_in_alone(session: Session, kim: int) -> None:
    first, _ = sign_ins.sign_in(KIM, PASSWORD, address=ADDRESS)
    second, _ = sign_ins.sign_in(KIM, PASSWORD, address=ADDRESS)
    sign_ins.sign_out(first, actor=ACTOR)
    assert sign_ins.find_sign_in(session, first) is None
    assert sign_ins.find_sign_in(session, second) is not None


def test_signing_out_twice_is_one_act(session: Session, kim: int) -> None:
    token, _ = sign_ins.sign_in(KIM, PASSWORD, address=ADDRESS)
    sign_ins.sign_out(token, actor=ACTOR)
    sign_ins.sign_out(token, actor=ACTOR)
    assert [action for _, action, _ in trail(session)] == ["account.sign_in", "account.sign_out"]


def test_signing_out_everywhere_ends_all_of_one_account(session: Session, kim: int) -> None:
    add_account("sam@example.com")
    tokens = [sign_ins.sign_in(KIM, PASSWORD, address=ADDRESS)[0] for _ in range(2)]
    other, _ = sign_ins.sign_in("sam@example.com", PASSWORD, address=ADDRESS)
    sign_ins.sign_out_everywhere(kim, actor=ACTOR)
    assert [sign_ins.find_sign_in(session, token) for token in tokens] == [None, None]
    assert sign_ins.find_sign_in(session, other) is not None


def test_each_account_shows_its_newest_sign_in(
    session: Session, kim: int, frozen: Traveller
) -> None:
    sign_ins.sign_in(KIM, PASSWORD, address=ADDRESS)
    frozen.shift(timedelta(hours=1))
    sign_ins.sign_in(KIM, PASSWORD, address=ADDRESS)
    assert sign_ins.last_sign_ins(session)[kim].created_at == clock.now()


class TestNewBrowsers:
    """What the owner of an account is told of."""

    @pytest.fixture(autouse=True)
    def _used_once(self, frozen: Traveller, kim: int) -> None:
        self.told: list[tuple[str, str]] = []
        sign_ins.sign_in(KIM, PASSWORD, address=ADDRESS, notify=self._note)

    def _note(self, _: Session, email: str, *, browser: str, address: str) -> None:
        assert email == KIM
        self.told.append((browser, address))

    def test_the_first_one_of_a_new_account_is_no_news(self) -> None:
        assert self.told == []

    def test_one_that_was_never_used_for_the_account_is_told_of(self) -> None:
        agent = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"
        others = sign_in_limits.browser_token("sam@example.com")
        sign_ins.sign_in(
            KIM, PASSWORD, address=ADDRESS, browser=others, user_agent=agent, notify=self._note
        )
        assert self.told == [("Firefox on Linux", ADDRESS)]

    def test_one_that_the_account_was_used_in_is_not(self) -> None:
        known = sign_in_limits.browser_token(KIM)
        sign_ins.sign_in(KIM, PASSWORD, address=ADDRESS, browser=known, notify=self._note)
        assert self.told == []

    def test_a_wrong_password_is_not(self) -> None:
        with pytest.raises(Invalid):
            sign_ins.sign_in(KIM, "wrong", address=ADDRESS, notify=self._note)
        assert self.told == []

    def test_an_account_that_nobody_used_for_long_is_no_new_one(self, frozen: Traveller) -> None:
        frozen.shift(timedelta(days=60))
        sign_ins.sign_in(KIM, PASSWORD, address=ADDRESS, notify=self._note)
        assert self.told == [(UNKNOWN, ADDRESS)]
