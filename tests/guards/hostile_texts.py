"""Texts of 10,000 characters that are made to be slow to read: one unit again and again."""

from __future__ import annotations

from typing import Final

LENGTH: Final = 10_000

UNITS: Final = (
    "a", "a.", "a-", "1.", "12:", "::", "/", "a@", "#", "[", "[a](", "A ", "Ab.", "\\", "&a", "*",
    "eyJ", "at a:1 ", "0x", "a=", "password is ", "in the next ", "http://", "ab1C", "SELECT ",
    "-----BEGIN A", "Server=", "our provider ", "since 1:00 ", "Kim ", "blue ", "İ", "SEV1 ",
    "1:00 ", "db-1 ", "+1 ", "4242 4242 ", "DE89 3704 ", "0 ", "1-", "(", "a_b", "a_", "A_B ",
    "https://a?a=", "https://a.b/", "select a, ", "level=error ", "admin:", "token ", "a1/", "é",
    "branch ", "feature/", "a:1.0.", "@sha256:", "deadbeef", "0a", "the a-b channel ", "msg=",
    "will ", "by 10:00 ", "seit ", "avant ", "次回", "まで", "قبل ", "未定", "！", "A'B ", "{a=",
    "sum(", "x{a=~", "Aa::", "aB()", "a@b.", "@a", "#aa ", "PagerDuty incident ", "INC-", "ops-1 ",
    "/d/a", "/job/a/", "localhost:", "http://a ", "\\\\a\\", "C:\\", "/etc/", "a.py:", "3.4.5-g",
    "born 1", "SSN ", "IBAN ", "00", "AKIA", "xoxb-", "sk-", "?sig=", "Bearer ", "Cookie: a=",
    "as soon ", "maybe ", "caused by ", "ACHTUNG ", "!!", "insert a here ", "[time]", "{{",
)  # fmt: skip

HOSTILE: Final = tuple((unit * LENGTH)[:LENGTH] for unit in UNITS)
