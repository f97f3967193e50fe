from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from statuspage.core.db import writing
from statuspage.core.errors import Invalid
from statuspage.models import AuditEntry, Component, Customer
from statuspage.recipients import customer_csv, customers
from statuspage.recipients.customer_csv import Intake
from statuspage.recipients.customer_csv_rows import Cells
from statuspage.recipients.customers import CustomerValues
from tests.recipients.conftest import ACTOR, counts, stored, take, the_customer

HEADER = "email,name,company,components,language,time_zone,key,contractual\n"
EVERYTHING = HEADER.strip() + ",tags\n"


def export(session: Session) -> str:
    return "".join(customer_csv.export_customers(session))


# --- addresses -----------------------------------------------------------------------------------


# --- importing -----------------------------------------------------------------------------------


def test_customers_come_in_with_everything_that_is_known_of_them(
    session: Session, shop: dict[str, int]
) -> None:
    row = "Ana@Example.com,Ana Lima,Lima Tea,checkout; Platform / API,pt-BR,America/Lima,K1,yes,"
    report = take(EVERYTHING + row + "EU;gold; eu")

    customer = the_customer(session)
    assert counts(report) == (1, 0, 0, 0)
    assert customers.describe(customer) == {
        "email": "Ana@Example.com",
        "key": "K1",
        "name": "Ana Lima",
        "company": "Lima Tea",
        "language": "pt_BR",
        "time_zone": "America/Lima",
        "contractual": True,
        "tags": "eu; gold",
        "components": sorted([shop["checkout"], shop["platform_api"]]),
    }
    assert (customer.address, customer.all_components) == ("ana@example.com", False)


def test_importing_again_changes_nothing(session: Session, shop: dict[str, int]) -> None:
    data = HEADER + "ana@example.com,Ana,,Checkout,,,,\nbo@example.com,Bo,,,,,K2,\n"
    take(data)

    assert counts(take(data)) == (0, 0, 2, 0)
    assert len(stored(session)) == 2


def test_a_changed_row_updates_the_customer_with_its_key(
    session: Session, shop: dict[str, int]
) -> None:
    take("email,name,key\nana@example.com,Ana,K1\n")
    report = take("email,name,key\nana.lima@example.com,Ana Lima,K1\n")

    assert counts(report) == (0, 1, 0, 0)
    assert stored(session) == [("ana.lima@example.com", "Ana Lima")]


def test_a_changed_row_without_a_key_updates_the_customer_with_its_address(
    session: Session, shop: dict[str, int]
) -> None:
    take("email,name,key\nana@example.com,Ana,K1\n")
    report = take("name,EMAIL\nAna Lima,ANA@example.com\n")

    assert counts(report) == (0, 1, 0, 0)
    assert (the_customer(session).key, the_customer(session).email) == ("K1", "ANA@example.com")


def test_a_customer_without_a_key_is_given_one(session: Session, shop: dict[str, int]) -> None:
    take("email\nana@example.com\n")

    assert counts(take("email,key\nana@example.com,K1\n")) == (0, 1, 0, 0)
    assert the_customer(session).key == "K1"


def test_a_column_that_is_absent_leaves_what_is_known_alone(
    session: Session, shop: dict[str, int]
) -> None:
    take(HEADER + "ana@example.com,Ana,Tea,Checkout,de,Europe/Berlin,K1,yes\n")
    take("email,name\nana@example.com,Ana Lima\n")

    customer = the_customer(session)
    assert (customer.name, customer.company, customer.language) == ("Ana Lima", "Tea", "de")
    assert [link.component_id for link in customer.components] == [shop["checkout"]]


def test_an_empty_cell_empties_what_is_known_except_the_key(
    session: Session, shop: dict[str, int]
) -> None:
    take(HEADER + "ana@example.com,Ana,Tea,Checkout,de,Europe/Berlin,K1,yes\n")
    take(HEADER + "ana@example.com,,,,,,,\n")

    customer = the_customer(session)
    assert (customer.name, customer.company, customer.language, customer.time_zone) == (
        "", "", "en", None,
    )  # fmt: skip
    assert (customer.key, customer.contractual, customer.all_components) == ("K1", False, True)
    assert customer.components == []


@pytest.mark.parametrize(
    ("row", "field", "reason"),
    [
        ("ana@,,,,,,,", "email", "There must be something after the @-sign"),
        (",Ana,,,,,,", "email", "There’s no email address"),
        ("ana@example.com,,,Basket,,,,", "components", "There is no component 'Basket'"),
        (
            "ana@example.com,,,API,,,,",
            "components",
            "2 components are called 'API'; name the group",
        ),
        (
            "ana@example.com,,,,Klingon,,,",
            "language",
            "'Klingon' is not a language; write one like en or pt-BR",
        ),
        (
            "ana@example.com,,,,,Mars/Base,,",
            "time_zone",
            "'Mars/Base' is not a time zone; pick one like Europe/Berlin or UTC",
        ),
        ("ana@example.com,,,,,,,maybe", "contractual", "Write yes or no"),
        (f"ana@example.com,{'x' * 501},,,,,,", "name", "It has 501 characters; 500 are the most"),
        ("ana@example.com,Ana,,,en,,,no,more", "", "It has 9 fields, the header has 8"),
        (",Ana", "email", "There’s no email address"),
        (
            "ana@example.com,#NAME?",
            "name",
            "This is what a spreadsheet writes where it has no value to show",
        ),
        (
            "ana@example.com,Ana,,,,,1.23457E+17",
            "key",
            "A spreadsheet rounded this number; format the column as text",
        ),
        (
            "ana@example.com,Ana,,,,,1E+05",
            "key",
            "A spreadsheet rounded this number; format the column as text",
        ),
        (
            f"ana@example.com,{'x' * 10**7},,,,,,",
            "",
            "A field has more than 131,072 characters",
        ),
        (
            'ana@example.com,"Ana,,,,,,',
            "",
            "A quotation mark opens here and never closes; nothing after it was read",
        ),
    ],
)
def test_a_bad_row_is_named_and_the_good_ones_go_in(
    session: Session, shop: dict[str, int], row: str, field: str, reason: str
) -> None:
    report = take(HEADER + "bo@example.com,Bo,,,,,,\n" + row)

    (error,) = report.errors
    assert (error.line, error.field, error.reason) == (3, field, reason)
    assert stored(session) == [("bo@example.com", "Bo")]


def test_every_bad_field_of_a_row_is_named(session: Session, shop: dict[str, int]) -> None:
    report = take(HEADER + "ana@,,,Basket,,,,\n")

    assert [str(error) for error in report.errors] == [
        "line 2: email 'ana@': There must be something after the @-sign",
        "line 2: components 'Basket': There is no component 'Basket'",
    ]


def test_a_row_whose_key_and_address_belong_to_two_customers_is_refused(
    session: Session, shop: dict[str, int]
) -> None:
    take("email,name,key\nana@example.com,Ana,K1\nbo@example.com,Bo,K2\n")
    report = take("email,name,key\nbo@example.com,Ana,K1\nbo@example.com,Cy,K3\n")

    assert [(error.line, error.reason) for error in report.errors] == [
        (2, "This address belongs to the customer with key 'K2'"),
        (3, "This address belongs to the customer with key 'K2'"),
    ]
    assert stored(session) == [("ana@example.com", "Ana"), ("bo@example.com", "Bo")]


def test_of_two_rows_for_one_customer_the_later_counts_and_says_so(
    session: Session, shop: dict[str, int]
) -> None:
    report = take("email,name\nana@example.com,Ana\nANA@example.com,Anna\n")

    assert counts(report) == (1, 0, 0, 0)
    assert list(map(str, report.notes)) == [
        "line 3: The same customer as in line 2; this line counts"
    ]
    assert stored(session) == [("ana@example.com", "Anna")]


def test_customers_may_exchange_their_addresses(session: Session, shop: dict[str, int]) -> None:
    take("email,key\na@example.com,A\nb@example.com,B\n")
    take("email,key\nx@example.com,A\n")
    report = take("email,key\na@example.com,B\nb@example.com,A\n")

    assert counts(report) == (0, 2, 0, 0)
    assert {c.key: c.address for c in session.scalars(select(Customer))} == {
        "A": "b@example.com",
        "B": "a@example.com",
    }


def test_one_key_with_several_addresses_is_refused_and_every_row_named(
    session: Session, shop: dict[str, int]
) -> None:
    report = take(
        "email,key\nana@example.com,17\nbo@example.com,17\ncleo@example.com,18\n"
        "ana@example.com,17\n"
    )
    assert (report.added, report.refused) == (1, 3)
    assert [str(error) for error in report.errors] == [
        f"line {line}: key '17': Lines 2, 3, 5 give it to different addresses" for line in (2, 3, 5)
    ]
    assert [address for address, _ in stored(session)] == ["cleo@example.com"]


def test_a_key_of_which_digits_may_be_lost_is_noted(shop: dict[str, int]) -> None:
    report = take("email,key\nana@example.com,123456789012345000\nbo@example.com,100\n")
    assert [str(note) for note in report.notes] == [
        "line 2: The key 123456789012345000 may have lost digits: "
        "spreadsheets keep the first fifteen of a number"
    ]


def test_rows_are_counted_once_however_much_is_wrong_with_them(shop: dict[str, int]) -> None:
    report = take("email,language,time_zone\nbad,xx-none,Nowhere\nworse,en,Nowhere\n")
    assert (len(report.errors), report.refused) == (5, 2)


def test_two_who_bring_the_same_customers_at_once_add_them_once(
    app: Flask, shop: dict[str, int]
) -> None:
    data = "email\n" + "".join(f"c{number}@example.com\n" for number in range(2_000))
    one = CustomerValues(email="c0@example.com")

    def bring(_: int) -> int:
        with app.app_context():
            return take(data).added

    def save(_: int) -> int:
        with app.app_context():
            try:
                return 1 if customers.save_customer(one, actor=ACTOR) else 0
            except Invalid:
                return 0

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(save, range(4))) == 1
        assert sum(pool.map(bring, range(3))) == 1_999


def test_a_column_that_is_not_known_is_left_out_and_named(
    session: Session, shop: dict[str, int]
) -> None:
    report = take("email,phone\nana@example.com,123\n")

    assert list(map(str, report.notes)) == ["line 1: The column 'phone' is not known: left out"]
    assert counts(report) == (1, 0, 0, 0)


def test_a_preview_says_the_same_and_changes_nothing(
    session: Session, shop: dict[str, int]
) -> None:
    data = "email,name\nana@example.com,Ana\nbad,Bo\n"
    foretold = take(data, preview=True)

    assert stored(session) == []
    assert session.scalars(select(AuditEntry)).all() == []
    assert take(data) == foretold


def test_an_import_is_one_entry_in_the_audit_trail(session: Session, shop: dict[str, int]) -> None:
    take("email\nana@example.com\nbad\n")

    entry = session.scalars(select(AuditEntry)).one()
    assert (entry.actor, entry.action, entry.subject) == (
        "Ada",
        "customers.import",
        "customers.csv",
    )
    assert entry.after == {"added": 1, "updated": 0, "unchanged": 0, "refused": 1}


FIVE = "email,key\n" + "".join(f"{name}@example.com,{name}\n" for name in "abcde")


@pytest.fixture
def small_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    """Slices of two rows, however long each takes."""
    monkeypatch.setattr("statuspage.recipients.customer_csv._SLICE", 2)
    monkeypatch.setattr("statuspage.core.db.SLICE_SECONDS", math.inf)


@pytest.mark.usefixtures("small_slices")
def test_an_import_is_written_in_slices_and_read_outside_of_them(
    session: Session, shop: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    parsed_in_writing: list[bool] = []
    written: list[int] = [0]
    cell = Cells.cell

    def watched(self: Cells, name: str, text: str) -> object:
        options = session.connection().get_execution_options()
        parsed_in_writing.append(options.get("writes", False))
        return cell(self, name, text)

    def count(
        _c: object, _cursor: object, statement: str, values: list[object], _x: object, many: bool
    ) -> None:
        if statement.startswith("INSERT INTO customers"):
            written[-1] += len(values) if many else 1

    def end_slice(_connection: object) -> None:
        written.append(0)

    monkeypatch.setattr(Cells, "cell", watched)
    engine = session.get_bind()
    event.listen(engine, "before_cursor_execute", count)
    event.listen(engine, "commit", end_slice)
    report = take(FIVE)
    event.remove(engine, "before_cursor_execute", count)
    event.remove(engine, "commit", end_slice)

    assert counts(report) == (5, 0, 0, 0)
    assert [number for number in written if number] == [2, 2, 1]
    assert set(parsed_in_writing) == {False}
    entries = session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
    assert [(entry.action, (entry.after or {})["added"]) for entry in entries] == [
        ("customers.import_begin", 2),
        ("customers.import", 5),
    ]


@pytest.mark.usefixtures("small_slices")
def test_rows_of_one_customer_are_one_customer_in_different_slices_too(
    session: Session, shop: dict[str, int]
) -> None:
    report = take("email,name\na@example.com,A\nb@example.com,B\nA@example.com,Ana\n")
    assert counts(report) == (2, 0, 0, 0)
    assert [str(note) for note in report.notes] == [
        "line 4: The same customer as in line 2; this line counts"
    ]
    assert stored(session) == [("a@example.com", "Ana"), ("b@example.com", "B")]


@pytest.mark.usefixtures("small_slices")
def test_an_import_that_was_cut_off_is_finished_by_the_next(
    session: Session, shop: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    write = Intake.write
    slices: list[int] = []

    def cut_off(self: Intake, session: Session) -> None:
        slices.append(1)
        if len(slices) == 3:
            raise RuntimeError("the disk is full")
        write(self, session)

    with monkeypatch.context() as patch:
        patch.setattr(Intake, "write", cut_off)
        with pytest.raises(RuntimeError, match="the disk is full"):
            take(FIVE)
    entry = session.scalars(select(AuditEntry)).one()
    assert entry.action == "customers.import_begin"
    assert entry.after == {"added": 2, "updated": 0, "unchanged": 0, "refused": 0}
    assert counts(take(FIVE)) == (1, 0, 4, 0)


def test_an_import_that_fails_leaves_nothing(
    session: Session, shop: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down(*_args: object, **_named: object) -> None:
        raise RuntimeError("the disk is full")

    monkeypatch.setattr("statuspage.access.audit.record", break_down)
    with pytest.raises(RuntimeError, match="the disk is full"):
        take("email\nana@example.com\n")

    assert stored(session) == []


def test_an_import_asks_the_database_the_same_number_of_times_for_any_number_of_rows(
    session: Session, shop: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    # All rows in one slice: a slice is a transaction, whose statements come once each.
    monkeypatch.setattr("statuspage.recipients.customer_csv._SLICE", 10_000)
    monkeypatch.setattr("statuspage.core.db.SLICE_SECONDS", math.inf)
    statements: list[str] = []
    event.listen(
        session.get_bind(), "before_cursor_execute", lambda *args: statements.append(args[2])
    )
    few = "".join(f"a{n}@example.com,Checkout\n" for n in range(10))
    many = "".join(f"b{n}@example.com,Checkout\n" for n in range(2_000))

    take("email,components\n" + few)
    after_few = len(statements)
    take("email,components\n" + many)

    # PostgreSQL's driver is handed a long list of rows in a few parts.
    assert len(statements) - after_few < after_few + 10


def test_progress_ends_with_everything_done(session: Session, shop: dict[str, int]) -> None:
    seen: list[tuple[int, int]] = []
    data = "email\n" + "".join(f"c{n}@example.com\n" for n in range(2_500))
    customer_csv.import_customers(
        data, actor=ACTOR, progress=lambda done, total: seen.append((done, total))
    )

    assert seen == sorted(seen)
    assert seen[-1] == (5_000, 5_000)


# --- exporting -----------------------------------------------------------------------------------


def test_an_export_comes_in_again_without_a_change(session: Session, shop: dict[str, int]) -> None:
    take(
        EVERYTHING
        + 'Ana@example.com,"Ana, ""the"" Great",Tea,Checkout;Shop/API,de,Europe/Rome,K1,yes,eu;a\n'
        + "bo@example.com,Bo,,,,,,,\n"
    )
    data = export(session)

    assert data.splitlines() == [
        '"email","name","company","components","language","time_zone","key","contractual","tags"',
        '"Ana@example.com","Ana, ""the"" Great","Tea","Checkout; Shop / API","de","Europe/Rome",'
        '"K1","yes","a; eu"',
        '"bo@example.com","Bo","","","en","","","",""',
    ]
    assert counts(take(data)) == (0, 0, 2, 0)


@pytest.mark.parametrize(
    "name", ["=1+1", "+1", "-1", "@SUM(A1)", "'=1+1", "''-1", "\uff1d1+1", "\uff20SUM(A1)"]
)
def test_no_exported_cell_is_a_formula_and_all_come_back(
    session: Session, shop: dict[str, int], name: str
) -> None:
    customers.save_customer(CustomerValues("=ana@example.com", name=name), actor=ACTOR)
    data = export(session)

    assert data.splitlines()[1] == f'"\'=ana@example.com","\'{name}","","","en","","","",""'
    assert counts(take(data)) == (0, 0, 1, 0)
    assert stored(session) == [("=ana@example.com", name)]


def test_a_component_that_was_removed_is_exported_by_its_code_and_comes_back(
    session: Session, shop: dict[str, int]
) -> None:
    take("email,components\nana@example.com,Checkout\n")
    with writing() as session:
        component = session.get_one(Component, shop["checkout"])
        component.removed_at = component.created_at
        code = component.code
    data = export(session)

    assert data.splitlines()[1] == f'"ana@example.com","","","{code}","en","","","",""'
    assert counts(take(data)) == (0, 0, 1, 0)


# --- one customer at a time ----------------------------------------------------------------------


# --- finding -------------------------------------------------------------------------------------
