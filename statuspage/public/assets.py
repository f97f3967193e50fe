"""Static files under names that carry their content's hash, so that they may be kept for ever.

``style.css`` is served as ``/static/style.<hash>.css``: a changed file has a new address, and a
page never meets a style that is older or newer than itself.  A style sheet is served with those
that it imports written out in it, so that it costs one request.
"""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Iterator
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import Final

from statuspage.core.clock import EPOCH
from statuspage.core.paths import STATIC
from statuspage.public.document import IMMUTABLE, Document, make_document

FOLDER = STATIC

_IMPORT: Final = re.compile(rb'^@import "([\w-]+\.css)";$', re.MULTILINE)
_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}


def asset(name: str) -> str:
    """The path at which the file ``static/<name>`` is served; ``KeyError`` where there is none."""
    return _paths()[name]


def asset_documents() -> dict[str, Document]:
    """All static files by the path they are served at, read and compressed once per process."""
    return _documents()


@lru_cache(maxsize=1)
def _paths() -> dict[str, str]:
    return {name: _path(name, content) for name, content in _files()}


@lru_cache(maxsize=1)
def _documents() -> dict[str, Document]:
    documents = {
        _path(name, content): _document(name, content, IMMUTABLE) for name, content in _files()
    }
    for name, content in _files():
        # Browsers and crawlers ask for these by their plain names.
        if name in {"favicon.ico", "favicon.svg", "apple-touch-icon.png"}:
            documents[f"/{name}"] = _document(name, content, "public, max-age=86400")
    return documents


def _files() -> Iterator[tuple[str, bytes]]:
    for path in sorted(FOLDER.rglob("*")):
        name = path.relative_to(FOLDER).as_posix()
        if path.is_file() and not name.startswith("."):
            yield name, read_asset(name)


def read_asset(name: str) -> bytes:
    """The content that the file ``static/<name>`` is served with."""
    content = (FOLDER / name).read_bytes()
    if not name.endswith(".css"):
        return content
    return _IMPORT.sub(lambda found: read_asset(found[1].decode()), content)


def _path(name: str, content: bytes) -> str:
    stem, dot, ending = name.rpartition(".")
    digest = blake2b(content, digest_size=6).hexdigest()
    return f"/static/{stem}.{digest}.{ending}" if dot else f"/static/{name}.{digest}"


def _document(name: str, content: bytes, cache_control: str) -> Document:
    return make_document(
        content,
        content_type=content_type(name),
        # A file's own date differs from host to host; its address says which content it is.
        last_modified=EPOCH,
        cache_control=cache_control,
    )


def content_type(name: str) -> str:
    """The media type that a file of that name is served as."""
    ending = Path(name).suffix
    return _TYPES.get(ending) or mimetypes.guess_type(name)[0] or "application/octet-stream"
