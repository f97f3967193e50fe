"""Whatever the admin says is marked for a catalogue: in its templates and in its modules."""

import ast
import re
from collections.abc import Iterator

import pytest
from jinja2 import Environment, nodes

from statuspage.admin.marked_texts import compile_in_english
from tests.guards.source import ROOT, Source, sources

LETTERS = re.compile(r"[A-Za-z]{2,}")
JINJA = re.compile(
    r"""{%[-+]? *trans\b.*?endtrans *[-+]?%}|{%.*?%}|{{(?:"[^"]*"|'[^']*'|.)*?}}""", re.DOTALL
)
UNSAID = re.compile(r"{#.*?#}|<style>.*?</style>|<(kbd|code|pre)\b.*?</\1>|&\w+;", re.DOTALL)
READ_ALOUD = re.compile(
    r"""\s(?:title|aria-label|placeholder|alt|data-(?:label|overdue))=("[^"]*"|'[^']*')"""
)
# What a template or a module says in words begins with a capital, or has several of them.
WORDS = re.compile(r"^\W*[A-Z][a-z]|[a-z]{2,} \S*[a-z]{2,}")
# Text that is none, by what it is given to.
NO_TEXT = {"class", "kind"}
CLASSES = {"quiet small"}
MARKS = {"_", "N_", "gettext", "ngettext", "forms"}
# What says something to people, besides the fields of a form.
SPEAKERS = {
    "flash", "done", "refused", "refuse", "Invalid", "Needed", "MenuItem", "asks_for_second",
    "ValidationError", "StopValidation", "ValueError",
}  # fmt: skip


def unmarked_texts(template: str) -> Iterator[str]:
    """What stands in the open in a template: words between tags, and in what is read aloud."""
    source = JINJA.sub("\0", UNSAID.sub("", template))
    read_aloud = [value[1:-1] for value in READ_ALOUD.findall(source)]
    between = re.split(r"""<[/!]?[a-zA-Z](?:"[^"]*"|'[^']*'|[^>"'])*>""", source)
    for text in [*between, *read_aloud]:
        yield from (" ".join(part.split()) for part in text.split("\0") if LETTERS.search(part))


def unmarked_literals(environment: Environment, template: str) -> Iterator[str]:
    """The words in a template's expressions that no mark is around."""
    waiting: list[nodes.Node] = [environment.parse(template)]
    while waiting:
        node = waiting.pop()
        if isinstance(node, nodes.Const) and isinstance(node.value, str):
            if WORDS.search(node.value) and node.value not in CLASSES:
                yield node.value
            continue
        if isinstance(node, nodes.Call) and getattr(node.node, "name", "") in MARKS:
            waiting += node.kwargs  # what is put into the text
        elif not isinstance(node, nodes.Keyword) or node.key not in NO_TEXT:
            waiting += [each for each in node.iter_child_nodes() if not _is_compared(node, each)]


def _is_compared(node: nodes.Node, part: nodes.Node) -> bool:
    """Whether it is only asked for: ``"Radio" in field.type``."""
    return isinstance(node, nodes.Compare | nodes.Operand) and isinstance(part, nodes.Const)


def unmarked_in_module(source: Source) -> list[str]:
    """The labels, notices and refusals of a module that no mark is around."""
    return [
        f"{source.path}:{found.lineno}"
        for node in source.nodes
        if isinstance(node, ast.Call) and _says_something(node)
        for given in [*node.args, *(pair.value for pair in node.keywords)]
        for found in _texts(given)
    ]


def _says_something(call: ast.Call) -> bool:
    name = getattr(call.func, "id", None) or getattr(call.func, "attr", "")
    return name.endswith("Field") or name in SPEAKERS


def _texts(node: ast.AST) -> Iterator[ast.expr]:
    if isinstance(node, ast.Call) and getattr(node.func, "id", "") in MARKS:
        return
    if isinstance(node, ast.Constant | ast.JoinedStr):
        parts = node.values if isinstance(node, ast.JoinedStr) else [node]
        texts = [part.value for part in parts if isinstance(part, ast.Constant)]
        written = "".join(text for text in texts if isinstance(text, str))
        if WORDS.search(written):
            yield node
        return
    for child in ast.iter_child_nodes(node):
        yield from _texts(child)


@pytest.fixture(scope="module")
def environment() -> Environment:
    made = Environment(autoescape=True)
    compile_in_english(made)
    return made


def test_every_text_of_an_admin_template_is_marked(environment: Environment) -> None:
    files = sorted((ROOT / "templates" / "admin").glob("*.html"))
    templates = {file.name: file.read_text(encoding="utf-8") for file in files}
    found = {
        name: [*unmarked_texts(text), *unmarked_literals(environment, text)]
        for name, text in templates.items()
    }
    assert {name: texts for name, texts in found.items() if texts} == {}


def test_no_marked_block_stands_where_spaces_count() -> None:
    # A marked block's lines are joined.
    in_pre = re.compile(r"<(pre|textarea)\b(?:(?!</\1>).)*{%[-+]? *trans", re.DOTALL)
    files = sorted((ROOT / "templates" / "admin").glob("*.html"))
    assert [file.name for file in files if in_pre.search(file.read_text(encoding="utf-8"))] == []


def test_every_label_notice_and_refusal_of_the_admin_is_marked() -> None:
    modules = [one for one in sources() if one.room == "admin"]
    assert [place for source in modules for place in unmarked_in_module(source)] == []


def test_the_guard_sees_what_was_forgotten_in_a_template(environment: Environment) -> None:
    planted = """
        {# Said nowhere. #}<p class="Red card">{% trans who=name %}By {{ who }}{% endtrans %}
        {{ name }} and <b>more</b></p>
        <input aria-label="Forgotten label" title="{{ _('Marked') }}" value="3">
        {% call ui.card("Forgotten title", class="card wide") %}{{ _("Marked") }}{% endcall %}
        {{ ui.act(url, _("In %(zone)s", zone="Forgotten zone"), "quiet") if "Radio" in name }}
        {{ name ~ " is forgotten" }}
    """
    assert list(unmarked_texts(planted)) == ["and", "more", "Forgotten label"]
    assert sorted(unmarked_literals(environment, planted)) == [
        " is forgotten",
        "Forgotten title",
        "Forgotten zone",
    ]


def test_the_guard_sees_what_was_forgotten_in_a_module() -> None:
    planted = """
title = NameField(N_("Title"), needed="Enter a title")
state = SelectField(N_("State"), choices={"a": "First", "b": N_("Second")})
key = StringField(N_("Key"), description=f"{count} are left", name="key", is_needed=True)
def save():
    form.refuse("title", f"Use at most {most} characters")
    return done(_("Saved by %(name)s.", name=name), "admin.page", code=code)
"""
    assert unmarked_in_module(Source("x.py", planted)) == ["x.py:2", "x.py:3", "x.py:4", "x.py:6"]
