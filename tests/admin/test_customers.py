"""Customers in the admin: found, kept, suppressed, imported and exported."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from statuspage.core.config import Settings
from statuspage.core.db import current_session, writing
from statuspage.models import Customer, Suppression
from statuspage.recipients import customer_csv
from tests.actors import acting
from tests.browsing import OWN_FORM, Browser, actions, fields, reasons, said, texts
from tests.factories import make_component, make_group
from tests.htmlchecker import HtmlChecker

NEW = "/admin/customers/new"
FILE = "email,name,components\nana@example.com,Ana,Checkout\nbo@example.com,Bo,\n"


@pytest.fixture
def checkout(app: Flask, admin: Browser) -> int:
    with app.app_context(), writing() as session:
        group = make_group(session, "Shop")
        return make_component(session, "Checkout", group_id=group.id).id


def add(app: Flask, csv: str = FILE) -> None:
    with app.app_context():
        customer_csv.import_customers(csv, actor=acting("Ada"))


def suppress(app: Flask, address: str, kind: str) -> None:
    with app.app_context(), writing() as session:
        session.add(Suppression(address=address, kind=kind, reason=f"it {kind}"))


def the_id(app: Flask, address: str = "ana@example.com") -> int:
    with app.app_context():
        return current_session().scalars(select(Customer.id).filter_by(address=address)).one()


def stored(app: Flask) -> list[tuple[str, str]]:
    with app.app_context():
        chosen = select(Customer.address, Customer.name).order_by(Customer.address)
        return [(row.address, row.name) for row in current_session().execute(chosen)]


def rows(page: TestResponse) -> list[str]:
    return texts(page, "table", "/tbody/tr/th")


def upload(admin: Browser, data: bytes | str, name: str = "list.csv") -> TestResponse:
    content = data.encode() if isinstance(data, str) else data
    sent: dict[str, Any] = {"csrf_token": admin.token(), "file": (io.BytesIO(content), name)}
    return admin.client.post("/admin/customers/import", data=sent, headers=OWN_FORM)


def take(admin: Browser, shown: TestResponse) -> TestResponse:
    values = fields(shown.text)
    return admin.send("/admin/customers/import/take", values, follow_redirects=True)


# --- the list ------------------------------------------------------------------------------------


def test_an_empty_list_says_what_the_file_looks_like(admin: Browser) -> None:
    page = admin.get("/admin/customers")
    assert texts(page, "empty", "//code") == [
        "email,name,company,components,language,time_zone,key,contractual,tags"
    ]


def test_customers_are_listed_by_address_with_what_they_use(
    admin: Browser, app: Flask, checkout: int
) -> None:
    add(app)
    page = admin.get("/admin/customers")
    assert texts(page, "table", "/tbody/tr") == [
        "ana@example.com Ana – Shop / Checkout Subscribed",
        "bo@example.com Bo – All Subscribed",
    ]
    assert "2 customers to notify." in " ".join(page.text.split())


def test_the_list_goes_on_where_the_page_before_it_ended(admin: Browser, app: Flask) -> None:
    add(app, "email\n" + "".join(f"c{n:03}@example.com\n" for n in range(120)))
    first = admin.get("/admin/customers?text=example")
    second = admin.get("/admin/customers?text=example&after=c049@example.com")
    assert (rows(first)[0], rows(first)[-1]) == ("c000@example.com", "c049@example.com")
    assert (rows(second)[0], rows(second)[-1]) == ("c050@example.com", "c099@example.com")
    assert texts(first, "pager", "/a") == ["Next"]
    assert texts(second, "pager", "/a") == ["Previous", "Next"]
    assert "after=c049@example.com&amp;text=example" in first.text
    back = admin.get("/admin/customers?before=c050@example.com")
    assert rows(back) == rows(first)


def test_customers_are_found_by_what_is_known_of_them(
    admin: Browser, app: Flask, checkout: int
) -> None:
    add(app, "email,components\nana@example.com,Checkout\nbo@example.com,\n")
    suppress(app, "bo@example.com", "bounced")
    asked = {"text=ANA": ["ana@example.com"], "mail=none": ["bo@example.com"], "text=%25": []}
    for query, found in asked.items():
        assert rows(admin.get(f"/admin/customers?{query}")) == found
    both = rows(admin.get(f"/admin/customers?component={checkout}"))
    assert both == ["ana@example.com", "bo@example.com"]


# --- one customer --------------------------------------------------------------------------------


def test_a_customer_is_added_by_hand(admin: Browser, app: Flask, checkout: int) -> None:
    answer = admin.send_shown(
        NEW,
        {
            "email": "Ana@Example.com",
            "name": "Ana",
            "components": str(checkout),
            "language": "pt-BR",
            "time_zone": "Europe/Lisbon",
            "key": "K-1",
            "contractual": "y",
        },
    )
    assert answer.status_code == 303, reasons(answer)
    with app.app_context():
        kept = current_session().scalars(select(Customer)).one()
        assert (kept.email, kept.address) == ("Ana@Example.com", "ana@example.com")
        assert [link.component_id for link in kept.components] == [checkout]
        assert (kept.language, kept.time_zone) == ("pt_BR", "Europe/Lisbon")
        assert (kept.key, kept.contractual) == ("K-1", True)
    assert actions(app)[-1] == "customer.save"


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ({"email": ""}, "Email address: Enter their email address"),
        ({"email": "ana"}, "Email address: Enter an email address, like name@example.com"),
        ({"email": "bo@example.com"}, "Email address: This address belongs to another customer"),
        (
            {"language": "klingonish"},
            "Language: 'klingonish' is not a language; write one like en or pt-BR",
        ),
        ({"time_zone": "Mars/Olympus"}, "Time zone: 'Mars/Olympus' is not a time zone"),
    ],
)
def test_what_cannot_be_kept_comes_back_with_the_reason(
    admin: Browser, app: Flask, typed: dict[str, str], reason: str
) -> None:
    add(app, "email\nbo@example.com\n")
    answer = admin.send_shown(NEW, {"email": "ana@example.com", "company": "Lima Tea", **typed})
    assert answer.status_code == 422
    assert reasons(answer)[0].startswith(reason)
    assert 'value="Lima Tea"' in answer.text
    assert stored(app) == [("bo@example.com", "")]


def test_a_customer_is_changed(admin: Browser, app: Flask, checkout: int) -> None:
    add(app)
    path = f"/admin/customers/{the_id(app)}"
    shown = fields(admin.get(path).text)
    assert (shown["components"], shown["time_zone"]) == (str(checkout), "")
    del shown["components"]
    admin.send(path, {**shown, "name": "Ana Lima"})
    assert stored(app)[0] == ("ana@example.com", "Ana Lima")
    with app.app_context():
        assert current_session().get_one(Customer, the_id(app)).all_components is True


def test_whoever_changes_a_customer_second_is_shown_what_changed(
    admin: Browser, app: Flask, checkout: int
) -> None:
    add(app)
    path = f"/admin/customers/{the_id(app)}"
    begun = fields(admin.get(path).text)
    admin.send_shown(path, {"name": "Theirs"})
    answer = admin.send(path, {**begun, "name": "Mine"})
    assert answer.status_code == 422
    assert reasons(answer)[1:] == ["Name: Now saved here: Theirs"]
    admin.send(path, fields(answer.text))
    assert stored(app)[0] == ("ana@example.com", "Mine")


def test_a_customer_is_removed(admin: Browser, app: Flask, checkout: int) -> None:
    add(app)
    admin.send(f"/admin/customers/{the_id(app)}/remove")
    assert stored(app) == [("bo@example.com", "Bo")]
    assert actions(app)[-1] == "customer.remove"


@pytest.mark.parametrize(
    ("kind", "state"),
    [("bounced", "Bounced"), ("complained", "Reported as spam"), ("unsubscribed", "Unsubscribed")],
)
def test_who_gets_no_mail_is_told_and_can_be_written_to_again(
    admin: Browser, app: Flask, checkout: int, kind: str, state: str
) -> None:
    add(app)
    suppress(app, "ana@example.com", kind)
    assert texts(admin.get("/admin/customers"), "state")[0] == state
    path = f"/admin/customers/{the_id(app)}"
    assert f"it {kind}" in admin.get(path).text
    answer = admin.send(f"{path}/write-again", follow_redirects=True)
    assert said(answer) == ["ana@example.com was resubscribed."]
    assert texts(admin.get("/admin/customers"), "state")[0] == "Subscribed"
    assert actions(app)[-1] == "suppression.lift"


@pytest.mark.parametrize("path", ["", "/remove", "/write-again"])
def test_a_customer_who_is_gone_is_not_found(admin: Browser, path: str) -> None:
    assert admin.send(f"/admin/customers/4711{path}").status_code == 404


# --- files ---------------------------------------------------------------------------------------


def test_a_file_is_shown_before_it_is_taken_in(
    admin: Browser, app: Flask, checkout: int, settings: Settings
) -> None:
    shown = upload(admin, FILE + "nonsense,Cy,\nde@example.com,De,Nowhere\n")
    assert texts(shown, "figures", "/div") == [
        "added2", "updated0", "unchanged0", "rows left out2",
    ]  # fmt: skip
    assert texts(shown, "table", "/tbody/tr")[1] == (
        "Line 5components NowhereThere is no component 'Nowhere'"
    )
    assert stored(app) == []
    assert said(take(admin, shown)) == ["2 added, 0 updated, 0 unchanged; 2 rows left out."]
    assert stored(app) == [("ana@example.com", "Ana"), ("bo@example.com", "Bo")]
    assert list((settings.data_dir / "uploads").iterdir()) == []


def test_a_file_that_was_shown_is_taken_in_once(admin: Browser, app: Flask, checkout: int) -> None:
    shown = upload(admin, FILE)
    take(admin, shown)
    assert said(take(admin, shown)) == ["That file has expired. Choose it again."]
    again = upload(admin, FILE)
    assert "There’s nothing to import." in again.text


@pytest.mark.parametrize("token", ["", "../statuspage.db", "x" * 22, "a/b"])
def test_only_a_file_that_was_shown_can_be_taken_in(admin: Browser, token: str) -> None:
    answer = admin.send("/admin/customers/import/take", {"upload": token}, follow_redirects=True)
    assert said(answer) == ["That file has expired. Choose it again."]


@pytest.mark.parametrize(
    "data", [b"who,what\nana,1\n", b"", b"\x00\x01\x02", b'"email\nana@example.com\n']
)
def test_a_file_that_is_no_use_says_why(admin: Browser, app: Flask, data: bytes) -> None:
    shown = upload(admin, data)
    assert shown.status_code == 200
    assert "There’s nothing to import." in shown.text
    assert len(texts(shown, "table", "/tbody/tr")) >= 1
    assert stored(app) == []


def test_no_file_at_all_is_asked_for(admin: Browser) -> None:
    answer = upload(admin, b"", name="")
    assert answer.status_code == 422
    assert reasons(answer) == ["CSV file: Choose a file"]


def test_a_name_of_a_file_with_markup_stays_text(admin: Browser, checkout: int) -> None:
    shown = upload(admin, FILE, name="<b>list</b>.csv")
    assert "<b>list" not in shown.text


def test_the_export_is_a_file_that_changes_nothing_when_it_comes_back(
    admin: Browser, app: Flask, checkout: int
) -> None:
    add(app)
    answer = admin.get("/admin/customers.csv")
    assert answer.content_type == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="customers.csv"'
    shown = upload(admin, answer.data)
    assert texts(shown, "figures", "/div")[:3] == ["added0", "updated0", "unchanged2"]


def test_the_pages_are_correct_html(
    admin: Browser, app: Flask, checkout: int, html_errors: HtmlChecker
) -> None:
    empty = admin.get("/admin/customers")
    add(app)
    suppress(app, "ana@example.com", "bounced")
    pages = [
        empty,
        admin.get("/admin/customers"),
        admin.get(f"/admin/customers/{the_id(app)}"),
        admin.send_shown(NEW, {"email": "", "components": "99"}),
        admin.get("/admin/customers/import"),
        upload(admin, FILE + "nonsense,x,\nana@example.com,y,\n"),
    ]
    assert [html_errors(page.text) for page in pages] == [[]] * len(pages)
    assert re.search(r"Line \d", pages[-1].text)


def test_customers_are_found_by_their_tags(admin: Browser) -> None:
    values = {"email": "ada@example.com", "language": "en", "tags": "Gold; eu;gold"}
    assert admin.send_shown("/admin/customers/new", values).status_code == 303
    admin.send_shown("/admin/customers/new", {"email": "bo@example.com", "language": "en"})
    listed = admin.get("/admin/customers")
    assert texts(listed, "tags", "/a") == ["eu", "gold"]
    found = admin.get("/admin/customers?tag=GOLD")
    assert texts(found, "table", "//tbody//th") == ["ada@example.com"]
    assert 'name="tag"' in found.text
