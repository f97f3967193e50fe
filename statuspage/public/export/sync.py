"""Keeps a target equal to the public site, making again only what changed."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sized
from dataclasses import dataclass
from itertools import chain, islice

from sqlalchemy import Engine

from statuspage.core.clock import EPOCH
from statuspage.core.links import Links
from statuspage.models.revision import read_revision
from statuspage.public import html_pages
from statuspage.public.archive import Part, PartKind, draft_parts, survey
from statuspage.public.document import HTML, Document, make_document
from statuspage.public.edition import Edition
from statuspage.public.edition_builder import build_edition
from statuspage.public.export.files import Bundle, Target, bundle, keys_of
from statuspage.public.queries import open_site
from statuspage.public.translated_pages import Versions

NOT_FOUND = "/404.html"
_STATIC = "/static/"
_PARTS_AT_A_TIME = 12
_TRANSLATED_AT_A_TIME = 2

Name = tuple[PartKind, str, tuple[str, ...]]


@dataclass(slots=True)
class Report:
    """How many documents the site has, and how many files were written and removed for them."""

    documents: int = 0
    written: int = 0
    removed: int = 0


class SiteCopy:
    """The public site at one target, opened.

    Hand it each edition (`take`), have it look at the rest (`survey`), and call `step` until
    nothing waits.  What raises has been done in part, and is made up for by the next call.
    """

    def __init__(self, target: Target, engine: Engine, links: Links) -> None:
        self._target = target
        self._engine = engine
        self._links = links
        self._not_found = make_document(
            html_pages.render_error(404, links=links), content_type=HTML, last_modified=EPOCH
        )
        self._edition: dict[str, Document] = {}
        self._parts: dict[Name, Part] = {}
        self._surveyed: dict[Name, int] | None = None
        self._versions = Versions({})
        self._translated: dict[str, Document] = {}
        self._to_translate: deque[str] = deque()
        self._paths: set[str] | None = None
        self._touched: deque[Part] = deque()
        self._rest: deque[Part] = deque()
        self._others: deque[Part] = deque()
        self._outdated: set[str] = set()
        self.report = Report()

    @property
    def is_urgent(self) -> bool:
        """Whether something waits that tells of news, and not only of what stands around it."""
        return bool(self._touched)

    @property
    def waits(self) -> bool:
        """Whether anything is still to be written."""
        return bool(self._touched or self._to_translate or self._rest or self._others)

    def take(self, edition: Edition) -> None:
        """Write what this edition changed, what is linked to before what links to it.

        Of its pages in other languages only the front pages are made at once, where they are there
        already: they tell how things are.  The others wait, the front pages last.
        """
        documents = {**edition.documents, NOT_FOUND: self._not_found}
        changed = {
            path: document
            for path, document in documents.items()
            if self._edition.get(path) is not document
        }
        for scenario in (0, 1, 2):
            self._write(
                {path: each for path, each in changed.items() if _scenario(path) == scenario}
            )
        self._edition = documents
        self._versions = edition.versions
        self._to_translate = deque(
            sorted(self._versions.paths, key=self._versions.front.__contains__)
        )
        self._translate(self._versions.front & self._translated.keys())
        self._translated = {
            path: self._translated[path] for path in self._versions.paths & self._translated.keys()
        }

    def survey(self) -> None:
        """Find out what else changed, and remove what is gone."""
        with open_site(self._engine) as site:
            parts = survey(site)
        paths = {path for part in parts for path in part.paths}
        paths.update(self._edition, self._versions.paths)
        self._remove(self._gone(paths))
        self._paths = paths
        former, self._surveyed = self._surveyed, {_name(part): part.own for part in parts}
        self._parts = {name: part for name, part in self._parts.items() if name in self._surveyed}
        waiting = {_name(part) for part in self._touched}
        others: tuple[list[Part], list[Part]] = ([], [])
        self._touched.clear()
        self._rest.clear()
        for part in parts:
            name, known = _name(part), self._parts.get(_name(part))
            if known == part or self._edition.keys() >= set(part.paths):
                continue
            # What is open is news even where nothing has been written yet.
            is_news = name in waiting or (part.is_open and known is None)
            is_news = is_news or (former is not None and former.get(name) != part.own)
            if not part.is_translated:
                (self._touched if is_news else self._rest).append(part)
            elif not self._versions.paths >= set(part.paths):
                others[not is_news].append(part)
        self._others = deque(chain(*others))
        self.report.documents = len(paths)

    def step(self) -> int:
        """Write the next few of what waits, news first; how many documents these were."""
        if self._to_translate and not self._touched:
            paths = [self._to_translate.popleft() for _ in range(_few(self._to_translate))]
            self._translate(paths)
            return len(paths)
        queue = self._touched or self._rest or self._others
        is_large = queue is self._others
        parts = list(islice(queue, _TRANSLATED_AT_A_TIME if is_large else _PARTS_AT_A_TIME))
        if parts:
            self._write(dict(self._make(parts)))
            for part in parts:
                queue.popleft()
                self._parts[_name(part)] = part
        if not self.waits and self._outdated:
            # Only now does no page name the styles of an older release.
            self.report.removed += self._target.remove(self._outdated)
            self._outdated = set()
        return sum(len(part.paths) for part in parts)

    def _translate(self, paths: Iterable[str]) -> None:
        made = {path: self._versions.get(path) for path in paths}
        changed = {
            path: document
            for path, document in made.items()
            if document is not None and self._translated.get(path) is not document
        }
        self._write(changed)
        self._translated |= changed

    def _make(self, parts: list[Part]) -> Iterator[tuple[str, Document]]:
        with open_site(self._engine) as site:
            moved_at = read_revision(site.connection)[1]
            for path, draft in draft_parts(site, parts, self._links):
                yield path, draft.finish(moved_at)

    def _write(self, documents: Mapping[str, Document]) -> None:
        self.report.written += self._target.write(self._bundles(documents))

    def _bundles(self, documents: Mapping[str, Document]) -> Iterable[Bundle]:
        has_folders = self._target.has_folders
        return [bundle(path, each, has_folders=has_folders) for path, each in documents.items()]

    def _gone(self, paths: set[str]) -> set[str]:
        if self._paths is not None:
            return self._keys(self._paths - paths)
        return self._target.keys() - self._keys(paths)

    def _keys(self, paths: Iterable[str]) -> set[str]:
        has_folders = self._target.has_folders
        return {key for path in paths for key in keys_of(path, has_folders=has_folders)}

    def _remove(self, keys: set[str]) -> None:
        outdated = {key for key in keys if f"/{key}".startswith(_STATIC)}
        self._outdated |= outdated
        self.report.removed += self._target.remove(keys - outdated)


def export_site(
    target: Target, engine: Engine, links: Links, *, progress: Callable[[int, int], None]
) -> Report:
    """Write the whole site to an opened target; what is as it should be is not touched."""
    copy = SiteCopy(target, engine, links)
    edition = build_edition(engine, links)
    copy.take(edition)
    copy.survey()
    done, total = 0, copy.report.documents
    while copy.waits:
        done += copy.step()
        progress(min(done, total), total)
    copy.step()
    progress(total, total)
    return copy.report


def _few(queue: Sized) -> int:
    return min(_PARTS_AT_A_TIME, len(queue))


def _name(part: Part) -> Name:
    return part.kind, part.name, part.languages


def _scenario(path: str) -> int:
    if path.startswith(_STATIC):
        return 0
    return 2 if path == "/" else 1
