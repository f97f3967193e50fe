"""Snapshots of a made-up shop's page on its good and bad days, for tests and for pictures.

They are plain views, made without a database; all times are told from `NOON`.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from hashlib import blake2b

from statuspage.core.enums import (
    OVERALL,
    ComponentStatus,
    Impact,
    IncidentStatus,
    Kind,
    MaintenanceStatus,
    Status,
    overall_indicator,
)
from statuspage.core.links import Links
from statuspage.core.richtext import clean_line
from statuspage.public.metric_views import MetricView
from statuspage.public.snapshot import (
    Affected,
    ComponentPageView,
    ComponentView,
    DayView,
    DayWithIncidents,
    EarlierText,
    Frame,
    GroupView,
    IncidentLink,
    IncidentView,
    MonthView,
    PageView,
    Pinned,
    Snapshot,
    UpdateView,
)
from statuspage.public.uptime import Change, Uptime, count_days

NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
LINKS = Links("https://status.example.com")

OPERATIONAL = ComponentStatus.OPERATIONAL
MAINTAINED = ComponentStatus.UNDER_MAINTENANCE
DEGRADED = ComponentStatus.DEGRADED_PERFORMANCE
PARTIAL = ComponentStatus.PARTIAL_OUTAGE
MAJOR = ComponentStatus.MAJOR_OUTAGE

INVESTIGATING = IncidentStatus.INVESTIGATING
IDENTIFIED = IncidentStatus.IDENTIFIED
MONITORING = IncidentStatus.MONITORING
RESOLVED = IncidentStatus.RESOLVED
POSTMORTEM = IncidentStatus.POSTMORTEM
SCHEDULED = MaintenanceStatus.SCHEDULED
IN_PROGRESS = MaintenanceStatus.IN_PROGRESS
COMPLETED = MaintenanceStatus.COMPLETED


def ago(*, days: float = 0, hours: float = 0, minutes: float = 0) -> datetime:
    return NOON - timedelta(days=days, hours=hours, minutes=minutes)


def code_of(text: str) -> str:
    """A code that is always the same for the same text."""
    number = int.from_bytes(blake2b(text.encode(), digest_size=8).digest())
    return "".join("abcdefghijklmnopqrstuvwxyz0123456789"[number // 36**i % 36] for i in range(12))


PAGE = PageView(
    code=code_of("page"),
    name="Marigold",
    about="",
    time_zone="UTC",
    language="en",
    support_email="help@example.com",
    support_url="",
    look=(),
    is_set_up=True,
    created_at=ago(days=400),
    updated_at=ago(days=3),
)


def component(
    name: str,
    status: ComponentStatus = OPERATIONAL,
    *,
    description: str = "",
    group: str | None = None,
    only_show_if_degraded: bool = False,
    is_removed: bool = False,
) -> ComponentView:
    return ComponentView(
        code=code_of(f"component {name}"),
        name=name,
        description=description,
        status=status,
        position=1,
        only_show_if_degraded=only_show_if_degraded,
        group_code=code_of(f"group {group}") if group else None,
        group_name=group,
        is_removed=is_removed,
        created_at=ago(days=400),
        updated_at=ago(days=30),
    )


def group(name: str, *components: ComponentView, description: str = "") -> GroupView:
    return GroupView(
        code=code_of(f"group {name}"),
        name=name,
        description=description,
        position=1,
        components=tuple(
            replace(each, group_name=name, group_code=code_of(f"group {name}"), position=place)
            for place, each in enumerate(components, start=1)
        ),
        created_at=ago(days=400),
        updated_at=ago(days=30),
    )


def post(
    status: Status,
    body: str,
    at: datetime,
    *,
    posted_at: datetime | None = None,
    edited_at: datetime | None = None,
    next_update_at: datetime | None = None,
    reopens: bool = False,
    affected: Sequence[tuple[ComponentView, ComponentStatus, ComponentStatus]] = (),
    earlier: Sequence[EarlierText] = (),
) -> UpdateView:
    code = code_of(f"post {body} {at}")
    return UpdateView(
        code=code,
        status=status,
        body=body,
        happened_at=at,
        posted_at=posted_at or at,
        edited_at=edited_at,
        reopens=reopens,
        next_update_at=next_update_at,
        affected=tuple(Affected(each.code, each.name, old, new) for each, old, new in affected),
        entry_id=f"tag:status.example.com,2026:{code}",
        earlier=tuple(earlier),
    )


def incident(
    title: str,
    *updates: UpdateView,
    impact: Impact = Impact.MINOR,
    components: Sequence[ComponentView] = (),
    next_update_at: datetime | None = None,
    is_overdue: bool = False,
    is_pinned: bool = False,
    started_at: datetime | None = None,
) -> IncidentView:
    """An incident told by its posts, newest first; the newest says how it stands."""
    status = updates[0].status if updates else INVESTIGATING
    started = started_at or (updates[-1].happened_at if updates else NOON)
    resolved = [each.happened_at for each in updates if each.status is RESOLVED]
    is_over = status in {RESOLVED, POSTMORTEM}
    return IncidentView(
        code=code_of(f"story {title}"),
        kind=Kind.INCIDENT,
        title=title,
        status=status,
        impact=impact,
        begins_at=started,
        started_at=started,
        monitoring_at=None,
        resolved_at=resolved[0] if is_over and resolved else None,
        scheduled_for=None,
        scheduled_until=None,
        cancelled_at=None,
        created_at=started,
        updated_at=updates[0].changed_at if updates else started,
        next_update_at=next_update_at,
        is_overdue=is_overdue,
        is_pinned=is_pinned,
        entry_id=f"tag:status.example.com,2026:{code_of(title)}",
        components=tuple(components),
        updates=updates,
    )


def maintenance(
    title: str,
    *updates: UpdateView,
    start: datetime,
    end: datetime,
    components: Sequence[ComponentView] = (),
    cancelled_at: datetime | None = None,
    next_update_at: datetime | None = None,
) -> IncidentView:
    """A maintenance told by its posts, newest first."""
    status = updates[0].status
    is_over = status is COMPLETED
    return IncidentView(
        code=code_of(f"story {title}"),
        kind=Kind.MAINTENANCE,
        title=title,
        status=status,
        impact=Impact.MAINTENANCE,
        begins_at=start,
        started_at=start,
        monitoring_at=None,
        resolved_at=updates[0].happened_at if is_over else None,
        scheduled_for=start,
        scheduled_until=end,
        cancelled_at=cancelled_at,
        created_at=updates[-1].happened_at,
        updated_at=updates[0].changed_at,
        next_update_at=next_update_at,
        is_overdue=False,
        is_pinned=False,
        entry_id=f"tag:status.example.com,2026:{code_of(title)}",
        components=tuple(components),
        updates=updates,
    )


def snapshot(
    *,
    tree: Sequence[GroupView | ComponentView] = (),
    incidents: Sequence[IncidentView] = (),
    page: PageView = PAGE,
    at: datetime = NOON,
    next_change_at: datetime = NOON + timedelta(hours=12),
) -> Snapshot:
    """What the public sees of these components and incidents."""
    newest_incidents = _newest_first(
        incident for incident in incidents if not incident.is_maintenance
    )
    maintenances = _newest_first(incident for incident in incidents if incident.is_maintenance)
    open_incidents = tuple(incident for incident in newest_incidents if incident.is_open)
    coming = sorted((s for s in maintenances if s.is_open), key=lambda incident: incident.begins_at)
    begun = _newest_first(incident for incident in incidents if not incident.is_upcoming)
    components = [
        each
        for item in tree
        for each in (item.components if isinstance(item, GroupView) else [item])
    ]
    states = [each.status for each in components]
    indicator = overall_indicator(states, [incident.impact for incident in open_incidents])
    is_maintained = MAINTAINED in states
    is_calm = indicator is Impact.NONE
    frame = Frame(
        page=page,
        indicator=indicator,
        description=OVERALL[Impact.MAINTENANCE if is_calm and is_maintained else indicator],
        under_maintenance=is_maintained,
        pinned=tuple(
            Pinned(incident.code, incident.title, incident.status, incident.is_overdue)
            for incident in open_incidents
            if incident.is_pinned
        ),
    )
    today = at.astimezone(page.zone).date()
    return Snapshot(
        at=at,
        frame=frame,
        tree=tuple(tree),
        open_incidents=open_incidents,
        active=tuple(incident for incident in coming if not incident.is_upcoming),
        upcoming=tuple(incident for incident in coming if incident.is_upcoming),
        days=tuple(_day(today - timedelta(days=back), begun, page) for back in range(15)),
        incidents=newest_incidents,
        maintenances=maintenances,
        recent=begun,
        updates=(),
        updated_at=max([page.updated_at, *(incident.updated_at for incident in incidents)]),
        last_change_at=NOON - timedelta(hours=12),
        next_change_at=next_change_at,
        uptimes={each.code: uptime(each, incidents, page, at) for each in components},
    )


def uptime(
    view: ComponentView,
    incidents: Iterable[IncidentView],
    page: PageView = PAGE,
    at: datetime = NOON,
) -> Uptime:
    """A component's days: what these incidents say of it, and old trouble made up from its name."""
    dice = random.Random(view.name)
    words = [(ago(days=80), OPERATIONAL)]
    for start in sorted(ago(days=dice.uniform(16, 78)) for _ in range(dice.choice((0, 1, 3)))):
        words.append((start, dice.choice((DEGRADED, PARTIAL, MAJOR, MAINTAINED))))
        words.append((start + timedelta(minutes=dice.randint(9, 200)), OPERATIONAL))
    incidents = list(incidents)
    ends = [
        (incident.resolved_at, OPERATIONAL)
        for incident in incidents
        if incident.resolved_at and view.code in {each.code for each in incident.components}
    ]
    told = [
        (post.happened_at, effect.new_status)
        for incident in incidents
        for post in incident.updates
        for effect in post.affected
        if effect.code == view.code and post.happened_at <= at
    ]
    words += sorted([*told, *ends])
    words.append((max(words[-1][0], at - timedelta(minutes=20)), view.status))
    log = tuple(Change(moment, status) for moment, status in words)
    return count_days(log, zone=page.zone, until=at)


def component_page(
    view: ComponentView, incidents: Sequence[IncidentView], page: PageView = PAGE
) -> ComponentPageView:
    """What a component's own page tells of it after these incidents."""
    own = _newest_first(s for s in incidents if view.code in {each.code for each in s.components})
    counted = uptime(view, own, page)
    days = [
        DayWithIncidents(
            day,
            tuple(
                IncidentLink(incident.code, incident.title)
                for incident in own
                if incident.begins_at.astimezone(page.zone).date() == day.day
            ),
            more=0,
        )
        for day in reversed(counted.days)
    ]
    return ComponentPageView(view, counted, tuple(days), own)


def _newest_first(incidents: Iterable[IncidentView]) -> tuple[IncidentView, ...]:
    return tuple(sorted(incidents, key=lambda incident: incident.begins_at, reverse=True))


def _day(day: date, incidents: Sequence[IncidentView], page: PageView) -> DayView:
    of_day = [s for s in incidents if s.begins_at.astimezone(page.zone).date() == day]
    return DayView(day=day, incidents=tuple(of_day[:10]), more=len(of_day[10:]))


# The shop, and what has happened to it.


def shop(**states: ComponentStatus) -> tuple[GroupView | ComponentView, ...]:
    """The shop's components, with the states named: ``shop(checkout=PARTIAL)``."""

    def part(key: str, name: str, description: str = "") -> ComponentView:
        return component(name, states.get(key, OPERATIONAL), description=description)

    return (
        group(
            "Storefront",
            part("catalog", "Catalog", "Products, prices and stock"),
            part("search", "Search"),
            part("checkout", "Checkout", "Basket, payment and confirmation"),
            part("payments", "Payments"),
        ),
        group("Accounts", part("sign_in", "Sign-in"), part("profiles", "Profiles")),
        part("api", "API", "For partners and apps"),
        part("webhooks", "Webhooks"),
        part("receipts", "E-mail receipts"),
    )


def _named(name: str, status: ComponentStatus = OPERATIONAL) -> ComponentView:
    return component(name, status)


PAYMENTS_OUTAGE = incident(
    "Card payments were declined",
    post(
        RESOLVED,
        "Card payments work again. From 09:30 to 12:00 UTC on February 27 most of them were "
        "declined, and we are sorry for the orders that this cost you.\n\nBaskets were kept: an "
        "order that could not be paid can be completed now.",
        ago(days=5),
        affected=[(_named("Payments"), PARTIAL, OPERATIONAL)],
    ),
    post(
        MONITORING,
        "A fix is in place and payments go through. We watch it for 30 minutes before we call "
        "this over.",
        ago(days=5, minutes=40),
        affected=[(_named("Payments"), MAJOR, PARTIAL)],
    ),
    post(
        IDENTIFIED,
        "We found the cause and are undoing the change behind it. We expect payments to work again "
        "by 11:30 UTC.",
        ago(days=5, minutes=95),
        posted_at=ago(days=5, minutes=82),
    ),
    post(
        INVESTIGATING,
        "Most card payments are declined. Browsing and baskets are not affected.",
        ago(days=5, minutes=150),
        edited_at=ago(days=5, minutes=140),
        earlier=[EarlierText("Some card payments are declined.", ago(days=5, minutes=140))],
        affected=[
            (_named("Checkout"), OPERATIONAL, DEGRADED),
            (_named("Payments"), OPERATIONAL, MAJOR),
        ],
    ),
    impact=Impact.CRITICAL,
    components=[_named("Checkout"), _named("Payments")],
)

SLOW_PROFILES = incident(
    "Slow profile pages",
    post(
        RESOLVED,
        "Profile pages load as fast as usual again. Thank you for your patience.",
        ago(days=9, hours=1),
    ),
    post(INVESTIGATING, "Profile pages take up to ten seconds to load.", ago(days=9, hours=2.75)),
    impact=Impact.MINOR,
    components=[_named("Profiles")],
)

INDEX_REBUILD = maintenance(
    "Rebuilding the search index",
    post(COMPLETED, "The new index is in use. Search was available throughout.", ago(days=11)),
    post(IN_PROGRESS, "We have begun.", ago(days=11, hours=2)),
    post(SCHEDULED, "Search results may lag behind by some minutes.", ago(days=14)),
    start=ago(days=11, hours=2),
    end=ago(days=11),
    components=[_named("Search")],
)

PAST = (PAYMENTS_OUTAGE, SLOW_PROFILES, INDEX_REBUILD)

SLOW_SIGN_IN = incident(
    "Slow sign-in",
    post(
        MONITORING,
        "Sign-in is back to its usual speed for most of you. We keep watching until the morning "
        "peak is over.",
        ago(minutes=12),
        affected=[(_named("Sign-in"), PARTIAL, DEGRADED)],
    ),
    post(
        INVESTIGATING,
        "Signing in takes up to 20 seconds, and sometimes needs a second try. If you are signed in "
        "already you will not notice.",
        ago(minutes=48),
        affected=[(_named("Sign-in"), OPERATIONAL, PARTIAL)],
    ),
    impact=Impact.MINOR,
    components=[_named("Sign-in", DEGRADED)],
    next_update_at=NOON + timedelta(minutes=30),
)

CHECKOUT_DOWN = incident(
    "Orders cannot be placed",
    post(
        IDENTIFIED,
        "We know the cause: a database that holds open orders is out of space. We are moving it to "
        "a larger one.\n\n- Orders placed before 11:05 UTC are safe.\n- Baskets are kept.\n\n"
        "Please do not pay again for an order that shows as pending.",
        ago(minutes=35),
        affected=[(_named("Payments"), OPERATIONAL, PARTIAL)],
        next_update_at=ago(minutes=5),
    ),
    post(
        INVESTIGATING,
        "Orders cannot be placed at present. We are looking into it with everyone we have.",
        ago(minutes=55),
        affected=[(_named("Checkout"), OPERATIONAL, MAJOR)],
        next_update_at=ago(minutes=35),
    ),
    impact=Impact.CRITICAL,
    components=[_named("Checkout", MAJOR), _named("Payments", PARTIAL)],
    next_update_at=ago(minutes=5),
    is_overdue=True,
    is_pinned=True,
)

CARD_PROVIDER_MOVE = maintenance(
    "Moving to a new card provider",
    post(
        IN_PROGRESS,
        "The move has begun. Card payments may be declined for a few seconds; trying again helps.",
        ago(minutes=20),
        affected=[(_named("Payments"), OPERATIONAL, MAINTAINED)],
    ),
    post(
        SCHEDULED,
        "On March 4 we move card payments to a new provider. Payments may pause briefly.",
        ago(days=6),
    ),
    start=ago(minutes=20),
    end=NOON + timedelta(hours=1, minutes=40),
    components=[_named("Payments", MAINTAINED)],
)

CATALOG_UPGRADE = maintenance(
    "Catalog database upgrade",
    post(
        SCHEDULED,
        "Product pages stay readable. Changes to prices and stock appear after the work is done.",
        ago(days=2),
    ),
    start=NOON + timedelta(days=2, hours=10),
    end=NOON + timedelta(days=2, hours=11, minutes=30),
    components=[_named("Catalog"), _named("Search")],
)

CALLED_OFF = maintenance(
    "Network equipment change",
    post(COMPLETED, "The work is cancelled; a new date will be announced here.", ago(days=3)),
    post(SCHEDULED, "We replace a router on February 28.", ago(days=8)),
    start=ago(days=4),
    end=ago(days=3, hours=22),
    cancelled_at=ago(days=5),
)


# The page on its days.

ALL_FINE = snapshot(tree=shop(), incidents=[*PAST, CATALOG_UPGRADE])
ONE_MINOR = snapshot(tree=shop(sign_in=DEGRADED), incidents=[SLOW_SIGN_IN, *PAST])
WORST_DAY = snapshot(
    tree=shop(checkout=MAJOR, payments=PARTIAL, sign_in=DEGRADED),
    incidents=[CHECKOUT_DOWN, SLOW_SIGN_IN, CATALOG_UPGRADE, *PAST],
)
MAINTENANCE = snapshot(
    tree=shop(payments=MAINTAINED),
    incidents=[CARD_PROVIDER_MOVE, CATALOG_UPGRADE, CALLED_OFF, *PAST],
)
NOTHING = snapshot(page=replace(PAGE, support_email=""))
ALL_QUIET = snapshot(tree=shop())
NOT_SET_UP = snapshot(page=replace(PAGE, name="Status", support_email="", is_set_up=False))

_SCRIPT = "<script>alert(1)</script>"

HOSTILE = snapshot(
    page=replace(
        PAGE,
        name=f'"><img src=x onerror=alert(1)>{_SCRIPT}',
        about=f"{_SCRIPT} [a link](javascript:alert(1)) {{{{ 7*7 }}}}",
        support_email='"><script>@example.com',
        support_url='https://example.com/"onmouseover="alert(1)',
    ),
    tree=[
        component(f"{_SCRIPT} %(name)s %s {{{{ x }}}}", MAJOR, description="' onload='alert(1)"),
        group(
            "خدمات",
            component("تسجيل الدخول", DEGRADED, description="الوصول إلى الحسابات"),
            component("支払い", PARTIAL),
            component(clean_line("Ǝ" + "\u0331\u0334" * 40 + " zalgo")),
        ),
    ],
    incidents=[
        incident(
            f"</title>{_SCRIPT} <!--unconfirmed--> &amp; 100% %(x)s",
            post(
                INVESTIGATING,
                f"{_SCRIPT}\n\n<img src=x onerror=alert(1)>\n\n[here](javascript:alert(1))\n\n"
                "`</div></main>`\n\n# Heading\n\n| a | b |\n\n```\n" + "x" * 400 + "\n```",
                ago(minutes=3),
            ),
            impact=Impact.CRITICAL,
            is_pinned=True,
            components=[component(_SCRIPT, MAJOR)],
        ),
        incident(
            "تعذر الدفع بالبطاقة (EU-1)",
            post(MONITORING, "تم إصلاح العطل، ونواصل المراقبة.", ago(minutes=30)),
            impact=Impact.MAJOR,
            components=[component("支払い", PARTIAL)],
        ),
    ],
)

_LONG_WORD = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"
_LONG_TITLE = ("Intermittent failures when exporting quarterly reports to spreadsheets " * 3)[:200]
_LONG_BODY = "We have seen this before and it took a while. " * 200

VERY_LONG = snapshot(
    page=replace(
        PAGE, name=f"The Very Long {_LONG_WORD} Company of Northern Somewhere & Daughters"
    ),
    tree=[
        group(
            f"Reports and {_LONG_WORD}",
            component(_LONG_TITLE, PARTIAL, description=_LONG_TITLE + " " + "y" * 300),
            component(_LONG_WORD * 2, MAJOR),
            description=_LONG_TITLE,
        ),
        *(component(f"Region {number}", DEGRADED) for number in range(1, 9)),
    ],
    incidents=[
        incident(
            _LONG_TITLE,
            *(post(IDENTIFIED, _LONG_BODY[:900], ago(hours=number)) for number in range(30)),
            impact=Impact.MAJOR,
            is_pinned=True,
            next_update_at=NOON + timedelta(hours=3),
            components=[component(f"Region {number}", DEGRADED) for number in range(1, 9)],
        ),
        *(
            incident(
                f"Failed export number {number}",
                post(RESOLVED, _LONG_BODY, ago(days=1, minutes=number)),
                post(INVESTIGATING, "Exports fail.", ago(days=1, minutes=number + 9)),
                components=[component("Exports")],
            )
            for number in range(14)
        ),
    ],
)

MANY_COMPONENTS = snapshot(
    tree=[
        *(
            group(
                region,
                *(
                    component(
                        f"{service} ({region})",
                        DEGRADED if (region, service) == ("Frankfurt", "Queues") else OPERATIONAL,
                    )
                    for service in ("Compute", "Storage", "Queues", "Databases", "Networking")
                ),
                description="Five services in one place",
            )
            for region in (
                "Frankfurt", "Dublin", "Virginia", "Oregon", "São Paulo", "Mumbai", "Tokyo",
            )
        ),
        *(component(name) for name in ("Console", "API", "Billing", "Support", "Docs")),
        component("Legacy endpoint", only_show_if_degraded=True),
    ],
    incidents=PAST,
)  # fmt: skip

SAMPLES = {
    "all-fine": ALL_FINE,
    "minor": ONE_MINOR,
    "worst-day": WORST_DAY,
    "maintenance": MAINTENANCE,
    "nothing": NOTHING,
    "all-quiet": ALL_QUIET,
    "not-set-up": NOT_SET_UP,
    "hostile": HOSTILE,
    "very-long": VERY_LONG,
    "many": MANY_COMPONENTS,
}

MONTH = MonthView(
    month=date(2026, 2, 1),
    incidents=_newest_first([*PAST, CALLED_OFF]),
    number=1,
    pages=1,
    earlier=date(2025, 12, 1),
    later=date(2026, 3, 1),
)
EMPTY_MONTH = replace(MONTH, month=date(2026, 1, 1), incidents=())
PAGED_MONTH = replace(MONTH, number=2, pages=3)


def metric(
    name: str, unit: str = "ms", *, decimals: int = 0, of: ComponentView | None = None,
    around: float = 120, gaps: Sequence[int] = (),
) -> MetricView:  # fmt: skip
    """A metric whose numbers were made up from its name; the day has ``gaps`` at these steps."""
    dice = random.Random(name)

    def steps(count: int) -> list[list[float] | None]:
        found: list[list[float] | None] = []
        value = around
        for _ in range(count):
            value = max(around / 10, value + dice.gauss(0, around * 0.12) - (value - around) * 0.2)
            most = value * 1.4 + dice.random() * around / 4
            found.append([round(each, decimals + 1) for each in (value * 0.7, value, most)])
        return found

    day = [None if place in gaps else step for place, step in enumerate(steps(96))]
    parts: dict[str, tuple[str, int, list[list[float] | None]]] = {
        "day": (ago(days=1).isoformat(), 900, day),
        "week": (ago(days=7).isoformat(), 7200, steps(84)),
        "month": (ago(days=29).date().isoformat(), 86_400, steps(30)),
    }
    series = {
        span: {"begins": begins, "seconds": seconds, "steps": found}
        for span, (begins, seconds, found) in parts.items()
    }
    return MetricView(
        code=code_of(f"metric {name}"), name=name, unit=unit, decimals=decimals,
        component_code=of.code if of else None, component_name=of.name if of else None,
        series=json.dumps({"until": NOON.isoformat(), **series}),
    )  # fmt: skip
