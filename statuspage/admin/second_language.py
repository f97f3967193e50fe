"""Facts in a second language, as the forms of incidents and maintenance ask for them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final, TypeVar

from wtforms import SelectField

from statuspage.admin.findings import Remark
from statuspage.admin.forms import LineField, PostForm, ProseField
from statuspage.admin.previews import TextsForm
from statuspage.core.languages import N_, OFFERED
from statuspage.messages import facts

SECOND: Final = "second_"
"""What the names of fields in the second language begin with."""


class SecondTextsForm(PostForm):
    """A form whose public texts can stand in a further language each."""

    second_language = SelectField(
        N_("Language"),
        choices={"": N_("None"), **{one.code: one.name for one in OFFERED}},
        default="",
    )
    # The texts that are asked for twice.
    translated: tuple[str, ...] = ()
    # What the checks say of texts in the second language, by the name of the text.
    second_remarks: Mapping[str, tuple[Remark, ...]] = MappingProxyType({})

    @property
    def second_texts(self) -> list[str]:
        """The names of the fields for a second language."""
        return [SECOND + name for name in self.translated]

    def translations(self) -> dict[str, dict[str, str]]:
        """What was typed, by language and fact; empty where no language is chosen."""
        language = self.second_language.data
        texts = {name: self[SECOND + name].data or "" for name in self.translated}
        return {language: texts} if language else {}

    def is_filled(self, names: Iterable[str]) -> bool:
        """Whether any of these fields is filled in or to be corrected: then the fold is open."""
        return any(self[name].errors or self[name].data for name in names if name in self)


class SecondLanguageForm(SecondTextsForm, TextsForm):
    """A form of facts, whose public ones can have a text in a further language each."""


AnySecond = TypeVar("AnySecond", bound=SecondTextsForm)


def asks_for_second(labels: Mapping[str, str]) -> Callable[[type[AnySecond]], type[AnySecond]]:
    """Give a form a second field for each of these facts, by its name and label."""

    def with_fields(form: type[AnySecond]) -> type[AnySecond]:
        for name, label in labels.items():
            kind = LineField if name == "title" else ProseField
            setattr(form, SECOND + name, kind(label))
        form.translated = tuple(labels)
        return form

    return with_fields


def second_as_shown(stored: Mapping[str, Any]) -> dict[str, Any]:
    """What is kept of a second language with an incident's facts, as the form's fields hold it."""
    return translations_as_shown(stored.get(facts.TRANSLATIONS, {}))


def translations_as_shown(stored: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    """Texts by language, as the form's fields hold them."""
    shown: dict[str, Any] = {}
    for language, texts in stored.items():
        shown |= {"second_language": language}
        shown |= {SECOND + name: text for name, text in texts.items()}
    return shown
