"""Pages made from sample views, handed to a browser without a server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace

from playwright.sync_api import Page, Route

from statuspage.core.enums import ComponentStatus, Kind
from statuspage.public import html_pages
from statuspage.public.assets import asset_documents
from statuspage.public.document import PAGE_POLICY
from statuspage.public.mail_form import FollowedIncidentChoice, MailForm
from statuspage.public.search import Asked, Search, SearchResult
from statuspage.public.snapshot import Frame
from tests.public import samples
from tests.public.samples import LINKS

STATE = "/api/v2/status.json"


@dataclass(frozen=True, slots=True)
class Shot:
    """A page worth looking at."""

    name: str
    html: str


def shots(language: str = "") -> Iterator[Shot]:
    """Every kind of page on every kind of day, in the page's own language or another."""

    def read(frame: Frame) -> Frame:
        return replace(frame, read_in=language)

    for name, snapshot in samples.SAMPLES.items():
        yield Shot(
            name, html_pages.render_home(replace(snapshot, frame=read(snapshot.frame)), LINKS)
        )
    calm, worst = read(samples.ALL_FINE.frame), read(samples.WORST_DAY.frame)
    fine = html_pages.render_home(replace(samples.ALL_FINE, frame=calm), LINKS)
    yield Shot("unconfirmed", html_pages.mark_unconfirmed(fine, since=samples.NOON))
    for name, frame, incident in (
        ("incident", calm, samples.PAYMENTS_OUTAGE),
        ("incident-open", worst, samples.CHECKOUT_DOWN),
        ("incident-maintenance", samples.MAINTENANCE.frame, samples.CARD_PROVIDER_MOVE),
        ("incident-cancelled", samples.MAINTENANCE.frame, samples.CALLED_OFF),
        ("incident-hostile", samples.HOSTILE.frame, samples.HOSTILE.open_incidents[0]),
        ("incident-long", samples.VERY_LONG.frame, samples.VERY_LONG.open_incidents[0]),
    ):
        yield Shot(name, html_pages.render_incident(read(frame), incident, LINKS))
    yield Shot("history", html_pages.render_history(calm, samples.MONTH, LINKS))
    yield Shot("history-empty", html_pages.render_history(calm, samples.EMPTY_MONTH, LINKS))
    yield Shot("history-paged", html_pages.render_history(worst, samples.PAGED_MONTH, LINKS))
    for name, sample in (("fine", samples.ALL_FINE), ("worst", samples.WORST_DAY)):
        payments = next(each for each in sample.components if each.name == "Payments")
        view = samples.component_page(payments, sample.incidents)
        html = html_pages.render_component(read(sample.frame), view, LINKS)
        yield Shot(f"component-{name}", html)
        yield Shot(f"component-{name}-table", html.replace('id="table"', 'id="table" open'))
    yield from _with_metrics(calm)
    tree = samples.WORST_DAY.tree
    for name, asked, found in searches(tree):
        html = html_pages.render_search(calm, tree, LINKS, asked=asked, found=found)
        yield Shot(name, html)
    yield Shot("subscribe", html_pages.render_subscribe(calm, tree, LINKS))
    wrong = MailForm(
        email="nobody",
        components=frozenset({samples.WORST_DAY.components[0].code}),
        field="email",
        reason="Enter an email address, like name@example.com.",
    )
    yield Shot("subscribe-refused", html_pages.render_subscribe(worst, tree, LINKS, form=wrong))
    yield Shot("subscribe-sent", html_pages.render_sign_up_sent(calm, LINKS))
    kept = replace(
        wrong,
        email="sam@example.com",
        field="",
        followed=(FollowedIncidentChoice("c0", "Checkout down"),),
    )
    for scenario in ("to_confirm", "confirmed", "left", "over"):
        html = html_pages.render_subscription(calm, tree, LINKS, scenario=scenario, form=kept)
        yield Shot(f"subscription-{scenario}", html)
    for suppressed, acted in (("", ""), ("", "stay"), ("unsubscribed", "leave"), ("bounced", "")):
        html = html_pages.render_leaving(
            calm,
            LINKS,
            email="sam@example.com",
            suppressed=suppressed,
            is_owed=True,
            acted=acted,
        )
        yield Shot(f"leaving-{suppressed}{acted}", html)
    for code in (404, 405, 410):
        yield Shot(f"error-{code}", html_pages.render_error(code, frame=worst, links=LINKS))
    for code in (500, 503):
        yield Shot(f"error-{code}", html_pages.render_error(code, asked=language or None))


def _with_metrics(frame: Frame) -> Iterator[Shot]:
    """The page and a component's own page with charts, one of them with gaps, one still empty."""
    sample = samples.ALL_FINE
    payments = next(each for each in sample.components if each.name == "Payments")
    metrics = (
        samples.metric("API response time", of=payments, gaps=[*range(30, 42), *range(43, 50)]),
        samples.metric("Failed payments", "%", decimals=2, of=payments, around=0.4),
        replace(samples.metric("Orders", "per minute"), series=""),
    )
    front = replace(sample, frame=frame, metrics=metrics)
    yield Shot("metrics", html_pages.render_home(front, LINKS))
    view = replace(samples.component_page(payments, sample.incidents), metrics=metrics[:2])
    # An alert has set its state.
    automatic = replace(payments, status=ComponentStatus.PARTIAL_OUTAGE, is_automatic=True)
    view = replace(view, component=automatic)
    yield Shot("component-metrics", html_pages.render_component(frame, view, LINKS))


def searches(tree: html_pages.Tree) -> Iterator[tuple[str, Asked, SearchResult]]:
    """A search that finds something, and one of which nothing is right."""
    incidents = samples.MONTH.incidents
    some = SearchResult(
        incidents, samples.WORST_DAY.components[0], True, incidents[-1].code, samples.NOON
    )
    words = Search("cards", component=samples.WORST_DAY.components[0].code, kind=Kind.INCIDENT)
    yield "search", Asked(words), some
    nothing = SearchResult((), None, True, "", None)
    wrong = Search("<b>everything", component="nothing", before="nothing")
    yield "search-nothing", Asked(wrong, "outage", is_cut=True), nothing


class Showcase:
    """What a browser finds at the page's address: change it while the browser looks on.

    ``asked`` are the paths that were asked for, without the static files.
    """

    def __init__(self, page: Page, html: str, *, updated_at: str = "2026-03-04T11:48:00Z") -> None:
        self.html = html
        self.updated_at = updated_at
        self.status = 200
        self.is_away = False
        self.asked: list[str] = []
        page.route("**/*", self._answer)

    @property
    def looks(self) -> int:
        """How often the page asked whether there is news."""
        return self.asked.count(STATE)

    def _answer(self, route: Route) -> None:
        path = route.request.url.removeprefix(LINKS.base).partition("#")[0]
        file = asset_documents().get(path)
        if file is not None:
            route.fulfill(body=file.body, content_type=file.content_type)
            return
        self.asked.append(path)
        if self.is_away:
            route.abort()
        elif path == STATE:
            body = json.dumps({"page": {"updated_at": self.updated_at}})
            route.fulfill(body=body, content_type="application/json")
        else:
            headers = {"Content-Security-Policy": PAGE_POLICY}
            route.fulfill(
                status=self.status,
                body=self.html,
                content_type="text/html; charset=utf-8",
                headers=headers,
            )
