"""The views of a page as the rows that its templates go through."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import groupby

from statuspage.site.snapshot import ComponentView, DayView, GroupView, PostView, StoryView
from statuspage.words import ComponentStatus


@dataclass(frozen=True, slots=True)
class Run:
    """A day with its stories, or the days on end on which none began and the same ones went on."""

    first: date
    last: date
    stories: tuple[StoryView, ...] = ()
    more: int = 0
    continued: tuple[StoryView, ...] = ()


def runs(days: tuple[DayView, ...]) -> Iterator[Run]:
    """The days, newest first; quiet ones that follow each other are one line."""
    for (is_quiet, continued), run in groupby(
        days, lambda day: (not day.stories, tuple(story.code for story in day.continued))
    ):
        on_end = list(run)
        if is_quiet:
            went_on = on_end[0].continued if continued else ()
            yield Run(on_end[-1].day, on_end[0].day, continued=went_on)
        else:
            yield from (
                Run(day.day, day.day, day.stories, day.more, day.continued) for day in on_end
            )


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the list of components: one of them, or a group with those that are shown."""

    view: ComponentView | GroupView
    status: ComponentStatus
    components: tuple[ComponentView, ...] = ()
    is_unfolded: bool = True


def board(tree: tuple[GroupView | ComponentView, ...], *, unfold: bool) -> Iterator[Row]:
    """What the page lists; where something is wrong a group is unfolded, whatever was asked."""
    for item in tree:
        if isinstance(item, ComponentView):
            if item.is_shown:
                yield Row(item, item.status)
            continue
        shown = tuple(component for component in item.components if component.is_shown)
        if shown:
            status = ComponentStatus.worst((each.status for each in shown), item.status)
            is_troubled = status is not ComponentStatus.OPERATIONAL
            yield Row(item, status, shown, is_unfolded=unfold or is_troubled)


@dataclass(frozen=True, slots=True)
class Change:
    """What one post did to all components that went from one state to the same other."""

    old: ComponentStatus
    new: ComponentStatus
    names: tuple[str, ...]


def changes(post: PostView) -> list[Change]:
    """What a post changed, each change once with all components that made it."""
    names: dict[tuple[ComponentStatus, ComponentStatus], list[str]] = {}
    for each in post.affected:
        if each.old_status is not each.new_status:
            names.setdefault((each.old_status, each.new_status), []).append(each.name)
    return [Change(old, new, tuple(named)) for (old, new), named in names.items()]


def by_state(
    components: tuple[ComponentView, ...],
) -> list[tuple[ComponentStatus | None, list[ComponentView]]]:
    """Components by their states, the worst first; those that were removed last, with none."""
    states: dict[ComponentStatus | None, list[ComponentView]] = {}
    for each in components:
        states.setdefault(None if each.is_removed else each.status, []).append(each)
    return sorted(states.items(), key=lambda item: -item[0].gravity if item[0] else 1)
