"""The public site in tests: built in the request itself as soon as it moved, with no thread."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest
from flask import Flask

from statuspage.core import clock
from statuspage.core.db import db
from statuspage.core.languages import BY_SEGMENT, OFFERED
from statuspage.core.links import Links
from statuspage.models.revision import current_number
from statuspage.public import addresses, archive
from statuspage.public.document import Document
from statuspage.public.edition import Edition
from statuspage.public.edition_builder import build_edition, mark_stale
from statuspage.public.middleware import EditionMiddleware
from statuspage.public.on_demand_views import make_front


class AtOnce:
    """Stands in for the refresher: whoever asks gets what the database holds now.

    ``stale_since``: set it, and the last edition is shown as not confirmed since then;
    set ``database_is_well`` as well where that is not the database's doing.
    """

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._edition: Edition | None = None
        self.stale_since: datetime | None = None
        self.database_is_well = False
        self.age = 0.0
        self._marked: tuple[object, Edition | None] = (None, None)

    def edition(self) -> Edition | None:
        if self.stale_since is not None:
            if self._edition and self._marked[0] != (self._edition, self.stale_since):
                marked = mark_stale(self._edition, self.stale_since)
                self._marked = (self._edition, self.stale_since), marked
            return self._marked[1]
        with self._app.app_context():
            engine = db.engine
        with engine.connect() as connection:
            number = current_number(connection)
        if not self._matches(number):
            links: Links = self._app.extensions["links"]
            self._edition = build_edition(engine, links, self._edition)
        return self._edition

    @property
    def is_database_away(self) -> bool:
        return self.stale_since is not None and not self.database_is_well

    def hold(self, edition: Edition | None) -> None:
        """Have this one, as a process has that starts from its copy."""
        self._edition = edition

    def stop(self) -> None:
        """There is no thread to end."""

    def _matches(self, number: int) -> bool:
        shown = self._edition
        if shown is None or shown.revision != number:
            return False
        return shown.next_change_at is None or clock.now() < shown.next_change_at


class Aside(EditionMiddleware):
    """The layer in front, which leaves the admin alone: an edition made for it is seen by nobody.

    The real one has its edition ready anyway.
    """

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"].startswith("/admin"):
            return self._app(environ, start_response)
        return super().__call__(environ, start_response)


def serve_at_once(app: Flask) -> AtOnce:
    """Put the public site in front of the app as the real one is, without its threads."""
    site = AtOnce(app)
    app.extensions["refresher"] = site
    app.wsgi_app = make_front(app, Aside)  # type: ignore[method-assign]
    return site


def own_documents(edition: Edition) -> dict[str, Document]:
    """All documents of an edition in the page's own language: those that wait are asked for."""
    found = dict(edition.documents)
    for path in edition.versions.paths:
        if path.split("/")[1] not in BY_SEGMENT:
            document = edition.find(path)
            assert document is not None
            found[path] = document
    return found


@contextmanager
def in_three_languages() -> Iterator[None]:
    """Have the site made in English, German and French alone: any other language is made alike.

    Its pages go on naming all languages.
    """
    with pytest.MonkeyPatch.context() as patch:
        for module in (addresses, archive):
            patch.setattr(module, "OFFERED", OFFERED[:3])
        yield
