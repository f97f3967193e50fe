"""Subscriptions: asked for on the page, confirmed by mail, changed by the link in a mail.

Nobody is written to because somebody else typed an address.  A subscription counts once a link has
been used that only its mailbox was sent, and everybody who asks gets the same answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from statuspage.access import audit, visitor_limits
from statuspage.access.audit import Actor
from statuspage.access.permissions import Permission, needs, open_to_everybody
from statuspage.core import clock
from statuspage.core.address import Address
from statuspage.core.config import current_settings
from statuspage.core.db import count_written, current_session, insert_new, writing
from statuspage.core.enums import Audience, Impact, Step, SubscribedUpdates, SubscriberState
from statuspage.core.languages import nearest
from statuspage.core.links import current_links, read_subscription_token, subscription_token
from statuspage.delivery.subscriber_queue import queue_sign_up, sign_ups
from statuspage.delivery.unsubscribe import (
    RECIPIENT,
    UNSUBSCRIBED,
    find_mail,
    known_mail,
    resubscribe,
    suppressed_as,
    unsubscribe,
)
from statuspage.messages.compose import compose, finish
from statuspage.messages.incident_facts import sign_up_facts
from statuspage.models import Incident, Message, Page, Subscriber
from statuspage.models.columns import hash_token
from statuspage.recipients import suppression
from statuspage.recipients.customers import check_email
from statuspage.recipients.subscribers import (
    SubscriptionPreferences,
    apply_preferences,
    check_preferences,
    describe,
    preferences_of,
)

LINK_LASTS = timedelta(hours=48)
UNCONFIRMED_KEPT = timedelta(days=7)
# Addresses are forgotten by the age of their message, so it must not be much older than they are.
SHARED_FOR = timedelta(days=1)

# Against sign-up bombing.  The count of mails to one address begins again when it confirms; it is
# taken over as long as a person who overlooked three of them may wait before trying again.
MAILS_A_DAY = 1
MAILS_UNTIL_CONFIRMED = 3
COUNTED_OVER = timedelta(days=90)
SIGN_UP = "sign-up"

EVERYTHING = SubscriptionPreferences()


class Scenario(StrEnum):
    """What a subscription's link leads to."""

    TO_CONFIRM = "to_confirm"
    CONFIRMED = "confirmed"
    UNSUBSCRIBED = "left"
    OVER = "over"  # used up, too old, replaced by a newer one, or forgotten


@dataclass(frozen=True, slots=True)
class Subscription:
    """What somebody sees who opens their link.

    ``suppressed`` as in :class:`~statuspage.delivery.unsubscribe.AddressState`.
    """

    scenario: Scenario
    email: str = ""
    preferences: SubscriptionPreferences = EVERYTHING
    suppressed: str = ""


def subscribe(email: str, preferences: SubscriptionPreferences, *, client: str) -> None:
    """Write to the owner of an address, who may then confirm, or change what is confirmed already.

    Whoever asks learns nothing: what the address is to us decides only which mail it gets, and none
    where it got one in the last day, or three that nobody answered.  ``client`` is the address of
    who asks.  Raises :class:`~statuspage.core.errors.Invalid` for what is no address or no wish,
    and :class:`~statuspage.access.visitor_limits.TooManyVisitors`.
    """
    address = check_email(email)
    check_preferences(current_session(), preferences)
    visitor_limits.count_visitor(SIGN_UP, client)
    with writing() as session:
        _ask_to_confirm(session, address, preferences)


@needs(Permission.SUBSCRIBERS)
def invite_subscriber(
    email: str, preferences: SubscriptionPreferences, *, actor: Actor
) -> Subscriber:
    """Ask the owner of an address, for a tool of the company's own, to confirm a subscription.

    As :func:`subscribe` does, and with its limits for one address.  A confirmed subscriber stays as
    they are.  Raises :class:`~statuspage.core.errors.Invalid`.
    """
    address = check_email(email)
    check_preferences(current_session(), preferences)
    with writing() as session:
        subscriber = _ask_to_confirm(session, address, preferences)
        audit.record(
            session, actor, "subscriber.invite", subject_kind="subscriber",
            subject=subscriber.address, after=describe(subscriber),
        )  # fmt: skip
        return subscriber


def _ask_to_confirm(
    session: Session, address: Address, preferences: SubscriptionPreferences
) -> Subscriber:
    subscriber = _locked(session, address)
    sent = sign_ups(session, address.identity)
    step = Step.SUBSCRIBED if _is_subscribed(session, subscriber) else Step.CONFIRM
    # Made before it is known whether it is sent, so that the time it takes gives nothing away.
    message = _sign_up_message(session, step, preferences)
    if not _may_write(sent, subscriber):
        return subscriber
    if step is Step.CONFIRM:
        subscriber.email, subscriber.asked_at = address.email, clock.now()
        subscriber.state = SubscriberState.PENDING
        apply_preferences(subscriber, preferences)
    delivery_id = queue_sign_up(
        session,
        message,
        subscriber,
        number=len(sent) + 1,
        lasts=LINK_LASTS,
    )
    if step is Step.CONFIRM:
        token = subscription_token(current_settings().secret_key, delivery_id)
        subscriber.token_hash = hash_token(token)
        subscriber.token_expires_at = clock.now() + LINK_LASTS
    return subscriber


def find_subscription(session: Session, token: str) -> Subscription | None:
    """What a link leads to; None for one that we did not make."""
    address = _address_of(session, token)
    if address is None:
        return None
    subscriber = _by_address(session, address)
    if subscriber is None:
        return Subscription(Scenario.OVER)
    return Subscription(
        _scenario(session, subscriber, token),
        subscriber.email,
        preferences_of(subscriber),
        suppressed_as(session, address),
    )


@open_to_everybody
def confirm(token: str) -> Subscription:
    """Begin to write to the address that was sent this link; the link confirms once.

    Raises ``LookupError`` for a link that we did not make; one that confirms no more changes
    nothing.
    """
    with writing() as session:
        subscriber = _owner(session, token)
        if subscriber is None or _scenario(session, subscriber, token) is not Scenario.TO_CONFIRM:
            return _known(session, token)
        subscriber.state = SubscriberState.CONFIRMED
        subscriber.confirmed_at, subscriber.left_at = clock.now(), None
        subscriber.token_hash = subscriber.token_expires_at = None
        if suppressed_as(session, subscriber.address) == UNSUBSCRIBED:
            suppression.lift(session, subscriber.address)
        _note(session, "subscriber.confirm", subscriber, after=describe(subscriber))
        return _known(session, token)


@open_to_everybody
def change(token: str, preferences: SubscriptionPreferences) -> Subscription:
    """Change what a confirmed subscriber is notified of.

    Raises :class:`~statuspage.core.errors.Invalid`, and ``LookupError`` as :func:`confirm` does.
    """
    with writing() as session:
        check_preferences(session, preferences)
        subscriber = _owner(session, token)
        if subscriber is None or _scenario(session, subscriber, token) is not Scenario.CONFIRMED:
            return _known(session, token)
        if preferences != preferences_of(subscriber):
            before = describe(subscriber)
            apply_preferences(subscriber, preferences)
            _note(
                session, "subscriber.change", subscriber, before=before, after=describe(subscriber)
            )
        return _known(session, token)


def unsubscribe_by_link(token: str) -> Subscription:
    """Send nothing more to the owner of a link, as :func:`unsubscribe` does."""
    unsubscribe(_delivery_of(current_session(), token))
    return _known(current_session(), token)


def resubscribe_by_link(token: str) -> Subscription:
    """Take back that the owner of a link left, as :func:`resubscribe` does."""
    resubscribe(_delivery_of(current_session(), token))
    return _known(current_session(), token)


def forget_unconfirmed() -> int:
    """Forget whoever asked and did not confirm for a week; how many.  The worker's duty."""
    visitor_limits.clear_old_alarm(SIGN_UP)
    with writing() as session:
        return count_written(
            session,
            delete(Subscriber)
            .where(
                Subscriber.state == SubscriberState.PENDING,
                Subscriber.asked_at < clock.now() - UNCONFIRMED_KEPT,
            )
            .execution_options(synchronize_session=False),
        )


def _locked(session: Session, address: Address) -> Subscriber:
    """The address's row, made where there is none, and kept from others until the end."""
    session.execute(
        insert_new(session, Subscriber)
        .values(
            email=address.email, address=address.identity, state=SubscriberState.PENDING,
            language="en", all_components=True, incidents=True, maintenance=True,
            updates=SubscribedUpdates.EVERY, least_impact=Impact.NONE, asked_at=clock.now(),
        )
        .on_conflict_do_nothing()
    )  # fmt: skip
    return session.scalars(
        select(Subscriber).filter_by(address=address.identity).with_for_update()
    ).one()


def _may_write(sent: list[datetime], subscriber: Subscriber) -> bool:
    moment = clock.now()
    counts_from = max(moment - COUNTED_OVER, subscriber.confirmed_at or clock.EPOCH)
    today = [at for at in sent if at > moment - timedelta(days=1)]
    unanswered = [at for at in sent if at > counts_from]
    return len(today) < MAILS_A_DAY and len(unanswered) < MAILS_UNTIL_CONFIRMED


def _is_subscribed(session: Session, subscriber: Subscriber) -> bool:
    confirmed = subscriber.state is SubscriberState.CONFIRMED
    return confirmed and suppressed_as(session, subscriber.address) != UNSUBSCRIBED


def _sign_up_message(session: Session, step: Step, preferences: SubscriptionPreferences) -> Message:
    """The mail to send, shared by all who get the same that day; no visitor typed a word of it."""
    page = session.get_one(Page, 1)
    incident = session.get(Incident, min(preferences.follows)) if preferences.follows else None
    facts = sign_up_facts(page, links=current_links(), incident=incident)
    language = nearest(preferences.language, default=page.language)
    text = compose(session, facts, audience=Audience.SUBSCRIBER, step=step, language=language)
    made = finish(
        text,
        audience=Audience.SUBSCRIBER,
        step=step,
        facts=facts,
        language=language,
        own=page.language,
    )
    same = select(Message).filter_by(
        incident_id=None, audience=Audience.SUBSCRIBER, step=step, language=language,
        subject=made.subject,
        text=made.text, html=made.html,
    ).where(Message.created_at > clock.now() - SHARED_FOR)  # fmt: skip
    earlier = session.scalars(same.order_by(Message.id.desc()).limit(1)).one_or_none()
    if earlier is not None:
        return earlier
    message = Message(
        step=step, audience=Audience.SUBSCRIBER, language=language, subject=made.subject,
        body=made.body, text=made.text, html=made.html,
    )  # fmt: skip
    session.add(message)
    session.flush()
    return message


def _scenario(session: Session, subscriber: Subscriber, token: str) -> Scenario:
    if subscriber.state is SubscriberState.PENDING:
        expires = subscriber.token_expires_at or clock.EPOCH
        is_newest = subscriber.token_hash == hash_token(token)
        return Scenario.TO_CONFIRM if is_newest and clock.now() < expires else Scenario.OVER
    return Scenario.CONFIRMED if _is_subscribed(session, subscriber) else Scenario.UNSUBSCRIBED


def _delivery_of(session: Session, token: str) -> int:
    """The mail that a link came in; ``LookupError`` for a link that we did not make."""
    delivery_id = read_subscription_token(current_settings().secret_key, token)
    if delivery_id is None or find_mail(session, delivery_id) is None:
        raise LookupError("no such link")
    return delivery_id


def _address_of(session: Session, token: str) -> str | None:
    try:
        return known_mail(session, _delivery_of(session, token)).address
    except LookupError:
        return None


def _by_address(session: Session, address: str, *, lock: bool = False) -> Subscriber | None:
    chosen = select(Subscriber).filter_by(address=address)
    if lock:
        chosen = chosen.with_for_update().execution_options(populate_existing=True)
    return session.scalars(chosen).one_or_none()


def _owner(session: Session, token: str) -> Subscriber | None:
    """Whose link it is, locked; ``LookupError`` for a link that we did not make."""
    address = known_mail(session, _delivery_of(session, token)).address
    return _by_address(session, address, lock=True)


def _known(session: Session, token: str) -> Subscription:
    session.flush()
    found = find_subscription(session, token)
    if found is None:
        raise LookupError("no such link")
    return found


def _note(
    session: Session,
    action: str,
    subscriber: Subscriber,
    *,
    before: dict[str, object] | None = None,
    after: dict[str, object] | None = None,
) -> None:
    audit.record(
        session, RECIPIENT, action, subject_kind="subscriber", subject=subscriber.address,
        before=before, after=after,
    )  # fmt: skip
