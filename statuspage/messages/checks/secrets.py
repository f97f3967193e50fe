"""Secrets by their shape: keys, tokens, passwords, and links that open a door by themselves."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from typing import Final

from statuspage.messages.checks.rule_types import CheckedText, Span, named, spans

_KEYS: Final = (
    r"(?:AKIA|ASIA|AGPA|AIDA|AROA|ABIA|ACCA)[A-Z0-9]{12,20}",  # AWS
    r"gh[pousr]_[A-Za-z0-9]{16,255}",
    r"github_pat_\w{16,255}",
    r"gl(?:pat|rt|dt|ptt|soat|ft|cbt|imt|agent)-[\w-]{12,100}",
    r"xox[abeoprs]-[\w-]{8,250}",
    r"xapp-[\w-]{8,250}",
    r"(?:sk|rk|pk)_(?:live|test|prod)_\w{8,250}",
    r"whsec_\w{8,250}",
    r"AIza[\w-]{20,60}",
    r"ya29\.[\w-]{16,250}",
    r"GOCSPX-[\w-]{16,60}",
    r"SG\.[\w-]{10,80}\.[\w-]{10,120}",
    r"(?:AC|SK)[0-9a-f]{32}",
    r"key-[0-9a-f]{24,40}",
    r"npm_[A-Za-z0-9]{20,80}",
    r"pypi-[\w-]{16,250}",
    r"rubygems_[0-9a-f]{24,80}",
    r"do[opr]_v1_[0-9a-f]{16,80}",
    r"shp(?:at|ca|pa|ss)_[0-9a-f]{16,80}",
    r"hf_[A-Za-z0-9]{16,80}",
    r"sk-[\w-]{16,250}",
    r"hv[sbr]\.[\w-]{16,250}",
    r"dckr_(?:pat|oat)_[\w-]{16,100}",
    r"gl(?:sa|c)_\w{16,200}",
    r"lin_api_\w{16,100}",
    r"ATATT[\w-]{16,250}",
    r"AGE-SECRET-KEY-1[A-Z0-9]{16,100}",
    r"eyJ[\w-]{6,2000}\.[\w-]{4,4000}(?:\.[\w-]{0,2000})?",  # JWT, RFC 7519
    r"NRAK-[A-Z0-9]{16,60}",
    r"(?:EAAA[\w-]{24,200}|sq0(?:csp|atp|idp)-[\w-]{16,80})",  # Square
    r"[MNO][A-Za-z\d_-]{23,27}\.[\w-]{6}\.[\w-]{27,40}",  # a Discord bot
    r"\d{8,10}:AA[\w-]{30,40}",  # a Telegram bot
    r"[0-9a-z]{32}-us\d{1,2}",  # Mailchimp
    r"AKC[A-Za-z0-9]{40,200}",  # Artifactory
    r"dapi[0-9a-f]{32}(?:-\d)?",
    r"PMAK-[0-9a-f]{24}-[0-9a-f]{34}",
    r"(?:r8|fo1|FlyV1|pul|tfp|vercel|sbp|re|phc|phx|nfp|cio|rnd|whr|xkeysib)[_-][A-Za-z0-9]{24,200}",
    r"[A-Za-z0-9]{14}\.atlasv1\.[\w-]{40,100}",
    r"AccountKey=[A-Za-z0-9+/]{20,100}={0,2}",
    r"sv=\d{4}-\d\d-\d\d&[^\s<>]{8,400}",  # a shared access signature of Azure
)
_KEY = re.compile(rf"(?<![\w/+-])(?:{'|'.join(_KEYS)})(?![\w])")
_BLOCK = re.compile(
    r"-----BEGIN [A-Z0-9 ]{3,40}-----[^-]{0,8000}(?:-----END [A-Z0-9 ]{3,40}-----)?"
    r"|PuTTY-User-Key-File-\d"
    r"|(?<!\w)(?:ssh-(?:rsa|ed25519|dss)|ecdsa-sha2-\S{4,30}) [A-Za-z0-9+/=]{12,2000}"
)
# Whoever has such an address may post to the room, or read the file.
_OPEN_LINK = re.compile(
    r"(?<!\w)https?://(?:hooks\.slack\.com/\S{4,200}"
    r"|(?:\w{1,20}\.)?discord(?:app)?\.com/api/webhooks/\S{4,200}"
    r"|[\w.-]{1,60}\.webhook\.office\.com/\S{4,300}|outlook\.office\.com/webhook/\S{4,300}"
    r"|chat\.googleapis\.com/v1/spaces/\S{4,300}|api\.telegram\.org/bot\S{4,200}"
    r"|(?:hooks\.zapier\.com|maker\.ifttt\.com|[\w.-]{1,40}\.make\.com|"
    r"events\.pagerduty\.com|api\.opsgenie\.com)/\S{6,300}"
    r"|[^\s<>?]{3,300}\?(?:[^\s<>]{0,800}&)?(?:X-Amz-(?:Signature|Credential|Security-Token)|"
    r"X-Goog-Signature|Signature|sig|signature|AWSAccessKeyId|access_token|id_token|auth_token|"
    r"api_?key|apikey|token|auth|secret|password|pwd|key|code|jwt|sharekey|hmac)=[^\s<>&]{6,900}"
    r"(?:&[^\s<>]{0,900})?)",
    re.IGNORECASE,
)
_CONNECTION = re.compile(
    r"(?<![\w+.-])(?:[a-z][a-z0-9+.-]{1,20}://[^\s:@/<>]{0,100}:[^\s@/<>]{1,100}@[^\s<>]{1,200}"
    r"|(?:jdbc:\w{2,20}|postgres(?:ql)?|mysql|mariadb|mongodb(?:\+srv)?|rediss?|amqps?|mssql|"
    r"sqlserver|oracle|ldaps?|s?ftp|ssh|smtps?|kafka|nats|memcached|cassandra|clickhouse|s3|gs|"
    r"file|"
    r"unix|tcp|udp|grpc)://?[^\s<>]{2,250})",
    re.IGNORECASE,
)
_PAIRS = re.compile(
    r"(?<!\w)(?:Server|Data Source|Host|User ?Id|Uid|Initial Catalog|Database|AccountKey|"
    r"AccountName|SharedAccessKey|DefaultEndpointsProtocol|Endpoint|Pwd|Password)"
    r"\s?=\s?[^;\s]{1,200};",
    re.IGNORECASE,
)
_SECRET_NAME = (
    r"pass(?:word|wd|phrase|code)?|pwd|pw|secret(?:[ _-]?(?:access[ _-]?)?key)?|"
    r"api[ _-]?(?:key|token|"
    r"secret)|apikey|access[ _-]?(?:key|token)|auth(?:entication|orization)?[ _-]?(?:token|key)|"
    r"bearer[ _-]?token|refresh[ _-]?token|session[ _-]?(?:token|id|key)|token|credentials?|creds|"
    r"client[ _-]?secret|private[ _-]?key|signing[ _-]?key|encryption[ _-]?key|"
    r"pin(?: ?code)?|otp|kennwort|passwort|mot de passe|contraseña|senha"
)
_NAMED_SECRET = re.compile(
    rf"(?<![A-Za-z])(?:{_SECRET_NAME})(?:s)?[\"']?"
    rf"(?:\s(?:for|of|on|to)\s(?:the\s)?[\w@.-]{{1,40}}(?:\s[\w-]{{1,30}})?)?"
    rf"(?P<how>\s?(?:=>|->|=|:|：)\s?|\s(?:(?:is|was|are|now|still|being|ist|est|es)\s){{1,4}}"
    rf"(?:(?:set|changed|reset|now|back)\s){{0,2}}(?:to\s)?|"
    rf"\s(?:changed|set|reset)\s(?:back\s)?to\s|"
    rf"\sto\s(?=[^\s]{{0,40}}\d)|\s(?=[\"“‘'`]|[^\s\"”’]{{0,40}}\d))"
    rf"[\"'“‘(`]?(?P<value>[^\s\"”’,;`]{{4,300}})",
    re.IGNORECASE,
)
# "admin / hunter22", "root:toor99": a name that doors have, and what opens them.
_LOGIN_PAIR = re.compile(
    r"(?<![\w/.:@-])(?:admin|administrator|root|sa|postgres|sysadmin|superuser|deploy|ubuntu|"
    r"ec2-user|oracle|guest|test|demo|user|support|service)(?:\s/\s|:|/)"
    r"(?P<value>(?=[^\s]{0,40}[\d!#$%&*?])(?=[^\s]{0,40}[A-Za-z])[^\s/:,;\"]{5,60})(?![\w/])"
)
_HEADER = re.compile(
    r"(?<!\w)(?:Authorization\s?:\s?\S{3,20}\s\S{3,300}|Bearer\s[\w.~+/=-]{12,2000}"
    r"|Basic\s(?=[A-Za-z0-9+/]{0,40}[A-Z0-9+/])[A-Za-z0-9+/]{8,500}={0,2}(?=[\s.,;`]|$)"
    r"|(?:Set-)?Cookie\s?:\s?\w{2,40}=\S{4,300}"
    r"|X-[\w-]{2,30}(?:Key|Token|Secret|Auth)[\w-]{0,20}\s?:\s?\S{4,300})"
)
_OPTION = re.compile(
    r"(?<![\w-])--?(?:password|passwd|token|secret|api-?key)[ =]\S{2,200}"
    r"|(?<![\w-])curl [^\n]{0,80}-u ?\S{2,80}:\S{2,80}"
)
_VARIABLE = re.compile(
    r"(?<!\w)[A-Z][A-Z0-9_]{1,40}(?:PASSWORD|PASS|PWD|SECRET|TOKEN|KEY|DSN|CREDENTIALS|URL|URI)"
    r"[A-Z0-9_]{0,20}\s?[=:]\s?\S{4,300}"
)
_RANDOM = re.compile(r"(?<![\w/+=.?&-])[A-Za-z0-9+/_-]{20,400}={0,2}(?![\w])")
_HEX = re.compile(r"(?<![\w/=?&-])(?:0x)?[0-9a-fA-F]{24,128}(?![\w-])")
_BACKUP_CODES = re.compile(
    r"(?:recovery|backup|2fa|mfa|verification|one-time)\s(?:codes?|passcodes?)"
    r"(?:\s(?:is|are|was))?\s?:?\s(?P<value>\d{6,8}\b|[a-z0-9]{4,8}-[a-z0-9]{4,8}\b)",
    re.IGNORECASE,
)
# What follows "password" or "token" in good posts, and is none.
_NO_SECRETS: Final = named(
    "reset resets expired invalid wrong required missing refused rejected failing broken down "
    "delayed slow fixed restored available unavailable affected working correct protected stored "
    "hashed encrypted oauth oauth2 saml sso mfa 2fa totp saml2 sha256 sha-256 bcrypt base64"
)


def find_secrets(checked: CheckedText) -> Iterator[Span]:
    """Keys, tokens, passwords, connection strings, and links that need no other key."""
    text = checked.text
    for pattern in (
        _KEY, _BLOCK, _OPEN_LINK, _CONNECTION, _PAIRS, _HEADER, _OPTION, _VARIABLE
    ):  # fmt: skip
        yield from spans(pattern, text)
    for found in _NAMED_SECRET.finditer(text):
        if _is_secret(found["value"].rstrip(".!?)'"), separator=found["how"].strip()):
            yield Span(*found.span("value"))
    for pattern in (_LOGIN_PAIR, _BACKUP_CODES):
        for found in pattern.finditer(text):
            yield Span(*found.span("value"))
    for found in _RANDOM.finditer(text):
        if _is_random(found[0]):
            yield Span(*found.span())
    for found in _HEX.finditer(text):
        if any(map(str.isdigit, found[0])):
            yield Span(*found.span())


def _is_secret(value: str, *, separator: str) -> bool:
    """Whether what follows “password is” is one, and not “expired”."""
    if value.startswith(("http://", "https://", "[[", "<", "/")) or value.count("/") > 1:
        return False
    if value.casefold() in _NO_SECRETS:
        return False
    if separator.startswith("="):
        return True
    digits, letters = any(map(str.isdigit, value)), any(map(str.isalpha, value))
    if value.replace("-", "").replace("_", "").replace("/", "").isalpha():
        # "Correct-Horse": only behind a colon, and no plain or all-capital word.
        inner = value[1:] != value[1:].lower() and not value.isupper()
        return separator != "" and separator in {":", "：", "->", "=>"} and inner
    if digits and letters:
        return not re.fullmatch(r"[vV]?\d{1,3}(?:st|nd|rd|th|s|m|h|x|k|am|pm|min|%)?", value)
    if digits:
        plain = value.replace(",", "").replace(".", "").replace(":", "").replace("-", "")
        return separator != "" and value.isdecimal() and plain.isdecimal() and len(value) <= 10
    return any(char in "!#$%&*@^+~" for char in value[1:]) and letters


def _is_random(value: str) -> bool:
    """Whether nobody would say it aloud: it goes to and fro between cases and digits."""
    if max(map(len, value.split("/"))) < 11:
        return False
    kinds = [
        "d" if char.isdigit() else "u" if char.isupper() else "l"
        for char in value
        if char.isalnum()
    ]
    turns = sum(one != other for one, other in itertools.pairwise(kinds))
    return {"d", "l"} <= set(kinds) and turns >= max(5, len(kinds) // 5)
