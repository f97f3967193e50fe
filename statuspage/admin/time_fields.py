"""Form fields of times: a zone, a calendar day, a moment that is typed as wall-clock time."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any, cast
from zoneinfo import ZoneInfo

from markupsafe import Markup
from wtforms import Field, SelectField
from wtforms.form import BaseForm
from wtforms.validators import StopValidation
from wtforms.widgets import DateInput, DateTimeLocalInput

from statuspage.admin.forms import Form, Needed, TextualField
from statuspage.admin.marked_texts import _
from statuspage.core import clock


class ZoneField(SelectField):
    """A time zone; its data is the name."""

    def __init__(self, label: str, **options: Any) -> None:
        super().__init__(label, choices=_zones_by_area(), validate_choice=False, **options)

    def pre_validate(self, form: BaseForm) -> None:
        """Refuse an unknown zone by name."""
        try:
            clock.read_zone(self.data or "")
        except ValueError as error:
            raise StopValidation(str(error)) from None


class TheirZoneField(ZoneField):
    """Somebody's time zone; None means the page's."""

    def __init__(self, label: str, **options: Any) -> None:
        super().__init__(label, filters=[lambda name: name or None], **options)

    def pre_validate(self, form: Any) -> None:
        """Nothing is fine; an unknown zone is not."""
        if self.data:
            super().pre_validate(form)

    def offer(self, page_zone: str) -> None:
        """Put the page's own zone first."""
        areas = cast("dict[str, Any]", self.choices)
        self.choices = {_("As the page"): {"": page_zone}, **areas}


class DayField(TextualField):
    """A calendar day, or nothing."""

    widget = DateInput()

    def write(self, value: date | None) -> str:
        """The day as the browser's control holds it."""
        return value.isoformat() if value else ""

    def read(self, text: str) -> date:
        """The day."""
        return clock.read_day(text)


class _MomentInput(DateTimeLocalInput):
    """The browser's control, which sends along in which zone its time was typed."""

    def __call__(self, field: Field, **attributes: Any) -> Markup:
        """The control and the hidden zone."""
        typed_in: ZoneInfo = field.zone  # type: ignore[attr-defined]
        zone = Markup('<input type="hidden" name="{}-zone" value="{}">')
        return super().__call__(field, **attributes) + zone.format(field.name, typed_in.key)


class MomentField(TextualField):
    """A wall-clock time in the form's zone, or nothing; its data is that moment in UTC.

    What was typed stays in the zone that it was typed in: a draft may be opened by a colleague who
    has another.  Where the typed time happens twice, ``ambiguous`` holds both moments, and the
    macro lets people choose between them.  ``not_after_now`` refuses the future.
    """

    widget = _MomentInput()
    _form: Form

    def __init__(
        self,
        label: str,
        *,
        needed: str | None = None,
        not_after_now: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(label, validators=[Needed(needed)] if needed else [], **options)
        self._not_after_now = not_after_now
        self._fold: int | None = None
        self._typed_in: ZoneInfo | None = None
        self.ambiguous: tuple[datetime, ...] = ()

    def process(self, formdata: Any, *args: Any, **options: Any) -> None:
        """Read the zone and the choice between two moments first: reading the time needs them."""
        fold = formdata.get(f"{self.name}-fold") if formdata else None
        self._typed_in = _known_zone(formdata.get(f"{self.name}-zone") if formdata else None)
        self._fold = int(fold) if fold in {"0", "1"} else None
        super().process(formdata, *args, **options)

    @property
    def zone(self) -> ZoneInfo:
        """The zone that the time is typed and shown in."""
        return self._typed_in or self._form.zone

    @property
    def zone_label(self) -> str:
        """That zone's short name at the time, or now where there is none."""
        return clock.zone_label(self.data or clock.now(), self.zone)

    @property
    def fold(self) -> int | None:
        """Which of two moments was chosen: the first (0) or the second (1)."""
        return self._fold

    def write(self, value: datetime | None) -> str:
        """The wall-clock time as the browser's control holds it."""
        return clock.write_local(value, self.zone)

    def read(self, text: str) -> datetime:
        """The moment; one of a pair only where the person chose."""
        self.ambiguous = _both_moments(text, self.zone)
        moment = clock.read_local(text, self.zone, fold=self._fold)
        # The control counts whole minutes, so the present minute is not yet the future.
        if self._not_after_now and moment > clock.now() + timedelta(minutes=1):
            raise ValueError(_("This time is in the future; enter one that has passed"))
        return moment


def _known_zone(name: str | None) -> ZoneInfo | None:
    """The zone of that name; None where there is none."""
    try:
        return clock.read_zone(name) if name else None
    except ValueError:
        return None


def _both_moments(text: str, zone: ZoneInfo) -> tuple[datetime, ...]:
    """The two moments that a wall-clock time names where the clocks go back, else nothing."""
    try:
        first, second = (clock.read_local(text, zone, fold=fold) for fold in (0, 1))
    except ValueError:
        return ()
    return (first, second) if first != second else ()


def _zones_by_area() -> dict[str, dict[str, str]]:
    """Zone names under their areas, as a list of that length needs them."""
    return {
        "Universal" if area == "UTC" else area: {name: name.replace("_", " ") for name in names}
        for area, names in clock.zones_by_area().items()
    }
