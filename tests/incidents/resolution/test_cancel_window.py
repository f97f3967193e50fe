"""Cancelling the mails about a resolution, and sending them after all: what each verb refuses."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session
from time_machine import Traveller

from statuspage.core.db import current_session, writing
from statuspage.core.enums import Audience, DeliveryState, IncidentStatus
from statuspage.core.errors import Invalid
from statuspage.delivery.cancellation import CancellationState
from statuspage.incidents import inputs, lifecycle
from statuspage.incidents.publish import Submission
from statuspage.incidents.resolution import cancel_window
from statuspage.models import Incident, Suppression
from tests.announcing import ACTOR, declare, mails, messages, post, resolve, set_up_scenario


@pytest.fixture
def environ(environ: dict[str, str]) -> dict[str, str]:
    return {**environ, "CANCEL_WINDOW": "60"}


@pytest.fixture
def code(app: Flask, frozen: Traveller, session: Session) -> str:
    """An incident that has just been resolved."""
    code = declare(set_up_scenario(app)).code
    resolve(code)
    return code


def standing(code: str) -> CancellationState:
    incident = current_session().scalars(select(Incident).filter_by(code=code)).one()
    return cancel_window.mails_of_resolution(current_session(), incident)


def test_cancelling_twice_says_that_nothing_waits(code: str) -> None:
    cancel_window.cancel_mails(code, actor=ACTOR)
    with pytest.raises(Invalid, match="nothing to cancel"):
        cancel_window.cancel_mails(code, actor=ACTOR)


def test_who_left_meanwhile_is_not_written_to_after_all(code: str) -> None:
    cancel_window.cancel_mails(code, actor=ACTOR)
    with writing() as session:
        session.add(Suppression(address="c2@example.com", kind="unsubscribed", reason="left"))
    assert cancel_window.send_after_all(code, actor=ACTOR) == 3
    assert mails(DeliveryState.CANCELLED) == ["c2@example.com"]


def test_that_it_is_over_is_not_sent_once_it_is_open_again(code: str) -> None:
    cancel_window.cancel_mails(code, actor=ACTOR)
    lifecycle.reopen(
        code, inputs.NewUpdate(IncidentStatus.INVESTIGATING), Submission(ACTOR, "again")
    )
    with pytest.raises(Invalid, match="open again"):
        cancel_window.send_after_all(code, actor=ACTOR)
    # Who was never told that it is over is not told that it is not.
    assert [one.step for one in messages(Audience.CUSTOMER)] == ["resolved"]
    # Nor is it sent once it has ended as something else.
    post(code, "resolved", false_alarm=True)
    assert standing(code) == CancellationState()
    with pytest.raises(Invalid, match="nothing to send"):
        cancel_window.send_after_all(code, actor=ACTOR)
