"""A document as files: its names, its compressed forms beside it, and where files can go."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Protocol

from statuspage.public.document import Document

# Shows that a folder or prefix is ours to remove from; its text changes when files are named or
# described in another way, and then all are written again.
MARKER: Final = ".statuspage"
MARKER_TEXT: Final = b"This is written by the status page service: what it does not know goes.\n1\n"

CODINGS: Final = {".gz": "gzip", ".br": "br"}


class UnusableTarget(Exception):
    """The place cannot be written to; the text is one line for the operator."""


class Vanished(OSError):
    """What was written before is not there any more: all has to be written again."""


@dataclass(frozen=True, slots=True)
class File:
    """One file to be: ``key`` is its name from the root on, ``coding`` its Content-Encoding."""

    key: str
    body: bytes = field(repr=False)
    content_type: str
    cache_control: str
    modified: datetime
    coding: str = ""


@dataclass(frozen=True, slots=True)
class Bundle:
    """A document's files, the plain one last, and the names of the forms that it does not have.

    In that order whoever finds the plain file up to date knows that the others are.
    """

    files: tuple[File, ...]
    absent: tuple[str, ...]


class Target(Protocol):
    """Where files go.  All methods raise ``OSError`` where the place refuses, for now."""

    name: str
    # Whether a page needs a folder of its own, or an object may be named like one.
    has_folders: bool

    def open(self) -> None:
        """Get ready; raises :class:`UnusableTarget` for a place that holds other people's files."""

    def keys(self) -> set[str]:
        """The names of all files that are there."""

    def write(self, bundles: Iterable[Bundle]) -> int:
        """Write the files that differ from what is there; how many these were."""

    def remove(self, keys: Collection[str]) -> int:
        """Remove the files that are there; how many these were."""


def key_of(path: str, *, has_folders: bool) -> str:
    """The name of the file that answers for an address.

    In a folder the page ``/history`` cannot be a file beside ``/history/2026-03``, so pages are
    index files; object stores serve ``history`` itself.
    """
    name = path.removeprefix("/")
    if not name or name.endswith("/"):
        return f"{name}index.html"
    is_page = "." not in name.rpartition("/")[2]
    return f"{name}/index.html" if is_page and has_folders else name


def keys_of(path: str, *, has_folders: bool) -> tuple[str, ...]:
    """The names of all files that an address may have."""
    key = key_of(path, has_folders=has_folders)
    return (key, *(key + ending for ending in CODINGS))


def bundle(path: str, document: Document, *, has_folders: bool) -> Bundle:
    """The document's files."""
    key = key_of(path, has_folders=has_folders)
    bodies: Sequence[tuple[str, bytes | None]] = (
        (".gz", document.gzip),
        (".br", document.brotli),
        ("", document.body),
    )
    return Bundle(
        files=tuple(
            File(
                key=key + ending,
                body=body,
                content_type=document.content_type,
                cache_control=document.cache_control,
                modified=document.last_modified,
                coding=CODINGS.get(ending, ""),
            )
            for ending, body in bodies
            if body is not None
        ),
        absent=tuple(key + ending for ending, body in bodies if body is None),
    )
