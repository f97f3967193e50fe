from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor

import pytest
from email_validator import EmailNotValidError, validate_email
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from statuspage.core.address import read_address
from statuspage.core.db import writing
from statuspage.core.errors import Invalid
from statuspage.models import AuditEntry, Component, Customer, Suppression
from statuspage.recipients import customer_csv, customers
from statuspage.recipients.customer_csv import ImportReport, Intake
from statuspage.recipients.customer_csv_rows import Cells
from statuspage.recipients.customers import CustomerValues
from tests.actors import acting
from tests.factories import make_component, make_group, make_page

ACTOR = acting("Ada")
HEADER = "email,name,company,components,language,time_zone,key,contractual\n"
EVERYTHING = HEADER.strip() + ",tags\n"


@pytest.fixture
def shop(session: Session) -> dict[str, int]:
    """Three components in two groups, two of them with one name; their ids by short names."""
    with writing() as session:
        make_page(session)
        shop, platform = make_group(session, "Shop"), make_group(session, "Platform")
        rows = {
            "checkout": make_component(session, "Checkout", group_id=shop.id),
            "shop_api": make_component(session, "API", group_id=shop.id),
            "platform_api": make_component(session, "API", group_id=platform.id),
        }
        return {name: component.id for name, component in rows.items()}


def take(data: bytes | str, **options: bool) -> ImportReport:
    return customer_csv.import_customers(data, actor=ACTOR, source="customers.csv", **options)


def counts(report: ImportReport) -> tuple[int, int, int, int]:
    return report.added, report.updated, report.unchanged, len(report.errors)


def stored(session: Session) -> list[tuple[str, str]]:
    session.expire_all()
    return [(c.address, c.name) for c in session.scalars(select(Customer).order_by(Customer.id))]


def the_customer(session: Session) -> Customer:
    session.expire_all()
    return session.scalars(select(Customer)).one()


def export(session: Session) -> str:
    return "".join(customer_csv.export_customers(session))


# --- addresses -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given_text", "identity"),
    [
        ("ana@example.com", "ana@example.com"),
        (" Ana.Li+News@EXAMPLE.com ", "ana.li+news@example.com"),
        ("ana@bücher.example", "ana@xn--bcher-kva.example"),
        ("Ana@BÜCHER.example", "ana@xn--bcher-kva.example"),
        ("ana@xn--bcher-kva.example", "ana@xn--bcher-kva.example"),
        ("ana@shop.test", "ana@shop.test"),
    ],
)
def test_an_address_has_one_identity_however_it_is_written(given_text: str, identity: str) -> None:
    address = read_address(given_text)

    assert (address.email, address.identity) == (given_text.strip(), identity)


@pytest.mark.parametrize(
    "text",
    [
        "", "ana", "ana@", "@example.com", "ana@example", "a b@example.com", "ana@example.com,",
        "Ana <ana@example.com>", "ana@[192.0.2.1]", "ana@host.local", "ana@test", "ána@example.com",
        "ana..li@example.com", f"{'a' * 65}@example.com", f"ana@{'a' * 64}.com", "ana@-a.com",
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_address(text)


_LOCAL = st.text("abzAZ09.!#$%&'*+/=?^_`{|}~-", min_size=0, max_size=66)
_LABEL = st.text("abzAZ09-", min_size=0, max_size=65)
_TOPS = st.sampled_from(
    ["com", "c", "local", "localhost", "invalid", "test", "onion", "arpa", "1a"]
)


@given(_LOCAL, st.lists(_LABEL, max_size=4), _TOPS)
def test_the_short_way_to_an_address_says_what_the_validator_says(
    local: str, labels: list[str], top: str
) -> None:
    email = f"{local}@{'.'.join([*labels, top])}"
    try:
        valid = validate_email(
            email, check_deliverability=False, test_environment=True, strict=True
        )
        expected = valid.normalized.lower() if "." in valid.ascii_domain else None
    except EmailNotValidError:
        expected = None
    try:
        identity = read_address(email).identity
    except ValueError:
        identity = None

    assert identity == expected


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
        (",Ana,,,,,,", "email", "There is no mail address"),
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
        (",Ana", "email", "There is no mail address"),
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


def test_lines_are_counted_as_an_editor_counts_them(session: Session, shop: dict[str, int]) -> None:
    report = take('email,name\n\nana@example.com,"Ana\nMaria"\nbad,Bo\n')

    assert [error.line for error in report.errors] == [5]
    assert stored(session) == [("ana@example.com", "Ana Maria")]


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


def test_a_customer_is_saved_changed_and_removed_with_an_entry_each(
    session: Session, shop: dict[str, int]
) -> None:
    values = CustomerValues("Ana@example.com", components=frozenset({shop["checkout"]}))
    customer_id = customers.save_customer(values, actor=ACTOR).id
    customers.save_customer(
        CustomerValues("ana@example.com", name="Ana"), actor=ACTOR, customer_id=customer_id
    )
    customers.remove_customer(customer_id, actor=ACTOR)

    entries = session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
    assert [entry.action for entry in entries] == [
        "customer.save", "customer.save", "customer.remove",
    ]  # fmt: skip
    assert entries[0].after is not None
    assert entries[0].after["components"] == [shop["checkout"]]
    assert entries[1].after is not None
    assert entries[1].after["components"] == []
    assert stored(session) == []


@pytest.mark.parametrize(
    ("values", "field"),
    [
        (CustomerValues("ANA@example.com"), "email"),
        (CustomerValues("bo@example.com", key="K1"), "key"),
        (CustomerValues("bo"), "email"),
        (CustomerValues("bo@example.com", language="Klingon"), "language"),
        (CustomerValues("bo@example.com", time_zone="Mars/Base"), "time_zone"),
        (CustomerValues("bo@example.com", name="x" * 501), "name"),
    ],
)
def test_a_value_that_cannot_be_saved_is_refused_by_its_field(
    session: Session, shop: dict[str, int], values: CustomerValues, field: str
) -> None:
    customers.save_customer(CustomerValues("ana@example.com", key="K1"), actor=ACTOR)
    with pytest.raises(Invalid) as refused:
        customers.save_customer(values, actor=ACTOR)

    assert refused.value.field == field
    assert stored(session) == [("ana@example.com", "")]


def test_nobody_is_changed_or_removed_who_is_not_there(
    session: Session, shop: dict[str, int]
) -> None:
    with pytest.raises(LookupError):
        customers.save_customer(CustomerValues("ana@example.com"), actor=ACTOR, customer_id=7)
    with pytest.raises(LookupError):
        customers.remove_customer(7, actor=ACTOR)


# --- finding -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", ["ana@example.com", "bo@example.org"]),
        ("ANA", ["ana@example.com"]),
        ("tea", ["ana@example.com"]),
        ("K-2", ["bo@example.org"]),
        ("%", []),
        ("example", ["ana@example.com", "bo@example.org"]),
    ],
)
def test_customers_are_found_by_any_part_of_what_is_known(
    session: Session, shop: dict[str, int], text: str, found: list[str]
) -> None:
    take("email,company,key\nana@example.com,Lima Tea,K-1\nbo@example.org,Books,K-2\n")

    page = customers.search_customers(session, text=text)
    assert [customer.address for customer in page.customers] == found


def test_customers_are_found_by_the_component_that_concerns_them(
    session: Session, shop: dict[str, int]
) -> None:
    take(
        "email,components\n"
        "all@example.com,\ncheckout@example.com,Checkout\nother@example.com,Shop/API\n"
    )

    page = customers.search_customers(session, component_id=shop["checkout"])
    assert [customer.address for customer in page.customers] == [
        "all@example.com",
        "checkout@example.com",
    ]


def test_customers_are_found_by_a_whole_tag(session: Session, shop: dict[str, int]) -> None:
    take("email,tags\nana@example.com,Gold;EU\nbo@example.com,golden\ncy@example.com,\n")

    def found(text: str = "", tag: str = "") -> list[str]:
        page = customers.search_customers(session, text=text, tag=tag)
        return [one.address for one in page.customers]

    assert found(tag=" GOLD ") == ["ana@example.com"]
    assert found(tag="%") == []
    assert found(text="gold") == ["ana@example.com", "bo@example.com"]


def test_customers_come_in_pages_forwards_and_back(session: Session, shop: dict[str, int]) -> None:
    take("email\n" + "".join(f"c{n}@example.com\n" for n in range(5)))

    def page(**asked: str) -> tuple[list[str], str | None, str | None]:
        found = customers.search_customers(session, page_size=2, **asked)  # type: ignore[arg-type]
        return [customer.address[:2] for customer in found.customers], found.before, found.after

    first, second, last = (
        (["c0", "c1"], None, "c1@example.com"),
        (["c2", "c3"], "c2@example.com", "c3@example.com"),
        (["c4"], "c4@example.com", None),
    )
    assert [page(), page(after="c1@example.com"), page(after="c3@example.com")] == [
        first,
        second,
        last,
    ]
    assert [page(before="c4@example.com"), page(before="c2@example.com")] == [second, first]
    assert page(after="z") == ([], None, None)


def test_customers_whom_nothing_is_sent_to_are_found(
    session: Session, shop: dict[str, int]
) -> None:
    take("email\nana@example.com\nbo@example.com\n")
    with writing() as session:
        session.add(Suppression(address="bo@example.com", kind="bounced", reason=""))

    page = customers.search_customers(session, suppressed=True)
    assert [customer.address for customer in page.customers] == ["bo@example.com"]
