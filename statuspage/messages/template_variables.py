"""The variables of templates: what each one means, for whom it exists, and its value.

A template for the public or for customers knows no internal variable: there it does not exist.
:func:`values_for` turns facts into the plain values (text, yes or no, lists of text) behind the
variables of one audience; no object ever reaches a template.

Times are shown in the page's zone.  To customers they are tokens such as ``[[started]]``, which
:func:`statuspage.messages.tokens.token_values` fills in each recipient's own zone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from statuspage.core import clock, richtext
from statuspage.core.enums import Audience
from statuspage.messages import facts as declared
from statuspage.messages.facts import Fact, FactKind, Facts, InternalFacts, PublicFacts
from statuspage.messages.tokens import token

Row = dict[str, str]
Value = str | bool | list[str] | list[Row]

# A template may loop over a list: this bounds what one rendering can cost.
LIST_LIMIT = 60

# All that a mail about a subscription itself may say.
_OF_SIGN_UPS = frozenset({"service", "title", "page_url", "incident_url", "support", "sign_off"})


@dataclass(frozen=True, slots=True)
class TemplateVariable:
    """One variable of templates; ``keys`` are the parts of each row of a list."""

    name: str
    meaning: str
    kind: FactKind = FactKind.OURS
    internal: bool = False
    customer_only: bool = False
    is_token: bool = False
    keys: tuple[str, ...] = ()

    def is_for(self, audience: Audience) -> bool:
        """Whether the variable exists in that audience's templates."""
        if self.internal:
            return audience.is_inside
        if audience is Audience.SUBSCRIBER:
            return self.name in _OF_SIGN_UPS
        return audience is Audience.CUSTOMER or not self.customer_only


def _variable(fact: Fact) -> TemplateVariable:
    return TemplateVariable(
        fact.variable, fact.meaning, fact.kind, fact.internal, is_token=fact.is_token,
        keys=fact.keys,
    )  # fmt: skip


NAME: Final = TemplateVariable(
    "name",
    "The customer's name; “there” where none is known",
    customer_only=True,
    is_token=True,
)

VARIABLES: Final[dict[str, TemplateVariable]] = {
    NAME.name: NAME,
    **{
        one.variable: _variable(one)
        for fact in (*declared.PUBLIC, *declared.INTERNAL)
        for one in (fact, *fact.derived)
        if one.meaning
    },
}


def variables_for(audience: Audience) -> dict[str, TemplateVariable]:
    """The variables that exist in that audience's templates."""
    return {name: one for name, one in VARIABLES.items() if one.is_for(audience)}


def values_for(facts: Facts, audience: Audience) -> dict[str, Value]:
    """The plain value of each variable of an audience; nothing, where a fact is unknown."""
    values = _public_values(facts.public, in_tokens=audience is Audience.CUSTOMER)
    if audience.is_inside:
        values |= _internal_values(facts.internal, facts.public)
    if audience is Audience.CUSTOMER:
        values[NAME.name] = token(NAME.name)
    if audience is Audience.SUBSCRIBER:
        return {name: values[name] for name in variables_for(audience)}
    return values


def _as_declared(
    known: Sequence[Fact], facts: Any, public: PublicFacts, *, in_tokens: bool = False
) -> dict[str, Value]:
    """The values of the variables that say a fact as it is."""
    return {
        fact.variable: token(fact.variable)
        if in_tokens and fact.is_token and getattr(facts, fact.name)
        else _shown(fact.kind, getattr(facts, fact.name), public)
        for fact in known
        if fact.meaning
    }


def _shown(kind: FactKind, value: Any, public: PublicFacts) -> Value:
    if value is None:
        return ""
    match kind:
        case FactKind.MOMENT:
            return _show(value, public)
        case FactKind.MINUTES:
            return clock.show_duration(timedelta(minutes=value)) if value else ""
        case FactKind.LENGTH:
            return clock.show_duration(value)
        case FactKind.COUNT:
            return f"{value:,}"
        case _:
            return value  # type: ignore[no-any-return]


def _public_values(facts: PublicFacts, *, in_tokens: bool) -> dict[str, Value]:
    affected = facts.components[:LIST_LIMIT]
    names = [name for name, _ in affected]
    span = _span(facts.started, facts.ended, facts)
    return _as_declared(declared.PUBLIC, facts, facts, in_tokens=in_tokens) | {
        "affected": phrase(names) or facts.service,
        "affected_states": ", ".join(f"{name} ({state.lower()})" for name, state in affected),
        "components": [{"name": name, "status": state} for name, state in affected],
        "component_names": names,
        "span": token("span") if span and in_tokens else span,
        "duration": _length(facts.started, facts.ended),
        "scheduled_span": _span(facts.scheduled_for, facts.scheduled_until, facts),
        "scheduled_duration": _length(facts.scheduled_for, facts.scheduled_until),
        "support": " or ".join(filter(None, (facts.support_email, facts.support_url))),
        "sign_off": facts.sign_off or f"The {facts.service} team",
    }


def _internal_values(facts: InternalFacts, public: PublicFacts) -> dict[str, Value]:
    return _as_declared(declared.INTERNAL, facts, public) | {
        "timeline": [
            {
                "time": _time_of(entry.at, public),
                "status": entry.status,
                "text": richtext.first_line(entry.text),
            }
            for entry in facts.timeline[-LIST_LIMIT:]
        ],
    }


def _time_of(moment: datetime, facts: PublicFacts) -> str:
    """The time of day alone on the day that it all began, else with its date."""
    began = facts.started or moment
    if moment.astimezone(facts.zone).date() == began.astimezone(facts.zone).date():
        return clock.show_time(moment, facts.zone, facts.language)
    return _show(moment, facts)


def _show(moment: datetime, facts: PublicFacts) -> str:
    return clock.show(moment, facts.zone, facts.language)


def _span(start: datetime | None, end: datetime | None, facts: PublicFacts) -> str:
    return clock.show_span(start, end, facts.zone, facts.language) if start and end else ""


def _length(start: datetime | None, end: datetime | None) -> str:
    return clock.show_duration(end - start) if start and end else ""


def phrase(names: Sequence[str]) -> str:
    """``Auth``, ``Auth and Checkout``, ``Auth, Catalog and Checkout``; long lists are cut."""
    if len(names) > 6:
        return f"{', '.join(names[:5])} and {len(names) - 5} more"
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"
