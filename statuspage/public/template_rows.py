"""The views of a page as the rows that its templates go through."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import chain, groupby, islice

from statuspage.core.enums import ComponentStatus
from statuspage.public.snapshot import ComponentView, DayView, GroupView, IncidentView, UpdateView


@dataclass(frozen=True, slots=True)
class Run:
    """A day with its incidents, or the days on end on which none began and the same ones
    went on.
    """

    first: date
    last: date
    incidents: tuple[IncidentView, ...] = ()
    more: int = 0
    continued: tuple[IncidentView, ...] = ()


def runs(days: tuple[DayView, ...]) -> Iterator[Run]:
    """The days, newest first; quiet ones that follow each other are one line."""
    for (is_quiet, continued), run in groupby(
        days, lambda day: (not day.incidents, tuple(incident.code for incident in day.continued))
    ):
        on_end = list(run)
        if is_quiet:
            went_on = on_end[0].continued if continued else ()
            yield Run(on_end[-1].day, on_end[0].day, continued=went_on)
        else:
            yield from (
                Run(day.day, day.day, day.incidents, day.more, day.continued) for day in on_end
            )


@dataclass(frozen=True, slots=True)
class TemplateRow:
    """A line of the list of components: one of them, or a group with those that are listed.

    ``total`` is how many components of the group are shown, listed here or not.
    """

    view: ComponentView | GroupView
    status: ComponentStatus
    components: tuple[ComponentView, ...] = ()
    total: int = 0
    is_unfolded: bool = True

    @property
    def is_cut(self) -> bool:
        """Whether the group has more components than are listed."""
        return len(self.components) < self.total


@dataclass(frozen=True, slots=True)
class Board:
    """The list of components; ``total`` is how many there are, listed or not.

    ``is_cut`` says that components without a group are left out.
    """

    rows: tuple[TemplateRow, ...]
    total: int
    is_cut: bool


# Up to so many components are all on the front page.  With more, a group there has so many of its
# own, and so have the components without a group; and all together are at most so many.
MOST_LISTED_WHOLE = 100
MOST_IN_A_LIST = 25
MOST_LISTED = 200


def board(tree: tuple[GroupView | ComponentView, ...], *, unfold: bool, cut: bool) -> Board:
    """What the page lists; where something is wrong a group is unfolded, whatever was asked.

    Where it is to be cut, what is worst stays, then what comes first in the page's order.
    """
    groups = [
        (item, tuple(each for each in item.components if each.is_shown))
        for item in tree
        if isinstance(item, GroupView)
    ]
    loose = tuple(item for item in tree if isinstance(item, ComponentView) and item.is_shown)
    total = len(loose) + sum(len(shown) for _, shown in groups)
    lists = [loose, *(shown for _, shown in groups)]
    listed = _listed(lists) if cut and total > MOST_LISTED_WHOLE else None
    rows: list[TemplateRow] = []
    shown_of = {group.code: shown for group, shown in groups}
    for item in tree:
        if isinstance(item, ComponentView):
            if item.is_shown and (listed is None or item.code in listed):
                rows.append(TemplateRow(item, item.status))
            continue
        shown = shown_of[item.code]
        if shown:
            status = ComponentStatus.worst((each.status for each in shown), item.status)
            some = tuple(each for each in shown if listed is None or each.code in listed)
            is_troubled = status is not ComponentStatus.OPERATIONAL
            rows.append(
                TemplateRow(item, status, some, len(shown), is_unfolded=unfold or is_troubled)
            )
    is_cut = listed is not None and not all(each.code in listed for each in loose)
    return Board(tuple(rows), total, is_cut=is_cut)


def _listed(lists: list[tuple[ComponentView, ...]]) -> set[str]:
    """The codes of the components that a page with very many of them lists."""
    worst_first = [
        sorted(shown, key=lambda each: -each.status.gravity)[:MOST_IN_A_LIST]
        for shown in lists
        if shown
    ]
    # Lists with trouble first; `sorted` keeps the page's order otherwise.
    worst_first.sort(key=lambda shown: -shown[0].status.gravity)
    return {each.code for each in islice(chain.from_iterable(worst_first), MOST_LISTED)}


@dataclass(frozen=True, slots=True)
class StateChange:
    """What one post did to all components that went from one state to the same other."""

    old: ComponentStatus
    new: ComponentStatus
    names: tuple[str, ...]


def changes(update: UpdateView) -> list[StateChange]:
    """What a post changed, each change once with all components that made it."""
    names: dict[tuple[ComponentStatus, ComponentStatus], list[str]] = {}
    for each in update.affected:
        if each.old_status is not each.new_status:
            names.setdefault((each.old_status, each.new_status), []).append(each.name)
    return [StateChange(old, new, tuple(named)) for (old, new), named in names.items()]


def by_state(
    components: tuple[ComponentView, ...],
) -> list[tuple[ComponentStatus | None, list[ComponentView]]]:
    """Components by their states, the worst first; those that were removed last, with none."""
    states: dict[ComponentStatus | None, list[ComponentView]] = {}
    for each in components:
        states.setdefault(None if each.is_removed else each.status, []).append(each)
    return sorted(states.items(), key=lambda item: -item[0].gravity if item[0] else 1)
