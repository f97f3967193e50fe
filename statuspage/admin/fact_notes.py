"""What stands beside the fields of facts: which texts say them, and from when they are."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from statuspage.admin.incident_form import IncidentForm
from statuspage.admin.update_form import UpdateForm
from statuspage.core.db import current_session
from statuspage.core.enums import CLOSED, Audience, IncidentStatus, Step
from statuspage.messages import facts
from statuspage.messages.facts import STAND_INS, Fact, Use
from statuspage.messages.wording import STEPS, current_wording, template_name
from statuspage.models import Incident

PAGE: Final = "page"
EMAIL: Final = "email"
CHAT: Final = "chat"
NOTICE: Final = "users_notice"

_TAG: Final = re.compile(r"\{[{%](.*?)[%}]\}", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Told:
    """Who reads an incident: outsiders at all, and customers each update by email."""

    outside: bool
    customers: bool


@dataclass(frozen=True, slots=True)
class StatusFacts:
    """The public facts at one status, each with the channels that it goes to.

    ``said`` are those that outsiders read, in the order of the texts.  What only colleagues are
    told, or nobody, is among the ``other`` ones.  ``spares`` are said in the place of another fact,
    as long as that is empty.
    """

    said: dict[str, list[str]]
    other: dict[str, list[str]]
    spares: dict[str, str]

    def sort(self, form: IncidentForm) -> tuple[list[str], list[str]]:
        """The names of the fields that count as the form is filled in, and those of the others."""
        counts = [
            name
            for name in self.said
            if name not in self.spares or (form[name].data and not form[self.spares[name]].data)
        ]
        return counts, [name for name in (*self.said, *self.other) if name not in counts]


def facts_by_status(
    statuses: Iterable[IncidentStatus], told: Told, *, declares: bool = False
) -> dict[str, StatusFacts]:
    """Where the public facts go at each status, by the present wording.

    ``declares`` is for the first update.
    """
    return {status.value: _facts_at(status, told, declares=declares) for status in statuses}


def _facts_at(status: IncidentStatus, told: Told, *, declares: bool = False) -> StatusFacts:
    public = _variables_of(Audience.PUBLIC, Step(status.value)) if told.outside else ()
    is_emailed = told.outside and (told.customers or status is IncidentStatus.RESOLVED)
    customer = _variables_of(Audience.CUSTOMER, Step(status.value)) if is_emailed else ()
    step = Step.DECLARED if declares else Step.CLOSED if status in CLOSED else Step.UPDATE
    internal = _variables_of(Audience.INTERNAL, step)
    typed = {fact.variable: fact.name for fact in facts.PUBLIC if _is_typed(fact)}
    order, spares = _in_order((*public, *customer), typed)
    if declares and NOTICE not in order:
        # Whatever the first status is: it is what colleagues and later texts build on.
        order.insert(0, NOTICE)
    goes: dict[str, list[str]] = {name: [] for name in typed.values()}
    for channel, variables in (
        (PAGE, public),
        (EMAIL, (*public, *customer)),
        (CHAT, internal),
    ):
        for name in _in_order(variables, typed)[0]:
            goes[name].append(channel)
    return StatusFacts(
        said={name: goes[name] for name in order},
        other={name: where for name, where in goes.items() if name not in order},
        spares=spares,
    )


def _in_order(
    variables: Iterable[str], typed: Mapping[str, str]
) -> tuple[list[str], dict[str, str]]:
    """The facts behind some variables, each once; and which of them only stand in for which."""
    words = list(dict.fromkeys(variables))
    order: list[str] = []
    spares: dict[str, str] = {}
    for word in words:
        if word in typed and typed[word] not in order:
            order.append(typed[word])
        other = STAND_INS.get(word)
        if other and other not in words and other not in order:
            order.append(other)
            if word in typed:
                spares[other] = typed[word]
    return order, spares


def _is_typed(fact: Fact) -> bool:
    return bool(fact.meaning) and (bool(fact.place) or Use.TEMPLATES in fact.use)


def _variables_of(audience: Audience, step: Step) -> tuple[str, ...]:
    if step not in STEPS[audience]:
        return ()
    return _variables_in(current_wording(current_session(), template_name(audience, step)).body)


@lru_cache(maxsize=64)
def _variables_in(source: str) -> tuple[str, ...]:
    """The words of a template's tags, in reading order."""
    return tuple(word for tag in _TAG.findall(source) for word in re.findall(r"\w+", tag))


def fields_of_facts(form: IncidentForm, by_status: Mapping[str, StatusFacts]) -> dict[str, Any]:
    """For a screen: the facts that count at the form's status, the others, and where each goes."""
    status = form["status"].data
    chosen = by_status.get(status.value if status else "") or next(iter(by_status.values()))
    counts, later = chosen.sort(form)
    return {
        "said_facts": counts,
        "later_facts": later,
        "goes_to": {**chosen.said, **chosen.other},
        "facts_by_status": {
            # In lists: an object of JSON has no order.
            name: {**asdict(found), "said": list(found.said), "goes": {**found.said, **found.other}}
            for name, found in by_status.items()
        },
    }


def stored_facts(incident: Incident) -> dict[str, datetime]:
    """The facts that go out of date, each with the post that it stands unchanged since, or longer.

    Each post keeps all facts of its form, so none is newer than the last post.
    """
    if not incident.updates:
        return {}
    newest = max(update.posted_at for update in incident.updates)
    stored = {**incident.public_facts, **incident.internal_facts}
    return {
        fact.name: newest
        for fact in (*facts.ASKED_PUBLIC, *facts.ASKED_INTERNAL)
        if Use.AGES in fact.use and stored.get(fact.name)
    }


def carried_over(incident: Incident, form: UpdateForm, told: Told) -> list[Fact]:
    """The facts that a post of another status would say as they were said before.

    Those that somebody said are still true are left out.
    """
    if form.status.data is None or form.status.data.value == incident.status:
        return []
    typed = {**form.public_facts(), **form.internal_facts()}
    kept = {**incident.public_facts, **incident.internal_facts}
    said, _ = _facts_at(form.status.data, told).sort(form)
    ageing = stored_facts(incident)
    return [
        fact
        for fact in (*facts.ASKED_PUBLIC, *facts.ASKED_INTERNAL)
        if fact.name in ageing and typed[fact.name] == kept[fact.name]
        if fact.name not in (form.still_true.data or ())
        if fact.internal or fact.name in said
    ]
