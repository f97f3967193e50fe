"""How many SQL statements the busiest screens send, and that more rows do not mean more of them."""

import pytest

from statuspage.core.db import db, writing
from statuspage.recipients import named_customers
from tests.admin.conftest import Desk
from tests.browsing import fields
from tests.factories import make_component, make_group
from tests.statements import noted

pytestmark = pytest.mark.only_on("sqlite")

SCREENS = (
    "/admin/", "/admin/incidents", "/admin/incidents/{code}", "/admin/incidents/{code}/deliveries",
    "/admin/incidents/new", "/admin/maintenances", "/admin/components", "/admin/customers",
    "/admin/subscribers", "/admin/outbox", "/admin/messages", "/admin/delivery",
)  # fmt: skip


@pytest.fixture(autouse=True)
def asked_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether the list of customers changed is not asked meanwhile, however slow the machine is."""
    monkeypatch.setattr(named_customers, "ASKED_EVERY", 3600.0)


def count(desk: Desk, path: str) -> tuple[int, int]:
    """The statements of one request, once the first has loaded what stays."""
    desk.get(path)
    with desk.app.app_context():
        engine = db.engine
    with noted(engine) as statements:
        assert desk.get(path).status_code == 200
    return len(statements), len(statements) - len(set(statements))


# One page, two components, one incident: what the first screens of SCREENS send.
STATEMENTS = (22, 18, 35, 13, 16, 11, 11)


def test_the_busiest_screens_send_so_many_statements(desk: Desk) -> None:
    code = desk.declare()
    assert tuple(count(desk, path.format(code=code))[0] for path in SCREENS[:7]) == STATEMENTS


def test_the_ways_to_an_update_send_so_many_statements(desk: Desk) -> None:
    path = f"/admin/incidents/{desk.declare()}"
    typed = {**fields(desk.get(path).text), "users_notice": "Payments fail more often."}
    preview = count_sent(desk, f"{path}/texts", {**typed, "status": "identified"})
    last_step = count_sent(desk, path, {**typed, "status": "resolved", "publish": "1"})
    assert (preview, last_step) == (15, 22)


def count_sent(desk: Desk, path: str, values: dict[str, str]) -> int:
    with desk.app.app_context():
        engine = db.engine
    with noted(engine) as statements:
        assert desk.browser.send(path, values).status_code == 200
    return len(statements)


def test_more_components_are_no_more_statements(desk: Desk) -> None:
    add_group(desk, "Some", 1)
    code = desk.declare()
    paths = [path.format(code=code) for path in SCREENS]
    before = [count(desk, path) for path in paths]
    for number in range(4):
        add_group(desk, f"Group {number}", 6)
    assert [count(desk, path) for path in paths] == before


def test_more_updates_and_their_messages_are_no_more_statements(desk: Desk) -> None:
    code = desk.declare()
    paths = [path.format(code=code) for path in SCREENS]
    desk.post(code, "identified", action="We are looking into it.")
    before = [count(desk, path)[0] for path in paths]
    for number in range(4):
        assert desk.post(code, "identified", action=f"We try way {number}.").status_code == 303
    assert [count(desk, path)[0] for path in paths] == before


def add_group(desk: Desk, name: str, size: int) -> None:
    with desk.app.app_context(), writing() as session:
        group = make_group(session, name)
        for number in range(size):
            make_component(session, f"{name}, part {number}", group=group)
