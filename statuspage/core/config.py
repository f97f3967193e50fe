"""Every setting once: its name, its default and its meaning.

Settings are environment variables.  A secret may also come from a file: where ``NAME`` is unset
and ``NAME_FILE`` names a file, its stripped content is taken.  A wrong value stops the start with
one line (:class:`ConfigError`) that says which setting is wrong and why; nothing is guessed.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit
from zoneinfo import ZoneInfo

import idna
from email_validator import EmailNotValidError, validate_email
from flask import current_app

SLACK: Final = "slack-bot://"
NO_CHAT: Final = "file"
"""The room of what would be posted if a chat were set."""
# A name, an IPv4 or an IPv6 address.
_HOST = re.compile(r"[a-z0-9._-]+|[0-9a-f:.]+", re.IGNORECASE)


class ConfigError(Exception):
    """A setting has a value that cannot be used; the text is one line for the operator."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name}: {reason}")
        self.name = name
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Setting:
    """One environment variable: how its text becomes a value, and what it is for."""

    name: str
    default: str
    meaning: str
    parse: Callable[[str], Any]
    secret: bool = False


def _text(value: str) -> str:
    return value


def _optional(value: str) -> str | None:
    return value or None


def _integer(low: int, high: int) -> Callable[[str], int]:
    def parse(value: str) -> int:
        try:
            number = int(value)
        except ValueError:
            raise ValueError(f"must be a whole number, not {value!r}") from None
        if not low <= number <= high:
            raise ValueError(f"must be from {low} to {high}, not {number}")
        return number

    return parse


def _optional_integer(low: int, high: int) -> Callable[[str], int | None]:
    bounded = _integer(low, high)
    return lambda value: bounded(value) if value else None


def _boolean(value: str) -> bool:
    lowered = value.lower()
    if lowered in {"1", "true", "yes", "on"}:
        return True
    if lowered in {"", "0", "false", "no", "off"}:
        return False
    raise ValueError(f"must be yes or no, not {value!r}")


def ascii_host(host: str) -> str:
    """A host's name as it is written on the wire (RFC 5891); ``ValueError`` where it is none."""
    if host.isascii():
        return host
    try:
        return idna.encode(host, uts46=True).decode("ascii")
    except idna.IDNAError as error:
        raise ValueError(f"{host!r} is no host name: {error}") from None


def _web_address(value: str) -> str | None:
    if not value:
        return None
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError(f"must be an http or https address, not {value!r}")
    if parts.query or parts.fragment:
        raise ValueError("must not have a query or a fragment")
    _check_port(parts)
    host = ascii_host(parts.hostname)
    if not _HOST.fullmatch(host):
        raise ValueError(f"{parts.hostname!r} is no host name")
    if not parts.hostname.isascii():
        # Once, here: every link, header and comparison then has the same name.
        before, at, rest = parts.netloc.rpartition("@")
        port = rest.partition(":")[2]
        netloc = f"{before}{at}{host}{f':{port}' if port else ''}"
        value = parts._replace(netloc=netloc).geturl()
    if not re.fullmatch(r"[\x21-\x7e]+", value):
        raise ValueError("has characters after the host that must be percent-encoded")
    return value.rstrip("/")


def _check_port(parts: SplitResult) -> None:
    try:
        _ = parts.port
    except ValueError:
        raise ValueError(
            "has a port that is not a number from 0 to 65535; percent-encode what user and "
            "password have of / ? # @ :"
        ) from None


def _zone(value: str) -> ZoneInfo:
    try:
        return ZoneInfo(value)
    except (KeyError, ValueError, OSError):
        raise ValueError(
            f"{value!r} is no time zone; write one like Europe/Berlin or UTC"
        ) from None


def _database_url(value: str) -> str | None:
    if not value:
        return None
    scheme = value.split(":", 1)[0]
    if scheme in {"postgres", "postgresql", "postgresql+psycopg"}:
        return "postgresql+psycopg:" + value.split(":", 1)[1]
    if scheme == "sqlite":
        return value
    raise ValueError("must start with postgresql:// or sqlite:///")


def _smtp_url(value: str) -> str | None:
    if not value:
        return None
    parts = urlsplit(value)
    if parts.scheme not in {"smtp", "smtps"} or not parts.hostname:
        raise ValueError("must look like smtp://user:password@host:587")
    _check_port(parts)
    if parts.fragment or parts.path not in {"", "/"}:
        raise ValueError(
            "has a path or a fragment; percent-encode what user and password have of / ? # @ :"
        )
    return value


def _mail_address(value: str) -> str | None:
    if not value:
        return None
    try:
        # The local part in ASCII: what comes from another goes through few servers (RFC 6531).
        return validate_email(
            value, check_deliverability=False, test_environment=True, allow_smtputf8=False
        ).normalized
    except EmailNotValidError as error:
        raise ValueError(f"is no mail address: {error}") from None


def _verification_key(value: str) -> str | None:
    if not value:
        return None
    try:
        base64.b64decode(value, validate=True)
    except binascii.Error:
        raise ValueError("must be the base64 public key that SendGrid shows") from None
    return value


def _export_place(value: str) -> str | None:
    if not value:
        return None
    scheme, separator, rest = value.partition("://")
    if not separator:
        return str(Path(value).absolute())
    if scheme != "s3" or not rest.partition("/")[0]:
        raise ValueError("must be a folder, or look like s3://bucket/prefix")
    return value


def _words(value: str) -> tuple[str, ...]:
    return tuple(value.split())


def _chat_urls(value: str) -> tuple[str, ...]:
    urls = _words(value)
    for number, url in enumerate(urls, start=1):
        if not re.match(r"[a-z][a-z0-9+.-]*://.", url, re.IGNORECASE):
            raise ValueError(
                f"address {number} must look like scheme://…, as Apprise describes it; "
                "percent-encode spaces, and what a password has of / ? # @ :"
            )
        if url.startswith(SLACK) and not re.fullmatch(r"[CGD][A-Z0-9]{2,30}", url[len(SLACK) :]):
            raise ValueError("must name a Slack channel by its ID: slack-bot://C0123456789")
    return urls


# A source of Content-Security-Policy's frame-ancestors (CSP Level 3, 2.3.1), without a path.
_FRAMER: Final = re.compile(
    r"'self'|\*|https?:|(https?://)?(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)*(:(\d{1,5}|\*))?", re.IGNORECASE
)


def _frame_ancestors(value: str) -> str:
    sources = value.split() or ["'none'"]
    if sources == ["'none'"]:
        return "'none'"
    for source in sources:
        if not _FRAMER.fullmatch(source):
            raise ValueError(
                f"must name sites like 'self' or https://intranet.example, not {source}"
            )
    return " ".join(sources)


SETTINGS: tuple[Setting, ...] = (
    Setting("PORT", "8000", "Port the page is served on.", _integer(1, 65535)),
    Setting("HOST", "127.0.0.1", "Address the server listens on.", _text),
    Setting(
        "PUBLIC_URL",
        "",
        "Address people reach the page at; every link in pages, feeds and mails starts with it. "
        "It may have a path, which a proxy may pass on or take away. With https, browsers are told "
        "to come by https alone. `http://HOST:PORT` where unset and mail is only written as files.",
        _web_address,
    ),
    Setting("DATA_DIR", "instance", "Folder for the database, keys, mail files and copies.", Path),
    Setting(
        "DATABASE_URL",
        "",
        "`postgresql://user:password@host/name` moves everything to PostgreSQL. "
        "SQLite in DATA_DIR where unset.",
        _database_url,
        secret=True,
    ),
    Setting(
        "SECRET_KEY",
        "",
        "Signs sessions and links; at least 32 characters. Made once and kept in DATA_DIR where "
        "unset; several hosts must share one.",
        _optional,
        secret=True,
    ),
    Setting(
        "SENDGRID_API_KEY", "", "Sends mail through SendGrid when set.", _optional, secret=True
    ),
    Setting(
        "SENDGRID_API_HOST", "https://api.sendgrid.com", "SendGrid's API address.", _web_address
    ),
    Setting(
        "SENDGRID_WEBHOOK_KEY",
        "",
        "Public key of SendGrid's signed event webhook; `/hooks/sendgrid` refuses everything "
        "where unset.",
        _verification_key,
        secret=True,
    ),
    Setting(
        "SENDGRID_SANDBOX", "no", "Has SendGrid check every request and send nothing.", _boolean
    ),
    Setting(
        "SMTP_URL",
        "",
        "`smtp://user:password@host:587` (or `smtps://`) sends mail over SMTP where no SendGrid "
        "key is set. With neither, mail is written as `.eml` files under DATA_DIR. "
        "`?starttls=require` at its end sends nothing unencrypted, `?starttls=never` does not try "
        "to encrypt.",
        _smtp_url,
        secret=True,
    ),
    Setting(
        "SMTP_CONNECTIONS",
        "1",
        "SMTP connections used at a time. Each one more is one more mail that a crash may double.",
        _integer(1, 16),
    ),
    Setting(
        "MAIL_FROM",
        "",
        "Address mail comes from. `status@` the page's host where unset and mail is only "
        "written as files.",
        _mail_address,
    ),
    Setting(
        "CHAT_URLS",
        "",
        "Where internal messages go: Apprise addresses, separated by spaces. "
        "`slack-bot://C0123456789`, with a channel's ID, posts there as a bot of yours: a thread "
        "for each incident.",
        _chat_urls,
        secret=True,
    ),
    Setting(
        "SLACK_BOT_TOKEN",
        "",
        "Bot token (`xoxb-…`, scope `chat:write`) for `slack-bot://` in CHAT_URLS.",
        _optional,
        secret=True,
    ),
    Setting(
        "SLACK_API_URL",
        "https://slack.com/api",
        "Slack's API address, or that of a gateway of yours before it.",
        _web_address,
    ),
    Setting(
        "FRAME_ANCESTORS",
        "",
        "Sites that may show the public page in a frame, separated by spaces: `'self'`, "
        "`https://intranet.example.com`, `https://*.example.com`. None where unset; the admin is "
        "never framed.",
        _frame_ancestors,
    ),
    Setting("TIME_ZONE", "UTC", "The page's zone until the admin picks one.", _zone),
    Setting(
        "TRUSTED_PROXIES",
        "0",
        "How many proxies in front may be believed about the client's address. Behind a proxy it "
        "must be set: with 0 all visitors seem to have the proxy's address, and limits meant for "
        "one hold for all. The admin shows an alarm where a proxy is seen that is not counted.",
        _integer(0, 10),
    ),
    Setting(
        "SESSION_HOURS",
        "12",
        "Hours after which a sign-in to the admin ends, however much it is used.",
        _integer(1, 720),
    ),
    Setting(
        "SESSION_IDLE_MINUTES",
        "120",
        "Minutes without a request after which a sign-in to the admin ends.",
        _integer(5, 43_200),
    ),
    Setting(
        "STEP_UP_MINUTES",
        "15",
        "Exporting or erasing personal data, changing people and making API keys ask for the "
        "password again where it was last given longer ago than this.",
        _integer(1, 1_440),
    ),
    Setting("STEP_UP_TO_PUBLISH", "no", "Has publishing ask for it too.", _boolean),
    Setting(
        "UNCERTAIN_WAIT",
        "",
        "Seconds that a mail whose fate is unknown waits for the provider's event before it is "
        "sent once more. 600 where SENDGRID_WEBHOOK_KEY is set, else 0.",
        _optional_integer(0, 86_400),
    ),
    Setting(
        "CANCEL_WINDOW",
        "60",
        "Seconds that the mails about a resolution wait after it is published, so that one press "
        "can still cancel them; 0 sends them at once. All other mail goes at once.",
        _integer(0, 3_600),
    ),
    Setting(
        "DELIVERY_BATCH",
        "1000",
        "Recipients claimed and handed over at a time; SendGrid takes 1,000 at most. Without the "
        "event webhook it is also how many mails a worker that is killed may double.",
        _integer(1, 1000),
    ),
    Setting(
        "EXPORT_TO",
        "",
        "Folder, or `s3://bucket/prefix`, where the worker keeps the public site as static files; "
        "empty, or written by this service before. S3's key, region and endpoint are boto3's own "
        "variables, such as `AWS_ENDPOINT_URL_S3`.",
        _export_place,
    ),
    Setting(
        "ADDRESS_RETENTION_DAYS",
        "",
        "Days after which the addresses in deliveries are forgotten; states, times and a hash of "
        "the address stay. Kept where unset.",
        _optional_integer(30, 36_500),
    ),
    Setting(
        "AUDIT_RETENTION_DAYS",
        "",
        "Days after which entries of the audit trail are removed; a signed checkpoint takes their "
        "place. Kept where unset.",
        _optional_integer(90, 36_500),
    ),
    Setting(
        "LOG_FORMAT",
        "text",
        "`text` for people, `json` for machines: one object a line, tracebacks within.",
        _text,
    ),
)


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings as values; made by :func:`load_settings` alone."""

    port: int
    host: str
    public_url: str
    data_dir: Path
    database_url: str
    secret_key: str
    sendgrid_api_key: str | None
    sendgrid_api_host: str
    sendgrid_webhook_key: str | None
    sendgrid_sandbox: bool
    smtp_url: str | None
    smtp_connections: int
    mail_from: str
    chat_urls: tuple[str, ...]
    slack_bot_token: str | None
    slack_api_url: str
    frame_ancestors: str
    time_zone: ZoneInfo
    trusted_proxies: int
    session_hours: int
    session_idle_minutes: int
    step_up_minutes: int
    step_up_to_publish: bool
    uncertain_wait: int
    cancel_window: int
    delivery_batch: int
    address_retention_days: int | None
    export_to: str | None
    audit_retention_days: int | None
    log_format: str

    @property
    def is_sqlite(self) -> bool:
        """Whether the database is SQLite (else PostgreSQL)."""
        return self.database_url.startswith("sqlite")

    @property
    def mail_channel(self) -> str:
        """The provider that mail is sent by: ``sendgrid``, ``smtp`` or ``file``."""
        if self.sendgrid_api_key:
            return "sendgrid"
        return "smtp" if self.smtp_url else "file"

    @property
    def mail_domain(self) -> str:
        """The domain that mail comes from, in ASCII: what we call ourselves to a mail server."""
        return ascii_host(self.mail_from.rpartition("@")[2])

    @property
    def has_chat(self) -> bool:
        """Whether colleagues are notified by chat."""
        return bool(self.chat_urls)

    @property
    def chat_rooms(self) -> dict[str, str]:
        """Where internal messages go: Apprise addresses by a name that gives nothing away.

        Where none is set there is none.  Where nothing is mailed either, as on a laptop, what
        would be posted is kept in the room ``file``, under DATA_DIR, with no address.
        """
        if not self.chat_urls:
            return {NO_CHAT: ""} if self.mail_channel == "file" else {}
        return {hashlib.sha256(url.encode()).hexdigest()[:12]: url for url in self.chat_urls}

    @property
    def slack_rooms(self) -> dict[str, str]:
        """The IDs of the Slack channels that the bot posts to, by the rooms' names."""
        rooms = self.chat_rooms.items()
        return {name: url.removeprefix(SLACK) for name, url in rooms if url.startswith(SLACK)}

    @property
    def may_load_demo(self) -> bool:
        """Whether this is a laptop set-up: the default SQLite, and nothing that could mail."""
        return self.database_url == default_database_url(self.data_dir) and (
            self.mail_channel == "file" and not self.chat_urls
        )


def current_settings() -> Settings:
    """The settings of the app whose context this is."""
    settings: Settings = current_app.extensions["settings"]
    return settings


def default_database_url(data_dir: Path) -> str:
    """The SQLite address used where ``DATABASE_URL`` is unset."""
    return f"sqlite:///{data_dir / 'statuspage.db'}"


def _read(setting: Setting, environ: Mapping[str, str]) -> str:
    value = environ.get(setting.name, "").strip()
    file = environ.get(f"{setting.name}_FILE", "").strip()
    if value and file:
        raise ConfigError(setting.name, f"is set, and {setting.name}_FILE too; keep one of them")
    if not file:
        return value or setting.default
    try:
        return Path(file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{setting.name}_FILE", f"cannot be read: {error}") from None


def _kept_secret_key(data_dir: Path) -> str:
    """The key kept in DATA_DIR, made on first use and readable by its owner alone."""
    path = data_dir / "secret_key"
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return path.read_text(encoding="ascii").strip()
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(32))
    except OSError as error:
        raise ConfigError("DATA_DIR", f"cannot be used: {error}") from None
    return path.read_text(encoding="ascii").strip()


def _check_slack(values: dict[str, Any]) -> None:
    if not any(url.startswith(SLACK) for url in values["chat_urls"]):
        return
    token, api = values["slack_bot_token"], values["slack_api_url"]
    if not token:
        raise ConfigError("SLACK_BOT_TOKEN", "must be set where CHAT_URLS names slack-bot://")
    if not re.fullmatch(r"[\x21-\x7e]+", token):
        raise ConfigError("SLACK_BOT_TOKEN", "holds characters that no token has")
    if not re.match(r"https:|http://(localhost|127\.0\.0\.1|\[::1\])(:|/|$)", api):
        raise ConfigError("SLACK_API_URL", "must be an https:// address: the token goes there")


def _settle(values: dict[str, Any]) -> None:
    """Fill in the defaults that depend on other settings, and check what must agree."""
    data_dir: Path = values["data_dir"].absolute()
    values["data_dir"] = data_dir
    host = values["host"]
    sends_mail = values["sendgrid_api_key"] or values["smtp_url"]
    if sends_mail and not values["public_url"]:
        reason = "must be set where mail is sent by SendGrid or SMTP; its links lead there"
        raise ConfigError("PUBLIC_URL", reason)
    values["public_url"] = values["public_url"] or (
        f"http://{f'[{host}]' if ':' in host else host}:{values['port']}"
    )
    values["database_url"] = values["database_url"] or default_database_url(data_dir)
    if values["secret_key"] is None:
        values["secret_key"] = _kept_secret_key(data_dir)
    if len(values["secret_key"]) < 32:
        raise ConfigError("SECRET_KEY", "must have at least 32 characters")
    if values["log_format"] not in {"text", "json"}:
        raise ConfigError("LOG_FORMAT", f"must be text or json, not {values['log_format']!r}")
    if sends_mail and not values["mail_from"]:
        raise ConfigError("MAIL_FROM", "must be set where mail is sent by SendGrid or SMTP")
    values["mail_from"] = values["mail_from"] or f"status@{_mail_domain(values['public_url'])}"
    _check_slack(values)
    if values["uncertain_wait"] is None:
        values["uncertain_wait"] = 600 if values["sendgrid_webhook_key"] else 0


def _mail_domain(public_url: str) -> str:
    """The page's host where mail can come from it; an IP address or a bare name cannot."""
    host = urlsplit(public_url).hostname or ""
    return host if "." in host and not host.replace(".", "").isdigit() else "localhost"


def load_settings(environ: Mapping[str, str]) -> Settings:
    """Read all settings from ``environ``; makes DATA_DIR and the kept secret key where needed.

    Raises :class:`ConfigError` for the first value that cannot be used.
    """
    values: dict[str, Any] = {}
    for setting in SETTINGS:
        try:
            values[setting.name.lower()] = setting.parse(_read(setting, environ))
        except ValueError as error:
            raise ConfigError(setting.name, str(error)) from None
    _settle(values)
    return Settings(**{field.name: values[field.name] for field in fields(Settings)})
