"""Subscribers over v1: those of the page, and those who follow one incident."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import Response, request
from flask.typing import ResponseReturnValue
from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session, selectinload

from statuspage.api import callers, v1_objects
from statuspage.api.v1_requests import (
    MissingRecord,
    answer,
    page_number,
    per_page,
    route,
    sent_object,
)
from statuspage.api.v1_values import read_codes, read_flag, read_line
from statuspage.core.db import current_session
from statuspage.core.enums import KeyScope, SubscriberState
from statuspage.core.errors import Invalid
from statuspage.delivery.subscribe import invite_subscriber
from statuspage.models import FollowedIncident, Incident, Subscriber
from statuspage.public import queries
from statuspage.recipients import subscribers as verbs
from statuspage.recipients.subscribers import SubscriptionPreferences

_STATES = {
    "active": SubscriberState.CONFIRMED,
    "unconfirmed": SubscriberState.PENDING,
    "unsubscribed": SubscriberState.UNSUBSCRIBED,
}
_OTHER_MODES = ("sms", "webhook", "slack", "teams", "integration_partner")


def _listed(*conditions: ColumnElement[bool]) -> ResponseReturnValue:
    session = current_session()
    size = per_page()
    rows = session.scalars(
        select(Subscriber)
        .where(*conditions)
        .options(selectinload(Subscriber.components))
        .order_by(Subscriber.id)
        .offset((page_number() - 1) * size)
        .limit(size)
    ).all()
    if request.args.get("type", "email") != "email":
        rows = []
    return answer(_objects(session, list(rows)))


@route("/subscribers", "GET", KeyScope.SUBSCRIBERS)
def list_subscribers() -> ResponseReturnValue:
    """Subscribers, the oldest first; ``state`` and ``q`` narrow them."""
    state = request.args.get("state", "active")
    conditions: list[ColumnElement[bool]] = []
    if state != "all":
        if state not in _STATES:
            raise Invalid("state", f"Send one of: {', '.join([*_STATES, 'all'])}")
        conditions.append(Subscriber.state == _STATES[state])
    if text := request.args.get("q", "").strip()[:200]:
        conditions.append(Subscriber.email.icontains(text, autoescape=True))
    return _listed(*conditions)


@route("/subscribers/unsubscribed", "GET", KeyScope.SUBSCRIBERS)
def list_unsubscribed() -> ResponseReturnValue:
    """Those who unsubscribed."""
    return _listed(Subscriber.state == SubscriberState.UNSUBSCRIBED)


@route("/subscribers/count", "GET", KeyScope.SUBSCRIBERS)
def count_subscribers() -> ResponseReturnValue:
    """How many there are, by how they are reached."""
    counted = verbs.count_by_state(current_session())
    state = _STATES.get(request.args.get("state", "active"))
    number = sum(counted.values()) if state is None else counted[state]
    return answer({"email": number, **dict.fromkeys(_OTHER_MODES, 0)})


@route("/subscribers/histogram_by_state", "GET", KeyScope.SUBSCRIBERS)
def count_by_state() -> ResponseReturnValue:
    """How many there are, by how they are reached and their state."""
    counted = verbs.count_by_state(current_session())
    states = {
        "active": counted[SubscriberState.CONFIRMED],
        "unconfirmed": counted[SubscriberState.PENDING],
        "quarantined": 0,
        "total": counted[SubscriberState.CONFIRMED] + counted[SubscriberState.PENDING],
    }
    return answer({"email": states, **dict.fromkeys(_OTHER_MODES, dict.fromkeys(states, 0))})


@route("/subscribers/<id:subscriber_id>", "GET", KeyScope.SUBSCRIBERS)
def get_subscriber(subscriber_id: str) -> ResponseReturnValue:
    """One subscriber."""
    return answer(_objects(current_session(), [_subscriber(subscriber_id)])[0])


@route("/subscribers", "POST", KeyScope.SUBSCRIBERS)
def create_subscriber() -> ResponseReturnValue:
    """Have the owner of an address asked to confirm a subscription."""
    return _invite(SubscriptionPreferences())


@route("/subscribers/<id:subscriber_id>", "DELETE", KeyScope.SUBSCRIBERS)
def remove_subscriber(subscriber_id: str) -> ResponseReturnValue:
    """Forget a subscriber; what was sent to them stays on record."""
    found = _subscriber(subscriber_id)
    shown = _objects(current_session(), [found])[0]
    verbs.remove_subscriber(found.id, actor=callers.caller().actor)
    return answer(shown)


@route("/incidents/<id:code>/subscribers", "GET", KeyScope.SUBSCRIBERS)
def list_followers(code: str) -> ResponseReturnValue:
    """Those who follow one incident."""
    incident = _incident(code)
    following = select(FollowedIncident.subscriber_id).filter_by(incident_id=incident.id)
    confirmed = Subscriber.state == SubscriberState.CONFIRMED
    return _listed(Subscriber.id.in_(following), confirmed)


@route("/incidents/<id:code>/subscribers", "POST", KeyScope.SUBSCRIBERS)
def create_follower(code: str) -> ResponseReturnValue:
    """Have the owner of an address asked to confirm that they follow one incident."""
    follows = frozenset({_incident(code).id})
    return _invite(SubscriptionPreferences(incidents=False, maintenance=False, follows=follows))


@route("/incidents/<id:code>/subscribers/<id:subscriber_id>", "GET", KeyScope.SUBSCRIBERS)
def get_follower(code: str, subscriber_id: str) -> ResponseReturnValue:
    """One of those who follow an incident."""
    return answer(_objects(current_session(), [_follower(code, subscriber_id)])[0])


def _invite(preferences: SubscriptionPreferences) -> Response:
    session, sent = current_session(), sent_object("subscriber")
    for name in ("endpoint", "phone_number", "page_access_user"):
        if sent.get(name):
            raise Invalid(name, "Only subscribers by email can be added.")
    if read_flag(sent, "skip_confirmation_notification", default=False):
        raise Invalid(
            "skip_confirmation_notification", "Nobody is subscribed who has not confirmed it."
        )
    email = read_line(sent, "email")
    if email is None:
        raise Invalid("email", "Send an email address")
    codes = read_codes(sent, "component_ids")
    if codes is not None:
        known = {code: key for key, code in v1_objects.component_codes(session).items()}
        for code in codes:
            if code not in known:
                raise Invalid("component_ids", f"There is no component “{code[:40]}”")
        preferences = replace(preferences, components=frozenset(known[code] for code in codes))
    made = invite_subscriber(email, preferences, actor=callers.caller().actor)
    return answer(_objects(current_session(), [made])[0], 201)


def _objects(session: Session, rows: list[Subscriber]) -> list[dict[str, Any]]:
    codes, zone = v1_objects.component_codes(session), queries.read_site(session).zone
    return [v1_objects.subscriber_object(row, codes, zone) for row in rows]


def _subscriber(subscriber_id: str) -> Subscriber:
    is_id = subscriber_id.isascii() and subscriber_id.isdigit() and len(subscriber_id) < 10
    found = current_session().get(Subscriber, int(subscriber_id)) if is_id else None
    if found is None:
        raise MissingRecord("subscriber")
    return found


def _follower(code: str, subscriber_id: str) -> Subscriber:
    incident, found = _incident(code), _subscriber(subscriber_id)
    if all(link.incident_id != incident.id for link in found.followed):
        raise MissingRecord("subscriber")
    return found


def _incident(code: str) -> Incident:
    found = v1_objects.public_incident(current_session(), code)
    if found is None:
        raise MissingRecord("incident")
    return found
