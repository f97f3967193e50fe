"""CommonMark as posts are written in it: what is typed is shown, and nothing of it is lost.

CommonMark (https://spec.commonmark.org) was made for documents.  In short notices some of its rules
change what was meant, so the parser here differs in these points:

* A numbered line that stands alone is text: ``30. November`` is a date and not the first item of
  a list.  In a list each item keeps the number that was typed.  So do a line after a lone ``+`` and
  one quoted line that begin with a digit (``> 50 %`` means "more than").
* A definition of a link that no link uses is text (``[Update]: fixed``), and so is what stands
  behind an opening fence where it is no language's name.
* Asterisks between digits are no emphasis (``5*3``).
* In scripts that put no spaces between words, emphasis may begin and end at a punctuation mark
  beside a letter, and a bare web address ends before the first such letter.
* Only what opens from a mail too is a link: http, https, mailto, tel, and paths on the page itself.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

from linkify_it import LinkifyIt  # type: ignore[import-untyped]
from markdown_it import MarkdownIt
from markdown_it.common.utils import isMdAsciiPunct, isPunctChar
from markdown_it.parser_inline import ParserInline
from markdown_it.rules_block import StateBlock
from markdown_it.rules_block.reference import reference
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.rules_inline.state_inline import Scanned
from markdown_it.token import Token

# Thai, Lao, Tibetan, Myanmar, Khmer, Hangul, the CJK blocks with their marks, the wide forms.
_UNSPACED: Final = (
    "\u0e00-\u0fff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u2e80-\ua4cf\ua960-\ua97f"
    "\uac00-\ud7ff\uf900-\ufaff\ufe30-\ufe4f\uff01-\uffee\U00020000-\U0003ffff"
)
_UNSPACED_LETTER: Final = re.compile(f"[{_UNSPACED}]")
_BEFORE_UNSPACED: Final = re.compile(rf"[^\s{_UNSPACED}]*(?=[{_UNSPACED}])")
_HOST_REST: Final = re.compile(r"[^\s/?#]*")
_LINK: Final = re.compile(r"https?:|mailto:|tel:|/(?!/)|#", re.IGNORECASE)
_DEFINED: Final = re.compile(r"\s*\[([^\[\]\n]+)\]:")
_USED: Final = re.compile(r"\[([^\[\]\n]+)\](?!:)")
_KEPT_LENGTH: Final = 10_000
_LANGUAGE: Final = re.compile(r"[A-Za-z][\w+#.-]*", re.ASCII)


def parse(text: str) -> tuple[Token, ...]:
    """The Markdown of ``text`` as markdown-it's tokens, read by the same rules as everywhere.

    The newest are kept, because a text is shown as HTML and as plain text: nobody may change them.
    """
    return _parse(text) if len(text) <= _KEPT_LENGTH else tuple(_parser.parse(text))


@lru_cache(maxsize=64)
def _parse(text: str) -> tuple[Token, ...]:
    return tuple(_parser.parse(text))


def render(tokens: Sequence[Token]) -> str:
    """HTML of parsed tokens; not sanitised."""
    return str(_parser.renderer.render(tokens, _parser.options, {}))


class _State(StateInline):
    def scanDelims(self, start: int, canSplitWord: bool) -> Scanned:  # noqa: N802, N803
        """Whether marks may begin or end emphasis (CommonMark 6.2), with the points above."""
        marker, end = self.src[start], start
        while end < self.posMax and self.src[end] == marker:
            end += 1
        before = self.src[start - 1] if start else " "
        after = self.src[end] if end < self.posMax else " "
        if before.isdigit() and after.isdigit():
            return Scanned(False, False, end - start)
        opens, closes = _flanks(after, before), _flanks(before, after)
        may_open = opens and (canSplitWord or not closes or _is_mark(before))
        may_close = closes and (canSplitWord or not opens or _is_mark(after))
        return Scanned(may_open, may_close, end - start)


def _flanks(inside: str, outside: str) -> bool:
    """Whether marks between the two belong to what is on the ``inside``."""
    if inside.isspace():
        return False
    if not _is_mark(inside):
        return True
    return outside.isspace() or _is_mark(outside) or bool(_UNSPACED_LETTER.match(outside))


def _is_mark(outgoing: str) -> bool:
    return isMdAsciiPunct(ord(outgoing)) or isPunctChar(outgoing)


class _Inline(ParserInline):
    def parse(self, src: str, md: MarkdownIt, env: Any, tokens: list[Token]) -> list[Token]:
        state = _State(src, md, env, tokens)
        self.tokenize(state)
        for rule in self.ruler2.getRules(""):
            rule(state)
        return state.tokens


class _Links(LinkifyIt):  # type: ignore[misc]
    """Finds bare addresses; only what was written as one is, ``example.com`` stays text."""

    def _validate_http(self, text: str, pos: int) -> int:
        if "http" not in self.re:
            super()._validate_http("", 0)  # compiles the pattern
        found = self.re["http"].match(text, pos, _end_of_address(text, pos))
        return len(found[0]) if found else 0


def _end_of_address(text: str, pos: int) -> int:
    """Where an address that goes on at ``pos`` ends at the latest."""
    host = pos + 2
    if _UNSPACED_LETTER.match(text, host):
        # The host itself is written in such letters.
        rest = _HOST_REST.match(text, host)
        host = rest.end() if rest else host
    found = _BEFORE_UNSPACED.match(text, host)
    return found.end() if found else len(text)


class _Parser(MarkdownIt):
    def validateLink(self, url: str) -> bool:  # noqa: N802
        """Whether an address may be a link; what may not is shown as it was typed."""
        return _LINK.match(url) is not None

    def normalizeLink(self, url: str) -> str:  # noqa: N802
        """The address as it stands in ``href``; ``www.`` without a scheme gets one."""
        return super().normalizeLink(f"https://{url}" if url.lower().startswith("www.") else url)


def _read_definition(state: StateBlock, first: int, last: int, silent: bool) -> bool:
    """A definition that some link uses; any other one is a paragraph."""
    begins = state.bMarks[first] + state.tShift[first]
    found = _DEFINED.match(state.src, begins, state.eMarks[first])
    if found is None:
        return False
    if "labels" not in state.env:
        state.env["labels"] = {label.casefold() for label in _USED.findall(state.src)}
    return found[1].casefold() in state.env["labels"] and reference(state, first, last, silent)


def _keep_what_was_typed(state: StateCore) -> None:
    lines = state.src.split("\n")
    state.tokens = _keep_in(state.tokens, lines, in_item=False)


def _keep_in(tokens: Sequence[Token], lines: Sequence[str], *, in_item: bool) -> list[Token]:
    """``tokens`` with lone numbered lines as text, and with the typed numbers in lists."""
    kept: list[Token] = []
    at = 0
    while at < len(tokens):
        token = tokens[at]
        end = _closing(tokens, at)
        if token.type not in _CONTAINERS:
            kept.append(_with_first_line(token))
            at += 1
            continue
        inner = tokens[at + 1 : end]
        lead = _typed_lead(token, inner, lines)
        if lead:
            content = inner[1:-1] if inner[0].type == "list_item_open" else inner
            _add_as_text(kept, lead, _keep_in(content, lines, in_item=in_item), token, in_item)
        else:
            _number(token, inner)
            is_item = in_item or token.type == "list_item_open"
            kept += [token, *_keep_in(inner, lines, in_item=is_item), tokens[end]]
        at = end + 1
    return kept


_CONTAINERS: Final = frozenset(
    {"bullet_list_open", "ordered_list_open", "list_item_open", "blockquote_open"}
)


def _closing(tokens: Sequence[Token], at: int) -> int:
    depth = 0
    for place in range(at, len(tokens)):
        depth += tokens[place].nesting
        if depth <= 0:
            return place
    return len(tokens) - 1


def _with_first_line(token: Token) -> Token:
    """A fence keeps the words behind its opening, unless they name a language."""
    info = token.info.strip()
    if token.type == "fence" and info and not _LANGUAGE.fullmatch(info):
        token.content, token.info = f"{info}\n{token.content}", ""
    return token


def _typed_lead(token: Token, inner: Sequence[Token], lines: Sequence[str]) -> str:
    """What stands before the text of a block that is none; empty for a list or a quotation."""
    if token.type == "blockquote_open":
        first, last = token.map or (0, 0)
        marked = sum(line.lstrip().startswith(">") for line in lines[first:last])
        is_one = len(inner) == 3 and marked <= 1
        return "> " if is_one and _begins_with_digit(inner) else ""
    if token.type == "list_item_open" or _closing(inner, 0) != len(inner) - 1:
        return ""
    if token.type == "ordered_list_open":
        return f"{inner[0].info}{inner[0].markup} "
    return "+ " if token.markup == "+" and _begins_with_digit(inner[1:-1]) else ""


def _begins_with_digit(tokens: Sequence[Token]) -> bool:
    return len(tokens) > 1 and tokens[1].type == "inline" and tokens[1].content[:1].isdigit()


def _add_as_text(
    kept: list[Token], lead: str, content: list[Token], block: Token, in_item: bool
) -> None:
    """Add ``content`` as paragraphs, the first of which begins with ``lead``."""
    if len(content) < 2 or content[0].type != "paragraph_open":
        line = Token("inline", "", 0, map=block.map, children=[])
        ends = Token("paragraph_open", "p", 1), Token("paragraph_close", "p", -1)
        content[:0] = ends[0], line, ends[1]
    content[1].content = (lead + content[1].content).rstrip()
    if not in_item:
        for token in content:
            if token.type in {"paragraph_open", "paragraph_close"}:
                token.hidden = False
    before = kept[-2] if len(kept) > 1 and kept[-1].type == "paragraph_close" else None
    if before and before.map and block.map and before.map[1] == block.map[0]:
        # No blank line stands between them: it was one paragraph before its line began a block.
        before.content += f"\n{content[1].content}"
        before.map = [before.map[0], (content[1].map or block.map)[1]]
        del content[:3]
    kept += content


def _number(token: Token, inner: Sequence[Token]) -> None:
    """Give items of a list the numbers that were typed, where counting on would change them."""
    if token.type != "ordered_list_open":
        return
    at, expected = 0, int(inner[0].info)
    while at < len(inner):
        typed = int(inner[at].info)
        if typed != expected:
            inner[at].attrSet("value", str(typed))
        expected = typed + 1
        at = _closing(inner, at) + 1


def _make_parser() -> MarkdownIt:
    parser = _Parser("commonmark", {"html": False, "breaks": True, "linkify": True})
    inline = _Inline()
    inline.ruler, inline.ruler2 = parser.inline.ruler, parser.inline.ruler2
    parser.inline = inline
    parser.linkify = _Links(options={"fuzzy_link": False, "fuzzy_email": False, "fuzzy_ip": False})
    parser.enable(["strikethrough", "linkify"]).disable(["image"])
    parser.block.ruler.at("reference", _read_definition)
    parser.core.ruler.after("block", "keep_what_was_typed", _keep_what_was_typed)
    return parser


_parser: Final = _make_parser()
