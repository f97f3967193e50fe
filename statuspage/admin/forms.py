"""Forms: what a person types, cleaned, checked and kept, with the reason beside the field.

A view reads a form, asks whether it is accepted, and calls its verb inside :meth:`Form.refusals`,
which turns what the verb refuses into an error beside the field::

    form = ContactForm.read(setup.read_as(ContactDetails, contact))
    if form.is_accepted():
        with form.refusals():
            setup.change_contact(contact.id, form.details(), actor=actor(), seen=form.seen.data)
            return done("Saved.", "admin.contacts")
    return page("admin/contact.html", form=form)

Forgery across sites is checked for the whole admin before any view runs (:mod:`.auth`), so forms
carry the token only as a hidden field that their macro writes.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterable
from dataclasses import asdict
from datetime import timedelta
from types import TracebackType
from typing import Any, Final, Self
from zoneinfo import ZoneInfo

from flask import request
from wtforms import (
    Field,
    HiddenField,
    PasswordField,
    RadioField,
    SelectField,
    StringField,
    TextAreaField,
    ValidationError,
)
from wtforms import (
    Form as PlainForm,
)
from wtforms.form import BaseForm
from wtforms.validators import StopValidation
from wtforms.widgets import EmailInput, URLInput

from statuspage.admin.marked_texts import _, ngettext
from statuspage.configuration.editing import Editable
from statuspage.core.address import read_address
from statuspage.core.conflict import Conflict, fingerprint
from statuspage.core.enums import Term
from statuspage.core.errors import Invalid
from statuspage.core.languages import N_, OFFERED
from statuspage.core.richtext import clean, clean_line
from statuspage.models.columns import BODY_LIMIT, TITLE_LIMIT
from statuspage.recipients.customers import CustomerValues

LINE_LIMIT: Final = 500
_PICK_ONE: Final[dict[str, Any]] = {
    "invalid_choice_message": N_("Pick one from the list"),
    "invalid_value_message": N_("Pick one from the list"),
}


class Form(PlainForm):
    """What every form here inherits from.

    ``zone`` is the one that people type times in; ``form_errors`` (WTForms' own) holds what belongs
    to no field.
    """

    def __init__(self, *args: Any, zone: ZoneInfo | None = None, **values: Any) -> None:
        self.zone = zone or ZoneInfo("UTC")
        super().__init__(*args, **values)

    @classmethod
    def read(cls, stored: object = None, *, zone: ZoneInfo | None = None, **values: Any) -> Self:
        """The form as it was sent, else with the attributes of ``stored`` and ``values``."""
        sent = request.form if request.method == "POST" else None
        return cls(sent, stored, zone=zone, **values)

    def is_accepted(self) -> bool:
        """Whether it was sent and every field can be taken."""
        return request.method == "POST" and self.validate()

    def refusals(self) -> Refusals:
        """A ``with`` block for the verb: what it refuses is shown in this form."""
        return Refusals(self)

    def refuse(self, name: str, reason: str) -> None:
        """Show a reason beside the field of that name, or at the top where there is none."""
        field = self._fields.get(name)
        if field is None:
            self.form_errors.append(reason)
            return
        field.errors = [*field.errors, reason]

    def check_lengths(self) -> None:
        """Raise :class:`Invalid` for a text past its field's limit, and say so beside the field.

        For a form that is only looked at: nothing else of it has to be complete yet.
        """
        for field in self:
            limits = [check for check in field.validators if isinstance(check, Most)]
            try:
                for limit in limits:
                    limit(self, field)
            except ValidationError as error:
                if not field.errors:
                    self.refuse(field.short_name, str(error))
                raise Invalid(field.short_name, f"{field.label.text}: {error}.") from None

    @property
    def is_refused(self) -> bool:
        """Whether something has to be corrected before it can be taken."""
        return bool(self.errors)

    def typed(self) -> dict[str, Any]:
        """The data of all fields that people see, by name."""
        return {
            field.short_name: field.data for field in self if not isinstance(field, HiddenField)
        }


class EditForm(Form):
    """A form over what others may edit too; ``seen`` is a digest of what it showed.

    Read it with ``stored`` as one of the dataclasses of :mod:`statuspage.configuration`, and hand
    ``form.seen.data`` to the verb.
    """

    seen = HiddenField()

    def __init__(self, sent: Any = None, stored: Any = None, **values: Any) -> None:
        super().__init__(sent, stored, **values)
        if not self.seen.raw_data and stored is not None:
            self.seen.data = fingerprint(stored)

    def show_change(self, stored: Editable | CustomerValues) -> None:
        """Show what somebody else saved meanwhile; sent again, the form goes over it."""
        typed = self.typed()
        self.form_errors.append(
            _(
                "Someone else saved this while you were editing. What you typed is kept; "
                "save again to replace theirs."
            )
        )
        for name, value in asdict(stored).items():
            if name in typed and typed[name] != value:
                self.refuse(
                    name, _("Now saved here: %(shown)s", shown=_shown(self._fields[name], value))
                )
        self.seen.data = fingerprint(stored)


def _as_form_key(text: str | None) -> str:
    """A key as we make them; another in the place of anything that we cannot have made."""
    is_ours = text is not None and re.fullmatch(r"[A-Za-z0-9_ -]{1,64}", text)
    return text if text and is_ours else secrets.token_urlsafe(16)


class PostForm(Form):
    """A form that may be sent only once: ``form_key`` goes to the verb, which remembers it."""

    form_key = HiddenField(default=lambda: secrets.token_urlsafe(16), filters=[_as_form_key])


class Refusals:
    """Catches what a verb refuses, and shows it in the form."""

    def __init__(self, form: Form) -> None:
        self._form = form

    def __enter__(self) -> None:
        """Nothing has to begin."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        """Swallow what the form can show; everything else goes on its way."""
        if isinstance(error, Invalid):
            self._form.refuse(error.field, error.reason)
            return True
        if isinstance(error, Conflict) and isinstance(self._form, EditForm):
            self._form.show_change(error.current)  # type: ignore[arg-type]
            return True
        return False


# --- validators ----------------------------------------------------------------------------------


class Needed:
    """The field must not be empty once it is cleaned; the message says what to enter."""

    field_flags = {"required": True}  # noqa: RUF012 (WTForms' own form)

    def __init__(self, message: str) -> None:
        self.message = message

    def __call__(self, form: BaseForm, field: Field) -> None:
        """Stop the chain: nothing more can be said about nothing."""
        if field.errors:
            raise StopValidation
        if field.data is None or field.data == "":
            raise StopValidation(self.message)


class Most:
    """At most so many characters; the browser gets no limit: it would cut what is pasted."""

    def __init__(self, limit: int) -> None:
        self.limit = limit

    def __call__(self, form: BaseForm, field: Field) -> None:
        """Say by how much it is too long."""
        length = len(field.data or "")
        if length > self.limit:
            raise ValidationError(
                _(
                    "Use at most %(limit)s characters; this has %(length)s",
                    limit=f"{self.limit:,}",
                    length=f"{length:,}",
                )
            )


def _checks(needed: str | None, *others: object) -> list[Any]:
    return [Needed(needed), *others] if needed else list(others)


# --- fields --------------------------------------------------------------------------------------


class LineField(StringField):
    """One line of text, cleaned; ``needed`` is what to say where it is empty."""

    data: str

    def __init__(
        self,
        label: str,
        *,
        needed: str | None = None,
        limit: int = LINE_LIMIT,
        **options: Any,
    ) -> None:
        checks = _checks(needed, Most(limit))
        super().__init__(label, validators=checks, filters=[_cleaned_line], **options)


class NameField(LineField):
    """A name or a title: a line that must be there, no longer than names are kept."""

    def __init__(self, label: str, *, needed: str, **options: Any) -> None:
        super().__init__(label, needed=needed, limit=TITLE_LIMIT, **options)


class ProseField(TextAreaField):
    """Text of several lines, cleaned; Markdown where the hint says so."""

    data: str

    def __init__(
        self,
        label: str,
        *,
        needed: str | None = None,
        limit: int = BODY_LIMIT,
        **options: Any,
    ) -> None:
        checks = _checks(needed, Most(limit))
        super().__init__(label, validators=checks, filters=[_cleaned], **options)


class MailField(LineField):
    """A mail address as it was given, or nothing."""

    widget = EmailInput()

    def pre_validate(self, form: BaseForm) -> None:
        """Refuse what nobody can write to."""
        if not self.data:
            return
        try:
            read_address(self.data)
        except ValueError:
            raise StopValidation(_("Enter an email address, like name@example.com")) from None


class WebAddressField(LineField):
    """An ``http`` or ``https`` address, or nothing: it becomes a link."""

    widget = URLInput()

    def pre_validate(self, form: BaseForm) -> None:
        """Refuse other schemes."""
        if self.data and not re.fullmatch(r"https?://[^\s/]+\S*", self.data, re.IGNORECASE):
            raise StopValidation(_("Enter a web address that begins with https://"))


class SecretField(PasswordField):
    """A password: never shown again, and not cleaned, because every character counts.

    ``autocomplete`` says to password managers which one it is (``current-password``,
    ``new-password``: https://html.spec.whatwg.org/multipage/form-control-infrastructure.html).
    """

    data: str

    def __init__(self, label: str, *, needed: str, autocomplete: str, **options: Any) -> None:
        options["render_kw"] = {"autocomplete": autocomplete, **options.get("render_kw", {})}
        super().__init__(label, validators=[Needed(needed)], **options)


class LanguageField(SelectField):
    """A language that the public side is read in; its data is the code."""

    def __init__(self, label: str, **options: Any) -> None:
        choices = {language.code: language.name for language in OFFERED}
        super().__init__(label, choices=choices, **_PICK_ONE, **options)


class TermField(SelectField):
    """One of some terms; its data is the term itself."""

    def __init__(self, label: str, terms: Iterable[Term], **options: Any) -> None:
        choices, read = _term_choices(terms)
        super().__init__(label, choices=choices, coerce=read, **_PICK_ONE, **options)


class TermRadioField(RadioField):
    """One of some terms, all of them in sight."""

    def __init__(self, label: str, terms: Iterable[Term], **options: Any) -> None:
        choices, read = _term_choices(terms)
        super().__init__(label, choices=choices, coerce=read, **_PICK_ONE, **options)


class RowField(SelectField):
    """One row of a table, or none; its data is the id.  ``none`` names the empty choice."""

    def __init__(self, label: str, *, none: str, **options: Any) -> None:
        super().__init__(label, coerce=_read_id, choices={"": none}, **_PICK_ONE, **options)
        self._none = none

    def offer(self, rows: Iterable[tuple[int, str]]) -> None:
        """The rows to choose from, each with the name that people know it by."""
        self.choices = {"": self._none} | {str(key): name for key, name in rows}


class TextualField(StringField):
    """A field whose text means a value of another type; what was typed is shown again."""

    data: Any

    def _value(self) -> str:
        return str(self.raw_data[0]) if self.raw_data else self.write(self.data)

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Read the text; nothing is None."""
        if not valuelist:
            return
        self.data = None
        text = str(valuelist[0]).strip()
        if text:
            self.data = self.read(text)

    def write(self, value: Any) -> str:
        """The value as text."""
        raise NotImplementedError

    def read(self, text: str) -> Any:
        """The text as a value; ``ValueError`` with a sentence for people."""
        raise NotImplementedError


class DurationField(TextualField):
    """A length of time as people say it (``30 minutes``, ``4 h``), or nothing; in whole units.

    Its data counts in ``unit`` (a minute where none is given).
    """

    def __init__(
        self,
        label: str,
        *,
        most: timedelta = timedelta(days=90),
        unit: timedelta = timedelta(minutes=1),
        **options: Any,
    ) -> None:
        super().__init__(label, **options)
        self._most, self._unit = most, unit

    def write(self, value: int | None) -> str:
        """The length in its largest whole unit."""
        return "" if value is None else write_length(value * self._unit)

    def read(self, text: str) -> int:
        """The length, counted in the field's unit."""
        length = read_length(text)
        if length > self._most:
            raise ValueError(_("Use at most %(most)s", most=write_length(self._most)))
        if length % self._unit:
            raise ValueError(_("Use whole multiples of %(unit)s", unit=write_length(self._unit)))
        return length // self._unit


class CountField(TextualField):
    """A small whole number, or nothing."""

    def __init__(self, label: str, *, least: int = 0, most: int, **options: Any) -> None:
        options["render_kw"] = {"inputmode": "numeric", **options.get("render_kw", {})}
        super().__init__(label, **options)
        self._least, self._most = least, most

    def write(self, value: int | None) -> str:
        """The digits."""
        return "" if value is None else str(value)

    def read(self, text: str) -> int:
        """The number, within its limits."""
        if not re.fullmatch(r"[0-9]{1,9}", text) or not self._least <= int(text) <= self._most:
            raise ValueError(
                _(
                    "Enter a whole number from %(least)s to %(most)s",
                    least=self._least,
                    most=f"{self._most:,}",
                )
            )
        return int(text)


def read_number(text: object) -> int:
    """A number that a form or an address carried along, nine digits at most; 0 for anything else.

    Every integer column holds nine digits; SQLite raises OverflowError past nineteen.
    """
    digits = str(text)
    return int(digits) if digits.isascii() and digits.isdecimal() and len(digits) < 10 else 0


def read_length(text: str) -> timedelta:
    """A length of time as people write it: ``30``, ``30 min``, ``4 hours``, ``1 h 30 min``.

    A bare number is minutes.  ``ValueError`` with a sentence for people.
    """
    lowered = text.strip().lower()
    if re.fullmatch(r"[0-9]{1,7}", lowered):
        return timedelta(minutes=int(lowered))
    parts = re.findall(r"([0-9]{1,7})\s*([a-z]+)", lowered)
    rest = re.sub(r"([0-9]{1,7})\s*([a-z]+)|and|,|\s", "", lowered)
    if not parts or rest or any(unit not in _UNITS for _, unit in parts):
        raise ValueError(_("Enter a duration, like 30 minutes, 4 hours or 2 days"))
    return sum((int(number) * _UNITS[unit] for number, unit in parts), timedelta())


def write_length(length: timedelta) -> str:
    """A length in the largest units that give it whole: ``30 minutes``, ``48 hours``, ``3 days``.

    Hours are kept up to two days, as the field says them.
    """
    minutes = int(length.total_seconds() // 60)
    if minutes % _DAY == 0 and minutes > 2 * _DAY:
        return _("%(days)s days", days=minutes // _DAY)
    if minutes % 60 == 0 and minutes:
        return ngettext("%(num)s hour", "%(num)s hours", minutes // 60)
    return ngettext("%(num)s minute", "%(num)s minutes", minutes)


_DAY: Final = 24 * 60
_UNITS: Final[dict[str, timedelta]] = {
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), timedelta(minutes=1)),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), timedelta(hours=1)),
    **dict.fromkeys(("d", "day", "days"), timedelta(days=1)),
    **dict.fromkeys(("w", "week", "weeks"), timedelta(weeks=1)),
}


def _shown(field: Field, value: Any) -> str:
    """A saved value as the field's own control would show it."""
    if isinstance(value, bool):
        return _("ticked") if value else _("not ticked")
    if isinstance(field, SelectField):
        choices = {str(value): str(label) for value, label, *_ in field.iter_choices()}
        return choices.get("" if value is None else str(value), str(value))
    if isinstance(field, TextualField) and value is not None:
        return field.write(value)
    return str(value) if value else "nothing"


def _cleaned_line(text: str | None) -> str:
    return clean_line(text or "")


def _cleaned(text: str | None) -> str:
    return clean(text or "")


def _read_id(text: Any) -> int | None:
    if text is None or text == "":
        return None
    return int(text)


def _term_choices(terms: Iterable[Term]) -> tuple[dict[str, str], Callable[[Any], Term]]:
    members = list(terms)
    return {term.value: term.label for term in members}, type(members[0])
