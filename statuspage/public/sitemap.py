"""What the page tells search engines: the site map (https://www.sitemaps.org/protocol.html)
and which addresses they leave alone (RFC 9309).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from xml.sax.saxutils import escape

from statuspage.core.languages import OFFERED, prefix
from statuspage.core.links import Links
from statuspage.public import html_pages
from statuspage.public.snapshot import ComponentView, IncidentView, MonthView, Snapshot


def write_robots(links: Links) -> str:
    """What stands in ``robots.txt``."""
    return (
        "User-agent: *\n"
        "Disallow: /admin/\n"
        "Disallow: /subscriptions/\n"
        "Disallow: /unsubscribe/\n"
        f"Sitemap: {links.to('/sitemap.xml')}\n"
    )


# All other pages name their counterparts themselves.
_ENTRIES = ("/", "/history", "/subscribe")


@lru_cache(maxsize=2)
def _other_languages(own: str, links: Links) -> dict[str, str]:
    """Where else an entry of the sitemap can be read, by its path."""
    link = '<xhtml:link rel="alternate" hreflang="{}" href="{}"/>'
    return {
        path: "".join(
            link.format(each.code, escape(links.to(prefix(each.code, own=own) + path)))
            for each in OFFERED
        )
        for path in _ENTRIES
    }


def _begin(incident: IncidentView) -> tuple[datetime, str]:
    return incident.begins_at, incident.code


def write_sitemap(
    snapshot: Snapshot, incidents: Sequence[IncidentView], months: Sequence[MonthView], links: Links
) -> str:
    """The site map: the pages that change, all components, and the incidents that are ready."""
    others = _other_languages(snapshot.page.language, links)
    rows = [_row(path, snapshot.updated_at, links, others[path]) for path in _ENTRIES]
    rows += [
        _row(html_pages.component_path(view.code), moment, links)
        for view, moment in _component_moments(snapshot, incidents)
    ]
    # Older incidents are reached from the months, each of which leads to the one before.
    recent = sorted({*snapshot.incidents, *snapshot.maintenances} - {*incidents}, key=_begin)
    listed = [*incidents, *reversed(recent)]
    rows += [_row(one.path, one.changed_at, links) for one in snapshot.current_notices]
    rows += [_row(html_pages.incident_path(each.code), each.updated_at, links) for each in listed]
    rows += [
        _row(html_pages.history_path(month.month, number), snapshot.updated_at, links)
        for month in months
        for number in range(1, month.pages + 1)
    ]
    urls = "".join(rows)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
        ' xmlns:xhtml="http://www.w3.org/1999/xhtml">\n'
        f"{urls}</urlset>\n"
    )


def _component_moments(
    snapshot: Snapshot, incidents: Sequence[IncidentView]
) -> Iterator[tuple[ComponentView, datetime]]:
    """Each component with when its page last changed: itself, or an incident that affects it."""
    changed: dict[str, datetime] = {}
    for incident in incidents:
        for view in incident.components:
            changed[view.code] = max(
                incident.updated_at, changed.get(view.code, incident.updated_at)
            )
    for view in snapshot.components:
        yield view, max(view.updated_at, changed.get(view.code, view.updated_at))


@lru_cache(maxsize=8192)
def _row(path: str, moment: datetime, links: Links, others: str = "") -> str:
    return (
        f"<url><loc>{escape(links.to(path))}</loc><lastmod>{moment:%Y-%m-%dT%H:%M:%SZ}</lastmod>"
        f"{others}</url>\n"
    )
