"""Colleagues who can be named on an incident."""

from __future__ import annotations

from flask.typing import ResponseReturnValue
from sqlalchemy import select

from statuspage.admin.auth import actor
from statuspage.admin.base import admin, done, page
from statuspage.admin.forms import EditForm, LineField, MailField, NameField, ProseField
from statuspage.admin.marked_texts import _
from statuspage.configuration import contacts, editing
from statuspage.configuration.editing import ContactDetails
from statuspage.core.db import current_session
from statuspage.core.languages import N_
from statuspage.models import Account, Contact


class ContactForm(EditForm):
    """A colleague."""

    name = NameField(N_("Name"), needed=N_("Enter their name"))
    role = LineField(N_("Role"))
    email = MailField(N_("Email address"))
    chat_handle = LineField(N_("Chat handle"))
    reached_by = ProseField(N_("Reached by"), limit=1_000, render_kw={"rows": 3})

    def details(self) -> ContactDetails:
        """The colleague as typed."""
        return ContactDetails(**self.typed())


@admin.get("/contacts", endpoint="contacts")
def list_contacts() -> ResponseReturnValue:
    """Everybody who can be named."""
    with_account = current_session().scalars(
        select(Account.contact_id).where(Account.disabled_at.is_(None))
    )
    return page(
        "admin/contacts.html",
        contacts=contacts.contacts(current_session()),
        with_account=set(with_account),
    )


@admin.route("/contacts/new", methods=["GET", "POST"])
def new_contact() -> ResponseReturnValue:
    """Add somebody."""
    form = ContactForm.read()
    if form.is_accepted():
        with form.refusals():
            contacts.add_contact(form.details(), actor=actor())
            return done(
                _("%(name)s can be named on incidents now.", name=form.name.data), "admin.contacts"
            )
    return page("admin/contact.html", form=form, contact=None)


@admin.route("/contacts/<int:contact_id>", methods=["GET", "POST"])
def contact(contact_id: int) -> ResponseReturnValue:
    """Change somebody's details."""
    found = current_session().get_one(Contact, contact_id)
    form = ContactForm.read(editing.read_as(ContactDetails, found))
    if form.is_accepted():
        with form.refusals():
            contacts.change_contact(contact_id, form.details(), actor=actor(), seen=form.seen.data)
            return done(_("%(name)s is saved.", name=form.name.data), "admin.contacts")
    return page("admin/contact.html", form=form, contact=found)


@admin.post("/contacts/<int:contact_id>/remove")
def remove_contact(contact_id: int) -> ResponseReturnValue:
    """Take somebody off the list."""
    contacts.remove_contact(contact_id, actor=actor())
    return done(
        _("The contact was removed; incidents that name them keep the name."), "admin.contacts"
    )
