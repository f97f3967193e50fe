from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from statuspage.core.db import db, writing
from statuspage.core.enums import ComponentStatus, Impact, IncidentStatus, Visibility
from statuspage.models import Component, ComponentChange, UpdateRevision
from statuspage.public.queries import (
    INCIDENTS_ON_A_PAGE,
    MOST_INCIDENTS_A_DAY,
    open_site,
    read_component_page,
    read_frame,
    read_incident,
    read_month,
    read_newest_month,
    read_recent_incidents,
    read_site,
    read_snapshot,
)
from statuspage.public.snapshot import ComponentView, GroupView, Snapshot
from tests.factories import (
    NOON,
    add_update,
    make_component,
    make_group,
    make_incident,
    make_maintenance,
    make_page,
    minutes,
)

INTERNAL = {"visibility": Visibility.INTERNAL}
DAY = timedelta(days=1)


@pytest.fixture
def look(session: Session) -> Callable[[], Snapshot]:
    """Reads the site at noon; the page is there."""
    make_page(session)
    return lambda: read_snapshot(read_site(session, at=NOON))


# What is shown.


def test_an_empty_database_shows_a_page_that_is_not_set_up(session: Session) -> None:
    snapshot = read_snapshot(read_site(session, at=NOON))
    assert (snapshot.page.is_set_up, snapshot.page.name) == (False, "Status")
    assert (snapshot.frame.indicator, snapshot.frame.description) == (Impact.NONE, "Not set up")
    assert snapshot.tree == ()


def test_groups_and_single_components_stand_in_one_order(
    session: Session, look: Callable[[], Snapshot]
) -> None:
    shop = make_group(session, "Shop", position=1)
    make_group(session, "Empty", position=0)
    make_component(session, "Website", position=2)
    make_component(session, "Login", position=0)
    make_component(session, "Cart", position=1, group_id=shop.id)
    make_component(session, "Checkout", position=0, group_id=shop.id)
    make_component(session, "Fax", position=0, removed_at=NOON)
    assert [shape(item) for item in look().tree] == [
        ("Login", 1),
        ("Shop", 2, [("Checkout", 1), ("Cart", 2)]),
        ("Website", 3),
    ]


def shape(item: GroupView | ComponentView) -> tuple[object, ...]:
    if isinstance(item, ComponentView):
        return item.name, item.position
    return item.name, item.position, [shape(component) for component in item.components]


def test_a_group_is_as_bad_as_its_worst_component(
    session: Session, look: Callable[[], Snapshot]
) -> None:
    shop = make_group(session)
    make_component(session, group_id=shop.id, status=ComponentStatus.UNDER_MAINTENANCE)
    make_component(session, group_id=shop.id, status=ComponentStatus.DEGRADED_PERFORMANCE)
    (group,) = look().tree
    assert group.status is ComponentStatus.DEGRADED_PERFORMANCE


def test_a_component_shown_only_if_degraded_hides_while_it_works(session: Session) -> None:
    make_page(session)
    component = make_component(session, only_show_if_degraded=True)
    assert [view.is_shown for view in views(session)] == [False]
    component.status = ComponentStatus.MAJOR_OUTAGE
    session.flush()
    assert [view.is_shown for view in views(session)] == [True]


def views(session: Session) -> tuple[ComponentView, ...]:
    return read_snapshot(read_site(session, at=NOON)).components


def test_a_incident_has_its_posts_newest_first_and_its_components_in_page_order(
    session: Session, look: Callable[[], Snapshot]
) -> None:
    login = make_component(session, "Login", position=1)
    cart = make_component(session, "Cart", position=0)
    gone = make_component(session, "Fax", removed_at=NOON)
    make_incident(session, updates=("investigating", "identified"), components=[gone, login, cart])
    (incident,) = look().open_incidents
    assert [update.status for update in incident.updates] == ["identified", "investigating"]
    assert [view.name for view in incident.components] == ["Cart", "Login", "Fax"]


def test_what_is_planned_stands_soonest_first_and_what_goes_on_apart(
    session: Session, look: Callable[[], Snapshot]
) -> None:
    make_maintenance(session, "Later", scheduled_for=NOON + 3 * DAY)
    make_maintenance(session, "Sooner", scheduled_for=NOON + DAY)
    make_maintenance(
        session, "Now", updates=("scheduled", "in_progress"), scheduled_for=NOON - minutes(5)
    )
    make_maintenance(
        session,
        "Done",
        updates=("scheduled", "in_progress", "completed"),
        scheduled_for=NOON - DAY,
    )
    snapshot = look()
    assert titles(snapshot.upcoming) == ["Sooner", "Later"]
    assert titles(snapshot.active) == ["Now"]
    assert titles(snapshot.maintenances) == ["Later", "Sooner", "Now", "Done"]


def titles(incidents: object) -> list[str]:
    return [incident.title for incident in incidents]  # type: ignore[attr-defined]


def test_an_open_incident_of_the_worst_rank_is_pinned(
    session: Session, look: Callable[[], Snapshot]
) -> None:
    make_incident(session, "Everything is down", severity_rank=1)
    make_incident(session, "Slow", severity_rank=2)
    make_incident(session, "Over", severity_rank=1, updates=("investigating", "resolved"))
    assert titles(look().frame.pinned) == ["Everything is down"]


def test_a_promise_is_overdue_once_its_moment_has_come(
    session: Session, look: Callable[[], Snapshot]
) -> None:
    make_incident(session, "Kept", next_update_at=NOON + minutes(1))
    make_incident(session, "Broken", next_update_at=NOON)
    make_incident(session, "Over", next_update_at=NOON, updates=("investigating", "resolved"))
    overdue = {incident.title: incident.is_overdue for incident in look().incidents}
    assert overdue == {"Kept": False, "Broken": True, "Over": False}


def test_a_corrected_post_keeps_what_it_said_before(
    session: Session, look: Callable[[], Snapshot]
) -> None:
    incident = make_incident(session, updates=())
    update = add_update(session, incident, body="Better.", edited_at=NOON)
    session.add(UpdateRevision(update_id=update.id, body="Good.", replaced_at=NOON))
    session.add(
        UpdateRevision(
            update_id=update.id, body="db-01.", replaced_at=NOON, taken_off_because="A host."
        )
    )
    session.flush()
    (shown,) = look().incidents[0].updates
    assert [(text.body, text.replaced_at) for text in shown.earlier] == [
        ("", NOON),
        ("Good.", NOON),
    ]


# The overall state.


@pytest.mark.parametrize(
    ("status", "impact", "expected"),
    [
        (ComponentStatus.OPERATIONAL, None, ("none", "All Systems Operational")),
        (ComponentStatus.DEGRADED_PERFORMANCE, None, ("minor", "Partially Degraded Service")),
        (ComponentStatus.OPERATIONAL, Impact.CRITICAL, ("critical", "Major System Outage")),
        (ComponentStatus.PARTIAL_OUTAGE, Impact.MINOR, ("major", "Partial System Outage")),
        (ComponentStatus.UNDER_MAINTENANCE, None, ("none", "Service Under Maintenance")),
        (ComponentStatus.UNDER_MAINTENANCE, Impact.MINOR, ("minor", "Partially Degraded Service")),
    ],
)
def test_the_overall_state_is_the_gravest_of_components_and_open_incidents(
    session: Session,
    look: Callable[[], Snapshot],
    status: ComponentStatus,
    impact: Impact | None,
    expected: tuple[str, str],
) -> None:
    make_component(session, status=status)
    make_component(session, removed_at=NOON, status=ComponentStatus.MAJOR_OUTAGE)
    if impact:
        make_incident(session, impact=impact)
    frame = look().frame
    assert (frame.indicator, frame.description) == expected


def test_a_maintenance_that_goes_on_is_told_where_nothing_is_wrong(
    session: Session, look: Callable[[], Snapshot]
) -> None:
    make_component(session)
    make_maintenance(session, updates=("scheduled", "in_progress"), scheduled_for=NOON)
    assert look().frame.description == "Service Under Maintenance"


def test_a_maintenance_to_come_changes_nothing_yet(
    session: Session, look: Callable[[], Snapshot]
) -> None:
    make_maintenance(session)
    assert look().frame.description == "All Systems Operational"


# The gate.


def test_an_internal_incident_is_read_by_nobody(
    session: Session, look: Callable[[], Snapshot]
) -> None:
    component = make_component(session)
    for updates in (("investigating",), ("investigating", "resolved")):
        make_incident(session, updates=updates, components=[component], severity_rank=1, **INTERNAL)
    make_maintenance(session, **INTERNAL)
    hidden = make_incident(session, **INTERNAL)
    snapshot, site = look(), read_site(session, at=NOON)
    assert [
        snapshot.frame.pinned, snapshot.open_incidents, snapshot.upcoming, snapshot.incidents,
        snapshot.maintenances, snapshot.recent, snapshot.updates,
    ] == [()] * 7  # fmt: skip
    assert [day for day in snapshot.days if day.incidents or day.more] == []
    assert snapshot.frame.indicator is Impact.NONE
    assert read_incident(site, hidden.code) is None
    assert read_recent_incidents(site, site.by_key[component.id]) == ()
    assert read_frame(site).pinned == ()
    month = read_month(site, date(2026, 3, 1))
    assert month is not None
    assert (month.incidents, month.pages) == ((), 1)


def test_an_internal_post_is_read_by_nobody_and_moves_no_date(
    session: Session, look: Callable[[], Snapshot]
) -> None:
    incident = make_incident(session, updates=("investigating",))
    update = add_update(session, incident, happened_at=NOON, **INTERNAL)
    session.add(UpdateRevision(update_id=update.id, body="psst", replaced_at=NOON))
    incident.updated_at = NOON
    session.flush()
    snapshot = look()
    (shown,) = snapshot.open_incidents
    assert [each.status for each in shown.updates] == ["investigating"]
    assert len(snapshot.updates) == 1
    assert shown.updated_at == incident.created_at


# Days and months, in the page's zone.


def test_the_last_fifteen_days_are_the_pages_own(session: Session) -> None:
    make_page(session, time_zone="America/Los_Angeles")
    make_incident(session, "Late", started_at=datetime(2026, 3, 4, 7, 59, tzinfo=UTC))
    make_incident(session, "Early", started_at=datetime(2026, 3, 4, 8, 0, tzinfo=UTC))
    make_incident(session, "Too old", started_at=datetime(2026, 2, 18, 7, 59, tzinfo=UTC))
    make_incident(session, "Old", started_at=datetime(2026, 2, 18, 8, 0, tzinfo=UTC))
    days = read_snapshot(read_site(session, at=NOON)).days
    assert (len(days), days[0].day, days[-1].day) == (15, date(2026, 3, 4), date(2026, 2, 18))
    assert [(day.day.day, titles(day.incidents)) for day in days if day.incidents] == [
        (4, ["Early"]),
        (3, ["Late"]),
        (18, ["Old"]),
    ]


def test_a_maintenance_belongs_to_the_day_for_which_it_was_planned(
    session: Session, look: Callable[[], Snapshot]
) -> None:
    make_maintenance(
        session,
        updates=("scheduled", "in_progress", "completed"),
        started_at=NOON - 30 * DAY,
        scheduled_for=NOON - DAY,
    )
    assert [len(day.incidents) for day in look().days] == [0, 1, *[0] * 13]


def test_a_maintenance_began_when_it_did_wherever_it_is_told(session: Session) -> None:
    make_maintenance(
        session,
        code="late00000000",
        started_at=NOON - 9 * DAY,
        scheduled_for=NOON - DAY,
        updates=[
            {"status": "scheduled", "happened_at": NOON - 9 * DAY},
            {"status": "in_progress", "happened_at": NOON - DAY + timedelta(hours=1)},
            {"status": "verifying", "happened_at": NOON - DAY + timedelta(hours=2)},
            {"status": "completed", "happened_at": NOON - DAY + timedelta(hours=3)},
        ],
    )
    session.flush()
    site = read_site(session)
    month = read_month(site, date(2026, 3, 1))
    incident = read_incident(site, "late00000000")
    assert month is not None
    assert incident is not None
    assert [len(told.updates) for told in (incident, *month.incidents)] == [4, 1]
    assert {told.ran_from for told in (incident, *month.incidents)} == {
        NOON - DAY + timedelta(hours=1)
    }


def test_a_day_shows_so_many_incidents_and_counts_the_rest(
    session: Session, look: Callable[[], Snapshot]
) -> None:
    for number in range(MOST_INCIDENTS_A_DAY + 3):
        make_incident(
            session, str(number), started_at=NOON - minutes(number), updates=("resolved",)
        )
    today = look().days[0]
    assert titles(today.incidents) == [str(number) for number in range(MOST_INCIDENTS_A_DAY)]
    assert today.more == 3


def test_a_day_names_what_began_before_and_still_went_on(
    session: Session, look: Callable[[], Snapshot]
) -> None:
    over = ("investigating", "resolved")
    start, four_days = NOON - 5 * DAY, 4 * 24 * 60
    make_incident(session, "Long", started_at=start, updates=over, step_minutes=four_days)
    make_incident(session, "Still open", started_at=NOON - 400 * DAY)
    make_incident(session, "Short", started_at=start, updates=over)
    make_incident(
        session, "False alarm", started_at=start, updates=over, step_minutes=four_days,
        cancelled_at=start,
    )  # fmt: skip
    days = look().days[:7]

    assert [titles(day.continued) for day in days] == [
        ["Still open"], ["Long", "Still open"], ["Long", "Still open"], ["Long", "Still open"],
        ["Long", "Still open"], ["Still open"], ["Still open"],
    ]  # fmt: skip
    assert titles(days[5].incidents) == ["False alarm", "Short", "Long"]


def test_what_ended_with_the_day_does_not_go_on_in_the_next(
    session: Session, look: Callable[[], Snapshot]
) -> None:
    over = ("investigating", "resolved")
    midnight = datetime(2026, 3, 4, tzinfo=UTC)
    make_incident(session, started_at=midnight - timedelta(hours=2), updates=over, step_minutes=120)
    assert [len(day.continued) for day in look().days] == [0] * 15


def test_months_name_what_went_on_in_them_and_lead_to_each(session: Session) -> None:
    make_page(session)
    over = ("investigating", "resolved")
    make_incident(
        session, "Long", started_at=datetime(2025, 9, 10, tzinfo=UTC), updates=over,
        step_minutes=71 * 24 * 60,
    )  # fmt: skip
    site = read_site(session, at=NOON)
    seen = []
    month: date | None = read_newest_month(site)
    while month and (view := read_month(site, month)):
        seen.append((view.month, titles(view.incidents), titles(view.continued), view.later))
        month = view.earlier

    november, october, september = date(2025, 11, 1), date(2025, 10, 1), date(2025, 9, 1)
    assert seen == [
        (november, [], ["Long"], None),
        (october, [], ["Long"], november),
        (september, ["Long"], [], october),
    ]


def test_an_open_incident_makes_this_month_the_newest(session: Session) -> None:
    make_page(session)
    make_incident(session, "Open", started_at=NOON - 70 * DAY)
    site = read_site(session, at=NOON)
    assert read_newest_month(site) == date(2026, 3, 1)
    view = read_month(site, date(2026, 3, 1))
    assert view is not None
    assert (titles(view.continued), view.earlier) == (["Open"], date(2026, 2, 1))


@pytest.mark.parametrize("hours", range(0, 96, 7))
def test_days_and_a_components_table_name_a_incident_by_one_rule(
    session: Session, look: Callable[[], Snapshot], hours: int
) -> None:
    search = make_component(session, "Search")
    make_incident(
        session, "Long", started_at=NOON - 6 * DAY, updates=("investigating", "resolved"),
        step_minutes=hours * 60, components=[search],
    )  # fmt: skip
    days = {day.day for day in look().days if day.incidents or day.continued}
    site = read_site(session, at=NOON)
    (component,) = site.by_key.values()
    table = read_component_page(site, component).days
    assert days == {each.day.day for each in table if each.incidents}


def test_a_later_month_is_entered_by_its_last_page(session: Session) -> None:
    make_page(session)
    over = ("investigating", "resolved")
    make_incident(session, started_at=NOON - 40 * DAY, updates=over)
    for number in range(INCIDENTS_ON_A_PAGE + 1):
        make_incident(session, started_at=NOON - minutes(number), updates=over)
    earlier = read_month(read_site(session, at=NOON), date(2026, 1, 1))
    assert earlier is not None
    assert (earlier.later, earlier.later_pages) == (date(2026, 3, 1), 2)


def test_a_month_is_read_page_by_page(session: Session) -> None:
    make_page(session)
    for number in range(INCIDENTS_ON_A_PAGE + 1):
        make_incident(
            session, str(number), started_at=NOON - minutes(number), updates=("resolved",)
        )
    site = read_site(session, at=NOON)
    march = date(2026, 3, 1)
    first, second = read_month(site, march), read_month(site, march, number=2)
    assert first is not None
    assert second is not None
    assert titles(first.incidents) == [str(number) for number in range(INCIDENTS_ON_A_PAGE)]
    assert (titles(second.incidents), second.number, second.pages) == (["50"], 2, 2)
    assert read_month(site, march, number=3) is None


def test_the_incidents_of_a_month_have_their_newest_public_post_alone(session: Session) -> None:
    make_page(session)
    incident = make_incident(session, updates=("investigating", "identified", "resolved"))
    add_update(session, incident, status="postmortem", happened_at=NOON, **INTERNAL)
    month = read_month(read_site(session, at=NOON), date(2026, 3, 1))
    assert month is not None
    assert [update.status for update in month.incidents[0].updates] == ["resolved"]


def test_months_lead_to_the_nearest_that_have_incidents(session: Session) -> None:
    make_page(session)
    for moment in (datetime(2025, 11, 5, tzinfo=UTC), datetime(2026, 2, 5, tzinfo=UTC)):
        make_incident(session, started_at=moment, updates=("resolved",))
    make_maintenance(session, scheduled_for=NOON + DAY)
    site = read_site(session, at=NOON)
    assert read_newest_month(site) == date(2026, 2, 1)
    found = {month: read_month(site, date(2026, month, 1)) for month in (1, 2, 3)}
    assert {
        month: view and (view.earlier, view.later, len(view.incidents))
        for month, view in found.items()
    } == {
        1: (date(2025, 11, 1), date(2026, 2, 1), 0),
        2: (date(2025, 11, 1), None, 1),
        3: (date(2026, 2, 1), None, 0),
    }


@pytest.mark.parametrize("month", [date(2025, 10, 1), date(2026, 4, 1), date(1970, 1, 1)])
def test_a_month_outside_of_the_history_is_not_there(session: Session, month: date) -> None:
    make_page(session)
    make_incident(session, started_at=datetime(2025, 11, 5, tzinfo=UTC), updates=("resolved",))
    assert read_month(read_site(session, at=NOON), month) is None


def test_the_newest_month_of_an_empty_history_is_this_one(session: Session) -> None:
    make_page(session)
    assert read_newest_month(read_site(session, at=NOON)) == date(2026, 3, 1)


# Feeds, dates and turns of time.


def test_the_newest_updates_come_by_the_moment_of_posting(
    session: Session, look: Callable[[], Snapshot]
) -> None:
    backdated = make_incident(session, "Backdated", updates=())
    add_update(session, backdated, happened_at=NOON - 9 * DAY, posted_at=NOON, body="newest")
    other = make_incident(session, "Other", updates=())
    add_update(session, other, happened_at=NOON - DAY, posted_at=NOON - DAY, body="older")
    assert [(incident.title, update.body) for incident, update in look().updates] == [
        ("Backdated", "newest"),
        ("Other", "older"),
    ]


def test_an_old_incident_that_is_told_again_is_among_the_updates(
    session: Session, look: Callable[[], Snapshot]
) -> None:
    old = make_incident(session, "Old", started_at=NOON - 300 * DAY, updates=("resolved",))
    for number in range(60):
        make_incident(
            session, str(number), started_at=NOON - (number + 1) * DAY, updates=("resolved",)
        )
    add_update(session, old, status=IncidentStatus.POSTMORTEM, happened_at=NOON)
    snapshot = look()
    assert (len(snapshot.incidents), len(snapshot.updates), len(snapshot.recent)) == (50, 50, 25)
    assert snapshot.updates[0][0].title == "Old"
    assert "Old" not in titles(snapshot.incidents)


def test_a_incident_changes_when_the_public_can_see_it(
    session: Session, look: Callable[[], Snapshot]
) -> None:
    incident = make_incident(session, started_at=NOON - DAY, updates=())
    add_update(session, incident, happened_at=NOON - minutes(9), edited_at=NOON - minutes(3))
    assert look().incidents[0].updated_at == NOON - minutes(3)


MIDNIGHTS = (datetime(2026, 3, 4, tzinfo=UTC), datetime(2026, 3, 5, tzinfo=UTC))


@pytest.mark.parametrize(
    ("promised", "expected"),
    [
        (None, MIDNIGHTS),
        (NOON + minutes(20), (MIDNIGHTS[0], NOON + minutes(20))),
        (NOON, (NOON, MIDNIGHTS[1])),
    ],
)
def test_the_site_reads_differently_when_a_promise_falls_due_or_a_day_ends(
    session: Session,
    look: Callable[[], Snapshot],
    promised: datetime | None,
    expected: tuple[datetime, datetime],
) -> None:
    make_incident(session, next_update_at=promised)
    make_incident(session, next_update_at=NOON + minutes(1), updates=("resolved",))
    assert (look().last_change_at, look().next_change_at) == expected


def test_the_site_reads_differently_when_a_maintenance_is_to_start_and_to_end(
    session: Session, look: Callable[[], Snapshot]
) -> None:
    maintenance = make_maintenance(session, scheduled_for=NOON + minutes(10))
    assert look().next_change_at == NOON + minutes(10)
    maintenance.status = "in_progress"
    maintenance.scheduled_for = NOON - minutes(10)
    maintenance.scheduled_until = NOON + minutes(50)
    session.flush()
    assert look().next_change_at == NOON + minutes(50)
    assert look().last_change_at == NOON - minutes(10)


# Status read.


def test_what_did_not_change_is_the_very_same_view(
    session: Session, look: Callable[[], Snapshot]
) -> None:
    component = make_component(session)
    make_incident(session, "Old", components=[component], updates=("investigating", "resolved"))
    changed = make_incident(session, "New", components=[component])
    first = look()
    changed.title = "Newer"
    session.flush()
    second = look()
    pairs = zip(first.incidents, second.incidents, strict=True)
    assert [incident is other for incident, other in pairs] == [False, True]
    assert first.incidents[0].updates[0] is second.incidents[0].updates[0]


def test_a_look_sees_one_moment_whatever_is_written_meanwhile(session: Session) -> None:
    with writing() as session:
        make_page(session)
        checkout = make_component(session, "Checkout").id
    with open_site(db.engine, at=NOON) as site:
        with writing() as session:
            make_incident(session)
            session.get_one(Component, checkout).name = "Till"
        snapshot = read_snapshot(site)
    assert (snapshot.components[0].name, snapshot.open_incidents) == ("Checkout", ())


def log(session: Session, component: Component, *states: tuple[datetime, ComponentStatus]) -> None:
    session.add_all(
        ComponentChange(component_id=component.id, at=at, status=status) for at, status in states
    )
    session.flush()


def test_the_days_of_a_component_come_from_its_log_alone(
    session: Session, look: Callable[[], Snapshot]
) -> None:
    checkout = make_component(session, "Checkout", code="checkout0000")
    make_component(session, "Fax", code="fax000000000")
    log(
        session, checkout,
        (NOON - 400 * DAY, ComponentStatus.MAJOR_OUTAGE),
        (NOON - 399 * DAY, ComponentStatus.OPERATIONAL),
        (NOON - 3 * DAY, ComponentStatus.PARTIAL_OUTAGE),
        (NOON - 3 * DAY + minutes(50), ComponentStatus.OPERATIONAL),
    )  # fmt: skip
    uptimes = look().uptimes
    assert uptimes["checkout0000"].percent == "99.98"
    assert [day.day for day in uptimes["checkout0000"].troubled_days] == [date(2026, 3, 1)]
    assert uptimes["checkout0000"].known_days == 90
    assert uptimes["fax000000000"].percent is None


def test_the_days_of_a_component_are_the_pages_own(session: Session) -> None:
    make_page(session, time_zone="Pacific/Auckland")
    checkout = make_component(session, "Checkout", code="checkout0000")
    start = datetime(2026, 3, 2, 11, 30, tzinfo=UTC)
    log(
        session, checkout,
        (start, ComponentStatus.MAJOR_OUTAGE), (start + minutes(60), ComponentStatus.OPERATIONAL),
    )  # fmt: skip
    snapshot = read_snapshot(read_site(session, at=NOON))
    days = snapshot.uptimes["checkout0000"].days
    assert [day.day for day in days[:1] + days[-1:]] == [date(2025, 12, 6), date(2026, 3, 5)]
    assert [(day.day, day.seconds) for day in days if day.is_troubled] == [
        (
            date(2026, 3, 3),
            # Of its first half hour nothing is known.
            ((ComponentStatus.MAJOR_OUTAGE, 3600), (ComponentStatus.OPERATIONAL, 45 * 1800)),
        )
    ]


def test_figures_stand_still_while_all_is_well_and_move_on_in_steps_while_it_is_not(
    session: Session,
) -> None:
    make_page(session)
    checkout = make_component(session, "Checkout", code="checkout0000")
    log(session, checkout, (NOON - 9 * DAY, ComponentStatus.OPERATIONAL))
    early, late = (read_snapshot(read_site(session, at=NOON + minutes(n))) for n in (1, 50))
    assert early.uptimes == late.uptimes
    checkout.status = ComponentStatus.MAJOR_OUTAGE
    log(session, checkout, (NOON + minutes(55), ComponentStatus.MAJOR_OUTAGE))
    worse = read_snapshot(read_site(session, at=NOON + minutes(78)))
    assert worse.uptimes["checkout0000"].until == NOON + minutes(70)
    assert (worse.last_change_at, worse.next_change_at) == (
        NOON + minutes(70), NOON + minutes(80),
    )  # fmt: skip


def test_a_components_page_names_the_incidents_behind_each_day(session: Session) -> None:
    make_page(session)
    checkout = make_component(session, "Checkout", code="checkout0000")
    long = make_incident(
        session, "Over midnight", started_at=NOON - 2 * DAY, step_minutes=13 * 60,
        updates=("investigating", "resolved"), components=[checkout],
    )  # fmt: skip
    make_incident(session, "Not public", components=[checkout], **INTERNAL)
    make_incident(session, "Elsewhere", components=[make_component(session, "Fax")])
    for number in range(7):
        make_incident(session, f"Flood {number}", components=[checkout])
    site = read_site(session, at=NOON)
    page = read_component_page(site, next(v for v in site.by_key.values() if v.name == "Checkout"))
    told = {told.day.day: [incident.title for incident in told.incidents] for told in page.days}
    assert next(iter(told)) == date(2026, 3, 4)
    assert (told[date(2026, 3, 2)], told[date(2026, 3, 3)]) == ([long.title], [long.title])
    assert told[date(2026, 3, 1)] == []
    assert (len(told[date(2026, 3, 4)]), page.days[0].more) == (5, 2)
    assert len(page.incidents) == 8


def test_reading_takes_as_many_statements_at_any_length_of_history(session: Session) -> None:
    make_page(session)
    component = make_component(session)
    counts = []
    for number in range(2):
        for _ in range(20 * number + 1):
            make_incident(session, components=[component])
        counts.append(count_statements(session))
    assert counts[0] == counts[1]


def count_statements(session: Session) -> int:
    statements: list[str] = []

    def note(*arguments: object) -> None:
        statements.append(str(arguments[2]))

    event.listen(db.engine, "before_cursor_execute", note)
    read_snapshot(read_site(session, at=NOON))
    event.remove(db.engine, "before_cursor_execute", note)
    return len(statements)
