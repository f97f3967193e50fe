"""Every screen of the admin on a page with an incident of each kind: whole, and right for a
checker.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import lxml.html
import pytest
from flask import Flask
from werkzeug.test import TestResponse

from statuspage.access import alarms
from statuspage.core import clock
from statuspage.core.db import writing
from statuspage.core.enums import ComponentStatus, Visibility
from statuspage.models import Account, Contact, Hold
from tests.browsing import Browser
from tests.factories import make_component, make_group, make_incident, make_maintenance
from tests.htmlchecker import HtmlChecker

HOSTILE = '<script>alert(1)</script> "quoted" & \u05e9\u05dc\u05d5\u05dd \U0001f525'

SCREENS = (
    "/admin/",
    "/admin/accounts",
    "/admin/audit",
    "/admin/components",
    "/admin/components/{component}",
    "/admin/components/new",
    "/admin/contacts",
    "/admin/contacts/{contact}",
    "/admin/contacts/new",
    "/admin/delivery",
    "/admin/groups/{group}",
    "/admin/groups/new",
    "/admin/login?again=1",
    "/admin/me",
    "/admin/messages",
    "/admin/settings",
    "/admin/words",
    "/admin/severity",
    "/admin/severity/1",
    "/admin/severity/choose?scheme=p0",
    "/admin/severity/closing",
)


@dataclass(frozen=True)
class Company:
    """Somebody signed in where every list has rows, with names that want to break out."""

    browser: Browser
    ids: dict[str, int]

    def open(self, path: str) -> TestResponse:
        return self.browser.get(path.format(**self.ids))


@pytest.fixture
def company(app: Flask, admin: Browser) -> Company:
    with app.app_context(), writing() as session:
        group = make_group(session, HOSTILE, description=HOSTILE)
        component = make_component(
            session, HOSTILE, description=HOSTILE, group_id=group.id,
            status=ComponentStatus.MAJOR_OUTAGE, only_show_if_degraded=True,
        )  # fmt: skip
        make_component(session, "Removed", removed_at=clock.now())
        make_incident(
            session, HOSTILE, components=[component], severity_rank=1, severity_name=HOSTILE,
            next_update_at=clock.now() - timedelta(minutes=5),
        )  # fmt: skip
        make_incident(session, "Inside", visibility=Visibility.INTERNAL)
        make_maintenance(session, HOSTILE, scheduled_for=clock.now() + timedelta(days=1))
        contact = Contact(name=HOSTILE, role=HOSTILE, chat_handle=HOSTILE)
        session.add(contact)
        session.add(Account(email="sam@example.com", name=HOSTILE, password_hash="x"))
        session.add(
            Account(email="old@example.com", name="x", password_hash="x", disabled_at=clock.now())
        )
        session.add(Hold(channel="all", reason=HOSTILE))
        alarms.raise_alarm(session, "test", HOSTILE)
        session.flush()
        ids = {"group": group.id, "component": component.id, "contact": contact.id}
    return Company(admin, ids)


@pytest.mark.parametrize("path", SCREENS)
def test_a_screen_shows_what_people_typed_as_text(company: Company, path: str) -> None:
    answer = company.open(path)
    assert answer.status_code == 200
    assert "<script>alert" not in answer.text


@pytest.mark.parametrize("path", SCREENS)
def test_a_screen_is_valid_html(company: Company, path: str, html_errors: HtmlChecker) -> None:
    assert html_errors(company.open(path).text) == []


@pytest.mark.parametrize("path", SCREENS)
def test_a_screen_has_one_heading_and_a_title_that_names_it(company: Company, path: str) -> None:
    document = lxml.html.fromstring(company.open(path).text)
    headings = [heading.text_content().strip() for heading in document.xpath("//h1")]
    assert len(headings) == 1
    assert document.findtext(".//title").startswith(headings[0])


@pytest.mark.parametrize("path", SCREENS)
def test_every_control_has_a_label_and_every_id_is_there_once(company: Company, path: str) -> None:
    document = lxml.html.fromstring(company.open(path).text)
    ids = document.xpath("//*[@id]/@id")
    assert sorted(set(ids)) == sorted(ids)
    labelled = set(document.xpath("//label/@for"))
    controls = document.xpath("//input[@type!='hidden' and not(@hidden)]|//select|//textarea")
    assert {control.get("id") for control in controls} - labelled == set()
    for described in document.xpath("//*/@aria-describedby"):
        assert set(described.split()) <= set(ids)
