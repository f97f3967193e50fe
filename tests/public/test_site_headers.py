"""What PUBLIC_URL and FRAME_ANCESTORS make of the headers, in memory and in Flask alike."""

import pytest
from flask.testing import FlaskClient

from statuspage.core.config import ConfigError, load_settings

pytestmark = pytest.mark.only_on("sqlite")

PUBLIC = ("/", "/history.json", "/search?q=x", "/nope", "/subscribe/sent", "/history/2020-01")
OURS = "'self' https://*.example.com"


@pytest.fixture
def environ(environ: dict[str, str], request: pytest.FixtureRequest) -> dict[str, str]:
    return environ | getattr(request, "param", {})


@pytest.mark.parametrize("path", [*PUBLIC, "/healthz", "/admin/login", "/static/nope"])
def test_browsers_are_told_to_come_by_https_alone(client: FlaskClient, path: str) -> None:
    assert client.get(path).headers["Strict-Transport-Security"] == "max-age=63072000"


@pytest.mark.parametrize("environ", [{"PUBLIC_URL": "http://localhost:8000"}], indirect=True)
@pytest.mark.parametrize("path", ["/", "/admin/login"])
def test_where_people_come_by_http_they_are_not(client: FlaskClient, path: str) -> None:
    answer = client.get(path, base_url="http://localhost:8000")
    assert "Strict-Transport-Security" not in answer.headers


@pytest.mark.parametrize("path", PUBLIC)
def test_nobody_frames_the_page(client: FlaskClient, path: str) -> None:
    assert "frame-ancestors 'none'" in client.get(path).headers["Content-Security-Policy"]


@pytest.mark.parametrize("environ", [{"FRAME_ANCESTORS": OURS}], indirect=True)
def test_the_sites_that_are_named_do_and_never_the_admin(client: FlaskClient) -> None:
    for path in PUBLIC:
        headers = client.get(path).headers
        assert f"frame-ancestors {OURS}" in headers["Content-Security-Policy"], path
        assert "X-Frame-Options" not in headers, path
    admin = client.get("/admin/login").headers
    assert "frame-ancestors 'none'" in admin["Content-Security-Policy"]
    assert admin["X-Frame-Options"] == "DENY"


@pytest.mark.parametrize("value", ["example.com; script-src *", "'none' https://a.example", "a/b"])
def test_what_names_no_site_stops_the_start(environ: dict[str, str], value: str) -> None:
    with pytest.raises(ConfigError, match="FRAME_ANCESTORS"):
        load_settings(environ | {"FRAME_ANCESTORS": value})
