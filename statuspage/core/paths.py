"""Where the project's own folders are: one place, for a checkout and for an installed package.

A wheel takes the folders at the top of the checkout along as ``statuspage/shipped``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

PACKAGE: Final = Path(__file__).resolve().parents[1]
_SHIPPED: Final = PACKAGE / "shipped"
IS_INSTALLED: Final = _SHIPPED.is_dir()
ROOT: Final = _SHIPPED if IS_INSTALLED else PACKAGE.parent
TEMPLATES: Final = ROOT / "templates"
STATIC: Final = ROOT / "static"
MIGRATIONS: Final = ROOT / "migrations"
TRANSLATIONS: Final = PACKAGE / "translations"

# How an operator runs a command here, for every text that names one.
COMMAND: Final = "statuspage" if IS_INSTALLED else "flask --app app"
