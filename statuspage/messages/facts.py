"""What an incident's messages may say, and to whom.

Each fact is declared once, as a field of :class:`PublicFacts` or :class:`InternalFacts`: what it
means, what kind of value it has, which variables templates have of it, how forms ask for it, and
how the checks of public texts treat it.  Forms, template variables and checks read :data:`PUBLIC`
and :data:`INTERNAL`.

A template for the public or for customers is rendered from the public facts alone: the internal
ones are not hidden there, they do not exist.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import Flag, StrEnum, auto
from typing import Annotated, Any, Final, get_type_hints
from zoneinfo import ZoneInfo


class FactKind(StrEnum):
    """What a value is: how forms read it, and how it is made safe where it is put into a text."""

    OURS = "ours"  # made by the service itself
    LINE = "line"  # typed by a person: shown exactly as typed
    PROSE = "prose"  # typed by a person: may hold simple Markdown
    ADDRESS = "address"  # a mail address or a web address, or both
    FLAG = "flag"
    MOMENT = "moment"
    MINUTES = "minutes"
    LENGTH = "length"
    COUNT = "count"
    LINES = "lines"
    ROWS = "rows"


class Use(Flag):
    """Where and for how long a fact that people type is used."""

    AGES = auto()  # goes out of date when the incident moves on
    AT_THE_END = auto()  # asked for again when the incident is resolved
    TEMPLATES = auto()  # filled in by incident templates


_NO_USE: Final = Use(0)


class Secrecy(StrEnum):
    """What a public text may not take over from an internal fact."""

    NAME = "name"  # all of it, however short
    TEXT = "text"  # a line of it, five of its words in a row, one odd word
    WORK = "work"  # the same, unless a public fact says it too: how the work goes


@dataclass(frozen=True, slots=True)
class Fact:
    """The declaration of one fact.

    Templates have it as ``variable`` where it has a ``meaning``, and what is made of it as
    ``derived``.  A fact with a ``place`` is typed into the forms of incidents, in the order of the
    places, and kept in the incident's JSON under its name.
    """

    meaning: str = ""
    kind: FactKind = FactKind.OURS
    name: str = ""
    variable: str = ""
    derived: tuple[Fact, ...] = ()
    internal: bool = False
    is_token: bool = False  # in customers' mail a token, which each reader's own time replaces
    keys: tuple[str, ...] = ()  # the parts of each row of a list
    place: int = 0
    label: str = ""
    hint: str = ""
    on_one_line: bool = False
    use: Use = _NO_USE
    secrecy: Secrecy | None = None


_LINE, _PROSE, _ADDRESS = FactKind.LINE, FactKind.PROSE, FactKind.ADDRESS
_FLAG, _MOMENT, _MINUTES = FactKind.FLAG, FactKind.MOMENT, FactKind.MINUTES
_AGES, _AT_THE_END, _TEMPLATES = Use.AGES, Use.AT_THE_END, Use.TEMPLATES
_NAME, _TEXT, _WORK = Secrecy.NAME, Secrecy.TEXT, Secrecy.WORK


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One step of the incident so far."""

    at: datetime
    status: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicFacts:
    """What anybody may know.  Prose is full sentences and may hold simple Markdown.

    ``cause`` is only ever a confirmed one.  ``components`` are pairs of a name and a state in
    words.  What is made of a ``drill`` says so.
    """

    service: Annotated[str, Fact("What the page is called: the name customers know", _LINE)]
    title: Annotated[str, Fact("The incident's title", _LINE)]
    status: Annotated[str, Fact("The status in words: “Identified”")] = ""
    impact: Annotated[
        str,
        Fact(
            "The impact on customers, in words: “Critical”",
            derived=(
                Fact(
                    "Affected components in one phrase; the service where none are",
                    _LINE,
                    name="affected",
                ),
            ),
        ),
    ] = ""
    components: Annotated[
        Sequence[tuple[str, str]],
        Fact(
            "Affected components",
            FactKind.ROWS,
            keys=("name", "status"),
            derived=(
                Fact(
                    "Affected components with their states, on one line",
                    _LINE,
                    name="affected_states",
                ),
                Fact("Names of the affected components", FactKind.LINES, name="component_names"),
            ),
        ),
    ] = ()
    users_notice: Annotated[str, Fact("What users notice", _PROSE, use=_TEMPLATES)] = ""
    workaround: Annotated[
        str, Fact("What users can do meanwhile", _PROSE, place=4, use=_AGES | _TEMPLATES)
    ] = ""
    unaffected: Annotated[
        str,
        Fact(
            "What isn’t affected",
            _PROSE,
            place=9,
            label="Not affected",
            hint="In full sentences, like “Orders already placed are not affected.”",
            use=_AGES,
        ),
    ] = ""
    action: Annotated[str, Fact("What is being done", _PROSE, place=1, use=_AGES | _TEMPLATES)] = ""
    cause: Annotated[
        str,
        Fact(
            "The cause, in plain words; only once it is confirmed",
            _PROSE,
            place=2,
            label="Cause",
            hint="In plain words. Published only once it’s confirmed.",
            use=_AT_THE_END,
        ),
    ] = ""
    resolution: Annotated[
        str, Fact("What was done about it", _PROSE, place=7, use=_AGES | _AT_THE_END)
    ] = ""
    prevention: Annotated[
        str,
        Fact(
            "What is done to prevent it from happening again",
            _PROSE,
            place=8,
            label="Prevention",
            use=_AT_THE_END,
        ),
    ] = ""
    watch_minutes: Annotated[
        int | None,
        Fact(
            "How long the fix is monitored: “30 minutes”",
            _MINUTES,
            variable="watch",
            place=6,
            label="Monitoring period",
            hint="Like “30 minutes”. Empty: as the severity says.",
            use=_AGES,
        ),
    ] = None
    watch_until: Annotated[
        datetime | None, Fact("Until when the fix is monitored", _MOMENT, is_token=True)
    ] = None
    started: Annotated[datetime | None, Fact("When it started", _MOMENT, is_token=True)] = None
    ended: Annotated[
        datetime | None,
        Fact(
            "When it ended",
            _MOMENT,
            is_token=True,
            derived=(
                Fact("From when to when, with the zone", is_token=True, name="span"),
                Fact("How long it lasted: “2 hours 30 minutes”", name="duration"),
            ),
        ),
    ] = None
    expected_back: Annotated[
        datetime | None,
        Fact(
            "When service is expected back",
            _MOMENT,
            is_token=True,
            place=5,
            label="Expected back",
            hint="Leave empty if you can’t say yet.",
            use=_AGES,
        ),
    ] = None
    expected_before: Annotated[
        datetime | None,
        Fact(
            "When service was expected back until this update, where it takes longer",
            _MOMENT,
            is_token=True,
        ),
    ] = None
    slips: Annotated[
        bool, Fact("Whether this update says that service takes longer than was said", _FLAG)
    ] = False
    next_update: Annotated[
        datetime | None, Fact("When the next update is due", _MOMENT, is_token=True)
    ] = None
    scheduled_for: Annotated[datetime | None, Fact("When a maintenance starts", _MOMENT)] = None
    scheduled_until: Annotated[
        datetime | None,
        Fact(
            "When a maintenance is scheduled to end",
            _MOMENT,
            derived=(
                Fact("A maintenance's window, with the zone", name="scheduled_span"),
                Fact("How long a maintenance is scheduled to take", name="scheduled_duration"),
            ),
        ),
    ] = None
    verify_minutes: Annotated[
        int | None,
        Fact(
            "How long a maintenance is checked after its end: “30 minutes”",
            _MINUTES,
            variable="verify",
        ),
    ] = None
    again: Annotated[bool, Fact("Whether it had been resolved before", _FLAG)] = False
    still: Annotated[bool, Fact("Whether this update repeats the previous status", _FLAG)] = False
    monitoring: Annotated[bool, Fact("Whether the status is Monitoring", _FLAG)] = False
    apologize: Annotated[
        bool,
        Fact("Whether this is the first public post of one of the two highest severities", _FLAG),
    ] = False
    cause_told: Annotated[
        bool, Fact("Whether an earlier update already said what the cause is", _FLAG)
    ] = False
    late: Annotated[bool, Fact("Whether a maintenance starts later than scheduled", _FLAG)] = False
    cancelled: Annotated[bool, Fact("Whether a maintenance was cancelled", _FLAG)] = False
    drill: bool = False
    incident_url: Annotated[str, Fact("Address of the incident's page", _ADDRESS)] = ""
    page_url: Annotated[str, Fact("Address of the status page", _ADDRESS)]
    support_email: str = ""
    support_url: Annotated[
        str,
        Fact(
            "",
            _ADDRESS,
            derived=(
                Fact("Support contact: email or web address, or both", _ADDRESS, name="support"),
            ),
        ),
    ] = ""
    sign_off: Annotated[str, Fact("Sign-off: “The Acme team”", _LINE)] = ""
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))
    language: str = "en"
    accent: str = ""
    translations: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class InternalFacts:
    """What only colleagues may know.

    ``open_for`` is how long ago the incident was declared or opened again.
    """

    severity: Annotated[str, Fact("The severity level: “SEV1”", _LINE, secrecy=_NAME)] = ""
    number: Annotated[str, Fact("The ticket's number: “INC-001”", _LINE, secrecy=_NAME)] = ""
    commander: Annotated[str, Fact("Incident commander", _LINE, secrecy=_NAME)] = ""
    technical_lead: Annotated[str, Fact("Technical lead", _LINE, secrecy=_NAME)] = ""
    comms_lead: Annotated[str, Fact("Communications lead", _LINE, secrecy=_NAME)] = ""
    scribe: Annotated[str, Fact("Scribe", _LINE, secrecy=_NAME)] = ""
    chat_channel: Annotated[str, Fact("The incident's chat channel", _LINE, secrecy=_NAME)] = ""
    war_room: Annotated[str, Fact("Address of the war room", _LINE, secrecy=_NAME)] = ""
    page_state: Annotated[str, Fact("What the status page shows", _LINE)] = ""
    progress: Annotated[
        str,
        Fact(
            "What has been learned and done so far, such as the technical symptom",
            _PROSE,
            place=11,
            label="Progress",
            hint="What you know technically, like “500 on the payment endpoint”.",
            use=_AGES,
            secrecy=_WORK,
        ),
    ] = ""
    technical_cause: Annotated[
        str,
        Fact(
            "The cause in technical words", _PROSE, place=14, label="Technical cause", secrecy=_TEXT
        ),
    ] = ""
    suspected_cause: Annotated[
        str, Fact("A cause that is not confirmed", _PROSE, secrecy=_TEXT)
    ] = ""
    current_actions: Annotated[
        str,
        Fact(
            "What is being worked on now",
            _PROSE,
            place=12,
            label="Current actions",
            use=_AGES,
            secrecy=_WORK,
        ),
    ] = ""
    next_steps: Annotated[
        str, Fact("What comes next", _PROSE, place=13, label="Next steps", use=_AGES, secrecy=_TEXT)
    ] = ""
    references: Annotated[
        str, Fact("Tickets, dashboards, changes", _PROSE, place=16, secrecy=_TEXT)
    ] = ""
    users_affected: Annotated[
        str,
        Fact(
            "How many users, and who",
            _PROSE,
            place=15,
            label="Users affected",
            on_one_line=True,
            secrecy=_TEXT,
        ),
    ] = ""
    detected: Annotated[
        datetime | None,
        Fact(
            "When it was noticed",
            _MOMENT,
            place=17,
            label="Detected",
            hint="When an alert or a report first told you.",
        ),
    ] = None
    revenue: Annotated[
        str,
        Fact(
            "The effect on revenue",
            _PROSE,
            place=18,
            label="Revenue effect",
            on_one_line=True,
            use=_AT_THE_END,
            secrecy=_TEXT,
        ),
    ] = ""
    follow_ups: Annotated[
        str,
        Fact(
            "Follow-ups: who does what by when",
            _PROSE,
            place=19,
            label="Follow-ups",
            use=_AT_THE_END,
            secrecy=_TEXT,
        ),
    ] = ""
    noted_at: Annotated[
        datetime | None,
        Fact(
            "Since when current actions and next steps are unchanged, where that is earlier",
            _MOMENT,
        ),
    ] = None
    recipients: Annotated[
        int | None, Fact("How many customers are emailed: “1,840”", FactKind.COUNT)
    ] = None
    cadence_minutes: Annotated[
        int | None,
        Fact("How often updates are due: “30 minutes”", _MINUTES, variable="cadence"),
    ] = None
    last_update: Annotated[datetime | None, Fact("When the last update was posted", _MOMENT)] = None
    review_due: Annotated[datetime | None, Fact("When the review is due", _MOMENT)] = None
    review_owner: Annotated[str, Fact("Who owns the review", _LINE, secrecy=_NAME)] = ""
    asked: Annotated[str, Fact("Who is asked to act: “Alice Moreau (@alice)”", _LINE)] = ""
    late_by: Annotated[
        timedelta | None, Fact("How late an update is: “12 minutes”", FactKind.LENGTH)
    ] = None
    not_posted_because: Annotated[
        str, Fact("Why a scheduled update was not posted at its time", _LINE)
    ] = ""
    open_for: Annotated[
        timedelta | None, Fact("How long the incident has been open", FactKind.LENGTH)
    ] = None
    admin_url: Annotated[
        str, Fact("Address of the incident in the admin", _ADDRESS, secrecy=_NAME)
    ] = ""
    timeline: Annotated[
        Sequence[TimelineEntry],
        Fact("The timeline so far, oldest first", FactKind.ROWS, keys=("time", "status", "text")),
    ] = ()


def _declared(kind: type, *, internal: bool) -> tuple[Fact, ...]:
    """The facts of a dataclass, out of its fields' annotations; a fact has its field's name."""
    hints = get_type_hints(kind, include_extras=True)
    return tuple(
        replace(
            fact,
            name=name,
            internal=internal,
            variable=fact.variable or name,
            label=fact.label or fact.meaning,
            derived=tuple(
                replace(one, internal=internal, variable=one.name) for one in fact.derived
            ),
        )
        for name, hint in hints.items()
        for fact in getattr(hint, "__metadata__", ())
    )


PUBLIC: Final = _declared(PublicFacts, internal=False)
INTERNAL: Final = _declared(InternalFacts, internal=True)

CAUSE: Final = "cause"

TRANSLATIONS: Final = "translations"
"""What was typed in further languages, by language and name of the fact, in the incident's JSON."""

STEPS: Final = "steps"
"""What each step told, for the timeline: kept in the incident's JSON, typed by nobody."""

NOTED_AT: Final = "noted_at"
"""When the notes on the work were last changed: kept in the incident's JSON, typed by nobody."""

CAUSE_TOLD: Final = "cause_told"
"""That an update told a confirmed cause: kept in the incident's JSON, typed by nobody."""

CONFIRMED: Final = Fact(
    kind=_FLAG, name="cause_confirmed", place=3, label="The cause is confirmed", use=_AT_THE_END
)
"""The tick that makes a cause a public fact; no text says it."""


APOLOGIZES_FROM: Final = 2
"""The lowest rank whose first public post says sorry."""


def _asked(facts: Iterable[Fact]) -> tuple[Fact, ...]:
    return tuple(sorted((fact for fact in facts if fact.place), key=lambda fact: fact.place))


EXPECTED_BACK: Final = "expected_back"
SLIPS: Final = "expected_slips"
"""Beside the public facts of an incident: each time that “expected back” slipped."""

STAND_INS: Final = {"resolution": "action", "progress": "action", "suspected_cause": "cause"}
"""The fact that a text says instead, by the variable whose own fact is not known."""

ASKED_PUBLIC: Final = _asked((*PUBLIC, CONFIRMED))
"""The public facts that forms ask for, in the order of the form."""

ASKED_INTERNAL: Final = _asked(INTERNAL)
"""The internal facts that forms ask for, in the order of the form."""


@dataclass(frozen=True, slots=True)
class Facts:
    """Both sides of one incident; ``internal`` never reaches a public or a customer's text."""

    public: PublicFacts
    internal: InternalFacts = field(default_factory=InternalFacts)


TRANSLATED: Final = (
    "title",
    "users_notice",
    *(fact.name for fact in ASKED_PUBLIC if fact.kind is _PROSE),
)
"""The public facts that people can type in a second language."""


def facts_in(facts: Facts, language: str) -> Facts | None:
    """The facts in a language; None where one of them has no text in it.

    A text that is made of them is in one language as a whole, or not made at all.
    """
    public = facts.public
    if language == public.language:
        return facts
    texts = public.translations.get(language, {})
    known = [name for name in TRANSLATED if getattr(public, name)]
    if not all(texts.get(name) for name in known):
        return None
    said: dict[str, Any] = {name: texts[name] for name in known}
    return replace(facts, public=replace(public, language=language, **said))


def moments_of(facts: PublicFacts) -> dict[str, str]:
    """The known times by token name, ISO 8601 in UTC: what each reader's mail is filled from."""
    known = {fact.name: getattr(facts, fact.name) for fact in PUBLIC if fact.kind is _MOMENT}
    return {name: at.astimezone(UTC).isoformat() for name, at in known.items() if at}


def of_alert(*, seen: str, link: str, detected: datetime) -> dict[str, Any]:
    """The internal facts that an alert tells, by name."""
    return {"progress": seen, "references": link, "detected": detected}
