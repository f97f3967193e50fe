"""The admin's texts: every one is marked for a catalogue, and English until there is one.

Templates mark with ``{% trans %}`` and ``_()``, modules with ``_()`` and ``ngettext()``, and with
``N_()`` what is said later.  Marked texts are format strings: ``%(name)s`` is a value, ``%%`` a
percent sign.  A template is compiled as if the English text stood in the place of each mark, so
marks cost nothing when a screen is made.
"""

from __future__ import annotations

import re
from typing import Final

from jinja2 import Environment, nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.visitor import NodeTransformer

_PLACE: Final = re.compile(r"%\((\w+)\)s")


def _(text: str, /, **values: object) -> str:
    """The text with its values."""
    return text % values


def ngettext(one: str, many: str, num: int, /, **values: object) -> str:
    """The text that goes with a number of things, which it names as ``%(num)s``: 1,000."""
    return (one if num == 1 else many) % {"num": f"{num:,}", **values}


def forms(one: str, many: str) -> tuple[str, str]:
    """Mark the two texts of an :func:`ngettext` that is called later."""
    return one, many


def compile_in_english(environment: Environment) -> None:
    """Have templates understand the marks; none may have been compiled yet."""
    environment.add_extension("jinja2.ext.i18n")
    environment.newstyle_gettext = True  # type: ignore[attr-defined]
    environment.policies["ext.i18n.trimmed"] = True
    environment.code_generator_class = _InEnglish


class _InEnglish(CodeGenerator):
    def visit_Template(self, node: nodes.Template, frame: Frame | None = None) -> None:  # noqa: N802
        _Unmarked().visit(node)
        super().visit_Template(node, frame)


class _Unmarked(NodeTransformer):
    """Puts the English text in the place of each mark, as if it had been written there."""

    def visit_Output(self, node: nodes.Output) -> nodes.Node:  # noqa: N802
        match node.nodes:
            # What a block is parsed into: its text has markup.
            case [nodes.Call(node=nodes.Name(name="gettext" | "ngettext")) as call]:
                self.generic_visit(call)
                said = [
                    nodes.Output(parts, lineno=node.lineno)
                    for parts in _forms(call, nodes.TemplateData)
                ]
                if len(said) == 1:
                    return said[0]
                return nodes.If(_is_one(call), said[:1], [], said[1:], lineno=node.lineno)
        return self.generic_visit(node)

    def visit_Call(self, node: nodes.Call) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        match node.node:
            case nodes.Name(name="_" | "ngettext"):
                said = [nodes.Concat(parts) for parts in _forms(node, nodes.Const)]
                return said[0] if len(said) == 1 else nodes.CondExpr(_is_one(node), *said)
        return node


def _is_one(call: nodes.Call) -> nodes.Expr:
    return nodes.Compare(call.args[2], [nodes.Operand("eq", nodes.Const(1))])


def _forms(
    call: nodes.Call, written: type[nodes.Const] | type[nodes.TemplateData]
) -> list[list[nodes.Expr]]:
    """The text, or that for one and that for many, cut at the places of the call's values."""
    texts = [text.value for text in call.args[:2] if isinstance(text, nodes.Const)]
    values = {pair.key: pair.value for pair in call.kwargs}
    if len(texts) > 1:
        number = nodes.Getattr(nodes.Const("{:,}"), "format", "load")
        values["num"] = nodes.Call(number, [call.args[2]], [], None, None)
    return [
        [
            values[piece] if at % 2 else written(piece.replace("%%", "%"))
            for at, piece in enumerate(_PLACE.split(text))
            if piece
        ]
        for text in texts
    ]
