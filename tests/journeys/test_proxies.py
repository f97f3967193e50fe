"""The recipes of deploy/proxies before the real server, each with the real proxy."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from getpass import getuser
from pathlib import Path

import psutil
import pytest
import requests
from sqlalchemy import create_engine, text

from tests.chaos.processes import ServiceProcess, wait_until
from tests.fakes.certificates import Certificate, make_certificate
from tests.ports import free_port
from tests.service import ROOT, FirstStart

RECIPES = ROOT / "deploy" / "proxies"
TOOLS = ROOT / ".tools"


class WebServer(ServiceProcess):
    """The web server alone."""

    words = ("serve",)


@dataclass(frozen=True, slots=True)
class Site:
    """A web server, where it listens, the address of its page, and its data."""

    listens: str
    url: str
    data: FirstStart
    certificate: Certificate

    @property
    def port(self) -> int:
        return int(self.url.split(":")[2].split("/")[0])


@contextmanager
def site_on(host: str, path: str, folder: Path, first: FirstStart) -> Iterator[Site]:
    port, behind = free_port(), free_port()
    shutil.copytree(first.data, folder / "data")
    data = FirstStart(folder / "data", first.email, first.password)
    url = f"https://localhost:{port}{path}"
    environ = {
        "HOST": host, "PORT": str(behind), "DATA_DIR": str(data.data), "PUBLIC_URL": url,
        "TRUSTED_PROXIES": "1",
    }  # fmt: skip
    listens = host if host.startswith("/") else f"[{host}]:{behind}"
    server = WebServer(environ, log=folder / "log")
    try:
        yield Site(listens, url, data, make_certificate(folder))
    finally:
        assert server.end() == 0


@pytest.fixture(scope="module", params=["ipv6", "socket below a path"])
def site(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    first_start: FirstStart,
) -> Iterator[Site]:
    """One that is reached by IPv6, and one on a Unix socket whose page is below a path."""
    folder = tmp_path_factory.mktemp("site")
    is_socket = request.param.startswith("socket")
    host, path = (str(folder / "web.sock"), "/status") if is_socket else ("::1", "")
    with site_on(host, path, folder, first_start) as made:
        yield made


def recipe(name: str, changes: dict[str, str]) -> str:
    written = (RECIPES / name).read_text()
    for old, new in changes.items():
        assert old in written
        written = written.replace(old, new)
    return written


def nginx(site: Site, folder: Path) -> Sequence[str | Path]:
    socket = f"unix:{site.listens}" if site.listens.startswith("/") else site.listens
    written = recipe(
        "nginx.conf",
        {
            "server 127.0.0.1:8000;": f"server {socket};",
            "listen 443 ssl;": f"listen 127.0.0.1:{site.port} ssl;",
            "listen [::]:443 ssl;": f"listen [::1]:{site.port} ssl;",
            "/etc/ssl/status.example.com.pem": str(site.certificate.certificate),
            "/etc/ssl/status.example.com.key": str(site.certificate.key),
        },
    )
    places = "".join(
        f"{kind}_temp_path {folder}/{kind};"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(
        # Under root, another user could not enter the tests' own folder.
        f"user {getuser()}; daemon off; pid {folder}/pid; error_log stderr; events {{}}\n"
        f"http {{ access_log off; {places} {written} }}"
    )
    return [TOOLS / "nginx", "-p", folder, "-e", "stderr", "-c", folder / "nginx.conf"]


def haproxy(site: Site, folder: Path) -> Sequence[str | Path]:
    pair = site.certificate
    server = site.listens.replace("[", "").replace("]", "")
    (folder / "pair.pem").write_text(pair.certificate.read_text() + pair.key.read_text())
    written = recipe(
        "haproxy.cfg",
        {
            "server web 127.0.0.1:8000": f"server web {server}",
            "bind :::443 v4v6": f"bind 127.0.0.1:{site.port},::1:{site.port}",
            "/etc/ssl/status.example.com.pem": str(folder / "pair.pem"),
        },
    )
    (folder / "haproxy.cfg").write_text(written)
    return [TOOLS / "haproxy", "-db", "-f", folder / "haproxy.cfg"]


def caddy(site: Site, folder: Path) -> Sequence[str | Path]:
    upstream = f"unix/{site.listens}" if site.listens.startswith("/") else site.listens
    tls = f"tls {site.certificate.certificate} {site.certificate.key}"
    written = recipe(
        "Caddyfile",
        {
            "\nstatus.example.com {": f"\nhttps://localhost:{site.port} {{\n\t{tls}\n",
            "\treverse_proxy 127.0.0.1:8000": f"\treverse_proxy {upstream}",
        },
    )
    head = f"{{\n\tadmin off\n\tauto_https off\n\tstorage file_system {folder}\n}}\n"
    (folder / "Caddyfile").write_text(head + written)
    return [TOOLS / "caddy", "run", "--config", folder / "Caddyfile", "--adapter", "caddyfile"]


@contextmanager
def running(command: Sequence[str | Path], site: Site) -> Iterator[None]:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    children = [psutil.Process(process.pid)]
    try:
        wait_until(lambda: status_of(site) == 200, what="the proxy answers")
        children += children[0].children(recursive=True)
        yield
    finally:
        process.terminate()
        process.wait(10)
        psutil.wait_procs(children, 10)


def status_of(site: Site) -> int:
    try:
        trusted = str(site.certificate.certificate)
        return requests.get(site.url + "/", verify=trusted, timeout=20).status_code
    except requests.ConnectionError:
        return 0


def sign_in(site: Site, browser: requests.Session) -> requests.Response:
    address = f"{site.url}/admin/login"
    token = browser.get(address).text.split('name="csrf_token"')[1].split('value="')[1]
    form = {
        "csrf_token": token.split('"')[0],
        "email": site.data.email,
        "password": site.data.password,
    }
    return browser.post(address, form, headers={"Referer": address})


def seen_addresses(site: Site) -> set[str]:
    engine = create_engine(f"sqlite:///{site.data.data}/statuspage.db")
    with engine.connect() as connection:
        found = set(connection.execute(text("SELECT address FROM sign_ins")).scalars())
    engine.dispose()
    return found


@pytest.mark.parametrize("proxy", [nginx, haproxy, caddy])
def test_behind_the_recipe_people_sign_in_by_https_and_cannot_invent_their_address(
    site: Site, proxy: Callable[[Site, Path], Sequence[str | Path]], tmp_path: Path
) -> None:
    with running(proxy(site, tmp_path), site), requests.Session() as browser:
        # Whatever the machine's own variables name instead.
        browser.trust_env = False
        browser.verify = str(site.certificate.certificate)
        browser.headers["X-Forwarded-For"] = "203.0.113.9"
        page = browser.get(site.url + "/")
        assert f'href="{site.url}/' in page.text
        assert "max-age" in page.headers["Strict-Transport-Security"]
        assert browser.get(site.url + "/history.atom").status_code == 200
        # Where a password that was printed is replaced.
        assert sign_in(site, browser).url == f"{site.url}/admin/me"
        assert all(cookie.secure for cookie in browser.cookies)
    assert seen_addresses(site) <= {"127.0.0.1", "::1"}
    assert seen_addresses(site)
