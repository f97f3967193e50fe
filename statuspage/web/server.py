"""The web server: Granian, forked from a process that has loaded the app already.

A start then imports everything once instead of twice, and a process that is killed is back in
milliseconds instead of seconds.
"""

from __future__ import annotations

import gc
import multiprocessing

from flask import Flask
from granian import Granian
from granian.constants import HTTPModes, Interfaces, RuntimeModes
from granian.http import HTTP1Settings
from granian.log import LogLevels

from statuspage.config import Settings
from statuspage.db import db

HEADERS_TIMEOUT_MS = 5_000
PATIENCE_S = 8


def serve(app: Flask) -> None:
    """Serve the app on HOST and PORT until SIGTERM or SIGINT: one process, 32 threads.

    A client has five seconds to send its headers; requests that run get eight to end in.  Nothing
    that the app has started may be running: a fork takes no threads along.
    """
    settings: Settings = app.extensions["settings"]
    with app.app_context():
        db.engine.dispose()
    # What is there now is never collected, so the processes go on sharing its memory.
    gc.collect()
    gc.freeze()
    multiprocessing.set_start_method("fork", force=True)
    server = Granian(
        "app:app",
        address=settings.host,
        port=settings.port,
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=HEADERS_TIMEOUT_MS),
        websockets=False,
        runtime_mode=RuntimeModes.st,
        workers=1,
        blocking_threads=32,
        respawn_failed_workers=True,
        respawn_interval=0.2,
        workers_kill_timeout=PATIENCE_S,
        log_level=LogLevels.error,
    )
    server.serve(target_loader=lambda _target: app)
