"""``flask --app app mcp``: an assistant on this machine, over standard input and output."""

from __future__ import annotations

import click
from flask.cli import with_appcontext

from statuspage.access import api_keys
from statuspage.access.api_keys import KeyHolder
from statuspage.api import agents
from statuspage.core.db import current_session
from statuspage.core.enums import KeyScope
from statuspage.runtime.command_failure import fail


@click.command("mcp")
@click.option(
    "--key", envvar="STATUSPAGE_API_KEY", default="", metavar="KEY",
    help="The API key; better in the variable STATUSPAGE_API_KEY.",
)  # fmt: skip
@with_appcontext
def mcp(key: str) -> None:
    """Serve an assistant by the Model Context Protocol; it acts by an API key."""

    def find_holder() -> KeyHolder | None:
        try:
            holder = api_keys.use_key(key, address="")
        except api_keys.KeyThrottled:
            return None
        finally:
            # Ends the read, so that the next one sees what others wrote.
            current_session().rollback()
        return holder if holder and holder.may(KeyScope.READ) else None

    if not key or find_holder() is None:
        fail("STATUSPAGE_API_KEY is no API key with the scope “read”", code=2)
    agents.protocol().serve_stdio(find_holder)
