from __future__ import annotations

import logging
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session
from time_machine import Traveller

from statuspage.access import accounts, sign_in_limits
from statuspage.access.audit import Actor
from statuspage.access.sign_in_limits import SignInThrottled
from statuspage.core.config import current_settings
from statuspage.core.db import writing
from statuspage.core.enums import Step
from statuspage.core.errors import Invalid
from statuspage.core.links import account_token
from statuspage.models import (
    Account,
    AuditEntry,
    Contact,
    Delivery,
    Invitation,
    Message,
    SignIn,
    Suppression,
    Throttle,
)

ADDRESS = "192.0.2.7"
KIM = "kim@example.com"
PASSWORD = "correct horse battery staple"
ACTOR = Actor("Kim")


@pytest.fixture
def kim(session: Session) -> int:
    """The id of an account whose password is known."""
    return add_account(KIM)


def add_account(email: str) -> int:
    with writing() as session:
        account = Account(
            email=email, name=email.split("@")[0], password_hash=accounts.HASHER.hash(PASSWORD)
        )
        session.add(account)
        session.flush()
        return account.id


def trail(session: Session) -> list[tuple[str, str, str]]:
    return [
        (entry.actor, entry.action, entry.subject)
        for entry in session.scalars(select(AuditEntry).order_by(AuditEntry.id))
    ]


def refusal(*, field: str, reason: str) -> pytest.RaisesExc[Invalid]:
    return pytest.RaisesExc(
        Invalid, check=lambda error: (error.field, error.reason) == (field, reason)
    )


def fail_to_sign_in(email: str = KIM, *, address: str = ADDRESS) -> Invalid:
    with pytest.raises(Invalid) as caught:
        accounts.sign_in(email, "wrong", address=address)
    return caught.value


# --- the first account ---------------------------------------------------------------------------


def test_the_first_account_is_given_a_password_that_nobody_else_has(session: Session) -> None:
    email, password = accounts.create_first("Kim@Example.com", name="Kim")
    _, account = accounts.sign_in(email, password, address=ADDRESS)
    assert (email, account.email, account.name) == (KIM, KIM, "Kim")
    assert len(password) == 24
    assert len(set(password.replace("-", ""))) > 8
    assert trail(session)[0] == ("command line", "account.create", KIM)


def test_there_is_a_first_account_only_once(kim: int) -> None:
    with pytest.raises(Invalid):
        accounts.create_first("other@example.com")


def test_a_disabled_account_does_not_open_the_door_for_a_first_one(
    session: Session, kim: int
) -> None:
    with writing() as session:
        session.get_one(Account, kim).disabled_at = accounts.clock.now()
    assert not accounts.any_account(session)
    with pytest.raises(Invalid):
        accounts.create_first("other@example.com")


def test_a_forgotten_password_is_replaced_from_the_command_line(session: Session, kim: int) -> None:
    token, _ = accounts.sign_in(KIM, PASSWORD, address=ADDRESS)
    password = accounts.reset_password(KIM)
    assert accounts.find_sign_in(session, token) is None
    assert accounts.sign_in(KIM, password, address=ADDRESS)[1].id == kim
    fail_to_sign_in()


def test_the_password_of_nobody_is_not_replaced(kim: int) -> None:
    with refusal(field="email", reason="There is no account nobody@example.com"):
        accounts.reset_password("nobody@example.com")


# --- signing in ----------------------------------------------------------------------------------


def test_a_sign_in_lasts_twelve_hours(session: Session, kim: int, frozen: Traveller) -> None:
    token, _ = accounts.sign_in(KIM, PASSWORD, address=ADDRESS)
    frozen.shift(timedelta(hours=12) - timedelta(seconds=1))
    found = accounts.find_sign_in(session, token)
    assert found is not None
    assert found.account_id == kim
    session.rollback()
    frozen.shift(timedelta(seconds=1))
    assert accounts.find_sign_in(session, token) is None


def test_the_token_itself_is_kept_nowhere(session: Session, kim: int) -> None:
    token, _ = accounts.sign_in(KIM, PASSWORD, address=ADDRESS)
    assert token not in session.scalars(select(SignIn.token_hash)).one()


def test_an_address_is_the_same_however_its_domain_is_written(session: Session) -> None:
    email, password = accounts.create_first("admin@störung.example")
    assert email == "admin@xn--strung-xxa.example"
    for typed in (email, "Admin@STÖRUNG.example", "admin@störung.example"):
        assert accounts.sign_in(typed, password, address=ADDRESS)[1].email == email
    with writing() as session:
        contact = Contact(name="Dana", email="Dana@Störung.example")
        session.add(contact)
    _, token = accounts.invite("dana@störung.example", actor=ACTOR)
    account = accept(token)
    assert (account.email, account.contact_id) == ("dana@xn--strung-xxa.example", contact.id)


def test_a_mail_address_may_be_typed_as_it_comes(kim: int) -> None:
    assert accounts.sign_in("  KIM@example.COM ", PASSWORD, address=ADDRESS)[1].id == kim


@pytest.mark.parametrize(
    ("email", "password"),
    [(KIM, "wrong"), ("nobody@example.com", PASSWORD), ("", ""), (KIM, ""), (KIM, "x" * 10_000)],
)
def test_a_refusal_does_not_say_which_half_was_wrong(kim: int, email: str, password: str) -> None:
    with refusal(field="password", reason="That mail address and password do not belong together"):
        accounts.sign_in(email, password, address=ADDRESS)


def test_an_unknown_account_takes_as_many_hashes_as_a_known_one(
    kim: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    accounts._nobodys_hash()
    compared: list[str] = []
    matches = accounts._matches

    def count(hashed: str, password: str) -> bool:
        compared.append(hashed)
        return matches(hashed, password)

    monkeypatch.setattr(accounts, "_matches", count)
    fail_to_sign_in(KIM)
    fail_to_sign_in("nobody@example.com")
    assert len(compared) == 2
    assert {hashed.split("$")[3] for hashed in compared} == {"m=8,t=1,p=1"}


def test_a_refused_sign_in_is_logged_with_its_address(
    kim: int, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        fail_to_sign_in()
    assert [record.getMessage() for record in caplog.records] == [
        "a sign-in was refused, from 192.0.2.7"
    ]


def test_an_old_hash_is_made_anew_at_the_next_sign_in(session: Session, kim: int) -> None:
    old = accounts.PasswordHasher(time_cost=2, memory_cost=8, parallelism=1).hash(PASSWORD)
    with writing() as session:
        session.get_one(Account, kim).password_hash = old
    accounts.sign_in(KIM, PASSWORD, address=ADDRESS)
    assert "t=1" in session.get_one(Account, kim).password_hash


def test_an_account_whose_hash_is_damaged_cannot_sign_in(kim: int) -> None:
    with writing() as session:
        session.get_one(Account, kim).password_hash = "?"
    fail_to_sign_in()


def test_one_address_is_throttled_whatever_account_it_tries(
    session: Session, kim: int, frozen: Traveller
) -> None:
    for number in range(sign_in_limits.TRIES_BY_ADDRESS):
        assert not isinstance(fail_to_sign_in(f"{number}@example.com"), SignInThrottled)
    frozen.shift(timedelta(minutes=3, seconds=30))
    with pytest.raises(SignInThrottled) as caught:
        accounts.sign_in(KIM, PASSWORD, address=ADDRESS)
    assert caught.value.wait == timedelta(minutes=11, seconds=30)
    assert caught.value.reason == "Too many tries. Wait 12 minutes, then try again."
    assert accounts.sign_in(KIM, PASSWORD, address="192.0.2.8")[1].id == kim


def test_one_account_is_throttled_whatever_address_it_is_tried_from(
    kim: int, frozen: Traveller
) -> None:
    for number in range(sign_in_limits.TRIES_BY_ACCOUNT):
        fail_to_sign_in(address=f"198.51.100.{number}")
    assert isinstance(fail_to_sign_in(address="203.0.113.1"), SignInThrottled)
    frozen.shift(timedelta(minutes=15))
    assert accounts.sign_in(KIM, PASSWORD, address=ADDRESS)[1].id == kim


def test_waiting_is_not_prolonged_by_trying_again(kim: int, frozen: Traveller) -> None:
    for _ in range(sign_in_limits.TRIES_BY_ADDRESS + 5):
        fail_to_sign_in()
    frozen.shift(timedelta(minutes=14))
    assert isinstance(fail_to_sign_in(), SignInThrottled)
    frozen.shift(timedelta(minutes=1))
    assert accounts.sign_in(KIM, PASSWORD, address=ADDRESS)[1].id == kim


def test_one_client_of_ipv6_has_its_whole_network_counted(kim: int) -> None:
    for number in range(sign_in_limits.TRIES_BY_ADDRESS):
        fail_to_sign_in(f"{number}@example.com", address=f"2001:db8:1:2::{number + 1:x}")
    assert isinstance(
        fail_to_sign_in("x@example.com", address="2001:db8:1:2::ffff"), SignInThrottled
    )
    assert not isinstance(
        fail_to_sign_in("x@example.com", address="2001:db8:1:3::1"), SignInThrottled
    )


def test_ipv4_written_as_ipv6_is_the_same_client(kim: int) -> None:
    for number in range(sign_in_limits.TRIES_BY_ADDRESS):
        fail_to_sign_in(f"{number}@example.com", address=ADDRESS)
    assert isinstance(
        fail_to_sign_in("x@example.com", address=f"::ffff:{ADDRESS}"), SignInThrottled
    )


def test_what_was_typed_is_not_kept_with_the_count(session: Session, kim: int) -> None:
    fail_to_sign_in("my secret password")
    assert not any("secret" in key for key in session.scalars(select(Throttle.key)))


def test_signing_in_forgets_the_tries_on_the_account_but_not_of_the_address(
    kim: int, frozen: Traveller
) -> None:
    for _ in range(sign_in_limits.TRIES_BY_ADDRESS - 1):
        fail_to_sign_in()
    accounts.sign_in(KIM, PASSWORD, address=ADDRESS)
    assert not isinstance(fail_to_sign_in(), SignInThrottled)
    assert isinstance(fail_to_sign_in(), SignInThrottled)


def test_an_office_behind_one_address_signs_in_as_often_as_it_likes(kim: int) -> None:
    for _ in range(sign_in_limits.TRIES_BY_ADDRESS + sign_in_limits.TRIES_BY_ACCOUNT):
        accounts.sign_in(KIM, PASSWORD, address=ADDRESS)
    assert not isinstance(fail_to_sign_in(), SignInThrottled)


def test_strangers_lock_out_no_browser_that_has_signed_in_before(kim: int) -> None:
    browser = sign_in_limits.browser_token(KIM)
    for _ in range(sign_in_limits.TRIES_BY_ACCOUNT):
        fail_to_sign_in()
    assert isinstance(fail_to_sign_in(), SignInThrottled)
    assert accounts.sign_in(KIM, PASSWORD, address=ADDRESS, browser=browser)[1].id == kim


@pytest.mark.parametrize("browser", ["", "made.up", "ü.ü", "of sam"])
def test_a_browser_is_known_by_what_it_was_given_for_that_account_alone(
    kim: int, browser: str
) -> None:
    if browser == "of sam":
        browser = sign_in_limits.browser_token("sam@example.com")
    for _ in range(sign_in_limits.TRIES_BY_ADDRESS):
        fail_to_sign_in()
    with pytest.raises(SignInThrottled):
        accounts.sign_in(KIM, PASSWORD, address=ADDRESS, browser=browser)


def test_a_known_browser_that_guesses_is_throttled_too(kim: int) -> None:
    browser = sign_in_limits.browser_token(KIM)
    for _ in range(sign_in_limits.TRIES_BY_BROWSER):
        with pytest.raises(Invalid):
            accounts.sign_in(KIM, "wrong", address=ADDRESS, browser=browser)
    with pytest.raises(SignInThrottled):
        accounts.sign_in(KIM, PASSWORD, address=ADDRESS, browser=browser)
    assert accounts.sign_in(KIM, PASSWORD, address=ADDRESS)[1].id == kim


def test_a_password_from_the_command_line_lets_in_whoever_was_locked_out(kim: int) -> None:
    for _ in range(sign_in_limits.TRIES_BY_ACCOUNT):
        fail_to_sign_in()
    password = accounts.reset_password(KIM)
    assert accounts.sign_in(KIM, password, address=ADDRESS)[1].id == kim


def test_old_counts_and_sign_ins_are_cleared_away(
    session: Session, kim: int, frozen: Traveller
) -> None:
    fail_to_sign_in("x@example.com", address="203.0.113.9")
    accounts.sign_in(KIM, PASSWORD, address=ADDRESS)
    frozen.shift(timedelta(days=40))
    accounts.sign_in(KIM, PASSWORD, address=ADDRESS)
    assert len(session.scalars(select(SignIn)).all()) == 1
    assert len(session.scalars(select(Throttle)).all()) == 1


# --- signing out ---------------------------------------------------------------------------------


def test_signing_out_ends_this_sign_in_alone(session: Session, kim: int) -> None:
    first, _ = accounts.sign_in(KIM, PASSWORD, address=ADDRESS)
    second, _ = accounts.sign_in(KIM, PASSWORD, address=ADDRESS)
    accounts.sign_out(first, actor=ACTOR)
    assert accounts.find_sign_in(session, first) is None
    assert accounts.find_sign_in(session, second) is not None


def test_signing_out_twice_is_one_act(session: Session, kim: int) -> None:
    token, _ = accounts.sign_in(KIM, PASSWORD, address=ADDRESS)
    accounts.sign_out(token, actor=ACTOR)
    accounts.sign_out(token, actor=ACTOR)
    assert [action for _, action, _ in trail(session)] == ["account.sign_in", "account.sign_out"]


def test_signing_out_everywhere_ends_all_of_one_account(session: Session, kim: int) -> None:
    add_account("sam@example.com")
    tokens = [accounts.sign_in(KIM, PASSWORD, address=ADDRESS)[0] for _ in range(2)]
    other, _ = accounts.sign_in("sam@example.com", PASSWORD, address=ADDRESS)
    accounts.sign_out_everywhere(kim, actor=ACTOR)
    assert [accounts.find_sign_in(session, token) for token in tokens] == [None, None]
    assert accounts.find_sign_in(session, other) is not None


# --- passwords -----------------------------------------------------------------------------------


def test_a_new_password_ends_every_other_sign_in(session: Session, kim: int) -> None:
    old, _ = accounts.sign_in(KIM, PASSWORD, address=ADDRESS)
    fresh = accounts.change_password(
        kim, present=PASSWORD, new="another horse entirely", address=ADDRESS, actor=ACTOR
    )
    assert accounts.find_sign_in(session, old) is None
    assert accounts.find_sign_in(session, fresh) is not None
    fail_to_sign_in()
    accounts.sign_in(KIM, "another horse entirely", address=ADDRESS)


def test_the_present_password_must_be_known(kim: int) -> None:
    with refusal(field="present", reason="This is not your present password"):
        accounts.change_password(
            kim, present="wrong", new="another horse entirely", address=ADDRESS, actor=ACTOR
        )


def test_guessing_the_present_password_is_throttled(kim: int) -> None:
    for _ in range(sign_in_limits.TRIES_BY_ADDRESS):
        with pytest.raises(Invalid):
            accounts.change_password(
                kim, present="wrong", new="another horse entirely", address=ADDRESS, actor=ACTOR
            )
    with pytest.raises(SignInThrottled):
        accounts.change_password(
            kim, present=PASSWORD, new="another horse entirely", address=ADDRESS, actor=ACTOR
        )


def test_strangers_who_guess_keep_nobody_from_a_better_password(kim: int) -> None:
    for _ in range(sign_in_limits.TRIES_BY_ACCOUNT):
        fail_to_sign_in()
    assert accounts.change_password(
        kim, present=PASSWORD, new="another horse entirely", address=ADDRESS, actor=ACTOR
    )


def test_a_printed_password_is_temporary_until_its_owner_chooses_one(
    session: Session, kim: int
) -> None:
    def is_temporary() -> bool:
        session.expire_all()
        return session.get_one(Account, kim).password_is_temporary

    assert not is_temporary()
    password = accounts.reset_password(KIM)
    assert is_temporary()
    accounts.change_password(
        kim, present=password, new="another horse entirely", address=ADDRESS, actor=ACTOR
    )
    assert not is_temporary()


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("short", "Use at least 12 characters"),
        ("x" * 201, "Use at most 200 characters"),
        ("aaaaaaaaaaaaaaa", "Use a password that is harder to guess"),
        ("Kim@Example.com", "Use a password that is harder to guess"),
    ],
)
def test_a_password_that_is_easily_guessed_is_refused(password: str, reason: str) -> None:
    with refusal(field="new", reason=reason):
        accounts.read_password(password, email=KIM, field="new")


def test_a_password_is_the_same_however_a_keyboard_composes_it(kim: int) -> None:
    accounts.change_password(
        kim, present=PASSWORD, new="café café café", address=ADDRESS, actor=ACTOR
    )
    assert accounts.sign_in(KIM, "café café café", address=ADDRESS)[1].id == kim


# --- names ---------------------------------------------------------------------------------------


def test_a_new_name_is_kept_with_the_old_one_in_the_trail(session: Session, kim: int) -> None:
    accounts.rename(kim, name="  Kim   Lee ", actor=ACTOR)
    accounts.rename(kim, name="Kim Lee", actor=ACTOR)
    entry = session.scalars(select(AuditEntry)).one()
    assert (entry.action, entry.before, entry.after) == (
        "account.rename",
        {"name": "kim"},
        {"name": "Kim Lee"},
    )


@pytest.mark.parametrize(
    ("name", "reason"), [(" ", "Enter a name"), ("x" * 201, "Use at most 200 characters")]
)
def test_a_name_must_be_one(kim: int, name: str, reason: str) -> None:
    with refusal(field="name", reason=reason):
        accounts.rename(kim, name=name, actor=ACTOR)


# --- invitations ---------------------------------------------------------------------------------


def accept(token: str, *, name: str = "Dana", password: str = PASSWORD) -> Account:
    return accounts.accept_invitation(token, name=name, password=password)


def test_an_invitation_makes_an_account_once(session: Session, kim: int) -> None:
    _, token = accounts.invite("Dana@example.com", actor=ACTOR)
    account = accept(token)
    assert (account.email, account.name) == ("dana@example.com", "Dana")
    assert accounts.sign_in("dana@example.com", PASSWORD, address=ADDRESS)[1].id == account.id
    with pytest.raises(Invalid):
        accept(token)
    assert trail(session)[:2] == [
        ("Kim", "account.invite", "dana@example.com"),
        ("Dana", "account.accept_invitation", "dana@example.com"),
    ]


def test_an_invitation_is_kept_as_a_hash_only(session: Session, kim: int) -> None:
    _, token = accounts.invite("dana@example.com", actor=ACTOR)
    assert token not in session.scalars(select(Invitation.token_hash)).one()


def test_an_invitation_ends_after_seven_days(session: Session, kim: int, frozen: Traveller) -> None:
    _, token = accounts.invite("dana@example.com", actor=ACTOR)
    frozen.shift(timedelta(days=7) - timedelta(seconds=1))
    assert accounts.find_invitation(session, token) is not None
    session.rollback()
    frozen.shift(timedelta(seconds=1))
    assert accounts.find_invitation(session, token) is None
    assert accounts.open_invitations(session) == []
    with pytest.raises(Invalid):
        accept(token)


def test_a_withdrawn_invitation_does_not_work(session: Session, kim: int) -> None:
    invitation, token = accounts.invite("dana@example.com", actor=ACTOR)
    accounts.withdraw_invitation(invitation.id, actor=ACTOR)
    accounts.withdraw_invitation(invitation.id, actor=ACTOR)
    with pytest.raises(Invalid):
        accept(token)
    assert [action for _, action, _ in trail(session)] == [
        "account.invite",
        "account.withdraw_invitation",
    ]


def test_a_second_invitation_takes_the_place_of_the_first(session: Session, kim: int) -> None:
    _, first = accounts.invite("dana@example.com", actor=ACTOR)
    _, second = accounts.invite("dana@example.com", actor=ACTOR)
    assert accounts.find_invitation(session, first) is None
    assert accounts.find_invitation(session, second) is not None


def account_mails(session: Session) -> list[tuple[Delivery, Message]]:
    """The mails about accounts, oldest first."""
    rows = session.execute(
        select(Delivery, Message)
        .join(Message, Message.id == Delivery.message_id)
        .where(Message.step == Step.ACCOUNT)
        .order_by(Delivery.id)
    )
    return [(row[0], row[1]) for row in rows]


def mailed_token(session: Session) -> str:
    """What the link in the newest of them ends in."""
    [*_, (delivery, _)] = account_mails(session)
    return account_token(current_settings().secret_key, delivery.id)


def test_an_account_s_owner_is_mailed_the_link_to_a_new_password(
    session: Session, kim: int
) -> None:
    signed_in, _ = accounts.sign_in(KIM, PASSWORD, address=ADDRESS)
    accounts.request_new_password(kim, actor=Actor("Sam"))
    [(delivery, message)] = account_mails(session)
    assert (delivery.email, message.subject) == (KIM, "Choose a new password")
    assert "Sam asked for a new password for your account kim@example.com" in message.body
    assert "[[account_url]]" in message.text
    assert 'href="[[html:account_url]]"' in message.html
    token = mailed_token(session)
    assert token not in message.text + message.html
    account = accept(token, name="Kim Lee", password="another horse entirely")
    assert (account.id, account.name) == (kim, "Kim Lee")
    assert accounts.find_sign_in(session, signed_in) is None
    assert trail(session)[-2:] == [
        ("Sam", "account.request_new_password", KIM),
        ("Kim Lee", "account.choose_new_password", KIM),
    ]


def test_the_link_to_a_new_password_works_for_a_day(
    session: Session, kim: int, frozen: Traveller
) -> None:
    accounts.request_new_password(kim, actor=ACTOR)
    frozen.shift(accounts.PASSWORD_LINK_LASTS - timedelta(seconds=1))
    assert accounts.find_invitation(session, mailed_token(session)) is not None
    session.rollback()
    frozen.shift(timedelta(seconds=1))
    assert accounts.find_invitation(session, mailed_token(session)) is None


def test_nobody_is_invited_to_an_account_that_is_there(kim: int) -> None:
    with refusal(field="email", reason="There is an account with this address: see below"):
        accounts.invite("KIM@example.com", actor=ACTOR)


def test_no_link_is_made_where_no_mail_arrives(session: Session, kim: int) -> None:
    first = add_account(accounts.FIRST_ACCOUNT)
    with refusal(
        field="account",
        reason="Nothing is mailed to admin@example.com: nobody reads mail there. "
        "Run: flask --app app reset-password admin@example.com",
    ):
        accounts.request_new_password(first, actor=ACTOR)
    with writing() as session:
        session.add(Suppression(address=KIM, kind="bounced", reason="no such mailbox"))
    with pytest.raises(Invalid, match=r"Nothing is mailed to kim@example\.com: no such mailbox"):
        accounts.request_new_password(kim, actor=ACTOR)
    assert accounts.open_invitations(session) == []


def test_a_disabled_account_stays_so_whatever_links_are_out(session: Session, kim: int) -> None:
    sam = add_account("sam@example.com")
    accounts.request_new_password(sam, actor=ACTOR)
    token = mailed_token(session)
    with writing() as session:
        # As where it was disabled in the very moment in which the link is used.
        session.get_one(Account, sam).disabled_at = accounts.clock.now()
    with refusal(field="token", reason="This link does not work any more; ask for a new one"):
        accept(token)
    assert session.get_one(Account, sam).disabled_at is not None
    with refusal(field="account", reason="This account is disabled; enable it first"):
        accounts.request_new_password(sam, actor=ACTOR)


def test_owners_are_told_by_mail_what_happened_to_their_account(session: Session, kim: int) -> None:
    sam = add_account("sam@example.com")
    accounts.change_password(
        sam, present=PASSWORD, new="another horse entirely", address=ADDRESS, actor=ACTOR
    )
    accounts.reset_password("sam@example.com")
    accounts.request_new_password(sam, actor=ACTOR)
    accept(mailed_token(session), name="Sam")
    accounts.disable(sam, actor=ACTOR)
    told = [(delivery.email, message.subject) for delivery, message in account_mails(session)]
    changed = ("sam@example.com", "Your password was changed")
    assert told == [
        changed,
        changed,
        ("sam@example.com", "Choose a new password"),
        changed,
        ("sam@example.com", "Your account was disabled"),
    ]


def test_a_new_password_ends_the_links_that_are_out(session: Session, kim: int) -> None:
    accounts.request_new_password(kim, actor=ACTOR)
    token = mailed_token(session)
    accounts.change_password(
        kim, present=PASSWORD, new="another horse entirely", address=ADDRESS, actor=ACTOR
    )
    assert accounts.find_invitation(session, token) is None


def test_an_invited_colleague_is_the_contact_with_the_same_address(
    session: Session, kim: int
) -> None:
    with writing() as session:
        contact = Contact(name="Dana", email="Dana@Example.com")
        session.add(contact)
    _, token = accounts.invite("dana@example.com", actor=ACTOR)
    assert accept(token).contact_id == contact.id


def test_nobody_is_invited_at_what_is_no_address(kim: int) -> None:
    with refusal(field="email", reason="Enter a mail address, like name@example.com"):
        accounts.invite("dana", actor=ACTOR)


def test_a_password_too_short_leaves_the_invitation_open(session: Session, kim: int) -> None:
    _, token = accounts.invite("dana@example.com", actor=ACTOR)
    with pytest.raises(Invalid):
        accept(token, password="short")
    assert accounts.find_invitation(session, token) is not None


# --- disabling -----------------------------------------------------------------------------------


def test_a_disabled_account_is_out_at_once(session: Session, kim: int) -> None:
    sam = add_account("sam@example.com")
    token, _ = accounts.sign_in("sam@example.com", PASSWORD, address=ADDRESS)
    accounts.request_new_password(sam, actor=ACTOR)
    invitation = mailed_token(session)
    accounts.disable(sam, actor=ACTOR)
    accounts.disable(sam, actor=ACTOR)
    assert accounts.find_sign_in(session, token) is None
    assert accounts.find_invitation(session, invitation) is None
    fail_to_sign_in("sam@example.com")
    assert [action for _, action, _ in trail(session)].count("account.disable") == 1


def test_the_last_account_cannot_be_disabled(session: Session, kim: int) -> None:
    accounts.disable(add_account("sam@example.com"), actor=ACTOR)
    with refusal(field="account", reason="This is the last account that can sign in"):
        accounts.disable(kim, actor=ACTOR)
    assert accounts.any_account(session)


def test_an_enabled_account_has_its_password_again(session: Session, kim: int) -> None:
    sam = add_account("sam@example.com")
    accounts.disable(sam, actor=ACTOR)
    accounts.enable(sam, actor=ACTOR)
    accounts.enable(sam, actor=ACTOR)
    assert accounts.sign_in("sam@example.com", PASSWORD, address=ADDRESS)[1].id == sam
    assert [action for _, action, _ in trail(session)].count("account.enable") == 1


def test_active_accounts_are_listed_first(session: Session, kim: int) -> None:
    accounts.disable(add_account("alex@example.com"), actor=ACTOR)
    add_account("sam@example.com")
    assert [account.name for account in accounts.all_accounts(session)] == ["kim", "sam", "alex"]


def test_each_account_shows_its_newest_sign_in(
    session: Session, kim: int, frozen: Traveller
) -> None:
    accounts.sign_in(KIM, PASSWORD, address=ADDRESS)
    frozen.shift(timedelta(hours=1))
    accounts.sign_in(KIM, PASSWORD, address=ADDRESS)
    assert accounts.last_sign_ins(session)[kim].created_at == accounts.clock.now()
