"""The language of templates: what it refuses, where it says so, and what it makes."""

from __future__ import annotations

import pytest

from statuspage.core.enums import Audience
from statuspage.messages import template_language as templates
from statuspage.messages.template_language import (
    TemplateFault,
    TemplateProblem,
    find_problems,
    render,
)
from statuspage.messages.template_variables import variables_for
from statuspage.messages.wording import check

VARIABLES = variables_for(Audience.PUBLIC)

HOSTILE = {
    "an attribute": "{{ title.__class__ }}",
    "the way to all classes": "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "an attribute by filter": "{{ title|attr('__class__') }}",
    "an attribute by subscript": "{{ title['__class__'] }}",
    "a format string": "{{ '{0.__class__}'.format(title) }}",
    "the format filter": "{{ '%99999999d'|format(1) }}",
    "a percent format": "{{ '%0999999999d' % 1 }}",
    "a wide field": "{{ title|center(999999999) }}",
    "a long loop": "{% for i in range(999999999) %}x{% endfor %}",
    "loops in loops": "{% for a in components %}{% for b in components %}x{% endfor %}{% endfor %}",
    "a recursive loop": "{% for a in components recursive %}{{ loop(components) }}{% endfor %}",
    "a loop over text": "{% for a in title %}x{% endfor %}",
    "joining in a loop": "{% for c in component_names %}{{ component_names|join }}{% endfor %}",
    "repeated text": "{{ 'a' * 999999999 }}",
    "a tower of powers": "{{ 9**9**9**9 }}",
    "a number of 9,000 digits": "{{ " + "9" * 9000 + " }}",
    "a number of 13 digits": "{{ 9999999999999 }}",
    "a fraction": "{{ 1.5 }}",
    "text put together": "{{ title ~ title ~ title }}",
    "a variable": "{% set a = 'x' %}{{ a }}",
    "a namespace": "{% set a = namespace(b='x') %}",
    "a macro that calls itself": "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
    "a block that calls itself": "{% block a %}{{ self.a() }}{% endblock %}",
    "a call block": "{% call title() %}{% endcall %}",
    "another file": "{% include '/etc/passwd' %}",
    "another module": "{% import 'os' as os %}",
    "another template": "{% extends 'layout.html' %}",
    "globals": "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
    "the settings": "{{ config }}",
    "the request": "{{ request.application }}",
    "bytes": "{{ b'a' }}",
    "encoding": "{{ title.encode('utf-16') }}",
    "filler text": "{{ lipsum(n=100000) }}",
    "5,000 brackets": "{{ " + "(" * 4900 + "1" + ")" * 4900 + " }}",
    "9,000 open lists": "{{ " + "[" * 9000 + " }}",
    "2,400 times not": "{{ " + "not " * 2400 + "1 }}",
    "500 choices in one": "{{ " + "title if title else " * 450 + "title }}",
    "1,600 filters in a row": "{{ title" + "|upper" * 1600 + " }}",
    "70 conditions in each other": "{% if title %}" * 70 + "x" + "{% endif %}" * 70,
    "900 words": "{{ title }}" * 900,
    "10,001 characters": "x" * 10_001,
    "a list": "{{ [1, 2, 3] }}",
    "a dictionary": "{{ {'a': 1} }}",
    "a slice": "{{ title[::-1] }}",
    "a test": "{{ title is defined }}",
    "an order": "{{ title < 'x' }}",
    "a filter over a block": "{% filter upper %}a{% endfilter %}",
    "a scope": "{% with a=1 %}{{ a }}{% endwith %}",
    "escaping switched off": "{% autoescape false %}{{ title }}{% endautoescape %}",
    "an unpacking loop": "{% for a, b in components %}{% endfor %}",
    "an unpacking call": "{{ title(*components) }}",
    "an unknown tag": "{% do title.x() %}",
    "an open comment": "{#" * 4000,
    "an open string": "{{ '" + "\\" * 9000 + " }}",
    "open tags": "{% if " * 140,
    "a list shown": "{{ components }}",
    "a list shown in disguise": "{{ components or title }}",
    "a list filtered": "{{ (components or title)|upper }}",
    "a row shown": "{% for part in components %}{{ part }}{% endfor %}",
    "a row's method": "{% for part in components %}{{ part.items }}{% endfor %}",
    "yes or no shown": "{{ again }}",
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_template_is_refused_with_its_place(body: str) -> None:
    problem = check("public/resolved", "Resolved", body)[0]

    assert (problem.field, problem.line) == ("body", 1)
    assert 1 <= problem.column <= len(body)
    assert problem.reason


# The rest shows only when it runs.
RUN_TO_BE_SEEN = {"a list shown in disguise"}


@pytest.mark.parametrize("name", [name for name in HOSTILE if name not in RUN_TO_BE_SEEN])
def test_a_hostile_template_is_never_compiled(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def compiled(source: str) -> None:
        raise AssertionError(f"{source[:80]} was compiled")

    monkeypatch.setattr(templates, "_compiled", compiled)
    problems = find_problems(HOSTILE[name], VARIABLES, elsewhere={})

    assert problems != []


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        (
            "Hello\n{{ titel }}",
            TemplateProblem(2, 4, "“titel” is no known word; did you mean “title”?"),
        ),
        (
            "titel: {{ title }} {{ titel }}",
            TemplateProblem(1, 23, "“titel” is no known word; did you mean “title”?"),
        ),
        (
            "{% if title %}\n\n  {{ nothing_like_it }}\n{% endif %}",
            TemplateProblem(3, 6, "“nothing_like_it” is no known word"),
        ),
        (
            "{{ title|uper }}",
            TemplateProblem(1, 10, "“uper” is no known filter; did you mean “upper”?"),
        ),
        ("{{ title }}\n{% if title %}", TemplateProblem(2, 1, "“if” is never closed")),
        (
            "{% for part in components %}{{ part.stat }}{% endfor %}",
            TemplateProblem(1, 37, "“part” has no part “stat”; it has name and status"),
        ),
        (
            "{% for title in components %}{% endfor %}",
            TemplateProblem(1, 8, "“title” is a word already; name the item otherwise"),
        ),
    ],
)
def test_a_mistake_is_named_with_its_line_and_column(source: str, problem: TemplateProblem) -> None:
    assert find_problems(source, VARIABLES, elsewhere={}) == [problem]


def test_every_unknown_word_is_named_in_reading_order() -> None:
    problems = find_problems("{{ one }} {{ title }}\n{{ two }} {{ one }}", VARIABLES, elsewhere={})

    assert [(p.line, p.column, p.reason) for p in problems] == [
        (1, 4, "“one” is no known word"),
        (2, 4, "“two” is no known word"),
        (2, 14, "“one” is no known word"),
    ]


@pytest.mark.parametrize("name", ["public/resolved", "customer/resolved"])
def test_an_internal_word_is_refused_as_one(name: str) -> None:
    problems = check(name, "Resolved", "Thanks to {{ commander }}.")

    reason = "“commander” is an internal fact: it does not exist for this audience"
    assert problems == [TemplateProblem(1, 14, reason)]


def test_a_word_of_customers_mail_is_refused_elsewhere_as_one() -> None:
    problems = check("public/resolved", "Resolved", "Hello {{ name }}")

    reason = "“name” is a word of customers' mail: it does not exist for this audience"
    assert problems == [TemplateProblem(1, 10, reason)]


def test_conditions_loops_and_filters_render() -> None:
    source = (
        "{% if again and not still %}{{ title|upper }}{% elif still %}?{% else %}no{% endif %}\n"
        "{% for part in components %}\n"
        "- {{ part.name }}: {{ part.status }}\n"
        "{% endfor %}\n"
        "{{ component_names|join(', ') }} {{ 'a' if title == 'Down' else 'b' }}"
    )
    values = {
        "again": True,
        "still": False,
        "title": "Down",
        "components": [{"name": "Auth", "status": "Out"}, {"name": "Shop", "status": "Slow"}],
        "component_names": ["Auth", "Shop"],
    }

    assert find_problems(source, VARIABLES, elsewhere={}) == []
    assert render(source, values) == ("DOWN\n- Auth: Out\n- Shop: Slow\nAuth, Shop a", ())


def test_a_line_of_blocks_alone_is_no_line_of_the_text() -> None:
    source = "a\n  {% if title %}\nb\n  {% endif %}\nc {% if title %}d{% endif %}\ne"

    assert render(source, {"title": "x"})[0] == "a\nb\nc d\ne"


def test_an_empty_word_leaves_its_name_and_a_question_is_kept() -> None:
    source = "{{ title }}{% if cause %}{{ cause }}{% endif %}{{ action or 'none' }}"

    text, asked = render(source, {"title": "", "cause": "", "action": ""})

    assert (text, asked) == ("[[title]]none", ("cause", "action"))


def test_a_text_that_grows_without_end_is_cut_off() -> None:
    source = "{% for part in components %}" + "y" * 5000 + "{% endfor %}"
    values = {"components": [{"name": "Auth", "status": "Out"}] * 60}

    with pytest.raises(TemplateFault, match="grows past 50,000 characters"):
        render(source, values)


@pytest.mark.parametrize("source", ["{{ missing }}", "{{ range(9) }}", "{{ title.__class__ }}"])
def test_what_was_never_checked_fails_in_the_sandbox_too(source: str) -> None:
    with pytest.raises(TemplateFault):
        render(source, {"title": "Down"})
