"""What search engines are told."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date

from statuspage.core.languages import OFFERED
from statuspage.public.sitemap import write_robots, write_sitemap
from statuspage.public.snapshot import MonthView
from tests.public.samples import INVESTIGATING, LINKS, ago, incident, post, snapshot

OUTAGE = incident("Payments fail", post(INVESTIGATING, "We are looking.", ago(hours=3)))
MONTH = MonthView(date(2026, 3, 1), (OUTAGE,), number=1, pages=2, earlier=None, later=None)


def addresses(written: str) -> list[str]:
    return [path.removeprefix(LINKS.base) for path in re.findall("<loc>(.*?)</loc>", written)]


def test_the_sitemap_leads_to_the_pages_to_incidents_and_to_every_page_of_a_month() -> None:
    site = replace(snapshot(), tree=(), incidents=(), maintenances=())
    assert addresses(write_sitemap(site, [OUTAGE], [MONTH], LINKS)) == [
        "/", "/history", "/subscribe", f"/incidents/{OUTAGE.code}",
        "/history/2026-03", "/history/2026-03/2",
    ]  # fmt: skip


def test_the_sitemap_names_each_entry_in_every_language() -> None:
    written = write_sitemap(snapshot(), [], [], LINKS)
    assert written.count("hreflang=") == 3 * len(OFFERED)


def test_robots_are_kept_from_the_admin_and_from_links_in_mail() -> None:
    lines = write_robots(LINKS).splitlines()
    assert [line for line in lines if line.startswith("Disallow")] == [
        "Disallow: /admin/",
        "Disallow: /subscriptions/",
        "Disallow: /unsubscribe/",
    ]
    assert lines[-1] == f"Sitemap: {LINKS.base}/sitemap.xml"
