"""Problems that people report: colleagues on a form of the admin, visitors on the public page.

What a colleague reports becomes a suggestion, as an alert does, of a source of its own whose key is
the secret in the link to the form.  What visitors report is only counted, and suggests nothing.
Neither publishes anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from statuspage.access import api_keys, visitor_limits
from statuspage.access.api_keys import KeyHolder
from statuspage.access.audit import Actor
from statuspage.access.permissions import Permission, needs, open_to_everybody
from statuspage.configuration import severity
from statuspage.core import clock
from statuspage.core.db import count_written, current_session, writing
from statuspage.core.errors import Invalid
from statuspage.core.richtext import clean_line
from statuspage.intake.alert_mapping import MOST_TEXT, PEOPLE, IncomingAlert
from statuspage.intake.alert_sources import as_actor, built_in_source, source_of_key
from statuspage.intake.suggestions import KEPT_FOR, take_alerts
from statuspage.models import AlertSource, Component, VisitorReport
from statuspage.models.columns import LINE_LIMIT, TITLE_LIMIT
from statuspage.models.page import the_page

SOURCE_NAME: Final = "Colleagues"
REPORT: Final = "report"
WINDOW: Final = timedelta(hours=1)
FEW: Final = 5
"""So many reports of visitors about one component within :data:`WINDOW` are not shown yet."""
NEWEST: Final = 3


@dataclass(frozen=True, slots=True)
class ProblemReport:
    """What a colleague has noticed; ``severity_rank`` is what they think it is."""

    title: str
    component_id: int | None = None
    severity_rank: int | None = None
    since: datetime | None = None
    impact: str = ""
    details: str = ""
    reporter: str = ""


@dataclass(frozen=True, slots=True)
class VisitorCount:
    """How many visitors reported a problem with a component lately, and the newest of their
    words.
    """

    component: Component | None
    count: int
    newest: Sequence[str]


@needs(Permission.READ)
def report_problem(report: ProblemReport, *, form_key: str, actor: Actor) -> None:
    """Have what a signed-in colleague noticed become a suggestion; sent twice it is one."""
    source = built_in_source(PEOPLE, SOURCE_NAME)
    _take(source, report, form_key=form_key, address=actor.address)


@open_to_everybody
def report_by_link(
    holder: KeyHolder, report: ProblemReport, *, form_key: str, address: str
) -> None:
    """The same by the link that holds the key of the source; ``LookupError`` for another key."""
    source = source_of_key(current_session(), holder.key_id)
    if source is None or source.tool != PEOPLE:
        raise LookupError("no such link")
    _take(source, report, form_key=form_key, address=address)


def holder_of_link(token: str, *, address: str) -> KeyHolder | None:
    """Who holds the secret of a link to the form; None where it opens none.

    Raises :class:`~statuspage.access.api_keys.KeyThrottled`.
    """
    holder = api_keys.use_key(token, address=address)
    source = source_of_key(current_session(), holder.key_id) if holder else None
    return holder if source is not None and source.tool == PEOPLE else None


@open_to_everybody
def report_as_visitor(text: str, component_code: str, *, client: str) -> None:
    """Count what a visitor reports; raises :class:`Invalid`, and
    :class:`~statuspage.access.visitor_limits.TooManyVisitors` as often as for sign-ups.
    """
    session = current_session()
    page = the_page(session)
    if page is None or not page.takes_reports:
        raise LookupError("no reports are taken")
    line = clean_line(text)[:LINE_LIMIT]
    if not line:
        raise Invalid("text", "Say what doesn’t work.")
    component = None
    if component_code:
        chosen = select(Component).filter_by(code=component_code, removed_at=None)
        component = session.scalars(chosen).one_or_none()
        if component is None:
            raise Invalid("component", "This component no longer exists.")
    visitor_limits.count_visitor(REPORT, client)
    with writing() as session:
        component_id = component.id if component else None
        session.add(VisitorReport(component_id=component_id, text=line, reported_at=clock.now()))


def visitor_counts(session: Session) -> list[VisitorCount]:
    """The components that more than a few visitors reported lately, the most reported first; none
    where the page takes no reports.
    """
    page = the_page(session)
    if page is None or not page.takes_reports:
        return []
    recent = VisitorReport.reported_at > clock.now() - WINDOW
    rows = session.execute(
        select(VisitorReport.component_id, func.count().label("count"))
        .where(recent)
        .group_by(VisitorReport.component_id)
        .having(func.count() > FEW)
        .order_by(func.count().desc(), VisitorReport.component_id)
    ).all()
    found = []
    for component_id, count in rows:
        chosen = select(VisitorReport.text).where(
            recent, VisitorReport.component_id.is_not_distinct_from(component_id)
        )
        newest = session.scalars(chosen.order_by(VisitorReport.id.desc()).limit(NEWEST)).all()
        component = session.get(Component, component_id) if component_id else None
        found.append(VisitorCount(component, count, newest))
    return found


def forget_old_reports() -> int:
    """Drop what visitors reported long ago; how many.  The worker's duty."""
    visitor_limits.clear_old_alarm(REPORT)
    with writing() as session:
        old = VisitorReport.reported_at < clock.now() - KEPT_FOR
        return count_written(session, delete(VisitorReport).where(old))


def _take(source: AlertSource, report: ProblemReport, *, form_key: str, address: str) -> None:
    session = current_session()
    component = session.get(Component, report.component_id) if report.component_id else None
    level = severity.level_of(session, report.severity_rank)
    labels = {"component": component.code if component else "", "reported by": report.reporter}
    if level is not None:
        labels["severity"] = level.name
    moment = clock.now()
    alert = IncomingAlert(
        fingerprint=_digest(form_key),
        # Of one component there is one suggestion, however many report it.
        group=_digest(f"component {component.id}" if component else form_key),
        title=report.title[:TITLE_LIMIT],
        fires=True,
        started_at=min(report.since or moment, moment),
        ended_at=None,
        text="\n\n".join(filter(None, (report.impact, report.details)))[:MOST_TEXT],
        url="",
        labels={name: value for name, value in labels.items() if value},
    )
    take_alerts(source.id, [alert], actor=as_actor(source, address=address))


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()
