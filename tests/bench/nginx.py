"""A real nginx beside ours, serving the very same bytes from files: the yardstick.

One worker, ``sendfile``, ``gzip_static``, keep-alive, no access log.  Needs the ``nginx`` program
(Debian: nginx-light), and ``taskset`` where it is to be pinned to a core.
"""

from __future__ import annotations

import gzip
import os
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from statuspage.public.document import Document

_CONFIGURATION = """\
daemon off;
worker_processes 1;
{user}pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
events {{ worker_connections 2048; }}
http {{
    access_log off;
    sendfile on;
    tcp_nopush on;
    gzip_static on;
    gzip_vary on;
    keepalive_timeout 65;
    keepalive_requests 1000000000;
    default_type "text/html; charset=utf-8";
    client_body_temp_path {folder}/temp;
    proxy_temp_path {folder}/temp;
    fastcgi_temp_path {folder}/temp;
    uwsgi_temp_path {folder}/temp;
    scgi_temp_path {folder}/temp;
    server {{
        listen 127.0.0.1:{port} backlog=1024;
        root {folder}/site;
        index index.html;
    }}
}}
"""


def free_port() -> int:
    """A TCP port on 127.0.0.1 that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def pinned(command: list[str], core: int | None) -> list[str]:
    """The command, kept to one core where one is given."""
    return command if core is None else ["taskset", "-c", str(core), *command]


def wait_until_open(port: int, process: subprocess.Popen[bytes], *, seconds: float = 20) -> None:
    """Return once something listens on the port; ``RuntimeError`` if it ends or takes too long."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise RuntimeError(f"nothing listens on port {port} (exit status {process.poll()})")


def end(process: subprocess.Popen[bytes]) -> None:
    """Ask the process to end, and insist after five seconds."""
    process.terminate()
    try:
        process.wait(timeout=5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(timeout=5)


@contextmanager
def nginx(
    documents: Mapping[str, Document], *, port: int | None = None, core: int | None = None
) -> Iterator[str]:
    """Serve the documents' plain and gzip bytes as files; gives the base address."""
    port = port or free_port()
    with tempfile.TemporaryDirectory(prefix="bench-nginx-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        for path, document in documents.items():
            _write(folder / "site", path, document)
        user = "user root;\n" if os.geteuid() == 0 else ""
        configuration = folder / "nginx.conf"
        configuration.write_text(_CONFIGURATION.format(folder=folder, port=port, user=user))
        process = subprocess.Popen(
            pinned(["nginx", "-p", name, "-c", str(configuration)], core),
            stderr=subprocess.DEVNULL,
        )
        try:
            wait_until_open(port, process)
            yield f"http://127.0.0.1:{port}"
        finally:
            end(process)


def _write(root: Path, path: str, document: Document) -> None:
    file = root / (path.lstrip("/") + ("index.html" if path.endswith("/") else ""))
    file.parent.mkdir(parents=True, exist_ok=True)
    moment = document.last_modified.timestamp()
    for target, body in (
        (file, document.body),
        (file.with_name(file.name + ".gz"), document.gzip or gzip.compress(document.body)),
    ):
        target.write_bytes(body)
        os.utime(target, (moment, moment))
