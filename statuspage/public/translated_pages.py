"""An edition's pages that are made when somebody asks: all that stand in another language.

They are made of the very views that the edition was made of, without the database: at one revision
all languages, feeds and JSON say the same, and all of them can be read while the database is away.
"""

from __future__ import annotations

from collections.abc import Callable, KeysView, Mapping
from threading import Lock

from statuspage.public.document import Document

Make = Callable[[Document | None], Document]
"""Makes a document, given the one of an older edition so that equal bytes stay the same object."""


class Versions:
    """Ready documents by path, each made once.  Safe for threads.

    ``makers`` says how for every path there is; ``front`` are those that tell how things are.
    """

    def __init__(
        self,
        makers: Mapping[str, Make],
        *,
        front: frozenset[str] = frozenset(),
        former: Versions | None = None,
    ) -> None:
        self._makers = dict(makers)
        self._front = front
        self._former = former.made if former else {}
        self._made: dict[str, Document] = {}
        self._lock = Lock()

    def get(self, path: str) -> Document | None:
        """The document at ``path``; None where there is none."""
        made = self._made.get(path)
        if made is not None or path not in self._makers:
            return made
        with self._lock:
            if path not in self._made:
                self._made[path] = self._makers[path](self._former.get(path))
            return self._made[path]

    def peek(self, path: str) -> Document | None:
        """The document at ``path`` if somebody has asked for it before."""
        return self._made.get(path)

    @property
    def paths(self) -> KeysView[str]:
        """Where there are any."""
        return self._makers.keys()

    @property
    def front(self) -> frozenset[str]:
        """The front pages among them."""
        return self._front

    @property
    def made(self) -> dict[str, Document]:
        """What was asked for in this edition, and what it has from the former one, by path."""
        known = {path: each for path, each in self._former.items() if path in self._makers}
        return {**known, **self._made}

    def changed(self, change: Callable[[Document], Document]) -> Versions:
        """The same pages, each put through ``change``."""

        def changing(path: str) -> Make:
            # What was made for visitors before is changed, and not made anew.
            return lambda former: change(self.get(path) or self._makers[path](former))

        return Versions({path: changing(path) for path in self._makers}, front=self._front)
