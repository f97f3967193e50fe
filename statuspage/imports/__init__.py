"""Histories that were published elsewhere, taken in with their own times; nobody is ever mailed.

:mod:`.history` reads stories from JSON lines, :mod:`.moving` a Statuspage page's public documents.
Both make :mod:`.stories`, which :mod:`.store` keeps: the same story again changes nothing, a
changed one is brought up to date.
"""

from statuspage.imports.history import import_history
from statuspage.imports.moving import fetch_documents, import_page, read_documents
from statuspage.imports.store import StoryReport
from statuspage.imports.stories import Problem, Unusable

__all__ = [
    "Problem",
    "StoryReport",
    "Unusable",
    "fetch_documents",
    "import_history",
    "import_page",
    "read_documents",
]
