"""How a text sounds to somebody who waits: blame, hedges, jargon, shouting."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from statuspage.messages.checks.rules import CheckedText, Span


def _any_of(phrases: Iterable[str]) -> re.Pattern[str]:
    ordered = sorted(phrases, key=len, reverse=True)
    parts = "|".join(re.escape(phrase).replace(r"\ ", r"\s{1,3}") for phrase in ordered)
    return re.compile(rf"(?<![\w-])(?:{parts})(?![\w-])", re.IGNORECASE)


_BLAME = re.compile(
    r"(?<!\w)(?:(?:fault|mistake|negligence|failure|carelessness) (?:of|by|on the part of) "
    r"(?:our|the|a|an|"
    r"one of|some)|to blame|(?:is|are|was|were) responsible for|blame\w{0,3}|human error|user "
    r"error|operator error|"
    r"your (?:own )?(?:fault|mistake|error)|you (?:should have|failed to|must have|did not)|"
    r"(?:our|the|a|an) (?:\w{1,30} )?(?:provider|vendor|supplier|partner|contractor|developer|"
    r"engineer|"
    r"third[ -]party|colleague|team member|intern|admin(?:istrator)?)(?:['’]s)? "
    r"(?:\w{1,20} ){0,2}(?:fail(?:ed|ure)|broke|caused|forgot|neglected|messed|mistake|error|"
    r"fault)|"
    r"not our fault|beyond our control|out of our (?:control|hands)|through no fault)(?!\w)",
    re.IGNORECASE,
)
_HEDGES: Final = (
    "soon", "shortly", "asap", "as soon as possible", "in due course", "at some point", "hopefully",
    "we hope", "we believe", "we think", "we suspect", "we assume", "it seems", "it appears",
    "seems to", "seem to", "appears to", "appear to", "may or may not", "might", "perhaps",
    "maybe", "possibly",
    "probably", "presumably", "more or less", "sort of", "kind of", "to some extent",
    "a small number of", "a small percentage of", "a small subset of", "a subset of", "some users",
    "some customers", "certain users", "certain customers", "a number of users", "a limited "
    "number of",
    "for some time", "for a while", "momentarily", "intermittent issues", "some issues",
    "experiencing issues", "a bit", "slight", "slightly", "minor hiccup", "hiccup", "hiccups",
    "blip", "glitch", "should be fine", "should now be", "working as expected",
    "any inconvenience", "inconvenience this may have caused", "inconvenience caused",
)  # fmt: skip
_HEDGE = _any_of(_HEDGES)

JARGON: Final[dict[str, str]] = {
    "latency": "slowness", "latencies": "slowness", "throughput": "how much we can handle",
    "elevated error rates": "more errors than usual", "error rates": "errors",
    "5xx": "errors", "4xx": "errors", "http 500": "errors", "http 503": "errors",
    "502s": "errors", "503s": "errors", "504s": "errors", "500s": "errors",
    "mitigate": "fix", "mitigated": "fixed for now", "mitigation": "fix", "mitigations": "fixes",
    "mitigating": "fixing",
    "remediate": "fix", "remediated": "fixed", "remediation": "fix",
    "rollback": "going back to the version before", "rolled back": "went back to the version "
    "before",
    "rolling back": "going back to the version before", "hotfix": "fix", "patched": "fixed",
    "failover": "switch to a spare system", "failed over": "switched to a spare system",
    "failing over": "switching to a spare system", "rca": "what happened and why",
    "root cause": "cause", "mttr": "", "slo": "", "sla": "", "sli": "",
    "replica": "copy", "replicas": "copies", "replication lag": "delay between copies",
    "primary database": "database", "shard": "part", "shards": "parts", "cluster": "system",
    "clusters": "systems", "node": "machine", "nodes": "machines", "pod": "machine",
    "pods": "machines", "container": "", "kubernetes": "", "load balancer": "",
    "load balancers": "", "backend": "our systems", "back-end": "our systems", "upstream": "",
    "downstream": "", "ingress": "", "egress": "", "microservice": "part of our system",
    "microservices": "parts of our system", "cache invalidation": "", "backpressure": "",
    "p50": "", "p95": "", "p99": "", "timeouts": "requests that fail",

    "memory leak": "", "race condition": "", "deadlock": "",
    "circuit breaker": "", "rate limiting": "", "connection pool": "", "thread pool": "",
    "garbage collection": "", "cpu": "", "oom": "", "dns": "", "bgp": "", "cidr": "", "ttl": "",
    "telemetry": "measurements", "observability": "",
    "feature flag": "setting", "config change": "change of a setting", "canary": "",
    "propagate": "spread", "propagation": "spreading", "ingestion": "taking in data",
    "provision": "set up", "provisioning": "setting up", "idempotent": "", "payload": "",
}  # fmt: skip
"""What insiders say, and what everybody understands; empty where that depends."""

_JARGON = _any_of(JARGON)
_SHOUTED = re.compile(r"(?<![\w-])[A-Z]{3,20}(?:[ ,'-]{1,2}[A-Z]{2,20}){2,20}(?![\w-])|!{2,}")
_LOUD = _any_of(
    [
        "URGENT",
        "IMPORTANT",
        "ATTENTION",
        "WARNING",
        "ALERT",
        "ASAP",
        "OUTAGE",
        "DOWN",
        "RESOLVED",
        "FIXED",
        "CRITICAL",
        "NOT",
        "NOW",
        "ALL",
        "NEVER",
        "IMMEDIATELY",
        "NOTICE",
        "EMERGENCY",
        "VERY",
        "EVERYONE",
        "EVERYTHING",
        "PLEASE",
        "SORRY",
        "UPDATE",
    ]
)


def find_blame(checked: CheckedText) -> Iterator[Span]:
    """Somebody else is made responsible."""
    return _spans(_BLAME, checked.text)


def find_hedges(checked: CheckedText) -> Iterator[Span]:
    """Words that promise nothing and belittle."""
    for span in _spans(_HEDGE, checked.text):
        # "As soon as we know more" says when.
        if not checked.text.endswith("as ", 0, span.start) or span.end - span.start > len("soon"):
            yield span


def find_jargon(checked: CheckedText) -> Iterator[Span]:
    """Words of the trade, with plainer ones."""
    names = {name.casefold() for name, _ in checked.facts.public.components}
    for found in _JARGON.finditer(checked.text):
        word = " ".join(found[0].lower().split())
        if not any(word in name for name in names):
            plain = JARGON[word]
            yield Span(*found.span(), f"Perhaps “{plain}”?" if plain else "")


def find_shouting(checked: CheckedText) -> Iterator[Span]:
    """Capitals and rows of exclamation marks."""
    yield from _spans(_SHOUTED, checked.text)
    for found in _LOUD.finditer(checked.text):
        if found[0].isupper():
            yield Span(*found.span())


def _spans(pattern: re.Pattern[str], text: str) -> Iterator[Span]:
    return (Span(*found.span()) for found in pattern.finditer(text))
