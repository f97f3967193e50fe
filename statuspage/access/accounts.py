"""Accounts: who may sign in, by which password, from which browser, and who invited them.

Passwords are kept as argon2id hashes with OWASP's second set of parameters
(https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html); tokens of
sign-ins and invitations are random, and kept as SHA-256 hashes only.
"""

from __future__ import annotations

import logging
import secrets
import unicodedata
from datetime import timedelta
from functools import cache
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import ColumnElement, Select, delete, func, select, update
from sqlalchemy.orm import Session

from statuspage.access import audit, sign_in_limits, throttle
from statuspage.access.audit import COMMAND_LINE, Actor
from statuspage.core import address as addresses
from statuspage.core import clock
from statuspage.core.config import current_settings
from statuspage.core.db import current_session, writing
from statuspage.core.errors import Invalid
from statuspage.core.links import account_token
from statuspage.core.richtext import clean_line
from statuspage.delivery import account_mail
from statuspage.models import Account, Contact, Invitation, SignIn
from statuspage.models.columns import hash_token

log = logging.getLogger(__name__)

SIGN_IN_LASTS = timedelta(hours=12)
INVITATION_LASTS = timedelta(days=7)
PASSWORD_LINK_LASTS = timedelta(days=1)
FIRST_ACCOUNT = "admin@example.com"
"""What the first account signs in as; nothing is ever mailed there, and it invites real people."""

LEAST_PASSWORD = 12
MOST_PASSWORD = 200
_LEAST_DISTINCT = 5

HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
# Each verification holds 19 MiB: a crowd at the door must not eat the machine's memory.
_ROOM = BoundedSemaphore(4)
_KEEP_ENDED = timedelta(days=30)


def read_address(text: str) -> str:
    """The mail address as accounts keep it, normalised; :class:`Invalid` where it is none."""
    try:
        return addresses.read_address(text).identity
    except ValueError:
        raise Invalid("email", "Enter a mail address, like name@example.com") from None


def read_password(text: str, *, email: str, field: str = "password") -> str:
    """The new password, normalised; :class:`Invalid` where it is too easily guessed.

    The rules are NIST's (SP 800-63B, 3.1.1.2): length, not composition.
    """
    password = unicodedata.normalize("NFKC", text)
    if len(password) < LEAST_PASSWORD:
        raise Invalid(field, f"Use at least {LEAST_PASSWORD} characters")
    if len(password) > MOST_PASSWORD:
        raise Invalid(field, f"Use at most {MOST_PASSWORD} characters")
    if len(set(password)) < _LEAST_DISTINCT or password.lower() in {email, email.split("@")[0]}:
        raise Invalid(field, "Use a password that is harder to guess")
    return password


def any_account(session: Session) -> bool:
    """Whether anybody can sign in at all."""
    return session.scalar(_active().limit(1)) is not None


def all_accounts(session: Session) -> list[Account]:
    """All accounts, active ones first, by name."""
    return list(
        session.scalars(
            select(Account).order_by(
                Account.disabled_at.is_not(None), func.lower(Account.name), Account.id
            )
        )
    )


def last_sign_ins(session: Session) -> dict[int, SignIn]:
    """Each account's newest sign-in that is still on record, by account id."""
    return {sign_in.account_id: sign_in for sign_in in session.scalars(_sign_ins_by_age())}


def open_invitations(session: Session) -> list[Invitation]:
    """Invitations that can still be accepted, newest first."""
    return list(
        session.scalars(
            select(Invitation).where(*_open_invitation()).order_by(Invitation.id.desc())
        )
    )


def find_invitation(session: Session, token: str) -> Invitation | None:
    """The open invitation that the token belongs to, if there is one."""
    return session.scalars(
        select(Invitation).where(Invitation.token_hash == hash_token(token), *_open_invitation())
    ).one_or_none()


def find_sign_in(session: Session, token: str) -> SignIn | None:
    """The sign-in that the browser's token belongs to, while it lasts."""
    return session.scalars(
        select(SignIn)
        .join(SignIn.account)
        .where(
            SignIn.token_hash == hash_token(token),
            SignIn.ends_at > clock.now(),
            Account.disabled_at.is_(None),
        )
    ).one_or_none()


def create_first(email: str, *, name: str = "Administrator") -> tuple[str, str]:
    """Make the first account; returns its address and a random password, shown nowhere again.

    :class:`Invalid` where there is an account already.
    """
    email, password = read_address(email), _random_password()
    hashed = _hash(password)
    with writing() as session:
        if session.scalar(select(Account.id).limit(1)) is not None:
            raise Invalid("email", "There is an account already; it can invite others")
        session.add(
            Account(
                email=email,
                name=clean_line(name),
                password_hash=hashed,
                password_is_temporary=True,
            )
        )
        audit.record(session, COMMAND_LINE, "account.create", subject_kind="account", subject=email)
    return email, password


def reset_password(email: str, *, actor: Actor = COMMAND_LINE) -> str:
    """Give an account a random password, end its sign-ins and enable it; returns the password.

    Counted tries are forgotten, so whoever runs the service always gets in.  The owner is told by
    mail.
    """
    email, password = read_address(email), _random_password()
    hashed = _hash(password)
    with writing() as session:
        account = _by_email(session, email)
        if account is None:
            raise Invalid("email", f"There is no account {email}")
        account.password_hash, account.disabled_at = hashed, None
        account.password_is_temporary = True
        _end_sign_ins(session, account.id)
        _withdraw_open(session, email)
        sign_in_limits.forget_everybody(session)
        _tell_owner(session, email, how="by a command on the machine of the service")
        _record(session, actor, "account.reset_password", email)
    return password


def sign_in(email: str, password: str, *, address: str, browser: str = "") -> tuple[str, Account]:
    """Sign a browser in; returns the token for its cookie, and whose it is.

    ``address`` is the client's, ``browser`` what :func:`~.sign_in_limits.browser_token` gave this
    browser before.  Raises :class:`~.sign_in_limits.Throttled` after too many tries from that
    address or on that account, and :class:`Invalid` otherwise, without saying which half was wrong;
    an unknown account takes as long as a known one.
    """
    email = addresses.identity_of(email)
    limits = sign_in_limits.limits_of_sign_in(email, address=address, browser=browser)
    sign_in_limits.count_try(limits, address=address)
    account = _by_email(current_session(), email)
    hashed = account.password_hash if account else _nobodys_hash()
    account_id = account.id if account and account.disabled_at is None else None
    # Nothing is held in the database while the hash is computed.
    current_session().rollback()
    if not _matches(hashed, password) or account_id is None:
        log.warning("a sign-in was refused, from %s", address)
        raise Invalid("password", "That mail address and password do not belong together")
    renewed = _hash(password) if HASHER.check_needs_rehash(hashed) else hashed
    with writing() as session:
        # Only if nothing changed meanwhile: the password may just have been replaced.
        account = session.scalars(
            select(Account).filter_by(id=account_id, password_hash=hashed, disabled_at=None)
        ).one_or_none()
        if account is None:
            raise Invalid("password", "That mail address and password do not belong together")
        account.password_hash = renewed
        sign_in_limits.take_back(session, limits)
        throttle.forget_old_tries(session)
        session.execute(delete(SignIn).where(SignIn.ends_at < clock.now() - _KEEP_ENDED))
        token = _begin_sign_in(session, account)
        _record(session, _as_actor(account), "account.sign_in", email, after={"from": address})
    return token, account


def sign_out(token: str, *, actor: Actor) -> None:
    """End one browser's sign-in; nothing happens where it has ended already."""
    with writing() as session:
        found = find_sign_in(session, token)
        if found is None:
            return
        found.ends_at = clock.now()
        _record(session, actor, "account.sign_out", found.account.email)


def sign_out_everywhere(account_id: int, *, actor: Actor) -> None:
    """End all sign-ins of an account."""
    with writing() as session:
        account = _account(session, account_id)
        _end_sign_ins(session, account.id)
        _record(session, actor, "account.sign_out_everywhere", account.email)


def rename(account_id: int, *, name: str, actor: Actor) -> None:
    """Change the name that an account acts under."""
    name = _read_name(name)
    with writing() as session:
        account = _account(session, account_id)
        if account.name == name:
            return
        before, account.name = account.name, name
        _record(session, actor, "account.rename", account.email, {"name": before}, {"name": name})


def change_password(account_id: int, *, present: str, new: str, address: str, actor: Actor) -> str:
    """Replace a password by its owner; ends every sign-in and returns a fresh token for this one.

    Raises :class:`~.sign_in_limits.Throttled` and :class:`Invalid` as :func:`sign_in` does.
    """
    account = _account(current_session(), account_id)
    email, hashed = account.email, account.password_hash
    limits = sign_in_limits.limits_of_change(email)
    sign_in_limits.count_try(limits, address=address)
    if not _matches(hashed, present):
        raise Invalid("present", "This is not your present password")
    new_hash = _hash(read_password(new, email=email, field="new"))
    with writing() as session:
        account = _account(session, account_id)
        if account.password_hash != hashed:
            raise Invalid("present", "Your password has just been changed elsewhere")
        account.password_hash, account.password_is_temporary = new_hash, False
        sign_in_limits.take_back(session, limits)
        _end_sign_ins(session, account.id)
        _withdraw_open(session, email)
        token = _begin_sign_in(session, account)
        _tell_owner(session, email, how="by whoever was signed in and knew the one before")
        _record(session, actor, "account.change_password", email)
    return token


def invite(email: str, *, actor: Actor) -> tuple[Invitation, str]:
    """Mail somebody a link by which they make an account; returns the link's token too.

    An older invitation to the same address stops working.  The token is not kept.
    :class:`Invalid` for an address that has an account.
    """
    email = read_address(email)
    with writing() as session:
        if _by_email(session, email) is not None:
            raise Invalid("email", "There is an account with this address: see below")
        delivery_id = account_mail.queue_invitation(
            session, email, by=actor.name, lasts=INVITATION_LASTS
        )
        invitation, token = _offer(session, email, delivery_id, lasts=INVITATION_LASTS, actor=actor)
        _record(session, actor, "account.invite", email)
    return invitation, token


def request_new_password(account_id: int, *, actor: Actor) -> Invitation:
    """Mail an account's owner a link by which they choose a new password; nobody else has it.

    Their present password works until then, and an older link stops working.  :class:`Invalid` for
    an account that is disabled, and for one whose address takes no mail.
    """
    with writing() as session:
        account = _account(session, account_id)
        email = account.email
        if account.disabled_at is not None:
            raise Invalid("account", "This account is disabled; enable it first")
        _refuse_unreachable(session, email)
        delivery_id = account_mail.queue_password_link(
            session, email, by=actor.name, lasts=PASSWORD_LINK_LASTS
        )
        invitation, _ = _offer(session, email, delivery_id, lasts=PASSWORD_LINK_LASTS, actor=actor)
        _record(session, actor, "account.request_new_password", email)
    return invitation


def withdraw_invitation(invitation_id: int, *, actor: Actor) -> None:
    """Make an open invitation's link stop working."""
    with writing() as session:
        invitation = session.get(Invitation, invitation_id)
        if invitation is None or invitation.accepted_at or invitation.withdrawn_at:
            return
        invitation.withdrawn_at = clock.now()
        _record(session, actor, "account.withdraw_invitation", invitation.email)


def accept_invitation(token: str, *, name: str, password: str) -> Account:
    """Make the invited account, or give the one that is there its new name and password.

    An account that is disabled stays so: enabling it is an act of its own.  Raises
    :class:`Invalid`; for field ``token`` where the link does not work (any more).
    """
    invitation = find_invitation(current_session(), token)
    if invitation is None:
        raise _dead_link()
    email, name = invitation.email, _read_name(name)
    hashed = _hash(read_password(password, email=email))
    with writing() as session:
        used = session.scalars(
            update(Invitation)
            .where(Invitation.token_hash == hash_token(token), *_open_invitation())
            .values(accepted_at=clock.now())
            .returning(Invitation.id)
        ).all()
        account = _by_email(session, email)
        if not used or (account is not None and account.disabled_at is not None):
            raise _dead_link()
        is_new = account is None
        if account is None:
            account = Account(email=email, contact_id=_contact_id(session, email))
            session.add(account)
        account.name, account.password_hash = name, hashed
        account.password_is_temporary = False
        session.flush()
        _end_sign_ins(session, account.id)
        sign_in_limits.forget_account(session, email)
        if not is_new:
            _tell_owner(session, email, how="by the link that was mailed to you")
        action = "account.accept_invitation" if is_new else "account.choose_new_password"
        _record(session, _as_actor(account), action, email)
    return account


def disable(account_id: int, *, actor: Actor) -> None:
    """Keep somebody out, at once; :class:`Invalid` for the last account that can sign in."""
    with writing() as session:
        # Locked in one order, so that two people cannot disable each other and leave nobody.
        active = session.scalars(_active().order_by(Account.id).with_for_update()).all()
        account = next((one for one in active if one.id == account_id), None)
        if account is None:
            return
        if len(active) == 1:
            raise Invalid("account", "This is the last account that can sign in")
        account.disabled_at = clock.now()
        _end_sign_ins(session, account.id)
        if account.id != actor.account_id and account.email != FIRST_ACCOUNT:
            account_mail.queue_disabled_notice(session, account.email, by=actor.name)
        _withdraw_open(session, account.email)
        _record(session, actor, "account.disable", account.email)


def enable(account_id: int, *, actor: Actor) -> None:
    """Let somebody in again, with the password they had."""
    with writing() as session:
        account = _account(session, account_id)
        if account.disabled_at is None:
            return
        account.disabled_at = None
        _record(session, actor, "account.enable", account.email)


def _active() -> Select[Account]:
    return select(Account).where(Account.disabled_at.is_(None))


def _sign_ins_by_age() -> Select[SignIn]:
    return select(SignIn).order_by(SignIn.created_at, SignIn.id)


def _open_invitation() -> tuple[ColumnElement[bool], ...]:
    return (
        Invitation.accepted_at.is_(None),
        Invitation.withdrawn_at.is_(None),
        Invitation.expires_at > clock.now(),
    )


def _withdraw_open(session: Session, email: str) -> None:
    session.execute(
        update(Invitation)
        .where(Invitation.email == email, *_open_invitation())
        .values(withdrawn_at=clock.now())
    )


def _offer(
    session: Session, email: str, delivery_id: int, *, lasts: timedelta, actor: Actor
) -> tuple[Invitation, str]:
    """Let the link in that mail, and no older one, choose the password of an address."""
    token = account_token(current_settings().secret_key, delivery_id)
    _withdraw_open(session, email)
    invitation = Invitation(
        email=email,
        token_hash=hash_token(token),
        expires_at=clock.now() + lasts,
        invited_by_id=actor.account_id,
    )
    session.add(invitation)
    return invitation, token


def _refuse_unreachable(session: Session, email: str) -> None:
    reason = account_mail.barred_because(session, email)
    if email == FIRST_ACCOUNT:
        reason = "nobody reads mail there"
    if reason is not None:
        command = f"flask --app app reset-password {email}"
        raise Invalid("account", f"Nothing is mailed to {email}: {reason}. Run: {command}")


def _tell_owner(session: Session, email: str, *, how: str) -> None:
    if email != FIRST_ACCOUNT:
        account_mail.queue_change_notice(session, email, how=how)


def _dead_link() -> Invalid:
    return Invalid("token", "This link does not work any more; ask for a new one")


def _by_email(session: Session, email: str) -> Account | None:
    return session.scalars(select(Account).filter_by(email=email)).one_or_none()


def _account(session: Session, account_id: int) -> Account:
    return session.get_one(Account, account_id)


def _contact_id(session: Session, email: str) -> int | None:
    """The contact with that address, so that an account and its person find each other."""
    known = session.execute(
        select(Contact.id, Contact.email)
        .where(Contact.removed_at.is_(None), Contact.email != "")
        .order_by(Contact.id)
    )
    return next((id_ for id_, theirs in known if addresses.identity_of(theirs) == email), None)


def _as_actor(account: Account) -> Actor:
    return Actor(account.name, account.id)


def _record(
    session: Session,
    actor: Actor,
    action: str,
    email: str,
    before: dict[str, str] | None = None,
    after: dict[str, str] | None = None,
) -> None:
    audit.record(
        session,
        actor,
        action,
        subject_kind="account",
        subject=email,
        before=before,
        after=after,
    )


def _read_name(text: str) -> str:
    name = clean_line(text)
    if not name:
        raise Invalid("name", "Enter a name")
    if len(name) > 200:
        raise Invalid("name", "Use at most 200 characters")
    return name


def _begin_sign_in(session: Session, account: Account) -> str:
    token = secrets.token_urlsafe(32)
    session.add(
        SignIn(
            account_id=account.id,
            token_hash=hash_token(token),
            ends_at=clock.now() + SIGN_IN_LASTS,
        )
    )
    return token


def _end_sign_ins(session: Session, account_id: int) -> None:
    moment = clock.now()
    session.execute(
        update(SignIn)
        .where(SignIn.account_id == account_id, SignIn.ends_at > moment)
        .values(ends_at=moment)
    )


def _random_password() -> str:
    """Five groups of four letters and digits that are not mistaken for one another: 99 bits."""
    alphabet = "abcdefghijkmnpqrstuvwxyz23456789"
    groups = ("".join(secrets.choice(alphabet) for _ in range(4)) for _ in range(5))
    return "-".join(groups)


def _hash(password: str) -> str:
    with _ROOM:
        return HASHER.hash(password)


def _matches(hashed: str, password: str) -> bool:
    if len(password) > MOST_PASSWORD:
        password = ""
    with _ROOM:
        try:
            return HASHER.verify(hashed, unicodedata.normalize("NFKC", password))
        except (VerificationError, InvalidHashError):
            return False


@cache
def _nobodys_hash() -> str:
    """What the password of an unknown account is compared with: it takes as long as a known one."""
    return _hash(secrets.token_urlsafe(32))
