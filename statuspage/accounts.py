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
from hashlib import sha256
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import ColumnElement, Select, delete, func, select, update
from sqlalchemy.orm import Session

from statuspage import audit, clock, throttle
from statuspage.audit import COMMAND_LINE, Actor
from statuspage.db import session, writing
from statuspage.models import Account, Contact, Invitation, SignIn
from statuspage.people import address as addresses
from statuspage.refusals import Refused
from statuspage.richtext import clean_line

log = logging.getLogger(__name__)

SIGN_IN_LASTS = timedelta(hours=12)
INVITATION_LASTS = timedelta(days=7)
TRY_WINDOW = timedelta(minutes=15)
TRIES_BY_ADDRESS = 10
TRIES_BY_ACCOUNT = 20

LEAST_PASSWORD = 12
MOST_PASSWORD = 200
_LEAST_DISTINCT = 5

HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
# Each verification holds 19 MiB: a crowd at the door must not eat the machine's memory.
_ROOM = BoundedSemaphore(4)
_KEEP_ENDED = timedelta(days=30)


class Throttled(Refused):
    """Too many tries; ``wait`` is how long until the next one counts."""

    def __init__(self, wait: timedelta) -> None:
        # Rounded up: who comes back when told must not be told to wait again.
        shown = clock.show_duration(wait + timedelta(seconds=59))
        super().__init__("form", f"Too many tries. Wait {shown}, then try again.")
        self.wait = wait


def read_address(text: str) -> str:
    """The mail address as accounts keep it, normalised; :class:`Refused` where it is none."""
    try:
        return addresses.read_address(text).identity
    except ValueError:
        raise Refused("email", "Enter a mail address, like name@example.com") from None


def read_password(text: str, *, email: str, field: str = "password") -> str:
    """The new password, normalised; :class:`Refused` where it is too easily guessed.

    The rules are NIST's (SP 800-63B, 3.1.1.2): length, not composition.
    """
    password = unicodedata.normalize("NFKC", text)
    if len(password) < LEAST_PASSWORD:
        raise Refused(field, f"Use at least {LEAST_PASSWORD} characters")
    if len(password) > MOST_PASSWORD:
        raise Refused(field, f"Use at most {MOST_PASSWORD} characters")
    if len(set(password)) < _LEAST_DISTINCT or password.lower() in {email, email.split("@")[0]}:
        raise Refused(field, "Use a password that is harder to guess")
    return password


def any_account(current: Session) -> bool:
    """Whether anybody can sign in at all."""
    return current.scalar(_active().limit(1)) is not None


def all_accounts(current: Session) -> list[Account]:
    """All accounts, active ones first, by name."""
    return list(
        current.scalars(
            select(Account).order_by(
                Account.disabled_at.is_not(None), func.lower(Account.name), Account.id
            )
        )
    )


def last_sign_ins(current: Session) -> dict[int, SignIn]:
    """Each account's newest sign-in that is still on record, by account id."""
    return {sign_in.account_id: sign_in for sign_in in current.scalars(_sign_ins_by_age())}


def open_invitations(current: Session) -> list[Invitation]:
    """Invitations that can still be accepted, newest first."""
    return list(
        current.scalars(
            select(Invitation).where(*_open_invitation()).order_by(Invitation.id.desc())
        )
    )


def find_invitation(current: Session, token: str) -> Invitation | None:
    """The open invitation that the token belongs to, if there is one."""
    return current.scalars(
        select(Invitation).where(Invitation.token_hash == _digest(token), *_open_invitation())
    ).one_or_none()


def find_sign_in(current: Session, token: str) -> SignIn | None:
    """The sign-in that the browser's token belongs to, while it lasts."""
    return current.scalars(
        select(SignIn)
        .join(SignIn.account)
        .where(
            SignIn.token_hash == _digest(token),
            SignIn.ends_at > clock.now(),
            Account.disabled_at.is_(None),
        )
    ).one_or_none()


def create_first(email: str, *, name: str = "Administrator") -> tuple[str, str]:
    """Make the first account; returns its address and a random password, shown nowhere again.

    :class:`Refused` where there is an account already.
    """
    email, password = read_address(email), _random_password()
    hashed = _hash(password)
    with writing() as current:
        if current.scalar(select(Account.id).limit(1)) is not None:
            raise Refused("email", "There is an account already; it can invite others")
        current.add(Account(email=email, name=clean_line(name), password_hash=hashed))
        audit.record(current, COMMAND_LINE, "account.create", subject_kind="account", subject=email)
    return email, password


def reset_password(email: str, *, actor: Actor = COMMAND_LINE) -> str:
    """Give an account a random password, end its sign-ins and enable it; returns the password."""
    email, password = read_address(email), _random_password()
    hashed = _hash(password)
    with writing() as current:
        account = current.scalars(select(Account).filter_by(email=email)).one_or_none()
        if account is None:
            raise Refused("email", f"There is no account {email}")
        account.password_hash, account.disabled_at = hashed, None
        _end_sign_ins(current, account.id)
        _record(current, actor, "account.reset_password", email)
    return password


def sign_in(email: str, password: str, *, address: str) -> tuple[str, Account]:
    """Sign a browser in; returns the token for its cookie, and whose it is.

    ``address`` is the client's.  Raises :class:`Throttled` after too many tries from that address
    or on that account, and :class:`Refused` otherwise, without saying which half was wrong; an
    unknown account takes as long as a known one.
    """
    email = email.strip().lower()
    _count_try(email, address)
    account = session().scalars(select(Account).filter_by(email=email)).one_or_none()
    hashed = account.password_hash if account else _nobodys_hash()
    account_id = account.id if account and account.disabled_at is None else None
    # Nothing is held in the database while the hash is computed.
    session().rollback()
    if not _matches(hashed, password) or account_id is None:
        log.warning("a sign-in was refused, from %s", address)
        raise Refused("password", "That mail address and password do not belong together")
    renewed = _hash(password) if HASHER.check_needs_rehash(hashed) else hashed
    with writing() as current:
        # Only if nothing changed meanwhile: the password may just have been replaced.
        account = current.scalars(
            select(Account).filter_by(id=account_id, password_hash=hashed, disabled_at=None)
        ).one_or_none()
        if account is None:
            raise Refused("password", "That mail address and password do not belong together")
        account.password_hash = renewed
        throttle.forget_tries(current, "sign-in account", email)
        throttle.forget_old_tries(current)
        current.execute(delete(SignIn).where(SignIn.ends_at < clock.now() - _KEEP_ENDED))
        token = _begin_sign_in(current, account)
        _record(current, _as_actor(account), "account.sign_in", email, after={"from": address})
    return token, account


def sign_out(token: str, *, actor: Actor) -> None:
    """End one browser's sign-in; nothing happens where it has ended already."""
    with writing() as current:
        found = find_sign_in(current, token)
        if found is None:
            return
        found.ends_at = clock.now()
        _record(current, actor, "account.sign_out", found.account.email)


def sign_out_everywhere(account_id: int, *, actor: Actor) -> None:
    """End all sign-ins of an account."""
    with writing() as current:
        account = _account(current, account_id)
        _end_sign_ins(current, account.id)
        _record(current, actor, "account.sign_out_everywhere", account.email)


def rename(account_id: int, *, name: str, actor: Actor) -> None:
    """Change the name that an account acts under."""
    name = _read_name(name)
    with writing() as current:
        account = _account(current, account_id)
        if account.name == name:
            return
        before, account.name = account.name, name
        _record(current, actor, "account.rename", account.email, {"name": before}, {"name": name})


def change_password(account_id: int, *, present: str, new: str, address: str, actor: Actor) -> str:
    """Replace a password by its owner; ends every sign-in and returns a fresh token for this one.

    Raises :class:`Throttled` and :class:`Refused` as :func:`sign_in` does.
    """
    account = _account(session(), account_id)
    email, hashed = account.email, account.password_hash
    _count_try(email, address)
    if not _matches(hashed, present):
        raise Refused("present", "This is not your present password")
    new_hash = _hash(read_password(new, email=email, field="new"))
    with writing() as current:
        account = _account(current, account_id)
        if account.password_hash != hashed:
            raise Refused("present", "Your password has just been changed elsewhere")
        account.password_hash = new_hash
        throttle.forget_tries(current, "sign-in account", email)
        _end_sign_ins(current, account.id)
        token = _begin_sign_in(current, account)
        _record(current, actor, "account.change_password", email)
    return token


def invite(email: str, *, actor: Actor) -> tuple[Invitation, str]:
    """Invite somebody, or an account's owner to a new password; returns the link's token too.

    An older invitation to the same address stops working.  The token is not kept: whoever calls
    shows or sends it now.
    """
    email, token = read_address(email), secrets.token_urlsafe(32)
    with writing() as current:
        _withdraw_open(current, email)
        invitation = Invitation(
            email=email,
            token_hash=_digest(token),
            expires_at=clock.now() + INVITATION_LASTS,
            invited_by_id=actor.account_id,
        )
        current.add(invitation)
        _record(current, actor, "account.invite", email)
    return invitation, token


def withdraw_invitation(invitation_id: int, *, actor: Actor) -> None:
    """Make an open invitation's link stop working."""
    with writing() as current:
        invitation = current.get(Invitation, invitation_id)
        if invitation is None or invitation.accepted_at or invitation.withdrawn_at:
            return
        invitation.withdrawn_at = clock.now()
        _record(current, actor, "account.withdraw_invitation", invitation.email)


def accept_invitation(token: str, *, name: str, password: str) -> Account:
    """Make the invited account, or give the one that is there its new name and password.

    An account that was disabled is enabled again: its invitation said so.  Raises
    :class:`Refused`; for field ``token`` where the link does not work (any more).
    """
    invitation = find_invitation(session(), token)
    if invitation is None:
        raise Refused("token", "This link does not work any more; ask for a new one")
    email, name = invitation.email, _read_name(name)
    hashed = _hash(read_password(password, email=email))
    with writing() as current:
        used = current.scalars(
            update(Invitation)
            .where(Invitation.token_hash == _digest(token), *_open_invitation())
            .values(accepted_at=clock.now())
            .returning(Invitation.id)
        ).all()
        if not used:
            raise Refused("token", "This link does not work any more; ask for a new one")
        account = current.scalars(select(Account).filter_by(email=email)).one_or_none()
        if account is None:
            account = Account(email=email, contact_id=_contact_id(current, email))
            current.add(account)
        account.name, account.password_hash, account.disabled_at = name, hashed, None
        current.flush()
        _end_sign_ins(current, account.id)
        _record(current, _as_actor(account), "account.accept_invitation", email)
    return account


def disable(account_id: int, *, actor: Actor) -> None:
    """Keep somebody out, at once; :class:`Refused` for the last account that can sign in."""
    with writing() as current:
        # Locked in one order, so that two people cannot disable each other and leave nobody.
        active = current.scalars(_active().order_by(Account.id).with_for_update()).all()
        account = next((one for one in active if one.id == account_id), None)
        if account is None:
            return
        if len(active) == 1:
            raise Refused("account", "This is the last account that can sign in")
        account.disabled_at = clock.now()
        _end_sign_ins(current, account.id)
        _withdraw_open(current, account.email)
        _record(current, actor, "account.disable", account.email)


def enable(account_id: int, *, actor: Actor) -> None:
    """Let somebody in again, with the password they had."""
    with writing() as current:
        account = _account(current, account_id)
        if account.disabled_at is None:
            return
        account.disabled_at = None
        _record(current, actor, "account.enable", account.email)


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


def _withdraw_open(current: Session, email: str) -> None:
    current.execute(
        update(Invitation)
        .where(Invitation.email == email, *_open_invitation())
        .values(withdrawn_at=clock.now())
    )


def _account(current: Session, account_id: int) -> Account:
    return current.get_one(Account, account_id)


def _contact_id(current: Session, email: str) -> int | None:
    """The contact with that address, so that an account and its person find each other."""
    return current.scalar(
        select(Contact.id)
        .where(func.lower(Contact.email) == email, Contact.removed_at.is_(None))
        .limit(1)
    )


def _as_actor(account: Account) -> Actor:
    return Actor(account.name, account.id)


def _record(
    current: Session,
    actor: Actor,
    action: str,
    email: str,
    before: dict[str, str] | None = None,
    after: dict[str, str] | None = None,
) -> None:
    audit.record(
        current,
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
        raise Refused("name", "Enter a name")
    if len(name) > 200:
        raise Refused("name", "Use at most 200 characters")
    return name


def _begin_sign_in(current: Session, account: Account) -> str:
    token = secrets.token_urlsafe(32)
    current.add(
        SignIn(
            account_id=account.id,
            token_hash=_digest(token),
            ends_at=clock.now() + SIGN_IN_LASTS,
        )
    )
    return token


def _end_sign_ins(current: Session, account_id: int) -> None:
    moment = clock.now()
    current.execute(
        update(SignIn)
        .where(SignIn.account_id == account_id, SignIn.ends_at > moment)
        .values(ends_at=moment)
    )


def _count_try(email: str, address: str) -> None:
    """Count before looking at the password, so that many tries at once are counted too."""
    with writing() as current:
        waits = [
            throttle.count_try(current, what, whose, limit=limit, window=TRY_WINDOW)
            for what, whose, limit in (
                ("sign-in address", throttle.network(address), TRIES_BY_ADDRESS),
                ("sign-in account", email, TRIES_BY_ACCOUNT),
            )
        ]
    longest = max((wait for wait in waits if wait is not None), default=None)
    if longest is not None:
        log.warning("sign-in is throttled, from %s", address)
        raise Throttled(longest)


def _random_password() -> str:
    """Five groups of four letters and digits that are not mistaken for one another: 99 bits."""
    alphabet = "abcdefghijkmnpqrstuvwxyz23456789"
    groups = ("".join(secrets.choice(alphabet) for _ in range(4)) for _ in range(5))
    return "-".join(groups)


def _digest(token: str) -> str:
    return sha256(token.encode()).hexdigest()


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
