"""The key that signs sessions and links, where no setting names one."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def kept_secret_key(data_dir: Path) -> str:
    """The key kept in DATA_DIR, made on first use and readable by its owner alone.

    Raises :class:`OSError` where the folder cannot be used.
    """
    path = data_dir / "secret_key"
    data_dir.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text(encoding="ascii").strip()
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(secrets.token_hex(32))
    return path.read_text(encoding="ascii").strip()
