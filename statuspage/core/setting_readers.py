"""How the text of a setting becomes a value; ``ValueError`` says in one line what is wrong."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, urlsplit
from zoneinfo import ZoneInfo

import idna
from email_validator import EmailNotValidError, validate_email

from statuspage.core.enums import AccountRole

SLACK: Final = "slack-bot://"
# A name, an IPv4 or an IPv6 address.
_HOST = re.compile(r"[a-z0-9._-]+|[0-9a-f:.]+", re.IGNORECASE)


def read_text(value: str) -> str:
    """Any text."""
    return value


def read_optional(value: str) -> str | None:
    """Any text; None for none."""
    return value or None


def integer_reader(low: int, high: int) -> Callable[[str], int]:
    """A reader of whole numbers from ``low`` to ``high``."""

    def parse(value: str) -> int:
        try:
            number = int(value)
        except ValueError:
            raise ValueError(f"must be a whole number, not {value!r}") from None
        if not low <= number <= high:
            raise ValueError(f"must be from {low} to {high}, not {number}")
        return number

    return parse


def optional_integer_reader(low: int, high: int) -> Callable[[str], int | None]:
    """The same; None where nothing is set."""
    bounded = integer_reader(low, high)
    return lambda value: bounded(value) if value else None


def read_boolean(value: str) -> bool:
    """Yes or no."""
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


def read_web_address(value: str) -> str | None:
    """An ``http`` or ``https`` address without a slash at its end; None for none."""
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


def read_zone_name(value: str) -> ZoneInfo:
    """A time zone by its name."""
    try:
        return ZoneInfo(value)
    except (KeyError, ValueError, OSError):
        raise ValueError(
            f"{value!r} is no time zone; write one like Europe/Berlin or UTC"
        ) from None


def read_database_url(value: str) -> str | None:
    """The address of a database; None for none."""
    if not value:
        return None
    scheme = value.split(":", 1)[0]
    if scheme in {"postgres", "postgresql", "postgresql+psycopg"}:
        return "postgresql+psycopg:" + value.split(":", 1)[1]
    if scheme == "sqlite":
        return value
    raise ValueError("must start with postgresql:// or sqlite:///")


def read_smtp_url(value: str) -> str | None:
    """The address of a mail server; None for none."""
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


def read_mail_address(value: str) -> str | None:
    """A mail address; None for none."""
    if not value:
        return None
    try:
        # The local part in ASCII: what comes from another goes through few servers (RFC 6531).
        return validate_email(
            value, check_deliverability=False, test_environment=True, allow_smtputf8=False
        ).normalized
    except EmailNotValidError as error:
        raise ValueError(f"is not an email address: {error}") from None


def read_verification_key(value: str) -> str | None:
    """A public key as SendGrid shows it; None for none."""
    if not value:
        return None
    try:
        base64.b64decode(value, validate=True)
    except binascii.Error:
        raise ValueError("must be the base64 public key that SendGrid shows") from None
    return value


def read_export_place(value: str) -> str | None:
    """A folder or a bucket; None for none."""
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


def read_chat_urls(value: str) -> tuple[str, ...]:
    """Addresses of chat rooms."""
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


def read_chat_url(value: str) -> str | None:
    """The address of one chat room; None for none."""
    urls = read_chat_urls(value)
    if len(urls) > 1:
        raise ValueError("must be one address; percent-encode spaces")
    return urls[0] if urls else None


# A source of Content-Security-Policy's frame-ancestors (CSP Level 3, 2.3.1), without a path.
_FRAMER: Final = re.compile(
    r"'self'|\*|https?:|(https?://)?(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)*(:(\d{1,5}|\*))?", re.IGNORECASE
)


def read_frame_ancestors(value: str) -> str:
    """Sites as a ``frame-ancestors`` policy names them."""
    sources = value.split() or ["'none'"]
    if sources == ["'none'"]:
        return "'none'"
    for source in sources:
        if not _FRAMER.fullmatch(source):
            raise ValueError(
                f"must name sites like 'self' or https://intranet.example, not {source}"
            )
    return " ".join(sources)


def read_issuer(value: str) -> str | None:
    """The address of an OpenID Connect provider, exactly as given; None for none."""
    if read_web_address(value) is None:
        return None
    parts = urlsplit(value)
    is_local = parts.hostname in {"localhost", "127.0.0.1", "::1"}
    if parts.scheme != "https" and not is_local:
        raise ValueError("must be an https:// address: who may sign in depends on it")
    return value


def read_words(value: str) -> tuple[str, ...]:
    """Words, separated by spaces."""
    return tuple(value.split())


def read_group_roles(value: str) -> tuple[tuple[str, AccountRole], ...]:
    """Roles by group: ``group=role`` pairs, separated by commas."""
    pairs = [pair.strip() for pair in value.split(",") if pair.strip()]
    found = []
    for pair in pairs:
        group, _, role = pair.rpartition("=")
        if not group.strip() or role.strip() not in set(AccountRole):
            known = ", ".join(AccountRole)
            raise ValueError(f"must be group=role pairs, a role being one of {known}; not {pair!r}")
        found.append((group.strip(), AccountRole(role.strip())))
    return tuple(found)


def read_roles(value: str) -> frozenset[AccountRole]:
    """Some roles of accounts, or ``all``."""
    names = value.replace(",", " ").split()
    if names == ["all"]:
        return frozenset(AccountRole)
    try:
        return frozenset(AccountRole(name) for name in names)
    except ValueError:
        known = ", ".join(AccountRole)
        raise ValueError(f"must be all, or some of {known}; not {value}") from None
