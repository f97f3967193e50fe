"""The page at ``/`` in a look that nobody has saved, for whoever is choosing it.

It is one document with all its styles in one sheet, which stands in a ``data:`` address: nothing of
it is kept or served, and what was typed can end no element that it stands in.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from statuspage.core.colours import read_branding
from statuspage.core.links import Links
from statuspage.public.assets import read_asset
from statuspage.public.html_pages import NOTICE_MARKER, render_home
from statuspage.public.snapshot import Snapshot

# What is said before the page stays in sight, wherever in the page somebody looks.
_NOTICE: Final = (
    ".not-shown { position: sticky; z-index: 2; inset-block-start: 0; "
    "margin-block-end: var(--space-4); background: var(--ground); }"
)
SCHEMES: Final = ("light", "dark")
_PREFERENCE: Final = re.compile(r"\(\s*prefers-color-scheme\s*:\s*(light|dark)\s*\)", re.IGNORECASE)


def render_branding(
    snapshot: Snapshot,
    links: Links,
    *,
    chosen: Mapping[str, str],
    scheme: str,
    notice: str = "",
) -> str:
    """The page with the ``chosen`` parts of its look in place of its own, in one of `SCHEMES`.

    ``notice`` is safe HTML that goes before its content.  Its links open beside it, and it runs no
    script.
    """
    look = tuple({**dict(snapshot.frame.page.look), **chosen}.items())
    frame = replace(snapshot.frame, page=replace(snapshot.frame.page, look=look))
    chosen_scheme = f":root {{ color-scheme: {scheme}; }}"
    sheet = "\n".join(
        (read_asset("page.css").decode(), _NOTICE, read_branding(look).style, chosen_scheme)
    )
    address = b64encode(in_scheme(sheet, scheme).encode()).decode()
    html = render_home(
        replace(snapshot, frame=frame), links, sheet=f"data:text/css;charset=utf-8;base64,{address}"
    )
    # What people typed holds no bare quotation mark, so this is the logo's own condition.
    dark = "all" if scheme == "dark" else "not all"
    html = html.replace('media="(prefers-color-scheme: dark)"', f'media="{dark}"', 1)
    html = html.replace("<head>", '<head>\n<base target="_blank">', 1)
    return html.replace(NOTICE_MARKER, notice, 1)


def in_scheme(css: str, scheme: str) -> str:
    """A style sheet as it counts in one scheme, whatever the browser prefers."""
    return _PREFERENCE.sub(
        lambda asked: "(min-width: 0)" if asked[1].lower() == scheme else "(max-width: 0)", css
    )
