"""Markdown to safe HTML and to plain text: the only sanitiser.

Text is CommonMark (https://spec.commonmark.org) without raw HTML: what looks like a tag is shown
as text.  Bare web addresses become links.  What comes out of :func:`to_html` may be put into a page
as it is; nh3 has passed it, so a mistake in the renderer cannot become a hole.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

_TAGS = {
    "p", "br", "strong", "em", "s", "code", "pre", "blockquote", "ul", "ol", "li", "a", "hr",
    "h3", "h4", "h5", "h6",
}  # fmt: skip
_SCHEMES = {"http", "https", "mailto"}

_markdown = MarkdownIt("commonmark", {"html": False, "breaks": True, "linkify": True})
_markdown.enable(["strikethrough", "linkify"]).disable(["image"])
if _markdown.linkify is not None:
    # Only what was written as an address becomes a link: "example.com" in a sentence stays text.
    _markdown.linkify.set({"fuzzy_link": False, "fuzzy_email": False, "fuzzy_ip": False})

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


def parse(text: str) -> list[Token]:
    """The Markdown of ``text`` as markdown-it's tokens, read by the same rules as everywhere."""
    return _markdown.parse(text)


def to_html(text: str) -> Markup:
    """Safe HTML of a Markdown text; headings start at ``h3``, links carry ``rel``."""
    tokens = _markdown.parse(text)
    for token in tokens:
        if token.type in {"heading_open", "heading_close"}:
            token.tag = f"h{min(6, int(token.tag[1]) + 2)}"
    html = str(_markdown.renderer.render(tokens, _markdown.options, {}))
    return Markup(
        nh3.clean(
            html,
            tags=_TAGS,
            attributes={"a": {"href"}},
            url_schemes=_SCHEMES,
            link_rel="nofollow noopener",
        ).strip()
    )


def to_text(text: str) -> str:
    """Plain text of a Markdown text: paragraphs parted by blank lines, links written out."""
    blocks: list[str] = []
    prefix: list[str] = []
    for token in _markdown.parse(text):
        _write_block(token, blocks, prefix)
    return "\n\n".join("\n".join(lines) for lines in _joined_lists(blocks)).strip()


@lru_cache(maxsize=512)
def first_line(text: str, limit: int = 200) -> str:
    """The first paragraph as one line, cut at a word with an ellipsis past ``limit`` characters."""
    line = " ".join(to_text(text).split("\n\n")[0].split())
    if len(line) <= limit:
        return line
    return line[: limit - 1].rsplit(" ", 1)[0] + "…"


def _joined_lists(blocks: list[str]) -> list[list[str]]:
    """Group list items that follow one another, so that a list stays one block."""
    groups: list[list[str]] = []
    for block in blocks:
        is_item = block.startswith(("- ", "  ")) or re.match(r"\d+\. ", block) is not None
        if groups and is_item and groups[-1][-1].startswith(("- ", "  ", *"0123456789")):
            groups[-1].append(block)
            continue
        groups.append([block])
    return groups


def _write_block(token: Token, blocks: list[str], prefix: list[str]) -> None:
    if token.type == "list_item_open":
        prefix.append(f"{token.info}. " if token.info else "- ")
        return
    if token.type in {"fence", "code_block"}:
        blocks.append(token.content.rstrip("\n"))
        return
    if token.type == "hr":
        blocks.append("---")
        return
    if token.type == "inline":
        lead = prefix.pop() if prefix else ""
        blocks.append(lead + _inline_text(token.children or []))


def _inline_text(tokens: list[Token]) -> str:
    out: list[str] = []
    target, start = "", 0
    for token in tokens:
        if token.type in {"text", "code_inline"}:
            out.append(token.content)
        elif token.type in {"softbreak", "hardbreak"}:
            out.append("\n")
        elif token.type == "link_open":
            target, start = str(token.attrGet("href") or ""), len(out)
        elif token.type == "link_close":
            label = "".join(out[start:])
            if target.removeprefix("mailto:") != label:
                out.append(f" ({target.removeprefix('mailto:')})")
    return "".join(out)
