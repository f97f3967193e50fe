"""The layer in front of Flask: answers for ready documents without routing, template or database.

HTTP's rules for validators and encodings (RFC 9110, sections 8.8, 12.5.3 and 13) live here, once,
for the documents of the edition and for those that a view makes on demand.
"""

from __future__ import annotations

import json
import re
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable
from datetime import UTC
from email.utils import parsedate_to_datetime
from functools import lru_cache
from threading import Lock
from typing import Generic, TypeVar
from urllib.parse import quote
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from flask import Response, request
from markupsafe import escape
from werkzeug.datastructures import Headers

from statuspage.core import clock
from statuspage.core.languages import BY_SEGMENT, ENGLISH, direction, split_path, translations
from statuspage.public.addresses import PUBLIC
from statuspage.public.assets import asset_documents
from statuspage.public.document import BROTLI, GZIP, PAGE_POLICY, Document, EncodedForm, HeaderList
from statuspage.public.edition import Edition
from statuspage.public.mount import mount
from statuspage.public.refresher import Refresher

Answer = tuple[str, HeaderList, bytes]
Version = TypeVar("Version", bound=Hashable)

OK = "200 OK"
NOT_MODIFIED = "304 Not Modified"

# Addresses for visitors, once their slashes are in order: what nginx serves of an exported site.
_TIDY = re.compile(
    rf"(/({'|'.join(BY_SEGMENT)}))?/(history(/[^/]+){{0,2}}|search|subscribe(/sent)?|components|(incidents|components)/.+)|"
    r"/(api/v2/.+|[^/]+\.(rss|atom|json|ics|svg|xml|txt))"
)
# A form stands at a ready document's own address: what is posted there is Flask's to answer.
FORMS = frozenset({"/subscribe", *(f"/{segment}/subscribe" for segment in BY_SEGMENT)})
RETRY_SECONDS = 5
# Where an orchestrator asks whether the process lives.
ALIVE = "/healthz"

# A header longer than any client has reason to send is treated as if it were malformed.
_MOST_ACCEPT_ENCODING = 200
_MOST_IF_NONE_MATCH = 4096
_MOST_DATE = 64

_CODING = re.compile(
    r"([!#$%&'*+.^_`|~0-9A-Za-z-]+)"
    r"(?:[ \t]*;[ \t]*[qQ]=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?))?"
)
_ENTITY_TAG = re.compile(r'[ \t,]*(?:W/)?("[\x21\x23-\x7e\x80-\xff]*")[ \t]*(?:,[ \t,]*|$)')


class EditionMiddleware:
    """A WSGI application that answers for the edition's exact paths and passes the rest on.

    The query string, cookies, ranges and whatever else a client invents change nothing.  While
    there is no edition, paths that match ``public`` are unavailable (503) and not unknown.
    """

    def __init__(
        self,
        app: WSGIApplication,
        refresher: Refresher,
        *,
        public: re.Pattern[str] = PUBLIC,
        prefix: str = "",
        settle: Callable[[HeaderList], HeaderList] = lambda headers: headers,
    ) -> None:
        self._app = app
        self._edition = refresher.edition
        self._public = public
        self._prefix = prefix
        self._settle = settle

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer from memory, or let the application answer."""
        answer = self._find(environ, Edition.find)
        if answer is None:
            return self._app(environ, start_response)
        status, headers, body = answer
        # A copy, because a server or another layer may add to the list that it is handed.
        start_response(status, list(self._settle(headers)))
        # A list of one: servers send it as it is, with its length known.
        return [body]

    def prepare(self) -> None:
        """Have the first edition at hand, or know that there is none; five seconds at most."""
        self._edition()

    def ready(self, environ: WSGIEnvironment) -> Answer | None:
        """The answer that is in memory; its headers are shared and not to be changed.

        Nothing is made for it, so that an event loop may ask.
        """
        answer = self._find(environ, Edition.peek)
        return (answer[0], self._settle(answer[1]), answer[2]) if answer else None

    def _find(
        self, environ: WSGIEnvironment, find: Callable[[Edition, str], Document | None]
    ) -> Answer | None:
        mount(environ, self._prefix)
        path = environ["PATH_INFO"]
        if not path and self._prefix:
            return _to_the_page(self._prefix)
        if path == ALIVE:
            return _alive(environ)
        if path in FORMS and environ["REQUEST_METHOD"] == "POST":
            return None
        edition = self._edition()
        document = find(edition, path) if edition is not None else None
        # A copy on disk may be older than this program: what is made now asks for present styles.
        document = document or asset_documents().get(path)
        if document is not None:
            return respond(document, environ)
        if (tidy := tidy_path(path)) and environ["REQUEST_METHOD"] in {"GET", "HEAD", "OPTIONS"}:
            return _lead(self._prefix + tidy, environ)
        if edition is None and self._public.fullmatch(path):
            return unavailable(environ)
        return None


def tidy_path(path: str) -> str | None:
    """Where a visitor is led who wrote a double or a trailing slash; None for any other path.

    A front page in another language is the only address that ends in a slash.
    """
    if "//" not in path and not path.endswith("/"):
        return None
    tidy = re.sub("/{2,}", "/", path).rstrip("/") or "/"
    if tidy.strip("/") in BY_SEGMENT:
        tidy += "/"
    elif tidy != "/" and not _TIDY.fullmatch(tidy):
        return None
    return tidy if tidy != path else None


def _lead(address: str, environ: WSGIEnvironment) -> Answer:
    """To the one address of a document, without naming the host that was asked."""
    # PATH_INFO holds the bytes of the path as Latin-1 (PEP 3333); nothing may end the header.
    location = quote(address, safe="/@!$&'()*+,;=:~", encoding="latin-1")
    query = environ.get("QUERY_STRING", "")
    if query and re.fullmatch("[!-~]+", query):
        location += "?" + query
    headers = [
        ("Location", location),
        ("Content-Length", "0"),
        ("Cache-Control", "no-cache"),
        ("X-Content-Type-Options", "nosniff"),
    ]
    return "301 Moved Permanently", headers, b""


def respond(document: Document, environ: WSGIEnvironment) -> Answer:
    """Status, headers and body for this request; the headers are shared and not to be changed."""
    method = environ["REQUEST_METHOD"]
    if method != "GET" and method != "HEAD":
        return _refuse(document, method)
    codings = environ.get("HTTP_ACCEPT_ENCODING", "")
    accepted = _read_accept_encoding(codings) if len(codings) <= _MOST_ACCEPT_ENCODING else 0
    form = document.forms[accepted]
    if _is_known(document, form, environ):
        return NOT_MODIFIED, form.headers_unchanged, b""
    return OK, form.headers, b"" if method == "HEAD" else form.body


def unavailable(environ: WSGIEnvironment) -> Answer:
    """The answer for a public address while there is neither database nor copy: 503, try again."""
    is_json = environ["PATH_INFO"].endswith(".json")
    if is_json:
        text = json.dumps({"error": "The status is not available right now. Please try again."})
        content_type = "application/json; charset=utf-8"
    else:
        asked, _ = split_path(environ["PATH_INFO"])
        text, content_type = _unavailable_page(asked or ENGLISH), "text/html; charset=utf-8"
    body = text.encode()
    headers = [
        ("Content-Type", content_type),
        ("Content-Length", str(len(body))),
        ("Retry-After", str(RETRY_SECONDS)),
        ("Cache-Control", "no-store"),
        ("Content-Security-Policy", PAGE_POLICY),
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "same-origin"),
        *([("Access-Control-Allow-Origin", "*")] if is_json else ()),
    ]
    return "503 Service Unavailable", headers, b"" if _is_head(environ) else body


class DocumentResponse(Response):
    """A Flask response with a document's own headers: Werkzeug would strip those of a 304."""

    default_mimetype = None

    def get_wsgi_headers(self, environ: WSGIEnvironment) -> Headers:
        """The headers as they are."""
        return self.headers


def document_response(document: Document) -> Response:
    """The current request's answer for ``document``, for a view to return."""
    status, headers, body = respond(document, request.environ)
    # Given bytes instead of a list of them, Flask would count the length of a HEAD's absent body.
    return DocumentResponse([body], status=status, headers=headers)


class OnDemand(Generic[Version]):
    """Documents that are made when somebody asks: older incidents, months gone by.

    Holds at most ``most`` documents of ``most_bytes`` in all, and drops those not asked for the
    longest time.  Safe for threads; a document is made by one thread while others wait for it.
    """

    def __init__(self, *, most: int = 512, most_bytes: int = 32 * 1024 * 1024) -> None:
        self._most = most
        self._most_bytes = most_bytes
        self._bytes = 0
        self._kept: OrderedDict[str, tuple[Version, Document]] = OrderedDict()
        self._lock = Lock()
        # Paths share these: two that collide wait for each other, which costs only time.
        self._making = [Lock() for _ in range(16)]

    def get(
        self, path: str, *, version: Version, make: Callable[[Document | None], Document]
    ) -> Document:
        """The document at ``path`` in this ``version`` of the site, made by ``make`` if need be.

        ``make`` is given the document of an older version, so that equal bytes stay the same
        object (see `make_document`).  What it raises is raised here, and nothing is kept.
        """
        kept = self._find(path)
        if kept is not None and kept[0] == version:
            return kept[1]
        with self._making[hash(path) % len(self._making)]:
            kept = self._find(path)
            if kept is not None and kept[0] == version:
                return kept[1]
            document = make(kept[1] if kept else None)
            self._keep(path, version, document)
            return document

    def peek(self, path: str) -> tuple[Version, Document] | None:
        """The document at ``path`` in whatever version there is, for when none can be made."""
        return self._find(path)

    def __len__(self) -> int:
        """How many documents are held."""
        return len(self._kept)

    def _find(self, path: str) -> tuple[Version, Document] | None:
        with self._lock:
            kept = self._kept.get(path)
            if kept is not None:
                self._kept.move_to_end(path)
            return kept

    def _keep(self, path: str, version: Version, document: Document) -> None:
        with self._lock:
            former = self._kept.pop(path, None)
            self._bytes += _weight(document) - (_weight(former[1]) if former else 0)
            self._kept[path] = (version, document)
            while len(self._kept) > self._most or self._bytes > self._most_bytes:
                _, (_, dropped) = self._kept.popitem(last=False)
                self._bytes -= _weight(dropped)


# Bounded, because clients can invent headers without end; real ones are a few dozen.
@lru_cache(maxsize=256)
def _read_accept_encoding(header: str) -> int:
    """The codings that a client likes best, as bits of ``GZIP`` and ``BROTLI``."""
    weights: dict[str, float] = {}
    for item in header.split(","):
        item = item.strip(" \t")
        if not item:
            continue
        coding = _CODING.fullmatch(item)
        if coding is None:
            return 0
        name, weight = coding.groups()
        weights[name.lower()] = 1.0 if weight is None else float(weight)
    others = weights.get("*", 0.0)
    gzip = weights.get("gzip", weights.get("x-gzip", others))
    brotli = weights.get("br", others)
    best = max(gzip, brotli)
    # Plain bytes are always acceptable, but preferred only where somebody says so.
    if best == 0 or weights.get("identity", 0.0) > best:
        return 0
    return GZIP * (gzip == best) + BROTLI * (brotli == best)


def _is_known(document: Document, form: EncodedForm, environ: WSGIEnvironment) -> bool:
    """Whether the client already has these bytes, by the validators that it sent."""
    tags = environ.get("HTTP_IF_NONE_MATCH")
    if tags is not None:
        # RFC 9110, 13.1.3: where there is an If-None-Match the date is not looked at.
        return _names(form.etag, tags)
    since = environ.get("HTTP_IF_MODIFIED_SINCE")
    return since is not None and _is_unmodified(document, since)


def _names(etag: str, header: str) -> bool:
    """Whether If-None-Match names ``etag``, compared weakly; a malformed header names nothing."""
    if header == etag:
        return True
    if header.strip(" \t") == "*":
        return True
    if etag not in header or len(header) > _MOST_IF_NONE_MATCH:
        return False
    found, at = False, 0
    while at < len(header):
        tag = _ENTITY_TAG.match(header, at)
        if tag is None:
            return False
        found = found or tag[1] == etag
        at = tag.end()
    return found


def _is_unmodified(document: Document, header: str) -> bool:
    if not document.is_dated:
        return False
    if header == document.last_modified_http:
        return True
    if len(header) > _MOST_DATE:
        return False
    try:
        moment = parsedate_to_datetime(header)
        # The obsolete asctime form names no zone; HTTP's dates are all in UTC.
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        return False
    return document.last_modified <= moment <= clock.now()


def _refuse(document: Document, method: str) -> Answer:
    if method == "OPTIONS" and document.cors:
        # A browser asks first when a script sets a header of its own (Fetch, CORS preflight).
        return "204 No Content", _PREFLIGHT, b""
    return "405 Method Not Allowed", _REFUSAL, _REFUSAL_BODY


def _alive(environ: WSGIEnvironment) -> Answer:
    """The process lives: said without the application, whose threads may all be waiting."""
    if environ["REQUEST_METHOD"] not in {"GET", "HEAD"}:
        return "405 Method Not Allowed", _REFUSAL, _REFUSAL_BODY
    return OK, _ALIVE_HEADERS, b"" if _is_head(environ) else _ALIVE_BODY


def _to_the_page(prefix: str) -> Answer:
    """The page's address has a slash at its end: what it links to is found from there."""
    headers = [("Location", f"{prefix}/"), ("Content-Length", "0")]
    return "308 Permanent Redirect", headers, b""


def _is_head(environ: WSGIEnvironment) -> bool:
    return bool(environ["REQUEST_METHOD"] == "HEAD")


def _weight(document: Document) -> int:
    return sum(len(body) for body in (document.body, document.gzip, document.brotli) if body)


_REFUSAL_BODY = b"This address can only be read: use GET or HEAD.\n"
_REFUSAL = [
    ("Allow", "GET, HEAD"),
    ("Content-Type", "text/plain; charset=utf-8"),
    ("Content-Length", str(len(_REFUSAL_BODY))),
    ("Cache-Control", "no-store"),
    ("X-Content-Type-Options", "nosniff"),
]
_ALIVE_BODY = b"ok\n"
_ALIVE_HEADERS = [
    ("Content-Type", "text/plain; charset=utf-8"),
    ("Content-Length", str(len(_ALIVE_BODY))),
    ("Cache-Control", "no-store"),
    ("Content-Security-Policy", PAGE_POLICY),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "same-origin"),
]
_PREFLIGHT = [
    ("Allow", "GET, HEAD, OPTIONS"),
    ("Access-Control-Allow-Origin", "*"),
    ("Access-Control-Allow-Methods", "GET, HEAD, OPTIONS"),
    ("Access-Control-Allow-Headers", "*"),
    ("Access-Control-Max-Age", "86400"),
]


@lru_cache(maxsize=len(BY_SEGMENT))
def _unavailable_page(language: str) -> str:
    """A page that needs no style: there may be nothing here to serve one."""
    say = translations(language).gettext
    title = say("The status isn’t available right now")
    reason = say(
        "This page cannot reach its own records, so it cannot say how the services are doing. "
        "Please try again in a few seconds."
    )
    return f"""<!doctype html>
<html lang="{language}" dir="{direction(language)}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title>
</head>
<body>
<h1>{escape(title)}</h1>
<p>{escape(reason)}</p>
</body>
</html>
"""
