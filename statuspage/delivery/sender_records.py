"""What the name servers say about the domain that mail comes from: SPF, DKIM, DMARC and MX.

Receivers look these up before they believe a sender; the large ones refuse bulk mail without them.
Rules: SPF in RFC 7208, DKIM keys in RFC 6376 (3.6), DMARC in RFC 7489 (6).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import dns.exception
import dns.resolver
from dns.rdatatype import MX, TXT

COMMON_SELECTORS: Final = (
    "s1", "s2", "default", "dkim", "mail", "k1", "google", "selector1", "selector2",
)  # fmt: skip
"""Names under which providers publish keys: SendGrid, then the customs of others."""

_MOST_LOOKUPS: Final = 10  # RFC 7208, 4.6.4
_LOOKING_UP: Final = ("include:", "a:", "a/", "mx:", "mx/", "ptr", "exists:", "redirect=")


class NameServerSilent(Exception):
    """No name server answered, so nothing is known about the domain."""


@dataclass(frozen=True, slots=True)
class SenderRecord:
    """One kind of record: whether receivers are content with it, and a sentence on what to do."""

    kind: str
    is_good: bool
    says: str


def sender_records(
    domain: str,
    *,
    selectors: Iterable[str] = COMMON_SELECTORS,
    resolver: dns.resolver.Resolver | None = None,
) -> list[SenderRecord]:
    """How the domain's records stand; ``selectors`` are where a DKIM key may be.

    Asks the machine's name servers unless a ``resolver`` is given; :class:`NameServerSilent`.
    """
    try:
        names = _Names(resolver or dns.resolver.Resolver())
    except dns.resolver.NoResolverConfiguration as error:
        raise NameServerSilent(f"{domain}: {error}") from None
    return [
        _spf(names, domain),
        _dkim(names, domain, tuple(selectors)),
        _dmarc(names, domain),
        _mx(names, domain),
    ]


class _Names:
    """What a resolver finds, in text."""

    def __init__(self, resolver: dns.resolver.Resolver) -> None:
        self._resolver = resolver
        self._resolver.lifetime = 5.0

    def texts(self, name: str) -> list[str]:
        """The TXT records of a name; none where there is no such name."""
        records = self._ask(name, TXT)
        return [b"".join(record.strings).decode("utf-8", "replace") for record in records]

    def exchanges(self, name: str) -> list[str]:
        """The hosts that take mail for a name; a dot alone says that nobody does (RFC 7505)."""
        hosts = (record.exchange.to_text(omit_final_dot=True) for record in self._ask(name, MX))
        return [host for host in hosts if host != "."]

    def _ask(self, name: str, kind: dns.rdatatype.RdataType) -> list[Any]:
        try:
            return list(self._resolver.resolve(name, kind, search=False))
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return []
        except dns.exception.DNSException as error:
            raise NameServerSilent(f"{name}: {error}") from None


def _spf(names: _Names, domain: str) -> SenderRecord:
    records = [text for text in names.texts(domain) if text.split(" ")[0].lower() == "v=spf1"]
    if not records:
        advice = f'publish TXT {domain} "v=spf1 include:(your provider) -all"'
        return SenderRecord("SPF", False, f"{domain} has no SPF record: {advice}")
    if len(records) > 1:
        says = f"{domain} has {len(records)} SPF records, which counts as none: make them one"
        return SenderRecord("SPF", False, says)
    terms = records[0].lower().split()[1:]
    lookups = sum(term.lstrip("+-~?").startswith(_LOOKING_UP) for term in terms)
    lookups += sum(term.lstrip("+-~?") in {"a", "mx"} for term in terms)
    if lookups > _MOST_LOOKUPS:
        says = f"the SPF record needs {lookups} look-ups; with more than {_MOST_LOOKUPS} it fails"
        return SenderRecord("SPF", False, says)
    if {"+all", "all"} & set(terms):
        says = "the SPF record ends in +all, which lets everybody send: end it in -all"
        return SenderRecord("SPF", False, says)
    if not any(term in {"-all", "~all"} or term.startswith("redirect=") for term in terms):
        return SenderRecord("SPF", False, "the SPF record has no end: end it in -all or ~all")
    return SenderRecord("SPF", True, records[0])


def _dkim(names: _Names, domain: str, selectors: tuple[str, ...]) -> SenderRecord:
    revoked = ""
    for selector in selectors:
        name = f"{selector}._domainkey.{domain}"
        for text in names.texts(name):
            tags = _tags(text)
            if tags.get("p"):
                return SenderRecord("DKIM", True, f"a key is published at {name}")
            if "p" in tags:
                revoked = name
    if revoked:
        says = f"the key at {revoked} is revoked (its p= is empty): publish your provider’s"
        return SenderRecord("DKIM", False, says)
    says = (
        f"no key was found under {', '.join(selectors)}: publish the one that your provider shows, "
        "or name its selector with --selector"
    )
    return SenderRecord("DKIM", False, says)


def _dmarc(names: _Names, domain: str) -> SenderRecord:
    """The policy of the domain, or of the nearest one above it that has one."""
    labels = domain.split(".")
    for start in range(max(len(labels) - 1, 1)):
        name = "_dmarc." + ".".join(labels[start:])
        records = [text for text in names.texts(name) if _tags(text).get("v") == "DMARC1"]
        if len(records) > 1:
            says = f"{name} has {len(records)} DMARC records, which counts as none: make them one"
            return SenderRecord("DMARC", False, says)
        if records:
            return _dmarc_policy(name, _tags(records[0]), is_own=start == 0)
    advice = f'publish TXT _dmarc.{domain} "v=DMARC1; p=none; rua=mailto:you@{domain}"'
    return SenderRecord("DMARC", False, f"{domain} has no DMARC record: {advice}")


def _dmarc_policy(name: str, tags: dict[str, str], *, is_own: bool) -> SenderRecord:
    policy = (tags.get("p", "") if is_own else tags.get("sp") or tags.get("p", "")).lower()
    if policy not in {"none", "quarantine", "reject"}:
        return SenderRecord("DMARC", False, f"{name} has no policy: give it p=none at least")
    if policy == "none":
        says = f"{name} only watches (p=none): go on to p=quarantine once its reports are clean"
        return SenderRecord("DMARC", True, says)
    return SenderRecord("DMARC", True, f"{name} says {policy}")


def _mx(names: _Names, domain: str) -> SenderRecord:
    hosts = names.exchanges(domain)
    if hosts:
        return SenderRecord("MX", True, f"replies and bounces go to {hosts[0]}")
    says = f"{domain} takes no mail, so replies and bounces are lost: give it an MX record"
    return SenderRecord("MX", False, says)


def _tags(text: str) -> dict[str, str]:
    """``v=DMARC1; p=none`` as a mapping."""
    pairs = (part.partition("=") for part in text.split(";"))
    return {name.strip().lower(): value.strip() for name, _, value in pairs if name.strip()}
