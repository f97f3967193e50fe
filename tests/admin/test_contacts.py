from __future__ import annotations

from flask import Flask
from sqlalchemy import select

from statuspage.core.db import current_session
from statuspage.models import Contact
from tests.browsing import KIM, Browser, actions, reasons, texts

ROBIN = {
    "name": "Robin",
    "role": "Payments on-call",
    "email": "Robin@example.com",
    "chat_handle": "@robin",
}


def test_a_page_without_contacts_says_what_to_do(admin: Browser) -> None:
    assert texts(admin.get("/admin/contacts"), "empty", "//strong") == ["No contacts yet"]


def test_a_contact_is_added_changed_and_removed(admin: Browser, app: Flask) -> None:
    assert admin.send("/admin/contacts/new", ROBIN).status_code == 303
    with app.app_context():
        robin = current_session().scalars(select(Contact)).one()
        assert {name: getattr(robin, name) for name in ROBIN} == ROBIN
    admin.send_shown(f"/admin/contacts/{robin.id}", {"role": "Commander"})
    assert "Commander" in admin.get("/admin/contacts").text
    admin.send(f"/admin/contacts/{robin.id}/remove")
    assert "Robin" not in admin.get("/admin/contacts").text
    assert actions(app) == [
        "account.sign_in",
        "contact.add",
        "contact.change",
        "contact.remove",
    ]


def test_a_contact_needs_a_name_and_an_address_that_is_one(admin: Browser) -> None:
    answer = admin.send("/admin/contacts/new", {"name": " ", "email": "robin@", "role": "kept"})
    assert reasons(answer) == [
        "Name: Enter their name",
        "Email address: Enter an email address, like name@example.com",
    ]
    assert 'value="robin@"' in answer.text
    assert 'value="kept"' in answer.text


def test_a_contact_with_an_account_is_marked(admin: Browser) -> None:
    admin.send("/admin/contacts/new", ROBIN)
    admin.send("/admin/contacts/new", {"name": "Kim", "email": KIM})
    signs_in = [cell.split()[-1] for cell in texts(admin.get("/admin/contacts"), "table", "//tr")]
    assert signs_in == ["in", "Yes", "No"]
