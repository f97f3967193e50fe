"""A folder that a web server such as nginx serves as it is."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable
from contextlib import suppress
from pathlib import Path

from statuspage.public.export.files import (
    MARKER,
    MARKER_TEXT,
    Bundle,
    File,
    UnusableTarget,
    Vanished,
)

_DRAFT = ".draft-"
_FOLDER_MODE = 0o755
_FILE_MODE = 0o644


class Folder:
    """Each file is written beside its place and renamed into it: nobody ever reads half of one."""

    has_folders = True

    def __init__(self, root: Path) -> None:
        self._root = root
        self.name = str(root)

    def open(self) -> None:
        """Make the folder; :class:`UnusableTarget` where it holds what is not ours."""
        try:
            self._root.mkdir(parents=True, exist_ok=True)
            is_ours = (self._root / MARKER).is_file()
            if not is_ours and any(self._root.iterdir()):
                raise UnusableTarget(
                    f"{self._root} holds other files, which would be removed; name an empty folder"
                )
            if not is_ours:
                (self._root / MARKER).write_bytes(MARKER_TEXT)
                # A web server of another name reads what is here, whatever the umask is.
                self._root.chmod(_FOLDER_MODE)
        except (FileExistsError, NotADirectoryError):
            raise UnusableTarget(f"{self._root} is not a folder") from None

    def keys(self) -> set[str]:
        """Every file under the folder, drafts of a process that died among them."""
        found = {
            Path(folder, name).relative_to(self._root).as_posix()
            for folder, _, names in os.walk(self._root)
            for name in names
        }
        return found - {MARKER}

    def write(self, bundles: Iterable[Bundle]) -> int:
        """Write what differs; a file that does not is not touched."""
        if not (self._root / MARKER).exists():
            raise Vanished(f"what was written to {self._root} has vanished")
        written = 0
        for bundle in bundles:
            # A form left from before would be served instead of the plain file.
            self.remove(bundle.absent)
            written += sum(self._put(file) for file in bundle.files)
        return written

    def remove(self, keys: Collection[str]) -> int:
        """Remove files, and the folders that they leave empty."""
        return sum(self._drop(key) for key in keys)

    def _put(self, file: File) -> bool:
        path = self._root / file.key
        if _holds(path, file.body):
            return False
        self._make_folders(path.parent)
        draft = path.with_name(f"{_DRAFT}{os.getpid()}-{path.name}")
        try:
            draft.write_bytes(file.body)
            # What servers make their validators of: the same on every host.
            moment = file.modified.timestamp()
            os.utime(draft, (moment, moment))
            draft.chmod(_FILE_MODE)
            os.replace(draft, path)
        except BaseException:
            with suppress(OSError):
                draft.unlink()
            raise
        return True

    def _make_folders(self, folder: Path) -> None:
        """Make a folder and those above it that are missing, for everybody to read."""
        if folder.is_dir():
            return
        self._make_folders(folder.parent)
        folder.mkdir(exist_ok=True)
        folder.chmod(_FOLDER_MODE)

    def _drop(self, key: str) -> bool:
        path = self._root / key
        try:
            path.unlink()
        except (FileNotFoundError, NotADirectoryError):
            return False
        with suppress(OSError):
            for folder in path.relative_to(self._root).parents:
                if folder != Path():
                    (self._root / folder).rmdir()
        return True


def _holds(path: Path, body: bytes) -> bool:
    try:
        return path.stat().st_size == len(body) and path.read_bytes() == body
    except (FileNotFoundError, NotADirectoryError):
        return False
