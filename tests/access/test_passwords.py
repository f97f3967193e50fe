from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from statuspage.access import passwords
from statuspage.core.config import load_settings
from tests.accounts import KIM, refusal


@pytest.fixture(autouse=True)
def _settings(tmp_path: Path) -> Iterator[None]:
    """Those of a first start."""
    app = Flask("passwords")
    app.extensions["settings"] = load_settings({"DATA_DIR": str(tmp_path)})
    with app.app_context():
        yield


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


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery staple",
        "vier blaue Lampen im Gang",
        "灯火🙈 im Gang, blau",
        "blaue Lampen " * 15,
    ],
)
def test_words_that_do_not_belong_together_are_taken(password: str) -> None:
    assert passwords.read_password(password, email=KIM, name="Kim") == password


def test_beside_a_second_factor_a_shorter_one_is_taken() -> None:
    short = "blaue Lampen!"
    assert passwords.read_password(short, email=KIM, has_second_factor=True) == short
    with refusal(field="password", reason="Use at least 12 characters"):
        passwords.read_password("blaue Lampe", email=KIM, has_second_factor=True)


# Of 15 characters and more: the heads of published lists of breached ones, and their like.
@pytest.mark.parametrize(
    "password",
    [
        "123456789012345", "1234567890123456", "111111111111111", "passwordpassword",
        "password12345678", "qwertyuiopasdfgh", "qwertyuiop123456", "1q2w3e4r5t6y7u8i",
        "1qaz2wsx3edc4rfv", "zaq12wsxcde34rfv", "qazwsxedcrfvtgb", "zxcvbnmasdfghjkl",
        "abcdefghijklmno", "abcdefghijklmnopqrstuvwxyz", "iloveyouforever", "iloveyoubabygirl",
        "manchesterunited", "thequickbrownfox", "letmeinletmein1", "administrator12345",
        "welcome123welcome", "Summer2026Summer!", "adminadminadmin", "correcthorsebatterystaple",
        "mnbvcxzlkjhgfdsa", "poiuytrewqlkjhgf", "P4ssw0rdP4ssw0rd!", "jesuschrist12345",
        "liverpoolfootball", "0987654321poiuyt", "asdfghjkl1234567",
    ],
)  # fmt: skip
def test_the_most_common_ones_are_refused(password: str) -> None:
    with refusal(field="password", reason="Use a password that is harder to guess"):
        passwords.read_password(password, email=KIM)
