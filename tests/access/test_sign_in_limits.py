from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session
from time_machine import Traveller

from statuspage.access import sign_in_limits, sign_ins
from statuspage.access.sign_in_limits import SignInThrottled
from statuspage.core.errors import Invalid
from statuspage.delivery import account_changes
from statuspage.models import (
    Throttle,
)
from tests.accounts import ADDRESS, KIM, PASSWORD, add_account, fail_to_sign_in


@pytest.fixture
def kim(session: Session) -> int:
    """The id of an account whose password is known."""
    return add_account(KIM)


def test_one_address_is_throttled_whatever_account_it_tries(
    session: Session, kim: int, frozen: Traveller
) -> None:
    for number in range(sign_in_limits.TRIES_BY_ADDRESS):
        assert not isinstance(fail_to_sign_in(f"{number}@example.com"), SignInThrottled)
    frozen.shift(timedelta(minutes=3, seconds=30))
    with pytest.raises(SignInThrottled) as caught:
        sign_ins.sign_in(KIM, PASSWORD, address=ADDRESS)
    assert caught.value.wait == timedelta(minutes=11, seconds=30)
    assert caught.value.reason == "Too many attempts. Wait 12 minutes, then try again."
    assert sign_ins.sign_in(KIM, PASSWORD, address="192.0.2.8")[1].id == kim


def test_one_account_is_throttled_whatever_address_it_is_tried_from(
    kim: int, frozen: Traveller
) -> None:
    for number in range(sign_in_limits.TRIES_BY_ACCOUNT):
        fail_to_sign_in(address=f"198.51.100.{number}")
    assert isinstance(fail_to_sign_in(address="203.0.113.1"), SignInThrottled)
    frozen.shift(timedelta(minutes=15))
    assert sign_ins.sign_in(KIM, PASSWORD, address=ADDRESS)[1].id == kim


def test_waiting_is_not_prolonged_by_trying_again(kim: int, frozen: Traveller) -> None:
    for _ in range(sign_in_limits.TRIES_BY_ADDRESS + 5):
        fail_to_sign_in()
    frozen.shift(timedelta(minutes=14))
    assert isinstance(fail_to_sign_in(), SignInThrottled)
    frozen.shift(timedelta(minutes=1))
    assert sign_ins.sign_in(KIM, PASSWORD, address=ADDRESS)[1].id == kim


def test_one_client_of_ipv6_has_its_whole_network_counted(kim: int) -> None:
    for number in range(sign_in_limits.TRIES_BY_ADDRESS):
        fail_to_sign_in(f"{number}@example.com", address=f"2001:db8:1:2::{number + 1:x}")
    assert isinstance(
        fail_to_sign_in("x@example.com", address="2001:db8:1:2::ffff"), SignInThrottled
    )
    assert not isinstance(
        fail_to_sign_in("x@example.com", address="2001:db8:1:3::1"), SignInThrottled
    )


def test_ipv4_written_as_ipv6_is_the_same_client(kim: int) -> None:
    for number in range(sign_in_limits.TRIES_BY_ADDRESS):
        fail_to_sign_in(f"{number}@example.com", address=ADDRESS)
    assert isinstance(
        fail_to_sign_in("x@example.com", address=f"::ffff:{ADDRESS}"), SignInThrottled
    )


def test_what_was_typed_is_not_kept_with_the_count(session: Session, kim: int) -> None:
    fail_to_sign_in("my secret password")
    assert not any("secret" in key for key in session.scalars(select(Throttle.key)))


def test_signing_in_forgets_the_tries_on_the_account_but_not_of_the_address(
    kim: int, frozen: Traveller
) -> None:
    for _ in range(sign_in_limits.TRIES_BY_ADDRESS - 1):
        fail_to_sign_in()
    sign_ins.sign_in(KIM, PASSWORD, address=ADDRESS)
    assert not isinstance(fail_to_sign_in(), SignInThrottled)
    assert isinstance(fail_to_sign_in(), SignInThrottled)


def test_an_office_behind_one_address_signs_in_as_often_as_it_likes(kim: int) -> None:
    for _ in range(sign_in_limits.TRIES_BY_ADDRESS + sign_in_limits.TRIES_BY_ACCOUNT):
        sign_ins.sign_in(KIM, PASSWORD, address=ADDRESS)
    assert not isinstance(fail_to_sign_in(), SignInThrottled)


def test_strangers_lock_out_no_browser_that_has_signed_in_before(kim: int) -> None:
    browser = sign_in_limits.browser_token(KIM)
    for _ in range(sign_in_limits.TRIES_BY_ACCOUNT):
        fail_to_sign_in()
    assert isinstance(fail_to_sign_in(), SignInThrottled)
    assert sign_ins.sign_in(KIM, PASSWORD, address=ADDRESS, browser=browser)[1].id == kim


@pytest.mark.parametrize("browser", ["", "made.up", "ü.ü", "of sam"])
def test_a_browser_is_known_by_what_it_was_given_for_that_account_alone(
    kim: int, browser: str
) -> None:
    if browser == "of sam":
        browser = sign_in_limits.browser_token("sam@example.com")
    for _ in range(sign_in_limits.TRIES_BY_ADDRESS):
        fail_to_sign_in()
    with pytest.raises(SignInThrottled):
        sign_ins.sign_in(KIM, PASSWORD, address=ADDRESS, browser=browser)


def test_a_known_browser_that_guesses_is_throttled_too(kim: int) -> None:
    browser = sign_in_limits.browser_token(KIM)
    for _ in range(sign_in_limits.TRIES_BY_BROWSER):
        with pytest.raises(Invalid):
            sign_ins.sign_in(KIM, "wrong", address=ADDRESS, browser=browser)
    with pytest.raises(SignInThrottled):
        sign_ins.sign_in(KIM, PASSWORD, address=ADDRESS, browser=browser)
    assert sign_ins.sign_in(KIM, PASSWORD, address=ADDRESS)[1].id == kim


def test_a_password_from_the_command_line_lets_in_whoever_was_locked_out(kim: int) -> None:
    for _ in range(sign_in_limits.TRIES_BY_ACCOUNT):
        fail_to_sign_in()
    password = account_changes.reset_password(KIM)
    assert sign_ins.sign_in(KIM, password, address=ADDRESS)[1].id == kim
