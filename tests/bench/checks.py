"""What the checks of texts catch, what they leave alone, and what they cost."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
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
from statuspage.messages.checks import (
    RULES,
    BlockedTerms,
    CheckedText,
    Finding,
    FindingKind,
    blocking,
    find,
)
from statuspage.messages.facts import Facts, PublicFacts
from statuspage.runtime.application import create_app
from tests.bench.delivery import Places
from tests.bench.figures import Figure
from tests.bench.histories import Post, published
from tests.bench.site import history_lines
from tests.factories import make_component, make_page
from tests.guards.awkward import AWKWARD, COMPONENTS, SERVICE
from tests.guards.hostile_texts import HOSTILE
from tests.guards.leaks import Leak, planted
from tests.guards.wild_leaks import wild

LEAKS = 200
WILD = 500
SEEDS = 20
# What is held against facts that a published history does not tell, and not against words.
AGAINST_FACTS = {
    "no-next-update", "no-apology", "unbacked-time", "contradiction", "unconfirmed-cause"
}  # fmt: skip
LEAK_RULES = {rule.id for rule in RULES if rule.kind is FindingKind.LEAK}
# A vendor with fewer posts says nothing by its share.
FEWEST_POSTS = 20


def checking(places: Places, file: Path | None) -> Iterator[Figure]:
    """Planted leaks, harmless sentences, published posts, and how long it takes."""
    shares = [
        100 * sum(map(_is_caught, planted(LEAKS, seed=seed))) / LEAKS for seed in range(SEEDS)
    ]
    yield Figure(f"of {LEAKS} planted leaks caught", shares[0], "%", at_least=98)
    yield Figure(f"  the fewest of {SEEDS} such draws", min(shares), "%", at_least=98)
    yield from _caught()
    yield from _shares("awkward sentences", _awkward(), 0, None)
    if file:
        yield from _shares(f"posts of {file.name}", published(file), 0.5, 8)
    else:
        with TemporaryDirectory() as name:
            made_up = Path(name) / "made-up.jsonl"
            made_up.write_bytes(history_lines(800))
            yield from _shares("made-up posts", published(made_up), 0.5, None)
    yield from _hostile()
    yield from _previewing(places)


def _findings(leak: Leak) -> tuple[Finding, ...]:
    return find(
        subject="",
        body=leak.text,
        audience=Audience.PUBLIC,
        step=Step.INVESTIGATING,
        facts=leak.facts,
        own=leak.own,
    )


def _is_caught(leak: Leak) -> bool:
    return any(one.rule in LEAK_RULES for one in _findings(leak))


def _caught() -> Iterator[Figure]:
    """What is blocked or warned of as a leak, of each kind that its form gives away."""
    counts: Counter[str] = Counter()
    caught: Counter[str] = Counter()
    blocked = 0
    for leak in wild(WILD, seed=1):
        counts[leak.kind] += 1
        caught[leak.kind] += _is_caught(leak)
        blocked += bool(blocking(_findings(leak)))
    share = 100 * caught.total() / counts.total()
    yield Figure(
        f"of {counts.total()} leaks of {len(counts)} kinds caught", share, "%", at_least=90
    )
    yield Figure("  blocked", 100 * blocked / counts.total(), "%")
    for kind, count in sorted(counts.items()):
        yield Figure(f"    {kind}", 100 * caught[kind] / count, "%")


# --- harmless texts ------------------------------------------------------------------------------


def _awkward() -> Iterator[Post]:
    public = PublicFacts(
        service=SERVICE,
        page_url="https://status.acme-shop.com/",
        title="",
        components=tuple((name, "") for name in COMPONENTS),
    )
    for sentence in AWKWARD:
        yield Post(SERVICE, "", sentence, Step.POSTMORTEM, Facts(public))


@dataclass
class Tally:
    """How many posts each rule marked, by vendor."""

    posts: Counter[str] = field(default_factory=Counter)
    held: Counter[str] = field(default_factory=Counter)
    warned: Counter[str] = field(default_factory=Counter)
    rules: defaultdict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))

    def add(self, post: Post, found: Iterable[Finding]) -> None:
        """Count one post."""
        held = {one.rule for one in found if one.blocks}
        warned = {one.rule for one in found if not one.blocks and one.rule not in AGAINST_FACTS}
        self.posts[post.vendor] += 1
        self.held[post.vendor] += bool(held)
        self.warned[post.vendor] += bool(warned)
        for rule in held | warned:
            self.rules[rule][post.vendor] += 1

    @property
    def vendors(self) -> list[str]:
        """Those that say something by their share; all where none does."""
        return sorted(
            vendor for vendor, count in self.posts.items() if count >= FEWEST_POSTS
        ) or sorted(self.posts)

    def mean(self, counts: Counter[str]) -> float:
        """The mean over vendors of their shares, in percent."""
        shares = [100 * counts[vendor] / self.posts[vendor] for vendor in self.vendors]
        return sum(shares) / len(shares)


def _shares(
    what: str, posts: Iterable[Post], most_held: float, most_warned: float | None
) -> Iterator[Figure]:
    """How many of the posts would have been blocked or warned of by their words alone."""
    tally = Tally()
    start = time.perf_counter()
    for post in posts:
        found = find(
            subject=post.title, body=post.text, audience=Audience.PUBLIC, step=post.step,
            facts=post.facts,
        )  # fmt: skip
        tally.add(post, found)
    took = 1000 * (time.perf_counter() - start) / tally.posts.total()
    many = f"{tally.posts.total():,} {what}, mean over {len(tally.vendors)} vendors"
    yield Figure(f"{many}: blocked", tally.mean(tally.held), "%", at_most=most_held)
    yield Figure("  warned of by words alone", tally.mean(tally.warned), "%", at_most=most_warned)
    for rule, counts in sorted(tally.rules.items(), key=lambda one: -tally.mean(one[1])):
        yield Figure(f"    by {rule}", tally.mean(counts), "%")
    if len(tally.vendors) > 1:
        for vendor in tally.vendors:
            count = tally.posts[vendor]
            yield Figure(f"    {vendor} ({count}): blocked", 100 * tally.held[vendor] / count, "%")
            yield Figure(f"    {vendor}: warned of", 100 * tally.warned[vendor] / count, "%")
    yield Figure("  a post takes", took, "ms")


# --- what it costs -------------------------------------------------------------------------------


def _hostile() -> Iterator[Figure]:
    """The slowest rule on the slowest of texts made to be slow, and the slowest text as a whole."""
    own = BlockedTerms(contacts=tuple(f"Ada{number} Chen{number}" for number in range(300)))
    facts = Facts(PublicFacts(service="Acme", page_url="", title=""))
    slowest, longest = (0.0, "", ""), 0.0
    for text in HOSTILE:
        checked = CheckedText(text, Audience.PUBLIC, Step.RESOLVED, facts, own)
        total = 0.0
        for rule in RULES:
            start = time.process_time()
            for _ in rule.find(checked):
                pass
            took = 1000 * (time.process_time() - start)
            total += took
            slowest = max(slowest, (took, rule.id, text[:12]))
        longest = max(longest, total)
    what = f"slowest rule on 10,000 hostile characters: {slowest[1]} on {slowest[2]!r}"
    yield Figure(what, slowest[0], "ms", at_most=50)
    yield Figure("  all rules on the slowest of them", longest, "ms", at_most=250)


def _previewing(places: Places) -> Iterator[Figure]:
    """Every audience's text, checked, as after a keystroke; 200 words are blocked."""
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
