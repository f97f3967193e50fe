"""What monthly reports hold uptime against, and whether maintenance counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation

from sqlalchemy import select
from sqlalchemy.orm import Session

from statuspage.access.audit import Actor
from statuspage.access.permissions import Permission, needs
from statuspage.configuration.editing import record
from statuspage.core.conflict import check_unchanged, fingerprint
from statuspage.core.db import writing
from statuspage.core.errors import Invalid
from statuspage.models import Page
from statuspage.models.page import the_page


@dataclass(frozen=True, slots=True)
class ReportSettings:
    """The targets in percent by the codes of components and groups, as they are typed."""

    targets: Mapping[str, str] = field(default_factory=dict)
    excludes_maintenance: bool = True


def report_settings(session: Session) -> ReportSettings:
    """The settings as they are saved."""
    page = the_page(session)
    return ReportSettings(**page.report_settings) if page else ReportSettings()


@needs(Permission.SETTINGS)
def change_report_settings(settings: ReportSettings, *, actor: Actor, seen: str | None) -> None:
    """Change the settings; raises :class:`Invalid` with the code of a target that is none, and
    :class:`~statuspage.core.conflict.Conflict` with the settings that are saved by now.
    """
    wanted = ReportSettings(
        {code: _percent(code, text) for code, text in sorted(settings.targets.items()) if text},
        settings.excludes_maintenance,
    )
    with writing() as session:
        page = session.scalars(select(Page).order_by(Page.id).limit(1).with_for_update()).one()
        before = report_settings(session)
        if wanted == before:
            return
        check_unchanged(seen, fingerprint(before), before)
        page.report_settings = _plain(wanted)
        record(
            session, actor, "page.report_settings", page.name,
            before=_plain(before), after=_plain(wanted),
        )  # fmt: skip


def _plain(settings: ReportSettings) -> dict[str, object]:
    return {
        "targets": dict(settings.targets),
        "excludes_maintenance": settings.excludes_maintenance,
    }


def _percent(code: str, text: str) -> str:
    try:
        value = Decimal(text.strip().removesuffix("%").strip().replace(",", "."))
    except InvalidOperation:
        value = Decimal(-1)
    if not value.is_finite() or not 0 < value <= 100:
        raise Invalid(code, "Enter a percentage up to 100, like 99.9")
    return f"{value.normalize():f}"
