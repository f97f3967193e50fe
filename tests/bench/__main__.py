"""``make bench``: every figure that the service must reach, measured now.

``python -m tests.bench [SECTION …] [--incidents FILE]`` runs some of the sections.  The exit code
is 0 however the figures come out: they are for reading, on a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from statuspage.core.config import load_settings
from statuspage.core.db import db, writing
from statuspage.runtime.application import create_app
from tests.bench import (
    alerts,
    checks,
    components,
    delivery,
    desk,
    exporting,
    front,
    signing_in,
    site,
)
from tests.bench.delivery import Places
from tests.bench.figures import Figure, show
from tests.bench.nginx import nginx
from tests.databases import PostgresServer, SqliteTemplate

TURNS = 3


def main() -> None:
    """Run the sections that are asked for, or all, and say what was not reached."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=", ".join(SECTIONS))
    parser.add_argument("--incidents", type=Path, help="a published history to read")
    options = parser.parse_args()
    missed: list[Figure] = []
    with TemporaryDirectory() as name, ExitStack() as ending:
        server = PostgresServer()
        ending.callback(server.stop)
        places = Places(SqliteTemplate(Path(name)), server)
        for section in options.sections or SECTIONS:
            figures = show(section, SECTIONS[section](places, options))
            missed += [figure for figure in figures if figure.reached is False]
    print(f"\n{len(missed)} figures not reached" if missed else "\nevery figure reached")
    for figure in missed:
        print(f"  {figure}")


def _front(places: Places, _options: argparse.Namespace) -> Iterator[Figure]:
    both = os.cpu_count() or 1
    for label, server, client in (("pinned", 0, 1 % both), ("not pinned", None, None)):
        with TemporaryDirectory() as name, ExitStack() as ending:
            folder = Path(name)
            url = places.url("sqlite", folder)
            _fill(url, folder)
            ours = ending.enter_context(front.served(url, folder / "data", core=server))
            theirs = ending.enter_context(nginx({"/": ours.page}, core=server))
            for figure in front.against_nginx(ours, theirs, core=client, turns=TURNS):
                yield Figure(
                    f"{figure.name} ({label})",
                    figure.value,
                    figure.unit,
                    figure.at_most,
                    figure.at_least,
                )
            if server is None:
                yield from front.patience(ours)


def _fill(url: str, folder: Path) -> None:
    environ = {"DATABASE_URL": url, "DATA_DIR": str(folder / "data"), "SECRET_KEY": "k" * 32}
    app = create_app(load_settings(environ))
    with app.app_context():
        with writing() as session:
            site.fill(session, 1000)
        db.engine.dispose()


SECTIONS: dict[str, Callable[[Places, argparse.Namespace], Iterator[Figure]]] = {
    "front": _front,
    "building": lambda places, _: site.building(places),
    "components": lambda places, _: components.posting(places),
    "checks": lambda places, options: checks.checking(places, options.incidents),
    "desk": lambda places, _: desk.opening(places),
    "alerts": lambda places, _: alerts.storm(places),
    "importing": lambda places, options: site.importing(places, options.incidents),
    "exporting": lambda places, _: exporting.exporting(places),
    "signing-in": lambda places, _: signing_in.signing_in(places),
    "at-rest": lambda _, __: site.at_rest(),
    "queueing": lambda places, _: delivery.queueing(places),
    "handing-over": lambda places, _: delivery.handing_over(places),
    "first-and-most": lambda places, _: delivery.first_and_most(places),
    "smtp": lambda places, _: delivery.over_smtp(places),
    "history": lambda places, _: delivery.with_history(places),
}


if __name__ == "__main__":
    main()
