"""The key is made once, and is its owner's alone."""

from pathlib import Path

import pytest

from statuspage.core.secret_key import kept_secret_key


def test_a_key_is_made_once_and_kept_for_its_owner(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    key = kept_secret_key(folder)
    assert len(key) == 64
    assert kept_secret_key(folder) == key
    assert (folder / "secret_key").stat().st_mode & 0o777 == 0o600


def test_a_folder_that_cannot_be_used_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file"):
        kept_secret_key(tmp_path / "file")
