"""The ``flask --app app`` commands: what an operator does from a shell."""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import click
from flask import Flask, current_app
from flask.cli import AppGroup, with_appcontext
from sqlalchemy.exc import DBAPIError

from statuspage.access import audit_chain
from statuspage.access.audit import COMMAND_LINE
from statuspage.core.config import ConfigError, current_settings
from statuspage.core.db import current_session, db
from statuspage.core.errors import Invalid
from statuspage.core.links import current_links
from statuspage.core.logs import set_up_logs
from statuspage.core.paths import COMMAND
from statuspage.core.richtext import clean_line
from statuspage.delivery import account_changes, control, privacy
from statuspage.delivery.dispatch import check_rooms
from statuspage.importers import demo, jsonl, published, statuspage_page, store
from statuspage.public import on_demand_views
from statuspage.public.export import files, sync, targets
from statuspage.recipients import customer_csv
from statuspage.runtime import agent_command, backup, incident_commands, server, supervisor
from statuspage.runtime.worker import AlreadyRunning, WorkerProcess

WRONG_SETTING = 2
ALREADY_RUNNING = 3

HELD = f"Nothing is sent until you run: {COMMAND} outbox release"


def register(app: Flask) -> None:
    """Hang the commands on the app."""
    for command in (
        run,
        set_up,
        serve,
        work,
        back_up,
        restore,
        restored,
        reset_password,
        held_on,
        verify_audit,
        erase,
        outbox,
        incident_commands.incident,
        agent_command.mcp,
        load_demo,
        import_customers,
        export_customers,
        import_incidents,
        import_statuspage,
        export_site,
    ):
        app.cli.add_command(command)


def fail(reason: object, code: int = 1) -> NoReturn:
    """End with one line and an exit code that says that it failed."""
    click.echo(f"statuspage: {reason}", err=True)
    sys.exit(code)


@click.command("setup")
def set_up() -> None:
    """Bring the database up to date; the first time, load the demo and make a sign-in."""
    _set_up(current_app._get_current_object())  # type: ignore[attr-defined]


@click.command("run")
def run() -> None:
    """Serve the page and deliver what is due, and start either again when it dies."""
    # What stays is the small program that watches both, without all that this one has loaded.
    os.environ["DATA_DIR"] = str(current_settings().data_dir)
    os.execv(sys.executable, [sys.executable, "-P", supervisor.__file__])


@click.command("serve")
@click.option("--setup", "first", is_flag=True, help="Do what the command setup does before.")
def serve(first: bool) -> None:
    """Serve the page until it is told to stop."""
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    set_up_logs(current_settings())
    if first:
        # Setting up loads what serving never needs: in a process of its own that is gone with it.
        setting_up = multiprocessing.get_context("fork").Process(target=_set_up, args=(app,))
        setting_up.start()
        setting_up.join()
        if setting_up.exitcode:
            sys.exit(setting_up.exitcode)
    on_demand_views.install(app)
    server.serve(app)


def _set_up(app: Flask) -> None:
    try:
        made = backup.prepare(app)
    except (backup.UnusableDatabase, ConfigError) as error:
        fail(error, WRONG_SETTING)
    if made is None:
        return
    email, password = made
    click.echo(f"\n  Sign in at {current_settings().public_url}/admin/  (shown only this once)")
    click.echo(f"    {email}\n    {password}\n")


@click.command("worker")
def work() -> None:
    """Deliver what is due, until it is told to stop."""
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    set_up_logs(current_settings())
    try:
        check_rooms(current_settings())
        WorkerProcess(app).run()
    except ConfigError as error:
        fail(error, WRONG_SETTING)
    except AlreadyRunning:
        fail("another worker serves this database; SQLite takes one", ALREADY_RUNNING)


@click.command("backup")
@click.argument("file", type=click.Path(path_type=Path))
def back_up(file: Path) -> None:
    """Copy the SQLite database into FILE, while the service runs."""
    try:
        backup.back_up(current_settings(), file)
    except backup.UnusableDatabase as error:
        fail(error)
    click.echo(f"Backed up to {file}.")


@click.command("restore")
@click.argument("file", type=click.Path(path_type=Path))
def restore(file: Path) -> None:
    """Put the backup FILE in the database's place and hold the outbox; stop the service first."""
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    try:
        backup.restore(app, file)
    except backup.UnusableDatabase as error:
        fail(error)
    click.echo(f"Restored. {HELD}")


@click.command("restored")
def restored() -> None:
    """Hold the outbox after pg_restore or any other restore; run it before the service starts."""
    try:
        backup.settle_restored(current_app._get_current_object())  # type: ignore[attr-defined]
    except backup.UnusableDatabase as error:
        fail(error)
    click.echo(HELD)


@click.command("reset-password")
@click.argument("email")
def reset_password(email: str) -> None:
    """Give the account EMAIL a new random password and end its sign-ins."""
    try:
        password = account_changes.reset_password(email)
    except Invalid as refused:
        fail(refused.reason)
    click.echo(f"{email}\n{password}")


@click.command("verify-audit")
@click.option("--head", default="", help="A head that was printed before; says if it is gone.")
@with_appcontext
def verify_audit(head: str) -> None:
    """Check that the audit trail is whole; names the first entry that is not."""
    verdict = audit_chain.verify(current_session(), expected=head)
    if verdict.broken_at is not None:
        where = f"entry {verdict.broken_at}: " if verdict.broken_at else ""
        fail(f"the audit trail is broken: {where}{verdict.reason}")
    click.echo(f"{verdict.entries:,} entries, whole.")
    if verdict.unchained:
        click.echo(f"{verdict.unchained:,} older entries are from before the chain.")
    click.echo(f"head {verdict.head}")


@click.command("held-on")
@click.argument("email")
@with_appcontext
def held_on(email: str) -> None:
    """Say what is held on the address EMAIL, forgotten deliveries too."""
    try:
        held = privacy.holdings(current_session(), email)
    except Invalid as refused:
        fail(refused.reason)
    click.echo(f"customer: {'yes' if held.customer else 'no'}")
    click.echo(f"subscriber: {held.subscriber.state.value if held.subscriber else 'no'}")
    click.echo(f"suppressed: {held.suppression.kind if held.suppression else 'no'}")
    click.echo(f"erased: {held.erased_at.isoformat() if held.erased_at else 'no'}")
    click.echo(f"deliveries: {held.total}, {held.in_the_clear} with the address")
    for one in held.deliveries:
        click.echo(f"  {one.changed_at.isoformat()} {one.state.value} {one.message.subject}")


@click.command("erase")
@click.argument("email")
@click.confirmation_option(prompt="Erase what is held on this address for good?")
@with_appcontext
def erase(email: str) -> None:
    """Erase what is held on the address EMAIL; that and when it was written to stays, by hash."""
    try:
        gone = privacy.erase(email, actor=COMMAND_LINE)
    except Invalid as refused:
        fail(refused.reason)
    click.echo(
        f"Erased {gone.lists} list entries, the address in {gone.deliveries} deliveries, "
        f"{gone.files} files."
    )


outbox = AppGroup("outbox", help="Hold and release what waits to be sent.")


@outbox.command("hold")
@click.argument("reason", default="held by hand")
def hold(reason: str) -> None:
    """Send nothing until the outbox is released."""
    control.hold(control.EVERYTHING, reason=clean_line(reason), actor=COMMAND_LINE)
    click.echo("Held. Nothing is sent until it is released.")


@outbox.command("release")
def release() -> None:
    """Let what waits be sent."""
    control.release(control.EVERYTHING, actor=COMMAND_LINE)
    click.echo("Released.")


# --- what comes in from files --------------------------------------------------------------------

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
