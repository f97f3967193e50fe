"""Numbers of incidents by a range for each service, for colleagues alone: ``INC-001``.

The page's settings hold the ranges, a line each: ``INC-001 to INC-099: Payments``, where the
service is a component or a group; a line without one is for all others.  A number is one more than
the highest that its range has given, so none is given twice.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from statuspage.access import alarms
from statuspage.core.errors import Invalid
from statuspage.core.richtext import clean_line
from statuspage.models import Component, Incident, Page

ALARM: Final = "numbers"
_LINE: Final = re.compile(
    r"(?P<prefix>[A-Za-z]{1,10}-)(?P<first>[0-9]{1,6})\s+to\s+(?P=prefix)(?P<last>[0-9]{1,6})"
    r"(?:\s*:\s*(?P<service>.+))?"
)


@dataclass(frozen=True, slots=True)
class NumberRange:
    """The numbers of a service; of every other one where that is empty."""

    prefix: str
    first: int
    last: int
    width: int
    service: str = ""

    def write(self, number: int) -> str:
        """A number with its prefix and zeros."""
        return f"{self.prefix}{number:0{self.width}}"

    def read(self, text: str) -> int | None:
        """A number of this range; None for any other text."""
        digits = text.removeprefix(self.prefix)
        is_ours = text.startswith(self.prefix) and digits.isascii() and digits.isdigit()
        number = int(digits[:9]) if is_ours else 0
        return number if is_ours and self.first <= number <= self.last else None


def read_ranges(text: str) -> list[NumberRange]:
    """The ranges of the settings; :class:`Invalid` for a line that is none, or that overlaps."""
    found: list[NumberRange] = []
    for line in filter(None, map(clean_line, text.splitlines())):
        parts = _LINE.fullmatch(line)
        if parts is None or int(parts["first"]) > int(parts["last"]):
            raise Invalid("ticket_numbers", f"“{line[:60]}” is no range like INC-001 to INC-099")
        one = NumberRange(
            parts["prefix"].upper(), int(parts["first"]), int(parts["last"]),
            len(parts["first"]), parts["service"] or "",
        )  # fmt: skip
        for other in found:
            is_apart = one.last < other.first or other.last < one.first
            if one.prefix == other.prefix and not is_apart:
                raise Invalid("ticket_numbers", f"“{line[:60]}” overlaps another range")
        found.append(one)
    return found


def next_number(session: Session, component_ids: Collection[int]) -> str | None:
    """The next number for an incident with these components, within the caller's transaction.

    None where no range is for it, or where all are used up, which raises an alarm.
    """
    page = session.scalars(select(Page).order_by(Page.id).limit(1)).one_or_none()
    if page is None or not page.ticket_numbers:
        return None
    # Whoever declares meanwhile waits here, so that no two take one number.
    session.refresh(page, with_for_update=True)
    services = _services(session, component_ids)
    ranges = read_ranges(page.ticket_numbers)
    named = ([one for one in ranges if one.service.casefold() == service] for service in services)
    mine = next((some for some in named if some), [one for one in ranges if not one.service])
    for one in mine:
        given = select(Incident.number).where(Incident.number.startswith(one.prefix))
        used = (one.read(number) for number in session.scalars(given) if number)
        number = max((number for number in used if number is not None), default=one.first - 1) + 1
        if number <= one.last:
            return one.write(number)
    if mine:
        name = f"“{mine[0].service}”" if mine[0].service else "other services"
        text = f"The ticket numbers of {name} are used up; incidents get none until there are more"
        alarms.raise_alarm(session, ALARM, f"{text} in the page settings.")
    return None


def _services(session: Session, component_ids: Collection[int]) -> list[str]:
    """The names that a range may be for: of the components, in the page's order, and groups."""
    if not component_ids:
        return []
    chosen = select(Component).where(Component.id.in_(component_ids))
    found = session.scalars(chosen.order_by(Component.position, Component.id)).all()
    names = [one.name for one in found] + [one.group.name for one in found if one.group]
    return [name.casefold() for name in names]
