"""The page: its settings, one row."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from statuspage.core import clock
from statuspage.core.db import Base, read_once
from statuspage.models.columns import Code, Facts, Key, Line, Name, Prose

USUAL_CAUSES = """Software defect
Deployment
Configuration
Capacity
Infrastructure
Network
Third party
Data
Security
Human error"""


class Page(Base):
    """The one page of this installation: a single row."""

    __tablename__ = "pages"

    id: Mapped[Key]
    code: Mapped[Code]
    name: Mapped[Name]
    about: Mapped[Prose]
    time_zone: Mapped[str] = mapped_column(String(64), default="UTC")
    language: Mapped[str] = mapped_column(String(16), default="en")
    scheme: Mapped[str] = mapped_column(String(32), default="sev")
    # The closing checklists that were edited, by scheme: an item a line.
    closing_lists: Mapped[Facts] = mapped_column(default=dict)
    support_email: Mapped[Line]
    support_url: Mapped[Line]
    sign_off: Mapped[Line]
    incident_channel: Mapped[Line]
    # "No change yet" is emailed to subscribers at most once in so many minutes; 0 for no limit.
    no_change_email_minutes: Mapped[int] = mapped_column(default=60)
    # What causes of incidents are sorted by, for colleagues: a line each.
    cause_categories: Mapped[Prose] = mapped_column(
        default=USUAL_CAUSES, server_default=USUAL_CAUSES
    )
    # By which ranges incidents are numbered, a line each.
    ticket_numbers: Mapped[Prose] = mapped_column(server_default="")
    look: Mapped[Facts] = mapped_column(default=dict)
    # What the company keeps inside: {"people": [...], "vendors": [...], "code_names": [...]}.
    blocked_terms: Mapped[Facts] = mapped_column("own_words", default=dict)
    # What monthly reports hold uptime against: see statuspage.configuration.report_settings.
    report_settings: Mapped[Facts] = mapped_column(default=dict)
    # Whether visitors are offered a form that reports a problem.
    takes_reports: Mapped[bool] = mapped_column(default=False)
    set_up_at: Mapped[datetime | None]
    # When somebody hid what is left to do after set-up.
    checklist_dismissed_at: Mapped[datetime | None]
    is_demo: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    updated_at: Mapped[datetime] = mapped_column(default=clock.now)

    @property
    def zone(self) -> ZoneInfo:
        """The page's zone."""
        return clock.read_zone(self.time_zone)


def the_page(session: Session) -> Page | None:
    """The one page; None before anybody has set it up."""
    first = select(Page).order_by(Page.id).limit(1)
    return read_once(session, "page", lambda: session.scalars(first).one_or_none())
