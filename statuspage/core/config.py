"""Every setting once: its name, its default and its meaning.

Settings are environment variables.  A secret may also come from a file: where ``NAME`` is unset
and ``NAME_FILE`` names a file, its stripped content is taken.  A wrong value stops the start with
one line (:class:`ConfigError`) that says which setting is wrong and why; nothing is guessed.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from flask import current_app

from statuspage.core.enums import AccountRole
from statuspage.core.secret_key import kept_secret_key
from statuspage.core.setting_readers import (
    SLACK,
    ascii_host,
    integer_reader,
    optional_integer_reader,
    read_boolean,
    read_chat_url,
    read_chat_urls,
    read_database_url,
    read_export_place,
    read_frame_ancestors,
    read_group_roles,
    read_issuer,
    read_mail_address,
    read_optional,
    read_roles,
    read_smtp_url,
    read_text,
    read_verification_key,
    read_web_address,
    read_words,
    read_zone_name,
)

NO_CHAT: Final = "file"
"""The room of what would be posted if a chat were set."""


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


SETTINGS: tuple[Setting, ...] = (
    Setting("PORT", "8000", "Port the page is served on.", integer_reader(1, 65535)),
    Setting("HOST", "127.0.0.1", "Address or Unix socket that the server listens on.", read_text),
    Setting(
        "PUBLIC_URL",
        "",
        "Address people reach the page at; every link in pages, feeds and emails starts with it. "
        "It may have a path, which a proxy may pass on or take away. With https, browsers are told "
        "to come by https alone. `http://HOST:PORT` where unset and email is only written "
        "as files.",
        read_web_address,
    ),
    Setting("DATA_DIR", "instance", "Folder for the database, keys, email files and copies.", Path),
    Setting(
        "DATABASE_URL",
        "",
        "`postgresql://user:password@host/name` moves everything to PostgreSQL. "
        "SQLite in DATA_DIR where unset.",
        read_database_url,
        secret=True,
    ),
    Setting(
        "SECRET_KEY",
        "",
        "Signs sessions and links; at least 32 characters. Made once and kept in DATA_DIR where "
        "unset; several hosts must share one.",
        read_optional,
        secret=True,
    ),
    Setting(
        "SENDGRID_API_KEY", "", "Sends email through SendGrid when set.", read_optional, secret=True
    ),
    Setting(
        "SENDGRID_API_HOST", "https://api.sendgrid.com", "SendGrid's API address.", read_web_address
    ),
    Setting(
        "SENDGRID_WEBHOOK_KEY",
        "",
        "Public key of SendGrid's signed event webhook; `/hooks/sendgrid` refuses everything "
        "where unset.",
        read_verification_key,
        secret=True,
    ),
    Setting(
        "SENDGRID_SANDBOX", "no", "Has SendGrid check every request and send nothing.", read_boolean
    ),
    Setting(
        "SMTP_URL",
        "",
        "`smtp://user:password@host:587` (or `smtps://`) sends email over SMTP where no SendGrid "
        "key is set. With neither, email is written as `.eml` files under DATA_DIR. "
        "`?starttls=require` at its end sends nothing unencrypted, `?starttls=never` does not try "
        "to encrypt.",
        read_smtp_url,
        secret=True,
    ),
    Setting(
        "SMTP_CONNECTIONS",
        "1",
        "SMTP connections used at a time. Each one more is one more email that a crash may double.",
        integer_reader(1, 16),
    ),
    Setting(
        "MAIL_FROM",
        "",
        "Address that email comes from. `status@` the page's host where unset and email is only "
        "written as files.",
        read_mail_address,
    ),
    Setting(
        "CHAT_URLS",
        "",
        "Where internal messages go: Apprise addresses, separated by spaces. "
        "`slack-bot://C0123456789`, with a channel's ID, posts there as a bot of yours: a thread "
        "for each incident.",
        read_chat_urls,
        secret=True,
    ),
    Setting(
        "SLACK_BOT_TOKEN",
        "",
        "Bot token (`xoxb-…`, scopes `chat:write` and `pins:write`) for `slack-bot://` in "
        "CHAT_URLS.",
        read_optional,
        secret=True,
    ),
    Setting(
        "SLACK_INCIDENT_CHANNELS",
        "no",
        "Opens a public Slack channel for each incident, linked in its declaration; the bot needs "
        "the scope `channels:manage`.",
        read_boolean,
    ),
    Setting(
        "SLACK_API_URL",
        "https://slack.com/api",
        "Slack's API address, or that of a gateway of yours before it.",
        read_web_address,
    ),
    Setting(
        "DELIVERY_TEST_EMAIL",
        "",
        "Mailbox that gets the nightly delivery test, which tries email, chat and the public feed. "
        "There is a test where this or DELIVERY_TEST_CHAT_URL is set.",
        read_mail_address,
    ),
    Setting(
        "DELIVERY_TEST_CHAT_URL",
        "",
        "Chat room that gets the nightly delivery test: one address as in CHAT_URLS, which may be "
        "among them.",
        read_chat_url,
        secret=True,
    ),
    Setting(
        "DELIVERY_TEST_HOUR",
        "3",
        "Hour from which the night's delivery test runs, in the page's time zone.",
        integer_reader(0, 23),
    ),
    Setting(
        "FRAME_ANCESTORS",
        "",
        "Sites that may show the public page in a frame, separated by spaces: `'self'`, "
        "`https://intranet.example.com`, `https://*.example.com`. None where unset; the admin is "
        "never framed.",
        read_frame_ancestors,
    ),
    Setting("TIME_ZONE", "UTC", "The page's zone until the admin picks one.", read_zone_name),
    Setting(
        "TRUSTED_PROXIES",
        "0",
        "How many proxies in front may be believed about the client's address. Behind a proxy it "
        "must be set: with 0 all visitors seem to have the proxy's address, and limits meant for "
        "one hold for all. The admin shows an alarm where a proxy is seen that is not counted.",
        integer_reader(0, 10),
    ),
    Setting(
        "SESSION_HOURS",
        "12",
        "Hours after which a sign-in to the admin ends, however much it is used.",
        integer_reader(1, 720),
    ),
    Setting(
        "SESSION_IDLE_MINUTES",
        "120",
        "Minutes without a request after which a sign-in to the admin ends.",
        integer_reader(5, 43_200),
    ),
    Setting(
        "STEP_UP_MINUTES",
        "15",
        "Exporting or erasing personal data, changing people and making API keys ask for the "
        "password again where it was last given longer ago than this.",
        integer_reader(1, 1_440),
    ),
    Setting(
        "REQUIRE_SECOND_FACTOR",
        "",
        "Who must sign in with a code from an authenticator app too: `all`, or roles separated by "
        "spaces, such as `admin comms_lead`. Nobody must where unset; everybody can.",
        read_roles,
    ),
    Setting(
        "BREACHED_PASSWORDS_URL",
        "",
        "Where a new password is looked up among those known from breaches, such as "
        "`https://api.pwnedpasswords.com/range`; five digits of its hash are sent. Nobody is asked "
        "where unset, and a password is taken where nobody answers.",
        read_web_address,
    ),
    Setting(
        "STEP_UP_TO_PUBLISH", "no", "Publishing asks for the password again too.", read_boolean
    ),
    Setting(
        "OIDC_ISSUER",
        "",
        "Address of your OpenID Connect provider, exactly as it names itself. There is no single "
        "sign-on where unset. See [single-sign-on.md](single-sign-on.md).",
        read_issuer,
    ),
    Setting("OIDC_CLIENT_ID", "", "What the provider calls this service.", read_text),
    Setting(
        "OIDC_CLIENT_SECRET",
        "",
        "The secret shared with the provider; unset for a public client.",
        read_optional,
        secret=True,
    ),
    Setting("OIDC_NAME", "single sign-on", "What the button to sign in calls it.", read_text),
    Setting(
        "OIDC_SCOPES",
        "openid email profile",
        "Scopes that are asked for. Many providers give groups for one more.",
        read_words,
    ),
    Setting("OIDC_GROUPS_CLAIM", "groups", "Claim that lists somebody's groups.", read_text),
    Setting(
        "OIDC_ROLES",
        "",
        "Roles by group, separated by commas: `On call=responder, Comms=comms_lead`. The highest "
        "counts, at each sign-in; whoever is in none is refused. Where unset, roles are "
        "changed here.",
        read_group_roles,
    ),
    Setting(
        "OIDC_CREATE_ACCOUNTS",
        "no",
        "Makes an account for whoever the provider lets in, as a viewer where OIDC_ROLES is unset. "
        "Otherwise people are invited first.",
        read_boolean,
    ),
    Setting(
        "OIDC_TRUST_EMAIL",
        "no",
        "Takes email addresses that the provider does not call verified. Only for a provider where "
        "nobody can choose their own.",
        read_boolean,
    ),
    Setting(
        "OIDC_ACR",
        "",
        "Authentication contexts (`acr`), separated by spaces, one of which the provider must "
        "confirm: a second factor, say.",
        read_words,
    ),
    Setting(
        "OIDC_REQUIRED",
        "no",
        "Refuses passwords: everybody signs in at the provider, but for EMERGENCY_ACCOUNT.",
        read_boolean,
    ),
    Setting(
        "EMERGENCY_ACCOUNT",
        "",
        "Address of the one account that can sign in with its password where OIDC_REQUIRED is "
        "on, while the provider is down, say. Its use raises an alarm.",
        read_mail_address,
    ),
    Setting(
        "UNCERTAIN_WAIT",
        "",
        "Seconds that an email whose fate is unknown waits for the provider's event before it is "
        "sent once more. 600 where SENDGRID_WEBHOOK_KEY is set, else 0.",
        optional_integer_reader(0, 86_400),
    ),
    Setting(
        "CANCEL_WINDOW",
        "60",
        "Seconds that the emails about a resolution wait after it is published, so that one click "
        "can still cancel them; 0 sends them at once. All other email goes at once.",
        integer_reader(0, 3_600),
    ),
    Setting(
        "DELIVERY_BATCH",
        "1000",
        "Recipients claimed and handed over at a time; SendGrid takes 1,000 at most. Without the "
        "event webhook it is also how many emails a worker that is killed may double.",
        integer_reader(1, 1000),
    ),
    Setting(
        "PROMETHEUS_URL",
        "",
        "Prometheus server that metrics with a query are read from; may have `user:password@`.",
        read_web_address,
        secret=True,
    ),
    Setting(
        "EXPORT_TO",
        "",
        "Folder, or `s3://bucket/prefix`, where the worker keeps the public site as static files; "
        "empty, or written by this service before. S3's key, region and endpoint are boto3's own "
        "variables, such as `AWS_ENDPOINT_URL_S3`.",
        read_export_place,
    ),
    Setting(
        "ADDRESS_RETENTION_DAYS",
        "",
        "Days after which the addresses in deliveries are forgotten; states, times and a hash of "
        "the address stay. Kept where unset.",
        optional_integer_reader(30, 36_500),
    ),
    Setting(
        "AUDIT_RETENTION_DAYS",
        "",
        "Days after which entries of the audit trail are removed; a signed checkpoint takes their "
        "place. Kept where unset.",
        optional_integer_reader(90, 36_500),
    ),
    Setting(
        "LOG_FORMAT",
        "text",
        "`text` for people, `json` for machines: one object a line, tracebacks within.",
        read_text,
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
    slack_incident_channels: bool
    slack_api_url: str
    delivery_test_email: str | None
    delivery_test_chat_url: str | None
    delivery_test_hour: int
    frame_ancestors: str
    time_zone: ZoneInfo
    trusted_proxies: int
    session_hours: int
    session_idle_minutes: int
    step_up_minutes: int
    require_second_factor: frozenset[AccountRole]
    breached_passwords_url: str | None
    step_up_to_publish: bool
    oidc_issuer: str | None
    oidc_client_id: str
    oidc_client_secret: str | None
    oidc_name: str
    oidc_scopes: tuple[str, ...]
    oidc_groups_claim: str
    oidc_roles: tuple[tuple[str, AccountRole], ...]
    oidc_create_accounts: bool
    oidc_trust_email: bool
    oidc_acr: tuple[str, ...]
    oidc_required: bool
    emergency_account: str | None
    uncertain_wait: int
    cancel_window: int
    delivery_batch: int
    address_retention_days: int | None
    prometheus_url: str | None
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
        return {_room_name(url): url for url in self.chat_urls}

    @property
    def has_delivery_test(self) -> bool:
        """Whether somebody named where the nightly delivery test goes."""
        return bool(self.delivery_test_email or self.delivery_test_chat_url)

    @property
    def test_room(self) -> str | None:
        """The room that gets the nightly delivery test, by its name."""
        return _room_name(self.delivery_test_chat_url) if self.delivery_test_chat_url else None

    @property
    def postable_rooms(self) -> dict[str, str]:
        """The chat rooms, and the one of the nightly test, which gets nothing else."""
        if not self.delivery_test_chat_url:
            return self.chat_rooms
        return self.chat_rooms | {
            _room_name(self.delivery_test_chat_url): self.delivery_test_chat_url
        }

    @property
    def slack_rooms(self) -> dict[str, str]:
        """The IDs of the Slack channels that the bot posts to, by the rooms' names."""
        rooms = self.postable_rooms.items()
        return {name: url.removeprefix(SLACK) for name, url in rooms if url.startswith(SLACK)}

    @property
    def may_load_demo(self) -> bool:
        """Whether this is a laptop set-up: the default SQLite, and nothing that could mail."""
        return self.database_url == default_database_url(self.data_dir) and (
            self.mail_channel == "file" and not self.chat_urls
        )


def _room_name(url: str) -> str:
    """A room's name: of its address, which may hold a secret, a hash."""
    return hashlib.sha256(url.encode()).hexdigest()[:12]


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


def _check_slack(values: dict[str, Any]) -> None:
    urls = [*values["chat_urls"], values["delivery_test_chat_url"] or ""]
    if not any(url.startswith(SLACK) for url in urls):
        return
    token, api = values["slack_bot_token"], values["slack_api_url"]
    if not token:
        raise ConfigError("SLACK_BOT_TOKEN", "must be set where CHAT_URLS names slack-bot://")
    if not re.fullmatch(r"[\x21-\x7e]+", token):
        raise ConfigError("SLACK_BOT_TOKEN", "holds characters that no token has")
    if not re.match(r"https:|http://(localhost|127\.0\.0\.1|\[::1\])(:|/|$)", api):
        raise ConfigError("SLACK_API_URL", "must be an https:// address: the token goes there")


def _check_single_sign_on(values: dict[str, Any]) -> None:
    if not values["oidc_issuer"]:
        if values["oidc_required"]:
            raise ConfigError("OIDC_ISSUER", "must be set where OIDC_REQUIRED is on")
        return
    if not values["oidc_client_id"]:
        raise ConfigError("OIDC_CLIENT_ID", "must be set where OIDC_ISSUER is")
    if "openid" not in values["oidc_scopes"]:
        raise ConfigError("OIDC_SCOPES", "must have openid among them")
    if values["oidc_required"] and not values["emergency_account"]:
        reason = "must be set where OIDC_REQUIRED is on: nobody gets in while the provider is down"
        raise ConfigError("EMERGENCY_ACCOUNT", reason)


def _settle(values: dict[str, Any]) -> None:
    """Fill in the defaults that depend on other settings, and check what must agree."""
    data_dir: Path = values["data_dir"].absolute()
    values["data_dir"] = data_dir
    host = values["host"]
    sends_mail = values["sendgrid_api_key"] or values["smtp_url"]
    if sends_mail and not values["public_url"]:
        reason = "must be set where email is sent by SendGrid or SMTP; its links lead there"
        raise ConfigError("PUBLIC_URL", reason)
    if host.startswith("/") and not values["public_url"]:
        raise ConfigError("PUBLIC_URL", "must be set where HOST is a Unix socket")
    values["public_url"] = values["public_url"] or (
        f"http://{f'[{host}]' if ':' in host else host}:{values['port']}"
    )
    values["database_url"] = values["database_url"] or default_database_url(data_dir)
    if values["secret_key"] is None:
        try:
            values["secret_key"] = kept_secret_key(data_dir)
        except OSError as error:
            raise ConfigError("DATA_DIR", f"cannot be used: {error}") from None
    if len(values["secret_key"]) < 32:
        raise ConfigError("SECRET_KEY", "must have at least 32 characters")
    if values["log_format"] not in {"text", "json"}:
        raise ConfigError("LOG_FORMAT", f"must be text or json, not {values['log_format']!r}")
    if sends_mail and not values["mail_from"]:
        raise ConfigError("MAIL_FROM", "must be set where email is sent by SendGrid or SMTP")
    values["mail_from"] = values["mail_from"] or f"status@{_mail_domain(values['public_url'])}"
    _check_slack(values)
    _check_single_sign_on(values)
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
