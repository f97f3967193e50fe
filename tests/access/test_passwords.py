from __future__ import annotations

import pytest

from statuspage.access import passwords
from tests.accounts import KIM, refusal


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("short", "Use at least 15 characters"),
        ("fourteen-chars", "Use at least 15 characters"),
        ("Password123456!!", "Use a password that is harder to guess"),
        ("P@ssw0rd-qwertyuiop-1", "Use a password that is harder to guess"),
        ("kim.example.com.2026", "Use a password that is harder to guess"),
        ("x" * 201, "Use at most 200 characters"),
        ("aaaaaaaaaaaaaaa", "Use a password that is harder to guess"),
        ("Kim@Example.com", "Use a password that is harder to guess"),
    ],
)
def test_a_password_that_is_easily_guessed_is_refused(password: str, reason: str) -> None:
    with refusal(field="new", reason=reason):
        passwords.read_password(password, email=KIM, field="new")


@pytest.mark.parametrize("password", ["correct horse battery staple", "vier blaue Lampen im Gang"])
def test_words_that_do_not_belong_together_are_taken(password: str) -> None:
    assert passwords.read_password(password, email=KIM, name="Kim") == password


def test_beside_a_second_factor_a_shorter_one_is_taken() -> None:
    short = "blaue Lampen!"
    assert passwords.read_password(short, email=KIM, has_second_factor=True) == short
    with refusal(field="password", reason="Use at least 12 characters"):
        passwords.read_password("blaue Lampe", email=KIM, has_second_factor=True)
