"""Subscribers: what somebody may ask to be notified of, and the list of who asked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session, selectinload

from statuspage.access import audit
from statuspage.access.audit import Actor
from statuspage.access.permissions import Permission, needs
from statuspage.core import clock
from statuspage.core.db import writing
from statuspage.core.enums import Impact, SubscribedUpdates, SubscriberState, Visibility
from statuspage.core.errors import Invalid
from statuspage.core.languages import N_
from statuspage.models import (
    Component,
    FollowedIncident,
    Incident,
    Subscriber,
    SubscriberComponent,
)
from statuspage.recipients import suppression
from statuspage.recipients.customer_csv_rows import component_labels, csv_lines
from statuspage.recipients.customers import check_language, check_zone, page_by_address

PAGE_SIZE = 50
COLUMNS = (
    "email", "state", "components", "incidents", "least_impact", "maintenance", "follows",
    "language", "time_zone", "asked_at", "confirmed_at", "left_at",
)  # fmt: skip
_CHUNK = 1_000


@dataclass(frozen=True, slots=True)
class SubscriptionPreferences:
    """What somebody wants to be notified of; no components means all of them.

    Of incidents they are sent the ``updates`` of that kind, from ``least_impact`` on.  ``follows``
    are incidents (ids) of which every update is wanted, whatever the rest says.
    """

    incidents: bool = True
    maintenance: bool = True
    updates: SubscribedUpdates = SubscribedUpdates.EVERY
    least_impact: Impact = Impact.NONE
    components: frozenset[int] = frozenset()
    follows: frozenset[int] = frozenset()
    language: str = "en"
    time_zone: str | None = None


@dataclass(frozen=True, slots=True)
class SubscriberPage:
    """One page of a search, by address.

    ``before`` and ``after`` are the addresses that the pages next to it begin from; None where
    there is no such page.
    """

    subscribers: Sequence[Subscriber]
    before: str | None
    after: str | None


def check_preferences(session: Session, preferences: SubscriptionPreferences) -> None:
    """Raise :class:`Invalid` for what cannot be wished for."""
    if not (preferences.incidents or preferences.maintenance or preferences.follows):
        raise Invalid("kinds", N_("Choose incidents, maintenance or both."))
    check_language(preferences.language)
    check_zone(preferences.time_zone or "")
    there = select(func.count(Component.id)).where(Component.id.in_(preferences.components))
    if preferences.components and session.scalar(there) != len(preferences.components):
        raise Invalid("components", N_("One of these components no longer exists."))
    shown = select(func.count(Incident.id)).where(
        Incident.id.in_(preferences.follows), Incident.visibility == Visibility.PUBLIC
    )
    if preferences.follows and session.scalar(shown) != len(preferences.follows):
        raise Invalid("follows", N_("You can no longer subscribe to this incident."))


def apply_preferences(subscriber: Subscriber, preferences: SubscriptionPreferences) -> None:
    """Notify a subscriber of what was asked for, and of nothing else."""
    subscriber.incidents, subscriber.maintenance = preferences.incidents, preferences.maintenance
    subscriber.updates = preferences.updates
    subscriber.least_impact = preferences.least_impact
    subscriber.all_components = not preferences.components
    subscriber.language, subscriber.time_zone = preferences.language, preferences.time_zone
    _set_components(subscriber, preferences.components)
    _set_followed(subscriber, preferences.follows)


def preferences_of(subscriber: Subscriber) -> SubscriptionPreferences:
    """What a subscriber is notified of."""
    return SubscriptionPreferences(
        incidents=subscriber.incidents,
        maintenance=subscriber.maintenance,
        updates=subscriber.updates,
        least_impact=subscriber.least_impact,
        components=frozenset(link.component_id for link in subscriber.components),
        follows=frozenset(link.incident_id for link in subscriber.followed),
        language=subscriber.language,
        time_zone=subscriber.time_zone,
    )


def search_subscribers(
    session: Session,
    *,
    text: str = "",
    state: SubscriberState | None = None,
    suppressed: bool = False,
    after: str = "",
    before: str = "",
    page_size: int = PAGE_SIZE,
) -> SubscriberPage:
    """Subscribers in whose address ``text`` occurs, by address.

    ``suppressed`` keeps those whose address nothing is sent to.  The page begins ``after`` a
    normalised address or ends ``before`` one, so the last page costs as little as the first.
    """
    found = select(Subscriber)
    if text.strip():
        known = Subscriber.email + "\n" + Subscriber.address
        found = found.where(known.icontains(text.strip(), autoescape=True))
    if state is not None:
        found = found.where(Subscriber.state == state)
    if suppressed:
        found = found.where(Subscriber.address.in_(suppression.suppressed_addresses()))
    found = found.options(selectinload(Subscriber.components), selectinload(Subscriber.followed))
    return SubscriberPage(
        *page_by_address(
            session, found, Subscriber.address, after=after, before=before, page_size=page_size
        )
    )


def count_by_state(session: Session) -> dict[SubscriberState, int]:
    """How many subscribers there are in each state."""
    rows = session.execute(select(Subscriber.state, func.count()).group_by(Subscriber.state))
    counted = {row[0]: row[1] for row in rows}
    return {state: counted.get(state, 0) for state in SubscriberState}


@needs(Permission.SUBSCRIBERS)
def remove_subscriber(subscriber_id: int, *, actor: Actor) -> None:
    """Forget a subscriber; what was sent to them stays on record.

    Raises ``LookupError`` where there is no subscriber with that id.
    """
    with writing() as session:
        subscriber = session.get(Subscriber, subscriber_id)
        if subscriber is None:
            raise LookupError(f"no subscriber {subscriber_id}")
        audit.record(
            session,
            actor,
            "subscriber.remove",
            subject_kind="subscriber",
            subject=subscriber.address,
            before=describe(subscriber),
        )
        session.execute(delete(Subscriber).where(Subscriber.id == subscriber_id))


def export_subscribers(session: Session) -> Iterator[str]:
    """The lines of a CSV file with every subscriber, by address; no cell can run as a formula."""
    return csv_lines(_exported(session))


def _exported(session: Session) -> Iterator[Sequence[str]]:
    labels = component_labels(session)
    yield COLUMNS
    after: str | None = ""
    while after is not None:
        page = search_subscribers(session, after=after, page_size=_CHUNK)
        codes = _codes(session, page.subscribers)
        for one in page.subscribers:
            yield _cells(one, labels, codes)
        session.expunge_all()
        after = page.after


def describe(subscriber: Subscriber) -> dict[str, Any]:
    """A subscriber's values for the audit trail."""
    return {
        "email": subscriber.email,
        "state": subscriber.state,
        "incidents": subscriber.incidents,
        "maintenance": subscriber.maintenance,
        "updates": subscriber.updates,
        "least_impact": subscriber.least_impact,
        "components": sorted(link.component_id for link in subscriber.components),
        "follows": sorted(link.incident_id for link in subscriber.followed),
        "language": subscriber.language,
        "time_zone": subscriber.time_zone,
    }


def _cells(one: Subscriber, labels: dict[int, str], codes: dict[int, str]) -> list[str]:
    moments = (one.asked_at, one.confirmed_at, one.left_at)
    return [
        one.email,
        one.state.value,
        "; ".join(sorted(labels.get(link.component_id, "?") for link in one.components)),
        one.updates.label if one.incidents else "",
        one.least_impact.value if one.incidents else "",
        "yes" if one.maintenance else "",
        "; ".join(codes[link.incident_id] for link in one.followed),
        one.language,
        one.time_zone or "",
        *(clock.as_utc(at).isoformat(timespec="seconds") if at else "" for at in moments),
    ]


def _codes(session: Session, subscribers: Iterable[Subscriber]) -> dict[int, str]:
    ids = {link.incident_id for one in subscribers for link in one.followed}
    rows = session.execute(select(Incident.id, Incident.code).where(Incident.id.in_(ids)))
    return {row.id: row.code for row in rows}


def _set_components(subscriber: Subscriber, wanted: frozenset[int]) -> None:
    unchanged = [link for link in subscriber.components if link.component_id in wanted]
    new = wanted - {link.component_id for link in unchanged}
    subscriber.components = [
        *unchanged,
        *(SubscriberComponent(component_id=id_) for id_ in sorted(new)),
    ]


def _set_followed(subscriber: Subscriber, wanted: frozenset[int]) -> None:
    unchanged = [link for link in subscriber.followed if link.incident_id in wanted]
    new = wanted - {link.incident_id for link in unchanged}
    subscriber.followed = [*unchanged, *(FollowedIncident(incident_id=id_) for id_ in sorted(new))]
