import gzip
import json
import threading
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

import brotli
import pytest
from flask import Flask, Response
from hypothesis import example, given, settings
from hypothesis import strategies as st
from werkzeug.test import Client, TestResponse

from statuspage.public.assets import asset, asset_documents
from statuspage.public.document import Document, make_document
from statuspage.public.edition import Edition
from statuspage.public.middleware import EditionMiddleware, OnDemand, document_response, tidy_path
from statuspage.public.translated_pages import Versions

NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
NOON_HTTP = "Wed, 04 Mar 2026 12:00:00 GMT"
PAGE = make_document(
    "<p>All systems operational</p>" * 40,
    content_type="text/html; charset=utf-8",
    last_modified=NOON,
)
STATUS = make_document(
    '{"status": "operational"}' * 20,
    content_type="application/json; charset=utf-8",
    last_modified=NOON,
    cors=True,
)
SMALL = make_document(b"ok", content_type="text/plain", last_modified=NOON)
EDITION = Edition(
    revision=1,
    documents={"/": PAGE, "/api/v2/status.json": STATUS, "/small": SMALL},
    built_at=NOON,
)
PLAIN, GZIPPED, BROTLIED = (PAGE.forms[index] for index in (0, 1, 2))


def behind(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response("404 Not Found", [("Content-Type", "text/plain")])
    return [b"flask was asked"]


def layer(edition: Edition | None = EDITION, app: WSGIApplication = behind) -> EditionMiddleware:
    return EditionMiddleware(app, SimpleNamespace(edition=lambda: edition))


def ask(
    path: str = "/",
    *,
    method: str = "GET",
    edition: Edition | None = EDITION,
    query: str = "",
    **headers: str,
) -> TestResponse:
    names = {f"HTTP_{name.upper()}": value for name, value in headers.items()}
    return Client(layer(edition)).open(
        path, method=method, query_string=query, environ_overrides=names
    )


# What it answers for.


def test_a_ready_document_is_answered_with_its_bytes_and_headers():
    answer = ask()
    assert (answer.status, answer.data) == ("200 OK", PAGE.body)
    assert list(answer.headers) == PLAIN.headers


def test_head_has_the_headers_of_get_and_no_body():
    answer = ask(method="HEAD")
    assert (answer.status, answer.data) == ("200 OK", b"")
    assert list(answer.headers) == PLAIN.headers


@pytest.mark.parametrize(
    ("path", "tidy"),
    [
        ("/history/", "/history"),
        ("//", "/"),
        ("//history", "/history"),
        ("/history//2026-03/", "/history/2026-03"),
        ("/de/history///", "/de/history"),
        ("/de//", "/de/"),
        ("/incidents/aaaaaaaaaaaa/", "/incidents/aaaaaaaaaaaa"),
        ("/incidents/aaaaaaaaaaaa//updates.rss/", "/incidents/aaaaaaaaaaaa/updates.rss"),
        ("/components/aaaaaaaaaaaa/", "/components/aaaaaaaaaaaa"),
        ("/api/v2//status.json/", "/api/v2/status.json"),
        ("/maintenances.ics/", "/maintenances.ics"),
        ("/search/", "/search"),
        ("/", None),
        ("/de", None),
        ("/de/", None),
        ("/history", None),
        ("/admin/", None),
        ("//admin/", None),
        ("/admin//incidents/", None),
        ("/api/v1//customers/", None),
        ("/unsubscribe/3-abc/", None),
        ("//evil.example", None),
        ("/nothing/", None),
    ],
)
def test_a_double_or_trailing_slash_leads_to_the_one_address(path: str, tidy: str | None):
    assert tidy_path(path) == tidy
    answer = ask(path) if path.strip("/") and not path.startswith("//") else None
    if answer is not None and tidy is not None:
        assert (answer.status_code, answer.headers["Location"]) == (301, tidy)
        assert ask(path, method="POST").data == b"flask was asked"


def test_an_address_that_is_led_to_names_no_host_and_ends_no_header():
    front = EditionMiddleware(behind, SimpleNamespace(edition=lambda: EDITION), prefix="/status")
    given: dict[str, str] = {}
    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": "//incidents/a\rSet-Cookie: x=1/\\evil.example/",
        "QUERY_STRING": "page=2",
    }
    front(environ, lambda _, headers, __=None: given.update(headers))
    assert given["Location"] == ("/status/incidents/a%0DSet-Cookie:%20x=1/%5Cevil.example?page=2")


def test_an_address_that_is_not_ready_is_passed_on():
    assert ask("/admin/").data == b"flask was asked"


@pytest.mark.parametrize("path", ["/small//", "/small/", "/Small", "/small%00", "/api/v2/status"])
def test_only_the_exact_path_is_answered(path: str):
    assert ask(path).data == b"flask was asked"


@pytest.mark.parametrize("query", ["x=1", "%", "../../etc/passwd", "a" * 5000])
def test_the_query_changes_nothing(query: str):
    answer = ask(query=query)
    assert (answer.data, list(answer.headers)) == (PAGE.body, PLAIN.headers)


@pytest.mark.parametrize(
    "headers",
    [
        {"cookie": "session=1"},
        {"range": "bytes=0-3"},
        {"range": "nonsense"},
        {"accept": "application/pdf"},
        {"accept_language": "de"},
        {"x_forwarded_host": "elsewhere.example"},
        {"host": "elsewhere.example"},
        {"if_match": '"other"'},
        {"if_unmodified_since": "Thu, 01 Jan 1970 00:00:00 GMT"},
    ],
)
def test_other_headers_change_nothing(headers: dict[str, str]):
    answer = ask(**headers)
    assert (answer.status_code, answer.data) == (200, PAGE.body)
    assert list(answer.headers) == PLAIN.headers


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "get"])
def test_another_method_is_refused_with_those_allowed(method: str):
    environ: WSGIEnvironment = {"REQUEST_METHOD": method, "PATH_INFO": "/"}
    answers: list[tuple[str, dict[str, str]]] = []
    layer()(environ, lambda status, headers, _=None: answers.append((status, dict(headers))))
    assert answers[0][0] == "405 Method Not Allowed"
    assert answers[0][1]["Allow"] == "GET, HEAD"


def test_a_browser_may_ask_first_for_what_any_site_may_read():
    answer = ask("/api/v2/status.json", method="OPTIONS")
    assert answer.status_code == 204
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["Access-Control-Allow-Methods"] == "GET, HEAD, OPTIONS"


def test_a_layer_outside_may_change_the_headers_of_its_own_answer_only():
    def careless(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        def start(status: str, headers: list[tuple[str, str]], _: object = None) -> object:
            headers.append(("Set-Cookie", "leak=1"))
            return start_response(status, headers)

        return layer()(environ, start)

    for _ in range(2):
        assert len(Client(careless).get("/").headers.getlist("Set-Cookie")) == 1


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("GET", "/", {}),
        ("HEAD", "/", {}),
        ("GET", "/", {"HTTP_ACCEPT_ENCODING": "br"}),
        ("GET", "/", {"HTTP_IF_NONE_MATCH": "*"}),
        ("POST", "/", {}),
        ("OPTIONS", "/api/v2/status.json", {}),
    ],
)
def test_every_answer_is_valid_wsgi(method: str, path: str, headers: dict[str, str]):
    environ: WSGIEnvironment = {}
    setup_testing_defaults(environ)
    environ |= {"REQUEST_METHOD": method, "PATH_INFO": path, "QUERY_STRING": "", **headers}
    answer = validator(layer())(environ, lambda *_: lambda _: None)
    list(answer)
    answer.close()


# Encodings.


@pytest.mark.parametrize(
    ("accepts", "coding"),
    [
        ("gzip", "gzip"),
        ("br", "br"),
        ("gzip, deflate, br, zstd", "br"),
        ("gzip, deflate", "gzip"),
        ("GZIP", "gzip"),
        ("x-gzip", "gzip"),
        ("br;q=0.1, gzip;q=1.0", "gzip"),
        ("br;q=1.0, gzip;q=0.9, deflate;q=0.8", "br"),
        ("gzip;q=0.5, br;q=0.5", "br"),
        ("identity, gzip;q=0.5", None),
        ("identity;q=0.5, gzip;q=0.5", "gzip"),
        ("br;q=0, gzip", "gzip"),
        ("br;q=0.000,gzip;q=0", None),
        ("gzip ; q=0.5", "gzip"),
        (" , gzip,, ", "gzip"),
        ("*", "br"),
        ("*, br;q=0", "gzip"),
        ("*;q=0", None),
        ("*;q=0, gzip", "gzip"),
        ("identity", None),
        ("identity;q=0, *;q=0", None),
        ("deflate", None),
        ("", None),
        ("gzip;q=2", None),
        ("gzip;q=0.1234", None),
        ("gzip;q=", None),
        ("gzip;level=9", None),
        ("gzip br", None),
        ("gzip;q=1;q=1", None),
        ("br, gzip, \x00", None),
        ("ünknown, gzip", None),
        ("gzip," * 500, None),
    ],
)
def test_the_best_accepted_encoding_is_sent_and_plain_bytes_where_it_is_malformed(
    accepts: str, coding: str | None
):
    answer = ask(accept_encoding=accepts)
    assert answer.headers.get("Content-Encoding") == coding
    assert answer.headers["Vary"] == "Accept-Encoding"
    assert unpack(answer) == PAGE.body


def test_a_document_too_small_to_compress_is_sent_plain_and_varies_all_the_same():
    answer = ask("/small", accept_encoding="gzip, br")
    assert (answer.data, answer.headers["Vary"]) == (b"ok", "Accept-Encoding")
    assert "Content-Encoding" not in answer.headers


def unpack(answer: TestResponse) -> bytes:
    coding = answer.headers.get("Content-Encoding")
    if coding == "gzip":
        return gzip.decompress(answer.data)
    return bytes(brotli.decompress(answer.data)) if coding == "br" else answer.data


# Validators.


@pytest.mark.parametrize(
    "tags",
    [
        PLAIN.etag,
        f"W/{PLAIN.etag}",
        f'"other", {PLAIN.etag}',
        f'"other",W/{PLAIN.etag},"third"',
        f' , "other" ,, {PLAIN.etag} , ',
        f'"with,comma", {PLAIN.etag}',
        "*",
        " * ",
    ],
)
def test_a_known_etag_is_answered_with_304(tags: str):
    answer = ask(if_none_match=tags)
    assert (answer.status, answer.data) == ("304 Not Modified", b"")
    assert list(answer.headers) == PLAIN.headers_unchanged


@pytest.mark.parametrize(
    "tags",
    [
        '"other"',
        GZIPPED.etag,
        PLAIN.etag.strip('"'),
        PLAIN.etag[:-1],
        f"w/{PLAIN.etag}",
        f"W/ {PLAIN.etag}",
        f"{PLAIN.etag} {PLAIN.etag}",
        f"{PLAIN.etag}, junk",
        f'"unclosed, {PLAIN.etag}',
        f"*, {PLAIN.etag}",
        f'"{"x" * 5000}", {PLAIN.etag}',
        "",
        "\x00",
    ],
)
def test_an_unknown_or_malformed_etag_gets_the_document(tags: str):
    answer = ask(if_none_match=tags)
    assert (answer.status_code, answer.data) == (200, PAGE.body)


def test_the_etag_is_that_of_the_encoding_sent():
    answer = ask(if_none_match=GZIPPED.etag, accept_encoding="gzip")
    assert answer.status_code == 304
    assert answer.headers["ETag"] == GZIPPED.etag
    assert ask(if_none_match=GZIPPED.etag, accept_encoding="br").data == BROTLIED.body


def test_a_304_lets_scripts_of_any_site_read_it_too():
    answer = ask("/api/v2/status.json", if_none_match="*")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize(
    "since",
    [
        NOON_HTTP,
        "Wed, 04 Mar 2026 12:00:01 GMT",
        "Wednesday, 04-Mar-26 12:00:00 GMT",
        "Wed Mar  4 12:00:00 2026",
        "Wed, 04 Mar 2026 13:00:00 +0100",
    ],
)
def test_a_document_not_modified_since_is_answered_with_304(since: str):
    answer = ask(if_modified_since=since)
    assert answer.status_code == 304
    assert answer.headers["Last-Modified"] == NOON_HTTP


@pytest.mark.parametrize(
    "since",
    [
        "Wed, 04 Mar 2026 11:59:59 GMT",
        "Fri, 01 Jan 2100 00:00:00 GMT",
        "yesterday",
        "",
        "Wed, 99 Mar 2026 12:00:00 GMT",
        "Wed, 04 Mar 99999 12:00:00 GMT",
        "Wed, 04 Mar 2026 12:00:00 +99999999999",
        "Wed, 04 Mar 0001 00:00:00 +2359",
        "1772625600",
        NOON_HTTP + " " * 100,
    ],
)
def test_an_older_malformed_or_future_date_gets_the_document(since: str):
    assert ask(if_modified_since=since).data == PAGE.body


@pytest.mark.parametrize("tags", ['"other"', "malformed"])
def test_where_there_is_an_if_none_match_the_date_is_not_looked_at(tags: str):
    assert ask(if_none_match=tags, if_modified_since=NOON_HTTP).status_code == 200


def test_head_is_answered_with_304_too():
    assert ask(method="HEAD", if_none_match=PLAIN.etag).status_code == 304


HEADER = st.one_of(
    st.text(st.characters(max_codepoint=255), max_size=60),
    st.text('"W/*, ;q=01.gzipbr' + PLAIN.etag, max_size=80),
    st.sampled_from([PLAIN.etag, "*", NOON_HTTP, "gzip, br", "bytes=0-", "gzip;q=0"]),
)


@settings(deadline=None, max_examples=150)
@given(
    method=st.sampled_from(["GET", "GET", "GET", "HEAD", "POST"]) | st.text(max_size=8),
    path=st.sampled_from(["/", "/", "/api/v2/status.json", "/small"]) | st.text(max_size=20),
    headers=st.dictionaries(
        st.sampled_from(
            [
                "HTTP_ACCEPT_ENCODING",
                "HTTP_IF_NONE_MATCH",
                "HTTP_IF_MODIFIED_SINCE",
                "HTTP_RANGE",
                "HTTP_ACCEPT",
                "HTTP_COOKIE",
            ]
        ),
        HEADER,
    ),
    query=st.text(max_size=30),
)
@example("GET", "/", {"HTTP_IF_MODIFIED_SINCE": "Wed, 04 Mar 2026 12:00:00 -0000"}, "")
def test_whatever_a_client_invents_the_answer_is_sane(
    method: str, path: str, headers: dict[str, str], query: str
):
    answers: list[tuple[int, dict[str, str]]] = []
    environ = {"REQUEST_METHOD": method, "PATH_INFO": path, "QUERY_STRING": query, **headers}
    body = b"".join(
        layer()(
            environ,
            lambda status, given, _=None: answers.append((int(status[:3]), dict(given))),
        )
    )
    [(status, given_headers)] = answers
    if path not in EDITION.documents:
        led = tidy_path(path) and method in {"GET", "HEAD"}
        assert (status, body) == ((301, b"") if led else (404, b"flask was asked"))
        return
    assert status in ({200, 304} if method in ("GET", "HEAD") else {204, 405})
    if status == 200:
        document = EDITION.documents[path]
        assert body in ({b""} if method == "HEAD" else {form.body for form in document.forms})
        assert given_headers["ETag"] in {form.etag for form in document.forms}
    if status in (204, 304):
        assert body == b""


# While there is no edition.


def test_without_an_edition_public_addresses_are_unavailable_and_say_when_to_come_back():
    answer = ask(edition=None)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert answer.headers["Cache-Control"] == "no-store"
    assert "The status isn’t available right now" in answer.text


@pytest.mark.parametrize("path", ["/de/", "/de/history", "/de/incidents/abc", "/de/subscribe/sent"])
def test_without_an_edition_each_language_is_unavailable_in_its_words(path: str):
    answer = ask(path, edition=None)
    assert answer.status_code == 503
    assert "<h1>Der Status ist gerade nicht verfügbar</h1>" in answer.text


def test_without_an_edition_json_is_unavailable_as_json():
    answer = ask("/api/v2/summary.json", edition=None)
    assert answer.status_code == 503
    assert list(json.loads(answer.data)) == ["error"]
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


def test_without_an_edition_head_has_no_body():
    answer = ask(edition=None, method="HEAD")
    assert (answer.status_code, answer.data) == (503, b"")


@pytest.mark.parametrize(
    "path",
    [
        *("/history", "/history.rss", "/updates.json", "/incidents/abc", "/maintenances.ics"),
        *("/subscribe", "/subscribe/sent"),
    ],
)
def test_without_an_edition_no_public_address_is_unknown(path: str):
    assert ask(path, edition=None).status_code == 503


@pytest.mark.parametrize("path", ["/admin/", "/readyz", "/static/logo.svg", "/unsubscribe/x"])
def test_without_an_edition_the_rest_still_works(path: str):
    assert ask(path, edition=None).data == b"flask was asked"


@pytest.mark.parametrize("edition", [None, EDITION])
def test_that_the_process_lives_is_said_without_the_application(edition: Edition | None):
    answer = ask("/healthz", edition=edition)
    assert (answer.status_code, answer.data, answer.headers["Cache-Control"]) == (
        200,
        b"ok\n",
        "no-store",
    )


def test_what_is_posted_to_a_form_s_own_address_is_not_answered_from_memory():
    assert ask("/subscribe", method="POST", edition=EDITION).data == b"flask was asked"
    assert ask("/", method="POST", edition=EDITION).status_code == 405


def test_an_empty_edition_answers_for_nothing():
    assert ask(edition=Edition(revision=1, documents={}, built_at=NOON)).status_code == 404


@pytest.mark.parametrize("edition", [None, EDITION], ids=["none", "of an older program"])
def test_the_styles_of_pages_made_now_are_there_whatever_is_shown(edition: Edition | None):
    path = asset("page.css")
    assert ask(path, edition=edition).data == asset_documents()[path].body


# Views.


@pytest.fixture
def flask_client() -> Client:
    app = Flask(__name__)

    @app.get("/incidents/old")
    def old() -> Response:
        return document_response(PAGE)

    return Client(app)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Accept-Encoding": "gzip"},
        {"If-None-Match": PLAIN.etag},
        {"If-Modified-Since": NOON_HTTP},
        {"Accept-Encoding": "br", "If-None-Match": BROTLIED.etag},
    ],
)
def test_a_view_answers_exactly_as_the_layer_does(
    flask_client: Client, method: str, headers: dict[str, str]
):
    from_view = flask_client.open("/incidents/old", method=method, headers=headers)
    from_layer = Client(layer()).open("/", method=method, headers=headers)
    assert from_view.status_code == from_layer.status_code
    assert from_view.data == from_layer.data
    assert sorted(from_view.headers) == sorted(from_layer.headers)


# Documents on demand.


def made(text: str = "x", size: int = 0) -> Document:
    return Document(body=text.encode() * (size or 1), content_type="a/b", last_modified=NOON)


def test_a_document_is_made_once_for_a_version():
    cache, makings = OnDemand(), list[int]()

    def make(_: Document | None) -> Document:
        makings.append(1)
        return made()

    first = cache.get("/a", version=1, make=make)
    assert cache.get("/a", version=1, make=make) is first
    assert makings == [1]


def test_a_new_version_is_made_from_the_one_before():
    cache = OnDemand()
    first = cache.get("/a", version=1, make=lambda _: made("one"))
    seen: list[Document | None] = []
    cache.get("/a", version=2, make=lambda former: seen.append(former) or made("two"))
    assert seen == [first]
    assert cache.peek("/a") == (2, made("two"))


def test_a_client_that_asks_by_date_gets_each_of_two_posts_of_one_second():
    first = make_document(b"one", content_type="text/plain", last_modified=NOON)
    second = make_document(b"two", content_type="text/plain", last_modified=NOON, previous=first)
    shown = [Edition(revision=1, documents={"/": each}, built_at=NOON) for each in (first, second)]
    answers = [ask(edition=each, if_modified_since=NOON_HTTP) for each in shown]
    assert [(answer.status_code, answer.data) for answer in answers] == [(304, b""), (200, b"two")]
    by_tag = ask(edition=shown[1], if_none_match=second.forms[0].etag)
    assert by_tag.status_code == 304


def test_the_document_not_asked_for_the_longest_is_dropped():
    cache = OnDemand(most=2)
    for path in ("/a", "/b"):
        cache.get(path, version=1, make=lambda _: made())
    cache.peek("/a")
    cache.get("/c", version=1, make=lambda _: made())
    assert [cache.peek(path) is not None for path in ("/a", "/b", "/c")] == [True, False, True]


def test_documents_are_dropped_to_keep_within_the_bytes():
    cache = OnDemand(most_bytes=250)
    for path in ("/a", "/b", "/c"):
        cache.get(path, version=1, make=lambda _: made(size=100))
    assert len(cache) == 2
    cache.get("/c", version=2, make=lambda _: made(size=200))
    assert len(cache) == 1
    cache.get("/c", version=3, make=lambda _: made(size=100))
    cache.get("/d", version=3, make=lambda _: made(size=100))
    assert len(cache) == 2


def test_a_document_larger_than_all_is_returned_and_not_kept():
    cache = OnDemand(most_bytes=10)
    assert cache.get("/a", version=1, make=lambda _: made(size=100)).body == b"x" * 100
    assert (len(cache), cache._bytes) == (0, 0)


def test_what_cannot_be_made_is_not_kept_and_its_error_is_raised():
    cache = OnDemand()

    def refuse(_: Document | None) -> Document:
        raise LookupError("no such incident")

    with pytest.raises(LookupError, match="no such incident"):
        cache.get("/a", version=1, make=refuse)
    assert len(cache) == 0
    assert cache.get("/a", version=1, make=lambda _: made()) == made()


def test_a_crowd_asking_for_the_same_document_makes_it_once():
    cache, makings, ready = OnDemand(), list[int](), threading.Barrier(8)

    def make(_: Document | None) -> Document:
        makings.append(1)
        return made()

    def visit() -> None:
        ready.wait(10)
        cache.get("/a", version=1, make=make)

    visitors = [threading.Thread(target=visit) for _ in range(8)]
    for visitor in visitors:
        visitor.start()
    for visitor in visitors:
        visitor.join()
    assert makings == [1]


def test_many_threads_keep_the_count_of_bytes_right():
    cache = OnDemand(most=5)

    def visit(seed: int) -> None:
        for step in range(200):
            path, document = f"/{(seed * 7 + step * 3) % 11}", made(size=step % 50)
            cache.get(path, version=step % 3, make=lambda _, document=document: document)

    visitors = [threading.Thread(target=visit, args=(seed,)) for seed in range(4)]
    for visitor in visitors:
        visitor.start()
    for visitor in visitors:
        visitor.join()
    kept = [cache.peek(f"/{number}") for number in range(11)]
    assert len(cache) == 5
    assert cache._bytes == sum(len(each[1].body) for each in kept if each)


def test_nothing_is_made_for_whoever_asks_only_for_what_is_ready():
    edition = replace(EDITION, versions=Versions({"/subscribe": lambda _former: PAGE}))
    front = layer(edition)
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/subscribe", "QUERY_STRING": ""}
    assert front.ready(dict(environ)) is None
    assert ask("/subscribe", edition=edition).data == PAGE.body
    assert front.ready(dict(environ)) is not None
