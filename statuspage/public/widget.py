"""The widget: a script with which any other site shows the page's state, and what goes on.

The script itself is ``templates/public/widget.js``.  It reads ``/api/v2/summary.json`` where it was
loaded from; what it says and draws besides is written into it here, in the page's language.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import Final

from statuspage.core.enums import OVERALL, IncidentStatus, MaintenanceStatus
from statuspage.core.languages import direction, translations
from statuspage.core.paths import TEMPLATES

CONTENT_TYPE: Final = "text/javascript; charset=utf-8"
PATH: Final = "/widget.js"
_MARK: Final = re.compile(r"const KNOWN = null;.*")
# Shapes of one path each; the page's own sign for the unknown is drawn with lines.
_QUESTION: Final = (
    "M10 1a9 9 0 1 1 0 18a9 9 0 0 1 0-18zM10 3a7 7 0 1 0 0 14a7 7 0 0 0 0-14zM9 13.4h2v2H9z"
    "M10 4.8c2 0 3.4 1.2 3.4 3c0 2.2-2.4 2.4-2.4 4.2H9c0-2.8 2.4-3 2.4-4.2c0-.7-.6-1.1-1.4-1.1"
    "c-.9 0-1.5.5-1.5 1.5h-2c0-2 1.4-3.4 3.5-3.4z"
)


@lru_cache(maxsize=8)
def draw_widget(language: str) -> str:
    """The script for a page in that language."""
    say = translations(language).gettext
    words = {
        **{said: say(said) for said in OVERALL.values()},
        **{word.value: say(word.label) for word in (*IncidentStatus, *MaintenanceStatus)},
        "unreachable": say("The status can’t be loaded right now"),
        "unconfirmed": say("Last known status. It can’t be confirmed right now."),
    }
    known = {
        "language": language,
        "direction": direction(language),
        "words": words,
        "signs": {**_signs(), "unknown": _QUESTION},
    }
    source = (TEMPLATES / "public" / "widget.js").read_text(encoding="utf-8")
    # Escaped, so that it stays itself whatever charset a host page has.
    return _MARK.sub(lambda _: f"const KNOWN = {json.dumps(known)};", source, count=1)


def _signs() -> dict[str, str]:
    symbols = (TEMPLATES / "public" / "icons.svg").read_text(encoding="utf-8")
    found = re.findall(r'<symbol id="i-(\w+)"[^>]*><path[^>]* d="([^"]+)"/></symbol>', symbols)
    return {name: path for name, path in found if name != "notice"}
