"""The second factor: codes from an authenticator app (TOTP, RFC 6238), and recovery codes.

A code holds for its half minute and for the ones beside it, because clocks differ, and is taken
once: the step of the last one is kept.  The shared secret is kept encrypted under SECRET_KEY.  A
recovery code stands for a lost phone; ten are made at once, shown once, and kept as hashes.
"""

from __future__ import annotations

import hmac
from datetime import datetime, timedelta
from typing import Final

import pyotp
from cryptography.fernet import Fernet, InvalidToken
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from statuspage.access import accounts, passwords
from statuspage.access.audit import Actor
from statuspage.access.permissions import Permission, needs
from statuspage.core import clock
from statuspage.core.config import current_settings
from statuspage.core.db import count_written, writing
from statuspage.core.enums import AccountRole
from statuspage.core.errors import Invalid
from statuspage.core.keyed_hash import cipher
from statuspage.models import Account, Passkey, RecoveryCode
from statuspage.models.columns import hash_token

RECOVERY_CODES: Final = 10

_STEP_SECONDS: Final = 30
# Clocks of phones are off by seconds: RFC 6238, 5.2, advises one step.
_STEPS_AROUND: Final = (0, -1, 1)
# 120 bits: from 112 on a plain hash keeps them (NIST SP 800-63B-4, 3.1.2.2).
_GROUPS: Final = 6


def has_second_factor(account: Account) -> bool:
    """Whether the password alone opens nothing: a code or a passkey is needed as well."""
    return account.totp_since is not None or account.has_passkey


def is_required(role: AccountRole) -> bool:
    """Whether the settings ask for a second factor from everybody of that role."""
    return role in current_settings().require_second_factor


def codes_left(session: Session, account_id: int) -> int:
    """How many recovery codes can still be used."""
    unused = RecoveryCode.used_at.is_(None)
    counted = select(func.count()).where(RecoveryCode.account_id == account_id, unused)
    return session.scalar(counted) or 0


@needs(Permission.OWN_ACCOUNT)
def propose_secret(*, actor: Actor) -> str:
    """A new secret for the actor's authenticator app; nothing counts until a code proves it."""
    secret = pyotp.random_base32()
    with writing() as session:
        account = _own(session, actor)
        if account.totp_since is not None:
            raise Invalid("code", "An authenticator app is set up already")
        account.totp_secret = _cipher().encrypt(secret.encode()).decode()
    return secret


def proposed_secret(account: Account) -> str:
    """The secret that waits for its first code; empty where none does."""
    return _secret(account) if account.totp_secret and account.totp_since is None else ""


def provisioning_address(account: Account, secret: str, *, service: str) -> str:
    """What an authenticator app reads from a picture: an ``otpauth://`` address."""
    return pyotp.TOTP(secret).provisioning_uri(name=account.email, issuer_name=service)


def confirm(session: Session, account: Account, code: str) -> list[str]:
    """Have the proposed secret count from now on, within the caller's transaction.

    Returns the recovery codes; none where a passkey has them already.  Raises :class:`Invalid` for
    a wrong code.
    """
    if account.totp_since is not None or not account.totp_secret:
        raise Invalid("code", "Begin again: this page was too old")
    if not _takes_code(account, code):
        raise Invalid("code", "This is not the code that the app shows now")
    account.totp_since = clock.now()
    return [] if account.has_passkey else renew_codes(session, account)


def renew_codes(session: Session, account: Account) -> list[str]:
    """Ten new recovery codes in the place of all others, within the caller's transaction."""
    session.execute(delete(RecoveryCode).where(RecoveryCode.account_id == account.id))
    codes = [passwords.random_password(_GROUPS) for _ in range(RECOVERY_CODES)]
    session.add_all(
        RecoveryCode(account_id=account.id, code_hash=hash_token(_plain(code))) for code in codes
    )
    return codes


def clear(session: Session, account: Account) -> None:
    """Take all of an account's factors but the password away, in the caller's transaction."""
    session.execute(delete(Passkey).where(Passkey.account_id == account.id))
    session.expire(account, ["has_passkey"])
    remove_app(session, account)


def remove_app(session: Session, account: Account) -> None:
    """Take an account's app away, within the caller's transaction; see :func:`drop_codes`."""
    account.totp_secret, account.totp_since, account.totp_step = None, None, 0
    drop_codes(session, account)


def drop_codes(session: Session, account: Account) -> None:
    """Forget the recovery codes where nothing is left that they stand for."""
    if not has_second_factor(account):
        session.execute(delete(RecoveryCode).where(RecoveryCode.account_id == account.id))


def take_code(session: Session, account: Account, code: str) -> bool:
    """Whether a code of the app, or a recovery code, is right; it is used up then.

    Within the caller's transaction, in which the account is locked.
    """
    if _takes_code(account, code):
        return True
    used = (
        update(RecoveryCode)
        .where(
            RecoveryCode.account_id == account.id,
            RecoveryCode.code_hash == hash_token(_plain(code)),
            RecoveryCode.used_at.is_(None),
        )
        .values(used_at=clock.now())
    )
    if count_written(session, used) != 1:
        return False
    accounts.record(session, accounts.as_actor(account), "account.recovery_code", account.email)
    return True


def _takes_code(account: Account, code: str) -> bool:
    """Whether that is a code of a step after the last one that was taken."""
    secret, now = _secret(account), clock.now()
    given = "".join(code.split())
    if not secret or not given.isascii():
        return False
    for around in _STEPS_AROUND:
        moment = now + timedelta(seconds=around * _STEP_SECONDS)
        expected = pyotp.TOTP(secret).at(moment)
        if hmac.compare_digest(expected, given) and _step(moment) > account.totp_step:
            account.totp_step = _step(moment)
            return True
    return False


def _step(moment: datetime) -> int:
    return int(moment.timestamp()) // _STEP_SECONDS


def _secret(account: Account) -> str:
    """The shared secret; empty where there is none, or another SECRET_KEY hid it."""
    try:
        return _cipher().decrypt((account.totp_secret or "").encode()).decode()
    except InvalidToken:
        return ""


def _cipher() -> Fernet:
    return cipher("second factor")


def _plain(code: str) -> str:
    return "".join(code.split()).replace("-", "").lower()


def _own(session: Session, actor: Actor) -> Account:
    return session.get_one(Account, actor.account_id, with_for_update=True)
