"""Mail to the owners of accounts: a link to choose a password, and notice of what happened to them.

A link goes to its owner's mailbox and nowhere else: it is made of the delivery's id when the mail
is sent (:func:`~statuspage.core.links.account_token`), so neither the database nor the admin holds
it.
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy.orm import Session

from statuspage.access.accounts import FIRST_ACCOUNT
from statuspage.core import clock
from statuspage.core.db import insert_new
from statuspage.core.enums import AccountRole, Audience, Channel, DeliveryState, Step
from statuspage.core.links import current_links
from statuspage.core.paths import COMMAND
from statuspage.delivery.queue import page_zone
from statuspage.messages.compose import Text, finish_for_account
from statuspage.messages.incident_facts import sign_up_facts
from statuspage.models import Delivery, Message, Page
from statuspage.models.delivery import LANE_URGENT
from statuspage.recipients.suppression import barring_reason

NOTICE_AGE = timedelta(days=3)


def barred_because(session: Session, address: str) -> str | None:
    """Why no mail reaches an account's address: it bounced, say; None where mail does."""
    if address == FIRST_ACCOUNT:
        return "nobody reads email there"
    return barring_reason(session, address)


def queue_invitation(session: Session, address: str, *, by: str, lasts: timedelta) -> int:
    """Queue the link by which an invited person makes their account; the delivery's id."""
    body = (
        f"{by} invites you to sign in to the admin of the {_service(session)} status page.\n\n"
        f"Choose a password here. The link works once, until {_shown(session, lasts)}. "
        "If you do not expect this, do nothing."
    )
    text = Text(f"You are invited to the {_service(session)} status page", body)
    return _queue(session, address, text, has_link=True, lasts=lasts, why="Invited to sign in")


def queue_password_link(session: Session, address: str, *, by: str, lasts: timedelta) -> int:
    """Queue the link by which an account's owner chooses a new password; the delivery's id."""
    body = (
        f"{by} asked for a new password for your account {address} on the admin of the "
        f"{_service(session)} status page.\n\n"
        f"Choose it here. The link works once, until {_shown(session, lasts)}; your "
        "current password works until then. If you did not want this, do not open the "
        "link, and ask "
        f"{by} why."
    )
    text = Text("Choose a new password", body)
    return _queue(
        session, address, text, has_link=True, lasts=lasts, why="The owner of the account"
    )


def queue_change_notice(session: Session, address: str, *, how: str) -> None:
    """Queue notice to an account's owner that its password was changed, and ``how``."""
    body = (
        f"The password of your account {address} on the admin of the {_service(session)} status "
        f"page was changed {_shown(session, timedelta())}: {how}. Every browser was signed out.\n\n"
        "If that was not you, tell whoever runs the status page at once; on its machine "
        f"{COMMAND} reset-password {address} takes the account back."
    )
    text = Text("Your password was changed", body)
    _queue_notice(session, address, text)


def queue_disabled_notice(session: Session, address: str, *, by: str) -> None:
    """Queue notice to an account's owner that it can no longer sign in, and who did that."""
    body = (
        f"{by} disabled your account {address} on the admin of the {_service(session)} status "
        f"page {_shown(session, timedelta())}. If you do not know why, ask {by}, or tell whoever "
        "runs the status page."
    )
    text = Text("Your account was disabled", body)
    _queue_notice(session, address, text)


def queue_factor_notice(session: Session, address: str, *, what: str) -> None:
    """Queue notice to an account's owner that its second factor ``was set up``, say."""
    body = (
        f"The second factor of your account {address} on the admin of the {_service(session)} "
        f"status page {what} {_shown(session, timedelta())}.\n\n"
        "If that was not you, ask an admin at once to disable the account; on the machine of the "
        f"service, flask --app app reset-password {address} takes it back."
    )
    _queue_notice(session, address, Text("Your second factor was changed", body))


def queue_sign_in_notice(session: Session, email: str, *, browser: str, address: str) -> None:
    """Queue notice to an account's owner of a sign-in from a browser that was new."""
    body = (
        f"A browser that was new signed in to your account {email} on the admin of the "
        f"{_service(session)} status page {_shown(session, timedelta())}: {browser}, from "
        f"{address}.\n\n"
        "If that was you, you don’t need to do anything. If it wasn’t, change your password at "
        "once: that signs every other browser out. Then tell an admin."
    )
    _queue_notice(session, email, Text("New sign-in to your account", body))


def queue_role_notice(session: Session, address: str, *, role: AccountRole, by: str) -> None:
    """Queue notice to an account's owner that somebody gave it another role."""
    body = (
        f"{by} changed the role of your account {address} on the admin of the {_service(session)} "
        f"status page to {role.label} {_shown(session, timedelta())}. Every browser was signed "
        "out: sign in again to go on."
    )
    _queue_notice(session, address, Text(f"Your role is {role.label} now", body))


def _queue_notice(session: Session, address: str, text: Text) -> None:
    if address != FIRST_ACCOUNT:
        why = "The owner of the account"
        _queue(session, address, text, has_link=False, lasts=NOTICE_AGE, why=why)


def _queue(
    session: Session, address: str, text: Text, *, has_link: bool, lasts: timedelta, why: str
) -> int:
    page = _page(session)
    mail = finish_for_account(
        text, facts=sign_up_facts(page, links=current_links()), has_link=has_link
    )
    message = Message(
        step=Step.ACCOUNT,
        audience=Audience.INTERNAL,
        subject=mail.subject,
        body=mail.body,
        text=mail.text,
        html=mail.html,
    )
    session.add(message)
    session.flush()
    barred, moment = barred_because(session, address), clock.now()
    row = insert_new(session, Delivery).values(
        message_id=message.id,
        step_key=f"account:{message.id}",
        channel=Channel.EMAIL,
        address=address,
        email=address,
        name="",
        time_zone=page_zone(),
        why=why,
        state=DeliveryState.PENDING if barred is None else DeliveryState.SUPPRESSED,
        reason=barred or "",
        lane=LANE_URGENT,
        attempts=0,
        due_at=moment,
        expires_at=moment + lasts,
        provider_id="",
        queued_at=moment,
        changed_at=moment,
    )
    return int(session.execute(row.returning(Delivery.id)).scalar_one())


def _page(session: Session) -> Page:
    return session.get(Page, 1) or Page(id=1, name="Status", time_zone="UTC")


def _service(session: Session) -> str:
    return _page(session).name


def _shown(session: Session, ahead: timedelta) -> str:
    return clock.show(clock.now() + ahead, _page(session).zone)
