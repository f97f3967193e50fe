"""Secrets by their shape, traces of programs, and the marks that teams leave for one another."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from typing import Final

from statuspage.messages.checks.rules import CheckedText, Span, named

_KEYS: Final = (
    r"(?:AKIA|ASIA|AGPA|AIDA|AROA)[A-Z0-9]{12,20}",  # AWS
    r"gh[pousr]_[A-Za-z0-9]{16,255}",
    r"github_pat_\w{16,255}",
    r"gl(?:pat|rt|dt|ptt|soat)-[\w-]{12,100}",
    r"xox[abeoprs]-[\w-]{8,250}",
    r"xapp-[\w-]{8,250}",
    r"(?:sk|rk|pk)_(?:live|test)_\w{8,250}",
    r"whsec_\w{8,250}",
    r"AIza[\w-]{20,60}",
    r"ya29\.[\w-]{16,250}",
    r"SG\.[\w-]{10,80}\.[\w-]{10,120}",
    r"(?:AC|SK)[0-9a-f]{32}",
    r"key-[0-9a-f]{24,40}",
    r"npm_[A-Za-z0-9]{20,80}",
    r"pypi-[\w-]{16,250}",
    r"do[opr]_v1_[0-9a-f]{16,80}",
    r"shp(?:at|ca|pa|ss)_[0-9a-f]{16,80}",
    r"hf_[A-Za-z0-9]{16,80}",
    r"sk-[\w-]{16,250}",
    r"hv[sb]\.[\w-]{16,250}",
    r"dckr_pat_[\w-]{16,100}",
    r"glsa_\w{16,100}",
    r"lin_api_\w{16,100}",
    r"ATATT[\w-]{16,250}",
    r"AGE-SECRET-KEY-1[A-Z0-9]{16,100}",
    r"eyJ[\w-]{6,2000}\.[\w-]{4,4000}(?:\.[\w-]{0,2000})?",  # JWT, RFC 7519
)
_KEY = re.compile(rf"(?<![\w/+-])(?:{'|'.join(_KEYS)})(?![\w])")
_BLOCK = re.compile(
    r"-----BEGIN [A-Z0-9 ]{3,40}-----[^-]{0,8000}(?:-----END [A-Z0-9 ]{3,40}-----)?"
    r"|(?<!\w)(?:ssh-(?:rsa|ed25519|dss)|ecdsa-sha2-\S{4,30}) [A-Za-z0-9+/=]{12,2000}"
    r"|(?<!\w)https://hooks\.slack\.com/\S{4,200}"
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
    r"pass(?:word|wd|phrase|code)?|pwd|secret(?:[ _-]?(?:access[ _-]?)?key)?|api[ _-]?(?:key|token|"
    r"secret)|apikey|access[ _-]?(?:key|token)|auth(?:entication|orization)?[ _-]?(?:token|key)|"
    r"bearer[ _-]?token|refresh[ _-]?token|session[ _-]?(?:token|id|key)|token|credentials?|creds|"
    r"client[ _-]?secret|private[ _-]?key|signing[ _-]?key|encryption[ _-]?key|pin|otp|login"
)
_NAMED_SECRET = re.compile(
    rf"(?<![A-Za-z])(?:{_SECRET_NAME})(?:s)?[\"']?"
    rf"(?P<how>\s?(?:=>|->|=|:)\s?|\s(?:(?:is|was|to|as|now|set|changed|reset|being)\s){{1,4}})"
    r"[\"'“‘(]?(?P<value>[^\s\"'”’,;]{4,300})",
    re.IGNORECASE,
)
_HEADER = re.compile(
    r"(?<!\w)(?:Authorization\s?:\s?\S{3,20}\s\S{3,300}|Bearer\s[\w.~+/=-]{12,2000}"
    r"|Basic\s[A-Za-z0-9+/]{8,500}={0,2}(?=[\s.,;]|$)|(?:Set-)?Cookie\s?:\s?\w{2,40}=\S{4,300}"
    r"|X-[\w-]{2,30}(?:Key|Token|Secret|Auth)[\w-]{0,20}\s?:\s?\S{4,300})"
)
_OPTION = re.compile(r"(?<![\w-])--?(?:password|passwd|token|secret|api-?key)[ =]\S{2,200}")
_VARIABLE = re.compile(
    r"(?<!\w)[A-Z][A-Z0-9_]{1,40}(?:PASSWORD|PASS|PWD|SECRET|TOKEN|KEY|DSN|CREDENTIALS|URL|URI)"
    r"[A-Z0-9_]{0,20}\s?[=:]\s?\S{4,300}"
)
_RANDOM = re.compile(r"(?<![\w/+=.-])[A-Za-z0-9+/_-]{20,400}={0,2}(?![\w])")
_HEX = re.compile(r"(?<![\w-])(?:0x)?[0-9a-fA-F]{24,128}(?![\w-])")


def find_secrets(checked: CheckedText) -> Iterator[Span]:
    """Keys, tokens, passwords, connection strings."""
    text = checked.text
    for pattern in (_KEY, _BLOCK, _CONNECTION, _PAIRS, _HEADER, _OPTION, _VARIABLE):
        yield from _spans(pattern, text)
    for found in _NAMED_SECRET.finditer(text):
        if _is_secret(found["value"].rstrip(".!?)"), separator=found["how"].strip()):
            yield Span(*found.span("value"))
    for found in _RANDOM.finditer(text):
        if _is_random(found[0]):
            yield Span(*found.span())
    for found in _HEX.finditer(text):
        if any(map(str.isdigit, found[0])):
            yield Span(*found.span())


def _is_secret(value: str, *, separator: str) -> bool:
    """Whether what follows “password is” is one, and not “expired”."""
    if value.startswith(("http://", "https://", "[[", "<")):
        return False
    if separator.startswith("="):
        return True
    letters = value.replace("-", "").replace("_", "")
    if letters.isalpha():
        return letters[1:] != letters[1:].lower() and not letters.isupper()
    return not value.replace(",", "").replace(".", "").replace(":", "").isdecimal() or (
        separator != "" and value.isdecimal()
    )


def _is_random(value: str) -> bool:
    """Whether nobody would say it aloud: it goes to and fro between cases and digits."""
    kinds = [
        "d" if char.isdigit() else "u" if char.isupper() else "l"
        for char in value
        if char.isalnum()
    ]
    turns = sum(one != other for one, other in itertools.pairwise(kinds))
    return {"d", "l"} <= set(kinds) and turns >= max(5, len(kinds) // 5)


# --- what programs say ---------------------------------------------------------------------------

_TRACE: Final = tuple(
    re.compile(pattern, flags)
    for pattern, flags in (
        (r"Traceback \(most recent call last\)", 0),
        (r"File \"[^\"\n]{1,200}\", line \d+", 0),
        (r"(?<!\w)at [\w$.<>/ ]{3,160}\([^()\n]{0,120}(?::\d+|Native Method|Unknown "
        r"Source)[^()\n]{0,20}\)", 0),
        (r"(?<!\w)(?:at|in|from) [A-Za-z$./\\][\w$./\\-]{1,160}:\d{1,6}(?::\d{1,6}|:in\b)", 0),
        (r"Exception in thread|(?<!\w)Caused by: ", 0),
        (r"(?<![\w.])(?:[\w$]{1,60}\.){0,10}[A-Z][A-Za-z]{2,60}(?:Error|Exception|Fault|"
        r"Panic)(?![a-z])(?::[^\n]{0,120})?", 0),
        (r"(?<![\w.])[a-z]\w{1,40}(?:\.\w{1,60}){1,8}(?:Error|Exception)\b", 0),
        (r"(?<!\w)panic: |goroutine \d+ \[|runtime error: |thread '[\w-]{1,40}' panicked", 0),
        (r"(?<!\w)(?:ORA-\d{4,5}|SQLSTATE ?\[?\w{5}\]?|PLS-\d{4,5}|MSB\d{4}|CS\d{4}|"
        r"TS\d{4})(?!\w)", 0),
        (r"(?<!\w)E(?:CONN(?:REFUSED|RESET|ABORTED)|TIMEDOUT|HOSTUNREACH|PIPE|NOENT|ACCES|"
        r"ADDRINUSE|MFILE|NOSPC|AI_AGAIN)(?!\w)", 0),
        (r"(?<!\w)(?:segmentation fault|segfault|core dumped|stack overflow|kernel panic|stack "
        r"?trace:|out of memory: kill(?:ed)? process)", re.IGNORECASE),
        (r"(?<!\w)(?:OOMKilled|CrashLoopBackOff|ImagePullBackOff|ErrImagePull|SIG(?:KILL|SEGV|"
        r"TERM|ABRT))(?!\w)", 0),
        (r"(?<!\w)(?:errno|exit (?:code|status)|exited with(?: code)?|signal|HRESULT:?) "
        r"?[:=]?\s?(?:0x)?[0-9A-Fa-f]{1,8}(?!\w)", re.IGNORECASE),
        (r"(?<!\w)PHP (?:Fatal|Parse|Warning|Notice)|(?<!\w)(?:Fatal|Uncaught) (?:error|"
        r"exception):", re.IGNORECASE),
        (r"(?<!\w)undefined (?:local variable|method|index|reference)|is not a function(?!\w)|"
        r"Cannot read propert|null pointer|nil pointer", re.IGNORECASE),
        (r"(?<!\w)(?:FATAL|ERROR|WARN|PANIC|CRITICAL|SEVERE)(?::| \[|\]| -) ?\S", 0),
        (r"(?<!\w)\[?(?:error|fatal|warn|crit)\] ", 0),
        (r"(?<!\w)\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[.,]\d{3}", 0),
        (r"(?<!\w)0x[0-9a-fA-F]{6,16}(?!\w)", 0),
        (r"(?<!\w)#\d{1,3}\s{1,3}(?:0x|/|[\w:]{2,60}\()", 0),
        (r"(?<!\w)(?:SELECT\s[^\n]{0,200}\sFROM|INSERT INTO|UPDATE\s\w{1,60}\sSET|DELETE FROM|"
        r"ALTER TABLE|DROP TABLE|CREATE (?:TABLE|INDEX))\s", 0),
        (r"(?<!\w)(?:deadlock detected|duplicate key value|relation \"|too many connections|"
        r"could not connect to server|connection refused|max_connections|"
            r"lock wait timeout)", re.IGNORECASE),
        (r"(?<!\w)(?:kubectl|systemctl|journalctl|helm|terraform|docker|psql|redis-cli|aws|gcloud)"
            r" (?:-{1,2}\w|(?:get|delete|apply|restart|rollout|exec|logs|describe|scale|start|"
            r"stop|status|"
            r"install|upgrade|plan|run|ps) [\w./-])|(?<!\w)(?:sudo|ansible-playbook) [\w./-]|"
            r"(?<!\w)(?:ssh|scp) (?:-\w|[\w.-]{1,60}@)", 0),
        (r"(?<![\w./@])[a-z_]\w{1,40}(?:\.[a-z_]\w{0,40}){1,8}\.[A-Z][a-z]\w{1,60}(?!\w)",
            0,
        ),
        (
            r"(?<!\w)(?:java|javax|com|org|io|net|System|Microsoft|"
            r"github\.com)[./](?:[\w$]{1,60}[./]){1,10}[A-Z]\w{1,60}", 0),
    )
)  # fmt: skip


def find_traces(checked: CheckedText) -> Iterator[Span]:
    """What programs write for programmers: traces, errors, log lines, statements, commands."""
    for pattern in _TRACE:
        yield from _spans(pattern, checked.text)


# --- what teams write for one another ------------------------------------------------------------

_STANDARDS: Final = named(
    "UTF SHA ISO IEC RFC CVE COVID HTTP TLS SSL AES RSA IPV HTML ECMA USB MP X H GPT IEEE PCI SOC "
    "EN DIN ANSI BCP WCAG CSS ES MD HMAC FIPS NIST ITU A B C D E F G K M N O P Q R S T U V W Y Z "
    "UTC GMT CET CEST PST PDT EST EDT CST CDT MST MDT BST IST JST BASE PHP IE GB MB TB Q GEMINI "
    "CLAUDE OPUS SONNET LLAMA GROK SWE TOP"
)
_TICKET = re.compile(r"(?<![\w/-])(?P<team>[A-Z][A-Z0-9]{1,9})-(?P<number>\d{1,7})(?![\w-])")
_TICKETS: Final = tuple(
    re.compile(pattern, flags)
    for pattern, flags in (
        (r"(?<!\w)(?:INC|CHG|PRB|RITM|SCTASK|TASK|REQ|CS|CASE|CR)[-_]?\d{4,12}(?!\w)", 0),
        (
            r"(?<!\w)(?:ticket|issue|bug|case|incident|change(?: request)?|request|task|story|epic|"
            r"PR|MR|pull request|merge request|patch|jira|zendesk|servicenow|alert|runbook|"
            r"postmortem|RCA)(?: (?:no\.?|number|id|ref))?[ :#-]{1,3}\d{3,10}(?!\w)(?! ?(?:error|"
            r"response|user|customer|ms|minute|hour|percent)|%)",
            re.IGNORECASE,
        ),
        (r"(?<![\w&/=-])(?:[\w.-]{1,60}/[\w.-]{1,60})?#\d{2,8}(?!\w)", 0),
        (r"(?<![\w.])(?:PR|MR|GH|CL) ?[#!-]?\d{2,8}(?!\w)", 0),
        (r"(?<!\w)!\d{2,6}(?!\w)", 0),
        (r"(?<![\w/])(?:b|cl|go)/[\w-]{3,60}(?!\w)", 0),
        (
            r"(?<!\w)(?:commit|sha|revision|rev|changeset|hash|build|release|deploy(?:ment)?)[ "
            r":#]{1,3}"
            r"(?=[0-9a-f]{0,39}\d)(?=[0-9a-f]{0,39}[a-f])[0-9a-f]{7,40}(?!\w)",
            re.IGNORECASE,
        ),
        (r"(?<!\w)[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}(?!\w)", 0),
        (r"/(?:issues|pull|merge_requests|browse|commit|tickets?)/[\w-]{1,60}", 0),
    )
)  # fmt: skip
_HANDLE = re.compile(r"(?<![\w.@/+-])@[A-Za-z][\w.-]{1,40}|<[@!#][^>\s]{1,80}>")
_CHANNEL = re.compile(r"(?<![\w&/#=\[-])#[a-z][a-z0-9_-]{2,60}(?![\w-])")
_MAIL = re.compile(
    r"(?<![\w.+/-])[\w.+-]{1,64}@(?!v\d|latest|main|master)[\w-]{1,63}(?:\.[\w-]{1,63}){0,5}"
)
_FOR_ALL: Final = named(
    "support help helpdesk info contact hello security privacy sales billing status noreply no- "
    "reply press legal abuse service feedback care customercare customersupport"
)


def find_tickets(checked: CheckedText) -> Iterator[Span]:
    """Tickets, changes, commits, and ids that lead to them."""
    for found in _TICKET.finditer(checked.text):
        if found["team"] not in _STANDARDS:
            yield Span(*found.span())
    for pattern in _TICKETS:
        yield from _spans(pattern, checked.text)


def find_handles(checked: CheckedText) -> Iterator[Span]:
    """``@handles``, chat rooms, and addresses of single people."""
    yield from _spans(_HANDLE, checked.text)
    yield from _spans(_CHANNEL, checked.text)
    for found in _MAIL.finditer(checked.text):
        if found[0].partition("@")[0].lower() not in _FOR_ALL:
            yield Span(*found.span())


def _spans(pattern: re.Pattern[str], text: str) -> Iterator[Span]:
    return (Span(*found.span()) for found in pattern.finditer(text))
