"""Addresses in networks: what only the inside reaches, and what anybody could."""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import AddressValueError, ip_address, ip_network
from typing import Final

from statuspage.messages.checks.rule_types import CheckedText, Span

_DOT = r"(?:\.|\[\.\])"
_V4 = re.compile(
    rf"(?<![\w.-])\d{{1,3}}(?:{_DOT}(?:\d{{1,3}}|[xX])){{3}}(?:/\d{{1,2}})?(?![\w-])(?!\.\d)"
)
_V6 = re.compile(r"(?<![\w:.])[0-9A-Fa-f:]{2,39}(?:%\w{1,15})?(?:/\d{1,3})?(?![\w:])")
_MAC = re.compile(
    r"(?<![\w:-])[0-9A-Fa-f]{2}(?P<sign>[:-])[0-9A-Fa-f]{2}(?:(?P=sign)[0-9A-Fa-f]{2}){4}(?![\w:-])"
)
# A span of clock times reads like an address: 14:14:00, 2026:11:30:09.
_CLOCKS = re.compile(r"(?:\d{1,4}:){1,7}\d{1,2}")
_SHARED: Final = ip_network("100.64.0.0/10")


def find_private_addresses(checked: CheckedText) -> Iterator[Span]:
    """Addresses of inner networks: RFC 1918, 4193, 6598, link-local, and MAC addresses."""
    for span, is_private in _addresses(checked.text):
        if is_private:
            yield span
    for found in _MAC.finditer(checked.text):
        yield Span(*found.span())


def find_public_addresses(checked: CheckedText) -> Iterator[Span]:
    """Addresses that anybody could reach."""
    for span, is_private in _addresses(checked.text):
        if not is_private:
            yield span


def _addresses(text: str) -> Iterator[tuple[Span, bool]]:
    for found in (*_V4.finditer(text), *_V6.finditer(text)):
        plain = found[0].replace("[.]", ".").partition("/")[0].partition("%")[0]
        if ":" in plain and plain.count(":") < 2:
            continue
        try:
            address = ip_address(plain.lower().replace("x", "0"))
        except (AddressValueError, ValueError):
            continue
        if plain == "::" or _CLOCKS.fullmatch(plain):
            continue
        is_shared = address.version == 4 and address in _SHARED
        yield Span(*found.span()), address.is_private or address.is_link_local or is_shared
