"""Trying the settings before an incident does: ``statuspage check``, one finding a line.

Nothing is sent to anybody and nothing is changed, but for the mark that an export's target gets.
"""

from __future__ import annotations

import ctypes
import shutil
import socket
import stat
import tempfile
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from typing import Final
from urllib.parse import urlsplit

import dns.resolver
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from statuspage.access import oidc
from statuspage.access.identity import Refused, Unavailable
from statuspage.core import clock
from statuspage.core.config import SETTINGS, ConfigError, Settings
from statuspage.core.db import current_session
from statuspage.delivery import provider_probes, report
from statuspage.delivery.dispatch import check_rooms
from statuspage.delivery.sender_records import (
    COMMON_SELECTORS,
    NameServerSilent,
    sender_records,
)
from statuspage.public.export.files import UnusableTarget
from statuspage.public.export.targets import open_target
from statuspage.runtime.findings import CheckLine, State, what_is_not_set
from statuspage.runtime.versions import UnusableDatabase, pending, present_version

LOW_DISK: Final = 1_000_000_000
FULL_DISK: Final = 100_000_000
CLOCK_TOLERANCE: Final = timedelta(seconds=2)
_UNSYNCHRONISED: Final = 5  # TIME_ERROR of adjtimex(2)


def check_all(
    app: Flask,
    *,
    selectors: Iterable[str] = (),
    resolver: dns.resolver.Resolver | None = None,
) -> Iterator[CheckLine]:
    """Try everything, one after the other; a finding comes as soon as it is known.

    ``selectors`` and ``resolver`` are for the records of the sender's domain: where its DKIM key
    may be, and whom to ask.
    """
    settings: Settings = app.extensions["settings"]
    trials: tuple[Callable[[Settings], Iterator[CheckLine]], ...] = (
        _unset, _address, _data, _disk, _secret_key, _database, _clock, _mail,
        lambda known: _records(known, tuple(selectors) or COMMON_SELECTORS, resolver),
        _chat, _sign_on, _export,
    )  # fmt: skip
    named: set[str] = set()
    with app.app_context():
        for trial in trials:
            for finding in trial(settings):
                named.add(finding.setting)
                yield finding
    others = sum(setting.name not in named for setting in SETTINGS)
    yield CheckLine("the others", State.OK, f"{others} settings have values that can be used")


def _unset(settings: Settings) -> Iterator[CheckLine]:
    for finding in what_is_not_set(settings):
        yield CheckLine(finding.setting, finding.state, f"not set: {finding.says}")


def _address(settings: Settings) -> Iterator[CheckLine]:
    parts = urlsplit(settings.public_url)
    host = parts.hostname or ""
    try:
        socket.getaddrinfo(host, parts.port or 443)
    except OSError:
        yield CheckLine(
            "PUBLIC_URL", State.FAILED, f"{host} has no address: nobody reaches the page"
        )
        return
    yield CheckLine("PUBLIC_URL", State.OK, settings.public_url)
    if parts.scheme == "https" and not settings.trusted_proxies:
        says = (
            "it is 0, yet https is ended before this service: set it to the number of proxies, "
            "or all visitors count as one"
        )
        yield CheckLine("TRUSTED_PROXIES", State.ADVICE, says)


def _data(settings: Settings) -> Iterator[CheckLine]:
    folder = settings.data_dir
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"x")
        mode = folder.stat().st_mode
    except OSError as error:
        yield CheckLine("DATA_DIR", State.FAILED, f"{folder} is not writable: {error.strerror}")
        return
    if mode & stat.S_IRWXO:
        says = f"other users may look into {folder}: chmod 700 keeps them out"
        yield CheckLine("DATA_DIR", State.ADVICE, says)
    else:
        yield CheckLine("DATA_DIR", State.OK, f"{folder} can be written to, by its owner alone")


def _disk(settings: Settings) -> Iterator[CheckLine]:
    free = shutil.disk_usage(settings.data_dir).free
    says = f"{free / 1e9:,.1f} GB are free in {settings.data_dir}"
    if free < FULL_DISK:
        yield CheckLine("disk", State.FAILED, f"{says}: make room, or nothing is published")
    elif free < LOW_DISK:
        yield CheckLine("disk", State.ADVICE, f"{says}: make room")
    else:
        yield CheckLine("disk", State.OK, says)


def _secret_key(settings: Settings) -> Iterator[CheckLine]:
    kept = settings.data_dir / "secret_key"
    if not kept.exists():
        says = "set; keep it beside your backups, which do not hold it"
        yield CheckLine("SECRET_KEY", State.OK, says)
    elif kept.stat().st_mode & (stat.S_IRWXO | stat.S_IRWXG):
        yield CheckLine("SECRET_KEY", State.FAILED, f"others can read {kept}: chmod 600 {kept}")
    else:
        says = f"kept in {kept}, for its owner alone; back that file up too"
        yield CheckLine("SECRET_KEY", State.OK, says)


def _database(settings: Settings) -> Iterator[CheckLine]:
    try:
        session = current_session()
        kind = _kind_of_database(settings, session)
        version = present_version()
        lacking = pending(version)
        if version is None:
            yield CheckLine("DATABASE_URL", State.ADVICE, f"{kind}, empty: run setup")
        elif lacking:
            says = f"{kind}, version {version}: run upgrade, {len(lacking)} migrations wait"
            yield CheckLine("DATABASE_URL", State.FAILED, says)
        else:
            yield CheckLine("DATABASE_URL", State.OK, f"{kind}, version {version}")
            trouble = report.worker_trouble(session)
            state = State.ADVICE if trouble else State.OK
            yield CheckLine("worker", state, trouble or "it is running")
    except UnusableDatabase as error:
        yield CheckLine("DATABASE_URL", State.FAILED, str(error).removeprefix("DATABASE_URL: "))
    except DBAPIError as error:
        says = f"it does not answer: {' '.join(str(error.orig).split())}"
        yield CheckLine("DATABASE_URL", State.FAILED, says)
    finally:
        current_session().rollback()


def _kind_of_database(settings: Settings, session: Session) -> str:
    if settings.is_sqlite:
        return f"SQLite {session.scalar(text('SELECT sqlite_version()'))}"
    return f"PostgreSQL {session.scalar(text('SHOW server_version'))}"


def _clock(settings: Settings) -> Iterator[CheckLine]:
    if not settings.is_sqlite:
        try:
            ahead = clock.now() - current_session().execute(text("SELECT now()")).scalar_one()
        except DBAPIError:
            return
        finally:
            current_session().rollback()
        if abs(ahead) > CLOCK_TOLERANCE:
            says = f"it is {abs(ahead).total_seconds():.0f} s away from the database’s: use NTP"
            yield CheckLine("clock", State.FAILED, says)
            return
    if ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(512)) == _UNSYNCHRONISED:
        says = f"{clock.now():%F %T} UTC, which no time server keeps right: use NTP"
        yield CheckLine("clock", State.ADVICE, says)
    else:
        yield CheckLine("clock", State.OK, f"{clock.now():%F %T} UTC, kept right by a time server")


def _mail(settings: Settings) -> Iterator[CheckLine]:
    probed = provider_probes.probe_mail(settings)
    if probed is None:
        return
    name = "SENDGRID_API_KEY" if settings.sendgrid_api_key else "SMTP_URL"
    yield _probed(name, probed)
    if settings.sendgrid_api_key and not settings.sendgrid_webhook_key:
        says = "not set: whether emails arrived or bounced is never known"
        yield CheckLine("SENDGRID_WEBHOOK_KEY", State.ADVICE, says)


def _records(
    settings: Settings, selectors: tuple[str, ...], resolver: dns.resolver.Resolver | None
) -> Iterator[CheckLine]:
    if settings.mail_channel == "file":
        return
    try:
        for record in sender_records(settings.mail_domain, selectors=selectors, resolver=resolver):
            state = State.OK if record.is_good else State.ADVICE
            yield CheckLine(f"MAIL_FROM {record.kind}", state, record.says)
    except NameServerSilent as error:
        yield CheckLine("MAIL_FROM", State.ADVICE, f"no name server answered about {error}")


def _chat(settings: Settings) -> Iterator[CheckLine]:
    if not settings.postable_rooms:
        return
    try:
        check_rooms(settings)
    except ConfigError as error:
        yield CheckLine(error.name, State.FAILED, error.reason)
        return
    if settings.has_chat:
        says = f"{len(settings.chat_urls)} addresses can be read; Delivery in the admin sends tests"
        yield CheckLine("CHAT_URLS", State.OK, says)
    if bot := provider_probes.probe_slack(settings):
        yield _probed("SLACK_BOT_TOKEN", bot)


def _probed(name: str, probed: provider_probes.Probe) -> CheckLine:
    return CheckLine(name, State.OK if probed.works else State.FAILED, probed.says)


def _sign_on(settings: Settings) -> Iterator[CheckLine]:
    if not settings.oidc_issuer:
        return
    try:
        oidc.discover(settings)
        yield CheckLine("OIDC_ISSUER", State.OK, f"{settings.oidc_issuer} describes itself")
    except (Unavailable, Refused) as error:
        yield CheckLine("OIDC_ISSUER", State.FAILED, str(error))


def _export(settings: Settings) -> Iterator[CheckLine]:
    if not settings.export_to:
        return
    try:
        place = open_target(settings.export_to)
        yield CheckLine("EXPORT_TO", State.OK, f"{place.name} can be written to")
    except (UnusableTarget, OSError) as error:
        yield CheckLine("EXPORT_TO", State.FAILED, str(error))
