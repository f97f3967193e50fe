"""The widget in a page of somebody else's, on another origin."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.request import urlopen

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser.axe import axe_violations
from tests.browser.conftest import NewPage
from tests.service import Service

HOSTILE = "<img src=x onerror=\"document.title='run'\"><script>document.title='run'</script>"


class Host:
    """Another site: a page with a strict policy."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.attributes = ""
        self.is_in_head = False
        host = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = host.html().encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header(
                    "Content-Security-Policy",
                    "default-src 'none'; style-src 'none'; "
                    f"script-src {service.url}; connect-src {service.url}; img-src data:",
                )
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/"
        Thread(target=self._server.serve_forever, daemon=True).start()

    def html(self) -> str:
        script = f'<script async src="{self.service.url}/widget.js" {self.attributes}></script>'
        head, body = (script, "") if self.is_in_head else ("", script)
        return (
            '<!doctype html><html lang="en"><head><title>A shop</title>'
            f'<link rel="icon" href="data:,">{head}</head>'
            f"<body><main><h1>A shop</h1>{body}</main></body></html>"
        )

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def host(service: Service) -> Iterator[Host]:
    made = Host(service)
    yield made
    made.stop()


def summary(service: Service) -> dict[str, Any]:
    with urlopen(f"{service.url}/api/v2/summary.json") as answer:
        return dict(json.load(answer))


def answer_with(page: Page, told: dict[str, Any]) -> None:
    def fulfil(route: Route) -> None:
        route.fulfill(json=told, headers={"Access-Control-Allow-Origin": "*"})

    page.route("**/api/v2/summary.json", fulfil)


def troubled(service: Service, title: str = "Payments fail") -> dict[str, Any]:
    incident = {"id": "abcdefghijkl", "name": title, "status": "investigating"}
    status = {"indicator": "critical", "description": "Major System Outage"}
    return {**summary(service), "incidents": [incident], "status": status}


def box(page: Page) -> Any:
    return page.get_by_role("region")


def test_it_shows_the_state_on_another_site(any_page: Page, host: Host) -> None:
    any_page.goto(host.url)
    told = summary(host.service)
    state = any_page.get_by_role("status").get_by_role("link")
    expect(state).to_have_text(told["status"]["description"])
    expect(state).to_have_attribute("href", f"{host.service.url}/")
    expect(box(any_page)).to_have_attribute("aria-label", told["page"]["name"])
    assert axe_violations(any_page) == []


def test_a_line_in_the_head_is_shown_at_the_top_of_the_body(page: Page, host: Host) -> None:
    host.is_in_head = True
    page.goto(host.url)
    expect(page.get_by_role("status")).to_be_visible()
    assert page.evaluate("document.body.firstElementChild.shadowRoot !== undefined")
    assert page.evaluate("document.head.querySelectorAll(':not(title, link, script)').length") == 0


def test_a_hostile_title_is_text_and_its_link_leads_to_the_page(page: Page, host: Host) -> None:
    told = troubled(host.service, HOSTILE)
    told["incidents"][0]["shortlink"] = "javascript:document.title='run'"
    answer_with(page, told)
    page.goto(host.url)
    row = box(page).get_by_role("listitem")
    expect(row).to_have_text(f"{HOSTILE} Investigating")
    expect(row.get_by_role("link")).to_have_attribute(
        "href", f"{host.service.url}/incidents/abcdefghijkl"
    )
    expect(page).to_have_title("A shop")
    assert axe_violations(page) == []


def test_it_follows_the_state_and_says_when_it_cannot(browser: Browser, host: Host) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.clock.install()
    answer_with(page, troubled(host.service))
    page.goto(host.url)
    state = page.get_by_role("status")
    expect(state).to_have_text("Major System Outage")
    page.unroute_all()
    page.route("**/api/v2/summary.json", lambda route: route.abort())
    page.clock.run_for(61_000)
    expect(box(page)).to_contain_text("It can’t be confirmed right now.")
    expect(state).to_have_text("Major System Outage")
    page.unroute_all()
    answer_with(page, {**troubled(host.service), "incidents": []})
    page.clock.run_for(61_000)
    expect(box(page).get_by_role("listitem")).to_have_count(0)
    expect(box(page)).not_to_contain_text("can’t be confirmed")
    context.close()


@pytest.mark.parametrize(
    "answer", [{"status": 503, "body": "away"}, {"body": "<html>"}, {"body": "{}"}]
)
def test_where_nothing_is_known_it_claims_nothing(
    browser: Browser, host: Host, answer: dict[str, Any]
) -> None:
    context = browser.new_context()
    page = context.new_page()
    thrown: list[str] = []
    page.on("pageerror", lambda error: thrown.append(str(error)))
    headers = {"Access-Control-Allow-Origin": "*"}
    page.route("**/api/v2/summary.json", lambda route: route.fulfill(headers=headers, **answer))
    page.goto(host.url)
    expect(page.get_by_role("status")).to_have_text("The status can’t be loaded right now")
    assert thrown == []
    context.close()


def test_it_stays_away_while_all_is_well_where_it_is_asked_to(page: Page, host: Host) -> None:
    host.attributes = 'data-when="trouble" data-position="corner"'
    page.clock.install()
    fine = {"indicator": "none", "description": "All Systems Operational"}
    told = {**summary(host.service), "incidents": [], "scheduled_maintenances": [], "status": fine}
    answer_with(page, told)
    page.goto(host.url)
    expect(page.locator("body > div")).to_have_count(1)
    expect(box(page)).to_have_count(0)
    page.unroute_all()
    answer_with(page, troubled(host.service))
    page.clock.run_for(61_000)
    expect(page.get_by_role("status")).to_be_in_viewport()


@pytest.mark.parametrize(
    ("theme", "ground"), [("dark", "rgb(23, 27, 32)"), ("light", "rgb(255, 255, 255)")]
)
def test_a_site_may_choose_the_scheme(
    new_page: NewPage, host: Host, theme: str, ground: str
) -> None:
    host.attributes = f'data-theme="{theme}"'
    page = new_page(scheme="light" if theme == "dark" else "dark")
    page.goto(host.url)
    expect(box(page)).to_have_css("background-color", ground)
