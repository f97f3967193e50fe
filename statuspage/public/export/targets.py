"""Which place a setting or an argument names."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from urllib.parse import urlsplit

from statuspage.public.export.files import Target
from statuspage.public.export.folder import Folder


def open_target(name: str) -> Target:
    """The folder or bucket of that name, ready to be written to.

    Raises :class:`~statuspage.public.export.files.UnusableTarget` where it is not for us,
    ``OSError`` where it cannot be reached.
    """
    target = find_target(name)
    target.open()
    return target


def find_target(name: str) -> Target:
    """The folder or bucket of that name, untouched."""
    if not name.startswith("s3://"):
        return Folder(Path(name).absolute())
    parts = urlsplit(name)
    # Loading boto3 takes a second and 30 MB, which nobody else has to pay.
    bucket: type = import_module("statuspage.public.export.bucket").Bucket
    found: Target = bucket(parts.netloc, parts.path)
    return found
