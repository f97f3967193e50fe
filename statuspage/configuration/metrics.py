"""Metrics: which numbers the page draws.  What comes in of them is in :mod:`statuspage.intake`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Final

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session, joinedload

from statuspage.access.audit import Actor
from statuspage.access.permissions import Permission, needs
from statuspage.configuration.editing import MetricDetails, change_row, record
from statuspage.configuration.public_names import let_texts_pass
from statuspage.core import clock
from statuspage.core.db import writing
from statuspage.core.errors import Invalid
from statuspage.models import Component, Metric, MetricBucket, revision

MOST_METRICS: Final = 50
MOST_DECIMALS: Final = 6


def metrics(session: Session) -> list[Metric]:
    """All metrics, by name."""
    return list(
        session.scalars(
            select(Metric)
            .options(joinedload(Metric.component))
            .order_by(func.lower(Metric.name), Metric.id)
        )
    )


@needs(Permission.COMPONENTS)
def add_metric(details: MetricDetails, *, actor: Actor, because: str = "") -> Metric:
    """Add a metric; :class:`Invalid` for one that is there, or a name that would leak."""
    with writing() as session:
        if len(metrics(session)) >= MOST_METRICS:
            raise Invalid("name", f"Use at most {MOST_METRICS} metrics")
        _check(session, details, None)
        metric = Metric(**asdict(details))
        _let_pass(session, details, None, because=because, actor=actor)
        session.add(metric)
        session.flush()
        record(session, actor, "metric.add", metric.name, after=asdict(details))
        revision.bump(session)
    return metric


@needs(Permission.COMPONENTS)
def change_metric(
    metric_id: int,
    details: MetricDetails,
    *,
    actor: Actor,
    seen: str | None = None,
    because: str = "",
) -> None:
    """Change a metric; its numbers stay.  Raises as :func:`add_metric` does."""
    with writing() as session:
        metric = session.get_one(Metric, metric_id, with_for_update=True)
        _check(session, details, metric)
        _let_pass(session, details, metric, because=because, actor=actor)
        asked = metric.query
        if change_row(session, metric, details, actor=actor, action="metric.change", seen=seen):
            metric.updated_at = clock.now()
            if metric.query != asked:
                metric.failure = ""
            revision.bump(session)


@needs(Permission.COMPONENTS)
def clear_metric(metric_id: int, *, actor: Actor) -> None:
    """Delete the numbers of a metric, for good."""
    with writing() as session:
        metric = session.get_one(Metric, metric_id, with_for_update=True)
        session.execute(delete(MetricBucket).where(MetricBucket.metric_id == metric_id))
        metric.series, metric.newest_at, metric.updated_at = "", None, clock.now()
        record(session, actor, "metric.clear", metric.name)
        revision.bump(session)


@needs(Permission.COMPONENTS)
def remove_metric(metric_id: int, *, actor: Actor) -> None:
    """Delete a metric with its numbers, for good."""
    with writing() as session:
        metric = session.get_one(Metric, metric_id, with_for_update=True)
        session.execute(delete(MetricBucket).where(MetricBucket.metric_id == metric_id))
        record(session, actor, "metric.remove", metric.name)
        session.delete(metric)
        revision.bump(session)


def _check(session: Session, details: MetricDetails, saved: Metric | None) -> None:
    if details.component_id is not None:
        component = session.get(Component, details.component_id)
        if component is None or component.removed_at is not None:
            raise Invalid("component_id", "That component has just been removed; pick another")
    for other in metrics(session):
        is_same = other.component_id == details.component_id
        if is_same and other is not saved and other.name.casefold() == details.name.casefold():
            raise Invalid("name", "A metric with that name already exists")


def _let_pass(
    session: Session, details: MetricDetails, saved: Metric | None, *, because: str, actor: Actor
) -> None:
    """Check what of the public words is new."""
    texts = [("name", details.name), ("unit", details.unit)]
    fresh = [each for each in texts if saved is None or getattr(saved, each[0]) != each[1]]
    found = let_texts_pass(session, fresh, reason=because)
    if found:
        after = {"reason": because, "findings": found}
        record(session, actor, "metric.override", details.name, after=after)
