"""Markdown to safe HTML and to plain text: the only sanitiser.

Text is the CommonMark of :mod:`statuspage.core.markdown` without raw HTML: what looks like a tag is
shown as text.  Bare web addresses become links.  What comes out of :func:`to_html` may be put into
a page as it is; nh3 has passed it, so a mistake in the renderer cannot become a hole.
:func:`to_text` has the same blocks in the same order.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache
from urllib.parse import urljoin

import nh3
from markdown_it.token import Token
from markupsafe import Markup

from statuspage.core import markdown

_TAGS = {
    "p", "br", "strong", "em", "s", "code", "pre", "blockquote", "ul", "ol", "li", "a", "hr",
    "h2", "h3", "h4", "h5", "h6",
}  # fmt: skip
_ATTRIBUTES = {"a": {"href"}, "ol": {"start"}, "li": {"value"}}
_SCHEMES = {"http", "https", "mailto", "tel"}

# Characters that XML 1.0 cannot hold, and the bidirectional overrides that can disguise a text.
# Right-to-left and left-to-right *marks* stay: Arabic and Hebrew need them.
_UNWANTED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff\u202a-\u202e\u2066-\u2069]")  # fmt: skip  # noqa: E501


def clean(text: str) -> str:
    """``text`` as it is stored: NFC, line ends as ``\\n``, no control or override characters."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return unicodedata.normalize("NFC", _UNWANTED.sub("", text)).strip()


def clean_line(text: str) -> str:
    """``text`` as one line: cleaned, and any white space folded to single spaces."""
    return " ".join(clean(text).split())


def to_html(text: str, *, top: int = 4, home: str = "") -> Markup:
    """Safe HTML of a Markdown text; its highest headings are ``h<top>``, links carry ``rel``.

    Paths on the page itself, such as ``/history``, become absolute below ``home`` where it is
    given: outside of the page nothing else knows what they belong to.
    """
    tokens = _with_levels(markdown.parse(text), top)
    if home:
        tokens = [_with_links(token, home) for token in tokens]
    return Markup(
        nh3.clean(
            markdown.render(tokens),
            tags=_TAGS,
            attributes=_ATTRIBUTES,
            url_schemes=_SCHEMES,
            link_rel="nofollow noopener",
        ).strip()
    )


def _with_levels(tokens: Sequence[Token], top: int) -> list[Token]:
    """The headings' levels numbered from ``top`` on without a gap, whichever were typed."""
    levels = sorted({token.tag for token in tokens if token.type == "heading_open"})
    return [
        token.copy(tag=f"h{min(6, top + levels.index(token.tag))}")
        if token.type in {"heading_open", "heading_close"}
        else token
        for token in tokens
    ]


def _with_links(token: Token, home: str) -> Token:
    """The token with its links absolute below ``home``."""
    if not any(link.type == "link_open" for link in token.children or []):
        return token
    return token.copy(
        children=[
            link.copy(attrs={**link.attrs, "href": urljoin(home, str(link.attrGet("href")))})
            if link.type == "link_open"
            else link
            for link in token.children or []
        ]
    )


def to_text(text: str, *, home: str = "") -> str:
    """Plain text of a Markdown text, with the blocks of :func:`to_html` in their order.

    Blank lines part blocks.  Lists keep their marks and indent, quotations have ``>`` before each
    line, and links are written out, absolute below ``home`` where it is given.
    """
    blocks, _ = _read_blocks(iter(markdown.parse(text)), home)
    return "\n\n".join(blocks).strip()


@lru_cache(maxsize=512)
def first_line(text: str, limit: int = 200) -> str:
    """The first paragraph as one line, cut at a word with an ellipsis past ``limit`` characters."""
    line = " ".join(to_text(text).split("\n\n")[0].split())
    if len(line) <= limit:
        return line
    return line[: limit - 1].rsplit(" ", 1)[0] + "…"


def _read_blocks(tokens: Iterator[Token], home: str) -> tuple[list[str], bool]:
    """The blocks up to the end of what they stand in, and whether they are paragraphs there.

    In a list without blank lines they are not (CommonMark 5.3).
    """
    blocks: list[str] = []
    has_paragraphs = False
    for token in tokens:
        if token.type in {"bullet_list_open", "ordered_list_open"}:
            blocks.append(_read_list(tokens, home))
        elif token.type == "blockquote_open":
            inner, _ = _read_blocks(tokens, home)
            blocks.append(_indented("\n\n".join(inner), "> ", "> "))
        elif token.type in {"fence", "code_block"}:
            blocks.append(token.content.rstrip("\n"))
        elif token.type == "hr":
            blocks.append("---")
        elif token.type == "inline":
            blocks.append(_inline_text(token.children or [], home))
        elif token.type == "paragraph_open":
            has_paragraphs = has_paragraphs or not token.hidden
        elif token.type in {"list_item_close", "blockquote_close"}:
            break
    return blocks, has_paragraphs


def _read_list(tokens: Iterator[Token], home: str) -> str:
    items: list[str] = []
    is_loose = False
    for token in tokens:
        if token.type != "list_item_open":
            break
        blocks, has_paragraphs = _read_blocks(tokens, home)
        is_loose = is_loose or has_paragraphs
        mark = f"{token.info}{token.markup} " if token.info else "- "
        text = ("\n\n" if has_paragraphs else "\n").join(blocks)
        items.append(_indented(text, mark, " " * len(mark)))
    return ("\n\n" if is_loose else "\n").join(items)


def _indented(text: str, first: str, rest: str) -> str:
    return "\n".join(
        (rest if number else first) + line if line else (rest if number else first).rstrip()
        for number, line in enumerate(text.split("\n"))
    )


def _inline_text(tokens: Sequence[Token], home: str) -> str:
    out: list[str] = []
    target, start = "", 0
    for token in tokens:
        if token.type in {"text", "code_inline"}:
            out.append(token.content)
        elif token.type in {"softbreak", "hardbreak"}:
            out.append("\n")
        elif token.type == "link_open":
            target, start = urljoin(home, str(token.attrGet("href") or "")), len(out)
        elif token.type == "link_close":
            label, shown = "".join(out[start:]), _NO_ADDRESS.sub("", target)
            if shown != label:
                out.append(f" ({shown})")
    return "".join(out)


# What a reader of plain text has no use for.
_NO_ADDRESS = re.compile(r"^(?:mailto|tel):")
