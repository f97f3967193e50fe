"""``make chaos``: everything that can go wrong with mail and posts, made to go wrong, and counted.

``python -m tests.chaos [TROUBLE …] [--seeds N] [--first-seed N] [--kills N] [--customers N]``.  A
seed that is given again picks the same points.  The exit code is 1 where a promise was not kept.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.chaos import rolling, strangers, troubles
from tests.chaos.company import Tally
from tests.chaos.kills import Provider, kill_while_sending, sendgrid, smtp
from tests.chaos.publishing import kill_while_publishing
from tests.databases import KINDS, PostgresServer, SqliteTemplate

BATCH = 200
HOUR, MONTH = 3600, 30 * 24 * 3600

Open = Callable[[Path], AbstractContextManager[Provider]]
PROVIDERS: dict[str, tuple[Open, int]] = {
    # What a kill may double at most: the mail, or the batch, that was under way.
    "SMTP": (smtp, 1),
    "SendGrid": (lambda folder: sendgrid(folder, batch=BATCH), BATCH),
    "SendGrid with its webhook": (lambda folder: sendgrid(folder, batch=BATCH, tells=True), 0),
}


@dataclass(frozen=True)
class Verdict:
    """What came of one run, and whether that is what is promised."""

    text: str
    held: bool


@dataclass(frozen=True)
class Scenario:
    """Where databases come from, and how much is asked for."""

    template: SqliteTemplate
    server: PostgresServer
    options: argparse.Namespace

    @property
    def seeds(self) -> range:
        """The seeds that were asked for."""
        return range(self.options.first_seed, self.options.first_seed + self.options.seeds)

    def url(self, kind: str, folder: Path) -> str:
        """An empty database of that kind."""
        database = self.template.copy_to(folder / "data") if kind == "sqlite" else None
        return (database or self.server.empty()).url

    def places(self) -> Iterator[tuple[str, str, Path]]:
        """Each kind of database once: its name, its address and a folder."""
        for kind in KINDS:
            with TemporaryDirectory() as name:
                yield kind, self.url(kind, Path(name)), Path(name)


def main() -> int:
    """Make every trouble that is asked for, or all; the result is the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("troubles", nargs="*", metavar="TROUBLE", help=", ".join(TROUBLES))
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--customers", type=int, default=10_000)
    parser.add_argument("--publishing", type=int, default=200, help="kills of the web server")
    parser.add_argument("--outage", type=float, default=300, help="seconds without a database")
    parser.add_argument("--crowd", type=float, default=30, help="seconds beside strangers")
    options = parser.parse_args()
    chosen = options.troubles or list(TROUBLES)
    started = time.monotonic()
    if len(chosen) == 1:
        broken = _make(chosen[0], options)
    else:
        # Much of it is waiting, so four run side by side, each in a process of its own.
        with ThreadPoolExecutor(4) as lanes:
            broken = sum(lanes.map(_make_apart, chosen))
        kept = f"{broken} troubles broke a promise" if broken else "every promise kept"
        print(f"\n{kept}, in {(time.monotonic() - started) / 60:.1f} minutes")
    return int(broken > 0)


def _make_apart(trouble: str) -> int:
    others = [word for word in sys.argv[1:] if word not in TROUBLES]
    made = subprocess.run(
        [sys.executable, "-m", "tests.chaos", trouble, *others], stdout=subprocess.PIPE, text=True
    )
    print(made.stdout, end="", flush=True)
    return int(made.returncode != 0)


def _make(trouble: str, options: argparse.Namespace) -> int:
    """Make one trouble and say what came of it; how many promises it broke."""
    start = time.monotonic()
    broken = 0
    print(f"\n{trouble}", flush=True)
    with TemporaryDirectory() as name, ExitStack() as ending:
        server = PostgresServer()
        ending.callback(server.stop)
        scenario = Scenario(SqliteTemplate(Path(name)), server, options)
        for verdict in TROUBLES[trouble](scenario):
            broken += not verdict.held
            print(f"  {verdict.text}{'' if verdict.held else '   BROKEN'}", flush=True)
    print(f"  ({time.monotonic() - start:.0f} s)", flush=True)
    return broken


def _nothing_lost(where: str, tally: Tally, *, doubled: int = 0) -> Verdict:
    return Verdict(f"{where}: {tally}", tally.lost == 0 and tally.doubled <= doubled)


def _kills(kind: str, scenario: Scenario) -> Iterator[Verdict]:
    """Each seed on one kind of database; the providers take turns."""
    kills, customers = scenario.options.kills, scenario.options.customers
    for seed in scenario.seeds:
        name = list(PROVIDERS)[(seed + KINDS.index(kind)) % len(PROVIDERS)]
        opened, per_kill = PROVIDERS[name]
        with TemporaryDirectory() as place, opened(Path(place)) as provider:
            folder = Path(place)
            tally = kill_while_sending(
                scenario.url(kind, folder), folder, provider,
                customers=customers, kills=kills, seed=seed,
            )  # fmt: skip
        kept = _nothing_lost(f"seed {seed}, {name}", tally, doubled=kills * per_kill)
        yield Verdict(kept.text, kept.held and tally.kills_while_sending == kills)


def _publishing(scenario: Scenario) -> Iterator[Verdict]:
    for kind, url, folder in scenario.places():
        kills = scenario.options.publishing // len(KINDS)
        published = kill_while_publishing(url, folder, kills=kills, seed=scenario.seeds[0])
        yield Verdict(f"{kind}: {published}", published.held)


def _frozen(scenario: Scenario) -> Iterator[Verdict]:
    for kind, url, folder in scenario.places():
        workers = 1 if kind == "sqlite" else 2
        # Longer than a call may take, so that its answer is read after its deadline.
        tally = troubles.freeze_in_the_act(
            url, folder, customers=2_000, seconds=35, workers=workers
        )
        yield _nothing_lost(f"{kind}, {workers} worker(s), one stopped for 35 s", tally)


def _provider(scenario: Scenario) -> Iterator[Verdict]:
    seed = scenario.seeds[0]
    for kind, url, folder in scenario.places():
        tally = troubles.bad_provider(url, folder, customers=5_000, seed=seed)
        yield _nothing_lost(f"{kind}, refusals, failures, drops, a hang, a bad key", tally)
    for kind, url, folder in scenario.places():
        tally, seconds = troubles.provider_away(url, folder, customers=2_000, seconds=20)
        kept = _nothing_lost(f"{kind}, away for 20 s, done {seconds:.0f} s after", tally)
        yield Verdict(kept.text, kept.held and seconds <= 60)


def _disk(scenario: Scenario) -> Iterator[Verdict]:
    with TemporaryDirectory() as name:
        folder = Path(name)
        url = scenario.url("sqlite", folder)
        tally = troubles.full_disk(url, folder, customers=2_000, seconds=5)
        yield _nothing_lost("sqlite, no byte can be written for 5 s", tally)


def _database(scenario: Scenario) -> Iterator[Verdict]:
    seconds = scenario.options.outage
    with TemporaryDirectory() as name:
        tally = troubles.database_away(
            scenario.server, Path(name), customers=2_000, seconds=seconds
        )
        yield _nothing_lost(f"postgresql, away for {seconds:g} s", tally)


def _forgers(scenario: Scenario) -> Iterator[Verdict]:
    with TemporaryDirectory() as name:
        url = scenario.url("sqlite", Path(name))
        forged = troubles.forge_events(url, Path(name), updates=10_000, seed=scenario.seeds[0])
        yield Verdict(str(forged), forged.held)


def _clock(scenario: Scenario) -> Iterator[Verdict]:
    for (kind, url, folder), jump in zip(scenario.places(), (-HOUR, MONTH), strict=True):
        tally = troubles.jump_clock(url, folder, customers=1_000, seconds=jump)
        yield _nothing_lost(f"{kind}, the clock jumps by {jump / HOUR:+g} hours", tally)


def _rolling(scenario: Scenario) -> Iterator[Verdict]:
    with TemporaryDirectory() as name:
        folder = Path(name)
        met = rolling.restart_one_by_one(
            scenario.url("postgresql", folder), folder, customers=2_000
        )
        yield Verdict(f"postgresql, each process replaced: {met}", met.held)


def _strangers(scenario: Scenario) -> Iterator[Verdict]:
    with TemporaryDirectory() as name:
        folder = Path(name)
        with strangers.serving(scenario.url("sqlite", folder), folder) as web:
            for cost in strangers.cost_of_each(web):
                yield Verdict(str(cost), cost.held)
            met = strangers.crowd_out(web, crowd=strangers.Crowd(), seconds=scenario.options.crowd)
            yield Verdict(str(met), met.held)


TROUBLES: dict[str, Callable[[Scenario], Iterator[Verdict]]] = {
    "kills-postgresql": partial(_kills, "postgresql"),
    "kills-sqlite": partial(_kills, "sqlite"),
    "database": _database,
    "publishing": _publishing,
    "provider": _provider,
    "frozen": _frozen,
    "disk": _disk,
    "forgers": _forgers,
    "clock": _clock,
    "strangers": _strangers,
    "rolling": _rolling,
}


if __name__ == "__main__":
    sys.exit(main())
