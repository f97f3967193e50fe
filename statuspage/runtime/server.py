"""The web server: Granian, forked from a process that has loaded the app already.

A start then imports everything once instead of twice, and a process that is killed is back in
milliseconds instead of seconds.  Granian reads HTTP; `gateway` decides who waits for what.
"""

from __future__ import annotations

import contextlib
import gc
import multiprocessing
import resource
import socket
from pathlib import Path
from typing import Final

from flask import Flask
from granian import Granian
from granian.constants import HTTPModes, Interfaces, Loops, RuntimeModes
from granian.http import HTTP1Settings
from granian.log import LogLevels

from statuspage.api import error_pages
from statuspage.core.config import Settings
from statuspage.core.db import db
from statuspage.runtime.gateway import Gateway

# One deadline for a head and for an idle connection, which cost the same.  Load balancers keep
# unused connections for a minute; whoever closes first must not be us.
IDLE_SECONDS: Final = 90
MOST_HEAD_BYTES: Final = 32 * 1024
MOST_CONNECTIONS: Final = 16_384
# Files and connections to the database need numbers too.
_SPARE_FILES: Final = 256
_LONGEST_QUEUE: Final = 4096
RESPAWN_SECONDS: Final = 0.2
PATIENCE_SECONDS: Final = 8
# Granian's lines are written like all others.
_LOGGERS: Final = {"_granian": {"handlers": [], "propagate": True}}


def serve(app: Flask) -> None:
    """Serve the app on HOST and PORT until SIGTERM or SIGINT.

    Requests that run get eight seconds to end in.  Nothing that the app has started may be
    running: a fork takes no threads along.
    """
    settings: Settings = app.extensions["settings"]
    error_pages.compile_pages(app)
    with app.app_context():
        db.engine.dispose()
    if settings.host.startswith("/"):
        run(Gateway(app), settings.host, settings.port)
        return
    # Granian takes an address and no name.
    address = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)[0][4][0]
    run(Gateway(app), str(address), settings.port)


def run(gateway: Gateway, address: str, port: int) -> None:
    """Serve in a process of its own, and in another when it dies, until a signal asks to stop.

    ``address`` is an IP address, or the path of a Unix socket.
    """
    path = Path(address) if address.startswith("/") else None
    if path is not None:
        # What a server that was killed has left; another that lives is asked for before.
        path.unlink(missing_ok=True)
    # What is there now is never collected, so the processes go on sharing its memory.
    gc.collect()
    gc.freeze()
    multiprocessing.set_start_method("fork", force=True)
    Granian(
        "app:app",
        address=address,
        port=port,
        uds=path,
        # Whoever may enter its folder may connect, as anybody here may to a port of loopback.
        uds_permissions=0o666,
        interface=Interfaces.RSGI,
        loop=Loops.uvloop,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(
            header_read_timeout=IDLE_SECONDS * 1000, max_buffer_size=MOST_HEAD_BYTES
        ),
        websockets=False,
        runtime_mode=RuntimeModes.st,
        workers=1,
        backlog=_LONGEST_QUEUE,
        backpressure=most_connections(),
        respawn_failed_workers=True,
        respawn_interval=RESPAWN_SECONDS,
        workers_kill_timeout=PATIENCE_SECONDS,
        log_level=LogLevels.error,
        log_dictconfig={"loggers": _LOGGERS, "handlers": {}},
    ).serve(target_loader=lambda _target: gateway)


def most_connections() -> int:
    """How many connections may be open, once the process may open as many files as it is let."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
            soft = hard
    if soft == resource.RLIM_INFINITY:
        return MOST_CONNECTIONS
    return max(64, min(MOST_CONNECTIONS, soft - _SPARE_FILES))
