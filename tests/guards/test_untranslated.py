"""No visible word of the public side stands outside the catalogues.

Every page is made in a language in which whatever was translated has lost its letters. What letters
are left are the company's own words, a name, or a text that somebody forgot to mark.
"""

import gettext
import re
from collections.abc import Iterator

import lxml.html
import pytest

from statuspage.core import languages
from statuspage.core.languages import Language
from statuspage.public import badges, feeds, html_pages, mail_form, times, widget
from tests.browser.showcase import shots

# Names, which are the same in every language.
NAMES = re.compile(
    r"\b(UTC|RSS|Atom|JSON Feed|Slack|Status API|Marigold|Storefront|Accounts"
    r"|\w+@example\.com|[A-Z]\w+/[A-Z]\w+)\b|{\w+}"
)
# What people wrote is isolated from the text around, or is the company's name and a title.
OWN_WORDS = ("bdi", "[dir=auto]", "code", "script", "style", "#languages", "option", "time")
READ_ALOUD = ("aria-label", "alt", "placeholder", "title", "content",
    "data-mine", "data-page", "data-switch", "data-updated", "data-lost", "data-back")  # fmt: skip
LETTERS = re.compile(r"[A-Za-z]{2,}")
PLACES = re.compile(r"(%\(\w+\)[sd]|\{\w+\}|<[^>]*>)")


class Muted(gettext.NullTranslations):
    """Says everything without letters, and keeps the placeholders."""

    def gettext(self, message: str) -> str:
        parts = PLACES.split(message)
        return "".join(part if PLACES.fullmatch(part) else "▪" for part in parts)

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return self.gettext(msgid2)


@pytest.fixture(autouse=True)
def muted(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Japanese, for its dates have no letters of ours, says nothing at all."""
    plain = languages.translations

    def translations(code: str) -> gettext.NullTranslations:
        return Muted() if code == "ja" else plain(code)

    for module in (languages, badges, feeds, mail_form, times, widget):
        monkeypatch.setattr(module, "translations", translations)
    monkeypatch.setattr(languages, "OFFERED", (Language("en", "English", "", ""),))
    kept = (
        html_pages._environment,
        feeds._incident_entry,
        feeds._update_entry,
        feeds._update_html,
        widget.draw_widget,
    )
    for each in kept:
        each.cache_clear()
    yield
    for each in kept:
        each.cache_clear()


def unmarked(html: str) -> list[str]:
    """The texts and descriptions of a page that still have letters."""
    root = lxml.html.fromstring(html)
    title, *_ = root.cssselect("title")
    for said in root.cssselect("meta[property^=og]:not([property$=alt]), meta[name^=twitter]"):
        said.drop_tree()  # addresses, the title again, and words for programs
    description = root.cssselect("meta[name=description]")
    for own in root.cssselect(", ".join(OWN_WORDS)):
        own.drop_tree()
    texts = [text for text in root.itertext() if text not in set(title.itertext())]
    texts += [
        value
        for each in root.iter()
        if isinstance(each.tag, str) and each not in description
        for name, value in each.items()
        if name in READ_ALOUD and each.get("name") not in {"viewport", "color-scheme", "robots"}
    ]
    return [text.strip() for text in texts if LETTERS.search(NAMES.sub("", text))]


def test_no_page_says_anything_that_is_not_translated() -> None:
    # What is written there is no language at all.
    told = [shot for shot in shots("ja") if not re.search("hostile|long", shot.name)]
    assert {shot.name: unmarked(shot.html) for shot in told} == {shot.name: [] for shot in told}


def test_the_guard_sees_what_was_forgotten() -> None:
    page = '<title>x</title><p>▪ <bdi>Own</bdi> <b aria-label="Forgotten label">Forgotten</b></p>'
    assert unmarked(page) == ["Forgotten", "Forgotten label"]
