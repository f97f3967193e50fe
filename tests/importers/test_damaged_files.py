"""Files that are cut or wrong anywhere: an import says where, or takes all; never a half."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from statuspage.importers import jsonl, statuspage_page
from statuspage.importers.published import UnusableHistory
from statuspage.models import Component, ComponentGroup, Incident, IncidentUpdate
from statuspage.public.api_v2 import api_documents
from statuspage.public.feed_formats import write_atom
from statuspage.public.feeds import history_feed
from tests.actors import acting
from tests.factories import make_page
from tests.public import samples
from tests.public.samples import LINKS, ago, component, group, incident, maintenance, post, snapshot

ACTOR = acting("Ada")
WRONG = (
    None,
    "",
    "nonsense",
    7,
    -1,
    1e300,
    True,
    [],
    {},
    [None],
    "2026-99-99T00:00:00Z",
    "x" * 999,
)

SITE = snapshot(
    tree=(group("Shop", component("Checkout"), component("Cart")), component("Login")),
    incidents=[
        incident(
            "Payments fail",
            post(samples.RESOLVED, "Over.", ago(hours=1)),
            post(samples.INVESTIGATING, "We look.", ago(hours=3)),
            components=[component("Login")],
        ),
        incident("Slow", post(samples.IDENTIFIED, "Known.", ago(hours=2))),
        maintenance(
            "Upgrade", post(samples.COMPLETED, "Done.", ago(days=1)), start=ago(days=2),
            end=ago(days=1),
        ),
    ],
)  # fmt: skip
PAGE_FILES = {
    path.rpartition("/")[2]: content
    for path, content in api_documents(SITE, LINKS).items()
    if path.endswith(("summary.json", "components.json", "incidents.json", "maintenances.json"))
} | {"history.atom": write_atom(history_feed(SITE.page, SITE.recent, LINKS), LINKS)}
HISTORY = "".join(
    json.dumps(
        {
            "id": str(number),
            "title": f"Story {number}",
            "url": f"https://status.example.org/incidents/aaaaaaaaaa{number:02}",
            "started_at": "2025-05-01T10:00:00Z",
            "published_at": "2025-05-01T11:00:00Z",
            "impact": "minor",
            "components": ["Search"],
            "updates": [
                {"at": "2025-05-01T10:00:00Z", "status": "Investigating", "message": "We look."},
                {"at": "2025-05-01T11:00:00Z", "status": "Resolved", "message": "Over."},
            ],
        }
    )
    + "\n"
    for number in range(4)
).encode()

pytestmark = pytest.mark.usefixtures("frozen")


@pytest.fixture
def empty(session: Session) -> Session:
    make_page(session)
    session.commit()
    return session


def counts(session: Session) -> list[int]:
    rooms = (Incident, IncidentUpdate, Component, ComponentGroup)
    return [session.scalar(select(func.count()).select_from(room)) or 0 for room in rooms]


def is_refused(session: Session, act: Callable[[], object]) -> bool:
    """Whether it is refused, with a place and a reason, and nothing has changed."""
    before = counts(session)
    problems = problems_of(act)
    if problems is None:
        return False
    assert problems
    assert all(": " in problem for problem in problems)
    assert counts(session) == before
    return True


def problems_of(act: Callable[[], object]) -> list[str] | None:
    try:
        act()
    except UnusableHistory as unusable:
        return [str(problem) for problem in unusable.problems]
    return None


def take_page(folder: Path, files: dict[str, bytes]) -> None:
    for name, content in files.items():
        (folder / name).write_bytes(content)
    statuspage_page.import_page(statuspage_page.read_documents([folder]), actor=ACTOR)


@pytest.mark.parametrize("name", PAGE_FILES)
def test_a_document_cut_anywhere_imports_nothing(empty: Session, tmp_path: Path, name: str) -> None:
    whole = PAGE_FILES[name].rstrip()
    for size in range(0, len(whole), max(1, len(whole) // 10)):
        files = {**PAGE_FILES, name: whole[:size]}
        assert is_refused(empty, lambda files=files: take_page(tmp_path, files)), (name, size)
    assert counts(empty) == [0, 0, 0, 0]
    take_page(tmp_path, PAGE_FILES)
    assert counts(empty) == [3, 4, 3, 1]


def test_a_history_cut_anywhere_within_a_line_imports_nothing(empty: Session) -> None:
    ends = {at + 1 for at, byte in enumerate(HISTORY) if byte == 10} | {0}
    for size in range(1, len(HISTORY), 83):
        if size in ends or size + 1 in ends:
            continue
        assert is_refused(empty, lambda size=size: take_history(HISTORY[:size]))
    assert counts(empty) == [0, 0, 0, 0]


def test_a_document_with_a_wrong_value_is_refused_or_taken_whole(
    empty: Session, tmp_path: Path
) -> None:
    dice = random.Random(4)
    refused: Counter[bool] = Counter()
    for _ in range(60):
        name = dice.choice(["summary.json", "incidents.json", "scheduled-maintenances.json"])
        document = json.loads(PAGE_FILES[name])
        spoil(dice, document)
        files = {**PAGE_FILES, name: json.dumps(document).encode()}
        refused[is_refused(empty, lambda files=files: take_page(tmp_path, files))] += 1
    assert min(refused[True], refused[False]) > 4


def test_a_history_with_a_wrong_value_is_refused_or_taken_whole(empty: Session) -> None:
    dice = random.Random(4)
    refused: Counter[bool] = Counter()
    for _ in range(60):
        rows = [json.loads(line) for line in HISTORY.splitlines()]
        spoil(dice, dice.choice(rows))
        data = "".join(json.dumps(row) + "\n" for row in rows).encode()
        refused[is_refused(empty, lambda data=data: take_history(data))] += 1
    assert min(refused[True], refused[False]) > 4


def take_history(data: bytes) -> None:
    jsonl.import_history(data, actor=ACTOR, source="history.jsonl")


def spoil(dice: random.Random, value: Any) -> None:
    """Put a wrong value somewhere inside, or take something away."""
    while True:
        places: Sequence[Any] = list(value) if isinstance(value, dict) else range(len(value))
        place = dice.choice(places)
        inner = value[place]
        if not isinstance(inner, (dict, list)) or not inner or dice.random() < 0.15:
            break
        value = inner
    if isinstance(value, dict) and dice.random() < 0.3:
        del value[place]
    else:
        value[place] = dice.choice(WRONG)
