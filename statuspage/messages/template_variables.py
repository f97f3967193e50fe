"""The variables of templates: what each one means, for whom it exists, and its value.

A template for the public or for customers knows no internal variable: there it does not exist.
:func:`values_for` turns facts into the plain values (text, yes or no, lists of text) behind the
variables of one audience; no object ever reaches a template.

Times are shown in the page's zone.  To customers they are tokens such as ``[[started]]``, which
:func:`statuspage.messages.tokens.token_values` fills in each recipient's own zone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from babel.lists import format_list

from statuspage.core import clock, richtext
from statuspage.core.enums import Audience
from statuspage.core.languages import ENGLISH, locale_name, translations
from statuspage.messages import facts as declared
from statuspage.messages.facts import Fact, FactKind, Facts, InternalFacts, PublicFacts
from statuspage.messages.tokens import isolated, token

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

GREETING: Final = TemplateVariable(
    "greeting", "“Hello Ada,”; “Hello,” where no name is known", customer_only=True, is_token=True
)

VARIABLES: Final[dict[str, TemplateVariable]] = {
    NAME.name: NAME,
    GREETING.name: GREETING,
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


def values_for(facts: Facts, audience: Audience, language: str = ENGLISH) -> dict[str, Value]:
    """The plain value of each variable of an audience, in the language of the text around it.

    Nothing, where a fact is unknown.
    """
    facts = replace(facts, public=replace(facts.public, language=language))
    values = _public_values(facts.public, in_tokens=audience is Audience.CUSTOMER)
    if audience.is_inside:
        values |= _internal_values(facts.internal, facts.public)
    if audience is Audience.CUSTOMER:
        values |= {one.name: token(one.name) for one in (NAME, GREETING)}
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
            return _lasting(timedelta(minutes=value), public) if value else ""
        case FactKind.LENGTH:
            return _lasting(value, public)
        case FactKind.COUNT:
            return f"{value:,}"
        case _:
            return value  # type: ignore[no-any-return]


def _public_values(facts: PublicFacts, *, in_tokens: bool) -> dict[str, Value]:
    affected = facts.components[:LIST_LIMIT]
    names = [name for name, _ in affected]
    span = _span(facts.started, facts.ended, facts)
    words = translations(facts.language)
    states = [(name, words.gettext(state)) for name, state in affected]
    if facts.language == ENGLISH:
        states = [(name, state.lower()) for name, state in affected]
    support = [one for one in (facts.support_email, facts.support_url) if one]
    return _as_declared(declared.PUBLIC, facts, facts, in_tokens=in_tokens) | {
        "status": words.gettext(facts.status) if facts.status else "",
        "affected": phrase(names, facts.language) or facts.service,
        "affected_states": ", ".join(f"{name} ({state})" for name, state in states),
        "components": [{"name": name, "status": words.gettext(state)} for name, state in affected],
        "component_names": names,
        "span": token("span") if span and in_tokens else span,
        "duration": _length(facts.started, facts.ended, facts),
        "scheduled_span": _span(facts.scheduled_for, facts.scheduled_until, facts),
        "scheduled_duration": _length(facts.scheduled_for, facts.scheduled_until, facts),
        "support": format_list(support, "or", locale_name(facts.language)) if support else "",
        "sign_off": facts.sign_off
        or words.gettext("The %(service)s team") % {"service": facts.service},
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
        return clock.show_time(moment, facts.zone, locale_name(facts.language))
    return _show(moment, facts)


def _show(moment: datetime, facts: PublicFacts) -> str:
    return isolated(clock.show(moment, facts.zone, locale_name(facts.language)), facts.language)


def _span(start: datetime | None, end: datetime | None, facts: PublicFacts) -> str:
    if not start or not end:
        return ""
    shown = clock.show_span(start, end, facts.zone, locale_name(facts.language))
    return isolated(shown, facts.language)


def _length(start: datetime | None, end: datetime | None, facts: PublicFacts) -> str:
    return _lasting(end - start, facts) if start and end else ""


def _lasting(length: timedelta, facts: PublicFacts) -> str:
    return clock.show_duration(length, facts.language)


def phrase(names: Sequence[str], language: str = ENGLISH) -> str:
    """``Auth``, ``Auth and Checkout``, ``Auth, Catalog and Checkout``; long lists are cut."""
    words = translations(language)
    if len(names) > 6:
        more = len(names) - 5
        rest = words.ngettext("and %(num)s more", "and %(num)s more", more) % {"num": more}
        return f"{words.gettext(', ').join(names[:5])} {rest}"
    if len(names) < 2:
        return "".join(names)
    if language == ENGLISH:
        return f"{', '.join(names[:-1])} and {names[-1]}"
    return format_list(names, locale=locale_name(language))
