"""Which customers a text names: by their name or their company, as they are in the customer list.

The names are kept in memory, folded, and read again when the list has another length, newest row
or last change, and once a minute in any case: a text is checked at every keystroke, and the list
is long.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Final
from weakref import WeakKeyDictionary

from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from statuspage.core.db import read_once
from statuspage.models import Customer

KEPT_FOR: Final = 60.0
MOST_WORDS: Final = 5
SHORTEST: Final = 4

_WORD = re.compile(r"[^\W_]{1,200}")
_Names = Mapping[tuple[str, ...], str]
_Known = tuple[tuple[int, int, datetime | None], float, _Names]
_known: WeakKeyDictionary[Engine, _Known] = WeakKeyDictionary()


def named_customers(session: Session, *texts: str) -> tuple[str, ...]:
    """The names and companies of customers that stand in the texts, as the list has them.

    A person counts by two words or more, a company of one word only as it is written.
    """
    names = read_once(session, "names of customers", lambda: _names(session))
    if not names:
        return ()
    found: dict[str, None] = {}
    for text in texts:
        for written in _runs(_WORD.findall(text)):
            name = names.get(tuple(word.casefold() for word in written))
            if name is not None and (len(written) > 1 or written[0] == name):
                found[name] = None
    return tuple(found)


def _runs(words: list[str]) -> Iterator[tuple[str, ...]]:
    for at in range(len(words)):
        for length in range(1, MOST_WORDS + 1):
            yield tuple(words[at : at + length])


def _names(session: Session) -> _Names:
    engine = session.get_bind()
    kept = (func.count(Customer.id), func.max(Customer.id), func.max(Customer.updated_at))
    count, newest, changed_at = session.execute(select(*kept)).one()
    state, now = (count, newest or 0, changed_at), time.monotonic()
    known = _known.get(engine) if isinstance(engine, Engine) else None
    if known is not None and known[0] == state and now - known[1] < KEPT_FOR:
        return known[2]
    rows = session.execute(select(Customer.name, Customer.company)) if count else ()
    names = dict(_folded((row[0], row[1]) for row in rows))
    if isinstance(engine, Engine):
        _known[engine] = (state, now, names)
    return names


def _folded(rows: Iterable[tuple[str, str]]) -> Iterator[tuple[tuple[str, ...], str]]:
    for person, company in rows:
        for name, fewest in ((person, 2), (company, 1)):
            words = tuple(word.casefold() for word in _WORD.findall(name))
            if fewest <= len(words) <= MOST_WORDS and len(name) >= SHORTEST:
                yield words, name
