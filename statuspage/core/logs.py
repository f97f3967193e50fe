"""What the processes say while they work: a line for people, or JSON for machines."""

from __future__ import annotations

import logging
import sys
import threading
import time
from types import TracebackType

from pythonjsonlogger.json import JsonFormatter

from statuspage.core.config import Settings

_QUIET = ("apscheduler", "alembic", "fontTools")


def set_up_logs(settings: Settings) -> None:
    """Write to standard error in the form that LOG_FORMAT names; times are UTC."""
    handler = logging.StreamHandler()
    handler.setFormatter(_json() if settings.log_format == "json" else _text())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    sys.excepthook = _log_uncaught
    threading.excepthook = lambda args: _log_uncaught(
        args.exc_type, args.exc_value or args.exc_type(), args.exc_traceback
    )
    # What libraries warn of is a line like any other.
    logging.captureWarnings(True)


def _log_uncaught(
    kind: type[BaseException], error: BaseException, traceback: TracebackType | None
) -> None:
    """What nobody caught, in the form that all else is written in."""
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, traceback)
        return
    logging.getLogger("statuspage").critical(
        "an error that nobody caught", exc_info=(kind, error, traceback)
    )


def _text() -> logging.Formatter:
    formatter = logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s", "%H:%M:%SZ")
    formatter.converter = time.gmtime
    return formatter


def _json() -> logging.Formatter:
    formatter = JsonFormatter(
        "%(asctime)s %(levelname)s %(name)s %(message)s",
        rename_fields={"asctime": "time", "levelname": "level", "name": "logger"},
        datefmt="%Y-%m-%dT%H:%M:%SZ",
    )
    formatter.converter = time.gmtime
    return formatter
