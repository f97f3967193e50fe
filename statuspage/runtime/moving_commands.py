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
from statuspage.configuration import incident_templates
from statuspage.core.db import current_session, db
from statuspage.core.errors import Invalid
from statuspage.core.links import current_links
from statuspage.importers import (
    cachet,
    demo,
    jsonl,
    published,
    statuspage_api,
    statuspage_page,
    store,
    uptime_kuma,
)
from statuspage.importers.other_database import OtherPage
from statuspage.incidents import tickets
from statuspage.public.export import files, sync, targets
from statuspage.recipients import customer_csv, subscriber_csv, subscribers
from statuspage.runtime.command_failure import fail

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_PREVIEW = click.option(
    "--preview", is_flag=True, help="Say what would be done, and change nothing."
)
_SKIP_BAD = click.option(
    "--skip-bad", is_flag=True, help="Leave out what cannot be taken, and name it."
)
_ADDRESS = click.option("--address", required=True, help="Where the page was: https://….")


@click.command("load-demo")
@with_appcontext
def load_demo() -> None:
    """Fill an empty database on a laptop with the demo."""
    with _in_one_line():
        demo.load(actor=COMMAND_LINE)
    click.echo("Loaded the demo.")


@click.command("import-customers")
@click.argument("file", type=_FILE)
@_PREVIEW
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
    if _say_incidents(report, str(file)):
        sys.exit(1)


@click.command("import-tickets")
@click.argument("folder", type=_FOLDER)
@with_appcontext
def import_tickets(folder: Path) -> None:
    """Take in the JSON tickets of FOLDER as internal incidents; no one is notified."""
    with _in_one_line():
        report = tickets.import_tickets(folder, actor=COMMAND_LINE)
    for problem in report.problems:
        click.echo(problem, err=True)
    click.echo(
        f"Tickets: {report.added} added, {report.updated} updated, {report.unchanged} unchanged."
    )
    if report.problems:
        sys.exit(1)


@click.command("export-tickets")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@with_appcontext
def export_tickets(folder: Path) -> None:
    """Write every incident into FOLDER as a JSON ticket, a file each."""
    with _in_one_line():
        click.echo(f"{tickets.export_tickets(current_session(), folder)} tickets.")


@click.command("import-statuspage")
@click.argument("sources", nargs=-1, required=True, metavar="URL|FOLDER|FILE…")
@_SKIP_BAD
@_PREVIEW
@with_appcontext
def import_statuspage(sources: tuple[str, ...], skip_bad: bool, preview: bool) -> None:
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
            documents, actor=COMMAND_LINE, skip_bad=skip_bad, preview=preview, progress=progress
        )
    if _say_incidents(report, "statuspage", preview=preview):
        sys.exit(1)


@click.command("import-statuspage-account")
@click.argument("page_id")
@click.option("--key", envvar="STATUSPAGE_API_KEY", prompt=True, hide_input=True)
@click.option("--api", default=statuspage_api.API, show_default=True)
@_SKIP_BAD
@_PREVIEW
@with_appcontext
def import_statuspage_account(
    page_id: str, key: str, api: str, skip_bad: bool, preview: bool
) -> None:
    """Move here from a Statuspage account: the whole history, and who confirmed a subscription.

    The API key is asked for, or taken from STATUSPAGE_API_KEY.  No one is emailed.
    """
    with _in_one_line():
        page = statuspage_api.fetch_page(statuspage_api.StatuspageAccount(page_id, key, api))
    _take_other(page, "statuspage", skip_bad=skip_bad, preview=preview)


@click.command("import-cachet")
@click.argument("file", type=_FILE)
@_ADDRESS
@_SKIP_BAD
@_PREVIEW
@with_appcontext
def import_cachet(file: Path, address: str, skip_bad: bool, preview: bool) -> None:
    """Move here from Cachet 3: the SQLite database FILE; no one is emailed."""
    with _in_one_line():
        page = cachet.read_cachet(file, address=address)
    _take_other(page, str(file), skip_bad=skip_bad, preview=preview)


@click.command("import-uptime-kuma")
@click.argument("file", type=_FILE)
@_ADDRESS
@click.option("--page", default="", help="Which of its status pages, by its slug.")
@_SKIP_BAD
@_PREVIEW
@with_appcontext
def import_uptime_kuma(file: Path, address: str, page: str, skip_bad: bool, preview: bool) -> None:
    """Move here from Uptime Kuma: the SQLite database FILE (kuma.db)."""
    with _in_one_line():
        found = uptime_kuma.read_uptime_kuma(file, address=address, slug=page)
    _take_other(found, str(file), skip_bad=skip_bad, preview=preview)


def _take_other(page: OtherPage, source: str, *, skip_bad: bool, preview: bool) -> None:
    """Take in what another product published, and then who subscribed to it."""
    for note in page.notes:
        click.echo(f"{source}: {note}", err=True)
    with _in_one_line(), _progress("Incidents") as progress:
        incidents = statuspage_page.import_page(
            page.documents, actor=COMMAND_LINE, skip_bad=skip_bad, preview=preview,
            progress=progress,
        )  # fmt: skip
        people = subscriber_csv.import_subscriber_rows(
            page.subscribers, actor=COMMAND_LINE, source=source, preview=preview,
            # What they chose is not here before the components are.
            knows_components=not preview,
        ) if page.subscribers else None  # fmt: skip
        new = incident_templates.import_templates(
            page.templates, source=source, actor=COMMAND_LINE, preview=preview
        )
    has_problems = _say_incidents(incidents, source, preview=preview)
    if people is not None:
        has_problems = _say_subscribers(people, source, preview=preview) or has_problems
    if page.templates:
        would, old = "would be: " if preview else "", len(page.templates) - new
        click.echo(f"Templates: {would}{new} added, {old} unchanged.")
    if has_problems:
        sys.exit(1)


@click.command("import-subscribers")
@click.argument("file", type=_FILE)
@click.option("--confirmed-at", help="When all of them had confirmed, where the file does not say.")
@click.option(
    "--column",
    "columns",
    multiple=True,
    metavar="THEIRS=OURS",
    help="What a column of the file is: 'E-mail=email'. May be given several times.",
)
@_PREVIEW
@with_appcontext
def import_subscribers(
    file: Path, confirmed_at: str | None, columns: tuple[str, ...], preview: bool
) -> None:
    """Take in the confirmed subscribers of the CSV FILE, with their consent; no one is emailed."""
    try:
        moment = (
            subscriber_csv.read_moment(confirmed_at, "--confirmed-at") if confirmed_at else None
        )
        renamed = subscriber_csv.read_columns(columns)
    except Invalid as wrong:
        fail(f"{wrong.field}: {wrong.reason}")
    with _in_one_line(), _progress("Subscribers") as progress:
        report = subscriber_csv.import_subscribers(
            file.read_bytes(), actor=COMMAND_LINE, source=file.name, confirmed_at=moment,
            renamed=renamed, preview=preview, progress=progress,
        )  # fmt: skip
    if _say_subscribers(report, str(file), preview=preview):
        sys.exit(1)


@click.command("export-subscribers")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@with_appcontext
def export_subscribers(file: Path) -> None:
    """Write every subscriber into the CSV FILE, which can be imported again."""
    with _in_one_line(), file.open("w", encoding="utf-8", newline="") as target:
        target.writelines(subscribers.export_subscribers(current_session()))


def _say_subscribers(report: customer_csv.ImportReport, source: str, *, preview: bool) -> bool:
    """Say what an import did; whether something was left out that should not be."""
    for said in (*report.notes, *report.errors):
        click.echo(f"{source}: {said}", err=True)
    done = f"{report.added} added, {report.updated} updated, {report.unchanged} unchanged"
    would = "would be: " if preview else ""
    click.echo(f"Subscribers: {would}{done}, {report.refused} refused.")
    return bool(report.errors)


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


def _say_incidents(
    report: store.IncidentImportReport, source: str, *, preview: bool = False
) -> bool:
    """Say what an import did; whether something was left out."""
    for said in (*report.notes, *report.skipped):
        click.echo(f"{source}: {said}", err=True)
    would = "would be: " if preview else ""
    done = f"{report.added} added, {report.updated} updated, {report.unchanged} unchanged"
    click.echo(
        f"Incidents: {would}{done}, {len(report.skipped)} left out. "
        f"Components: {report.components_added} added."
    )
    return bool(report.skipped)


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
    import_tickets,
    export_tickets,
    import_statuspage,
    import_statuspage_account,
    import_cachet,
    import_uptime_kuma,
    import_subscribers,
    export_subscribers,
    export_site,
)
