"""What customers are tried on: a shop of three components, and a file that is taken in."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from statuspage.core.db import writing
from statuspage.models import Customer
from statuspage.recipients import customer_csv
from statuspage.recipients.customer_csv import ImportReport
from tests.actors import acting
from tests.factories import make_component, make_group, make_page

ACTOR = acting("Ada")


@pytest.fixture
def shop(session: Session) -> dict[str, int]:
    """Three components in two groups, two of them with one name; their ids by short names."""
    with writing() as session:
        make_page(session)
        shop, platform = make_group(session, "Shop"), make_group(session, "Platform")
        rows = {
            "checkout": make_component(session, "Checkout", group_id=shop.id),
            "shop_api": make_component(session, "API", group_id=shop.id),
            "platform_api": make_component(session, "API", group_id=platform.id),
        }
        return {name: component.id for name, component in rows.items()}


def take(data: bytes | str, **options: bool) -> ImportReport:
    return customer_csv.import_customers(data, actor=ACTOR, source="customers.csv", **options)


def counts(report: ImportReport) -> tuple[int, int, int, int]:
    return report.added, report.updated, report.unchanged, len(report.errors)


def stored(session: Session) -> list[tuple[str, str]]:
    session.expire_all()
    return [(c.address, c.name) for c in session.scalars(select(Customer).order_by(Customer.id))]


def the_customer(session: Session) -> Customer:
    session.expire_all()
    return session.scalars(select(Customer)).one()
