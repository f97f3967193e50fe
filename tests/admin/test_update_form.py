"""The form of the next update, and the notes on its facts."""

from __future__ import annotations

from datetime import timedelta

import lxml.html
import pytest
from time_machine import Traveller
from werkzeug.test import TestResponse

from statuspage.core.enums import Audience, ComponentStatus
from tests.admin.conftest import Desk, path, sent, state_of
from tests.browsing import fields, texts
from tests.factories import NOON


@pytest.mark.parametrize("exactly", ["garbage", "2026-03-04T12:00", "9999-12-31T23:59-14:00"])
def test_a_hidden_moment_that_nobody_could_have_sent_is_left_out(
    desk: Desk, frozen: Traveller, exactly: str
) -> None:
    code = desk.declare()
    frozen.shift(timedelta(minutes=10))
    answer = desk.post(code, "identified", happened_at="2026-03-04T12:05", exactly=exactly)
    assert answer.status_code == 303
    assert desk.posts(code)[-1].happened_at == NOON + timedelta(minutes=5)


def test_facts_that_are_long_together_are_posted_whole(desk: Desk) -> None:
    code = desk.declare()
    names = ("progress", "current_actions", "next_steps", "technical_cause", "references")
    long = "word " * 1_999
    answer = desk.post(code, "identified", users_notice=long, **dict.fromkeys(names, long))
    assert answer.status_code == 303
    assert len(sent(desk, Audience.INTERNAL)[-1][1]) > 50_000


def test_severity_can_change_with_a_post(desk: Desk) -> None:
    code = desk.declare()
    desk.post(code, "identified", severity_rank="3")
    incident = desk.incident(code)
    assert (incident.severity_name, incident.worst_rank) == ("SEV3", 1)


def test_reopening_offers_the_states_from_before_the_end(desk: Desk) -> None:
    code = desk.declare()
    desk.resolve(code, because_watched="It is a test.")
    assert state_of(desk, desk.checkout) is ComponentStatus.OPERATIONAL
    shown = desk.get(f"{path(code)}?do=reopen")
    assert fields(shown.text)[f"components-{desk.checkout}"] == "major_outage"
    desk.browser.send(path(code), {**fields(shown.text), "publish": "1"})
    assert state_of(desk, desk.checkout) is ComponentStatus.MAJOR_OUTAGE


def kept(shown: TestResponse) -> dict[str, bool]:
    """What the fields say of older facts, each with whether it is shown."""
    found = lxml.html.fromstring(shown.text).xpath("//*[@data-kept]")
    return {
        " ".join(one.text_content().split()).partition("?")[0]: "hidden" not in one.attrib
        for one in found
    }


def test_a_fact_from_before_the_chosen_status_says_its_time_and_warns(
    desk: Desk, frozen: Traveller
) -> None:
    code = desk.declare(workaround="Pay by invoice.")
    frozen.shift(timedelta(minutes=20))
    asks = "From Mar 4, 2026, 12:00 UTC. Still true"
    assert kept(desk.get(path(code))) == {asks: False}
    warned = desk.browser.send_shown(path(code), {"status": "identified", "preview": "1"})
    assert kept(warned) == {asks: True}
    said_again = "Repeated from the last update: what users can do meanwhile."
    assert f"{said_again} Check that it’s still true." in texts(warned, "notice")
    changed = {"status": "identified", "workaround": "Pay in cash.", "preview": "1"}
    fresh = desk.browser.send_shown(path(code), changed)
    assert not any(said_again in notice for notice in texts(fresh, "notice"))
