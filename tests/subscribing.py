"""Subscribers for tests: through the verbs as a visitor would, or put there confirmed."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select

from statuspage.core import clock
from statuspage.core.config import current_settings
from statuspage.core.db import current_session, writing
from statuspage.core.enums import Audience, Step, SubscriberState
from statuspage.core.links import subscription_token
from statuspage.delivery import subscribe
from statuspage.models import Delivery, FollowedIncident, Message, Subscriber, SubscriberComponent
from statuspage.recipients.subscribers import SubscriptionPreferences

SAM = "sam@example.com"
CLIENT = "192.0.2.1"


def ask(
    email: str = SAM, preferences: SubscriptionPreferences | None = None, *, client: str = CLIENT
) -> None:
    """What a visitor does on the page."""
    subscribe.subscribe(email, preferences or SubscriptionPreferences(), client=client)


def sign_up_mails(address: str = SAM) -> list[tuple[Delivery, Message]]:
    """The mails about its own subscription that were queued to an address, oldest first."""
    current_session().rollback()
    rows = current_session().execute(
        select(Delivery, Message)
        .join(Message, Message.id == Delivery.message_id)
        .where(
            Delivery.address == address,
            Message.audience == Audience.SUBSCRIBER,
            Message.step.in_((Step.CONFIRM, Step.SUBSCRIBED)),
        )
        .order_by(Delivery.id)
    )
    return [(row[0], row[1]) for row in rows]


def newest_link(address: str = SAM) -> str:
    """The token that the newest of them carries."""
    delivery, _ = sign_up_mails(address)[-1]
    return subscription_token(current_settings().secret_key, delivery.id)


def join(email: str = SAM, preferences: SubscriptionPreferences | None = None) -> str:
    """Subscribe and confirm; the token of the link that did."""
    ask(email, preferences)
    token = newest_link(email)
    subscribe.confirm(token)
    return token


def add_subscriber(
    email: str = SAM,
    *,
    components: Iterable[int] = (),
    follows: Iterable[int] = (),
    **columns: object,
) -> None:
    """A subscriber who confirmed long ago."""
    named = [SubscriberComponent(component_id=id_) for id_ in components]
    with writing() as session:
        session.add(
            Subscriber(
                **{
                    "email": email,
                    "address": email.lower(),
                    "state": SubscriberState.CONFIRMED,
                    "confirmed_at": clock.now(),
                    "all_components": not named,
                    "components": named,
                    "followed": [FollowedIncident(incident_id=id_) for id_ in follows],
                    **columns,
                }
            )
        )


def subscriber(address: str = SAM) -> Subscriber:
    """The row of an address, as it is stored now."""
    current_session().rollback()
    current_session().expire_all()
    return current_session().scalars(select(Subscriber).filter_by(address=address)).one()
