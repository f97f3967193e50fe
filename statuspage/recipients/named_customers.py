"""Which customers a text names: by their name or their company, as they are in the customer list.

The names are kept in memory, folded, and read again when the list has another length, newest row
or last change, and once a minute in any case: a text is checked at every keystroke, and the list
is long.  Even to ask whether it changed is dear, so that is asked every few seconds, and at once
where this process wrote to it.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, event, func, select
from sqlalchemy.orm import ORMExecuteState, Session

from statuspage.core.db import read_once
from statuspage.models import Customer

KEPT_FOR: Final = 60.0
ASKED_EVERY: Final = 3.0
MOST_WORDS: Final = 5
SHORTEST: Final = 4

_WORD = re.compile(r"[^\W_]{1,200}")
_Names = Mapping[tuple[str, ...], str]


@dataclass(slots=True)
class _Known:
    """The names as they were read, the list's state then, and when that is looked at again."""

    names: _Names
    state: tuple[int, int, datetime | None]
    read_at: float
    ask_at: float


_known: WeakKeyDictionary[Engine | Connection, _Known] = WeakKeyDictionary()


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
    known = _known.get(engine) if isinstance(engine, Engine) else None
    now = time.monotonic()
    if known is not None and now < known.ask_at:
        return known.names
    kept = (func.count(Customer.id), func.max(Customer.id), func.max(Customer.updated_at))
    count, newest, changed_at = session.execute(select(*kept)).one()
    state = (count, newest or 0, changed_at)
    if known is not None and known.state == state and now - known.read_at < KEPT_FOR:
        known.ask_at = now + ASKED_EVERY
        return known.names
    rows = session.execute(select(Customer.name, Customer.company)) if count else ()
    names = dict(_folded((row[0], row[1]) for row in rows))
    if isinstance(engine, Engine):
        _known[engine] = _Known(names, state, read_at=now, ask_at=now + ASKED_EVERY)
    return names


def _ask_again(session: Session) -> None:
    known = _known.get(session.get_bind(Customer))
    if known is not None:
        known.ask_at = 0.0


def _ask_after_flush(session: Session, *_: object) -> None:
    written = (*session.new, *session.dirty, *session.deleted)
    if any(isinstance(one, Customer) for one in written):
        _ask_again(session)


def _ask_after_statement(state: ORMExecuteState) -> None:
    if not state.is_select and state.bind_mapper is Customer.__mapper__:
        _ask_again(state.session)


event.listen(Session, "after_flush", _ask_after_flush)
event.listen(Session, "do_orm_execute", _ask_after_statement)


def _folded(rows: Iterable[tuple[str, str]]) -> Iterator[tuple[tuple[str, ...], str]]:
    for person, company in rows:
        for name, fewest in ((person, 2), (company, 1)):
            words = tuple(word.casefold() for word in _WORD.findall(name))
            if fewest <= len(words) <= MOST_WORDS and len(name) >= SHORTEST:
                yield words, name
