"""Keeping imported stories: new ones added, changed ones brought up to date, the rest left alone.

A story is known by its origin and its code there, a post by its code.  A post without one gets a
code made from what it is, so the same file gives the same codes.  Entry ids are made once and
stored.  No message and no delivery is written: nobody hears of a story that is long told.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar, cast

from sqlalchemy import Table, delete, func, insert, or_, select
from sqlalchemy.orm import Session

from statuspage import audit, clock
from statuspage.audit import Actor
from statuspage.db import writing
from statuspage.imports.changes import log_changes, show_standing
from statuspage.imports.stories import Effect, Problem, Story, Unusable
from statuspage.links import Links, current_links
from statuspage.models import (
    Component,
    ComponentChange,
    Incident,
    IncidentComponent,
    IncidentUpdate,
    UpdateRevision,
)
from statuspage.models.columns import CODE_LENGTH
from statuspage.site import revision
from statuspage.words import CLOSED, ComponentStatus, IncidentStatus, Visibility

_CHUNK = 500
_ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789"
_stories = cast(Table, Incident.__table__)
_posts = cast(Table, IncidentUpdate.__table__)
_T = TypeVar("_T")

Progress = Callable[[int, int], None]
"""Told again and again how many stories are done, and of how many."""


@dataclass(frozen=True, slots=True)
class StoryReport:
    """What an import did; the first three count stories."""

    added: int
    updated: int
    unchanged: int
    components_added: int
    notes: tuple[Problem, ...]
    skipped: tuple[Problem, ...] = ()


def store_stories(
    stories: Sequence[Story],
    *,
    actor: Actor,
    source: str = "",
    notes: Sequence[Problem] = (),
    progress: Progress | None = None,
    prepare: Callable[[Session], int] | None = None,
    finish: Callable[[Session], None] | None = None,
) -> StoryReport:
    """Keep these stories in one transaction, and show them all at once.

    ``prepare`` and ``finish`` join it, before and after; ``prepare`` says how many components it
    added.  Raises :class:`Unusable` where a code belongs to a story of somebody else.
    """
    with writing() as current:
        added = prepare(current) if prepare else 0
        keeper = _Keeper(current, current_links(), list(notes))
        report = keeper.keep(stories, progress or _silent, added)
        if finish:
            finish(current)
        audit.record(
            current,
            actor,
            "history.import",
            subject_kind="history",
            subject=source[:500],
            after={
                "added": report.added,
                "updated": report.updated,
                "unchanged": report.unchanged,
                "components_added": report.components_added,
            },
        )
        revision.bump(current)
    return report


def named_code(*parts: str) -> str:
    """A code of 12 of a–z0–9 made from ``parts``: the same for the same parts, always."""
    number = int.from_bytes(hashlib.sha256("\x00".join(parts).encode()).digest())
    letters = []
    for _ in range(CODE_LENGTH):
        number, place = divmod(number, len(_ALPHABET))
        letters.append(_ALPHABET[place])
    return "".join(letters)


class _Keeper:
    """One import on its way into the database."""

    def __init__(self, current: Session, links: Links, notes: list[Problem]) -> None:
        self._current = current
        self._links = links
        self._notes = notes
        self._components = _Components(current)
        self._touched: set[int] = set()

    def keep(
        self, stories: Sequence[Story], progress: Progress, components_added: int
    ) -> StoryReport:
        """Keep the stories and what they tell of components; what became of them."""
        self._components.add_missing(stories)
        added = updated = done = 0
        for batch in _chunks(stories):
            self._refuse_taken(batch)
            stored = self._stored(batch)
            new = [story for story in batch if _identity(story) not in stored]
            self._add(new)
            added += len(new)
            updated += self._update_all(batch, stored)
            progress(done := done + len(batch), len(stories))
        self._log()
        return StoryReport(
            added=added,
            updated=updated,
            unchanged=len(stories) - added - updated,
            components_added=components_added + self._components.added,
            notes=tuple(self._notes),
        )

    def _refuse_taken(self, batch: Sequence[Story]) -> None:
        codes = {self._code(story): story for story in batch}
        rows = self._current.execute(
            select(Incident.code, Incident.origin, Incident.origin_id).where(
                Incident.code.in_(codes)
            )
        )
        taken = [
            Problem(codes[code].where, f"the code {code} belongs to another story here")
            for code, *owner in rows
            if tuple(owner) != _identity(codes[code])
        ]
        if taken:
            raise Unusable(taken)

    def _stored(self, batch: Sequence[Story]) -> dict[tuple[str, str], Any]:
        rows = self._current.execute(
            select(_stories).where(
                _stories.c.origin.in_({story.origin for story in batch}),
                _stories.c.origin_id.in_({story.code for story in batch}),
            )
        )
        return {(row.origin, row.origin_id): row for row in rows}

    def _code(self, story: Story) -> str:
        fits = len(story.code) == CODE_LENGTH and set(story.code) <= set(_ALPHABET)
        return story.code if fits else named_code(story.origin, story.code)

    def _columns(self, story: Story) -> dict[str, Any]:
        """What a story's row says of it, apart from who it is."""
        return {
            "kind": story.kind,
            "title": story.title,
            "status": story.status,
            "impact": story.impact,
            "started_at": story.started_at,
            "monitoring_at": story.monitoring_at,
            "resolved_at": story.resolved_at,
            "scheduled_for": story.scheduled_for,
            "scheduled_until": story.scheduled_until,
            "cancelled_at": story.cancelled_at,
            "resolutions": _resolutions(story),
        }

    def _add(self, stories: Sequence[Story]) -> None:
        if not stories:
            return
        codes = {self._code(story): story for story in stories}
        rows = []
        for code, story in codes.items():
            posted = [post.posted_at for post in story.posts]
            entry_id = story.entry_id or self._links.incident_entry(code, posted[0])
            rows.append(
                {
                    **self._columns(story),
                    "code": code,
                    "visibility": Visibility.PUBLIC,
                    "created_at": min([*posted, story.created_at or posted[0]]),
                    "updated_at": max(posted),
                    "users_notice": "",
                    "public_facts": {},
                    "internal_facts": {},
                    "chat_channel": "",
                    "war_room": "",
                    "entry_id": entry_id,
                    "origin": story.origin,
                    "origin_id": story.code,
                    "version": 1,
                }
            )
        self._current.execute(_stories.insert(), rows)
        ids = self._current.execute(
            select(Incident.id, Incident.code).where(Incident.code.in_(codes))
        )
        posts = []
        for incident_id, code in ids:
            story = codes[code]
            posts += self._new_posts(self._told(story), incident_id, code)
            self._affect(story, incident_id)
        self._current.execute(insert(IncidentUpdate), posts)

    def _told(self, story: Story) -> dict[str, dict[str, Any]]:
        """The posts' columns by their codes: published ones, or made from time, status and turn."""
        turns: dict[tuple[datetime, str], int] = defaultdict(int)
        told = {}
        before = ""
        for post in story.posts:
            turn = turns[post.at, post.status]
            turns[post.at, post.status] += 1
            made = named_code(story.origin, story.code, post.at.isoformat(), post.status, str(turn))
            told[post.code or made] = {
                "status": post.status,
                "body": post.body,
                "happened_at": post.at,
                "posted_at": post.posted_at,
                "edited_at": post.edited_at,
                "reopens": before in CLOSED and post.status not in CLOSED,
                "affected": [self._components.told(effect) for effect in post.effects],
            }
            before = post.status
        return told

    def _new_posts(
        self, told: Mapping[str, Mapping[str, Any]], incident_id: int, code: str
    ) -> list[dict[str, Any]]:
        return [
            {
                **columns,
                "code": post_code,
                "incident_id": incident_id,
                "visibility": Visibility.PUBLIC,
                "entry_id": self._links.update(code, post_code),
            }
            for post_code, columns in told.items()
        ]

    def _affect(self, story: Story, incident_id: int) -> None:
        """Note the components of a story, each in the state that it was left in."""
        states: dict[int, ComponentStatus] = {}
        for post in story.posts:
            for effect in post.effects:
                states[self._components.id_of(effect)] = effect.new_status
        self._touched |= states.keys()
        rows = [
            {"incident_id": incident_id, "component_id": component_id, "status": status}
            for component_id, status in states.items()
        ]
        if rows:
            self._current.execute(insert(IncidentComponent), rows)

    def _update_all(self, batch: Sequence[Story], stored: Mapping[tuple[str, str], Any]) -> int:
        """Bring the stored stories of a batch up to date; how many differed."""
        ids = [row.id for row in stored.values()]
        continued = self._continued(ids)
        posts: dict[int, list[Any]] = defaultdict(list)
        for post in self._current.execute(
            select(_posts)
            .where(_posts.c.incident_id.in_(ids))
            .order_by(_posts.c.happened_at, _posts.c.id)
        ):
            posts[post.incident_id].append(post)
        updated = 0
        for story in batch:
            row = stored.get(_identity(story))
            if row is None:
                continue
            if row.id not in continued:
                updated += self._update(story, row, posts[row.id])
                continue
            left = "this story was continued here and is left as it is"
            self._notes.append(Problem(story.where, left))
        return updated

    def _update(self, story: Story, row: Any, posts: Sequence[Any]) -> bool:
        """Bring a stored story up to date; whether anything differed."""
        wanted = self._columns(story)
        if story.entry_id:
            wanted["entry_id"] = story.entry_id
        differing = _differing(row, wanted)
        if not self._update_posts(story, row, posts) and not differing:
            return False
        # Components may be others now: all are noted anew, and the old ones' log is written anew.
        owned = IncidentComponent.incident_id == row.id
        self._touched |= set(
            self._current.scalars(select(IncidentComponent.component_id).where(owned))
        )
        self._current.execute(delete(IncidentComponent).where(owned))
        self._affect(story, row.id)
        self._current.execute(
            _stories.update()
            .where(_stories.c.id == row.id)
            .values(**differing, updated_at=clock.now(), version=row.version + 1)
        )
        return True

    def _continued(self, incident_ids: Sequence[int]) -> set[int]:
        """Which stories people have posted on or corrected since they were imported."""
        own = IncidentUpdate.incident_id.in_(incident_ids)
        posted = select(IncidentUpdate.incident_id).where(
            own, or_(IncidentUpdate.form_key.is_not(None), IncidentUpdate.account_id.is_not(None))
        )
        corrected = (
            select(IncidentUpdate.incident_id)
            .join(UpdateRevision, UpdateRevision.update_id == IncidentUpdate.id)
            .where(own, UpdateRevision.account_id.is_not(None))
        )
        return {*self._current.scalars(posted), *self._current.scalars(corrected)}

    def _update_posts(self, story: Story, row: Any, stored: Sequence[Any]) -> bool:
        """Bring the posts of a stored story up to date; whether anything differed."""
        pairs, new, gone = _match(stored, self._told(story))
        changed = [pair for pair in pairs if self._change(*pair)]
        for post in gone:
            self._forget(post.id)
        if new:
            rows = self._new_posts(new, row.id, row.code)
            self._current.execute(insert(IncidentUpdate), rows)
        return bool(changed or new or gone)

    def _change(self, stored: Any, wanted: Mapping[str, Any]) -> bool:
        differing = _differing(stored, wanted)
        if wanted["edited_at"] is None:
            # Nobody says; what was corrected by an import before stays so.
            differing.pop("edited_at", None)
        if not differing:
            return False
        if "body" in differing and stored.body.split() != differing["body"].split():
            # A corrected post keeps its entry and its date, and says that it was corrected.
            now = clock.now()
            self._current.add(
                UpdateRevision(update_id=stored.id, body=stored.body, replaced_at=now)
            )
            differing["edited_at"] = wanted["edited_at"] or now
        self._current.execute(_posts.update().where(_posts.c.id == stored.id).values(**differing))
        return True

    def _forget(self, update_id: int) -> None:
        """Remove a post that its publisher took back."""
        for table, column in (
            (ComponentChange, ComponentChange.update_id),
            (UpdateRevision, UpdateRevision.update_id),
            (IncidentUpdate, IncidentUpdate.id),
        ):
            self._current.execute(delete(table).where(column == update_id))

    def _log(self) -> None:
        """Write the log of every component that was touched, and show how it stands."""
        if not self._touched:
            return
        told_by = select(Incident.id).where(
            Incident.origin.is_not(None), Incident.visibility == Visibility.PUBLIC
        )
        ids = list(self._current.scalars(told_by))
        log_changes(self._current, ids, component_ids=self._touched)
        show_standing(self._current, self._touched)


class _Components:
    """The components that stories name, by code or by name; missing ones are made."""

    def __init__(self, current: Session) -> None:
        self._current = current
        self._by_code: dict[str, tuple[int, str]] = {}
        self._by_name: dict[str, tuple[int, str]] = {}
        self.added_ids: list[int] = []
        rows = current.execute(
            select(Component.id, Component.code, Component.name, Component.removed_at).order_by(
                Component.id.desc()
            )
        ).all()
        for row in sorted(rows, key=lambda row: row.removed_at is None):
            # Of several with one name the oldest that is not removed is meant.
            self._by_code[row.code] = (row.id, row.code)
            self._by_name[row.name.casefold()] = (row.id, row.code)

    @property
    def added(self) -> int:
        """How many were made."""
        return len(self.added_ids)

    def add_missing(self, stories: Sequence[Story]) -> None:
        """Make the components that are named and not there, since the first story about them."""
        since: dict[tuple[str | None, str], datetime] = {}
        for story in stories:
            for post in story.posts:
                for effect in post.effects:
                    if self._find(effect) is None:
                        key = (effect.code, effect.name)
                        since[key] = min(since.get(key, story.started_at), story.started_at)
        highest = self._current.scalar(
            select(func.max(Component.position)).where(Component.group_id.is_(None))
        )
        position = -1 if highest is None else highest
        for (code, name), at in sorted(since.items(), key=lambda item: item[0][1].casefold()):
            if self._find(Effect(name, *_NOTHING, code=code)) is not None:
                continue
            position += 1
            # A code that nobody lists any more is a component that is gone.
            component = Component(
                name=name,
                position=position,
                created_at=at,
                updated_at=at,
                removed_at=clock.now() if code else None,
                **({"code": code} if code else {}),
            )
            self._current.add(component)
            self._current.flush()
            self._current.add(
                ComponentChange(
                    component_id=component.id, at=at, status=ComponentStatus.OPERATIONAL
                )
            )
            self.added_ids.append(component.id)
            self._by_code[component.code] = (component.id, component.code)
            self._by_name.setdefault(name.casefold(), (component.id, component.code))

    def id_of(self, effect: Effect) -> int:
        """The id of the component that an effect names."""
        return self._known(effect)[0]

    def told(self, effect: Effect) -> dict[str, str]:
        """An effect as a post's ``affected`` has it."""
        return {
            "code": self._known(effect)[1],
            "name": effect.name,
            "old_status": effect.old_status.value,
            "new_status": effect.new_status.value,
        }

    def _find(self, effect: Effect) -> tuple[int, str] | None:
        if effect.code is not None:
            return self._by_code.get(effect.code)
        return self._by_name.get(effect.name.casefold())

    def _known(self, effect: Effect) -> tuple[int, str]:
        found = self._find(effect)
        if found is None:
            raise LookupError(effect.name)
        return found


_NOTHING = (ComponentStatus.OPERATIONAL, ComponentStatus.OPERATIONAL)


def _match(
    stored: Sequence[Any], told: Mapping[str, Mapping[str, Any]]
) -> tuple[list[tuple[Any, Mapping[str, Any]]], dict[str, Mapping[str, Any]], list[Any]]:
    """Which stored post is which: pairs, posts that are new, and rows that are gone.

    By code; else by status and minute, else by the text, because another document of the same
    story may give no codes, and rounds its times.
    """
    left = {row.code: row for row in stored}
    new = dict(told)
    pairs = []
    for is_same in (_same_code, _same_minute, _same_body):
        for code, columns in list(new.items()):
            row = next((row for row in left.values() if is_same(row, code, columns)), None)
            if row is not None:
                pairs.append((left.pop(row.code), new.pop(code)))
    return pairs, new, list(left.values())


def _same_code(row: Any, code: str, columns: Mapping[str, Any]) -> bool:
    return bool(row.code == code)


def _same_minute(row: Any, code: str, columns: Mapping[str, Any]) -> bool:
    same = _minute(row.happened_at) == _minute(columns["happened_at"])
    return same and row.status == columns["status"]


def _same_body(row: Any, code: str, columns: Mapping[str, Any]) -> bool:
    return bool(row.body == columns["body"])


def _differing(stored: Any, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """What of ``wanted`` is not so yet; a time that is the same to the minute is the same."""

    def rounded(value: Any) -> Any:
        return _minute(value) if isinstance(value, datetime) else value

    return {
        name: value
        for name, value in wanted.items()
        if rounded(stored._mapping[name]) != rounded(value)
    }


def _minute(moment: datetime) -> datetime:
    return moment.replace(second=0, microsecond=0)


def _identity(story: Story) -> tuple[str, str]:
    return story.origin, story.code


def _resolutions(story: Story) -> int:
    steps = [post.status for post in story.posts]
    befores = [None, *steps]
    return sum(
        after == IncidentStatus.RESOLVED and before != after
        for before, after in zip(befores, steps, strict=False)
    )


def _chunks(items: Sequence[_T]) -> Iterator[Sequence[_T]]:
    for start in range(0, len(items), _CHUNK):
        yield items[start : start + _CHUNK]


def _silent(done: int, total: int) -> None:
    pass
