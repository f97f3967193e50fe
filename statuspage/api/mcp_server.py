"""The Model Context Protocol, by its own package: over standard input and output, and HTTP.

Importing this takes tens of megabytes, so whoever needs it loads it only then.
https://modelcontextprotocol.io/specification
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any, Final

import anyio
import mcp_types as types
import orjson
from mcp.server.lowlevel.server import Server
from mcp.server.stdio import stdio_server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

from statuspage.access.api_keys import KeyHolder
from statuspage.access.permissions import Forbidden
from statuspage.api import agent_tools
from statuspage.api.agent_tools import NotAllowed
from statuspage.core.db import current_session
from statuspage.core.errors import Invalid

INSTRUCTIONS: Final = (
    "Read incidents and prepare drafts and notes on a status page. Nothing here publishes or "
    "emails anything: a person does, in the admin. Public texts hold no internal names, hosts, "
    "people, vendors or causes that are not confirmed."
)


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """What the protocol answers to one request."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


def serve_stdio(find_holder: Callable[[], KeyHolder | None]) -> None:
    """Speak the protocol over standard input and output until the client ends it.

    ``find_holder`` is asked at each request, so that a key that was revoked opens nothing more.
    """

    async def serve() -> None:
        server = _server(find_holder)
        async with stdio_server() as (reading, writing):
            await server.run(reading, writing, server.create_initialization_options())

    anyio.run(serve)
    sys.stdout.flush()


def answer_http(
    holder: KeyHolder, *, method: str, headers: Mapping[str, str], body: bytes
) -> HttpAnswer:
    """Answer one request of the Streamable HTTP transport, without a session, in JSON."""
    return anyio.run(_answer, holder, method, headers, body)


async def _answer(
    holder: KeyHolder, method: str, headers: Mapping[str, str], body: bytes
) -> HttpAnswer:
    server = _server(lambda: holder)
    manager = StreamableHTTPSessionManager(server, json_response=True, stateless=True)
    sent: list[MutableMapping[str, Any]] = []

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method,
        "scheme": "http", "path": "/mcp", "raw_path": b"/mcp", "query_string": b"",
        "headers": [
            (name.lower().encode("latin-1"), value.encode("latin-1"))
            for name, value in headers.items()
        ],
        "client": None, "server": None,
    }  # fmt: skip
    async with manager.run():
        await manager.handle_request(scope, receive, send)
    start = next(one for one in sent if one["type"] == "http.response.start")
    parts = [one.get("body", b"") for one in sent if one["type"] == "http.response.body"]
    shown = tuple((name.decode("latin-1"), value.decode("latin-1"))
                  for name, value in start.get("headers", ()))  # fmt: skip
    return HttpAnswer(start["status"], shown, b"".join(parts))


def _server(find_holder: Callable[[], KeyHolder | None]) -> Server[Any]:
    """A server with the tools of one key."""

    async def list_tools(_: Any, __: Any) -> types.ListToolsResult:
        holder = find_holder()
        return types.ListToolsResult(
            tools=[
                types.Tool(
                    name=tool.name,
                    description=tool.description,
                    input_schema=tool.schema,
                    annotations=types.ToolAnnotations(
                        read_only_hint=tool.only_reads, destructive_hint=False,
                        open_world_hint=False,
                    ),
                )
                for tool in (agent_tools.tools_of(holder) if holder else ())
            ]
        )  # fmt: skip

    async def call_tool(_: Any, asked: types.CallToolRequestParams) -> types.CallToolResult:
        try:
            holder = find_holder()
            if holder is None:
                raise NotAllowed("This API key does not work any more.")
            made = agent_tools.run(holder, asked.name, asked.arguments or {})
        except (Invalid, NotAllowed, Forbidden) as refused:
            return _result(str(refused), is_error=True)
        finally:
            # Ends the read, so that the next call sees what others wrote.
            current_session().rollback()
        return _result(orjson.dumps(made).decode())

    return Server(
        "statuspage", instructions=INSTRUCTIONS, on_list_tools=list_tools, on_call_tool=call_tool
    )


def _result(text: str, *, is_error: bool = False) -> types.CallToolResult:
    return types.CallToolResult(
        content=[types.TextContent(type="text", text=text)], is_error=is_error
    )
