"""Subscribers: who asked on the page, what they are notified of, and the state of each."""

from __future__ import annotations

from typing import Final

from flask import request
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from statuspage.admin.auth import actor
from statuspage.admin.base import admin, done, download, page
from statuspage.admin.marked_texts import _
from statuspage.core.db import current_session
from statuspage.core.enums import SubscriberState
from statuspage.core.richtext import clean_line
from statuspage.models import Component, Delivery, Incident, Subscriber
from statuspage.recipients import suppression
from statuspage.recipients.subscribers import (
    count_by_state,
    export_subscribers,
    remove_subscriber,
    search_subscribers,
)

LATEST: Final = 10


@admin.get("/subscribers")
def subscribers() -> ResponseReturnValue:
    """The subscribers, by address, page by page."""
    text, asked = _asked("text"), _asked("state")
    state = SubscriberState(asked) if asked in set(SubscriberState) else None
    suppressed = asked == "suppressed"
    session = current_session()
    found = search_subscribers(
        session,
        text=text,
        state=state,
        suppressed=suppressed,
        after=_asked("after"),
        before=_asked("before"),
    )
    addresses = [one.address for one in found.subscribers]
    counts = count_by_state(session)
    return page(
        "admin/subscribers.html",
        found=found,
        counts=counts,
        total=sum(counts.values()),
        suppressions=suppression.suppressions_among(session, addresses),
        names=_component_names(),
        text=text,
        state=asked if state is not None or suppressed else "",
        asked={"text": text or None, "state": asked or None},
    )


@admin.get("/subscribers/<int:subscriber_id>")
def subscriber(subscriber_id: int) -> ResponseReturnValue:
    """One of them: what they are notified of, and what was sent."""
    session = current_session()
    found = session.get_one(Subscriber, subscriber_id)
    latest = select(Delivery).where(Delivery.address == found.address)
    ids = [link.incident_id for link in found.followed]
    followed = select(Incident).where(Incident.id.in_(ids)).order_by(Incident.id)
    return page(
        "admin/subscriber.html",
        subscriber=found,
        names=_component_names(),
        followed=session.scalars(followed).all(),
        suppression=suppression.suppression_of(session, found.address),
        latest=session.scalars(latest.order_by(Delivery.id.desc()).limit(LATEST)).all(),
    )


@admin.post("/subscribers/<int:subscriber_id>/remove")
def forget_subscriber(subscriber_id: int) -> ResponseReturnValue:
    """Forget one."""
    current_session().get_one(Subscriber, subscriber_id)
    remove_subscriber(subscriber_id, actor=actor())
    return done(
        _("The subscriber was removed; the record of sent emails stays."), "admin.subscribers"
    )


@admin.post("/subscribers/<int:subscriber_id>/write-again")
def write_to_subscriber_again(subscriber_id: int) -> ResponseReturnValue:
    """Lift what keeps mail from one."""
    found = current_session().get_one(Subscriber, subscriber_id)
    email = found.email
    suppression.write_again(found.address, actor=actor())
    return done(
        _("%(email)s was resubscribed.", email=email),
        "admin.subscriber",
        subscriber_id=subscriber_id,
    )


@admin.get("/subscribers.csv")
def export_all_subscribers() -> ResponseReturnValue:
    """All of them as CSV, streamed."""
    return download("subscribers.csv", lambda: export_subscribers(current_session()))


def _asked(name: str) -> str:
    """A part of the query, without what no database can hold."""
    return clean_line(request.args.get(name, ""))[:320]


def _component_names() -> dict[int, str]:
    rows = current_session().execute(select(Component.id, Component.name))
    return {row.id: row.name for row in rows}
