"""Rows of a customers' file, from whatever program wrote it."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from tests.recipients.conftest import counts, stored, take, the_customer


@pytest.mark.parametrize(
    "data",
    [
        "Email Address,First Name,Last Name\nana@example.com,Ana,Ruiz\n",
        "E-mail Address,Surname,Given name\nana@example.com,Ruiz,Ana\n",
        "sep=;\r\nEmail;Name\r\nana@example.com;Ana Ruiz\r\n",
        '\ufeff"sep=|"\nMail|Full Name\nana@example.com|Ana Ruiz\n',
        '"email", "name"\n"ana@example.com", "Ana Ruiz"\n',
        '"email" ; "name"\n"ana@example.com" ; "Ana Ruiz" \n',
        "email,name,company\nana@example.com,Ana Ruiz\n",
        "email,name\nana@example.com,Ana Ruiz,,\n",
        "email,name,first_name\nana@example.com,Ana Ruiz,A.\n",
    ],
)
def test_the_shapes_that_address_books_and_spreadsheets_write_are_read(
    session: Session, shop: dict[str, int], data: str
) -> None:
    report = take(data)
    assert counts(report) == (1, 0, 0, 0)
    assert stored(session) == [("ana@example.com", "Ana Ruiz")]


def test_a_row_that_ends_early_leaves_the_rest_alone(
    session: Session, shop: dict[str, int]
) -> None:
    take("email,name,company\nana@example.com,Ana,Tea\n")
    take("email,name,company\nana@example.com,Ana Ruiz\n")
    assert (the_customer(session).name, the_customer(session).company) == ("Ana Ruiz", "Tea")


def test_lines_are_numbered_as_in_the_file_under_a_sep_line_too(shop: dict[str, int]) -> None:
    report = take("sep=;\nemail;name\nbad;Ana\n")
    assert [error.line for error in report.errors] == [3]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_the_file_may_come_from_any_spreadsheet(
    session: Session, shop: dict[str, int], delimiter: str, encoding: str
) -> None:
    rows = (("E-Mail", "Name", "Components"), ("jo@example.com", "Jörg", '"Checkout;Shop/API"'))
    data = "\r\n".join(delimiter.join(row) for row in rows).encode(encoding)
    report = take(data)

    assert (counts(report), report.notes) == ((1, 0, 0, 0), ())
    assert stored(session) == [("jo@example.com", "Jörg")]
    assert len(the_customer(session).components) == 2


def test_a_row_that_is_not_utf_8_is_named(session: Session, shop: dict[str, int]) -> None:
    report = take("email,name\njo@example.com,Jörg\n".encode("latin-1") + b"bo@example.com,Bo\n")

    assert [str(error) for error in report.errors] == [
        "line 2: name 'Jörg': This is not UTF-8; save the file as UTF-8"
    ]
    assert stored(session) == [("bo@example.com", "Bo")]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ("", "The first line must name the columns, email among them: "),
        ("name,company\nAna,Tea\n", "The first line must name the columns, email among them: "),
        ("email,Email\na@example.com,b@example.com\n", "This column is there twice"),
    ],
)
def test_a_header_that_is_no_use_ends_the_import(
    session: Session, shop: dict[str, int], data: str, reason: str
) -> None:
    report = take(data)

    (error,) = report.errors
    assert (error.line, error.field, error.reason.partition("email,")[0]) == (1, "header", reason)
    assert stored(session) == []


@pytest.mark.parametrize("begins", [b"PK\x03\x04", b"\xd0\xcf\x11\xe0"])
def test_a_spreadsheets_own_file_is_named_as_such(
    session: Session, shop: dict[str, int], begins: bytes
) -> None:
    (error,) = take(begins + bytes(range(256))).errors
    assert str(error) == (
        "line 1: This is a spreadsheet's own file; save it as CSV (UTF-8), and choose that one"
    )


def test_lines_are_counted_as_an_editor_counts_them(session: Session, shop: dict[str, int]) -> None:
    report = take('email,name\n\nana@example.com,"Ana\nMaria"\nbad,Bo\n')

    assert [error.line for error in report.errors] == [5]
    assert stored(session) == [("ana@example.com", "Ana Maria")]
