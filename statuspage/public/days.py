"""Days and months as a zone has them."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


def day_of(moment: datetime, zone: ZoneInfo) -> date:
    """The day on which a moment falls in ``zone``."""
    return moment.astimezone(zone).date()


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """When a day begins in ``zone``, in UTC."""
    return datetime.combine(day, time(), tzinfo=zone).astimezone(UTC)


def month_of(moment: datetime | None, zone: ZoneInfo) -> date | None:
    """The first day of the month in which a moment falls in ``zone``."""
    return day_of(moment, zone).replace(day=1) if moment else None


def following_month(month: date) -> date:
    """The first day of the month after."""
    return (month.replace(day=28) + timedelta(days=4)).replace(day=1)
