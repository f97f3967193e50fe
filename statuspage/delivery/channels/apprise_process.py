"""The process that posts to chat: loads Apprise, reads orders, answers with the outcome of each.

Run by its path, isolated, by :mod:`statuspage.delivery.channels.chat`; it imports nothing of this
package. Apprise itself says only yes or no, so the HTTP client underneath is watched for what
happened.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from typing import Any

import apprise
import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import MaxRetryError, NewConnectionError

_seen: list[requests.Response | Exception] = []
_send = HTTPAdapter.send


def main() -> None:
    """Answer each line of standard input until it ends."""
    logging.disable(logging.CRITICAL)  # Apprise's log could hold parts of addresses
    HTTPAdapter.send = _watched_send  # type: ignore[method-assign]
    # Whatever a plugin prints must not pass for an answer.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", buffering=1)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    apprise.Apprise.instantiate("json://localhost")  # loads every plugin, once
    answers.write("{}\n")
    for line in sys.stdin:
        answers.write(json.dumps(post(json.loads(line))) + "\n")


def post(order: dict[str, str]) -> dict[str, Any]:
    """Post one message; the answer is outcome, fault, reason and seconds to wait."""
    asset = apprise.AppriseAsset(
        app_id=order["sender"] or "Status page",
        app_desc=order["sender"] or "Status page",
        image_url_mask="",
        image_url_logo="",
        http_redirects=False,  # a redirected post arrives as a GET, or somewhere else
    )
    service = apprise.Apprise.instantiate(order["url"], asset=asset)
    if "text" not in order:  # it is only asked whether the address can be read
        return {"readable": service is not None}
    if service is None:
        return _answer("not_sent", "room", "Apprise cannot read this room's address")
    text = _fit(order["text"], _room_for(service, order["title"]), order["mark"])
    _seen.clear()
    accepted = service.notify(
        body=text,
        title=order["title"],
        body_format=apprise.NotifyFormat.TEXT,
        overflow=apprise.OverflowMode.TRUNCATE,
    )
    if accepted:
        return _answer("accepted", "none", "")
    return _judge(_seen[-1]) if _seen else _answer("unknown", "provider", "Apprise failed to post")


def _room_for(service: apprise.NotifyBase, title: str) -> int:
    """How many characters of text the service takes; where it has no titles they share the room."""
    shared = 0 if service.title_maxlen else len(title) + 8
    return max(0, service.body_maxlen - shared)


def _fit(text: str, limit: int, mark: str) -> str:
    """``text``, or as much of it as fits before ``mark``, which says that it goes on."""
    return text if len(text) <= limit else text[: max(0, limit - len(mark))] + mark


def _watched_send(self: HTTPAdapter, *args: Any, **kwargs: Any) -> requests.Response:
    try:
        response = _send(self, *args, **kwargs)
    except Exception as error:
        _seen.append(error)
        raise
    _seen.append(response)
    return response


def _judge(last: requests.Response | Exception) -> dict[str, Any]:
    if isinstance(last, Exception):
        if _is_unconnected(last):
            return _answer("not_sent", "provider", "the chat service cannot be reached")
        return _answer("unknown", "provider", "the connection to the chat service broke")
    status = last.status_code
    reason = f"the chat service answered {status}"
    if status == 429:
        after = last.headers.get("Retry-After", "")
        wait = float(after) if after.isdecimal() else None
        return _answer("not_sent", "rate", reason, retry_after=wait)
    if status >= 500:
        return _answer("unknown", "provider", reason)
    if status == 400 or status == 413:
        return _answer("refused", "none", reason)
    # A room that is gone, a token that is void, or Slack's "ok": false with 200: for a person.  All
    # of it stands in the room's own address, so it says nothing of the other rooms.
    return _answer("not_sent", "room", f"{reason} and did not take the message")


def _is_unconnected(error: Exception) -> bool:
    if isinstance(error, requests.exceptions.ConnectTimeout | requests.exceptions.SSLError):
        return True
    cause = error.args[0] if error.args else None
    return isinstance(cause, MaxRetryError) and isinstance(cause.reason, NewConnectionError)


def _answer(
    outcome: str, fault: str, reason: str, *, retry_after: float | None = None
) -> dict[str, Any]:
    return {"outcome": outcome, "fault": fault, "reason": reason, "retry_after": retry_after}


if __name__ == "__main__":
    main()
