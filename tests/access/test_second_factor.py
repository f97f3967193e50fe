"""Codes of an authenticator app, and recovery codes."""

from __future__ import annotations

import re
from datetime import timedelta

import pyotp
import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session
from time_machine import Traveller

from statuspage.access import second_factor, sign_in_limits, sign_ins
from statuspage.access.audit import Actor
from statuspage.core import clock
from statuspage.core.errors import Invalid
from statuspage.delivery import account_changes
from statuspage.models import Account, RecoveryCode
from tests.accounts import ADDRESS, KIM, PASSWORD, account_mails, add_account, refusal
from tests.actors import acting

WRONG = "This code is wrong, or was used already"


@pytest.fixture
def kim(session: Session, frozen: Traveller) -> Actor:
    """Somebody with an account."""
    return acting("Kim", account_id=add_account(KIM))


def mine(session: Session) -> Account:
    session.rollback()
    return session.scalars(select(Account)).one()


def set_up(session: Session, kim: Actor) -> tuple[pyotp.TOTP, list[str]]:
    """An app that counts, and the recovery codes; its first code is used up."""
    app = pyotp.TOTP(second_factor.propose_secret(actor=kim))
    _, codes = account_changes.confirm_second_factor(
        app.at(clock.now()), address=ADDRESS, actor=kim
    )
    return app, codes


def waiting() -> str:
    token, _ = sign_ins.sign_in(KIM, PASSWORD, address=ADDRESS)
    return token


def finish(code: str) -> str:
    token, _ = sign_ins.finish_sign_in(waiting(), code, address=ADDRESS)
    return token


def test_an_app_counts_from_its_first_code_on(session: Session, kim: Actor) -> None:
    secret = second_factor.propose_secret(actor=kim)
    assert second_factor.proposed_secret(mine(session)) == secret
    assert not second_factor.has_second_factor(mine(session))
    with refusal(field="code", reason="This is not the code that the app shows now"):
        account_changes.confirm_second_factor("000000", address=ADDRESS, actor=kim)
    account_changes.confirm_second_factor(
        pyotp.TOTP(secret).at(clock.now()), address=ADDRESS, actor=kim
    )
    assert second_factor.has_second_factor(mine(session))
    assert second_factor.proposed_secret(mine(session)) == ""
    [(delivery, message)] = account_mails(session)
    assert (delivery.address, message.subject) == (KIM, "Your second factor was changed")


def test_the_secret_is_kept_encrypted(session: Session, kim: Actor) -> None:
    secret = second_factor.propose_secret(actor=kim)
    assert secret not in (mine(session).totp_secret or "")
    address = second_factor.provisioning_address(mine(session), secret, service="Acme")
    assert address == f"otpauth://totp/Acme:kim%40example.com?secret={secret}&issuer=Acme"


def test_the_password_alone_opens_nothing(session: Session, kim: Actor, frozen: Traveller) -> None:
    app, _ = set_up(session, kim)
    token = waiting()
    assert sign_ins.find_sign_in(session, token) is None
    session.rollback()
    frozen.shift(timedelta(seconds=30))
    fresh, _ = sign_ins.finish_sign_in(token, app.at(clock.now()), address=ADDRESS)
    assert sign_ins.find_sign_in(session, fresh) is not None
    assert sign_ins.find_sign_in(session, token) is None


def test_a_new_browser_is_told_of_once_the_code_is_right(
    session: Session, kim: Actor, frozen: Traveller
) -> None:
    app, _ = set_up(session, kim)
    told = []

    def note(_: Session, email: str, *, browser: str, address: str) -> None:
        told.append((email, browser, address))

    token, _ = sign_ins.sign_in(KIM, PASSWORD, address=ADDRESS, user_agent="Lynx", notify=note)
    assert told == []
    frozen.shift(timedelta(seconds=30))
    sign_ins.finish_sign_in(token, app.at(clock.now()), address=ADDRESS, notify=note)
    assert told == [(KIM, "Lynx", ADDRESS)]


def test_a_code_is_taken_once(session: Session, kim: Actor, frozen: Traveller) -> None:
    app, _ = set_up(session, kim)
    frozen.shift(timedelta(seconds=30))
    code = app.at(clock.now())
    finish(code)
    with refusal(field="code", reason=WRONG):
        finish(code)


@pytest.mark.parametrize(
    ("steps", "is_taken"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)]
)
def test_clocks_may_be_half_a_minute_apart(
    session: Session, kim: Actor, frozen: Traveller, steps: int, is_taken: bool
) -> None:
    app, _ = set_up(session, kim)
    frozen.shift(timedelta(minutes=10))
    code = app.at(clock.now() + timedelta(seconds=30 * steps))
    if is_taken:
        assert finish(code)
        return
    with refusal(field="code", reason=WRONG):
        finish(code)


def test_a_recovery_code_is_taken_once_and_kept_as_a_hash(session: Session, kim: Actor) -> None:
    _, codes = set_up(session, kim)
    assert len(set(codes)) == 10
    assert all(re.fullmatch("([a-z2-9]{4}-){5}[a-z2-9]{4}", code) for code in codes)
    assert not set(codes) & set(session.scalars(select(RecoveryCode.code_hash)))
    finish(f" {codes[3].upper()} ")
    assert second_factor.codes_left(session, mine(session).id) == 9
    with refusal(field="code", reason=WRONG):
        finish(codes[3])


def test_new_recovery_codes_replace_those_from_before(session: Session, kim: Actor) -> None:
    _, old = set_up(session, kim)
    new = account_changes.renew_recovery_codes(actor=kim)
    with refusal(field="code", reason=WRONG):
        finish(old[0])
    assert finish(new[0])


def test_codes_are_not_guessed(session: Session, kim: Actor) -> None:
    _, codes = set_up(session, kim)
    for _ in range(sign_in_limits.TRIES_BY_ADDRESS):
        with pytest.raises(Invalid):
            finish("000000")
    with pytest.raises(sign_in_limits.SignInThrottled):
        finish(codes[0])


def test_who_waits_too_long_begins_again(session: Session, kim: Actor, frozen: Traveller) -> None:
    _, codes = set_up(session, kim)
    token = waiting()
    frozen.shift(timedelta(minutes=10))
    with refusal(field="form", reason="Too much time has passed. Sign in again"):
        sign_ins.finish_sign_in(token, codes[0], address=ADDRESS)


def test_removing_it_ends_every_other_session(session: Session, kim: Actor) -> None:
    _, codes = set_up(session, kim)
    other = finish(codes[0])
    token = account_changes.remove_second_factor(address=ADDRESS, actor=kim)
    assert sign_ins.find_sign_in(session, other) is None
    assert sign_ins.find_sign_in(session, token) is not None
    assert not second_factor.has_second_factor(mine(session))
    assert sign_ins.find_sign_in(session, waiting()) is not None


def test_the_command_for_the_last_way_in_takes_it_away(session: Session, kim: Actor) -> None:
    set_up(session, kim)
    password = account_changes.reset_password(KIM)
    token, _ = sign_ins.sign_in(KIM, password, address=ADDRESS)
    assert sign_ins.find_sign_in(session, token) is not None


class TestRequired:
    @pytest.fixture
    def environ(self, environ: dict[str, str]) -> dict[str, str]:
        return environ | {"REQUIRE_SECOND_FACTOR": "admin comms_lead"}

    def test_a_role_that_needs_it_keeps_it(self, session: Session, kim: Actor) -> None:
        set_up(session, kim)
        with refusal(field="form", reason="Your role needs a second factor"):
            account_changes.remove_second_factor(address=ADDRESS, actor=kim)
