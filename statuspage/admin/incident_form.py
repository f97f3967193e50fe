"""What forms about incidents share: component states, the next promise, and the facts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar

from wtforms import BooleanField, Field, HiddenField, RadioField, SelectField
from wtforms.utils import unset_value

from statuspage.admin.forms import DurationField, Form, LineField, ProseField, read_number
from statuspage.admin.marked_texts import _
from statuspage.admin.second_language import (
    SecondLanguageForm,
    asks_for_second,
    second_as_shown,
)
from statuspage.admin.time_fields import MomentField
from statuspage.configuration import components, severity
from statuspage.configuration.components import top_level
from statuspage.core import clock
from statuspage.core.db import current_session
from statuspage.core.enums import ComponentStatus, CustomerMail, Impact
from statuspage.core.languages import N_
from statuspage.messages import facts
from statuspage.messages.facts import FactKind
from statuspage.models import ComponentGroup, SeverityLevel

AnyForm = TypeVar("AnyForm", bound=Form)

# What an incident can do to a component; maintenance is for maintenances.
AFFECTED: Final = (
    ComponentStatus.DEGRADED_PERFORMANCE,
    ComponentStatus.PARTIAL_OUTAGE,
    ComponentStatus.MAJOR_OUTAGE,
)
PRESETS: Final = (15, 30, 60)
_USUAL_STATES: Final = {
    Impact.CRITICAL: ComponentStatus.MAJOR_OUTAGE,
    Impact.MAJOR: ComponentStatus.PARTIAL_OUTAGE,
}


@dataclass(frozen=True, slots=True)
class ComponentRow:
    """A component to choose a state for."""

    id: int
    name: str
    present: ComponentStatus
    chosen: ComponentStatus | None


@dataclass(frozen=True, slots=True)
class Rows:
    """Components under their heading; those of no group come without one."""

    heading: str
    rows: tuple[ComponentRow, ...]


class ComponentsField(Field):
    """A state for each of some components, by id; those that nothing is said of are left out."""

    data: dict[int, ComponentStatus]

    def process(
        self, formdata: Any, data: Any = unset_value, extra_filters: Sequence[Any] | None = None
    ) -> None:
        """Read ``components-<id>`` of each component."""
        self.process_errors: list[str] = []
        self.raw_data: list[str] = []
        self.data = {} if formdata is not None or data is unset_value else dict(data or {})
        for key in formdata or ():
            component_id = read_number(key.removeprefix(f"{self.name}-"))
            text = formdata.get(key)
            if component_id and text:
                self._read(component_id, text)

    def _read(self, component_id: int, text: str) -> None:
        try:
            self.data[component_id] = ComponentStatus(text)
        except ValueError:
            self.process_errors.append(_("Pick the states from the lists"))

    def rows(self, *, only: Iterable[int] | None = None, but: Iterable[int] = ()) -> list[Rows]:
        """The present components in the page's order: ``only`` some, or all ``but`` some."""
        return _rows(self.data, only=None if only is None else set(only), but=set(but))


class TickedComponentsField(Field):
    """Some components, by their ids."""

    data: list[int]

    def process(
        self, formdata: Any, data: Any = unset_value, extra_filters: Sequence[Any] | None = None
    ) -> None:
        """Read the ticked ids, or take those that stand; no form sends what is no number."""
        self.process_errors: list[str] = []
        self.raw_data: list[str] = formdata.getlist(self.name) if formdata is not None else []
        stored = () if formdata is not None or data is unset_value else data
        ticked = {number for text in self.raw_data if (number := read_number(text))}
        self.data = sorted(ticked or stored)

    def rows(self) -> list[Rows]:
        """All present components in the page's order."""
        ticked = dict.fromkeys(self.data, ComponentStatus.UNDER_MAINTENANCE)
        return _rows(ticked, only=None, but=set())


def _rows(
    chosen: Mapping[int, ComponentStatus], *, only: Set[int] | None, but: Set[int]
) -> list[Rows]:
    found = []
    for item in top_level(current_session()):
        is_group = isinstance(item, ComponentGroup)
        members = components.present(item) if isinstance(item, ComponentGroup) else [item]
        rows = tuple(
            ComponentRow(member.id, member.name, member.status, chosen.get(member.id))
            for member in members
            if member.id not in but and (only is None or member.id in only)
        )
        if rows:
            found.append(Rows(item.name if is_group else "", rows))
    return found


class ImpactField(SelectField):
    """An impact in the place of the severity's; ``usual`` names the choice of none."""

    def __init__(self, label: str, usual: str, **options: Any) -> None:
        chosen = (Impact.NONE, Impact.MINOR, Impact.MAJOR, Impact.CRITICAL)
        choices = {"": usual, **{one.value: one.label for one in chosen}}
        super().__init__(label, choices=choices, default="", **options)

    @property
    def impact(self) -> Impact | None:
        """The chosen one; None where none was, or nothing that is one."""
        return next((one for one in Impact if one == self.data), None)


class ChosenRadioField(RadioField):
    """One of a few, all of them in sight; ``needed`` is what to say where none is chosen."""

    def __init__(self, label: str, needed: str, **options: Any) -> None:
        options |= {"invalid_choice_message": needed, "invalid_value_message": needed}
        super().__init__(label, **options)


_FIELDS: Final[Mapping[FactKind, Callable[..., Field]]] = {
    FactKind.PROSE: ProseField,
    FactKind.LINE: LineField,
    FactKind.MOMENT: MomentField,
    FactKind.MINUTES: DurationField,
    FactKind.FLAG: BooleanField,
}


def asks_for(*wanted: facts.Fact) -> Callable[[type[AnyForm]], type[AnyForm]]:
    """Give a form a field for each of these facts, by the name, label and kind of the fact."""

    def with_fields(form: type[AnyForm]) -> type[AnyForm]:
        for fact in wanted:
            kind = FactKind.LINE if fact.on_one_line else fact.kind
            setattr(form, fact.name, _FIELDS[kind](fact.label, description=fact.hint))
        return form

    return with_fields


_SECOND_LABELS: Final = {"title": N_("Title"), "users_notice": N_("What users notice")} | {
    fact.name: fact.label for fact in facts.ASKED_PUBLIC if fact.name in facts.TRANSLATED
}


@asks_for_second(_SECOND_LABELS)
@asks_for(*facts.ASKED_PUBLIC, *facts.ASKED_INTERNAL)
class IncidentForm(SecondLanguageForm):
    """The part of an incident that each update may change."""

    can_ask = True

    users_notice = ProseField(N_("What users notice"))
    components = ComponentsField(N_("Affected components"))
    promise = ChosenRadioField(
        N_("Next update"),
        N_("Choose when the next update is due"),
        choices={
            "level": N_("By severity"),
            **{str(minutes): _("%(minutes)s minutes", minutes=minutes) for minutes in PRESETS},
            "at": N_("At a time"),
            "none": N_("None"),
        },
        default="level",
    )
    next_update_at = MomentField(N_("Time of the next update"))
    no_promise_because = LineField(N_("Why no update is scheduled"))
    # What the texts on the form promise, "choice|time": an edited text must not outrun it.
    promised = HiddenField()

    def validate(self, extra_validators: Any = None) -> bool:
        """A promise 'at a time' needs its time, and no promise needs its reason."""
        is_valid = super().validate(extra_validators)
        if self.promises and self.promise.data == "none" and not self.no_promise_because.data:
            self.refuse("no_promise_because", _("Say why no next update is scheduled"))
            return False
        if self.promise.data == "at" and not self.next_update_at.data:
            if not self.next_update_at.errors:
                self.refuse("next_update_at", _("Enter when the next update is due"))
            return False
        return is_valid

    @property
    def promises(self) -> bool:
        """Whether what is published could promise a next update at all."""
        return True

    @property
    def later(self) -> datetime | None:
        """When it is to be posted, where that is not now."""
        return None

    def no_promise(self) -> str | None:
        """Why no next update is promised; None where one is, or the severity decides."""
        is_chosen = self.promises and self.promise.data == "none"
        return self.no_promise_because.data or "" if is_chosen else None

    def promise_by(self, level: SeverityLevel | None) -> datetime | None:
        """When the next update is promised for.

        What an edited text says was promised stays promised, as long as the choice does and the
        time is still to come.
        """
        choice = f"{self.promise.data}:{level.rank if level else ''}{self.later or ''}"
        seen, _, moment = (self.promised.data or "").partition("|")
        if seen == choice and moment and self.edited_texts():
            pinned = clock.read_exact(moment)
            if pinned and pinned > clock.now():
                return pinned
        found = self._promise_by(level)
        self.promised.data = f"{choice}|{found.isoformat() if found else ''}"
        return found

    def _promise_by(self, level: SeverityLevel | None) -> datetime | None:
        choice, posted_at = self.promise.data, self.later or clock.now()
        if choice == "at":
            return self.next_update_at.data  # type: ignore[no-any-return]
        if choice in map(str, PRESETS):
            return (posted_at + timedelta(minutes=int(choice))).replace(second=0, microsecond=0)
        return severity.promise_next_update(level, posted_at) if choice == "level" else None

    def public_facts(self) -> dict[str, Any]:
        """The public facts as they are kept; emptied ones are empty, so that they replace."""
        kept = {fact.name: _stored(self[fact.name].data) for fact in facts.ASKED_PUBLIC}
        return {**kept, facts.TRANSLATIONS: self.translations()}

    def internal_facts(self) -> dict[str, Any]:
        """The internal facts as they are kept."""
        return {fact.name: _stored(self[fact.name].data) for fact in facts.ASKED_INTERNAL}

    def has_errors(self, names: Iterable[str]) -> bool:
        """Whether any of these fields is refused: folded, it opens."""
        return any(self[name].errors for name in names if name in self)

    def count_filled(self, names: Iterable[str]) -> int:
        """How many of these fields are filled in, for what is folded over them."""
        return sum(bool(self[name].data) for name in names if name in self)


def facts_as_shown(stored: Mapping[str, Any]) -> dict[str, Any]:
    """Kept facts as the form's fields hold them."""
    asked = {fact.name for fact in (*facts.ASKED_PUBLIC, *facts.ASKED_INTERNAL)}
    shown = {name: value for name, value in stored.items() if name in asked}
    for fact in (*facts.ASKED_PUBLIC, *facts.ASKED_INTERNAL):
        if fact.kind is FactKind.MOMENT and shown.get(fact.name):
            shown[fact.name] = clock.read_exact(str(shown[fact.name]))
    shown |= second_as_shown(stored)
    return {name: value for name, value in shown.items() if value not in {"", None}}


def what_follows(level: SeverityLevel) -> tuple[str, str]:
    """What a severity is, and what choosing it sets going, in sentences."""
    seen = (
        _("no impact")
        if level.impact == "none"
        else _("%(impact)s impact", impact=level.impact.label.lower())
    )
    sentences = [
        _("The page shows %(seen)s and a banner.", seen=seen)
        if level.rank == 1
        else _("The page shows %(seen)s.", seen=seen)
    ]
    if level.cadence_minutes:
        length = clock.show_duration(timedelta(minutes=level.cadence_minutes))
        sentences.append(_("An update every %(length)s.", length=length))
    if level.customer_mail is CustomerMail.EVERY_UPDATE:
        sentences.append(_("Customers get an email with every update."))
    elif level.customer_mail is CustomerMail.RESOLVED or level.rank == 1:
        sentences.append(_("Customers get an email when it is resolved."))
    else:
        sentences.append(_("Customers get no email."))
    return f"{level.description}." if level.description else "", " ".join(sentences)


def usual_states(levels: Iterable[SeverityLevel]) -> dict[int, ComponentStatus]:
    """The state that a component has by the incident's severity, where nobody says another."""
    return {
        level.rank: _USUAL_STATES.get(level.impact, ComponentStatus.DEGRADED_PERFORMANCE)
        for level in levels
    }


def _stored(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return "" if value is None else value
