"""The small language of message templates, and its limits.

A template is Jinja, read through a short list of what is allowed: words, ``if`` and ``for``,
``and``/``or``/``not``, ``==`` and ``!=``, a few filters.  Everything else is refused by name, with
its place, before anything is compiled; so nothing that can call, compute, import or nest without
end ever runs.  What is left runs in Jinja's immutable sandbox, over plain values, into a bounded
text.  A word that is empty is a :class:`Gap`: it remembers that a text needed it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import lru_cache
from typing import Any

from jinja2 import Environment, StrictUndefined, Template, TemplateSyntaxError, Undefined, nodes
from jinja2.meta import find_undeclared_variables
from jinja2.sandbox import ImmutableSandboxedEnvironment

from statuspage.messages.facts import FactKind
from statuspage.messages.template_variables import TemplateVariable, Value
from statuspage.messages.tokens import token

SOURCE_LIMIT = 10_000
OUTPUT_LIMIT = 50_000
SUBJECT_LIMIT = 500
TAG_LIMIT = 150
SIGN_LIMIT = 700
NODE_LIMIT = 800
DEPTH_LIMIT = 24
PROBLEM_LIMIT = 20

FILTERS = ("capitalize", "default", "join", "lower", "trim", "upper")

_KNOWN = (
    "a template knows words, if, for, and, or, not, ==, != "
    f"and the filters {', '.join(FILTERS[:-1])} and {FILTERS[-1]}"
)
# What an unwelcome part of Jinja is called, and the sign that marks it in the source.
_FOREIGN: dict[str, tuple[str, str]] = {
    "Add": ("arithmetic", "+"),
    "Sub": ("arithmetic", "-"),
    "Mul": ("arithmetic", "*"),
    "Div": ("arithmetic", "/"),
    "FloorDiv": ("arithmetic", "//"),
    "Mod": ("arithmetic", "%"),
    "Pow": ("arithmetic", "**"),
    "Neg": ("arithmetic", "-"),
    "Pos": ("arithmetic", "+"),
    "Concat": ("joining with ~", "~"),
    "Call": ("a call", "("),
    "Getitem": ("looking something up with [ ]", "["),
    "List": ("a list", "["),
    "Tuple": ("a list", ","),
    "Dict": ("a dictionary", "{"),
    "Test": ("a test with “is”", "is"),
    "Assign": ("set", "set"),
    "AssignBlock": ("set", "set"),
    "Macro": ("macro", "macro"),
    "CallBlock": ("call", "call"),
    "FilterBlock": ("filter", "filter"),
    "Block": ("block", "block"),
    "Extends": ("extends", "extends"),
    "Include": ("include", "include"),
    "Import": ("import", "import"),
    "FromImport": ("import", "from"),
    "With": ("with", "with"),
    "Scope": ("autoescape", "autoescape"),
}


_BLOCKS_ALONE = re.compile(r"^[ \t]*((?:\{%(?:(?!%\}).)*%\}[ \t]*)+)(?:\n|\Z)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class TemplateProblem:
    """Why a template cannot be used, and where: line and column count from 1.

    ``field`` is ``subject`` or ``body``.
    """

    line: int
    column: int
    reason: str
    field: str = "body"


class TemplateFault(Exception):
    """A template did not render; the text says why, for the log and the incident screen."""


class Gap(Undefined):
    """A fact that nobody has entered yet.

    Written into a text it leaves its name as a token that nothing fills, so that the text cannot go
    out; asked about in an ``if`` it is false, and the question is kept in ``asked``.
    """

    __slots__ = ("_asked",)

    def __init__(self, name: str, asked: list[str]) -> None:
        super().__init__(name=name)
        self._asked = asked

    def __str__(self) -> str:
        return token(str(self._undefined_name))

    def __bool__(self) -> bool:
        name = str(self._undefined_name)
        if name not in self._asked:
            self._asked.append(name)
        return False


def _shown(value: Any) -> Any:
    if isinstance(value, str | int | Undefined) and not isinstance(value, bool):
        return value
    raise TemplateFault("a list or a yes-or-no word cannot be shown: use it in “for” or “if”")


def _sandbox() -> ImmutableSandboxedEnvironment:
    # StrictUndefined: a word that does not exist here must fail, not vanish from a message.
    made = ImmutableSandboxedEnvironment(
        autoescape=False, undefined=StrictUndefined, finalize=_shown
    )
    made.globals.clear()
    made.tests.clear()
    made.filters = {name: made.filters[name] for name in FILTERS}
    return made


_environment = _sandbox()
_lexer = Environment(autoescape=False)  # noqa: S701 - only ever reads where things stand


def render(
    source: str, values: Mapping[str, Value], *, limit: int | None = OUTPUT_LIMIT
) -> tuple[str, tuple[str, ...]]:
    """The text of a checked template, and the empty words that it asked about and did without.

    Raises :class:`TemplateFault` where it fails or grows past ``limit`` characters; None is for
    wording that is shipped, which must not fail because an incident has many updates.
    """
    asked: list[str] = []
    context: dict[str, Any] = {
        name: Gap(name, asked) if value == "" or value == [] else value
        for name, value in values.items()
    }
    pieces: list[str] = []
    size = 0
    try:
        for piece in _compiled(source).generate(context):
            pieces.append(piece)
            size += len(piece)
            if limit is not None and size > limit:
                raise TemplateFault(f"it grows past {limit:,} characters")
    except TemplateFault:
        raise
    except Exception as error:
        # Whatever a template does must not cost the message: the caller has another wording.
        raise TemplateFault(str(error) or type(error).__name__) from error
    return "".join(pieces), tuple(asked)


@lru_cache(maxsize=256)
def words_in(source: str) -> frozenset[str]:
    """The variables that a checked template asks for; :class:`TemplateFault` where it fails."""
    try:
        return frozenset(find_undeclared_variables(_environment.parse(source)))
    except TemplateSyntaxError as error:
        raise TemplateFault(_plain_reason(error)) from error


@lru_cache(maxsize=256)
def _compiled(source: str) -> Template:
    # A line that holds nothing but blocks is no line of the text.
    return _environment.from_string(_BLOCKS_ALONE.sub(r"\1", source))


def find_problems(
    source: str,
    variables: Mapping[str, TemplateVariable],
    *,
    elsewhere: Mapping[str, TemplateVariable],
) -> list[TemplateProblem]:
    """What keeps ``source`` from being a template over ``variables``; compiles and runs nothing.

    ``elsewhere`` are variables that exist for another audience only, so that this can be said.
    """
    if len(source) > SOURCE_LIMIT:
        return [_past_limit(source)]
    tags = [found.start() for found in re.finditer(r"{[{%]", source)]
    if len(tags) > TAG_LIMIT:
        return [_at(source, tags[TAG_LIMIT], f"more than {TAG_LIMIT} words and blocks")]
    try:
        # Reading is cheap and lazy, parsing is not: a hostile source ends here.
        if any(count > SIGN_LIMIT for count, _ in enumerate(_signs(source))):
            return [TemplateProblem(1, 1, "the template does too much; make it shorter")]
        tree = _environment.parse(source)
    except TemplateSyntaxError as error:
        return [_Places(source).first(error.lineno, _plain_reason(error))]
    except RecursionError:
        return [TemplateProblem(1, 1, "it is nested too deeply")]
    except (ValueError, OverflowError):
        return [TemplateProblem(1, 1, "it holds a number or text that cannot be read")]
    return _TemplateReader(source, variables, elsewhere).read(tree)


def _signs(source: str) -> Iterator[str]:
    """The words and signs between brackets, one at a time."""
    for _, kind, text in _environment.lexer.tokeniter(source, None):
        if kind not in _TEXT:
            yield text


def _past_limit(source: str) -> TemplateProblem:
    return _at(source, SOURCE_LIMIT, f"longer than {SOURCE_LIMIT:,} characters")


def _at(source: str, offset: int, reason: str) -> TemplateProblem:
    before = source[:offset]
    return TemplateProblem(before.count("\n") + 1, offset - before.rfind("\n"), reason)


def _plain_reason(error: TemplateSyntaxError) -> str:
    reason = (error.message or "it cannot be read").rstrip(".")
    unknown = re.match(r"Encountered unknown tag '(.{1,40})'", reason)
    if unknown:
        return f"“{unknown[1]}” cannot be used: {_KNOWN}"
    unclosed = re.search(r"innermost block that needs to be closed is '(\w+)'", reason)
    if unclosed:
        return f"“{unclosed[1]}” is never closed"
    return reason[:1].lower() + reason[1:300]


_TEXT = {"data", "whitespace", "raw_begin", "raw_end", "comment"}


class _Places:
    """Where signs are in a source: line by line, each found once, in reading order."""

    def __init__(self, source: str) -> None:
        self._by_line: dict[int, list[tuple[str, int]]] = {}
        line, column = 1, 1
        try:
            for _, kind, text in _lexer.lex(source):
                if kind not in _TEXT:
                    self._by_line.setdefault(line, []).append((text, column))
                breaks = text.count("\n")
                line += breaks
                column = len(text) - text.rfind("\n") if breaks else column + len(text)
        except TemplateSyntaxError:
            pass  # what was read until here is all there is to point at

    def first(self, line: int, reason: str, sign: str = "") -> TemplateProblem:
        """A problem at ``sign`` on that line; at the line's first tag where it is not found."""
        signs = self._by_line.get(line, [])
        for place, (text, column) in enumerate(signs):
            if text == sign:
                del signs[place]
                return TemplateProblem(line, column, reason)
        return TemplateProblem(line, signs[0][1] if signs else 1, reason)


@dataclass(slots=True)
class _TemplateReader:
    """Reads a syntax tree and notes everything that is not on the list."""

    source: str
    variables: Mapping[str, TemplateVariable]
    elsewhere: Mapping[str, TemplateVariable]
    problems: list[TemplateProblem] = field(default_factory=list)
    _places: _Places | None = None

    def read(self, tree: nodes.Template) -> list[TemplateProblem]:
        # Breadth in a list instead of recursion: a hostile tree is deeper than Python's stack.
        waiting: list[tuple[nodes.Node, int, Mapping[str, TemplateVariable]]] = [(tree, 0, {})]
        seen = 0
        while waiting and len(self.problems) < PROBLEM_LIMIT:
            node, depth, rows = waiting.pop()
            seen += 1
            if seen > NODE_LIMIT:
                self._note(node, "the template does too much; make it shorter")
                break
            if depth > DEPTH_LIMIT:
                self._note(node, "it is nested too deeply")
                break
            children = list(self._children(node, rows))
            waiting += [(child, depth + 1, known) for child, known in reversed(children)]
        return sorted(self.problems, key=lambda problem: (problem.line, problem.column))

    def _children(
        self, node: nodes.Node, rows: Mapping[str, TemplateVariable]
    ) -> Iterator[tuple[nodes.Node, Mapping[str, TemplateVariable]]]:
        """What to read next: nothing below a node that is refused as a whole."""
        if isinstance(node, nodes.For):
            yield from self._loop(node, rows)
            return
        if isinstance(node, nodes.Name):
            self._name(node, rows)
            return
        if isinstance(node, nodes.Getattr):
            self._part(node, rows)
            return
        if not self._is_welcome(node, rows):
            return
        if isinstance(node, nodes.Output | nodes.Filter):
            self._use(node, rows)
        for child in node.iter_child_nodes():
            yield child, rows

    def _is_welcome(self, node: nodes.Node, rows: Mapping[str, TemplateVariable]) -> bool:
        if isinstance(node, _PLAIN):
            return True
        if isinstance(node, nodes.Const):
            return self._constant(node)
        if isinstance(node, nodes.Filter):
            return self._filter(node, rows)
        if isinstance(node, nodes.Operand):
            if node.op in {"eq", "ne"}:
                return True
            return self._note(node, f"only == and != compare: {_KNOWN}")
        what, sign = _FOREIGN.get(type(node).__name__, (type(node).__name__.lower(), ""))
        return self._note(node, f"{what} cannot be used: {_KNOWN}", sign)

    def _name(self, node: nodes.Name, rows: Mapping[str, TemplateVariable]) -> None:
        if node.name in self.variables or node.name in rows:
            return
        if node.name in self.elsewhere:
            variable = self.elsewhere[node.name]
            whose = "an internal fact" if variable.internal else "a word of customers' mail"
            reason = f"“{node.name}” is {whose}: it does not exist for this audience"
        else:
            reason = f"“{node.name[:40]}” is no known word{self._suggestion(node.name, rows)}"
        self._note(node, reason, node.name)

    def _suggestion(self, name: str, rows: Mapping[str, TemplateVariable]) -> str:
        if len(name) > 40:
            return ""
        near = get_close_matches(name.lower(), [*self.variables, *rows], n=1)
        return f"; did you mean “{near[0]}”?" if near else ""

    def _part(self, node: nodes.Getattr, rows: Mapping[str, TemplateVariable]) -> None:
        owner = node.node.name if isinstance(node.node, nodes.Name) else ""
        if isinstance(node.node, nodes.Name) and owner not in rows and owner not in self.variables:
            self._name(node.node, rows)
        elif owner not in rows:
            self._note(node, f"“.{node.attr[:40]}”: only an item of a list has parts", node.attr)
        elif node.attr not in rows[owner].keys:
            parts = " and ".join(rows[owner].keys) or "none"
            self._note(node, f"“{owner}” has no part “{node.attr[:40]}”; it has {parts}", node.attr)

    def _use(self, node: nodes.Output | nodes.Filter, rows: Mapping[str, TemplateVariable]) -> None:
        """Only text can be shown and filtered; a list of names can be joined."""
        joins = isinstance(node, nodes.Filter) and node.name == "join"
        for value in _used(node):
            if joins and not self._is_of_kind(value, FactKind.LINES):
                self._note(node, "“join” takes a list of names", "join")
            elif isinstance(node, nodes.Filter) and not isinstance(value, _FILTERED):
                self._note(node, "a filter takes one word", node.name)
            elif isinstance(value, nodes.Name) and value.name in rows:
                if rows[value.name].keys:
                    self._note(value, f"say which part of “{value.name}” to show", value.name)
            elif not joins and self._is_of_kind(value, FactKind.LINES, FactKind.ROWS):
                name = getattr(value, "name", "")
                self._note(value, f"“{name}” is a list: use it in “for”", name)
            elif self._is_of_kind(value, FactKind.FLAG):
                name = getattr(value, "name", "")
                self._note(value, f"“{name}” is yes or no: use it in “if”", name)

    def _is_of_kind(self, node: nodes.Node | None, *kinds: FactKind) -> bool:
        name = node.name if isinstance(node, nodes.Name) else ""
        return name in self.variables and self.variables[name].kind in kinds

    def _constant(self, node: nodes.Const) -> bool:
        if isinstance(node.value, str | bool) or node.value is None:
            return True
        if isinstance(node.value, int) and abs(node.value) < 1_000_000:
            return True
        return self._note(node, "only text and small whole numbers can stand in a template")

    def _filter(self, node: nodes.Filter, rows: Mapping[str, TemplateVariable]) -> bool:
        if node.name not in FILTERS:
            near = get_close_matches(node.name[:40], FILTERS, n=1)
            hint = f"did you mean “{near[0]}”?" if near else f"there are {', '.join(FILTERS)}"
            reason = f"“{node.name[:40]}” is no known filter; {hint}"
            return self._note(node, reason, node.name)
        most = 1 if node.name in {"join", "default"} else 0
        if node.kwargs or node.dyn_args or node.dyn_kwargs or len(node.args) > most:
            return self._note(
                node, f"“{node.name}” takes {most or 'no'} value in brackets", node.name
            )
        if node.name == "join" and rows:
            return self._note(node, "“join” cannot stand inside a loop", node.name)
        return True

    def _loop(
        self, node: nodes.For, rows: Mapping[str, TemplateVariable]
    ) -> Iterator[tuple[nodes.Node, Mapping[str, TemplateVariable]]]:
        if rows:
            self._note(node, "a loop cannot stand inside a loop", "for")
            return
        if node.recursive or node.test is not None:
            self._note(node, "a loop is only “for item in a list”", "for")
            return
        listed = node.iter.name if isinstance(node.iter, nodes.Name) else ""
        if not isinstance(node.target, nodes.Name) or (
            listed in self.variables
            and self.variables[listed].kind not in {FactKind.LINES, FactKind.ROWS}
        ):
            self._note(node, "a loop is only “for item in a list”", "for")
            return
        if not listed:
            self._note(node, "a loop goes only over a list among the words", "for")
            return
        name = node.target.name
        if name in self.variables or name in self.elsewhere:
            self._note(node, f"“{name}” is a word already; name the item otherwise", name)
            return
        yield node.iter, rows
        known = self.variables.get(listed)
        if known is None:
            return
        yield from ((child, {name: known}) for child in node.body)
        yield from ((child, rows) for child in node.else_)

    def _note(self, node: nodes.Node, reason: str, sign: str = "") -> bool:
        """Note a problem once; ``False``, so that a check can end with it."""
        if self._places is None:
            self._places = _Places(self.source)
        self.problems.append(self._places.first(node.lineno or 1, reason, sign))
        return False


def _used(node: nodes.Output | nodes.Filter) -> list[nodes.Expr]:
    if isinstance(node, nodes.Output):
        return node.nodes
    return [node.node] if node.node is not None else []


_FILTERED = (nodes.Name, nodes.Getattr, nodes.Filter, nodes.Const)
_PLAIN = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.If,
    nodes.CondExpr,
    nodes.And,
    nodes.Or,
    nodes.Not,
    nodes.Compare,
)
