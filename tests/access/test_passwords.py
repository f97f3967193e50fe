from __future__ import annotations

import pytest

from statuspage.access import passwords
from tests.accounts import KIM, refusal


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("short", "Use at least 12 characters"),
        ("x" * 201, "Use at most 200 characters"),
        ("aaaaaaaaaaaaaaa", "Use a password that is harder to guess"),
        ("Kim@Example.com", "Use a password that is harder to guess"),
    ],
)
def test_a_password_that_is_easily_guessed_is_refused(password: str, reason: str) -> None:
    with refusal(field="new", reason=reason):
        passwords.read_password(password, email=KIM, field="new")
