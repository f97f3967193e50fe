"""Charts of metrics: lines with gaps, words beside them, and few bytes."""

from __future__ import annotations

import gzip
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import brotli
import pytest

from statuspage.public.html_pages import render_component, render_home
from statuspage.public.metric_charts import draw_band, draw_line, globals_in, scale
from statuspage.public.metric_views import MetricView, Series
from statuspage.public.times import Times
from tests.htmlchecker import HtmlChecker
from tests.public import samples
from tests.public.samples import ALL_FINE, LINKS, NOON


def series(*means: float | None) -> Series:
    steps = tuple(None if mean is None else (mean / 2, mean, mean * 2) for mean in means)
    return Series("day", NOON - timedelta(days=1), 900, steps)


def lines(drawn: str) -> list[str]:
    return re.findall(r'<path d="([^"]*)"', drawn)


@pytest.mark.parametrize(
    ("means", "line"),
    [
        # From zero, where the least is nearer to zero than to the most.
        ((10, 5, 0), "M0 1l1 11 1 11"),
        ((0, 10), "M0 23l1-22"),
        # From the least, where it is not; in the middle, where all are the same.
        ((99.5, 100), "M0 23l1-22"),
        ((7, 7), "M0 12l1 0"),
        ((0, 0), "M0 23l1 0"),
        # Gaps.
        ((10, None, 0, 10, None), "M0 1h0M2 23l1-22"),
        ((None, None), ""),
    ],
)
def test_means_are_a_line_and_a_gap_is_a_gap(means: Sequence[float | None], line: str) -> None:
    assert lines(draw_line(series(*means))) == ([line] if line else [])


def test_the_area_reaches_from_the_least_to_the_most() -> None:
    drawn = draw_band(series(10, 20, None, 10))
    assert scale(series(10, 20, None, 10)) == (0, 40)
    assert 'class="band" d="M0 48L1 1L1 71L0 83zM3 48L3 83z"' in drawn
    assert lines(drawn) == ["M0 71l1-23M3 71h0"]
    assert draw_band(series(None)) == ""


def test_figures_are_written_in_the_language() -> None:
    metric = samples.metric("Latency", "ms", decimals=1)
    told = {
        language: globals_in(Times(language, "UTC"))["figure"](1234.56, metric)
        for language in ("en", "de")
    }
    assert told == {"en": "<bdi>1,234.6\u00a0ms</bdi>", "de": "<bdi>1.234,6\u00a0ms</bdi>"}
    percent = replace(metric, unit="%", decimals=0)
    assert globals_in(Times("en", "UTC"))["figure"](99.6, percent) == "<bdi>100%</bdi>"


def with_metrics(*metrics: MetricView) -> str:
    return render_home(replace(ALL_FINE, metrics=metrics), LINKS)


def test_the_page_tells_each_chart_in_words_too(html_errors: HtmlChecker) -> None:
    payments = next(each for each in ALL_FINE.components if each.name == "Payments")
    metrics = (
        samples.metric("Latency", "ms", of=payments, gaps=range(96)),
        replace(samples.metric("<b>Orders"), series=""),
    )
    html = with_metrics(*metrics)
    assert html_errors(html) == []
    section = html.partition('<section id="metrics">')[2].partition("</section>")[0]
    text = " ".join(re.sub(r"<[^>]*>", " ", section).split())
    assert "Latency Payments" in text
    assert "Last 24 hours No data" in text
    assert re.search(r"Last 7 days lowest \d+ ms , average \d+ ms , highest", text)
    assert "&lt;b&gt;Orders No data yet." in text
    assert f'href="/components/{payments.code}"' in section
    view = replace(samples.component_page(payments, []), metrics=metrics)
    page = render_component(ALL_FINE.frame, view, LINKS)
    assert html_errors(page) == []
    assert page.count('<table class="daily">') == 3
    assert "Feb 3, 2026" in page


def test_a_page_without_metrics_says_nothing_of_them() -> None:
    assert "metric" not in with_metrics()
    payments = next(each for each in ALL_FINE.components if each.name == "Payments")
    page = render_component(ALL_FINE.frame, samples.component_page(payments, []), LINKS)
    assert "metric" not in page


def test_twenty_charts_cost_a_visitor_less_than_ten_kilobytes() -> None:
    metrics = [
        samples.metric(f"{name} {kind}", unit, decimals=decimals, around=around)
        for name in (
            "Checkout",
            "Search",
            "Login",
            "API",
            "Mail",
            "Images",
            "Jobs",
            "Web",
            "A",
            "B",
        )
        for kind, unit, decimals, around in (("time", "ms", 0, 120), ("errors", "%", 2, 0.4))
    ]
    plain, charted = with_metrics().encode(), with_metrics(*metrics).encode()
    assert len(gzip.compress(charted)) - len(gzip.compress(plain)) < 10_000
    compressed = [len(brotli.compress(page, quality=5)) for page in (plain, charted)]
    assert compressed[1] - compressed[0] < 10_000
