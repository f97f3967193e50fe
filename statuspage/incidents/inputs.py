"""What the comms lead hands in, what would go out, and how bad input is answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from statuspage.core import clock
from statuspage.core.address import read_address
from statuspage.core.enums import (
    CLOSED,
    Audience,
    ComponentStatus,
    Impact,
    IncidentRole,
    IncidentStatus,
    Step,
    Visibility,
)
from statuspage.core.errors import Invalid
from statuspage.messages.checks import Finding
from statuspage.messages.compose import Composed, Text, as_drill
from statuspage.models import Incident
from statuspage.models.columns import BODY_LIMIT, TITLE_LIMIT
from statuspage.recipients.who_receives import Reach, Reader

CLOCK_TOLERANCE = timedelta(minutes=2)
"""A browser's clock may be this much ahead before its 'now' counts as the future."""


@dataclass(frozen=True, slots=True)
class Drill:
    """Whom a drill may reach: mail addresses with a name each, and chat rooms by their names."""

    people: Sequence[tuple[str, str]] = ()
    rooms: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Declaration:
    """An incident as it is declared; components and roles by their ids.

    A ``drill`` is internal whatever ``visibility`` says, for good.  ``form_key`` is the key of the
    form that it is typed into: with it, previews know the code that the incident will have.
    ``impact`` replaces that of the severity; ``tool_data`` is kept for the tool that declares it;
    ``suggestion`` is the code of the suggestion that it is declared from, ``template_key`` the key
    of the template.  Where nobody leads the technical work, the owner of a component does.
    """

    title: str
    severity_rank: int
    users_notice: str = ""
    components: Mapping[int, ComponentStatus] = field(default_factory=dict)
    started_at: datetime | None = None
    status: IncidentStatus = IncidentStatus.INVESTIGATING
    visibility: Visibility = Visibility.PUBLIC
    roles: Mapping[IncidentRole, int | None] = field(default_factory=dict)
    chat_channel: str = ""
    war_room: str = ""
    next_update_at: datetime | None = None
    no_promise_because: str | None = None
    drill: Drill | None = None
    public_facts: Mapping[str, Any] = field(default_factory=dict)
    internal_facts: Mapping[str, Any] = field(default_factory=dict)
    form_key: str = ""
    impact: Impact | None = None
    tool_data: Mapping[str, Any] = field(default_factory=dict)
    suggestion: str = ""
    template_key: str = ""


@dataclass(frozen=True, slots=True)
class NewUpdate:
    """An update as it is published; what is None or absent stays as it was.

    Without ``next_update_at`` it promises what the severity level does, unless
    ``no_promise_because`` says why it promises nothing.  ``although`` says why it resolves the
    incident although something does not hold, by the names of
    :mod:`~statuspage.incidents.resolution.gate`. A ``false_alarm`` ends it as something that was
    none. With ``no_change`` it says to the public that there is nothing new, in that template's
    words.  ``title``, ``impact`` (in the place of the severity's) and ``tool_data`` change with it.
    """

    status: IncidentStatus
    components: Mapping[int, ComponentStatus] = field(default_factory=dict)
    next_update_at: datetime | None = None
    no_promise_because: str | None = None
    severity_rank: int | None = None
    users_notice: str | None = None
    public_facts: Mapping[str, Any] = field(default_factory=dict)
    internal_facts: Mapping[str, Any] = field(default_factory=dict)
    happened_at: datetime | None = None
    although: Mapping[str, str] = field(default_factory=dict)
    false_alarm: bool = False
    no_change: bool = False
    title: str | None = None
    impact: Impact | None = None
    tool_data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Draft:
    """One text that would go out: for whom, how many that is, and by which rule.

    ``by_mail`` is whom a public update reaches as subscribers, and why.  ``made`` is what the facts
    alone make; ``finished`` is what would be sent, None while something is missing; ``readers`` are
    the first few customers.  ``missing`` facts keep it from going out; ``wanted`` ones would make
    it say more; ``findings`` are what the checks say of it; ``before`` is what that audience was
    sent last, and ``is_like_before`` whether that was about the same step; ``fell_back``: an edited
    wording failed and the shipped one was used.  ``left_out`` is why it is not sent, or of a public
    update, why subscribers are not notified of it; None where that happens.
    """

    audience: Audience
    step: Step
    text: Text
    made: Text
    recipients: int
    suppressed: int
    why: str
    finished: Composed | None = None
    by_mail: Reach | None = None
    readers: tuple[Reader, ...] = ()
    edited: bool = False
    missing: tuple[str, ...] = ()
    wanted: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    before: Text | None = None
    is_like_before: bool = False
    fell_back: bool = False
    is_drill: bool = False
    left_out: str | None = None

    @property
    def as_sent(self) -> Text:
        """The text as it is sent: a drill's says that it is a drill."""
        return as_drill(self.text, self.audience) if self.is_drill else self.text


def check_declaration(declaration: Declaration) -> None:
    """Raise :class:`Invalid` for the first thing that is wrong with it."""
    check_title(declaration.title)
    check_body("users_notice", declaration.users_notice)
    _check_facts(declaration.public_facts, declaration.internal_facts)
    check_start(declaration.started_at)
    if declaration.drill is not None:
        _check_drill(declaration.drill)
    _check_promise(declaration.next_update_at, declaration.no_promise_because)


def check_update(incident: Incident, update: NewUpdate, *, reopens: bool) -> None:
    """Raise :class:`Invalid` for the first thing that is wrong with an update on this incident."""
    if reopens and incident.is_open:
        raise Invalid("status", "This incident is still open; post an update instead.")
    if reopens and update.status in CLOSED:
        raise Invalid("status", "A reopened incident can’t be resolved in the same update.")
    if not reopens and not incident.is_open and update.status != IncidentStatus.POSTMORTEM:
        raise Invalid(
            "status",
            "This incident is resolved. Correct an update, or reopen the incident to add one.",
        )
    if update.false_alarm and update.status is not IncidentStatus.RESOLVED:
        raise Invalid("false_alarm", "Only a resolved incident can be a false alarm.")
    if incident.is_open and update.status == IncidentStatus.POSTMORTEM:
        raise Invalid("status", "Resolve the incident before publishing its postmortem.")
    if update.no_change and incident.status != update.status:
        raise Invalid("status", "A new status is a change; describe what changed.")
    if update.title is not None:
        check_title(update.title)
    if update.users_notice is not None:
        check_body("users_notice", update.users_notice)
    _check_facts(update.public_facts, update.internal_facts)
    _check_past("happened_at", update.happened_at, "An update can’t be in the future.")
    if update.happened_at is not None and update.happened_at < incident.started_at:
        raise Invalid("happened_at", "This is before the incident started.")
    if update.status not in CLOSED:
        _check_promise(update.next_update_at, update.no_promise_because)


def _check_drill(drill: Drill) -> None:
    for email, _ in drill.people:
        try:
            read_address(email)
        except ValueError as error:
            raise Invalid("drill_addresses", f"{email}: {error}") from None


def check_start(moment: datetime | None) -> None:
    """What is wrong is wrong by now."""
    _check_past("started_at", moment, "An incident can’t start in the future.")


def check_title(title: str) -> None:
    """A title is a line of text."""
    if not title:
        raise Invalid("title", "Give it a title that a customer would understand.")
    if len(title) > TITLE_LIMIT:
        raise Invalid(
            "title", f"The title has {len(title):,} characters; {TITLE_LIMIT} are the limit."
        )


def check_body(field: str, body: str, *, needed: bool = False, limited: bool = True) -> None:
    """A text has an end, and some have a beginning too; only what people type is ``limited``."""
    if needed and not body:
        raise Invalid(field, "Write what people should read.")
    if limited and len(body) > BODY_LIMIT:
        raise Invalid(
            field, f"This text has {len(body):,} characters; {BODY_LIMIT:,} are the limit."
        )


def _check_facts(*kinds: Mapping[str, Any]) -> None:
    for facts in kinds:
        for name, value in facts.items():
            if isinstance(value, str):
                check_body(name, value)


def _check_past(field: str, moment: datetime | None, reason: str) -> None:
    if moment is not None and moment > clock.now() + CLOCK_TOLERANCE:
        raise Invalid(field, reason)


def _check_promise(moment: datetime | None, because: str | None) -> None:
    if moment is not None and moment <= clock.now():
        raise Invalid("next_update_at", "The next update must be due in the future.")
    if moment is None and because is not None and not because.strip():
        raise Invalid("no_promise_because", "Say why no next update is scheduled.")
