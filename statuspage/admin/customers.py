"""Customers: found, kept one by one, and taken in and out as a file."""

from __future__ import annotations

import re
import secrets
import time
from pathlib import Path
from typing import Final

from flask import request
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select
from wtforms import BooleanField, FileField, HiddenField, SelectMultipleField, StringField

from statuspage.admin import body_limits
from statuspage.admin.auth import actor
from statuspage.admin.base import admin, done, download, page, page_zone, refused, the_page
from statuspage.admin.forms import (
    EditForm,
    Form,
    LineField,
    MailField,
    Most,
    read_number,
)
from statuspage.admin.marked_texts import _
from statuspage.admin.time_fields import TheirZoneField
from statuspage.configuration.components import component_names
from statuspage.core.config import current_settings
from statuspage.core.conflict import fingerprint
from statuspage.core.db import current_session
from statuspage.core.languages import N_
from statuspage.core.richtext import clean_line
from statuspage.models import Customer, Delivery
from statuspage.recipients import customer_csv, customers, suppression
from statuspage.recipients.customer_csv_rows import COLUMNS
from statuspage.recipients.customers import (
    KEY_LIMIT,
    CustomerValues,
)

MOST_BYTES: Final = 64 * 1024 * 1024
MOST_ROWS_SHOWN: Final = 1_000
KEPT_SECONDS: Final = 3_600
LATEST: Final = 10

_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{22}")


def _line_or_none(text: str | None) -> str | None:
    return clean_line(text or "") or None


class CustomerForm(EditForm):
    """A customer."""

    email = MailField(N_("Email address"), needed=N_("Enter their email address"))
    name = LineField(N_("Name"))
    company = LineField(N_("Company"))
    components = SelectMultipleField(
        N_("Components"), coerce=int, filters=[lambda ids: frozenset(ids or ())]
    )
    language = LineField(N_("Language"), needed=N_("Enter a language, like en"))
    time_zone = TheirZoneField(N_("Time zone"))
    key = StringField(N_("Key"), validators=[Most(KEY_LIMIT)], filters=[_line_or_none])
    contractual = BooleanField(N_("Contractual notices"))
    tags = LineField(N_("Tags"))

    def values(self) -> CustomerValues:
        """The customer as typed."""
        return CustomerValues(**self.typed())


class FileForm(Form):
    """A file to take in."""

    file = FileField(N_("CSV file"), render_kw={"accept": ".csv,.txt,.tsv,text/csv"})


class TakenForm(Form):
    """A file that was read already, to be taken in."""

    upload = HiddenField()
    name = HiddenField()


@admin.get("/customers", endpoint="customers")
def list_customers() -> ResponseReturnValue:
    """The customers, by address, page by page."""
    text = clean_line(request.args.get("text", ""))[:200]
    component_id = read_number(request.args.get("component")) or None
    tag = clean_line(request.args.get("tag", ""))[:50]
    suppressed = request.args.get("mail") == "none"
    session = current_session()
    found = customers.search_customers(
        session,
        text=text,
        component_id=component_id,
        tag=tag,
        suppressed=suppressed,
        after=clean_line(request.args.get("after", "")),
        before=clean_line(request.args.get("before", "")),
    )
    addresses = [customer.address for customer in found.customers]
    return page(
        "admin/customers.html",
        found=found,
        total=session.scalar(select(func.count(Customer.id))) or 0,
        suppressions=suppression.suppressions_among(session, addresses),
        names=component_names(current_session()),
        text=text,
        component_id=component_id,
        tag=tag,
        suppressed=suppressed,
        asked={
            "text": text or None,
            "tag": tag or None,
            "component": component_id,
            "mail": "none" if suppressed else None,
        },
        columns=COLUMNS,
    )


@admin.route("/customers/new", methods=["GET", "POST"])
def new_customer() -> ResponseReturnValue:
    """Add one."""
    form = _form(CustomerValues(email="", language=_page_language()))
    if form.is_accepted():
        with form.refusals():
            added = customers.save_customer(form.values(), actor=actor())
            return done(_("%(email)s is added.", email=added.email), "admin.customers")
    return page("admin/customer.html", form=form, customer=None)


@admin.route("/customers/<int:customer_id>", methods=["GET", "POST"])
def customer(customer_id: int) -> ResponseReturnValue:
    """Change one, and see whether they are mailed."""
    session = current_session()
    found = session.get_one(Customer, customer_id)
    stored = _values(found)
    form = _form(stored)
    if form.is_accepted() and not _is_stale(form, stored):
        with form.refusals():
            saved = customers.save_customer(form.values(), actor=actor(), customer_id=customer_id)
            return done(_("%(email)s is saved.", email=saved.email), "admin.customers")
    latest = select(Delivery).where(Delivery.address == found.address)
    return page(
        "admin/customer.html",
        form=form,
        customer=found,
        suppression=suppression.suppression_of(session, found.address),
        latest=session.scalars(latest.order_by(Delivery.id.desc()).limit(LATEST)).all(),
    )


@admin.post("/customers/<int:customer_id>/remove")
def remove_customer(customer_id: int) -> ResponseReturnValue:
    """Forget one."""
    current_session().get_one(Customer, customer_id)
    customers.remove_customer(customer_id, actor=actor())
    return done(_("The customer was removed; the record of sent emails stays."), "admin.customers")


@admin.post("/customers/<int:customer_id>/write-again")
def write_again(customer_id: int) -> ResponseReturnValue:
    """Lift what keeps mail from one."""
    found = current_session().get_one(Customer, customer_id)
    email = found.email
    suppression.write_again(found.address, actor=actor())
    return done(
        _("%(email)s was resubscribed.", email=email), "admin.customer", customer_id=customer_id
    )


@admin.get("/customers.csv")
def export_customers() -> ResponseReturnValue:
    """All of them as the file that the import reads."""
    return download("customers.csv", lambda: customer_csv.export_customers(current_session()))


@admin.route("/customers/import", methods=["GET", "POST"])
@body_limits.takes_up_to(MOST_BYTES + body_limits.FORM_AROUND_A_FILE)
def import_customers() -> ResponseReturnValue:
    """Read a file and show what it would do; nothing changes yet."""
    form = FileForm()
    file = request.files.get("file")
    if file is not None and file.filename:
        data = file.read(MOST_BYTES + 1)
        if len(data) <= MOST_BYTES:
            return _show_import(data, file.filename)
        form.refuse("file", _("Use at most %(most)s MB", most=MOST_BYTES // 1024 // 1024))
    elif request.method == "POST":
        form.refuse("file", _("Choose a file"))
    return page("admin/customer_import.html", form=form, report=None, columns=COLUMNS)


@admin.post("/customers/import/take")
def take_customers() -> ResponseReturnValue:
    """Take in the good rows of a file that was shown."""
    form = TakenForm.read()
    file = _kept_file(form.upload.data or "")
    if file is None:
        reason = _("That file has expired. Choose it again.")
        return refused(reason, "admin.import_customers")
    report = customer_csv.import_customers(
        file.read_bytes(), actor=actor(), source=(form.name.data or "")[:200]
    )
    file.unlink(missing_ok=True)
    return done(
        _(
            "%(added)s added, %(updated)s updated, %(unchanged)s unchanged; %(refused)s "
            "rows left out.",
            added=f"{report.added:,}",
            updated=f"{report.updated:,}",
            unchanged=f"{report.unchanged:,}",
            refused=f"{report.refused:,}",
        ),
        "admin.customers",
    )


def _show_import(data: bytes, name: str) -> ResponseReturnValue:
    report = customer_csv.import_customers(data, actor=actor(), preview=True)
    taken = None
    if report.added or report.updated:
        taken = TakenForm(None, upload=_keep_file(data), name=name)
    return page(
        "admin/customer_import.html",
        report=report,
        taken=taken,
        name=name,
        left_out=report.refused,
        most=MOST_ROWS_SHOWN,
        columns=COLUMNS,
    )


# --- files between being shown and being taken in -------------------------------------------------


def _keep_file(data: bytes) -> str:
    """Keep a file for an hour, under a name that nobody guesses; returns the name."""
    folder = _folder()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for old in folder.iterdir():
        if old.stat().st_mtime < time.time() - KEPT_SECONDS:
            old.unlink(missing_ok=True)
    token = secrets.token_urlsafe(16)
    (folder / token).write_bytes(data)
    return token


def _kept_file(token: str) -> Path | None:
    path = _folder() / token
    return path if _TOKEN.fullmatch(token) and path.is_file() else None


def _folder() -> Path:
    return current_settings().data_dir / "uploads"


# --- one customer ---------------------------------------------------------------------------------


def _form(stored: CustomerValues) -> CustomerForm:
    form = CustomerForm.read(stored)
    form.time_zone.offer(page_zone().key)
    names = component_names(current_session(), also=stored.components)
    form.components.choices = list(names.items())
    return form


def _values(found: Customer) -> CustomerValues:
    return CustomerValues(
        email=found.email,
        name=found.name,
        company=found.company,
        components=frozenset(link.component_id for link in found.components),
        language=found.language,
        time_zone=found.time_zone,
        key=found.key,
        contractual=found.contractual,
        tags=found.tags,
    )


def _is_stale(form: CustomerForm, stored: CustomerValues) -> bool:
    """Whether somebody else saved this customer meanwhile; the form then says what is saved now."""
    if form.seen.data == fingerprint(stored):
        return False
    form.show_change(stored)
    if form.components.errors:
        names = component_names(current_session(), also=stored.components)
        saved = ", ".join(names[used] for used in sorted(stored.components)) or "all"
        form.components.errors = [_("Now saved here: %(saved)s", saved=saved)]
    return True


def _page_language() -> str:
    found = the_page()
    return found.language if found else "en"
