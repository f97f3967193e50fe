"""A hook of mkdocs: what stands at the top of the checkout is on the documentation site too."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parent.parent
AT_THE_TOP: Final = ("CHANGELOG.md", "CONTRIBUTING.md")


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Add them, with their links as from the folder of the others."""
    for name in AT_THE_TOP:
        text = (ROOT / name).read_text(encoding="utf-8").replace("](docs/", "](")
        files.append(File.generated(config, name, content=text))
    return files


def on_page_markdown(markdown: str, **_: object) -> str:
    """Have the others' links to them lead to their pages."""
    return markdown.replace("](../", "](")
