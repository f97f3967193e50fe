"""``flask --app app incident …``: declare, update, resolve and list, for scripts on the machine.

Everything goes through the verbs of the admin: the same checks, gate, outbox and audit trail.
Before anybody outside is emailed it asks, unless ``--yes`` or ``--quiet`` is given.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, TypeVar
from uuid import uuid4

import click
from flask.cli import AppGroup
from sqlalchemy import select
from sqlalchemy.orm import Session

from statuspage.access.audit import COMMAND_LINE
from statuspage.configuration import severity
from statuspage.core.conflict import Conflict
from statuspage.core.db import current_session
from statuspage.core.enums import (
    CLOSED,
    Audience,
    ComponentStatus,
    IncidentStatus,
    Kind,
    Visibility,
)
from statuspage.core.errors import Invalid
from statuspage.core.links import current_links
from statuspage.core.richtext import clean, clean_line
from statuspage.incidents import announcement, lifecycle
from statuspage.incidents.announcement import Announcement
from statuspage.incidents.drafts import drafts
from statuspage.incidents.inputs import Declaration, NewUpdate
from statuspage.incidents.publish import Submission
from statuspage.incidents.resolution import gate
from statuspage.messages.compose import Text
from statuspage.models import Component, Incident
from statuspage.recipients.who_receives import EVERYBODY, AudienceChoice

View = TypeVar("View", bound=Callable[..., Any])

_QUIETLY: Final = AudienceChoice(
    frozenset({Audience.SUBSCRIBER, Audience.CUSTOMER}), because="Published quietly by a script"
)
_OPEN: Final = [one.value for one in IncidentStatus if one.value not in CLOSED]

incident = AppGroup("incident", help="Declare, update, resolve and list incidents.")


def _with_common_options(view: View) -> View:
    """The options that every command that publishes has."""
    for option in (
        click.option("--json", "as_json", is_flag=True, help="Print the incident as JSON."),
        click.option("--yes", is_flag=True, help="Do not ask before people are emailed."),
        click.option("--quiet", is_flag=True, help="Email nobody outside."),
        click.option("--text", default="", help="The public text; generated without."),
        click.option(
            "--component", "components", multiple=True, metavar="NAME=STATE",
            help="A component and its state; may be repeated.",
        ),
    ):  # fmt: skip
        view = option(view)
    return view


@incident.command("declare")
@click.argument("title")
@click.option("--severity", "level", required=True, help="A level of the scheme, like SEV2.")
@click.option("--notice", default="", help="What customers notice.")
@click.option("--status", type=click.Choice(_OPEN), default="investigating")
@click.option("--draft", is_flag=True, help="Declare it internally; a person makes it public.")
@_with_common_options
def declare(
    title: str,
    level: str,
    notice: str,
    status: str,
    *,
    draft: bool,
    text: str,
    components: tuple[str, ...],
    quiet: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Declare an incident called TITLE."""
    with _in_one_line():
        session, key = current_session(), uuid4().hex
        declaration = Declaration(
            title=clean_line(title),
            severity_rank=_rank(session, level),
            users_notice=clean(notice) or clean(text),
            components=_states(session, components),
            status=IncidentStatus(status),
            visibility=Visibility.INTERNAL if draft else Visibility.PUBLIC,
            form_key=key,
        )
        submission = _submission(key, text, quiet=quiet)
        if not (draft or quiet or yes):
            _ask(announcement.of_declaration(declaration), submission)
        made = lifecycle.declare(declaration, submission)
        _show(made.code, as_json=as_json)


@incident.command("update")
@click.argument("code")
@click.option("--status", type=click.Choice(_OPEN))
@click.option("--severity", "level", help="Another level of the scheme.")
@_with_common_options
def update(
    code: str,
    status: str | None,
    level: str | None,
    *,
    text: str,
    components: tuple[str, ...],
    quiet: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Post an update on the incident CODE; one that is resolved is reopened."""
    with _in_one_line():
        session, found = current_session(), _found(code)
        present = IncidentStatus(found.status)
        fallback = IncidentStatus.INVESTIGATING if not found.is_open else present
        change = NewUpdate(
            IncidentStatus(status) if status else fallback,
            components=_states(session, components),
            severity_rank=_rank(session, level) if level else None,
        )
        _post(found, change, _submission(uuid4().hex, text, quiet=quiet), asks=not (quiet or yes))
        _show(code, as_json=as_json)


@incident.command("resolve")
@click.argument("code")
@click.option(
    "--because", "reasons", multiple=True, metavar="NAME=REASON",
    help=f"Why it is resolved although something does not hold: {', '.join(gate.WHY_NOT)}.",
)  # fmt: skip
@_with_common_options
def resolve(
    code: str,
    reasons: tuple[str, ...],
    *,
    text: str,
    components: tuple[str, ...],
    quiet: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Resolve the incident CODE."""
    with _in_one_line():
        change = NewUpdate(
            IncidentStatus.RESOLVED,
            components=_states(current_session(), components),
            although=_pairs(reasons, "because", gate.WHY_NOT),
        )
        submission = _submission(uuid4().hex, text, quiet=quiet)
        _post(_found(code), change, submission, asks=not (quiet or yes))
        _show(code, as_json=as_json)


@incident.command("list")
@click.option("--all", "with_closed", is_flag=True, help="Those that are over as well.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_incidents(with_closed: bool, as_json: bool) -> None:
    """List the incidents that go on, newest first."""
    chosen = select(Incident).filter_by(kind=Kind.INCIDENT, is_drill=False)
    if not with_closed:
        chosen = chosen.where(Incident.status.not_in(CLOSED))
    found = current_session().scalars(chosen.order_by(Incident.id.desc()).limit(200)).all()
    if as_json:
        click.echo(json.dumps([_object(one) for one in found], ensure_ascii=False))
        return
    for one in found:
        click.echo(f"{one.code}  {one.severity_name or '-':<10}{one.status:<15}{one.title}")


def _post(found: Incident, change: NewUpdate, submission: Submission, *, asks: bool) -> None:
    reopens = not found.is_open and change.status not in CLOSED
    if asks:
        _ask(announcement.of_update(found, change, reopens=reopens), submission)
    verb = lifecycle.reopen if reopens else lifecycle.post_update
    verb(found.code, change, submission)


def _ask(told: Announcement, submission: Submission) -> None:
    """Say who is emailed, and end where the answer is no."""
    customers = subscribers = 0
    for draft in drafts(told, submission.texts):
        if draft.audience is Audience.CUSTOMER:
            customers = draft.recipients
        if draft.by_mail is not None:
            subscribers = draft.by_mail.total
    if customers or subscribers:
        question = f"Publish, and email {customers:,} customers and {subscribers:,} subscribers?"
        click.confirm(question, abort=True, err=True)


def _submission(key: str, text: str, *, quiet: bool) -> Submission:
    written = clean(text)
    return Submission(
        COMMAND_LINE,
        key,
        texts={Audience.PUBLIC: Text("", written)} if written else {},
        choice=_QUIETLY if quiet else EVERYBODY,
    )


def _rank(session: Session, name: str) -> int:
    levels = severity.severity_levels(session)
    for level in levels:
        if level.name.casefold() == name.casefold():
            return level.rank
    raise Invalid("severity", f"use one of {', '.join(level.name for level in levels)}")


def _states(session: Session, given: Iterable[str]) -> dict[int, ComponentStatus]:
    """The components of these names, or codes, with their states."""
    pairs = _pairs(given, "component")
    present = session.scalars(select(Component).where(Component.removed_at.is_(None))).all()
    states = {}
    for name, state in pairs.items():
        found = [one for one in present if name in {one.name, one.code}]
        if len(found) != 1:
            how_many = "several components are" if found else "no component is"
            raise Invalid("component", f"{how_many} called “{name}”")
        if state not in set(ComponentStatus):
            raise Invalid("component", f"use one of {', '.join(ComponentStatus)}")
        states[found[0].id] = ComponentStatus(state)
    return states


def _pairs(
    given: Iterable[str], option: str, allowed: Mapping[str, object] | None = None
) -> dict[str, str]:
    pairs = {}
    for one in given:
        name, equals, value = one.rpartition("=") if allowed is None else one.partition("=")
        if not equals or (allowed is not None and name not in allowed):
            raise Invalid(option, f"“{one}” is not NAME=VALUE")
        pairs[clean_line(name)] = clean_line(value)
    return pairs


def _found(code: str) -> Incident:
    chosen = select(Incident).filter_by(code=code, kind=Kind.INCIDENT)
    found = current_session().scalars(chosen).one_or_none()
    if found is None:
        raise Invalid("code", f"there is no incident {code}")
    return found


def _show(code: str, *, as_json: bool) -> None:
    found = _object(_found(code))
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False))
        return
    click.echo(f"{found['id']}  {found['status']}  {found['url']}")


def _object(found: Incident) -> dict[str, Any]:
    links = current_links()
    shown_at = links.admin_incident if found.is_internal else links.incident
    return {
        "id": found.code,
        "title": found.title,
        "status": found.status,
        "severity": found.severity_name,
        "tags": found.tags,
        "cause_category": found.cause_category,
        "visibility": found.visibility.value,
        "url": shown_at(found.code),
    }


@contextmanager
def _in_one_line() -> Iterator[None]:
    """Report what cannot be taken in one line, and end with 1."""
    try:
        yield
    except Invalid as refused:
        click.echo(f"statuspage: {refused.field}: {refused.reason}", err=True)
        sys.exit(1)
    except Conflict as conflict:
        click.echo(f"statuspage: {conflict}", err=True)
        sys.exit(1)
