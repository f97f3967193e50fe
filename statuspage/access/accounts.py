"""Accounts: who may sign in, and under which name they act.

Passwords are in :mod:`.passwords`, sign-ins in :mod:`.sign_ins`. Verbs that mail an account's owner
are in :mod:`statuspage.delivery.invitations` and :mod:`statuspage.delivery.account_changes`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session
from sqlalchemy.orm.util import identity_key

from statuspage.access import audit, passwords, permissions
from statuspage.access.audit import COMMAND_LINE, Actor
from statuspage.access.permissions import Permission, needs
from statuspage.core import address as addresses
from statuspage.core import clock
from statuspage.core.db import writing
from statuspage.core.enums import AccountRole
from statuspage.core.errors import Invalid
from statuspage.core.languages import OFFERED
from statuspage.core.richtext import clean_line
from statuspage.models import Account

FIRST_ACCOUNT = "admin@example.com"
"""What the first account signs in as; nothing is ever mailed there, and it invites real people."""


def read_address(text: str) -> str:
    """The mail address as accounts keep it, normalised; :class:`Invalid` where it is none."""
    try:
        return addresses.read_address(text).identity
    except ValueError:
        raise Invalid("email", "Enter an email address, like name@example.com") from None


def read_name(text: str) -> str:
    """The name that an account acts under; :class:`Invalid` where it is none or too long."""
    name = clean_line(text)
    if not name:
        raise Invalid("name", "Enter a name")
    if len(name) > 200:
        raise Invalid("name", "Use at most 200 characters")
    return name


def any_account(session: Session) -> bool:
    """Whether anybody can sign in at all."""
    return session.scalar(active_accounts().limit(1)) is not None


def all_accounts(session: Session) -> list[Account]:
    """All accounts, active ones first, by name."""
    return list(
        session.scalars(
            select(Account).order_by(
                Account.disabled_at.is_not(None), func.lower(Account.name), Account.id
            )
        )
    )


def by_email(session: Session, email: str) -> Account | None:
    """The account of a normalised address, disabled or not."""
    return session.scalars(select(Account).filter_by(email=email)).one_or_none()


def names_of(session: Session, ids: Iterable[int | None]) -> dict[int, str]:
    """The names of these accounts, by id; None and what is no account's are left out.

    An account that the session holds, as whoever is signed in, is not asked for again.
    """
    wanted = {one for one in ids if one is not None}
    held = (session.identity_map.get(identity_key(Account, one)) for one in wanted)
    names = {one.id: one.name for one in held if one is not None}
    if wanted.issubset(names):
        return names
    rows = session.execute(select(Account.id, Account.name).where(Account.id.in_(wanted)))
    return {row[0]: row[1] for row in rows}


def active_accounts() -> Select[Account]:
    """The accounts that can sign in."""
    return select(Account).where(Account.disabled_at.is_(None))


def create_first(email: str, *, name: str = "Administrator") -> tuple[str, str]:
    """Make the first account; returns its address and a random password, shown nowhere again.

    :class:`Invalid` where there is an account already.
    """
    email, password = read_address(email), passwords.random_password()
    hashed = passwords.hash_password(password)
    with writing() as session:
        if session.scalar(select(Account.id).limit(1)) is not None:
            raise Invalid("email", "An account already exists; it can invite others")
        session.add(
            Account(
                email=email,
                name=clean_line(name),
                role=AccountRole.ADMIN,
                password_hash=hashed,
                password_is_temporary=True,
            )
        )
        record(session, COMMAND_LINE, "account.create", email)
    return email, password


@needs(Permission.OWN_ACCOUNT)
def rename(account_id: int, *, name: str, actor: Actor) -> None:
    """Change the name that an account acts under; another's only by who manages people."""
    if account_id != actor.account_id:
        permissions.require(actor, Permission.PEOPLE)
    name = read_name(name)
    with writing() as session:
        account = session.get_one(Account, account_id)
        if account.name == name:
            return
        before, account.name = account.name, name
        record(session, actor, "account.rename", account.email, {"name": before}, {"name": name})


@needs(Permission.OWN_ACCOUNT)
def change_times(*, time_zone: str | None, date_language: str, actor: Actor) -> None:
    """Change the zone and the language that one's own times are shown in; None is the page's zone.

    Raises :class:`Invalid` for a zone or a language that there is not.
    """
    if time_zone is not None:
        _require_zone(time_zone)
    if date_language not in {language.code for language in OFFERED}:
        raise Invalid("date_language", "Pick one from the list")
    with writing() as session:
        account = session.get_one(Account, actor.account_id)
        before = {"time_zone": account.time_zone, "date_language": account.date_language}
        after = {"time_zone": time_zone, "date_language": date_language}
        if before == after:
            return
        account.time_zone, account.date_language = time_zone, date_language
        record(session, actor, "account.change_times", account.email, before, after)


def _require_zone(name: str) -> None:
    try:
        clock.read_zone(name)
    except ValueError as error:
        raise Invalid("time_zone", str(error)) from None


@needs(Permission.PEOPLE)
def enable(account_id: int, *, actor: Actor) -> None:
    """Let somebody in again, with the password they had."""
    with writing() as session:
        account = session.get_one(Account, account_id)
        if account.disabled_at is None:
            return
        account.disabled_at = None
        record(session, actor, "account.enable", account.email)


def as_actor(account: Account) -> Actor:
    """An account as the audit trail names it."""
    return Actor(account.name, account.id, permissions.of_role(account.role))


def record(
    session: Session,
    actor: Actor,
    action: str,
    email: str,
    before: Mapping[str, str | None] | None = None,
    after: Mapping[str, str | None] | None = None,
) -> None:
    """Write what was done to the account with that address into the audit trail."""
    audit.record(
        session, actor, action, subject_kind="account", subject=email, before=before, after=after
    )
