"""The process that posts to Slack as a bot: reads orders, answers what became of each.

Run by its path, isolated, by :mod:`statuspage.delivery.channels.chat`, as its sister for Apprise
is; it imports nothing of this package.  Slack's client counts each read against its timeout, so
only a process that can be ended keeps a deadline.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import re
import socket
import ssl
import sys
from typing import Any
from urllib.error import URLError

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

_TIMEOUT = 10  # seconds for each read
_EXTRA_TIMEOUT = 3  # the same for what a message can do without: the order has a deadline
# As `chat.py` has it.
_CHANNEL_LINK = "Incident channel: https://slack.com/app_redirect?channel="
_MOST_NAMES = 9  # of a channel, tried one after the other
_LONGEST_NAME = 80
# It is so already.
_AS_WISHED = {"already_pinned", "no_pin", "not_pinned"}
# What Slack says of itself; it may have posted all the same
# (https://docs.slack.dev/reference/methods/chat.postMessage, errors).
_ITS_OWN = {"internal_error", "fatal_error", "service_unavailable", "request_timeout"}
_RATE = {"ratelimited", "rate_limited"}
_UNFIT = {"msg_too_long", "no_text", "invalid_arguments", "message_limit_exceeded"}
# The first message of a thread is not there any more.
_GONE = {"message_not_found", "thread_not_found", "cannot_reply_to_message"}
# One room's trouble: the others go on.
_ROOM = {
    "channel_not_found", "channel_is_archived", "is_archived", "not_in_channel", "is_inactive",
    "posting_to_channel_denied", "restricted_action", "restricted_action_read_only_channel",
}  # fmt: skip
_CODE = re.compile(r"[a-z][a-z_]{1,60}")


def main() -> None:
    """Answer each line of standard input until it ends."""
    logging.disable(logging.CRITICAL)  # a client's log could hold the token
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", buffering=1)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    answers.write("{}\n")
    for line in sys.stdin:
        answers.write(json.dumps(post(json.loads(line))) + "\n")


def post(order: dict[str, Any]) -> dict[str, Any]:
    """Post one message, and pin the first of its thread, or unpin it.

    A message that was posted is never held up by its pin: what came of that stands in the reason.
    """
    answer = _post(order)
    first = answer["first"]
    if answer["outcome"] != "accepted" or not first or order["pin"] is None:
        return answer
    # Another first message is not pinned yet.
    is_pinned = order["pinned"] and first == order["first"]
    if is_pinned == order["pin"]:
        return {**answer, "pinned": is_pinned}
    trouble = _set_pin(order, first)
    if trouble:
        return {**answer, "pinned": is_pinned, "reason": f"{answer['reason']} {trouble}".strip()}
    return {**answer, "pinned": order["pin"]}


def _post(order: dict[str, Any]) -> dict[str, Any]:
    """Post one message: into the thread that ``first`` begins, or as the first of a new one.

    ``head`` is what the first message shall say, None where it says so already.  It is put right
    before the message is posted: repeating that changes nothing, so a death in between costs no
    message and doubles none.
    """
    client = _client(order, _TIMEOUT)
    room, first, head = order["room"], order["first"], order["head"]
    is_current = head is None
    if first and head is not None:
        try:
            client.chat_update(channel=room, ts=first, text=head, link_names=False)
            is_current = True
        except SlackApiError as error:
            verdict = _judge(error)
            if verdict["fault"] in {"rate", "provider"}:
                return {**verdict, "outcome": "not_sent"}
            if _code(error) in _GONE:
                first = ""
        except Exception:
            return _answer("not_sent", "provider", "Slack cannot be reached")
    try:
        if first:
            try:
                posted = _say(client, room, order["text"], thread_ts=first)
                return _answer("accepted", "none", "", posted, first, is_current)
            except SlackApiError as error:
                if _code(error) not in _GONE:
                    raise
        return _open_thread(client, order)
    except Exception as error:
        return _judge(error)


def _open_thread(client: WebClient, order: dict[str, Any]) -> dict[str, Any]:
    """Post the first message of a thread; with a link to the incident's own channel, if any."""
    channel, trouble = _open_channel(order) if order["new_channel"] else ("", "")
    opening = order["opening"]
    if channel:
        opening = opening.replace("\n\n", f"\n{_CHANNEL_LINK}{channel}\n\n", 1)
    posted = _say(client, order["room"], opening)
    if channel:
        # Not an empty room; the link to it is there already.
        with contextlib.suppress(Exception):
            _say(_client(order, _EXTRA_TIMEOUT), channel, order["opening"])
    return {**_answer("accepted", "none", trouble, posted, posted, True), "channel": channel}


def _open_channel(order: dict[str, Any]) -> tuple[str, str]:
    """Open a channel by a name, or by it and a number where it is taken: its ID, else why not.

    https://docs.slack.dev/reference/methods/conversations.create
    """
    client, wanted, code = _client(order, _EXTRA_TIMEOUT), order["new_channel"], ""
    for number in range(1, _MOST_NAMES + 1):
        ending = f"-{number}" if number > 1 else ""
        try:
            name = wanted[: _LONGEST_NAME - len(ending)] + ending
            answer = client.conversations_create(name=name, is_private=False)
            return str(answer["channel"]["id"]), ""
        except SlackApiError as error:
            code = _code(error)
            if code != "name_taken":
                break
        except Exception:
            code = "no answer"
            break
    return "", f"no channel was opened for the incident: {code or 'no reason given'}"


def _set_pin(order: dict[str, Any], first: str) -> str:
    """Pin the first message of a thread, or unpin it; why it could not be, if so."""
    client = _client(order, _EXTRA_TIMEOUT)
    act = client.pins_add if order["pin"] else client.pins_remove
    try:
        act(channel=order["room"], timestamp=first)
    except SlackApiError as error:
        code = _code(error)
        return "" if code in _AS_WISHED else f"the first message could not be pinned: {code}"
    except Exception:
        return "the first message could not be pinned: no answer"
    return ""


def _client(order: dict[str, Any], timeout: int) -> WebClient:
    # A request is never repeated in here: whether it may be is for the outbox to say.
    return WebClient(
        token=order["token"], base_url=order["api"], timeout=timeout, retry_handlers=[]
    )


def _say(client: WebClient, room: str, text: str, *, thread_ts: str | None = None) -> str:
    """Post a text as it stands, with no markup, names or previews made of it; its ``ts``.

    Web addresses become links all the same; ``parse="none"`` would end that.
    """
    answer = client.chat_postMessage(
        channel=room, text=text, mrkdwn=False, link_names=False, unfurl_links=False,
        unfurl_media=False, thread_ts=thread_ts,
    )  # fmt: skip
    return str(answer.get("ts") or "")


def _code(error: SlackApiError) -> str:
    data = error.response.data
    code = str(data.get("error", "")) if isinstance(data, dict) else ""
    return code if _CODE.fullmatch(code) else ""


def _judge(error: Exception) -> dict[str, Any]:
    if not isinstance(error, SlackApiError):
        if isinstance(error, URLError) and isinstance(
            error.reason, ConnectionRefusedError | socket.gaierror | ssl.SSLError
        ):
            return _answer("not_sent", "provider", "Slack cannot be reached")
        return _answer("unknown", "provider", "the connection to Slack broke")
    status, code = error.response.status_code, _code(error)
    reason = f"Slack answered {code or status}"
    if status == 429 or code in _RATE:
        headers = {name.lower(): value for name, value in error.response.headers.items()}
        after = str(headers.get("retry-after", ""))
        wait = float(after) if after.isdecimal() else None
        return {**_answer("not_sent", "rate", reason), "retry_after": wait}
    if status >= 500 or code in _ITS_OWN or (status == 200 and not code):
        return _answer("unknown", "provider", reason)
    if code in _UNFIT:
        return _answer("refused", "none", reason)
    # A channel that is gone, archived or not the bot's, or a token that is void: for a person.
    fault = "room" if code in _ROOM else "credentials"
    return _answer("not_sent", fault, f"{reason} and did not take the message")


def _answer(
    outcome: str,
    fault: str,
    reason: str,
    posted: str = "",
    first: str = "",
    is_current: bool = False,
) -> dict[str, Any]:
    return {
        "outcome": outcome,
        "fault": fault,
        "reason": reason,
        "retry_after": None,
        "posted": posted,
        "first": first,
        "is_current": is_current,
        "pinned": False,
        "channel": "",
    }


if __name__ == "__main__":
    main()
