"""The commands by which people and histories move in and out: ``import-…`` and ``export-…``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import click
from flask.cli import with_appcontext
from sqlalchemy.exc import DBAPIError

from statuspage.access.audit import COMMAND_LINE
from statuspage.core.db import current_session, db
from statuspage.core.links import current_links
from statuspage.importers import (
    demo,
    jsonl,
    published,
    statuspage_page,
    store,
)
from statuspage.public.export import files, sync, targets
from statuspage.recipients import customer_csv
from statuspage.runtime.command_failure import fail

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("load-demo")
@with_appcontext
def load_demo() -> None:
    """Fill an empty database on a laptop with the demo."""
    with _in_one_line():
        demo.load(actor=COMMAND_LINE)
    click.echo("Loaded the demo.")


@click.command("import-customers")
@click.argument("file", type=_FILE)
@click.option("--preview", is_flag=True, help="Say what would be done, and change nothing.")
@with_appcontext
def import_customers(file: Path, preview: bool) -> None:
    """Take in the customers of the CSV FILE; bad rows are named, the rest goes in."""
    with _in_one_line(), _progress("Customers") as progress:
        report = customer_csv.import_customers(
            file.read_bytes(),
            actor=COMMAND_LINE,
            source=file.name,
            preview=preview,
            progress=progress,
        )
    for said in (*report.notes, *report.errors):
        click.echo(f"{file}: {said}", err=True)
    done = f"{report.added} added, {report.updated} updated, {report.unchanged} unchanged"
    click.echo(f"{'Would be: ' if preview else ''}{done}, {report.refused} refused.")
    if report.errors:
        sys.exit(1)


@click.command("export-customers")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@with_appcontext
def export_customers(file: Path) -> None:
    """Write every customer into the CSV FILE, which can be imported again."""
    with _in_one_line(), file.open("w", encoding="utf-8", newline="") as target:
        target.writelines(customer_csv.export_customers(current_session()))


@click.command("import-incidents")
@click.argument("file", type=_FILE)
@click.option("--skip-bad", is_flag=True, help="Leave out the incidents that cannot be imported.")
@with_appcontext
def import_incidents(file: Path, skip_bad: bool) -> None:
    """Take in the published incidents of FILE, one JSON object a line; no one is emailed."""
    with _in_one_line(str(file)), _progress("Incidents") as progress:
        report = jsonl.import_history(
            file.read_bytes(),
            actor=COMMAND_LINE,
            source=file.name,
            skip_bad=skip_bad,
            progress=progress,
        )
    _say_incidents(report, str(file))


@click.command("import-statuspage")
@click.argument("sources", nargs=-1, required=True, metavar="URL|FOLDER|FILE…")
@click.option("--skip-bad", is_flag=True, help="Leave out what cannot be taken, and name it.")
@with_appcontext
def import_statuspage(sources: tuple[str, ...], skip_bad: bool) -> None:
    """Move here from a Statuspage page: its address, or its saved public documents.

    Codes, entry ids, times, groups and texts are kept; no one is emailed.
    """
    with _in_one_line(), _progress("Incidents") as progress:
        documents = []
        for source in sources:
            if source.startswith(("http://", "https://")):
                documents += statuspage_page.fetch_documents(source)
            else:
                documents += statuspage_page.read_documents([Path(source)])
        report = statuspage_page.import_page(
            documents, actor=COMMAND_LINE, skip_bad=skip_bad, progress=progress
        )
    _say_incidents(report, "statuspage")


@click.command("export-site")
@click.argument("target", metavar="FOLDER|s3://BUCKET/PREFIX")
@with_appcontext
def export_site(target: str) -> None:
    """Write the whole public site as static files; what is as it should be is not touched."""
    try:
        place = targets.open_target(target)
        with _progress("Documents") as progress:
            report = sync.export_site(place, db.engine, current_links(), progress=progress)
    except files.UnusableTarget as error:
        fail(error)
    except DBAPIError as error:
        fail(f"the database cannot be used: {' '.join(str(error.orig).split())}")
    except OSError as error:
        fail(error)
    click.echo(
        f"{report.documents} documents: {report.written} files written, {report.removed} removed."
    )


def _say_incidents(report: store.IncidentImportReport, source: str) -> None:
    for said in (*report.notes, *report.skipped):
        click.echo(f"{source}: {said}", err=True)
    click.echo(
        f"Incidents: {report.added} added, {report.updated} updated, {report.unchanged} unchanged, "
        f"{len(report.skipped)} left out. Components: {report.components_added} added."
    )
    if report.skipped:
        sys.exit(1)


@contextmanager
def _in_one_line(source: str = "") -> Iterator[None]:
    """Report what cannot be used, one line for each thing, and end."""
    try:
        yield
    except published.UnusableHistory as unusable:
        for problem in unusable.problems:
            click.echo(f"{source}: {problem}" if source else str(problem), err=True)
        fail("nothing was imported")
    except demo.DemoRefused as refused:
        fail(refused)
    except OSError as error:
        fail(f"{error.filename}: {error.strerror}")
    except DBAPIError as error:
        fail(f"the database cannot be used: {' '.join(str(error.orig).split())}")


@contextmanager
def _progress(label: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on the terminal, and what moves it: how much is done, of how much."""
    hidden = not sys.stderr.isatty()
    with click.progressbar(length=1, label=label, file=sys.stderr, hidden=hidden) as bar:

        def move(done: int, total: int) -> None:
            bar.length = total
            bar.update(done - bar.pos)

        yield move


COMMANDS: Final = (
    load_demo,
    import_customers,
    export_customers,
    import_incidents,
    import_statuspage,
    export_site,
)
