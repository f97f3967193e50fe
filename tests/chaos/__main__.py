"""``make chaos``: kill the worker while it sends, on both databases and over both providers.

``python -m tests.chaos [--seeds N] [--first-seed N] [--kills N] [--customers N]``.  A seed that is
given again picks the same points.  The exit code is 1 where anything was lost or doubled too often.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.chaos.kills import Provider, kill_while_sending, sendgrid, smtp
from tests.databases import KINDS, PostgresServer, SqliteTemplate

BATCH = 50

Open = Callable[[Path], AbstractContextManager[Provider]]
PROVIDERS: dict[str, tuple[Open, int]] = {
    # What a kill may double at most: the mail, or the batch, that was under way.
    "SMTP": (smtp, 1),
    "SendGrid": (lambda folder: sendgrid(folder, batch=BATCH), BATCH),
}


def main() -> int:
    """Run every seed on every database and provider; the result is the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--customers", type=int, default=2_000)
    options = parser.parse_args()
    failed = 0
    with TemporaryDirectory() as name, ExitStack() as ending:
        server = PostgresServer()
        ending.callback(server.stop)
        template = SqliteTemplate(Path(name))
        for seed in range(options.first_seed, options.first_seed + options.seeds):
            for kind in KINDS:
                for provider in PROVIDERS:
                    failed += not _run(kind, provider, template, server, seed, options)
    print(f"\n{failed} runs failed" if failed else "\nnothing lost, nothing doubled too often")
    return int(failed > 0)


def _run(
    kind: str,
    name: str,
    template: SqliteTemplate,
    server: PostgresServer,
    seed: int,
    options: argparse.Namespace,
) -> bool:
    opened, per_kill = PROVIDERS[name]
    with TemporaryDirectory() as place:
        folder = Path(place)
        database = template.copy_to(folder / "data") if kind == "sqlite" else server.empty()
        with opened(folder) as provider:
            tally = kill_while_sending(
                database.url,
                folder,
                provider,
                customers=options.customers,
                kills=options.kills,
                seed=seed,
            )
    held = (
        tally.lost == 0
        and tally.kills_while_sending == options.kills
        and tally.doubled <= options.kills * per_kill
    )
    print(f"seed {seed}, {kind}, {name}: {tally}{'' if held else '  FAILED'}", flush=True)
    return held


if __name__ == "__main__":
    sys.exit(main())
