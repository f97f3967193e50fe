"""What programs write for programmers: traces, log lines, queries, commands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from statuspage.messages.checks.rule_types import CheckedText, Span, spans

_TRACE: Final = tuple(
    re.compile(pattern, flags)
    for pattern, flags in (
        (r"Traceback \(most recent call last\)", 0),
        (r"File \"[^\"\n]{1,200}\", line \d{1,9}", 0),
        (r"(?<!\w)at [\w$.<>/ ]{3,160}\([^()\n]{0,120}(?::\d{1,9}|Native Method|Unknown "
        r"Source)[^()\n]{0,20}\)", 0),
        (r"(?<!\w)(?:at|in|from) [A-Za-z$./\\][\w$./\\-]{1,160}:\d{1,6}(?::\d{1,6}|:in\b)", 0),
        (r"Exception in thread|(?<!\w)Caused by: ", 0),
        (r"(?<![\w.])(?:[\w$]{1,60}\.){0,10}[A-Z][A-Za-z]{2,60}(?:Error|Exception|Fault|"
        r"Panic)(?![a-z])(?::[^\n]{0,120})?", 0),
        (r"(?<![\w.])[a-z]\w{1,40}(?:\.\w{1,60}){1,8}(?:Error|Exception)\b", 0),
        (r"(?<!\w)panic: |goroutine \d{1,9} \[|runtime error: |thread '[\w-]{1,40}' panicked", 0),
        (r"(?<!\w)(?:ORA-\d{4,5}|SQLSTATE ?\[?\w{5}\]?|PLS-\d{4,5}|MSB\d{4}|CS\d{4}|"
        r"TS\d{4})(?!\w)", 0),
        (r"(?<!\w)E(?:CONN(?:REFUSED|RESET|ABORTED)|TIMEDOUT|HOSTUNREACH|PIPE|NOENT|ACCES|"
        r"ADDRINUSE|MFILE|NOSPC|AI_AGAIN)(?!\w)", 0),
        (r"(?<!\w)(?:core dumped|stack ?trace:|out of memory: kill(?:ed)? process)",
        re.IGNORECASE),
        (r"(?<!\w)(?:OOMKilled|CrashLoopBackOff|ImagePullBackOff|ErrImagePull)(?!\w)", 0),
        (r"(?<!\w)(?:errno|exit (?:code|status)|exited with(?: code)?|HRESULT:?) "
        r"?[:=]?\s?(?:0x)?[0-9A-Fa-f]{1,8}(?!\w)", re.IGNORECASE),
        (r"(?<!\w)PHP (?:Fatal|Parse|Warning|Notice)|(?<!\w)(?:Fatal|Uncaught) (?:error|"
        r"exception):", re.IGNORECASE),
        (r"(?<!\w)undefined (?:local variable|method|index|reference)|is not a function(?!\w)|"
        r"Cannot read propert|null pointer|nil pointer", re.IGNORECASE),
        (r"(?<![\w#*])(?:FATAL|ERROR|WARN|PANIC|CRITICAL|SEVERE)(?::| \[|\]| -) ?\S", 0),
        (r"(?<!\w)\[(?:error|fatal|warn|crit|info|debug|ERROR|FATAL|WARN|CRIT|INFO|"
         r"DEBUG)\](?!\()", 0),
        # Structured logs: level=error msg="…", {"level": "error", …}, key=value runs.
        (r"(?<!\w)\"?(?:level|lvl|severity|loglevel)\"?\s?[=:]\s?\"?(?:error|warn(?:ing)?|fatal|"
        r"info|debug|panic|crit(?:ical)?)\"?(?!\w)(?:[^\n]{0,200}[=:]\S{1,80})?", re.IGNORECASE),
        (r"(?<![\w?&])(?:msg|err|caller|trace_?id|span_?id|request_?id|pid|host|pod|namespace|"
        r"container|svc|logger|thread)=\"?[^\s\"&]{2,120}", 0),
        (r"(?<!\w)(?:\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[.,]\d{3}"
        r"|(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) {1,2}\d{1,2} \d\d:\d\d:\d\d "
        r"[\w.-]{1,60} [\w./-]{1,40}(?:\[\d{1,7}\])?:"
        r"|\d{1,3}(?:\.\d{1,3}){3} - - \[)", 0),
        (r"(?<!\w)0x[0-9a-fA-F]{6,16}(?!\w)", 0),
        (r"(?<!\w)#\d{1,3}\s{1,3}(?:0x|/|[\w:]{2,60}\()", 0),
        (r"(?<!\w)\"(?:GET|POST|PUT|DELETE|PATCH|HEAD) /\S{0,200} HTTP/\d", 0),
        # Queries, in capitals or not; a reading has no asterisks.
        (r"(?<!\w)(?:SELECT\s[^\n]{0,200}\sFROM|INSERT INTO|UPDATE\s\w{1,60}\sSET|DELETE FROM|"
        r"ALTER TABLE|DROP TABLE|CREATE (?:TABLE|INDEX))\s", 0),
        (r"(?<!\w)(?:select\s(?:\*|count\(|distinct\s|[\w.]{1,40}(?:\s?,\s?[\w.]{1,40}){0,8})\s?"
        r"[^\n]{0,60}\sfrom\s[a-z_.]{2,60}(?:\s(?:where|join|order|group|limit)\s|\s?;|_)"
        r"|select\s{1,3}from\s|select\scount\([^\n)]{0,40}\)\sfrom\s"
        r"|insert\sinto\s\w{2,60}\s?(?:\(|values|select)|update\s\w{2,60}\sset\s\w{1,60}\s?="
        r"|delete\sfrom\s\w{2,60}(?:\swhere\s|\s?;|_)|alter\stable\s\w|drop\stable\s\w"
        r"|truncate\stable\s\w|create\s(?:unique\s)?index\s\w{2,60}\son\s"
        r"|create\stable\s\w{2,60}\s?\(|explain\sanalyze\s)", re.IGNORECASE),
        (r"(?<!\w)(?:sum|rate|irate|increase|avg|max|count|histogram_quantile|topk)(?:\s?by\s?"
        r"\([^()\n]{1,60}\)\s?)?\((?:[^()\n]{0,60}\()?[\w:.]{3,80}\{[^}\n]{0,120}\}", 0),
        (r"(?<!\w)[a-z_:]{3,60}\{[a-z_]{2,30}=~?\"[^\"\n]{0,80}\"", 0),
        (r"(?<!\w)(?:db\.\w{2,40}\.(?:find|aggregate|update|insert|delete)\w{0,10}\(|MATCH \(\w"
        r"|index=\w{2,40} sourcetype=|source=\w{2,40} \| )", 0),
        (r"(?<!\w)(?:deadlock detected|duplicate key value|relation \"|"
        r"could not connect to server|max_connections|lock wait timeout|no space left on device|"
        r"broken pipe|i/o timeout|context deadline exceeded|permission denied for "
        r"|unexpected token|cannot allocate memory|too many open files|max_user_connections)",
        re.IGNORECASE),
        (r"(?<!\w)(?:kubectl|systemctl|journalctl|helm|terraform|docker|psql|redis-cli|aws|gcloud)"
            r" (?:-{1,2}\w|(?:get|delete|apply|restart|rollout|exec|logs|describe|scale|start|"
            r"stop|status|"
            r"install|upgrade|plan|run|ps) [\w./-])|(?<!\w)(?:ansible-playbook) [\w./-]|"
            r"(?<!\w)sudo (?!ap[t-])[\w./-]|(?<!\w)(?:ssh|scp) (?:-\w|[\w.-]{1,60}@)", 0),
        (r"(?<![\w./@])[a-z_]\w{1,40}(?:\.[a-z_]\w{0,40}){1,8}\.[A-Z][a-z]\w{1,60}(?!\w)",
            0,
        ),
        (
            r"(?<![\w./@-])(?:java|javax|com|org|io|net|System|Microsoft)"
            r"[./](?:[\w$]{1,60}[./]){1,10}[A-Z]\w{1,60}", 0),
        # Functions and methods: Cart::total(), OrderService.charge(), charge_card().
        (r"(?<![\w./:@])[A-Z][a-z]{1,30}[A-Z]\w{1,40}(?:(?:::|#|->)[a-z_]\w{2,40}"
        r"|\.[a-z_]\w{2,40}\()", 0),
        (r"(?<![\w./:@])(?:[A-Z]\w{1,40}|[a-z]{2,20}(?:_[a-z]{2,20}){1,6})(?:::\w{2,40}|"
        r"\(\))(?:\(\))?", 0),
        (r"(?<![\w./:@])[a-z]{2,20}(?:[A-Z][a-z]{1,20}){1,5}\(\)", 0),
    )
)  # fmt: skip
# What a customer may have on the screen too.
_MESSAGES: Final = re.compile(
    r"(?<!\w)(?:segmentation fault|segfault|stack overflow|kernel panics?|connection refused|"
    r"too many connections|out of memory|SIG(?:KILL|SEGV|TERM|ABRT)|signal \d{1,2})(?!\w)",
    re.IGNORECASE,
)


def find_traces(checked: CheckedText) -> Iterator[Span]:
    """Traces, errors of runtimes, log lines, queries, commands, names of code."""
    for pattern in _TRACE:
        yield from spans(pattern, checked.text)


def find_error_messages(checked: CheckedText) -> Iterator[Span]:
    """Words of machines that may be on a customer's screen too."""
    return spans(_MESSAGES, checked.text)
