"""Facts put into texts: what a person typed is data and stays what it was.

A template is Markdown, or plain text for chat, and a fact must not break out of its place in it.
So each value is written in the dialect of the text that it goes into, by what it is:

* a line (a title, a name) is escaped whole: it is shown exactly as typed;
* prose may hold simple Markdown: emphasis, code, links and lists.  It is read and written again in
  one canonical form, so that nothing in it (an open fence, a heading, a link's definition, half a
  pair of asterisks) can reach beyond itself;
* an address becomes an autolink, or nothing at all where it is no address.

No value can hold a token (:func:`statuspage.messages.tokens.disarm`), and none is ever read as a
template.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote

from markdown_it.token import Token

from statuspage.core import markdown, richtext
from statuspage.messages.facts import FactKind
from statuspage.messages.template_variables import Row, TemplateVariable, Value
from statuspage.messages.tokens import disarm

_SPECIAL = re.compile(
    r"[\\`*\[\]]"
    r"|(?<![^\W_])_|_(?![^\W_])"  # an underscore inside a word is only an underscore
    r"|~(?=~)|(?<=~)~"
    r"|<(?=[A-Za-z/!?])"
    r"|&(?=#?\w{1,31};)"
    r"|:(?=//)|(?<=mailto):",  # what is not a link already becomes none
    re.IGNORECASE,
)
_BLOCK_START = re.compile(r"#{1,6}(?=\s|$)|[-+](?=\s|$)|-(?=[-\s]*$)|=(?==*\s*$)|>")
_NUMBERED = re.compile(r"(\d{1,9})([.)])(?=\s|$)")
_MAIL = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*", re.ASCII)
_WEB = re.compile(r"https?://[^\s<>]+", re.IGNORECASE)
_BROADCAST = re.compile(r"@(?=everyone\b|here\b|channel\b|all\b)|<(?=[!@#]|https?:)", re.IGNORECASE)
_JOINER = "\u2060"
_URL_SAFE = ":/?#@!$&'()+,;=%~-._*[]"


def markdown_line(value: str) -> str:
    """A typed line inside Markdown, shown exactly as typed wherever on a line it stands."""
    return _escape(disarm(richtext.clean_line(value)))


@lru_cache(maxsize=512)
def markdown_prose(value: str) -> str:
    """Typed prose as canonical simple Markdown; headings and quotations become paragraphs.

    Where it begins or ends with a list, blank lines part that from the text around.
    """
    text = disarm(richtext.clean(value))
    written = _Writer().write(markdown.parse(text))
    if _Writer().write(markdown.parse(written)) == written:
        return written
    # Marks that a parser pairs in one place and not in another: then all of it is plain text.
    return "\n".join(map(_escape, text.split("\n")))


def markdown_address(value: str) -> str:
    """Mail and web addresses, joined by words, as autolinks; ``""`` where nothing is left."""
    first, *between = value.split() or [""]
    if len(between) < 2:
        return _autolink(value)
    word, second = " ".join(between[:-1]), between[-1]
    # Two addresses and the word between them, “or” in the text's language.
    linked = _autolink(first), _autolink(second)
    return f"{linked[0]} {word} {linked[1]}" if all(linked) and word.isalpha() else ""


def chat_line(value: str) -> str:
    """A typed line in chat: it calls nobody to attention and disguises no link."""
    return _BROADCAST.sub(lambda found: found[0] + _JOINER, disarm(richtext.clean_line(value)))


def chat_prose(value: str) -> str:
    """Typed prose in chat, as plain text; a list or more than one line starts on its own line."""
    text = disarm(richtext.to_text(richtext.clean(value)))
    lead = "\n" if "\n" in text else ""
    return lead + _BROADCAST.sub(lambda found: found[0] + _JOINER, text)


def subject_prose(value: str) -> str:
    """Typed prose on one line of plain text."""
    return disarm(richtext.first_line(richtext.clean(value)))


def subject_line(value: str) -> str:
    """A typed line as plain text."""
    return disarm(richtext.clean_line(value))


# What nobody typed: it holds nothing that could be taken for a mark.
_MADE_BY_US = frozenset(
    {FactKind.OURS, FactKind.MOMENT, FactKind.MINUTES, FactKind.LENGTH, FactKind.COUNT}
)


@dataclass(frozen=True, slots=True)
class Dialect:
    """How typed values are written into one kind of text."""

    line: Callable[[str], str]
    prose: Callable[[str], str]
    address: Callable[[str], str]

    def write(
        self, values: Mapping[str, Value], variables: Mapping[str, TemplateVariable]
    ) -> dict[str, Value]:
        """All values, made safe for this kind of text."""
        return {name: self._one(variables[name].kind, value) for name, value in values.items()}

    def _one(self, kind: FactKind, value: Value) -> Value:
        if isinstance(value, str):
            return self._text(kind, value)
        if isinstance(value, list):
            return [self._item(item) for item in value]  # type: ignore[return-value]
        return value

    def _text(self, kind: FactKind, value: str) -> str:
        if not value or kind in _MADE_BY_US:
            return value
        if kind is FactKind.PROSE:
            return self.prose(value)
        return self.address(value) if kind is FactKind.ADDRESS else self.line(value)

    def _item(self, item: str | Row) -> str | Row:
        if isinstance(item, str):
            return self.line(item)
        return {key: self.line(value) for key, value in item.items()}


MARKDOWN = Dialect(markdown_line, markdown_prose, markdown_address)
CHAT = Dialect(chat_line, chat_prose, chat_line)
SUBJECT = Dialect(subject_line, subject_prose, subject_line)


def _escape(text: str) -> str:
    """One line of plain text as Markdown that shows it."""
    return _escape_start(_SPECIAL.sub(r"\\\g<0>", text.strip()))


def _escape_start(line: str) -> str:
    """``line`` so that its first characters begin no heading, list, quotation or rule."""
    if _BLOCK_START.match(line):
        return "\\" + line
    return _NUMBERED.sub(r"\1\\\2", line, count=1)


def _autolink(value: str) -> str:
    value = richtext.clean_line(value).strip("<>")
    if _MAIL.fullmatch(value):
        return f"<{value}>"
    if _WEB.fullmatch(value) and "[[" not in value:
        return f"<{quote(value, safe=_URL_SAFE)}>"
    return ""


class _Writer:
    """Writes parsed Markdown again, in one form that needs nothing around it."""

    def __init__(self) -> None:
        self._text = ""
        self._in_list = False
        self._depth = 0  # of open lists
        self._marker = ""

    def write(self, tokens: Sequence[Token]) -> str:
        for token in tokens:
            self._read(token)
        return self._text + ("\n\n" if self._in_list else "")

    def _read(self, token: Token) -> None:
        if token.type in {"bullet_list_open", "ordered_list_open"}:
            self._depth += 1
        elif token.type in {"bullet_list_close", "ordered_list_close"}:
            self._depth -= 1
        elif token.type == "list_item_open":
            self._marker = f"{token.info}." if token.info else "-"
        elif token.type == "list_item_close":
            self._marker = ""
        elif token.type == "inline":
            self._add(_inline(token.children or []))
        elif token.type in {"fence", "code_block"}:
            self._add("\n".join(map(_escape, token.content.split("\n"))))

    def _add(self, text: str) -> None:
        lines = [line for line in text.split("\n") if line]
        if not lines:
            return
        # Three columns suit a bullet and a number alike; what has no marker continues its item.
        margin = "   " * self._depth
        lead = f"{margin[3:]}{self._marker} " if self._marker else margin
        if self._text or self._marker:
            self._text += "\n" if self._marker and self._in_list else "\n\n"
        self._text += lead + f"\n{margin}".join(lines)
        self._in_list, self._marker = bool(margin), ""


def _inline(tokens: Sequence[Token]) -> str:
    """The inside of a paragraph; each line safe at its start."""
    out: list[str] = []
    link: tuple[str, int] | None = None
    for token in tokens:
        if token.type == "link_open":
            link = str(token.attrGet("href") or ""), len(out)
        elif token.type == "link_close" and link is not None:
            target, start = link
            out[start:] = [_link(target, "".join(out[start:]), is_bare=token.info == "auto")]
        else:
            out.append(_span(token))
    return "\n".join(_escape_start(line.strip()) for line in "".join(out).split("\n"))


_MARKS = {"strong": "**", "em": "*", "s": "~~"}


def _span(token: Token) -> str:
    if token.type in {"softbreak", "hardbreak"}:
        return "\n"
    if token.type == "code_inline":
        fence = "`" * (1 + max(map(len, re.findall("`+", token.content)), default=0))
        pad = " " if "`" in token.content else ""
        return f"{fence}{pad}{token.content}{pad}{fence}"
    mark = _MARKS.get(token.type.removesuffix("_open").removesuffix("_close"))
    return mark or _SPECIAL.sub(r"\\\g<0>", token.content)


def _link(target: str, label: str, *, is_bare: bool) -> str:
    if is_bare:
        return f"<{target.removeprefix('mailto:')}>"
    return f"[{label}](<{target}>)"
