"""How a command says that it failed."""

from __future__ import annotations

import sys
from typing import NoReturn

import click


def fail(reason: object, code: int = 1) -> NoReturn:
    """End with one line and an exit code that says that it failed."""
    click.echo(f"statuspage: {reason}", err=True)
    sys.exit(code)
