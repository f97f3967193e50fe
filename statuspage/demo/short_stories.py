"""The short incidents between the demo's long ones, so that ninety days look like ninety days."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from statuspage.demo.stage import Beat, IncidentScript
from statuspage.words import ComponentStatus, IncidentStatus, Role

PACIFIC = ZoneInfo("America/Los_Angeles")

DEGRADED = ComponentStatus.DEGRADED_PERFORMANCE
PARTIAL = ComponentStatus.PARTIAL_OUTAGE


def days_ago(now: datetime, days: int, clock_time: str, zone: ZoneInfo = PACIFIC) -> datetime:
    """That time of day in ``zone``, so many days before today there (after, where negative)."""
    day = now.astimezone(zone).date() - timedelta(days=days)
    return datetime.combine(day, time.fromisoformat(clock_time), tzinfo=zone).astimezone(now.tzinfo)


def short_stories(now: datetime) -> Iterator[IncidentScript]:
    """Nine of them, the newest first."""
    yield _short(
        days_ago(now, 8, "08:40"),
        "Product search slower than usual",
        "Catalog",
        50,
        notice="Searching for products takes several seconds longer than usual.",
        cause="A large import of new products kept the search busy.",
        resolution="We paused the import and will run it at night.",
        commander="grace",
    )
    yield _short(
        days_ago(now, 14, "06:15"),
        "Order mails arrive late",
        "Notifications",
        95,
        notice="Order confirmations by mail arrive up to an hour late. The orders are placed.",
        cause="A backlog had built up overnight in the part that sends our mails.",
        resolution="We doubled its capacity, and every waiting mail has been sent.",
    )
    yield _short(
        days_ago(now, 22, "12:05"),
        "Product images missing on some pages",
        "Storefront",
        40,
        notice="On some pages, product images are missing. Everything else works.",
        cause="Images that had just been uploaded were not copied to every place we serve from.",
        resolution="All images have been copied again.",
        commander="grace",
    )
    yield _short(
        days_ago(now, 33, "17:20"),
        "API turns requests away too early",
        "API",
        75,
        notice="Some apps are told that they have made too many requests although they have not.",
        cause="The limits were counted twice for apps that use two keys.",
        resolution="Every request is counted only once now, whichever key it comes with.",
        rank=2,
        state=PARTIAL,
    )
    yield _short(
        days_ago(now, 41, "10:30"),
        "Sales reports one day behind",
        "Admin",
        180,
        notice="Sales reports in the back office end with the day before yesterday.",
        cause="Last night's calculation stopped halfway.",
        resolution="The calculation has been run again, and the reports are complete.",
        commander="hiro",
    )
    yield _short(
        days_ago(now, 49, "19:45"),
        "New passwords cannot be set",
        "Auth",
        35,
        notice="The link to set a new password leads to an error page. Signing in works.",
        cause="The link pointed to an address that no longer exists.",
        resolution="Links lead to the right page again, also those in mails already sent.",
        commander="emre",
    )
    yield _short(
        days_ago(now, 58, "07:55"),
        "Prices outdated on some product pages",
        "Catalog",
        65,
        notice="Some product pages show yesterday's price. The basket shows the right one.",
        cause="Pages kept in store for quick answers were not renewed after the change of prices.",
        resolution="All pages have been renewed, and they now follow the prices within a minute.",
        commander="grace",
    )
    yield _short(
        days_ago(now, 71, "13:10"),
        "Shop unreachable for some visitors",
        "Infrastructure",
        28,
        notice="Visitors in parts of Europe cannot reach the shop.",
        cause="A network route that we use in Europe had failed.",
        resolution="Traffic takes another route, and all visitors reach the shop.",
        rank=2,
        state=PARTIAL,
    )
    yield _short(
        days_ago(now, 84, "16:00"),
        "Webhooks delivered late",
        "Notifications",
        55,
        notice="Webhooks arrive up to twenty minutes late. None is lost.",
        cause="One very slow receiver held up all the others.",
        resolution="Slow receivers now wait in a line of their own.",
    )


def _short(
    begins_at: datetime,
    title: str,
    component: str,
    minutes: int,
    *,
    notice: str,
    cause: str,
    resolution: str,
    rank: int = 3,
    state: ComponentStatus = DEGRADED,
    commander: str = "dana",
) -> IncidentScript:
    """A short incident in three steps: seen, mended and watched, over."""
    confirmed: Mapping[str, object] = {"cause": cause, "cause_confirmed": True}
    return IncidentScript(
        title=title,
        rank=rank,
        begins_at=begins_at,
        notice=notice,
        roles={Role.COMMANDER: commander, Role.COMMS_LEAD: "charlie"},
        beats=(
            Beat(5, IncidentStatus.INVESTIGATING, {component: state}),
            Beat(
                max(8, minutes - 15),
                IncidentStatus.MONITORING,
                facts={**confirmed, "resolution": resolution, "watch_minutes": 15},
            ),
            Beat(max(20, minutes), IncidentStatus.RESOLVED),
        ),
    )
