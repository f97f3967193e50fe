"""Every form of the admin, filled with what no person means: answered, and never with a fault."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import lxml.html
import pytest
from flask import Flask
from sqlalchemy import select

from statuspage.core.db import current_session
from statuspage.models import Customer, IncidentUpdate
from tests.admin.conftest import Desk
from tests.admin.test_maintenances import plan as announce
from tests.admin.test_recurring import plan

MOMENTS = [
    "9999-12-31T23:59", "9999-12-31T23:59-14:00", "0001-01-01T00:00+14:00", "0001-01-01T00:00",
    "10000-01-01T00:00", "2026-03-04T12:00:00.999999+23:59", "2026-02-30T12:00", "2026-W10-3",
    "2026-03-29T02:30", "9998-12-31", "1-1-1", "garbage", "2026-03-04T12:00", "2999-12-31T23:59",
    "1970-01-01T00:00", "level:1|9999-12-31T23:59+00:00", "level:1|2026-03-04T12:00",
]  # fmt: skip
TEXTS = [
    "", "\x00", "\ud800", "a\ud800b\udfff", "-1", "0", "9" * 30, "9" * 5_000, "1e9", "NaN", "²",
    "٣", "x" * 9_999, "x" * 51_000, "\u202e" * 300, "🙈" * 600, "a{" * 1_000, "> " * 2_000,
    "{{ 7 * 7 }}", "{% for x in y %}" * 400, "[[name]]" * 300, "- " * 3_000, "*" * 9_000,
    "`" * 3_001, "https://" + "a" * 8_000, "a@" + "b." * 200 + "c", "é" * 501, "\r\n" * 500,
    "(" * 4_000, "![](" * 1_000, "<a><b>" * 900, "\\" * 9_999, "99999999 h", "1 w 1 w 1 w" * 99,
]  # fmt: skip
# What would end the sign-in, or the account, that asks.
LEFT_ALONE = ("/logout", "/sign-out-everywhere", "/disable")
# A sample: all of them are some twenty thousand.
TRIES = 100


@dataclass(frozen=True)
class SentForm:
    """A form as a browser would send it, its button included."""

    action: str
    values: Mapping[str, str]


def addresses(app: Flask, known: Mapping[str, object]) -> Iterator[str]:
    """Every screen of the admin that these rows have."""
    adapter = app.url_map.bind("status.example.com")
    for rule in sorted(app.url_map.iter_rules(), key=str):
        if not rule.endpoint.startswith("admin.") or "GET" not in (rule.methods or ()):
            continue
        if rule.arguments <= set(known):
            values = {name: known[name] for name in rule.arguments}
            yield adapter.build(rule.endpoint, values, method="GET")


def forms_of(html: str, address: str) -> Iterator[SentForm]:
    """The forms of a page that post, once for each button."""
    document = lxml.html.fromstring(html)
    for form in document.forms:
        if (form.method or "").upper() != "POST":
            continue
        buttons = form.xpath(".//button[@type='submit']")
        action = (form.action or address).split("#")[0]
        filled = {name: value or "" for name, value in form.form_values()}
        for control in form.inputs:
            if control.name and not filled.get(control.name):
                filled[control.name] = usual(control)
        for name in {button.get("name") for button in buttons}:
            yield SentForm(action, {**filled, **({name: "1"} if name else {})})


def usual(control: lxml.html.HtmlElement) -> str:
    """What somebody would fill in, so that one odd field is all that is odd."""
    if isinstance(control, lxml.html.SelectElement):
        return next((str(option) for option in control.value_options if option), "")
    if control.get("type") in {"radio", "checkbox"}:
        return str(control.get("value", "y")) if control.get("type") == "radio" else ""
    if control.get("type") == "hidden":
        return ""
    if is_moment(control.name):
        return "2026-03-10T21:00"
    return "30" if "minutes" in control.name else "Words"


def all_forms(desk: Desk) -> list[SentForm]:
    """The forms of all screens, each kind once."""
    code = desk.declare()
    maintenance = announce(desk).rpartition("/")[2]
    series = plan(desk).rpartition("/")[2]
    contact = desk.add_contact("Sam")
    with desk.app.app_context():
        session = current_session()
        known = {
            "component_id": desk.checkout, "contact_id": contact, "rank": 1, "audience": "public",
            "step": "investigating", "customer_id": session.scalars(select(Customer.id)).first(),
        }  # fmt: skip
        update = session.scalars(select(IncidentUpdate.code)).first()
    found: dict[tuple[str, ...], SentForm] = {}
    pages = [
        *addresses(desk.app, known),
        *addresses(desk.app, {"code": code, "update_code": update}),
        *addresses(desk.app, {"code": maintenance}),
        f"/admin/maintenances/series/{series}",
        "/admin/incidents/new?drill=1",
    ]
    for address in pages:
        answer = desk.get(address)
        assert answer.status_code < 500, address
        # An export is made while it is read, and left half made is a fault of its own.
        html = answer.text
        if answer.mimetype != "text/html":
            continue
        for form in forms_of(html, address):
            if not form.action.endswith(LEFT_ALONE):
                found.setdefault((form.action.split("?")[0], *sorted(form.values)), form)
    return list(found.values())


@pytest.mark.only_on("sqlite")
def test_no_value_of_any_field_is_a_fault(desk: Desk) -> None:
    forms = all_forms(desk)
    tries = [
        (form, name, value)
        for form in forms
        for name in form.values
        if name not in {"csrf_token", "publish", "preview", "save"}
        for value in (MOMENTS if is_moment(name) else TEXTS)
    ]
    tries = random.Random(20260304).sample(tries, TRIES)
    faults = []
    for form, name, value in tries:
        values = {**form.values, name: value}
        data = {key: text.encode("utf-8", "surrogatepass") for key, text in values.items()}
        answer = desk.browser.send(form.action, {**data, "csrf_token": desk.browser.token()})
        if answer.status_code >= 500:
            faults.append((form.action, name, value[:30], answer.status))
    assert faults == []


def is_moment(name: str) -> bool:
    """Whether a field holds a time."""
    return name.endswith(
        ("_at", "_for", "_until", "_back", "_start", "until", "exactly", "promised")
    )
