"""The whole public site at one revision, and its copy on disk.

The copy is what a process shows when it starts while the database is away.  Its file is a magic
word with the moment the edition was last confirmed, a BLAKE2b digest of all that follows it, a JSON
header, the documents' bytes one after the other, and the views
(:mod:`statuspage.public.view_store`):

    statuspage-edition/1 2026-03-04T12:00:00Z
    <64 hexadecimal digits>
    {"revision": …, "built_at": …, "language": …, …, "documents": [[path, …, sizes], …]}
    <bytes>
"""

from __future__ import annotations

import json
import logging
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path
from typing import Any

from statuspage.core.languages import ENGLISH
from statuspage.public.document import Document
from statuspage.public.queries import Site
from statuspage.public.translated_pages import Make, Versions
from statuspage.public.view_store import Views, freeze, thaw

log = logging.getLogger(__name__)

_MAGIC = b"statuspage-edition/1 "
_TIME = "%Y-%m-%dT%H:%M:%SZ"
_TIME_BYTES = 20
# Far above any site: a file larger than this is something else.
_MOST_BYTES = 512 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Edition:
    """All ready documents of one revision, by exact path.

    ``next_change_at`` is when the same revision will read differently (a promise falls due, a day
    ends), None where time alone changes nothing.  Times are aware, in UTC.  ``documents`` stand in
    the page's own ``language``; ``versions`` are its pages in the others.  ``site`` is what
    `complete_edition` reads on with, None where it came from the copy.  Where it cannot be
    confirmed ``more`` says how what else its ``views`` tell of is made, by path.
    """

    revision: int
    documents: Mapping[str, Document] = field(repr=False)
    built_at: datetime
    next_change_at: datetime | None = None
    language: str = ENGLISH
    versions: Versions = field(default_factory=lambda: Versions({}), repr=False, compare=False)
    more: dict[str, Make] = field(default_factory=dict, repr=False, compare=False)
    views: Views | None = field(default=None, repr=False, compare=False)
    site: Site | None = field(default=None, repr=False, compare=False)

    def find(self, path: str) -> Document | None:
        """The document at exactly this path; None where the edition has none."""
        return self.documents.get(path) or self.versions.get(path)

    def peek(self, path: str) -> Document | None:
        """The same, but nothing is made: None where nobody has asked for it before."""
        return self.documents.get(path) or self.versions.peek(path)


def save(edition: Edition, path: Path) -> None:
    """Write the edition to ``path``, whole or not at all, as confirmed when it was built.

    Several processes may save to the same path; the last one stays.  Raises ``OSError`` where the
    disk refuses, and then leaves the former copy as it was.
    """
    content = b"".join(_pack(edition))
    digest = _digest(content)
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(_MAGIC + _timestamp(edition.built_at) + b"\n" + digest + b"\n" + content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(draft)
        raise
    _fsync_folder(path.parent)


def load(path: Path) -> Edition | None:
    """The edition kept at ``path``; None, with the reason logged, where it cannot be trusted."""
    try:
        return _read(path)
    except FileNotFoundError:
        log.info("no copy of the public site at %s", path)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        log.warning("the copy of the public site at %s cannot be used: %s", path, error)
    return None


def confirm(path: Path, *, at: datetime) -> None:
    """Note in the copy at ``path`` that it still matched the database ``at`` that moment.

    Overwrites the time in place, without syncing: after a crash an older time may be read, which
    claims less.  Does nothing where there is no copy.  Raises ``OSError`` where the disk refuses.
    """
    with suppress(FileNotFoundError), path.open("r+b") as file:
        if file.read(len(_MAGIC)) == _MAGIC:
            file.seek(len(_MAGIC))
            file.write(_timestamp(at))


def confirmed_at(path: Path) -> datetime | None:
    """When the copy at ``path`` was last known to match the database; None where it cannot say."""
    try:
        with path.open("rb") as file:
            return _read_confirmation(file.read(len(_MAGIC) + _TIME_BYTES))
    except (OSError, ValueError):
        return None


def _pack(edition: Edition) -> Iterator[bytes]:
    views = freeze(edition.views) if edition.views else b""
    head = {
        "revision": edition.revision,
        "built_at": edition.built_at.astimezone(UTC).isoformat(),
        "next_change_at": (
            edition.next_change_at.astimezone(UTC).isoformat() if edition.next_change_at else None
        ),
        "language": edition.language,
        "documents": [
            [
                path,
                {
                    "content_type": document.content_type,
                    "last_modified": document.last_modified.isoformat(),
                    "cors": document.cors,
                    "cache_control": document.cache_control,
                    "content_security_policy": document.content_security_policy,
                },
                [
                    None if body is None else len(body)
                    for body in (document.body, document.gzip, document.brotli)
                ],
            ]
            for path, document in edition.documents.items()
        ],
        "views": len(views),
    }
    yield json.dumps(head).encode() + b"\n"
    for document in edition.documents.values():
        yield document.body
        yield document.gzip or b""
        yield document.brotli or b""
    yield views


def _read(path: Path) -> Edition:
    if path.stat().st_size > _MOST_BYTES:
        raise ValueError("too large to be one")
    first, _, rest = path.read_bytes().partition(b"\n")
    _read_confirmation(first)
    digest, _, content = rest.partition(b"\n")
    if _digest(content) != digest:
        raise ValueError("it is cut or damaged")
    header, _, blobs = content.partition(b"\n")
    head = json.loads(header)
    views = blobs[-head["views"] :] if head.get("views") else b""
    return Edition(
        revision=int(head["revision"]),
        documents=dict(_unpack(head["documents"], blobs)),
        built_at=_moment(head["built_at"]),
        next_change_at=_moment(head["next_change_at"]) if head["next_change_at"] else None,
        language=str(head.get("language", ENGLISH)),
        views=thaw(views) if views else None,
    )


def _unpack(entries: list[Any], blobs: bytes) -> Iterator[tuple[str, Document]]:
    at = 0
    for path, facts, sizes in entries:
        bodies: list[bytes | None] = []
        for size in sizes:
            bodies.append(None if size is None else blobs[at : at + size])
            at += size or 0
        plain, gzip, brotli = bodies
        if plain is None:
            raise ValueError("a document without bytes")
        moment = _moment(facts.pop("last_modified"))
        yield path, Document(body=plain, gzip=gzip, brotli=brotli, last_modified=moment, **facts)


def _read_confirmation(line: bytes) -> datetime:
    if not line.startswith(_MAGIC):
        raise ValueError("it is not an edition")
    return datetime.strptime(line[len(_MAGIC) :].decode(), _TIME).replace(tzinfo=UTC)


def _digest(content: bytes) -> bytes:
    return blake2b(content, digest_size=32).hexdigest().encode()


def _timestamp(moment: datetime) -> bytes:
    return moment.astimezone(UTC).strftime(_TIME).encode()


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _fsync_folder(folder: Path) -> None:
    # Without this a power cut can bring the former name back.
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
