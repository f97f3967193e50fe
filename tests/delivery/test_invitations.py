from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session
from time_machine import Traveller

from statuspage.access import accounts, breached_passwords, sign_ins
from statuspage.core import clock
from statuspage.core.db import current_session, writing
from statuspage.core.enums import AccountRole
from statuspage.core.errors import Invalid
from statuspage.delivery import invitations
from statuspage.models import (
    Account,
    Contact,
    Invitation,
    Suppression,
)
from tests.accounts import (
    ACTOR,
    ADDRESS,
    KIM,
    PASSWORD,
    accept,
    account_mails,
    add_account,
    mailed_token,
    refusal,
    trail,
)
from tests.actors import acting


@pytest.fixture
def kim(session: Session) -> int:
    """The id of an account whose password is known."""
    return add_account(KIM)


def test_an_invitation_makes_an_account_once(session: Session, kim: int) -> None:
    _, token = invitations.invite("Dana@example.com", AccountRole.RESPONDER, actor=ACTOR)
    account = accept(token)
    assert (account.email, account.name) == ("dana@example.com", "Dana")
    assert sign_ins.sign_in("dana@example.com", PASSWORD, address=ADDRESS)[1].id == account.id
    with pytest.raises(Invalid):
        accept(token)
    assert trail(session)[:2] == [
        ("Kim", "account.invite", "dana@example.com"),
        ("Dana", "account.accept_invitation", "dana@example.com"),
    ]


def test_an_invitation_is_kept_as_a_hash_only(session: Session, kim: int) -> None:
    _, token = invitations.invite("dana@example.com", AccountRole.RESPONDER, actor=ACTOR)
    assert token not in session.scalars(select(Invitation.token_hash)).one()


def test_an_invitation_ends_after_seven_days(session: Session, kim: int, frozen: Traveller) -> None:
    _, token = invitations.invite("dana@example.com", AccountRole.RESPONDER, actor=ACTOR)
    frozen.shift(timedelta(days=7) - timedelta(seconds=1))
    assert invitations.find_invitation(session, token) is not None
    session.rollback()
    frozen.shift(timedelta(seconds=1))
    assert invitations.find_invitation(session, token) is None
    assert invitations.open_invitations(session) == []
    with pytest.raises(Invalid):
        accept(token)


def test_a_withdrawn_invitation_does_not_work(session: Session, kim: int) -> None:
    invitation, token = invitations.invite("dana@example.com", AccountRole.RESPONDER, actor=ACTOR)
    invitations.withdraw_invitation(invitation.id, actor=ACTOR)
    invitations.withdraw_invitation(invitation.id, actor=ACTOR)
    with pytest.raises(Invalid):
        accept(token)
    assert [action for _, action, _ in trail(session)] == [
        "account.invite",
        "account.withdraw_invitation",
    ]


def test_a_second_invitation_takes_the_place_of_the_first(session: Session, kim: int) -> None:
    _, first = invitations.invite("dana@example.com", AccountRole.RESPONDER, actor=ACTOR)
    _, second = invitations.invite("dana@example.com", AccountRole.RESPONDER, actor=ACTOR)
    assert invitations.find_invitation(session, first) is None
    assert invitations.find_invitation(session, second) is not None


def test_an_account_s_owner_is_mailed_the_link_to_a_new_password(
    session: Session, kim: int
) -> None:
    signed_in, _ = sign_ins.sign_in(KIM, PASSWORD, address=ADDRESS)
    invitations.request_new_password(kim, actor=acting("Sam"))
    [(delivery, message)] = account_mails(session)
    assert (delivery.email, message.subject) == (KIM, "Choose a new password")
    assert "Sam asked for a new password for your account kim@example.com" in message.body
    assert "[[account_url]]" in message.text
    assert 'href="[[html:account_url]]"' in message.html
    token = mailed_token(session)
    assert token not in message.text + message.html
    account = accept(token, name="Kim Lee", password="another horse entirely")
    assert (account.id, account.name) == (kim, "Kim Lee")
    assert sign_ins.find_sign_in(session, signed_in) is None
    assert trail(session)[-2:] == [
        ("Sam", "account.request_new_password", KIM),
        ("Kim Lee", "account.choose_new_password", KIM),
    ]


def test_the_link_to_a_new_password_works_for_a_day(
    session: Session, kim: int, frozen: Traveller
) -> None:
    invitations.request_new_password(kim, actor=ACTOR)
    frozen.shift(invitations.PASSWORD_LINK_LASTS - timedelta(seconds=1))
    assert invitations.find_invitation(session, mailed_token(session)) is not None
    session.rollback()
    frozen.shift(timedelta(seconds=1))
    assert invitations.find_invitation(session, mailed_token(session)) is None


def test_nobody_is_invited_to_an_account_that_is_there(kim: int) -> None:
    with refusal(field="email", reason="There is an account with this address: see below"):
        invitations.invite("KIM@example.com", AccountRole.RESPONDER, actor=ACTOR)


def test_no_link_is_made_where_no_mail_arrives(session: Session, kim: int) -> None:
    first = add_account(accounts.FIRST_ACCOUNT)
    with refusal(
        field="account",
        reason="Nothing is emailed to admin@example.com: nobody reads email there. "
        "Run: flask --app app reset-password admin@example.com",
    ):
        invitations.request_new_password(first, actor=ACTOR)
    with writing() as session:
        session.add(Suppression(address=KIM, kind="bounced", reason="no such mailbox"))
    with pytest.raises(Invalid, match=r"Nothing is emailed to kim@example\.com: no such mailbox"):
        invitations.request_new_password(kim, actor=ACTOR)
    assert invitations.open_invitations(session) == []


def test_a_disabled_account_stays_so_whatever_links_are_out(session: Session, kim: int) -> None:
    sam = add_account("sam@example.com")
    invitations.request_new_password(sam, actor=ACTOR)
    token = mailed_token(session)
    with writing() as session:
        # As where it was disabled in the very moment in which the link is used.
        session.get_one(Account, sam).disabled_at = clock.now()
    with refusal(field="token", reason="This link no longer works; request a new one"):
        accept(token)
    assert session.get_one(Account, sam).disabled_at is not None
    with refusal(field="account", reason="This account is disabled; enable it first"):
        invitations.request_new_password(sam, actor=ACTOR)


def test_an_invited_colleague_is_the_contact_with_the_same_address(
    session: Session, kim: int
) -> None:
    with writing() as session:
        contact = Contact(name="Dana", email="Dana@Example.com")
        session.add(contact)
    _, token = invitations.invite("dana@example.com", AccountRole.RESPONDER, actor=ACTOR)
    assert accept(token).contact_id == contact.id


def test_nobody_is_invited_at_what_is_no_address(kim: int) -> None:
    with refusal(field="email", reason="Enter an email address, like name@example.com"):
        invitations.invite("dana", AccountRole.RESPONDER, actor=ACTOR)


def test_a_password_too_short_leaves_the_invitation_open(session: Session, kim: int) -> None:
    _, token = invitations.invite("dana@example.com", AccountRole.RESPONDER, actor=ACTOR)
    with pytest.raises(Invalid):
        accept(token, password="short")
    assert invitations.find_invitation(session, token) is not None


def test_nothing_is_held_in_the_database_while_breaches_are_looked_up(
    session: Session, kim: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, token = invitations.invite("dana@example.com", AccountRole.RESPONDER, actor=ACTOR)
    held: list[bool] = []

    def look_up(_: str) -> bool:
        held.append(current_session().in_transaction())
        return False

    monkeypatch.setattr(breached_passwords, "is_breached", look_up)
    accept(token)
    assert held == [False]


# --- a forgotten password ------------------------------------------------------------------------


def test_a_forgotten_password_is_chosen_again_by_a_link_that_works_once_for_half_an_hour(
    session: Session, kim: int, frozen: Traveller
) -> None:
    invitations.request_reset(f" {KIM.upper()} ", client=ADDRESS)
    [(delivery, _)] = account_mails(session)
    assert delivery.address == KIM
    token = mailed_token(session)
    frozen.shift(timedelta(minutes=30))
    assert invitations.find_invitation(session, token) is None
    invitations.request_reset(KIM, client=ADDRESS)
    token = mailed_token(session)
    accept(token, name="Kim", password="another horse entirely")
    with refusal(field="token", reason="This link no longer works; request a new one"):
        accept(token, name="Kim", password="another horse entirely")


@pytest.mark.parametrize("email", ["nobody@example.com", "no address", ""])
def test_nothing_is_mailed_where_there_is_no_account(
    session: Session, kim: int, email: str
) -> None:
    invitations.request_reset(email, client=ADDRESS)
    assert account_mails(session) == []


def test_nobody_is_flooded_with_links(session: Session, kim: int) -> None:
    for _ in range(invitations.RESETS_BY_ACCOUNT + 2):
        invitations.request_reset(KIM, client=ADDRESS)
    assert len(account_mails(session)) == invitations.RESETS_BY_ACCOUNT
