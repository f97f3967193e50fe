"""A stand-in for Statuspage's management API (v1): the lists of one page, page by page."""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

KEY = "a-key-of-statuspage"


class FakeStatuspage:
    """The server.  ``lists`` has its objects by path, ``script`` the status of the next answers."""

    def __init__(self, page: Mapping[str, Any], lists: Mapping[str, Sequence[Any]]) -> None:
        self.script: deque[int] = deque()
        self.asked: list[str] = []
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                query = parse_qs(parts.query)
                fake.asked.append(self.path)
                if fake.script:
                    self._answer(fake.script.popleft(), {"error": "no"})
                elif self.headers["Authorization"] != f"OAuth {KEY}":
                    self._answer(401, {"error": "Could not authenticate"})
                elif parts.path == f"/v1/pages/{page['id']}":
                    self._answer(200, page)
                else:
                    name = parts.path.removeprefix(f"/v1/pages/{page['id']}")
                    size, number = int(query["per_page"][0]), int(query["page"][0])
                    # The API's own reference: subscribers' first page is 0, that of others 1.
                    start = size * (number - (name != "/subscribers"))
                    self._answer(200, lists.get(name, [])[start : start + size])

            def _answer(self, status: int, answer: object) -> None:
                data = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.api = f"http://127.0.0.1:{self._server.server_address[1]}/v1"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
