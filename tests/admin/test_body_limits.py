"""How large a request may be: by route, and by who sends it."""

from io import BytesIO

import pytest
from flask import Flask, request
from flask.testing import FlaskClient
from werkzeug.routing import Rule

from statuspage.admin import body_limits
from statuspage.admin.customers import MOST_BYTES
from tests.browsing import Browser

pytestmark = pytest.mark.only_on("sqlite")

LARGE = b"a" * (body_limits.STRANGERS + 1)
FORM = "application/x-www-form-urlencoded"


def routes_with_a_body(app: Flask) -> list[tuple[str, str]]:
    """A method and an address of every view that takes a body."""
    with app.test_request_context():
        adapter = app.create_url_adapter(request)
        assert adapter is not None
        return [
            (method, adapter.build(rule.endpoint, _values(rule), method=method))
            for rule in app.url_map.iter_rules()
            for method in sorted((rule.methods or set()) & {"POST", "PUT", "PATCH", "DELETE"})
        ]


def _values(rule: Rule) -> dict[str, object]:
    """Something that each part of an address takes."""
    converters = rule._converters
    return {name: min(getattr(kind, "items", [1])) for name, kind in converters.items()}


def test_no_route_takes_more_of_a_stranger(app: Flask, client: FlaskClient) -> None:
    routes = routes_with_a_body(app)
    answers = {
        path: client.open(path, method=method, data=LARGE, content_type=FORM).status_code
        for method, path in routes
    }
    assert len(answers) > 50
    assert set(answers.values()) == {413}


def test_a_stranger_cannot_send_more_by_naming_no_length(client: FlaskClient) -> None:
    answer = client.post(
        "/subscribe",
        input_stream=BytesIO(LARGE),
        content_type=FORM,
        environ_overrides={"wsgi.input_terminated": True},
    )
    assert answer.status_code == 413


def test_whoever_is_signed_in_may_send_a_sheet(admin: Browser) -> None:
    sheet = {"csrf_token": admin.token(), "reason": "x" * 1_000_000}
    assert admin.client.post("/admin/outbox/hold", data=sheet).status_code != 413
    sheet["reason"] = "x" * body_limits.SIGNED_IN
    assert admin.client.post("/admin/outbox/hold", data=sheet).status_code == 413


def test_the_customers_file_may_be_larger_than_any_sheet(app: Flask, admin: Browser) -> None:
    with app.test_request_context("/admin/customers/import", method="POST"):
        assert body_limits.body_limit(request) == body_limits.STRANGERS
    cookie = admin.client.get_cookie("__Host-admin_sign_in", "status.example.com", "/")
    assert cookie is not None
    cookies = {"Cookie": f"__Host-admin_sign_in={cookie.value}"}
    with app.test_request_context("/admin/customers/import", method="POST", headers=cookies):
        assert body_limits.body_limit(request) >= MOST_BYTES


def test_a_server_learns_the_limit_without_the_body(app: Flask) -> None:
    asked = {"REQUEST_METHOD": "POST", "PATH_INFO": "/subscribe", "HTTP_HOST": "localhost"}
    environ = {**asked, "SERVER_NAME": "localhost", "SERVER_PORT": "80", "wsgi.url_scheme": "http"}
    assert body_limits.ask(app, environ) == body_limits.STRANGERS
