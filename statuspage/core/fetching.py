"""A document of another server: within a deadline, of a bounded size, and no redirect followed."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

import requests
from urllib3.exceptions import HTTPError

_PART = 64 * 1024


class FetchFailed(Exception):
    """There is no whole answer; the text says why, for the operator."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """An answer: its status, its body and its headers."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


def fetch(
    url: str,
    *,
    seconds: float,
    most_bytes: int,
    headers: Mapping[str, str] | None = None,
    query: Mapping[str, str] | None = None,
) -> Fetched:
    """GET ``url``; raises :class:`FetchFailed`, after ``seconds`` too."""
    deadline = time.monotonic() + seconds
    try:
        with requests.get(
            url, params=query, headers=headers, timeout=seconds, allow_redirects=False, stream=True
        ) as answer:
            body = b""
            while part := answer.raw.read1(_PART, decode_content=True):
                body += part
                if len(body) > most_bytes:
                    raise FetchFailed(f"the answer is larger than {most_bytes:,} bytes")
                if time.monotonic() > deadline:
                    raise FetchFailed(f"no whole answer within {seconds:g} seconds")
            return Fetched(answer.status_code, body, answer.headers)
    except requests.Timeout:
        raise FetchFailed(f"no answer within {seconds:g} seconds") from None
    except (requests.RequestException, HTTPError, OSError, ValueError) as error:
        # Without the address, in which there may be a password.
        raise FetchFailed(f"it cannot be reached ({type(error).__name__})") from None
