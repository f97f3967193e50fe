"""Names that systems give to their own parts: queues, tables, buckets, settings, switches.

They often have a harmless reading (what customers call through an API has such names too), so
they warn.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from statuspage.messages.checks.rule_types import CheckedText, Span, named, spans

_KINDS = (
    r"queue|topic|table|bucket|database|schema|column|index|view|collection|keyspace|stream|"
    r"exchange|partition|consumer group|shard|replica set|cluster|namespace|deployment|pod|"
    r"container|daemonset|statefulset|cron ?job|lambda|function|worker|pipeline|dag|volume|"
    r"instance|server|host|vm|node|machine|environment|env|stack|workspace|tenant|feature flag|"
    r"flag|toggle|feature|switch|experiment|config(?:uration)?(?: key)?|setting|secret|role|"
    r"policy|service account|playbook|dashboard|job|service|microservice|repo(?:sitory)?|alarm|"
    r"monitor|alert|cache key|sequence|trigger|procedure|migration|tenant id|customer id|user id"
)
_NAME = r"[a-z][a-z0-9]{0,40}(?:[-_.][a-z0-9]{1,40}){1,8}"
# "The orders-dlq queue", "in table order_items", "bucket acme-invoices-prod".
_BESIDE = re.compile(
    rf"(?<![\w/.@#:-])(?P<first>{_NAME})[`\"'”]?\s(?:{_KINDS})s?(?!\w)"
    rf"|(?<!\w)(?:{_KINDS})s?(?:\s(?:is|was|called|named|on|in|:|=)){{0,2}}:?\s"
    rf"[`\"'“]?(?P<second>{_NAME}|[A-Z][A-Z0-9]{{1,20}}(?:_[A-Z0-9]{{1,20}}){{1,6}})(?![\w-])",
)
_SNAKE = re.compile(
    r"(?<![\w./@#:$%{&?=<\[-])(?:[a-z][a-z0-9]{0,40}(?:_[a-z0-9]{1,40}){1,8}"
    r"|[A-Z][A-Z0-9]{1,40}(?:_[A-Z0-9]{1,40}){1,8})(?![\w=-]|[./:@]\w)"
)
_CAMEL_FLAG = re.compile(
    r"(?<![\w./@#-])(?:enable|disable|use|show|is|allow|force|ff|flag)[A-Z][A-Za-z]{3,40}"
    r"(?:[A-Z][A-Za-z]{1,40}){0,4}(?![\w(])"
)
_STAGED = re.compile(
    r"(?<![\w/.@:#-])(?=[a-z0-9.-]{0,60}(?<![a-z0-9])(?:dlq|prod|prd|stg|staging|preprod|uat|"
    r"internal|canary|blue|green|backup|replica|primary|standby|v\d)(?![a-z0-9]))"
    r"[a-z][a-z0-9]{1,30}(?:[-.][a-z0-9]{1,30}){1,6}(?![\w-]|[@/]\w)"
)
_RESOURCES = re.compile(
    r"(?<!\w)(?:arn:aws[\w-]{0,8}:\S{4,200}|s3a?://\S{3,200}|gs://\S{3,200}"
    r"|/aws/(?:lambda|ecs|rds|eks|codebuild|apigateway)/\S{2,120}"
    r"|/subscriptions/[0-9a-f-]{8,40}\S{0,200}|projects/[\w-]{2,60}/(?:topics|subscriptions|"
    r"locations|instances|secrets|datasets)/\S{2,120}|topics?/[\w.-]{3,80})"
)
_WINDOWS = re.compile(
    r"(?<![\w\\/.:])(?:[A-Z][A-Z0-9-]{1,20})\\(?=[\w.$-]{0,30}[a-z_$])(?:[A-Za-z][\w.$-]{1,30})(?![\w\\])"
)
# What the public side of products is made of: words with a hyphen that mean what they say.
_PUBLIC: Final = named("prod-ready real-time blue-green green-field")
_STAGES: Final = named(
    "dlq prod prd stg staging preprod uat events canary internal backup worker svc queue topic"
)
_ERROR_WORDS: Final = named(
    "err error errors denied failed failure exceeded unavailable found timeout invalid refused "
    "expired unauthorized forbidden limit limited argument unauthenticated aborted cancelled "
    "precondition exists internal unknown"
)
_DOTTED: Final = named("dlq events event topic queue cmd commands created updated deleted failed")
_REGION_WORDS: Final = named(
    "us eu ap sa ca me af il au gb uk in jp kr br de fr nl ie se ch sg hk north south east west "
    "central northeast northwest southeast southwest gov prod prd azure aws gcp cell region zone "
    "asia europe australia america africa northamerica southamerica cluster"
)
# Fields of public APIs that posts name, as customers type them.
_API_WORDS: Final = re.compile(
    r"(?:[a-z]{1,30}_(?:id|ids|at|url|key|type|name|status|code|token|time|date|count|limit|size|uri|"
    r"by|to|from|on)|[a-z]{2}_[a-z]{2}|rate_limit\w{0,30}|per_page|user_\w{1,30}|x86_64|utf_\d{1,9}|next_\w{1,30})"
)


def find_identifiers(checked: CheckedText) -> Iterator[Span]:
    """Names of queues, topics, tables, buckets, environments, settings, switches."""
    text = checked.text
    for found in _BESIDE.finditer(text):
        group = "first" if found["first"] else "second"
        if _is_internal(found[group]):
            yield Span(*found.span(group))
    for pattern in (_SNAKE, _STAGED):
        for found in pattern.finditer(text):
            if _is_internal(found[0]):
                yield Span(*found.span())
    for pattern in (_CAMEL_FLAG, _RESOURCES):
        yield from spans(pattern, text)


def find_windows_accounts(checked: CheckedText) -> Iterator[Span]:
    """``DOMAIN\\\\account``."""
    for found in _WINDOWS.finditer(checked.text):
        if _is_internal(found[0].partition("\\")[2]) or "-" not in found[0]:
            yield Span(*found.span())


def _is_internal(name: str) -> bool:
    """Whether a name is neither plain words, nor a region, nor a field of a public API."""
    low = name.casefold()
    parts = [part for part in re.split(r"[-_.]", low) if part and part not in "abcdef"]
    if name.isupper() and _ERROR_WORDS & {parts[0], parts[-1]}:
        return False  # a code that an API answers with
    if low in _PUBLIC or all(part.rstrip("0123456789") in _REGION_WORDS | {""} for part in parts):
        return False
    if "_" in low:
        return not _API_WORDS.fullmatch(low)
    if "." in low:
        # "orders.events.v1", and neither a domain nor a version.
        is_version = parts[0].removeprefix("v").isdecimal()
        return (not is_version and not parts[-1].isalpha()) or bool(_DOTTED & set(parts))
    if low.removeprefix("v").replace("-", "").isdecimal():
        return False
    return bool(_STAGES & set(parts)) or any(map(str.isdigit, low))
