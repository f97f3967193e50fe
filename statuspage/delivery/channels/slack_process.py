"""The process that posts to Slack as a bot: reads orders, answers what became of each.

Run by its path, isolated, by :mod:`statuspage.delivery.channels.chat`, as its sister for Apprise
is; it imports nothing of this package.  Slack's client counts each read against its timeout, so
only a process that can be ended keeps a deadline.
"""

from __future__ import annotations

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
    """Post one message: into the thread that ``first`` begins, or as the first of a new one.

    ``head`` is what the first message shall say, None where it says so already.  It is put right
    before the message is posted: repeating that changes nothing, so a death in between costs no
    message and doubles none.
    """
    # A request is never repeated in here: whether it may be is for the outbox to say.
    client = WebClient(
        token=order["token"], base_url=order["api"], timeout=_TIMEOUT, retry_handlers=[]
    )
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
        posted = _say(client, room, order["opening"])
    except Exception as error:
        return _judge(error)
    return _answer("accepted", "none", "", posted, posted, True)


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
    }


if __name__ == "__main__":
    main()
