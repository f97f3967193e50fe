"""Whose account it is that a provider names, and in which role."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session
from time_machine import Traveller

from statuspage.access import sign_in_limits, sign_ins
from statuspage.access.identity import Identity, Logout
from statuspage.core.enums import AccountRole
from statuspage.delivery import account_changes, invitations, single_sign_on
from statuspage.models import Account, Alarm
from tests.accounts import (
    ACTOR,
    ADDRESS,
    KIM,
    PASSWORD,
    account_mails,
    add_account,
    fail_to_sign_in,
    refusal,
    trail,
)
from tests.actors import acting
from tests.factories import NOON

SETTINGS = {"OIDC_ISSUER": "https://id.example.com", "OIDC_CLIENT_ID": "status-page"}
WHO = Identity("https://id.example.com", "1", KIM, "Kim Ito", frozenset(), "signed")


@pytest.fixture
def environ(environ: dict[str, str]) -> dict[str, str]:
    return environ | SETTINGS


@pytest.fixture
def kim(session: Session, frozen: Traveller) -> int:
    return add_account(KIM)


def enter(**changes: Any) -> Account:
    _, account = single_sign_on.sign_in_as(replace(WHO, **changes), address=ADDRESS)
    return account


def test_an_account_is_found_by_its_address_once_and_by_its_subject_ever_after(
    session: Session, kim: int
) -> None:
    token, account = single_sign_on.sign_in_as(WHO, address=ADDRESS)
    assert account.id == kim
    found = sign_ins.find_sign_in(session, token)
    assert found is not None
    assert found.id_token == "signed"
    assert enter(email="renamed@example.com").id == kim
    assert trail(session)[:2] == [
        ("single sign-on", "account.link", KIM),
        ("kim", "account.sign_in", KIM),
    ]


def test_another_subject_with_the_same_address_is_somebody_else(kim: int) -> None:
    enter()
    with refusal(field="form", reason="This account belongs to somebody else at your provider."):
        enter(subject="2")


def test_an_address_that_nobody_vouches_for_finds_no_account(kim: int) -> None:
    reason = "Your provider doesn’t confirm your email address. Ask an admin."
    with refusal(field="form", reason=reason):
        enter(email="")


def test_whoever_has_no_account_is_invited_first(session: Session, kim: int) -> None:
    dana = {"subject": "2", "email": "dana@example.com", "name": "Dana"}
    reason = "There is no account for you here. Ask an admin to invite you."
    with refusal(field="form", reason=reason):
        enter(**dana)
    invitations.invite("dana@example.com", AccountRole.COMMS_LEAD, actor=ACTOR)
    account = enter(**dana)
    assert (account.name, account.role) == ("Dana", AccountRole.COMMS_LEAD)
    assert invitations.open_invitations(session) == []
    assert enter(**dana).id == account.id


def test_a_disabled_account_stays_out(kim: int) -> None:
    sam = add_account("sam@example.com")
    account_changes.disable(sam, actor=ACTOR)
    with refusal(field="form", reason="Your account is disabled. Ask an admin."):
        enter(email="sam@example.com")


def test_a_new_browser_is_told_of_by_mail(session: Session, kim: int) -> None:
    enter()
    enter()
    assert [message.subject for _, message in account_mails(session)] == [
        "New sign-in to your account"
    ]
    known = sign_in_limits.browser_token(KIM)
    single_sign_on.sign_in_as(WHO, address=ADDRESS, browser=known)
    assert len(account_mails(session)) == 1


def test_a_proof_takes_the_same_person(session: Session, kim: int) -> None:
    token, _ = single_sign_on.sign_in_as(WHO, address=ADDRESS)
    found = sign_ins.find_sign_in(session, token)
    assert found is not None
    actor = acting("Kim", account_id=kim)
    other = replace(WHO, subject="2")
    reason = "That is another account: confirm with the one you’re using."
    with refusal(field="form", reason=reason):
        single_sign_on.prove_by(other, sign_in_id=found.id, address=ADDRESS, actor=actor)
    fresh = single_sign_on.prove_by(WHO, sign_in_id=found.id, address=ADDRESS, actor=actor)
    assert sign_ins.find_sign_in(session, fresh) is not None
    assert sign_ins.find_sign_in(session, token) is None


class TestCreatingAccounts:
    @pytest.fixture
    def environ(self, environ: dict[str, str]) -> dict[str, str]:
        return environ | {"OIDC_CREATE_ACCOUNTS": "yes"}

    def test_whoever_the_provider_lets_in_is_a_viewer(self, session: Session, kim: int) -> None:
        account = enter(subject="2", email="dana@example.com", name="")
        assert (account.name, account.role) == ("dana", AccountRole.VIEWER)
        fail_to_sign_in("dana@example.com")


class TestRoles:
    @pytest.fixture
    def environ(self, environ: dict[str, str]) -> dict[str, str]:
        roles = "On call=responder, Comms = comms_lead, Heads=admin"
        return environ | {"OIDC_CREATE_ACCOUNTS": "yes", "OIDC_ROLES": roles}

    @pytest.mark.parametrize(
        ("groups", "role"),
        [
            ({"On call", "Kitchen"}, AccountRole.RESPONDER),
            ({"Comms", "On call"}, AccountRole.COMMS_LEAD),
            ({"Heads"}, AccountRole.ADMIN),
        ],
    )
    def test_the_highest_of_ones_groups_counts(
        self, kim: int, groups: set[str], role: AccountRole
    ) -> None:
        dana = {"subject": "2", "email": "dana@example.com"}
        assert enter(**dana, groups=frozenset(groups)).role is role

    def test_whoever_is_in_no_group_stays_out(self, kim: int) -> None:
        reason = "None of your groups may sign in here. Ask an admin for access."
        for groups in (set(), {"on call"}, {"Kitchen"}):
            with refusal(field="form", reason=reason):
                enter(groups=frozenset(groups))

    def test_a_role_that_changed_ends_the_sessions_from_before(
        self, session: Session, kim: int
    ) -> None:
        dana = {"subject": "2", "email": "dana@example.com"}
        identity = replace(WHO, **dana, groups=frozenset({"Comms"}))
        before, _ = single_sign_on.sign_in_as(identity, address=ADDRESS)
        assert enter(**dana, groups=frozenset({"On call"})).role is AccountRole.RESPONDER
        assert sign_ins.find_sign_in(session, before) is None
        assert ("single sign-on", "account.change_role", "dana@example.com") in trail(session)

    def test_the_last_admin_keeps_the_role(self, kim: int) -> None:
        reason = "This is the last admin: make somebody else an admin first"
        with refusal(field="account", reason=reason):
            enter(groups=frozenset({"Comms"}))


class TestRequired:
    @pytest.fixture
    def environ(self, environ: dict[str, str]) -> dict[str, str]:
        return environ | {"OIDC_REQUIRED": "yes", "EMERGENCY_ACCOUNT": "Rescue@example.com"}

    def alarms(self, session: Session) -> list[str]:
        return list(session.scalars(select(Alarm.key).where(Alarm.cleared_at.is_(None))))

    def test_a_right_password_is_answered_like_a_wrong_one(
        self, session: Session, kim: int
    ) -> None:
        with refusal(field="password", reason="Wrong email or password"):
            sign_ins.sign_in(KIM, PASSWORD, address=ADDRESS)
        assert enter().id == kim
        assert self.alarms(session) == []

    def test_no_link_to_a_new_password_is_mailed(self, session: Session, kim: int) -> None:
        invitations.request_reset(KIM, client=ADDRESS)
        assert account_mails(session) == []
        reason = "Passwords don’t sign in here: single sign-on is required"
        with refusal(field="account", reason=reason):
            invitations.request_new_password(kim, actor=ACTOR)

    def test_the_emergency_account_signs_in_and_raises_an_alarm_for_a_day(
        self, session: Session, kim: int, frozen: Traveller
    ) -> None:
        rescue = add_account("rescue@example.com")
        assert sign_ins.sign_in("rescue@example.com", PASSWORD, address=ADDRESS)[1].id == rescue
        assert self.alarms(session) == ["emergency account"]
        session.rollback()
        frozen.shift(86_400)
        enter()
        assert self.alarms(session) == ["emergency account"]
        session.rollback()
        frozen.shift(1)
        enter()
        assert self.alarms(session) == []

    def test_no_provider_names_the_emergency_account(self, session: Session, kim: int) -> None:
        add_account("rescue@example.com")
        reason = "The emergency account signs in with its password alone."
        with refusal(field="form", reason=reason):
            enter(email="rescue@example.com")


EVERY = {"phone", "laptop", "unnamed", "by password"}
LOGOUT = Logout(WHO.issuer, WHO.subject, "phone", NOON + timedelta(minutes=1))


@pytest.mark.parametrize(
    ("changes", "left"),
    [
        ({}, {"laptop", "by password"}),
        ({"subject": ""}, {"laptop", "unnamed", "by password"}),
        ({"session": None}, {"by password"}),
        ({"subject": "2"}, EVERY),
        ({"issuer": "https://other.example.com"}, EVERY),
        ({"began_before": NOON - timedelta(seconds=1)}, EVERY),
    ],
)  # fmt: skip
def test_what_ended_at_the_provider_ends_here(
    session: Session, kim: int, changes: dict[str, Any], left: set[str]
) -> None:
    tokens = {
        name: single_sign_on.sign_in_as(replace(WHO, session=name), address=ADDRESS)[0]
        for name in ("phone", "laptop")
    }
    tokens["unnamed"], _ = single_sign_on.sign_in_as(WHO, address=ADDRESS)
    tokens["by password"], _ = sign_ins.sign_in(KIM, PASSWORD, address=ADDRESS)
    ended = single_sign_on.end_sign_ins(replace(LOGOUT, **changes))
    found = {name for name, token in tokens.items() if sign_ins.find_sign_in(session, token)}
    assert (found, ended) == (left, len(tokens) - len(left))
    assert trail(session)[5:] == [("single sign-on", "account.end_session", KIM)] * ended
