"""Errors for tools, as RFC 9457 has them: ``application/problem+json``."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import orjson
from flask import Response


def problem(
    status: int, detail: str = "", *, headers: Mapping[str, str] | None = None, **more: Any
) -> Response:
    """An answer that says what is wrong: ``title`` in general, ``detail`` in this case."""
    body = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status}
    if detail:
        body["detail"] = detail
    answer = Response(orjson.dumps({**body, **more}), status, mimetype="application/problem+json")
    answer.headers.update(dict(headers or {}))
    answer.headers["Cache-Control"] = "no-store"
    return answer
