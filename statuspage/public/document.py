"""One public document as ready bytes: its encodings, validators and headers, made once.

Everything that an answer needs is computed when the document is made, so that a request costs
two look-ups.  The bytes and headers depend on the document alone, never on who asks.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from hashlib import blake2b

import brotli

HeaderList = list[tuple[str, str]]

HTML = "text/html; charset=utf-8"
TEXT = "text/plain; charset=utf-8"
XML = "application/xml; charset=utf-8"

# Browsers and CDNs may hold a document for five seconds, show it for ten more while they fetch the
# next, and for a day while this service does not answer (RFC 9111, RFC 5861).
SHORT_LIVED = "public, max-age=5, stale-while-revalidate=10, stale-if-error=86400"
# For addresses whose bytes never change, like static files named after their content (RFC 8246).
IMMUTABLE = "public, max-age=31536000, immutable"

PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)

# Chosen by measuring pages of 4 to 80 KB: one level more costs half as much time again and saves
# one byte in fifty; Brotli below 5 makes larger bytes than gzip.
GZIP_LEVEL = 5
BROTLI_QUALITY = 5
# Long lists of components are compressed at a third of the cost, to a sixth more bytes: each post
# changes them, and waits for them.
LARGE_BYTES = 80_000
GZIP_LEVEL_LARGE = 3
BROTLI_QUALITY_LARGE = 2

# What a client likes best beside the plain bytes, as bits: the index into `Document.forms`.
GZIP = 1
BROTLI = 2


@dataclass(frozen=True, slots=True)
class EncodedForm:
    """One encoding of a document, with its strong ETag and the headers of a 200 and of a 304."""

    body: bytes
    etag: str
    headers: HeaderList
    headers_unchanged: HeaderList


@dataclass(frozen=True, slots=True)
class Document:
    """A public document in all its encodings.

    ``last_modified`` is aware, in UTC and in whole seconds.  ``gzip`` and ``brotli`` are None where
    they would not be smaller.  ``cors`` lets scripts of any site read it.  ``forms`` is indexed by
    what the client likes best: 0, ``GZIP``, ``BROTLI`` or both.  ``is_dated`` is false where
    another version has the same date, so that only the ETag tells them apart.  Raises
    ``ValueError`` for a header value that is not printable ASCII and for a time without a zone.
    """

    body: bytes = field(repr=False)
    content_type: str
    last_modified: datetime
    gzip: bytes | None = field(default=None, repr=False)
    brotli: bytes | None = field(default=None, repr=False)
    cors: bool = False
    cache_control: str = SHORT_LIVED
    content_security_policy: str = PAGE_POLICY
    is_dated: bool = field(default=True, compare=False)
    last_modified_http: str = field(init=False, repr=False, compare=False)
    forms: tuple[EncodedForm, EncodedForm, EncodedForm, EncodedForm] = field(
        init=False, repr=False, compare=False
    )

    def __post_init__(self) -> None:
        """Settle what follows from the rest: the date as HTTP writes it, and the forms."""
        moment = _whole_second(self.last_modified)
        object.__setattr__(self, "last_modified", moment)
        object.__setattr__(self, "last_modified_http", format_datetime(moment, usegmt=True))
        _require_printable(self.content_type, self.cache_control, self.content_security_policy)
        plain = self._form(self.body, coding="")
        gzip = self._form(self.gzip, coding="gzip") if self.gzip is not None else plain
        both = self._form(self.brotli, coding="br") if self.brotli is not None else gzip
        only_brotli = both if self.brotli is not None else plain
        object.__setattr__(self, "forms", (plain, gzip, only_brotli, both))

    def _form(self, body: bytes, *, coding: str) -> EncodedForm:
        digest = blake2b(body, digest_size=12).hexdigest()
        etag = f'"{digest}-{coding}"' if coding else f'"{digest}"'
        # RFC 9110, 15.4.5: what a 304 repeats, so that caches can update what they hold.
        unchanged = [
            ("ETag", etag),
            ("Last-Modified", self.last_modified_http),
            ("Cache-Control", self.cache_control),
            ("Vary", "Accept-Encoding"),
        ]
        if self.cors:
            unchanged.append(("Access-Control-Allow-Origin", "*"))
        headers = [
            ("Content-Type", self.content_type),
            ("Content-Length", str(len(body))),
            *unchanged,
            ("Content-Security-Policy", self.content_security_policy),
            ("X-Content-Type-Options", "nosniff"),
            # Not "no-referrer": with that a form's POST names its origin as null.
            ("Referrer-Policy", "same-origin"),
        ]
        if coding:
            headers.append(("Content-Encoding", coding))
        return EncodedForm(body=body, etag=etag, headers=headers, headers_unchanged=unchanged)


@dataclass(frozen=True, slots=True)
class DocumentDraft:
    """A document's content, before it is compressed."""

    content: str | bytes
    content_type: str
    cors: bool = False

    def finish(self, last_modified: datetime, *, previous: Document | None = None) -> Document:
        """The document, or ``previous`` itself where nothing changed."""
        return make_document(
            self.content,
            content_type=self.content_type,
            last_modified=last_modified,
            cors=self.cors,
            previous=previous,
        )


def make_document(
    body: bytes | str,
    *,
    content_type: str,
    last_modified: datetime,
    cors: bool = False,
    cache_control: str = SHORT_LIVED,
    content_security_policy: str = PAGE_POLICY,
    is_dated: bool = True,
    previous: Document | None = None,
) -> Document:
    """The document with its compressed forms; text is written as UTF-8.

    ``last_modified`` is the newest moment that the content knows, never the moment of building:
    hosts that build the same content must say the same.  Where ``previous`` (the document at this
    address until now) has the same bytes and headers it is returned itself, with its
    ``last_modified``, and nothing is compressed again.  Other bytes of the same second, HTTP's
    smallest, make a document that is not dated.
    """
    content = body.encode() if isinstance(body, str) else body
    if (
        previous is not None
        and previous.body == content
        and previous.content_type == content_type
        and previous.cors == cors
        and previous.cache_control == cache_control
        and previous.content_security_policy == content_security_policy
    ):
        return previous
    is_large = len(content) > LARGE_BYTES
    gzip_level = GZIP_LEVEL_LARGE if is_large else GZIP_LEVEL
    brotli_quality = BROTLI_QUALITY_LARGE if is_large else BROTLI_QUALITY
    return Document(
        body=content,
        content_type=content_type,
        last_modified=last_modified,
        gzip=_if_smaller(zlib.compress(content, gzip_level, wbits=31), than=content),
        brotli=_if_smaller(brotli.compress(content, quality=brotli_quality), than=content),
        cors=cors,
        cache_control=cache_control,
        content_security_policy=content_security_policy,
        is_dated=is_dated
        and (previous is None or previous.last_modified < _whole_second(last_modified)),
    )


def _whole_second(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("a time without a zone")
    return moment.astimezone(UTC).replace(microsecond=0)


def _if_smaller(candidate: bytes, *, than: bytes) -> bytes | None:
    return candidate if len(candidate) < len(than) else None


def _require_printable(*values: str) -> None:
    for value in values:
        if not (value.isascii() and value.isprintable()):
            raise ValueError(f"not a header value: {value!r}")
