from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from statuspage.access.audit import COMMAND_LINE
from statuspage.core import clock
from statuspage.core.config import load_settings
from statuspage.core.db import db, writing
from statuspage.core.enums import (
    CLOSED,
    OUTBOX,
    Audience,
    Channel,
    ComponentStatus,
    DeliveryState,
    Kind,
    Visibility,
)
from statuspage.importers import demo
from statuspage.importers.demo.loading import Loader
from statuspage.incidents.notes import notes_of
from statuspage.models import (
    AuditEntry,
    Component,
    ComponentChange,
    ComponentGroup,
    Contact,
    Customer,
    Delivery,
    DeliveryEvent,
    Incident,
    IncidentNote,
    IncidentUpdate,
    Message,
    Page,
    Suppression,
)
from statuspage.models.revision import current_number
from statuspage.recipients.customer_csv import import_customers
from statuspage.runtime.application import create_app
from tests.factories import NOON

PACIFIC = clock.read_zone("America/Los_Angeles")
RESERVED = (
    "example.com", "example.org", "example.net", ".example.com", ".example.org", ".example.net",
    ".example",
)  # fmt: skip
# What customers never read: vendors, hosts, tools, people, tickets and how the code works.
INTERNAL = re.compile(
    r"prometheus|docker|container|redis|postgres|sentry|N\+1|connection pool|endpoint|\b500\b"
    r"|stack ?trace|node|deploy|hotfix|#incident|@|\bAlice\b|\bBob\b|\bEmre\b|acquirer",
    re.IGNORECASE,
)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """A laptop with the demo, told at noon; tests only look at it."""
    app = laptop(tmp_path_factory.mktemp("demo"))
    with time_machine.travel(NOON, tick=False), app.app_context():
        demo.load(actor=COMMAND_LINE)
    yield app
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def told(shop: Flask) -> Iterator[Session]:
    """A look at the demo."""
    with shop.app_context():
        yield db.session()


def laptop(folder: Path, **settings: str) -> Flask:
    """An app on SQLite in its own folder, its tables made."""
    app = create_app(load_settings({"DATA_DIR": str(folder / "laptop"), **settings}))
    with app.app_context():
        db.metadata.create_all(db.engine)
    return app


def find_incident(session: Session, title: str) -> Incident:
    return session.scalars(select(Incident).where(Incident.title.startswith(title))).one()


def local(moment: datetime | None) -> str:
    assert moment is not None
    return f"{moment.astimezone(PACIFIC):%H:%M}"


def test_the_page_has_its_components_in_two_groups(told: Session) -> None:
    groups = told.scalars(select(ComponentGroup).order_by(ComponentGroup.position))

    assert {group.name: [part.name for part in group.components] for group in groups} == {
        "Shop": ["Storefront", "Catalog", "Checkout", "Auth", "Profiles"],
        "Platform": ["Admin", "API", "Notifications", "Infrastructure"],
    }
    page = told.scalars(select(Page)).one()
    assert (page.name, page.is_demo, page.scheme) == ("ShopStack", True, "sev")


def test_the_payment_outage_lasted_from_half_past_two_to_five(told: Session) -> None:
    incident = find_incident(told, "Card payments")

    assert (incident.severity_name, incident.impact.value) == ("SEV1", "critical")
    assert (local(incident.started_at), local(incident.resolved_at)) == ("14:30", "17:00")
    assert [update.status for update in incident.updates] == [
        "investigating", "identified", "identified", "identified", "monitoring", "resolved",
        "postmortem",
    ]  # fmt: skip
    assert timedelta(days=2) < NOON - incident.started_at < timedelta(days=5)


def test_every_customer_of_the_checkout_was_told_once_that_it_was_resolved(told: Session) -> None:
    incident = find_incident(told, "Card payments")
    message = told.scalars(
        select(Message).filter_by(incident_id=incident.id, audience=Audience.CUSTOMER)
    ).one()
    checkout = told.scalars(select(Component.id).filter_by(name="Checkout")).one()
    concerned = {
        customer.address
        for customer in told.scalars(select(Customer))
        if customer.all_components
        or checkout in {link.component_id for link in customer.components}
    }
    deliveries = told.scalars(select(Delivery).filter_by(message_id=message.id)).all()

    assert sorted(delivery.address for delivery in deliveries) == sorted(concerned)
    assert {delivery.state for delivery in deliveries} == {
        DeliveryState.ACCEPTED,
        DeliveryState.DELIVERED,
        DeliveryState.BOUNCED,
        DeliveryState.SUPPRESSED,
    }
    assert message.created_at == incident.resolved_at
    assert message.subject == "Resolved: Card payments fail at checkout (ShopStack)"


def test_the_profile_slowdown_has_a_timeline_to_the_minute_that_only_colleagues_see(
    told: Session,
) -> None:
    incident = find_incident(told, "Profile pages")
    timeline = [(local(update.happened_at), update.visibility.value) for update in incident.updates]
    noted = [
        (local(note.happened_at), note.kind.value, note.author)
        for note in reversed(notes_of(told, incident))
    ]

    assert incident.severity_name == "SEV1"
    assert timeline == [
        ("14:35", "public"), ("15:00", "public"), ("15:25", "public"), ("16:00", "public")
    ]  # fmt: skip
    assert [(at, kind) for at, kind, _ in noted] == [
        ("14:30", "observation"), ("14:33", "progress"), ("14:45", "hypothesis"),
        ("14:52", "observation"), ("15:09", "decision"), ("15:30", "observation"),
    ]  # fmt: skip
    assert {author for _, _, author in noted} == {incident.scribe and incident.scribe.name}


def test_signing_in_is_being_watched_and_an_update_is_promised(told: Session) -> None:
    incident = find_incident(told, "Signing in")

    assert (incident.severity_name, incident.status) == ("SEV2", "monitoring")
    assert incident.next_update_at is not None
    assert NOON < incident.next_update_at < NOON + timedelta(hours=1)
    assert told.scalars(select(Component.name).where(Component.status != "operational")).all() == [
        "Auth"
    ]


def test_the_staging_failure_is_known_to_colleagues_only(told: Session) -> None:
    incident = find_incident(told, "Staging database")

    assert incident.visibility is Visibility.INTERNAL
    assert {update.visibility for update in incident.updates} == {Visibility.INTERNAL}
    assert told.scalars(select(ComponentChange).filter_by(incident_id=incident.id)).all() == []


def test_the_back_office_was_noticed_down_at_ten_past_four_five_hours_east(told: Session) -> None:
    incident = find_incident(told, "Back office")

    assert incident.started_at.hour * 60 + incident.started_at.minute == 11 * 60 + 10
    noted = told.scalars(select(IncidentNote.body).filter_by(incident_id=incident.id)).all()
    assert noted == ["Prometheus: TargetDown for the app of the back office."]
    assert incident.status == "resolved"


def test_a_maintenance_comes_in_two_days(told: Session) -> None:
    maintenance = find_incident(told, "Database upgrade")

    assert (maintenance.kind, maintenance.status) == (Kind.MAINTENANCE, "scheduled")
    assert maintenance.scheduled_for is not None
    days = maintenance.scheduled_for.astimezone(PACIFIC).date() - NOON.astimezone(PACIFIC).date()
    assert days == timedelta(days=2)


def test_two_hundred_customers_differ_in_what_they_use_speak_and_where_they_live(
    told: Session,
) -> None:
    customers = told.scalars(select(Customer)).all()

    assert len({customer.address for customer in customers}) == 200
    assert {customer.language for customer in customers} == {"en", "de", "fr", "es", "pt_BR", "ja"}
    assert len({customer.time_zone for customer in customers}) > 10
    assert {len(customer.components) for customer in customers} == {0, 1, 2, 3, 4}
    assert all(customer.all_components == (not customer.components) for customer in customers)


def test_the_file_of_customers_is_one_that_the_admin_imports(told: Session) -> None:
    file = Path(demo.__file__).with_name("customers.csv")

    report = import_customers(file.read_bytes(), actor=COMMAND_LINE, preview=True)

    assert (report.unchanged, report.errors, report.notes) == (200, (), ())


def test_a_name_in_a_file_that_nothing_takes_is_refused(told: Session) -> None:
    loader = Loader(told, now=NOON)

    with pytest.raises(TypeError, match="next_updat"):
        loader._read_update(NOON, minute=1, status="identified", next_updat=5)


def test_every_address_is_in_a_reserved_domain(told: Session) -> None:
    addresses = [
        *told.scalars(select(Customer.email)),
        *told.scalars(select(Contact.email)),
        *told.scalars(select(Delivery.email).filter_by(channel=Channel.EMAIL)),
        *told.scalars(select(Page.support_email)),
    ]

    assert [
        address for address in addresses if not address.rpartition("@")[2].endswith(RESERVED)
    ] == []


def test_nothing_waits_to_be_sent(told: Session) -> None:
    assert told.scalars(select(Delivery).where(Delivery.state.in_(OUTBOX))).all() == []


def test_every_delivery_tells_how_it_went_and_nothing_of_it_is_later_than_now(
    told: Session,
) -> None:
    moments = [
        *told.scalars(select(func.max(Delivery.changed_at))),
        *told.scalars(select(func.max(Delivery.queued_at))),
        *told.scalars(select(func.max(DeliveryEvent.at))),
        *told.scalars(select(func.max(Suppression.at))),
        *told.scalars(select(func.max(Message.created_at))),
    ]
    events = told.scalars(select(DeliveryEvent).order_by(DeliveryEvent.id))
    last = {event.delivery_id: event.state for event in events}
    sent = told.scalars(select(Delivery).where(Delivery.state != DeliveryState.SUPPRESSED))

    assert [moment for moment in moments if moment > NOON] == []
    assert {delivery.id: delivery.state for delivery in sent} == last


def test_a_mailbox_that_bounced_is_not_written_to_again(told: Session) -> None:
    bounced = told.scalars(
        select(Delivery.address).filter_by(state=DeliveryState.BOUNCED).order_by(Delivery.id)
    ).all()
    suppressed = told.scalars(select(Delivery.address).filter_by(state=DeliveryState.SUPPRESSED))

    assert len(set(bounced)) == len(bounced)
    assert set(suppressed.all()) <= set(bounced)
    assert set(told.scalars(select(Suppression.address))) == set(bounced)


def test_no_public_text_and_no_mail_holds_an_internal_fact(told: Session) -> None:
    page = told.scalars(select(Page)).one()
    updates = told.scalars(
        select(IncidentUpdate.body)
        .join(Incident, Incident.id == IncidentUpdate.incident_id)
        .where(
            IncidentUpdate.visibility == Visibility.PUBLIC,
            Incident.visibility == Visibility.PUBLIC,
        )
    )
    mails = told.scalars(select(Message.text).filter_by(audience=Audience.CUSTOMER))
    internal = told.scalars(select(Message.text).filter_by(audience=Audience.INTERNAL))
    texts = [text.replace(page.support_email, "") for text in (*updates, *mails)]

    assert [found[0] for text in texts if (found := INTERNAL.search(text))] == []
    assert [text for text in internal if INTERNAL.search(text)] != []


def test_every_post_has_a_text_and_a_time_that_has_come(told: Session) -> None:
    updates = told.scalars(select(IncidentUpdate)).all()

    assert [update.code for update in updates if not update.body] == []
    assert [update.code for update in updates if update.posted_at > NOON] == []
    assert [update.code for update in updates if "[[" in update.body] == []


def test_every_promised_update_came_in_time(told: Session) -> None:
    late = []
    for incident in told.scalars(select(Incident)):
        updates = [u for u in incident.updates if u.visibility is Visibility.PUBLIC]
        for update, following in pairwise(updates):
            # Two minutes late is what happens to people who type.
            grace = timedelta(minutes=2)
            if update.next_update_at and following.posted_at > update.next_update_at + grace:
                late.append((incident.title, local(following.posted_at)))

    assert late == []


def test_ninety_days_have_incidents_and_all_but_two_are_over(told: Session) -> None:
    incidents = told.scalars(select(Incident)).all()
    still = [incident.title for incident in incidents if incident.status not in CLOSED]

    assert len(incidents) == 17
    assert min(incident.begins_at for incident in incidents) < NOON - timedelta(days=80)
    assert sorted(still) == [
        "Database upgrade for orders and profiles",
        "Signing in fails for some customers",
    ]


def test_each_component_was_well_again_after_each_incident(told: Session) -> None:
    last = {
        change.component_id: change.status
        for change in told.scalars(select(ComponentChange).order_by(ComponentChange.at))
    }
    now = {component.id: component.status for component in told.scalars(select(Component))}

    assert last == now
    assert sorted(now.values()) == [
        ComponentStatus.DEGRADED_PERFORMANCE,
        *[ComponentStatus.OPERATIONAL] * 8,
    ]


def test_it_is_the_same_each_time_and_on_either_database(
    shop: Flask, session: Session, frozen: time_machine.Traveller
) -> None:
    with shop.app_context():
        there = essence(db.session())
    with writing() as session:
        demo.add_demo(session, now=NOON)

    assert essence(session) == there


def essence(session: Session) -> list[list[tuple[object, ...]]]:
    """What the demo tells, apart from the ids of rows."""
    updates = select(IncidentUpdate.code, IncidentUpdate.status, IncidentUpdate.body)
    deliveries = select(Delivery.channel, Delivery.address, Delivery.state, func.count())
    return [
        sorted(tuple(row) for row in session.execute(rows))
        for rows in (
            select(Incident.code, Incident.title, Incident.begins_at),
            updates.where(IncidentUpdate.visibility == Visibility.PUBLIC),
            select(Customer.email, Customer.time_zone),
            deliveries.group_by(Delivery.channel, Delivery.address, Delivery.state),
        )
    ]


@pytest.mark.parametrize(
    "moment",
    [
        datetime(2026, 3, 10, 6, 59, tzinfo=UTC),
        datetime(2026, 11, 1, 9, 30, tzinfo=UTC),
    ],
)
def test_it_can_be_told_on_any_day(tmp_path: Path, moment: datetime) -> None:
    with time_machine.travel(moment, tick=False), laptop(tmp_path).app_context():
        demo.load()
        session = db.session()
        payments = find_incident(session, "Card payments")
        assert (local(payments.started_at), local(payments.resolved_at)) == ("14:30", "17:00")
        assert session.scalar(select(func.max(IncidentUpdate.posted_at))) <= moment
        db.engine.dispose()


# --- where it may be loaded ----------------------------------------------------------------------


def test_it_is_loaded_once_with_an_entry_in_the_audit_trail(told: Session) -> None:
    entry = told.scalars(select(AuditEntry)).one()

    assert (entry.actor, entry.action) == ("command line", "demo.load")
    assert current_number(told) == 1
    assert not demo.may_load()
    with pytest.raises(demo.DemoRefused, match="only loaded into an empty database"):
        demo.load()


def test_an_empty_laptop_may_load_it(tmp_path: Path) -> None:
    with laptop(tmp_path).app_context():
        assert demo.may_load()
        db.engine.dispose()


MAILING = {"MAIL_FROM": "status@example.com", "PUBLIC_URL": "https://status.example.com"}


@pytest.mark.parametrize(
    "settings",
    [
        {"SENDGRID_API_KEY": "SG.x", **MAILING},
        {"SMTP_URL": "smtp://localhost", **MAILING},
        {"CHAT_URLS": "json://localhost"},
        {"DATABASE_URL": "sqlite:///{folder}/chosen.db"},
    ],
)
def test_it_is_never_loaded_where_anything_could_be_sent(
    tmp_path: Path, settings: dict[str, str]
) -> None:
    chosen = {name: value.format(folder=tmp_path) for name, value in settings.items()}
    with laptop(tmp_path, **chosen).app_context():
        assert not demo.may_load()
        with pytest.raises(demo.DemoRefused, match="neither a mail provider nor a chat"):
            demo.load()
        assert db.session().scalars(select(Page)).all() == []
        db.engine.dispose()
