"""What the APIs take and give, as OpenAPI 3.1 (https://spec.openapis.org/oas/v3.1.1).

``public.json`` describes ``/api/v2`` and the badges, ``customers.json`` and ``incidents.json`` the
company's own API under ``/api/v1``, and ``statuspage_v1.json`` the one under ``/v1``.  Tests
compare each with what the service does.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any, Literal

from statuspage.core.links import Links

_FOLDER = Path(__file__).parent


def describe(
    name: Literal["public", "customers", "incidents", "statuspage_v1"], links: Links
) -> dict[str, Any]:
    """The description of that API, with the server's own address."""
    return {**_read(name), "servers": [{"url": links.base}]}


@cache
def _read(name: str) -> dict[str, Any]:
    description: dict[str, Any] = json.loads((_FOLDER / f"{name}.json").read_text("utf-8"))
    return description
