"""A component follows one of a provider's page: the page is read, then one is chosen."""

from __future__ import annotations

import pytest
from flask import Flask

from statuspage.core.db import current_session
from statuspage.core.enums import ComponentStatus
from statuspage.core.errors import Invalid
from statuspage.intake import provider_pages
from statuspage.intake.provider_pages import Summary, TheirComponent, followed
from tests.admin.conftest import Desk
from tests.browsing import actions, reasons
from tests.htmlchecker import HtmlChecker

URL = "https://status.provider.example"


@pytest.fixture(autouse=True)
def page(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page elsewhere, which tests do not ask."""

    def look(url: str) -> Summary:
        if url != URL:
            raise Invalid("url", "This page can’t be read: its name is unknown")
        found = [
            TheirComponent("api", "API", ComponentStatus.OPERATIONAL),
            TheirComponent("cdn", "<b>CDN</b>", ComponentStatus.MAJOR_OUTAGE),
        ]
        return Summary("Provider", found)

    monkeypatch.setattr(provider_pages, "look", look)


def test_a_component_follows_one_of_theirs_and_stops(
    desk: Desk, app: Flask, html_errors: HtmlChecker
) -> None:
    screen = f"/admin/components/{desk.checkout}"
    assert "Follow a provider’s component" in desk.get(screen).text
    shown = desk.get(f"{screen}/provider")
    assert html_errors(shown.text) == []
    assert "Read the page" in shown.text
    read = desk.browser.send_shown(
        f"{screen}/provider", {"url": "status.provider.example", "look": "1"}
    )
    assert html_errors(read.text) == []
    assert "&lt;b&gt;CDN&lt;/b&gt;: Major outage" in read.text
    sent = {"url": URL, "code": "cdn"}
    assert desk.browser.send_shown(f"{screen}/provider", sent).status_code == 303
    with app.app_context():
        row = followed(current_session(), desk.checkout)
        assert row is not None
        assert (row.page.url, row.code) == (URL, "cdn")
    assert "Follows Provider" in desk.get(screen).text
    again = desk.get(f"{screen}/provider")
    assert html_errors(again.text) == []
    assert "Provider, last read" in again.text
    desk.browser.send(f"{screen}/unfollow")
    assert "Follow a provider’s component" in desk.get(screen).text
    assert actions(app)[-2:] == ["provider.follow", "provider.unfollow"]


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ({"url": ""}, "Address: Enter the address of their status page"),
        (
            {"url": "https://elsewhere.example", "look": "1"},
            "Address: This page can’t be read: its name is unknown",
        ),
        ({"url": URL, "code": "gone"}, "Their component: Choose one of their components"),
    ],
)
def test_what_cannot_be_followed_is_said_at_its_field(
    desk: Desk, sent: dict[str, str], expected: str
) -> None:
    answer = desk.browser.send_shown(f"/admin/components/{desk.checkout}/provider", sent)
    assert reasons(answer) == [expected]
