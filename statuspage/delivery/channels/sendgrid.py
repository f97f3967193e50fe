"""Mail through SendGrid's v3 API.

Limits and meanings come from SendGrid's reference of ``POST /v3/mail/send``: its pages on
limitations, errors, personalizations, substitution tags and rate limits.  There is no idempotency
key, and one bad or repeated address refuses a whole request: hence the halving, and the care about
what is certain.
"""

from __future__ import annotations

import http.client
import logging
import secrets
import ssl
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import Message
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit
from urllib.request import Request

import orjson
import python_http_client
from sendgrid import SendGridAPIClient

from statuspage.delivery.channels import sockets
from statuspage.delivery.channels.mime import check_senders, mailbox, own_headers
from statuspage.delivery.channels.provider import (
    Fault,
    Outcome,
    OutgoingMessage,
    Recipient,
    Result,
    brief,
    escape,
    fill_html,
    fill_subject,
    fill_text,
    one_line,
    replace_tokens,
    results,
    writable,
)
from statuspage.delivery.channels.refusal_runs import RefusalRun, Trial, describe_run
from statuspage.delivery.channels.sendgrid_webhook import (
    Event,
    EventKind,
    parse_events,
    verify_webhook,
)

__all__ = ["Event", "EventKind", "SendGrid", "parse_events", "verify_webhook"]

MAX_BATCH = 1000
_MAX_SUBSTITUTIONS = 10_000  # bytes for each personalization
_MAX_ANSWER = 64 * 1024
_CONNECT = 10.0  # seconds
_IDLE = 10.0  # seconds after which a kept connection is not trusted any more
_LONGEST_PAUSE = 600.0  # seconds; a reset further away is a broken clock
_OFF: Mapping[str, object] = {
    "click_tracking": {"enable": False, "enable_text": False},
    "open_tracking": {"enable": False},
    "subscription_tracking": {"enable": False},
    "ganalytics": {"enable": False},
}
_SHAPED = ("&", "<", ">", '"', "'", "=?")  # what HTML or a header has to be saved from

# At DEBUG the library prints every request's headers, and with them the API key.
logging.getLogger("python_http_client").setLevel(logging.WARNING)


class _NotWrittenError(Exception):
    """The request did not leave this machine in full, so nobody can have accepted it."""


class _Json(bytes):
    """A body that is ready: the library asks it to ``encode`` and formats it for its debug log."""

    def encode(self, encoding: str) -> _Json:
        del encoding
        return self

    def __format__(self, spec: str) -> str:
        return f"{len(self)} bytes"


class _Answer:
    """What the library's ``Response`` reads: status, headers, and no more than it needs of a body.

    With the status the outcome is known: a body that breaks off or trickles changes nothing.
    """

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self._response = response
        self.complete = False

    def getcode(self) -> int:
        return self._response.status

    def info(self) -> Message:
        return self._response.headers

    def read(self) -> bytes:
        try:
            body = self._response.read(_MAX_ANSWER)
            self.complete = self._response.isclosed() and not self._response.will_close
        except (OSError, http.client.HTTPException, ValueError):
            return b""
        return body


class _Client(python_http_client.Client):  # type: ignore[misc]
    """The library's client on one kept connection; every status is an answer, not an exception."""

    def __init__(self, connection: http.client.HTTPConnection, **settings: Any) -> None:
        super().__init__(**settings)
        self._connection = connection
        self.answer: _Answer | None = None

    def _make_request(self, opener: object, request: Request, timeout: object = None) -> _Answer:
        del opener, timeout
        self.answer = None
        headers = dict(request.header_items())
        try:
            self._connection.request(request.get_method(), request.selector, request.data, headers)
        except (OSError, ValueError, http.client.HTTPException) as error:
            raise _NotWrittenError(str(error)) from error
        self.answer = _Answer(self._connection.getresponse())
        return self.answer


class _Line:
    """One connection to SendGrid and a library client on it; serves one thread at a time."""

    def __init__(self, api: SendGridAPIClient, socket: sockets.DeadlineSocket) -> None:
        parts = urlsplit(api.host)
        self._socket = socket
        self._connection = http.client.HTTPConnection(parts.hostname or "", parts.port)
        self._connection.sock = socket
        self._connection.auto_open = 0  # never a new connection behind our back
        self._client = _Client(
            self._connection,
            host=api.host,
            version=3,
            url_path=["mail", "send"],
            request_headers=api._default_headers,
        )
        self._used = time.monotonic()

    def post(self, body: bytes, *, deadline: float) -> Any:
        """The library's response to this body."""
        self._socket.deadline = deadline
        return self._client.post(
            request_body=_Json(body),
            # Any type but the bare one lets the library take a body that is ready.
            request_headers={"Content-Type": "application/json; charset=utf-8"},
        )

    def is_reusable(self) -> bool:
        """Whether the last answer was read to its end, so that another request may follow."""
        self._used = time.monotonic()
        return self._client.answer is not None and self._client.answer.complete

    def is_fresh(self) -> bool:
        """Whether it can be trusted after idling: a request on a dead line has no sure outcome."""
        return time.monotonic() - self._used < _IDLE and self._socket.is_quiet()

    def close(self) -> None:
        self._connection.close()


@dataclass(frozen=True, slots=True)
class _Verdict:
    """What one answer says about everybody in its request."""

    outcome: Outcome
    fault: Fault = Fault.NONE
    reason: str = ""
    provider_id: str | None = None
    retry_after: float | None = None
    divisible: bool = False  # the trouble may lie with one recipient: ask again in halves

    def over(self, recipients: Sequence[Recipient]) -> list[Result]:
        return results(
            recipients,
            self.outcome,
            fault=self.fault,
            reason=self.reason,
            provider_id=self.provider_id,
            retry_after=self.retry_after,
        )


class SendGrid:
    """Sends letters through SendGrid, up to 1,000 recipients a request.

    ``timeout`` is in seconds of wall clock for one call, from the first byte written to the last
    byte read; connecting has ten seconds of its own.  Raises ``ValueError`` for a key that cannot
    stand in a header, and for a ``host`` that would carry it in the clear to another machine.
    """

    max_batch = MAX_BATCH

    def __init__(
        self, api_key: str, *, host: str, sandbox: bool = False, timeout: float = 30.0
    ) -> None:
        parts = urlsplit(host)
        if parts.scheme != "https" and not sockets.is_loopback(parts.hostname or ""):
            raise ValueError("the API host must be an https:// address")
        if not (api_key.isascii() and api_key.isprintable()):
            raise ValueError("the API key holds characters that no key has")
        self._api_key = api_key
        self._api = SendGridAPIClient(api_key, host=host.rstrip("/"))
        self._address = (
            parts.hostname or "",
            parts.port or (443 if parts.scheme == "https" else 80),
        )
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        self._sandbox = sandbox
        self._timeout = timeout
        self._idle: deque[_Line] = deque()
        self._not_before = 0.0
        self._refusals = RefusalRun()

    def send(
        self,
        outgoing: OutgoingMessage,
        recipients: Sequence[Recipient],
        *,
        still_ours: Callable[[], bool],
    ) -> Iterator[Sequence[Result]]:
        """As :class:`.provider.Provider` promises.

        A request that is refused for one of its addresses is halved until that one stands alone;
        whether that is the address's fault, :mod:`.refusal_runs` decides.
        While SendGrid's rate limit is used up, nothing is called and everybody is ``NOT_SENT`` with
        the seconds left in ``retry_after``; an accepted request that used up the limit says so too.
        After one ``NOT_SENT`` the rest of the batch is not tried.
        """
        try:
            check_senders(outgoing)
        except ValueError as error:
            reason = str(error)
            yield results(recipients, Outcome.NOT_SENT, fault=Fault.CREDENTIALS, reason=reason)
            return
        parts, unfit = _plan(recipients)
        if unfit:
            yield unfit
        trial = Trial(self._refusals)
        halted: _Verdict | None = None
        while parts:
            request = _compose(outgoing, parts.pop(), sandbox=self._sandbox)
            parts.extend([recipient] for recipient in request.oversized)
            if not request.recipients:
                continue
            verdict = halted or self._call(request.body, still_ours=still_ours)
            if verdict is None:
                return
            if verdict.divisible and len(request.recipients) > 1:
                middle = len(request.recipients) // 2
                parts += (request.recipients[middle:], request.recipients[:middle])
                continue
            if certain := trial.add(verdict.over(request.recipients)):
                yield certain
            if verdict.outcome is Outcome.NOT_SENT:
                halted = verdict
            elif verdict.outcome is Outcome.REFUSED and trial.is_hopeless:
                reason = describe_run(verdict.reason)
                halted = _Verdict(Outcome.NOT_SENT, Fault.PROVIDER, reason)
        if left := trial.finish():
            yield left

    def close(self) -> None:
        """Close the connections that are kept open."""
        while self._idle:
            self._idle.pop().close()

    def _call(self, body: bytes, *, still_ours: Callable[[], bool]) -> _Verdict | None:
        """What SendGrid says to this body; None where it is not ours to send any more."""
        pause = self._not_before - time.monotonic()
        if pause > 0:
            reason = "SendGrid's rate limit is used up"
            return _Verdict(Outcome.NOT_SENT, Fault.RATE, reason, retry_after=pause)
        try:
            line = self._take_line()
        except (OSError, ValueError) as error:
            reason = f"SendGrid cannot be reached: {error}"
            return _Verdict(Outcome.NOT_SENT, Fault.PROVIDER, self._clean(reason))
        if not still_ours():
            self._keep(line)
            return None
        try:
            response = line.post(body, deadline=time.monotonic() + self._timeout)
        except _NotWrittenError as error:
            line.close()
            reason = f"the connection to SendGrid broke before the request was out: {error}"
            return _Verdict(Outcome.NOT_SENT, Fault.PROVIDER, self._clean(reason))
        except (OSError, ValueError, http.client.HTTPException) as error:
            line.close()
            reason = f"no clear answer from SendGrid: {error or type(error).__name__}"
            return _Verdict(Outcome.UNKNOWN, Fault.PROVIDER, self._clean(reason))
        if line.is_reusable():
            self._keep(line)
        else:
            line.close()
        return self._judge(response)

    def _judge(self, response: Any) -> _Verdict:
        status, headers = int(response.status_code), response.headers
        pause = _pause(headers, exhausted=status == 429)
        if pause is not None:
            self._not_before = max(self._not_before, time.monotonic() + pause)
        if status == 202 or (status == 200 and self._sandbox):
            provider_id = brief(headers.get("X-Message-Id", ""), limit=100) or None
            return _Verdict(Outcome.ACCEPTED, provider_id=provider_id, retry_after=pause)
        text, fields = _read_errors(response.body)
        reason = self._clean(
            f"SendGrid answered {status}: {text}" if text else f"SendGrid answered {status}"
        )
        if status == 429:
            return _Verdict(Outcome.NOT_SENT, Fault.RATE, reason, retry_after=pause)
        if status in {401, 403} or (status == 400 and fields and fields <= {"from"}):
            return _Verdict(Outcome.NOT_SENT, Fault.CREDENTIALS, reason)
        if status == 400 and fields and "personalizations" not in fields:
            # About the mail and not about a recipient: a person must look.
            return _Verdict(Outcome.NOT_SENT, Fault.PROVIDER, reason)
        if status == 413:
            # A batch may be too large.  One mail is not: something in between refuses everything.
            return _Verdict(Outcome.NOT_SENT, Fault.PROVIDER, reason, divisible=True)
        if status == 400:
            fault = Fault.RECIPIENT if fields else Fault.PROVIDER
            return _Verdict(Outcome.REFUSED, fault, reason, divisible=True)
        if 300 <= status < 500:
            return _Verdict(Outcome.NOT_SENT, Fault.PROVIDER, reason)
        return _Verdict(Outcome.UNKNOWN, Fault.PROVIDER, reason)

    def _take_line(self) -> _Line:
        while self._idle:
            try:
                line = self._idle.pop()
            except IndexError:  # another thread was faster
                break
            if line.is_fresh():
                return line
            line.close()
        host, port = self._address
        deadline = time.monotonic() + min(_CONNECT, self._timeout)
        return _Line(self._api, sockets.connect(host, port, deadline=deadline, tls=self._tls))

    def _keep(self, line: _Line) -> None:
        self._idle.append(line)

    def _clean(self, reason: str) -> str:
        return brief(reason.replace(self._api_key, "[key]"))


@dataclass(frozen=True, slots=True)
class _Request:
    recipients: Sequence[Recipient]
    body: bytes
    oversized: Sequence[Recipient]  # left out: their values are more than a substitution may be


def _plan(recipients: Sequence[Recipient]) -> tuple[list[Sequence[Recipient]], list[Result]]:
    """Requests to make, last one first, in which no address comes twice; and who fits in none."""
    rounds: list[list[Recipient]] = []
    unfit: list[Result] = []
    seen: Counter[str] = Counter()
    for recipient in recipients:
        try:
            key = mailbox(recipient.address).lower()
        except ValueError as error:
            unfit += results([recipient], Outcome.REFUSED, fault=Fault.RECIPIENT, reason=str(error))
            continue
        if seen[key] == len(rounds):
            rounds.append([])
        rounds[seen[key]].append(recipient)
        seen[key] += 1
    parts: list[Sequence[Recipient]] = [
        every[start : start + MAX_BATCH]
        for every in rounds
        for start in range(0, len(every), MAX_BATCH)
    ]
    return parts[::-1], unfit


def _compose(
    outgoing: OutgoingMessage, recipients: Sequence[Recipient], *, sandbox: bool
) -> _Request:
    """One request for ``recipients``: a text of one's own, or one text with substitutions."""
    if len(recipients) == 1:
        values = recipients[0].tokens()
        content = (
            fill_subject(outgoing.subject, values),
            fill_text(writable(outgoing.text), values),
            fill_html(writable(outgoing.html), values),
        )
        body = _body(outgoing, content, [_personalization(recipients[0], {})], sandbox=sandbox)
        return _Request(recipients, body, ())
    tags = _Tags(recipients)
    content = (
        tags.only_to(one_line(outgoing.subject), _disarm),
        tags.only_to(writable(outgoing.text), writable),
        tags.only_to(writable(outgoing.html), escape, in_html=True),
    )
    fitting, oversized, personal = [], [], []
    for recipient, substitutions in zip(recipients, tags.substitutions(), strict=True):
        if substitutions is None:
            oversized.append(recipient)
            continue
        fitting.append(recipient)
        personal.append(_personalization(recipient, substitutions))
    return _Request(fitting, _body(outgoing, content, personal, sandbox=sandbox), oversized)


class _Tags:
    """The tags of one request, and what each recipient puts in their place.

    SendGrid replaces one tag after the other, so a value that holds a later tag would be filled
    again.  The mail's tokens are therefore exchanged for tags with a random part that is drawn for
    each request and that no value can know.
    """

    def __init__(self, recipients: Sequence[Recipient]) -> None:
        self._values = [recipient.tokens() for recipient in recipients]
        self._known = frozenset[str]().union(*self._values)
        self._seal = secrets.token_hex(6)
        self._slots: list[tuple[str, str, str, Callable[[str], str]]] = []

    def only_to(self, text: str, shape: Callable[[str], str], *, in_html: bool = False) -> str:
        """``text`` with tags for its tokens, whose values will be shaped by ``shape``."""
        tags: dict[str, str] = {}

        def tag_of(name: str) -> str | None:
            if name in self._known and name not in tags:
                tags[name] = f"-{self._seal}-{len(self._slots)}-"
                token = f"[[html:{name}]]" if in_html else f"[[{name}]]"
                self._slots.append((tags[name], name, token, shape))
            return tags.get(name)

        return replace_tokens(text, tag_of, in_html=in_html)

    def substitutions(self) -> Iterator[dict[str, str] | None]:
        """For each recipient the value of every tag; None where they are too long together."""
        for values in self._values:
            if _needs_no_shape(values):
                filled = {tag: values.get(name, token) for tag, name, token, _ in self._slots}
            else:
                filled = {
                    tag: shape(values[name]) if name in values else token
                    for tag, name, token, shape in self._slots
                }
            length = sum(map(len, filled.values()))
            # Four bytes a character at most: count them only where it could matter.
            if 4 * length + 32 * len(filled) > _MAX_SUBSTITUTIONS:
                length = sum(len(tag) + len(value.encode()) for tag, value in filled.items())
                yield filled if length <= _MAX_SUBSTITUTIONS else None
            else:
                yield filled


def _needs_no_shape(values: Mapping[str, str]) -> bool:
    # True for most people; looking once at everything is four times cheaper than shaping each.
    together = "".join(values.values())
    return together.isprintable() and not any(mark in together for mark in _SHAPED)


def _personalization(recipient: Recipient, substitutions: Mapping[str, str]) -> dict[str, Any]:
    to = {"email": mailbox(recipient.address)}
    if name := _disarm(recipient.name):
        to["name"] = name.replace(",", " ").replace(";", " ")  # SendGrid takes neither in a name
    return {
        "to": [to],
        "custom_args": {
            "delivery_id": recipient.delivery_id,
            "attempt_id": recipient.attempt_id,
        },
        "headers": own_headers(recipient),
        "substitutions": substitutions,
    }


def _body(
    outgoing: OutgoingMessage,
    content: tuple[str, str, str],
    personalizations: list[dict[str, Any]],
    *,
    sandbox: bool,
) -> bytes:
    subject, text, html = content
    body: dict[str, Any] = {
        "personalizations": personalizations,
        "from": {"email": mailbox(outgoing.sender)},
        "subject": _disarm(subject),
        "content": [
            {"type": "text/plain", "value": text},
            {"type": "text/html", "value": html},
        ],
        "tracking_settings": _OFF,
        "mail_settings": {"sandbox_mode": {"enable": sandbox}},
    }
    if outgoing.sender_name:
        body["from"]["name"] = _disarm(outgoing.sender_name)
    if outgoing.reply_to:
        body["reply_to"] = {"email": mailbox(outgoing.reply_to)}
    if outgoing.category:
        body["categories"] = [one_line(outgoing.category)]
    return orjson.dumps(body)


def _disarm(text: str) -> str:
    """``text`` for a header that SendGrid writes: one line, and nothing that it could decode."""
    return one_line(text).replace("=?", "=\u2060?")


def _pause(headers: Message, *, exhausted: bool) -> float | None:
    """Seconds until SendGrid takes requests again; None where it does, or does not say."""
    if not exhausted and headers.get("X-RateLimit-Remaining", "").strip() != "0":
        return None
    now = _read_date(headers.get("Date", "")) or datetime.now(UTC)
    reset, after = headers.get("X-RateLimit-Reset", ""), headers.get("Retry-After", "")
    if reset.isdecimal():
        seconds = int(reset) - now.timestamp()
    elif after.isdecimal():
        seconds = float(after)
    elif date := _read_date(after):
        seconds = (date - now).total_seconds()
    else:
        return None
    return min(max(seconds, 0.0), _LONGEST_PAUSE)


def _read_date(text: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(text)
    except ValueError:
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)


def _read_errors(body: bytes) -> tuple[str, set[str]]:
    """What an error's body says: the messages in one line, and the first words of its fields."""
    try:
        errors = orjson.loads(body)["errors"]
        texts = [str(error["message"]) for error in errors]
        fields = {str(error["field"]).split(".")[0] for error in errors if error.get("field")}
    except (ValueError, TypeError, KeyError, AttributeError):
        return body.decode(errors="replace"), set()
    return "; ".join(texts), fields
