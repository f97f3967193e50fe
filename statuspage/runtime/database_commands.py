"""``statuspage upgrade``, ``check``, and the commands of backups and of the archive."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import Final

import click
from flask import current_app
from flask.cli import with_appcontext

from statuspage.core.config import current_settings
from statuspage.core.paths import COMMAND
from statuspage.runtime import backup, upgrading, whole_archive
from statuspage.runtime.command_failure import fail
from statuspage.runtime.findings import State
from statuspage.runtime.versions import UnusableDatabase

HELD: Final = f"Nothing is sent until you run: {COMMAND} outbox release"


@click.command("upgrade")
@click.option("--dry-run", is_flag=True, help="Say what would be done, and change nothing.")
@click.option("--no-backup", is_flag=True, help="Do not back the database up before.")
@with_appcontext
def upgrade(dry_run: bool, no_backup: bool) -> None:
    """Back the database up and bring it to this release.

    A dry run upgrades a copy of an SQLite database and throws it away.
    """
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    try:
        if not dry_run:
            _say_upgraded(upgrading.upgrade(app, with_backup=not no_backup), not no_backup)
            return
        planned = upgrading.plan(app)
        _say_plan(planned)
        if planned.migrations and planned.version is not None:
            if not no_backup:
                upgrading.require_room(planned)
            tried = upgrading.rehearse(app)
            click.echo("Tried on a copy: it works." if tried else "Not tried: that is for SQLite.")
    except UnusableDatabase as error:
        fail(error)


def _say_plan(planned: upgrading.UpgradePlan) -> None:
    if not planned.migrations:
        click.echo(f"The database is up to date: version {planned.version}.")
        return
    click.echo(f"The database has version {planned.version}; this release needs {planned.needed}:")
    for one in planned.migrations:
        click.echo(f"  {one.number} {one.title}")
    if planned.version is None:
        click.echo(f"It is empty: `{COMMAND} setup` makes its tables.")
        return
    size, free = (f"{number / 1e6:,.1f} MB" for number in (planned.size, planned.free))
    where = f"Would be backed up to {planned.backup}" if planned.backup else "No pg_dump is here"
    click.echo(f"{where}: the database has {size}, {free} are free there.")


def _say_upgraded(done: upgrading.UpgradePlan, with_backup: bool) -> None:
    if not done.migrations:
        click.echo(f"The database is up to date: version {done.version}.")
        return
    click.echo(f"Upgraded from version {done.version or 'none'} to {done.needed}.")
    if with_backup and done.backup:
        click.echo(f"The database before is {done.backup}.")


@click.command("check")
@click.option(
    "--selector", "selectors", multiple=True, help="Where the DKIM key of the sender’s domain is."
)
@with_appcontext
def check_settings(selectors: tuple[str, ...]) -> None:
    """Try every setting, a line each; sends nothing. Ends with 1 where something is broken."""
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    # Loading what asks name servers costs 5 MB, which neither web server nor worker has to pay.
    check_all = import_module("statuspage.runtime.check").check_all
    is_well = True
    for finding in check_all(app, selectors=selectors):
        click.echo(f"{finding.state.value:7} {finding.setting:21} {finding.says}")
        is_well = is_well and finding.state is not State.FAILED
    if not is_well:
        sys.exit(1)


@click.command("backup")
@click.argument("target", metavar="FILE|FOLDER|s3://BUCKET/PREFIX")
@click.option("--keep", type=click.IntRange(1), help="In a FOLDER: how many of the newest stay.")
@with_appcontext
def back_up(target: str, keep: int | None) -> None:
    """Copy the database into FILE, while the service runs; of PostgreSQL a dump by pg_dump.

    In a FOLDER or bucket, with --keep, the copy is named after the moment and read back, and old
    ones go.
    """
    settings = current_settings()
    try:
        if target.startswith("s3://"):
            if keep is None:
                fail("a bucket needs --keep: how many of the newest stay")
            # Loading boto3 takes a second and 30 MB, which nobody else has to pay.
            bucket = import_module("statuspage.runtime.bucket_backups")
            target = bucket.back_up_into_bucket(settings, target, keep=keep)
        elif keep is None:
            backup.back_up(settings, Path(target))
        else:
            target = str(backup.back_up_into(settings, Path(target), keep=keep))
    except UnusableDatabase as error:
        fail(error)
    click.echo(f"Backed up to {target}.")


@click.command("restore")
@click.argument("file", type=click.Path(path_type=Path))
def restore(file: Path) -> None:
    """Put the backup FILE in the database's place and hold the outbox; stop the service first."""
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    try:
        kept = backup.restore(app, file)
    except UnusableDatabase as error:
        fail(error)
    click.echo(f"Restored. {f'The database before is {kept}. ' if kept else ''}{HELD}")


@click.command("restored")
def restored() -> None:
    """Hold the outbox after a restore by other tools; run it before the service starts."""
    try:
        backup.settle_restored(current_app._get_current_object())  # type: ignore[attr-defined]
    except UnusableDatabase as error:
        fail(error)
    click.echo(HELD)


@click.command("export-all")
@click.argument("file", type=click.Path(path_type=Path))
def export_all(file: Path) -> None:
    """Write everything into the archive FILE, in open formats, while the service runs."""
    try:
        rows = whole_archive.export_all(current_app._get_current_object(), file)  # type: ignore[attr-defined]
    except UnusableDatabase as error:
        fail(error)
    click.echo(f"Wrote {rows:,} rows to {file}. Not in it:")
    for what in whole_archive.NOT_INSIDE:
        click.echo(f"  {what}")


@click.command("import-all")
@click.argument("file", type=click.Path(path_type=Path))
def import_all(file: Path) -> None:
    """Fill an empty database, of either kind, with the archive FILE and hold the outbox."""
    try:
        rows = whole_archive.import_all(current_app._get_current_object(), file)  # type: ignore[attr-defined]
    except UnusableDatabase as error:
        fail(error)
    click.echo(f"{rows:,} rows came in. {HELD}")


COMMANDS: Final = (upgrade, check_settings, back_up, restore, restored, export_all, import_all)
