from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from statuspage.access import accounts, sign_in_limits, sign_ins
from statuspage.access.sign_in_limits import SignInThrottled
from statuspage.core.errors import Invalid
from statuspage.delivery import account_changes, invitations
from statuspage.models import (
    Account,
)
from tests.accounts import (
    ACTOR,
    ADDRESS,
    KIM,
    PASSWORD,
    accept,
    account_mails,
    add_account,
    fail_to_sign_in,
    mailed_token,
    refusal,
    trail,
)


@pytest.fixture
def kim(session: Session) -> int:
    """The id of an account whose password is known."""
    return add_account(KIM)


def test_a_forgotten_password_is_replaced_from_the_command_line(session: Session, kim: int) -> None:
    token, _ = sign_ins.sign_in(KIM, PASSWORD, address=ADDRESS)
    password = account_changes.reset_password(KIM)
    assert sign_ins.find_sign_in(session, token) is None
    assert sign_ins.sign_in(KIM, password, address=ADDRESS)[1].id == kim
    fail_to_sign_in()


def test_the_password_of_nobody_is_not_replaced(kim: int) -> None:
    with refusal(field="email", reason="There is no account nobody@example.com"):
        account_changes.reset_password("nobody@example.com")


def test_a_new_password_ends_every_other_sign_in(session: Session, kim: int) -> None:
    old, _ = sign_ins.sign_in(KIM, PASSWORD, address=ADDRESS)
    fresh = account_changes.change_password(
        kim, present=PASSWORD, new="another horse entirely", address=ADDRESS, actor=ACTOR
    )
    assert sign_ins.find_sign_in(session, old) is None
    assert sign_ins.find_sign_in(session, fresh) is not None
    fail_to_sign_in()
    sign_ins.sign_in(KIM, "another horse entirely", address=ADDRESS)


def test_the_present_password_must_be_known(kim: int) -> None:
    with refusal(field="present", reason="This isn’t your current password"):
        account_changes.change_password(
            kim, present="wrong", new="another horse entirely", address=ADDRESS, actor=ACTOR
        )


def test_guessing_the_present_password_is_throttled(kim: int) -> None:
    for _ in range(sign_in_limits.TRIES_BY_ADDRESS):
        with pytest.raises(Invalid):
            account_changes.change_password(
                kim, present="wrong", new="another horse entirely", address=ADDRESS, actor=ACTOR
            )
    with pytest.raises(SignInThrottled):
        account_changes.change_password(
            kim, present=PASSWORD, new="another horse entirely", address=ADDRESS, actor=ACTOR
        )


def test_strangers_who_guess_keep_nobody_from_a_better_password(kim: int) -> None:
    for _ in range(sign_in_limits.TRIES_BY_ACCOUNT):
        fail_to_sign_in()
    assert account_changes.change_password(
        kim, present=PASSWORD, new="another horse entirely", address=ADDRESS, actor=ACTOR
    )


def test_a_printed_password_is_temporary_until_its_owner_chooses_one(
    session: Session, kim: int
) -> None:
    def is_temporary() -> bool:
        session.expire_all()
        return session.get_one(Account, kim).password_is_temporary

    assert not is_temporary()
    password = account_changes.reset_password(KIM)
    assert is_temporary()
    account_changes.change_password(
        kim, present=password, new="another horse entirely", address=ADDRESS, actor=ACTOR
    )
    assert not is_temporary()


def test_a_password_is_the_same_however_a_keyboard_composes_it(kim: int) -> None:
    account_changes.change_password(
        kim, present=PASSWORD, new="cafe\u0301 café café café", address=ADDRESS, actor=ACTOR
    )
    assert sign_ins.sign_in(KIM, "café café café café", address=ADDRESS)[1].id == kim


def test_owners_are_told_by_mail_what_happened_to_their_account(session: Session, kim: int) -> None:
    sam = add_account("sam@example.com")
    account_changes.change_password(
        sam, present=PASSWORD, new="another horse entirely", address=ADDRESS, actor=ACTOR
    )
    account_changes.reset_password("sam@example.com")
    invitations.request_new_password(sam, actor=ACTOR)
    accept(mailed_token(session), name="Sam")
    account_changes.disable(sam, actor=ACTOR)
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
    invitations.request_new_password(kim, actor=ACTOR)
    token = mailed_token(session)
    account_changes.change_password(
        kim, present=PASSWORD, new="another horse entirely", address=ADDRESS, actor=ACTOR
    )
    assert invitations.find_invitation(session, token) is None


def test_a_disabled_account_is_out_at_once(session: Session, kim: int) -> None:
    sam = add_account("sam@example.com")
    token, _ = sign_ins.sign_in("sam@example.com", PASSWORD, address=ADDRESS)
    invitations.request_new_password(sam, actor=ACTOR)
    invitation = mailed_token(session)
    account_changes.disable(sam, actor=ACTOR)
    account_changes.disable(sam, actor=ACTOR)
    assert sign_ins.find_sign_in(session, token) is None
    assert invitations.find_invitation(session, invitation) is None
    fail_to_sign_in("sam@example.com")
    assert [action for _, action, _ in trail(session)].count("account.disable") == 1


def test_the_last_account_cannot_be_disabled(session: Session, kim: int) -> None:
    account_changes.disable(add_account("sam@example.com"), actor=ACTOR)
    with refusal(
        field="account", reason="This is the last admin: make somebody else an admin first"
    ):
        account_changes.disable(kim, actor=ACTOR)
    assert accounts.any_account(session)
