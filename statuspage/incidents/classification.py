"""Tags of an incident and the category of its cause: colleagues find and count incidents by them.

They are internal: no text is made from them, nobody is notified of them, and a change of them is no
change of the incident that whoever writes an update meanwhile would have to read.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from statuspage.access import audit
from statuspage.access.audit import Actor
from statuspage.access.permissions import Permission, needs
from statuspage.configuration.page_settings import cause_categories
from statuspage.core.db import writing
from statuspage.core.enums import Kind
from statuspage.core.errors import Invalid
from statuspage.core.richtext import clean_line
from statuspage.incidents.apply_update import locked
from statuspage.models import Incident, IncidentTag
from statuspage.models.incident import TAG_LIMIT
from statuspage.models.page import the_page

MOST_TAGS: Final = 20


def as_tag(word: str) -> str:
    """A word as tags are kept: in small letters, with hyphens for spaces and without a ``#``."""
    plain = unicodedata.normalize("NFKC", clean_line(word)).lower().lstrip("#")
    return re.sub(r"[\s_-]+", "-", plain).strip("-")


def known_tags(session: Session) -> set[str]:
    """Every tag in use."""
    return set(session.scalars(select(IncidentTag.tag).distinct()))


def frequent_tags(session: Session, most: int) -> list[str]:
    """The tags given lately, the most frequent first."""
    # Counting all of a long history would slow down the screen that they are proposed on.
    lately = select(IncidentTag.tag).order_by(IncidentTag.id.desc()).limit(1000).subquery()
    chosen = select(lately.c.tag).group_by(lately.c.tag)
    return list(session.scalars(chosen.order_by(func.count().desc(), lately.c.tag).limit(most)))


@needs(Permission.DRAFT)
def classify(code: str, tags: Iterable[str], cause_category: str, *, actor: Actor) -> Incident:
    """Give an incident these tags in the place of those it had, and its cause a category.

    Raises :class:`Invalid`, and ``NoResultFound`` where there is no such incident.
    """
    wanted = sorted({tag for word in tags if (tag := as_tag(word))})
    if len(wanted) > MOST_TAGS:
        raise Invalid("tags", f"Use at most {MOST_TAGS} tags.")
    for tag in wanted:
        if len(tag) > TAG_LIMIT:
            raise Invalid("tags", f"“{tag[:20]}…” is longer than {TAG_LIMIT} characters.")
    with writing() as session:
        incident = locked(session, code, kind=Kind.INCIDENT)
        known = cause_categories(the_page(session))
        if cause_category not in {"", incident.cause_category, *known}:
            raise Invalid("cause_category", "Pick one from the list.")
        before = {"tags": incident.tags, "cause category": incident.cause_category}
        after = {"tags": wanted, "cause category": cause_category}
        if before == after:
            return incident
        kept = {one.tag: one for one in incident.tagged}
        incident.tagged = [kept.get(tag) or IncidentTag(tag=tag) for tag in wanted]
        # Not by the row, whose version would tell its editors of a change.
        changed = update(Incident).where(Incident.id == incident.id)
        session.execute(
            changed.values(cause_category=cause_category),
            execution_options={"synchronize_session": False},
        )
        audit.record(
            session, actor, "incident.classify", subject_kind="incident", subject=code,
            before=before, after=after,
        )  # fmt: skip
        session.flush()
        session.refresh(incident, ["tagged", "cause_category"])
        return incident
