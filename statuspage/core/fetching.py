"""A document of another server: within a deadline, of a bounded size, and no redirect followed.

What an operator sets is asked as it is.  An address that somebody types in the admin is asked only
where its name leads into the public internet, and at exactly the address that was looked at.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Final
from urllib.parse import urlsplit

import requests
import urllib3
from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3.exceptions import HTTPError

_PART = 64 * 1024
# RFC 6052: addresses of IPv4 stand in the last four bytes of these.
_NAT64: Final = IPv6Network("64:ff9b::/96")


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
            body = _read(answer.raw, deadline, seconds=seconds, most_bytes=most_bytes)
            return Fetched(answer.status_code, body, answer.headers)
    except requests.Timeout:
        raise FetchFailed(f"no answer within {seconds:g} seconds") from None
    except (requests.RequestException, HTTPError, OSError, ValueError) as error:
        # Without the address, in which there may be a password.
        raise FetchFailed(f"it cannot be reached ({type(error).__name__})") from None


def fetch_public(
    url: str, *, seconds: float, most_bytes: int, headers: Mapping[str, str] | None = None
) -> Fetched:
    """GET ``url`` in the public internet; raises :class:`FetchFailed` like :func:`fetch`.

    Refused is a name that leads to any address in a private network.  The name is looked up once,
    so that no second answer of its server can lead elsewhere.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc:
        raise FetchFailed("it is no address that begins with https://")
    deadline = time.monotonic() + seconds
    try:
        host = parts.hostname.encode("idna").decode()
        port = parts.port or (443 if parts.scheme == "https" else 80)
        pool = _pool(parts.scheme, host, _public_address(host, port), port)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        answer = pool.request(
            "GET", target, headers={**(headers or {}), "Host": parts.netloc}, redirect=False,
            retries=False, preload_content=False, assert_same_host=False,
            timeout=urllib3.Timeout(total=seconds),
        )  # fmt: skip
        try:
            body = _read(answer, deadline, seconds=seconds, most_bytes=most_bytes)
            return Fetched(answer.status, body, answer.headers)
        finally:
            answer.close()
            pool.close()
    except urllib3.exceptions.TimeoutError:
        raise FetchFailed(f"no answer within {seconds:g} seconds") from None
    except (HTTPError, OSError, ValueError) as error:
        raise FetchFailed(f"it cannot be reached ({type(error).__name__})") from None


def is_public(address: str) -> bool:
    """Whether an IP address is one of the public internet."""
    read = ip_address(address.partition("%")[0])
    inner: IPv4Address | IPv6Address = read
    if isinstance(read, IPv6Address):
        behind = IPv4Address(int(read) & 0xFFFF_FFFF) if read in _NAT64 else None
        inner = read.ipv4_mapped or read.sixtofour or behind or read
    return read.is_global and inner.is_global and not inner.is_multicast


def _public_address(host: str, port: int) -> str:
    try:
        rows = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError:
        raise FetchFailed("its name is unknown") from None
    addresses = [str(row[4][0]) for row in rows]
    if not all(map(is_public, addresses)):
        raise FetchFailed("it leads into a private network")
    # Many hosts have no way out over IPv6.
    return next((one for one in addresses if ":" not in one), addresses[0])


def _pool(scheme: str, host: str, address: str, port: int) -> urllib3.HTTPConnectionPool:
    if scheme == "http":
        return urllib3.HTTPConnectionPool(address, port)
    return urllib3.HTTPSConnectionPool(
        address, port, server_hostname=host, assert_hostname=host, ca_certs=DEFAULT_CA_BUNDLE_PATH
    )


def _read(
    answer: urllib3.BaseHTTPResponse, deadline: float, *, seconds: float, most_bytes: int
) -> bytes:
    body = b""
    while part := answer.read1(_PART, decode_content=True):
        body += part
        if len(body) > most_bytes:
            raise FetchFailed(f"the answer is larger than {most_bytes:,} bytes")
        if time.monotonic() > deadline:
            raise FetchFailed(f"no whole answer within {seconds:g} seconds")
    return body
