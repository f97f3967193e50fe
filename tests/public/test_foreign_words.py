"""What the company wrote says its own language on a page that is read in another (WCAG 3.1.2)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from lxml import html
from lxml.html import HtmlElement

from statuspage.public import html_pages
from tests.public import samples
from tests.public.samples import LINKS

DAY = samples.WORST_DAY
INCIDENT = samples.CHECKOUT_DOWN
# Longer than any word that a sentence of ours could hold by chance.
WRITTEN = {
    INCIDENT.title,
    *(component.name for component in DAY.components if len(component.name) > 5),
    *(update.body.split(".")[0] for update in INCIDENT.updates),
}


def rendered(language: str) -> dict[str, str]:
    frame = replace(DAY.frame, read_in=language)
    view = samples.component_page(DAY.components[0], DAY.incidents)
    return {
        "home": html_pages.render_home(replace(DAY, frame=frame), LINKS),
        "incident": html_pages.render_incident(frame, INCIDENT, LINKS),
        "component": html_pages.render_component(frame, view, LINKS),
        "history": html_pages.render_history(frame, samples.MONTH, LINKS),
    }


def written(tree: HtmlElement) -> Iterator[tuple[str, str]]:
    """Each of the company's words in the body, with the language that it is said to be in."""
    for text in tree.xpath("//body//text()[not(ancestor::script or ancestor::title)]"):
        if any(word in text for word in WRITTEN):
            yield str(text), text.getparent().xpath("string(ancestor-or-self::*[@lang][1]/@lang)")


@pytest.mark.parametrize("page", ["home", "incident", "component", "history"])
def test_the_company_s_words_say_their_own_language(page: str) -> None:
    found = list(written(html.fromstring(rendered("ja")[page])))

    assert found
    assert [text for text, language in found if language != "en"] == []


def test_in_the_page_s_own_language_nothing_more_is_said() -> None:
    assert [
        name for name, text in rendered("").items() if "<bdi lang" in text or '" lang="en">' in text
    ] == []
