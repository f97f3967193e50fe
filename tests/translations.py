"""The catalogues: what there is to translate, found in the source and put into every ``.po`` file.

``make translations`` brings them up to date; new texts come in empty, and the tests fail until
somebody has filled them in.  The admin has a domain of its own and no catalogue: what there would
be to translate is written to ``admin.pot`` beside the others.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from babel.messages import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po, write_po

from statuspage.core.enums import (
    OVERALL,
    ComponentStatus,
    IncidentStatus,
    MaintenanceStatus,
    Step,
    Term,
)
from statuspage.core.languages import DOMAIN, ENGLISH, FOLDER, OFFERED, Language

ROOT = Path(__file__).resolve().parent.parent
TEMPLATES = ("layout.html", "public/*.html", "errors/*.html", "email/*")
MODULES = ("public/*.py", "api/*.py", "recipients/*.py", "messages/*.py", "core/*.py")
ADMIN_TEMPLATES = ("admin/*.html",)
ADMIN_MODULES = ("admin/*.py",)
# Shown by their labels; of a mail's steps only those of an incident.
WORDS = (
    *ComponentStatus,
    *IncidentStatus,
    *MaintenanceStatus,
    Step.REMINDER,
    Step.FALSE_ALARM,
    Step.REOPENED,
)
KEYWORDS: dict[str, Any] = {
    **dict.fromkeys(("_", "N_", "gettext", "say")),
    "ngettext": (1, 2),
    "forms": (1, 2),
}
JINJA = {"trimmed": "true", "newstyle_gettext": "true", "silent": "false"}


def extract() -> Catalog:
    """Everything that the public side and mail say in words of their own."""
    found = Catalog(domain=DOMAIN, charset="utf-8", fuzzy=False)
    for path in _files(ROOT / "templates", TEMPLATES):
        _add(found, path, "jinja2", JINJA)
    for path in _files(ROOT / "statuspage", MODULES):
        _add(found, path, "python", {})
    for word in WORDS:
        found.add(word.label, locations=[("statuspage/core/enums.py", None)])
    for text in OVERALL.values():
        found.add(text, locations=[("statuspage/core/enums.py", None)])
    return found


def extract_admin() -> Catalog:
    """Everything that the admin says in words of its own."""
    found = Catalog(domain="admin", charset="utf-8", fuzzy=False)
    for path in _files(ROOT / "templates", ADMIN_TEMPLATES):
        _add(found, path, "jinja2", JINJA)
    for path in _files(ROOT / "statuspage", ADMIN_MODULES):
        _add(found, path, "python", {})
    for word in _terms(Term):
        found.add(word.label, locations=[("statuspage/core/enums.py", None)])
    return found


def catalogue_path(language: Language) -> Path:
    """Where a language's catalogue is."""
    return FOLDER / language.locale / "LC_MESSAGES" / f"{DOMAIN}.po"


def read(language: Language) -> Catalog:
    """A language's catalogue as it is kept."""
    with catalogue_path(language).open("rb") as file:
        return read_po(file, locale=language.locale, domain=DOMAIN)


def translated() -> list[Language]:
    """The languages that have a catalogue: all but English."""
    return [language for language in OFFERED if language.code != ENGLISH]


def update(language: Language, template: Catalog) -> None:
    """Write the catalogue with what there is to translate now; what is said no more goes."""
    path = catalogue_path(language)
    known = read(language) if path.is_file() else Catalog(locale=language.locale)
    fresh = Catalog(locale=language.locale, domain=DOMAIN, charset="utf-8", fuzzy=False)
    # No names and no dates: a line of the file changes only with what it says.
    fresh.header_comment = f"# {language.name}"
    for message in template:
        if message.id:
            old = known.get(message.id)
            string = old.string if old is not None else ""
            fresh.add(message.id, string, locations=message.locations, flags=message.flags)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        write_po(file, fresh, width=100, sort_output=True, include_lineno=False, omit_header=False)
    path.write_text(_without_dates(path.read_text(encoding="utf-8")), encoding="utf-8")


def _without_dates(text: str) -> str:
    dropped = ("POT-Creation-Date", "PO-Revision-Date", "Last-Translator", "Language-Team",
               "Project-Id-Version", "Report-Msgid-Bugs-To", "Generated-By")  # fmt: skip
    lines = text.splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith(tuple(f'"{n}' for n in dropped)))


def _terms(kind: type[Term]) -> Iterator[Term]:
    yield from kind
    for narrower in kind.__subclasses__():
        yield from _terms(narrower)


def _files(folder: Path, patterns: tuple[str, ...]) -> Iterator[Path]:
    for pattern in patterns:
        yield from sorted(folder.glob(pattern))


def _add(found: Catalog, path: Path, method: str, options: dict[str, str]) -> None:
    place = str(path.relative_to(ROOT))
    for line, text, comments, _ in extract_from_file(
        method, path, keywords=KEYWORDS, options=options
    ):
        found.add(text, locations=[(place, line)], auto_comments=comments)


if __name__ == "__main__":
    with (FOLDER / "admin.pot").open("wb") as file:
        write_po(file, extract_admin(), width=100, sort_output=True, include_lineno=False)
    template = extract()
    for each in translated():
        update(each, template)
