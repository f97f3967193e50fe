"""The languages that visitors and recipients read: which there are, and their words.

Codes are BCP 47 (``pt-BR``), as ``lang`` attributes hold them.  The catalogues are gettext's, in
``translations/<locale>/LC_MESSAGES/messages.po``; they are compiled when a language is first read,
so that a fresh clone needs no step before it starts.  English is what the messages are written in.
"""

from __future__ import annotations

import gettext
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from typing import Final

from babel import Locale
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from statuspage.core.paths import TRANSLATIONS

FOLDER: Final = TRANSLATIONS
DOMAIN: Final = "messages"
ENGLISH: Final = "en"


@dataclass(frozen=True, slots=True)
class Language:
    """A language that is offered: its code, and in its own words its name, that the page is there
    in it, and how that is put away.

    They stand here and not in the catalogues, because every page says them in all languages.
    """

    code: str
    name: str
    offer: str
    close: str

    @property
    def segment(self) -> str:
        """What its addresses begin with, where it is not the page's own: ``pt-br``."""
        return self.code.lower()

    @property
    def direction(self) -> str:
        """``ltr`` or ``rtl``."""
        return direction(self.code)

    @property
    def locale(self) -> str:
        """Its name for Babel and gettext: ``pt_BR``."""
        return locale_name(self.code)


OFFERED: Final = (
    Language("en", "English", "This page is available in English", "Close"),
    Language("de", "Deutsch", "Diese Seite gibt es auf Deutsch", "Schließen"),
    Language("fr", "Français", "Cette page est disponible en français", "Fermer"),
    Language("es", "Español", "Esta página está disponible en español", "Cerrar"),
    Language("pt-BR", "Português (Brasil)", "Esta página está disponível em português", "Fechar"),
    Language("ja", "日本語", "このページは日本語でもご覧いただけます", "閉じる"),
    Language("ar", "العربية", "هذه الصفحة متاحة باللغة العربية", "إغلاق"),
)
BY_SEGMENT: Final = {language.segment: language for language in OFFERED}


def nearest(code: str, default: str = ENGLISH) -> str:
    """The offered language for somebody who reads ``code`` (``de_AT``, ``pt-BR``), or the default.

    Of a language with several forms the one that is offered is better than another language.
    """
    wanted = code.replace("_", "-").lower()
    if wanted in BY_SEGMENT:
        return BY_SEGMENT[wanted].code
    first = wanted.partition("-")[0]
    return next((one.code for one in OFFERED if one.segment.partition("-")[0] == first), default)


def split_path(path: str) -> tuple[str | None, str]:
    """The language that an address names, None where it names none, and the rest of it.

    ``/de/history`` is ``de`` and ``/history``; ``/de`` alone names none.
    """
    _, segment, *rest = path.split("/", 2) if path.count("/") > 1 else ("", "", path)
    language = BY_SEGMENT.get(segment)
    return (language.code, "/" + rest[0]) if language else (None, path)


def prefix(code: str, *, own: str) -> str:
    """What stands before a path in this language; nothing for the page's own."""
    return "" if code == own else f"/{code.lower()}"


# Every page names every language, and Babel reads a locale's data to answer.
@lru_cache(maxsize=128)
def locale_name(code: str) -> str:
    """A language's name for Babel: ``pt_BR``."""
    return str(Locale.parse(code, sep="-"))


@lru_cache(maxsize=128)
def direction(code: str) -> str:
    """``ltr`` or ``rtl``, for ``dir`` attributes."""
    return Locale.parse(code, sep="-").text_direction


@lru_cache(maxsize=16)
def translations(code: str) -> gettext.NullTranslations:
    """The words of a language; English ones where there is no catalogue of it."""
    path = FOLDER / locale_name(code) / "LC_MESSAGES" / f"{DOMAIN}.po"
    if not path.is_file():
        return gettext.NullTranslations()
    with path.open("rb") as file:
        catalogue = read_po(file, locale=locale_name(code), domain=DOMAIN)
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


def N_(text: str) -> str:  # noqa: N802 (gettext's own name for it)
    """Mark a text that is translated later, where it is shown; it comes back as it is."""
    return text
