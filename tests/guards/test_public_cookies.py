"""The public side sets no cookie and reads none: what it answers may be kept for everybody."""

from __future__ import annotations

from collections.abc import Iterator

from flask import Flask
from werkzeug.routing import AnyConverter, IntegerConverter, Rule

from tests.browsing import Browser

BESIDE_FLASK = (
    "/",
    "/history",
    "/history.rss",
    "/history.atom",
    "/updates.rss",
    "/updates.atom",
    "/updates.json",
    "/incidents/c00000000001",
    "/api/v2/summary.json",
    "/subscribe",
    "/nothing",
)


def public_paths(app: Flask) -> Iterator[str]:
    """An address of every route outside the admin, and those that ready documents answer."""
    adapter = app.url_map.bind("status.example.com")
    for rule in app.url_map.iter_rules():
        if not rule.endpoint.startswith("admin."):
            yield adapter.build(
                rule.endpoint, {name: _example(rule, name) for name in rule._converters}
            )
    yield from BESIDE_FLASK


def _example(rule: Rule, name: str) -> object:
    converter = rule._converters[name]
    if isinstance(converter, AnyConverter):
        return min(converter.items)
    return 1 if isinstance(converter, IntegerConverter) else "x"


def test_no_public_answer_sets_a_cookie_or_depends_on_one(app: Flask) -> None:
    client = app.test_client()
    for path in public_paths(app):
        for method in ("GET", "HEAD", "POST", "OPTIONS"):
            headers = client.open(path, method=method).headers
            assert "Set-Cookie" not in headers, (method, path)
            assert "Cookie" not in headers.get("Vary", ""), (method, path)


def test_not_even_to_who_is_signed_in(admin: Browser, app: Flask) -> None:
    for path in public_paths(app):
        assert "Set-Cookie" not in admin.get(path).headers, path


def test_the_admin_s_cookies_change_no_public_answer(admin: Browser, app: Flask) -> None:
    stranger = app.test_client()
    for path in ("/", "/history", "/subscribe", "/nothing", "/api/v2/summary.json"):
        theirs, ours = stranger.get(path), admin.get(path)
        assert (theirs.status_code, theirs.data) == (ours.status_code, ours.data), path
