"""Mail to the owners of accounts: to them alone, ahead of all else, and not where none arrives."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session
from time_machine import Traveller

from statuspage.access.accounts import FIRST_ACCOUNT
from statuspage.core.db import writing
from statuspage.core.enums import AccountRole, DeliveryState
from statuspage.delivery import account_mail
from statuspage.models import Suppression
from statuspage.models.delivery import LANE_URGENT
from tests.accounts import KIM, account_mails
from tests.factories import NOON, make_page

DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _page(session: Session, frozen: Traveller) -> None:
    """A page at noon, in Berlin."""
    with writing() as session:
        make_page(session, time_zone="Europe/Berlin")


def test_a_link_is_urgent_and_ends_when_it_says(session: Session) -> None:
    with writing() as session:
        key = account_mail.queue_invitation(session, KIM, by="Ada", lasts=DAY)
    [(delivery, message)] = account_mails(session)
    assert (delivery.id, delivery.email, delivery.lane) == (key, KIM, LANE_URGENT)
    assert (delivery.due_at, delivery.expires_at) == (NOON, NOON + DAY)
    assert message.subject == "You are invited to the Acme status page"
    assert "Ada invites you" in message.text
    assert "until Mar 5, 2026, 13:00 CET" in message.text


def test_no_mail_holds_the_key_that_its_link_is_made_of(session: Session) -> None:
    with writing() as session:
        account_mail.queue_password_link(session, KIM, by="Ada", lasts=DAY)
        account_mail.queue_role_notice(session, KIM, role=AccountRole.VIEWER, by="Ada")
    links = [message.text.count("[[account_url]]") for _, message in account_mails(session)]
    assert links == [1, 0]


def test_an_address_that_takes_no_mail_is_told_nothing_and_keeps_the_reason(
    session: Session,
) -> None:
    with writing() as session:
        session.add(Suppression(address=KIM, kind="bounced", reason="no such mailbox"))
    assert account_mail.barred_because(session, KIM) == "no such mailbox"
    with writing() as session:
        account_mail.queue_disabled_notice(session, KIM, by="Ada")
    [(delivery, _)] = account_mails(session)
    assert (delivery.state, delivery.reason) == (DeliveryState.SUPPRESSED, "no such mailbox")


def test_nobody_reads_the_mail_of_the_first_account(session: Session) -> None:
    assert account_mail.barred_because(session, FIRST_ACCOUNT) == "nobody reads email there"
    assert account_mail.barred_because(session, KIM) is None
    with writing() as session:
        account_mail.queue_change_notice(session, FIRST_ACCOUNT, how="on the command line")
    assert account_mails(session) == []


def test_each_notice_says_what_happened_and_what_to_do(session: Session) -> None:
    with writing() as session:
        account_mail.queue_change_notice(session, KIM, how="by its owner")
        account_mail.queue_factor_notice(session, KIM, what="was set up")
        account_mail.queue_sign_in_notice(session, KIM, browser="Firefox", address="192.0.2.7")
    told = [(message.subject, message.text) for _, message in account_mails(session)]
    assert [subject for subject, _ in told] == [
        "Your password was changed", "Your second factor was changed",
        "New sign-in to your account",
    ]  # fmt: skip
    for (_, text), said in zip(
        told, ("by its owner", "was set up", "Firefox, from 192.0.2.7"), strict=True
    ):
        assert said in text
