"""The vocabulary of templates: each word, what it means, for whom it exists, and its value.

A template for the public or for customers knows no internal word: there the word does not exist.
:func:`values_for` turns facts into the plain values (text, yes or no, lists of text) behind the
words of one audience; no object ever reaches a template.

Times are shown in the page's zone.  To customers they are tokens such as ``[[started]]``, which
:func:`statuspage.messages.tokens.token_values` fills in each recipient's own zone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from statuspage.core import clock, richtext
from statuspage.core.enums import Audience
from statuspage.messages.facts import Facts, InternalFacts, PublicFacts, TimelineEntry
from statuspage.messages.tokens import token

Row = dict[str, str]
Value = str | bool | list[str] | list[Row]

# A template may loop over a list: this bounds what one rendering can cost.
LIST_LIMIT = 60

# All that a mail about a subscription itself may say.
_OF_SIGN_UPS = frozenset({"service", "title", "page_url", "incident_url", "support", "sign_off"})


class ValueForm(StrEnum):
    """What a word's value is, and so how it is made safe where it is put into a text."""

    OURS = "ours"  # made by the service itself: times, lengths, states
    LINE = "line"  # typed by a person: shown exactly as typed
    PROSE = "prose"  # typed by a person: may hold simple Markdown
    ADDRESS = "address"  # a mail address or a web address, or both
    FLAG = "flag"
    LINES = "lines"
    ROWS = "rows"


@dataclass(frozen=True, slots=True)
class TemplateVariable:
    """One word of the templates' vocabulary; ``keys`` are the parts of each row of a list."""

    name: str
    meaning: str
    form: ValueForm = ValueForm.OURS
    internal: bool = False
    customer_only: bool = False
    keys: tuple[str, ...] = ()

    def is_for(self, audience: Audience) -> bool:
        """Whether the word exists in that audience's templates."""
        if self.internal:
            return audience.is_inside
        if audience is Audience.SUBSCRIBER:
            return self.name in _OF_SIGN_UPS
        return audience is Audience.CUSTOMER or not self.customer_only


WORDS: dict[str, TemplateVariable] = {
    word.name: word
    for word in (
        TemplateVariable(
            "name", "The customer's name; “there” where none is known", customer_only=True
        ),
        TemplateVariable(
            "service", "What the page is called: the name customers know", ValueForm.LINE
        ),
        TemplateVariable("title", "The incident's title", ValueForm.LINE),
        TemplateVariable("status", "The status in words: “Identified”"),
        TemplateVariable("impact", "What customers feel, in words: “Critical”"),
        TemplateVariable(
            "affected",
            "Affected components in one phrase; the service where none are",
            ValueForm.LINE,
        ),
        TemplateVariable(
            "components", "Affected components", ValueForm.ROWS, keys=("name", "status")
        ),
        TemplateVariable(
            "affected_states", "Affected components with their states, on one line", ValueForm.LINE
        ),
        TemplateVariable("component_names", "Names of the affected components", ValueForm.LINES),
        TemplateVariable("users_notice", "What users notice", ValueForm.PROSE),
        TemplateVariable("workaround", "What users can do meanwhile", ValueForm.PROSE),
        TemplateVariable("action", "What is being done", ValueForm.PROSE),
        TemplateVariable(
            "cause", "The cause, in plain words; only once it is confirmed", ValueForm.PROSE
        ),
        TemplateVariable("resolution", "What was done about it", ValueForm.PROSE),
        TemplateVariable(
            "prevention", "What is done so that it does not happen again", ValueForm.PROSE
        ),
        TemplateVariable("watch", "How long the fix is watched: “30 minutes”"),
        TemplateVariable("started", "When it started"),
        TemplateVariable("ended", "When it was over"),
        TemplateVariable("span", "From when to when, with the zone"),
        TemplateVariable("duration", "How long it lasted: “2 hours 30 minutes”"),
        TemplateVariable("expected_back", "When service is expected back"),
        TemplateVariable("next_update", "When the next update is due"),
        TemplateVariable("scheduled_for", "When a maintenance begins"),
        TemplateVariable("scheduled_until", "When a maintenance is planned to end"),
        TemplateVariable("scheduled_span", "A maintenance's window, with the zone"),
        TemplateVariable("scheduled_duration", "How long a maintenance is planned to take"),
        TemplateVariable("verify", "How long a maintenance is checked after its end: “30 minutes”"),
        TemplateVariable("again", "Whether it had been resolved before", ValueForm.FLAG),
        TemplateVariable("still", "Whether this post repeats the status before it", ValueForm.FLAG),
        TemplateVariable("late", "Whether a maintenance begins later than planned", ValueForm.FLAG),
        TemplateVariable("cancelled", "Whether a maintenance was called off", ValueForm.FLAG),
        TemplateVariable("incident_url", "Address of the incident's page", ValueForm.ADDRESS),
        TemplateVariable("page_url", "Address of the status page", ValueForm.ADDRESS),
        TemplateVariable(
            "support", "Where to turn: mail address, web address, or both", ValueForm.ADDRESS
        ),
        TemplateVariable("sign_off", "Who signs: “The Acme team”", ValueForm.LINE),
        TemplateVariable("severity", "The severity level: “SEV1”", ValueForm.LINE, internal=True),
        TemplateVariable("commander", "Incident commander", ValueForm.LINE, internal=True),
        TemplateVariable("technical_lead", "Technical lead", ValueForm.LINE, internal=True),
        TemplateVariable("comms_lead", "Communications lead", ValueForm.LINE, internal=True),
        TemplateVariable("scribe", "Scribe", ValueForm.LINE, internal=True),
        TemplateVariable(
            "chat_channel", "The incident's chat channel", ValueForm.LINE, internal=True
        ),
        TemplateVariable("war_room", "Address of the war room", ValueForm.LINE, internal=True),
        TemplateVariable("page_state", "What the status page shows", ValueForm.LINE, internal=True),
        TemplateVariable(
            "progress", "What has been learnt and done so far", ValueForm.PROSE, internal=True
        ),
        TemplateVariable(
            "technical_cause", "The cause in technical words", ValueForm.PROSE, internal=True
        ),
        TemplateVariable(
            "suspected_cause", "A cause that is not confirmed", ValueForm.PROSE, internal=True
        ),
        TemplateVariable(
            "current_actions", "What is being worked on now", ValueForm.PROSE, internal=True
        ),
        TemplateVariable("next_steps", "What comes next", ValueForm.PROSE, internal=True),
        TemplateVariable(
            "references", "Tickets, dashboards, changes", ValueForm.PROSE, internal=True
        ),
        TemplateVariable(
            "users_affected", "How many users, and who", ValueForm.PROSE, internal=True
        ),
        TemplateVariable("recipients", "How many customers are written to: “1,840”", internal=True),
        TemplateVariable("cadence", "How often updates are promised: “30 minutes”", internal=True),
        TemplateVariable("last_update", "When the last update was posted", internal=True),
        TemplateVariable("review_due", "When the review is due", internal=True),
        TemplateVariable("review_owner", "Who owns the review", ValueForm.LINE, internal=True),
        TemplateVariable(
            "asked", "Who is asked to act: “Alice Moreau (@alice)”", ValueForm.LINE, internal=True
        ),
        TemplateVariable("late_by", "How late a promised update is: “12 minutes”", internal=True),
        TemplateVariable("open_for", "How long the incident has been open", internal=True),
        TemplateVariable(
            "admin_url", "Address of the incident in the admin", ValueForm.ADDRESS, internal=True
        ),
        TemplateVariable(
            "timeline",
            "The story so far, oldest first",
            ValueForm.ROWS,
            internal=True,
            keys=("time", "status", "text"),
        ),
    )
}


def words_for(audience: Audience) -> dict[str, TemplateVariable]:
    """The words that exist in that audience's templates."""
    return {name: word for name, word in WORDS.items() if word.is_for(audience)}


def values_for(facts: Facts, audience: Audience) -> dict[str, Value]:
    """The plain value of each word of that audience; an unknown fact is empty text or no items."""
    values = _public_values(facts.public, in_tokens=audience is Audience.CUSTOMER)
    if audience.is_inside:
        values |= _internal_values(facts.internal, facts.public)
    if audience is Audience.CUSTOMER:
        values["name"] = token("name")
    if audience is Audience.SUBSCRIBER:
        return {name: values[name] for name in words_for(audience)}
    return values


def _public_values(facts: PublicFacts, *, in_tokens: bool) -> dict[str, Value]:
    affected = facts.components[:LIST_LIMIT]
    names = [name for name, _ in affected]
    typed: dict[str, Value] = {
        name: getattr(facts, name)
        for name in (
            "service", "title", "status", "impact", "users_notice", "workaround", "action",
            "cause", "resolution", "prevention", "again", "still", "late", "cancelled",
            "incident_url", "page_url",
        )
    }  # fmt: skip
    return typed | _times(facts, in_tokens=in_tokens) | {
        "affected": phrase(names) or facts.service,
        "affected_states": ", ".join(f"{name} ({state.lower()})" for name, state in affected),
        "components": [{"name": name, "status": state} for name, state in affected],
        "component_names": names,
        "support": " or ".join(filter(None, (facts.support_email, facts.support_url))),
        "sign_off": facts.sign_off or f"The {facts.service} team",
    }  # fmt: skip


def _times(facts: PublicFacts, *, in_tokens: bool) -> dict[str, Value]:
    def show(name: str, moment: datetime | None) -> str:
        if moment is None:
            return ""
        return token(name) if in_tokens else clock.show(moment, facts.zone, facts.language)

    def show_span(name: str, start: datetime | None, end: datetime | None) -> str:
        if start is None or end is None:
            return ""
        return token(name) if in_tokens else clock.show_span(start, end, facts.zone, facts.language)

    return {
        "started": show("started", facts.started),
        "ended": show("ended", facts.ended),
        "span": show_span("span", facts.started, facts.ended),
        "duration": _length(facts.started, facts.ended),
        "expected_back": show("expected_back", facts.expected_back),
        "next_update": show("next_update", facts.next_update),
        "scheduled_for": _show(facts.scheduled_for, facts),
        "scheduled_until": _show(facts.scheduled_until, facts),
        "scheduled_span": _scheduled_span(facts),
        "scheduled_duration": _length(facts.scheduled_for, facts.scheduled_until),
        "verify": _minutes(facts.verify_minutes),
        "watch": _minutes(facts.watch_minutes),
    }


def _internal_values(facts: InternalFacts, public: PublicFacts) -> dict[str, Value]:
    typed: dict[str, Value] = {
        name: getattr(facts, name)
        for name in (
            "severity", "commander", "technical_lead", "comms_lead", "scribe", "chat_channel",
            "war_room", "page_state", "progress", "technical_cause", "suspected_cause",
            "current_actions", "next_steps", "references", "users_affected", "review_owner",
            "admin_url", "asked",
        )
    }  # fmt: skip
    return typed | {
        "recipients": "" if facts.recipients is None else f"{facts.recipients:,}",
        "cadence": _minutes(facts.cadence_minutes),
        "late_by": _in_words(facts.late_by),
        "open_for": _in_words(facts.open_for),
        "last_update": _show(facts.last_update, public),
        "review_due": _show(facts.review_due, public),
        "timeline": [
            {
                "time": _time_of(entry, public),
                "status": entry.status,
                "text": richtext.first_line(entry.text),
            }
            for entry in facts.timeline[-LIST_LIMIT:]
        ],
    }


def _time_of(entry: TimelineEntry, facts: PublicFacts) -> str:
    """The time of day alone on the day that it all began, else with its date."""
    began = facts.started or entry.at
    if entry.at.astimezone(facts.zone).date() == began.astimezone(facts.zone).date():
        return clock.show_time(entry.at, facts.zone, facts.language)
    return _show(entry.at, facts)


def _show(moment: datetime | None, facts: PublicFacts) -> str:
    return clock.show(moment, facts.zone, facts.language) if moment else ""


def _scheduled_span(facts: PublicFacts) -> str:
    if facts.scheduled_for is None or facts.scheduled_until is None:
        return ""
    return clock.show_span(facts.scheduled_for, facts.scheduled_until, facts.zone, facts.language)


def _length(start: datetime | None, end: datetime | None) -> str:
    return clock.show_duration(end - start) if start and end else ""


def _in_words(length: timedelta | None) -> str:
    return "" if length is None else clock.show_duration(length)


def _minutes(minutes: int | None) -> str:
    return clock.show_duration(timedelta(minutes=minutes)) if minutes else ""


def phrase(names: Sequence[str]) -> str:
    """``Auth``, ``Auth and Checkout``, ``Auth, Catalog and Checkout``; long lists are cut."""
    if len(names) > 6:
        return f"{', '.join(names[:5])} and {len(names) - 5} more"
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"
