"""What is handed to a provider, and what came of it.

A :class:`OutgoingMessage` is one text for many people.  It holds tokens such as ``[[name]]`` that
each :class:`Recipient` fills with values of their own; in HTML the same token is written
``[[html:name]]`` and its value is escaped.  Filling is one pass: a value is data, so a token inside
a value stays text, and so does a token that nobody knows.

Every channel answers each recipient with a :class:`Result`.  Its :class:`Outcome` says whether the
mail may be sent again, its :class:`Fault` says whose trouble it was.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

_TOKEN = re.compile(r"\[\[([a-z][a-z0-9_]*)\]\]")
_HTML_TOKEN = re.compile(r"\[\[html:([a-z][a-z0-9_]*)\]\]")
_LINE_END = re.compile(r"\r\n?")
# Control characters except tab and line feed, and halves of surrogate pairs: no wire carries them.
_UNWRITABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_BREAKING = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")


class Outcome(StrEnum):
    """What is known about one mail after a channel has tried."""

    ACCEPTED = "accepted"
    REFUSED = "refused"  # for good: trying again changes nothing
    NOT_SENT = "not_sent"  # certainly not sent: try again
    UNKNOWN = "unknown"  # handed over, perhaps: a timeout or a drop after the request, a 5xx


class Fault(StrEnum):
    """Whose trouble it was: the breaker, the alarms and the count of attempts read it."""

    NONE = "none"
    RECIPIENT = "recipient"
    ROOM = "room"
    RATE = "rate"
    CREDENTIALS = "credentials"
    PROVIDER = "provider"


@dataclass(frozen=True, slots=True)
class OutgoingMessage:
    """One text in one language for any number of recipients; the texts may hold tokens.

    ``more_url`` leads to the whole text where a channel must cut it.
    """

    subject: str
    text: str
    html: str
    sender: str
    sender_name: str
    reply_to: str | None = None
    category: str = ""
    more_url: str = ""


@dataclass(frozen=True, slots=True)
class Thread:
    """Where an incident is shown in a chat room that has threads.

    ``first`` is the provider's name of its first message, empty while there is none.  That message
    says the ``headline``, the incident's present status in one line, above the ``opening`` text
    that it was posted with; ``is_current``: it does so already.  ``is_open``: the incident is, so
    its first message shall be pinned; ``is_pinned``: it is.  ``channel`` is the provider's name of
    the incident's own channel; where there is none, one is opened by the ``channel_name``, if any.
    """

    headline: str
    opening: str = ""
    first: str = ""
    is_current: bool = False
    is_open: bool = True
    is_pinned: bool = False
    channel: str = ""
    channel_name: str = ""


@dataclass(frozen=True, slots=True)
class Recipient:
    """One delivery: to whom, under which ids, and with which values for the message's tokens.

    ``message_id`` is written ``<uuid@host>`` and stays the same when a delivery is tried again.
    ``first_message_id`` is that of the first mail about the same incident to the same address,
    empty where this is the first.  ``values`` are raw text by token name.
    """

    delivery_id: str
    attempt_id: str
    address: str
    name: str
    message_id: str
    values: Mapping[str, str] = field(default_factory=dict)
    unsubscribe_url: str | None = None
    thread: Thread | None = None
    first_message_id: str = ""

    def tokens(self) -> Mapping[str, str]:
        """The values by token name, with ``name`` and ``unsubscribe_url`` where none are given."""
        tokens = {"name": self.name}
        if self.unsubscribe_url:
            tokens["unsubscribe_url"] = self.unsubscribe_url
        tokens.update(self.values)
        return tokens


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one recipient.  ``reason`` is one line for people and never holds a secret.

    ``retry_after`` is in seconds: nothing more should be tried at this provider before then.
    ``thread`` is how the recipient's thread stands afterwards, where it has one.
    """

    recipient: Recipient
    outcome: Outcome
    fault: Fault = Fault.NONE
    reason: str = ""
    provider_id: str | None = None
    retry_after: float | None = None
    thread: Thread | None = None


class Provider(Protocol):
    """A provider.  One object serves several threads at once."""

    max_batch: int

    def send(
        self,
        outgoing: OutgoingMessage,
        recipients: Sequence[Recipient],
        *,
        still_ours: Callable[[], bool],
    ) -> Iterator[Sequence[Result]]:
        """Send, and yield the results that became certain together.

        ``still_ours`` is asked right before each write that cannot be taken back; at the first no
        the channel stops and yields nothing more.  Otherwise each recipient gets exactly one
        result.  Trouble with the provider is a result, never an exception.
        """
        ...

    def close(self) -> None:
        """Let go of connections; the channel may still be used and opens new ones."""
        ...


def results(
    recipients: Iterable[Recipient],
    outcome: Outcome,
    *,
    fault: Fault = Fault.NONE,
    reason: str = "",
    provider_id: str | None = None,
    retry_after: float | None = None,
) -> list[Result]:
    """The same result for each of ``recipients``."""
    return [
        Result(recipient, outcome, fault, reason, provider_id, retry_after)
        for recipient in recipients
    ]


def fill_subject(text: str, values: Mapping[str, str]) -> str:
    """``text`` with its tokens filled, as one line that can stand in a header."""
    return one_line(_fill(_TOKEN, text, values, str))


def fill_text(text: str, values: Mapping[str, str]) -> str:
    """Plain ``text`` with its tokens filled."""
    return _fill(_TOKEN, text, values, writable)


def fill_html(text: str, values: Mapping[str, str]) -> str:
    """HTML ``text`` with its ``[[html:…]]`` tokens filled by escaped values."""
    return _fill(_HTML_TOKEN, text, values, escape)


def replace_tokens(
    text: str, replace: Callable[[str], str | None], *, in_html: bool = False
) -> str:
    """``text`` with each token exchanged for ``replace(name)``; where that is None it stays."""

    def exchange(match: re.Match[str]) -> str:
        new = replace(match[1])
        return match[0] if new is None else new

    return (_HTML_TOKEN if in_html else _TOKEN).sub(exchange, text)


def escape(value: str) -> str:
    """``value`` as HTML text or as the value of a quoted attribute."""
    return html.escape(writable(value))


def writable(value: str) -> str:
    """``value`` without control characters and broken surrogates; lines end in a line feed."""
    return value if value.isprintable() else _UNWRITABLE.sub("", _LINE_END.sub("\n", value))


def one_line(value: str) -> str:
    """``value`` on one line, without control characters, so that it can end no header."""
    return (value if value.isprintable() else _BREAKING.sub(" ", value)).strip()


def brief(reason: str, *, limit: int = 300) -> str:
    """``reason`` as one line of at most ``limit`` characters; what strangers answer has no end."""
    line = one_line(reason[: 4 * limit])
    return line if len(line) <= limit else line[: limit - 1] + "…"


def _fill(
    token: re.Pattern[str], text: str, values: Mapping[str, str], shape: Callable[[str], str]
) -> str:
    def value_of(match: re.Match[str]) -> str:
        value = values.get(match[1])
        return match[0] if value is None else shape(value)

    return token.sub(value_of, text)
