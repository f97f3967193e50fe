"""Sources of alerts: tools that send them by a key of their own, shown once and kept as a hash.

A tool that signs its requests may do that in the place of sending the key.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from cryptography.fernet import InvalidToken
from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from statuspage.access import api_keys, audit
from statuspage.access.audit import SYSTEM, Actor
from statuspage.access.permissions import Permission, needs, of_scopes
from statuspage.configuration import severity
from statuspage.core import clock
from statuspage.core.db import current_session, writing
from statuspage.core.enums import KeyScope
from statuspage.core.errors import Invalid
from statuspage.core.keyed_hash import cipher
from statuspage.intake.alert_mapping import (
    GENERIC,
    TOOLS,
    AlertMapping,
    IncomingAlert,
    check_mapping,
)
from statuspage.intake.alert_rules import AlertRules, read_rules
from statuspage.models import Alert, AlertSource, Component

MOST_SOURCES: Final = 100

_SECRETS: Final = "alert source"


def _of_pagerduty(secret: bytes, body: bytes, header: str) -> bool:
    """One of several signatures fits: https://developer.pagerduty.com/docs/verifying-signatures."""
    expected = f"v1={hmac.digest(secret, body, 'sha256').hex()}"
    return any(_same(expected, one.strip()) for one in header.split(","))


def _of_sentry(secret: bytes, body: bytes, header: str) -> bool:
    """https://docs.sentry.io/organization/integrations/integration-platform/webhooks/."""
    return _same(hmac.digest(secret, body, "sha256").hex(), header.strip())


SIGNATURES: Final[Mapping[str, tuple[str, Callable[[bytes, bytes, str], bool]]]] = {
    "pagerduty": ("X-PagerDuty-Signature", _of_pagerduty),
    "sentry": ("Sentry-Hook-Signature", _of_sentry),
}
"""By the tools that sign: the header of the signature, and what verifies it over the raw body."""


@dataclass(frozen=True, slots=True)
class SourceDetails:
    """What is set of a source; an empty ``signing_secret`` leaves it as it is."""

    name: str
    tool: str = GENERIC
    severity_rules: str = ""
    component_rules: str = ""
    mapping: AlertMapping = field(default_factory=lambda: TOOLS[GENERIC].mapping)
    signing_secret: str = ""


def alert_sources(session: Session) -> list[AlertSource]:
    """The sources, by name."""
    return list(
        session.scalars(
            select(AlertSource)
            .where(AlertSource.removed_at.is_(None))
            .options(joinedload(AlertSource.key))
            .order_by(func.lower(AlertSource.name), AlertSource.id)
        )
    )


def source_of_key(session: Session, key_id: int) -> AlertSource | None:
    """The source whose key that is."""
    chosen = select(AlertSource).filter_by(key_id=key_id, removed_at=None)
    return session.scalars(chosen).one_or_none()


def source_that_signed(
    session: Session, tool: str, body: bytes, signature: str
) -> AlertSource | None:
    """The source of a tool whose secret signed that body."""
    if tool not in SIGNATURES:
        return None
    _, fits = SIGNATURES[tool]
    for source in alert_sources(session):
        secret = _secret_of(source) if source.tool == tool else b""
        if secret and fits(secret, body, signature):
            return source
    return None


def has_signing_source(session: Session) -> bool:
    """Whether any source's requests are known by a signature."""
    chosen = select(AlertSource.id).where(
        AlertSource.removed_at.is_(None), AlertSource.signing_secret.is_not(None)
    )
    return session.scalar(chosen.limit(1)) is not None


def as_actor(source: AlertSource, *, address: str) -> Actor:
    """Who acts where a source sends alerts."""
    return Actor(
        f"Alerts from “{source.name}”"[: api_keys.NAME_LIMIT],
        permissions=of_scopes([KeyScope.ALERTS]),
        origin=f"alert source {source.id}",
        address=address,
    )


def mapping_of(source: AlertSource) -> AlertMapping:
    """How the requests of a source are read."""
    return AlertMapping(**source.mapping) if source.mapping else TOOLS[source.tool].mapping


def rules_of(
    session: Session, severity_rules: str, component_rules: str, *, strict: bool = False
) -> AlertRules:
    """Rules as typed, with the severities and components that there are.

    ``strict`` raises :class:`Invalid` for what is no rule, or names none of them.
    """
    present = session.scalars(select(Component).where(Component.removed_at.is_(None)))
    return read_rules(
        severity_rules,
        component_rules,
        levels=severity.severity_levels(session),
        components=present.all(),
        strict=strict,
    )


def latest_alerts(session: Session, source: AlertSource, *, most: int) -> list[Alert]:
    """The alerts of a source that were seen last, the newest first."""
    chosen = select(Alert).filter_by(source_id=source.id)
    return list(session.scalars(chosen.order_by(Alert.seen_at.desc(), Alert.id.desc()).limit(most)))


def as_incoming(alert: Alert) -> IncomingAlert:
    """An alert that is kept, as it came in; to try rules on."""
    return IncomingAlert(
        fingerprint=alert.fingerprint, group="", title=alert.title, fires=alert.fires,
        started_at=alert.started_at, ended_at=alert.ended_at, text="", url="", labels=alert.labels,
    )  # fmt: skip


@needs(Permission.KEYS)
def add_source(details: SourceDetails, *, actor: Actor) -> tuple[int, str]:
    """Add a source with a key of its own; its id, and the key, which is not kept.

    Raises :class:`Invalid`.
    """
    with writing() as session:
        _check(session, details)
        if len(alert_sources(session)) >= MOST_SOURCES:
            raise Invalid("name", f"Use at most {MOST_SOURCES} sources")
        source, token = insert_source(session, details, actor=actor)
        return source.id, token


def insert_source(
    session: Session, details: SourceDetails, *, actor: Actor
) -> tuple[AlertSource, str]:
    """The same within the caller's transaction, for details that were checked."""
    key, token = api_keys.add_key(
        session, f"Alerts: {details.name}"[: api_keys.NAME_LIMIT], actor=actor,
        scopes=[KeyScope.ALERTS],
    )  # fmt: skip
    source = AlertSource(name=details.name, tool=details.tool, key_id=key.id)
    _apply(source, details)
    session.add(source)
    session.flush()
    _record(session, actor, "alert_source.add", details.name, after=_shown(details))
    return source, token


def built_in_source(tool: str, name: str) -> AlertSource:
    """The source of what this service takes in by itself, made once it is needed.

    Nobody has seen its key.
    """
    found = _first_of(current_session(), tool)
    if found is not None:
        return found
    with writing() as session:
        made = SourceDetails(name, tool)
        return _first_of(session, tool) or insert_source(session, made, actor=SYSTEM)[0]


@needs(Permission.KEYS)
def change_source(source_id: int, details: SourceDetails, *, actor: Actor) -> None:
    """Change a source, but not its tool; raises :class:`Invalid`."""
    with writing() as session:
        source = session.get_one(AlertSource, source_id, with_for_update=True)
        if source.removed_at is not None:
            raise Invalid("name", "This source has been removed")
        _check(session, details)
        _apply(source, details)
        _record(session, actor, "alert_source.change", details.name, after=_shown(details))


@needs(Permission.KEYS)
def renew_key(source_id: int, *, actor: Actor) -> str:
    """Give a source another key, and end the one before; the new one, which is not kept."""
    with writing() as session:
        source = session.get_one(AlertSource, source_id, with_for_update=True)
        api_keys.end_key(session, source.key, actor=actor)
        key, token = api_keys.add_key(
            session, source.key.name, actor=actor, scopes=[KeyScope.ALERTS]
        )
        source.key_id = key.id
        return token


@needs(Permission.KEYS)
def remove_source(source_id: int, *, actor: Actor) -> None:
    """Take no more alerts of a source; what it has suggested stays."""
    with writing() as session:
        source = session.get_one(AlertSource, source_id, with_for_update=True)
        if source.removed_at is not None:
            return
        source.removed_at, source.signing_secret = clock.now(), None
        api_keys.end_key(session, source.key, actor=actor)
        _record(session, actor, "alert_source.remove", source.name)


def _first_of(session: Session, tool: str) -> AlertSource | None:
    chosen = select(AlertSource).filter_by(tool=tool, removed_at=None).order_by(AlertSource.id)
    return session.scalars(chosen.limit(1)).one_or_none()


def _check(session: Session, details: SourceDetails) -> None:
    if details.tool not in TOOLS:
        raise Invalid("tool", "Choose the tool")
    if details.tool == GENERIC:
        check_mapping(details.mapping)
    rules_of(session, details.severity_rules, details.component_rules, strict=True)


def _apply(source: AlertSource, details: SourceDetails) -> None:
    source.name = details.name
    source.severity_rules = details.severity_rules
    source.component_rules = details.component_rules
    source.mapping = asdict(details.mapping) if source.tool == GENERIC else {}
    if details.signing_secret and source.tool in SIGNATURES:
        secret = details.signing_secret.encode()
        source.signing_secret = cipher(_SECRETS).encrypt(secret).decode()


def _secret_of(source: AlertSource) -> bytes:
    """What a source signs with; empty where none is set, or another SECRET_KEY hid it."""
    try:
        return cipher(_SECRETS).decrypt((source.signing_secret or "").encode())
    except InvalidToken:
        return b""


def _same(expected: str, given: str) -> bool:
    return hmac.compare_digest(expected.encode(), given.encode("utf-8", "surrogatepass"))


def _shown(details: SourceDetails) -> dict[str, Any]:
    shown = asdict(details)
    return shown if details.tool == GENERIC else {**shown, "mapping": {}}


def _record(
    session: Session, actor: Actor, action: str, name: str, after: dict[str, Any] | None = None
) -> None:
    audit.record(session, actor, action, subject_kind="alert_source", subject=name, after=after)
