"""Marked texts come out as if they stood there in English, and the admin's domain has them all."""

import pytest
from jinja2 import DictLoader, Environment, StrictUndefined
from markupsafe import Markup

from statuspage.admin.marked_texts import _, compile_in_english, forms, ngettext
from tests.translations import extract, extract_admin


@pytest.fixture
def environment() -> Environment:
    made = Environment(autoescape=True, undefined=StrictUndefined, loader=DictLoader({}))
    compile_in_english(made)
    return made


@pytest.mark.parametrize(
    ("marked", "plain"),
    [
        ("{{ _('Save & close') }}", "{{ 'Save & close' }}"),
        ("{{ _('%(name)s: 100%%', name=name) }}", "{{ name ~ ': 100%' }}"),
        ("{% trans %}A <b>bold</b>\n   claim{% endtrans %}", "A <b>bold</b> claim"),
        ("{% trans who=name | upper %}By {{ who }}{% endtrans %}", "By {{ name | upper }}"),
        ("{% trans html=html %}By {{ html }}, 5%{% endtrans %}", "By {{ html }}, 5%"),
        ("{% trans num=2 %}{{ num }} day{% pluralize %}{{ num }} days{% endtrans %}", "2 days"),
        ("{% trans n=f(1) %}{{ n }} day{% pluralize %}{{ n }} days{% endtrans %}", "1 day"),
        ("{% trans num=1000 %}{{ num }} a{% pluralize %}{{ num }} b{% endtrans %}", "1,000 b"),
        ("{{ ngettext('%(num)s of %(name)s', '%(num)s', 1, name=name) }}", "1 of {{ name }}"),
        ("{% macro m(x) %}{{ x }}{% endmacro %}{{ m(_('A <b>')) }}", "A &lt;b&gt;"),
    ],
)
def test_a_marked_text_comes_out_as_if_it_stood_there(
    environment: Environment, marked: str, plain: str
) -> None:
    given = {"name": "<Kim>", "html": Markup("<i>Kim</i>"), "f": lambda number: number}
    shown = [environment.from_string(text).render(given) for text in (marked, plain)]
    assert shown[0] == shown[1]


def test_a_mark_leaves_nothing_to_do_when_a_screen_is_made(environment: Environment) -> None:
    made = environment.compile("{% trans %}Sent{% endtrans %} {{ _('Delivered') }}", raw=True)
    assert "yield 'Sent'\n    yield ' Delivered'" in made


def test_a_text_of_a_module_has_its_values() -> None:
    assert _("%(part)s of 100%%", part=7) == "7 of 100%"
    waiting = forms("%(num)s email waits", "%(num)s emails wait")
    said = [ngettext(*waiting, number) for number in (1, 1000)]
    assert said == ["1 email waits", "1,000 emails wait"]


def test_the_domain_of_the_admin_has_its_texts_and_their_placeholders() -> None:
    found = extract_admin()
    known = ("Sign out", "Keyboard shortcuts", "Show all %(post_count)s updates", "Dashboard")
    assert [text for text in known if text not in found] == []
    assert len(found) > 1800


def test_the_domain_of_the_page_has_none_of_the_texts_of_the_admin_alone() -> None:
    places = {place for message in extract() for place, _line in message.locations}
    assert [place for place in places if "admin" in place] == []
