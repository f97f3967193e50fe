"""Exact texts kept as files that a reviewer can read; ``UPDATE_SNAPSHOTS=1`` writes them anew."""

from __future__ import annotations

import os
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1] / "snapshots" / "messages"


def kept(name: str, text: str) -> str:
    """What is kept under that name; with ``UPDATE_SNAPSHOTS`` set, ``text`` is kept first."""
    path = FOLDER / name
    if os.environ.get("UPDATE_SNAPSHOTS"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return path.read_text(encoding="utf-8") if path.exists() else f"no such file: {path}"


def kept_names() -> set[str]:
    """Every file that is kept."""
    return {str(path.relative_to(FOLDER)) for path in FOLDER.rglob("*") if path.is_file()}
