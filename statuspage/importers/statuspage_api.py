"""Moving here from Statuspage by its own management API, with a key: the whole history.

Its public documents stop at the newest 50 incidents; the API gives all of them, and with them the
subscribers who confirmed and the incident templates
(https://developer.statuspage.io, v1).  An answer is asked for once more where the limit of one
request a second was met.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote

import requests

from statuspage.configuration.incident_templates import TemplateDetails
from statuspage.importers.other_database import OtherPage, page_document, template
from statuspage.importers.published import ImportProblem, UnusableHistory
from statuspage.recipients.customer_csv_rows import CustomerRow

API: Final = "https://api.statuspage.io/v1"
_PER_PAGE: Final = 100
_MOST_PAGES: Final = 1_000
_TIMEOUT_S: Final = 30
_TRIES: Final = 5
_FIRST_STEPS: Final = frozenset({"investigating", "identified"})
# Statuspage answers the first; the second is the usual one (RFC 6585).
_TOO_MANY: Final = frozenset({420, 429})

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class StatuspageAccount:
    """Where to ask, about which page, and as whom."""

    page_id: str
    key: str
    api: str = API


def fetch_page(
    account: StatuspageAccount, *, wait: Callable[[float], object] = time.sleep
) -> OtherPage:
    """Everything of a page that moves; :class:`~.published.UnusableHistory` where it is not given.

    ``wait`` is called with seconds while the limit of requests is met.
    """
    asking = _Asking(account, wait)
    page = asking.get("")
    if not isinstance(page, dict):
        raise _unusable(account, "answers no page")
    incidents = list(asking.all("/incidents"))
    notes: list[ImportProblem] = []
    document = page_document(
        account.api,
        page={**page, "url": _public_address(page)},
        components=list(_components(asking)),
        incidents=[row for row in incidents if not row.get("scheduled_for")],
        maintenances=[row for row in incidents if row.get("scheduled_for")],
    )
    subscribers = list(_subscribers(asking, notes))
    return OtherPage([document], subscribers, _templates(asking, notes), notes)


def _public_address(page: Row) -> str:
    """Where people read the page; ``url`` is the address of the company."""
    domain = page.get("domain") or f"{page.get('subdomain')}.statuspage.io"
    return f"https://{domain}"


def _components(asking: _Asking) -> Iterator[Row]:
    """The components, and the groups among them, as the public documents have both."""
    for group in asking.all("/component-groups"):
        yield {**group, "group": True, "status": "operational", "group_id": None}
    for component in asking.all("/components"):
        if not component.get("group"):
            yield component


def _subscribers(asking: _Asking, notes: list[ImportProblem]) -> Iterator[CustomerRow]:
    """Who confirmed and is written to; by which other ways somebody is told is noted."""
    found = asking.all("/subscribers", "state=active", first_page=0)
    for number, row in enumerate(found, start=1):
        where = f"subscriber {number}"
        if row.get("mode") != "email" or not row.get("email"):
            reason = f"is told by {row.get('mode') or 'nothing'}, not by email: left out"
            notes.append(ImportProblem(where, reason))
            continue
        if row.get("quarantined_at"):
            notes.append(ImportProblem(where, "is quarantined there: left out"))
            continue
        joined = str(row.get("created_at") or "")
        # An active subscriber has confirmed; when, the API does not say.
        cells = {
            "email": str(row["email"]),
            "components": "; ".join(map(str, row.get("components") or ())),
            "confirmed_at": joined,
            "asked_at": joined,
        }
        yield CustomerRow(number, cells)


def _templates(asking: _Asking, notes: list[ImportProblem]) -> dict[str, TemplateDetails]:
    """What incidents are begun with; a template for a later step begins none."""
    found = {}
    for row in asking.all("/incident_templates"):
        name, step = str(row.get("name") or ""), row.get("update_status") or "investigating"
        if step not in _FIRST_STEPS:
            reason = f"is for an update that says {step}, and begins no incident: left out"
            notes.append(ImportProblem(f"template {name!r}", reason))
            continue
        components = [
            str(part.get("name") or "")
            for part in row.get("components") or ()
            if isinstance(part, dict)
        ]
        found[f"statuspage {row.get('id')}"] = template(
            name, str(row.get("title") or ""), str(row.get("body") or ""), components=components
        )
    return found


class _Asking:
    """Requests to the API, as often as it lets us."""

    def __init__(self, account: StatuspageAccount, wait: Callable[[float], object]) -> None:
        self._account = account
        self._wait = wait

    def all(self, path: str, query: str = "", *, first_page: int = 1) -> Iterator[Row]:
        """Every object of a list, page by page; its pages count from 1, subscribers' from 0."""
        for number in range(first_page, first_page + _MOST_PAGES):
            # Some lists call the size of a page by one name, some by the other.
            size = f"per_page={_PER_PAGE}&limit={_PER_PAGE}&page={number}"
            rows = self.get(f"{path}?{query + '&' if query else ''}{size}")
            if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
                raise _unusable(self._account, f"{path} answers no list")
            yield from rows
            if len(rows) < _PER_PAGE:
                return

    def get(self, path: str) -> Any:
        """The JSON at an address under the page's."""
        page = quote(self._account.page_id, safe="")
        url = f"{self._account.api.rstrip('/')}/pages/{page}{path}"
        headers = {"Authorization": f"OAuth {self._account.key}"}
        for turn in range(_TRIES):
            try:
                with requests.get(url, headers=headers, timeout=_TIMEOUT_S) as answer:
                    if answer.status_code == HTTPStatus.OK:
                        return answer.json()
                    status, pause = answer.status_code, answer.headers.get("Retry-After")
            except (requests.RequestException, ValueError) as error:
                raise _unusable(self._account, f"{path} cannot be fetched: {error}") from None
            if status not in _TOO_MANY:
                reason = f"{path or 'the page'} answers {status}"
                raise _unusable(self._account, reason)
            self._wait(_pause(pause, turn))
        raise _unusable(self._account, f"{path} is refused: too many requests; try again later")


def _pause(said: str | None, turn: int) -> float:
    """Seconds until the next try."""
    return min(float(said), 60.0) if said and said.isdecimal() else 2.0**turn


def _unusable(account: StatuspageAccount, reason: str) -> UnusableHistory:
    return UnusableHistory([ImportProblem(account.api, reason)])
