"""``flask --app app mcp``: an assistant on this machine, over standard input and output."""

from __future__ import annotations

import sys

import click
from flask.cli import with_appcontext

from statuspage.access import api_keys
from statuspage.api import agents
from statuspage.core.enums import KeyScope


@click.command("mcp")
@click.option(
    "--key", envvar="STATUSPAGE_API_KEY", default="", metavar="KEY",
    help="The API key; better in the variable STATUSPAGE_API_KEY.",
)  # fmt: skip
@with_appcontext
def mcp(key: str) -> None:
    """Serve an assistant by the Model Context Protocol; it acts by an API key."""
    holder = api_keys.use_key(key, address="") if key else None
    if holder is None or not holder.may(KeyScope.READ):
        sys.stderr.write("statuspage: STATUSPAGE_API_KEY is no API key with the scope “read”\n")
        raise SystemExit(2)
    agents.protocol().serve_stdio(holder)
