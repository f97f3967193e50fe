"""The ``flask --app app`` commands: what an operator does from a shell."""

from __future__ import annotations

import multiprocessing
import os
import sys

import click
from flask import Flask, current_app
from flask.cli import AppGroup, with_appcontext

from statuspage.access import audit_chain
from statuspage.access.audit import COMMAND_LINE
from statuspage.core.config import ConfigError, current_settings
from statuspage.core.db import current_session
from statuspage.core.errors import Invalid
from statuspage.core.logs import set_up_logs
from statuspage.core.richtext import clean_line
from statuspage.delivery import account_changes, control, privacy
from statuspage.delivery.dispatch import check_rooms
from statuspage.public import on_demand_views
from statuspage.runtime import (
    agent_command,
    database_commands,
    incident_commands,
    moving_commands,
    server,
    supervisor,
    upgrading,
)
from statuspage.runtime.command_failure import fail
from statuspage.runtime.findings import what_is_not_set
from statuspage.runtime.versions import UnusableDatabase
from statuspage.runtime.worker import AlreadyRunning, WorkerProcess

WRONG_SETTING = 2
ALREADY_RUNNING = 3


def register(app: Flask) -> None:
    """Hang the commands on the app."""
    for command in (
        run,
        set_up,
        serve,
        work,
        *database_commands.COMMANDS,
        reset_password,
        held_on,
        verify_audit,
        erase,
        outbox,
        incident_commands.incident,
        agent_command.mcp,
        *moving_commands.COMMANDS,
    ):
        app.cli.add_command(command)


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
        made = upgrading.prepare(app)
    except (UnusableDatabase, ConfigError) as error:
        fail(error, WRONG_SETTING)
    if current_settings().log_format == "text":
        for finding in what_is_not_set(current_settings()):
            click.echo(f"  {finding.setting} not set: {finding.says}")
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
