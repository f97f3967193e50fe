import gzip
from datetime import UTC, datetime, timedelta, timezone

import brotli
import pytest

from statuspage.public.document import BROTLI, GZIP, IMMUTABLE, Document, make_document

NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
LONG = "All systems operational. " * 40


def page(body: bytes | str = LONG, **options: object) -> Document:
    defaults: dict[str, object] = {
        "content_type": "text/html; charset=utf-8",
        "last_modified": NOON,
    }
    return make_document(body, **{**defaults, **options})


def test_text_is_written_as_utf_8():
    assert page("naïve").body == "naïve".encode()


def test_both_compressed_forms_hold_the_same_bytes():
    document = page()
    assert gzip.decompress(document.gzip or b"") == document.body
    assert brotli.decompress(document.brotli) == document.body


def test_a_compressed_form_that_is_not_smaller_is_not_kept():
    document = page(b"ok")
    assert (document.gzip, document.brotli) == (None, None)


def test_the_forms_are_what_a_client_accepts_best_first():
    document = page()
    bodies = [form.body for form in document.forms]
    assert bodies == [document.body, document.gzip, document.brotli, document.brotli]
    assert bodies[GZIP | BROTLI] is document.brotli


def test_a_document_without_compressed_forms_has_the_plain_bytes_for_everyone():
    document = page(b"ok")
    assert {form.body for form in document.forms} == {b"ok"}


def test_each_encoding_has_a_strong_etag_of_its_own():
    document = page()
    etags = {form.etag for form in document.forms}
    assert len(etags) == 3
    assert all(etag.startswith('"') and etag.endswith('"') for etag in etags)


def test_the_etag_follows_from_the_bytes():
    assert page("one" * 99).forms[0].etag == page("one" * 99).forms[0].etag
    assert page("one" * 99).forms[0].etag != page("two" * 99).forms[0].etag


def test_the_same_content_compresses_to_the_same_bytes_everywhere():
    assert page() == page()


def test_the_headers_of_a_page_are_exactly_these():
    document = page(b"ok")
    assert document.forms[0].headers == [
        ("Content-Type", "text/html; charset=utf-8"),
        ("Content-Length", "2"),
        ("ETag", document.forms[0].etag),
        ("Last-Modified", "Wed, 04 Mar 2026 12:00:00 GMT"),
        ("Cache-Control", "public, max-age=5, stale-while-revalidate=10, stale-if-error=86400"),
        ("Vary", "Accept-Encoding"),
        (
            "Content-Security-Policy",
            "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; "
            "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
        ),
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "same-origin"),
    ]


def test_a_304_repeats_only_what_caches_update():
    names = [name for name, _ in page().forms[GZIP].headers_unchanged]
    assert names == ["ETag", "Last-Modified", "Cache-Control", "Vary"]


def test_a_compressed_form_names_its_encoding_and_length():
    headers = dict(page().forms[BROTLI].headers)
    assert headers["Content-Encoding"] == "br"
    assert headers["Content-Length"] == str(len(page().brotli or b""))


def test_a_document_for_scripts_of_any_site_says_so_in_a_304_too():
    form = page(cors=True).forms[0]
    assert ("Access-Control-Allow-Origin", "*") in form.headers
    assert ("Access-Control-Allow-Origin", "*") in form.headers_unchanged
    assert "Access-Control-Allow-Origin" not in dict(page().forms[0].headers)


def test_cache_and_security_policy_can_be_its_own():
    headers = dict(
        page(cache_control=IMMUTABLE, content_security_policy="default-src 'none'").forms[0].headers
    )
    assert headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert headers["Content-Security-Policy"] == "default-src 'none'"


def test_last_modified_is_in_utc_and_whole_seconds():
    moment = datetime(2026, 3, 4, 13, 0, 0, 999_999, tzinfo=timezone(timedelta(hours=1)))
    assert page(last_modified=moment).last_modified == NOON


def test_a_time_without_a_zone_is_refused():
    with pytest.raises(ValueError, match="without a zone"):
        page(last_modified=NOON.replace(tzinfo=None))


@pytest.mark.parametrize("value", ["text/html\r\nSet-Cookie: a=b", "text/ħtml", "a\x00b"])
def test_a_value_that_would_break_the_head_is_refused(value: str):
    with pytest.raises(ValueError, match="not a header value"):
        page(content_type=value)


def test_the_same_bytes_stay_the_same_object_with_their_date():
    former = page()
    assert page(last_modified=NOON + timedelta(days=1), previous=former) is former


def test_other_bytes_of_the_same_second_are_not_told_apart_by_date() -> None:
    first = page("one")
    second = page("two", previous=first)
    third = page("three", previous=second, last_modified=NOON + timedelta(seconds=1))
    assert [each.is_dated for each in (first, second, third)] == [True, False, True]


def test_other_bytes_or_headers_make_another_document():
    former = page()
    assert page("other", previous=former).body == b"other"
    assert page(cors=True, previous=former).cors is True
    assert page(cache_control=IMMUTABLE, previous=former).cache_control == IMMUTABLE
    assert page(content_type="text/plain", previous=former).content_type == "text/plain"
    assert page(content_security_policy="x", previous=former).content_security_policy == "x"
