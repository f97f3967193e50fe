"""What the checks of texts catch, what they leave alone, and what they cost."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from statuspage.access.audit import COMMAND_LINE
from statuspage.configuration import blocked_terms
from statuspage.configuration.blocked_terms import TermLists
from statuspage.core import clock
from statuspage.core.config import load_settings
from statuspage.core.db import db, writing
from statuspage.core.enums import Audience, Step
from statuspage.incidents.announcement import of_declaration
from statuspage.incidents.drafts import drafts
from statuspage.incidents.inputs import Declaration
from statuspage.messages.checks import BlockedTerms, blocking, find
from statuspage.messages.facts import Facts, PublicFacts
from statuspage.runtime.application import create_app
from tests.bench.delivery import Places
from tests.bench.figures import Figure
from tests.bench.site import history_lines
from tests.factories import make_component, make_page
from tests.guards.leaks import Leak, planted

LEAKS = 200
SEEDS = 20
# What a post leaves out: published ones hardly ever promise a time.
SILENCES = {"no-next-update", "no-apology"}
HOSTILE = ("a", "a.", "[a](", "A ", "1:00 ", "at a:1 ", "password is ", "Server=", "db-1 ", "::")


def checking(places: Places, file: Path | None) -> Iterator[Figure]:
    """Planted leaks, published posts, and how long it takes."""
    shares = [100 * sum(map(_is_held, planted(LEAKS, seed=seed))) / LEAKS for seed in range(SEEDS)]
    yield Figure(f"of {LEAKS} planted leaks held back", shares[0], "%", at_least=98)
    yield Figure(f"  the fewest of {SEEDS} such draws", min(shares), "%", at_least=98)
    yield from _published(file.read_bytes() if file else history_lines(800))
    yield Figure("slowest hostile text of 10,000 characters", _hostile(), "ms", at_most=150)
    yield from _previewing(places)


def _is_held(leak: Leak) -> bool:
    return bool(
        blocking(
            find(
                subject="",
                body=leak.text,
                audience=Audience.PUBLIC,
                step=Step.INVESTIGATING,
                facts=leak.facts,
                own=leak.own,
            )
        )
    )


def _published(lines: bytes) -> Iterator[Figure]:
    """How many posts that somebody published would have been held back."""
    steps = {step.label: step for step in Step}
    held = warned = count = 0
    start = time.perf_counter()
    for line in lines.splitlines():
        incident = json.loads(line)
        step, facts = Step.INVESTIGATING, _facts_of(incident)
        for update in incident["updates"]:
            step = steps.get(update["status"], step)
            found = find(
                subject=incident["title"],
                body=update["message"],
                audience=Audience.PUBLIC,
                step=step,
                facts=facts,
            )
            count += 1
            held += bool(blocking(found))
            warned += any(one.rule not in SILENCES for one in found)
    took = 1000 * (time.perf_counter() - start) / count
    yield Figure(f"of {count:,} published posts held back", 100 * held / count, "%", at_most=2)
    yield Figure("  warned of, apart from what they leave out", 100 * warned / count, "%")
    yield Figure("  a post takes", took, "ms")


def _facts_of(incident: dict[str, object]) -> Facts:
    names = incident.get("components") or []
    started = str(incident.get("started_at") or "")
    public = PublicFacts(
        service="The service",
        page_url="",
        title=str(incident["title"]),
        components=tuple((str(name), "") for name in names),  # type: ignore[attr-defined]
    )
    if started:
        public = replace(public, started=clock.as_utc(datetime.fromisoformat(started)))
    return Facts(public)


def _hostile() -> float:
    own = BlockedTerms(contacts=tuple(f"Ada{number} Chen{number}" for number in range(300)))
    worst = 0.0
    for unit in HOSTILE:
        start = time.perf_counter()
        find(
            subject="",
            body=(unit * 10_000)[:10_000],
            audience=Audience.PUBLIC,
            step=Step.RESOLVED,
            facts=Facts(PublicFacts(service="Acme", page_url="", title="")),
            own=own,
        )
        worst = max(worst, time.perf_counter() - start)
    return 1000 * worst


def _previewing(places: Places) -> Iterator[Figure]:
    """Every audience's text, checked, as after a keystroke; 200 words are kept inside."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        environ = {
            "DATABASE_URL": places.url("sqlite", folder),
            "DATA_DIR": str(folder / "data"),
            "SECRET_KEY": "k" * 32,
        }
        app = create_app(load_settings(environ))
        with app.app_context():
            with writing() as session:
                make_page(session)
                make_component(session, "Checkout")
            words = "\n".join(f"Code name {number}" for number in range(200))
            blocked_terms.change_blocked_terms(TermLists(code_names=words), actor=COMMAND_LINE)
            times = sorted(_preview_ms() for _ in range(20))
            db.engine.dispose()
    yield Figure("all texts made and checked, median of 20", times[10], "ms", at_most=150)


def _preview_ms() -> float:
    declaration = Declaration(
        title="Payments fail",
        severity_rank=1,
        users_notice="Payments are declined at checkout. " * 20,
        next_update_at=clock.now() + timedelta(minutes=30),
        internal_facts={"technical_cause": "The pool of connections ran dry after a change."},
    )
    start = time.perf_counter()
    drafts(of_declaration(declaration))
    return 1000 * (time.perf_counter() - start)
