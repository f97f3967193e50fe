"""A folder that is written to: never half a file, never other people's, and nothing twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from statuspage.public.export import targets
from statuspage.public.export.files import Bundle, File, UnusableTarget, Vanished
from statuspage.public.export.folder import Folder
from tests.factories import NOON


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    folder = Folder(tmp_path / "site")
    folder.open()
    return folder


def of(**bodies: bytes) -> list[Bundle]:
    """A bundle for each file, two folders down."""
    return [
        Bundle((File(f"a/b/{key}.html", body, "text/html", "", NOON),), ())
        for key, body in bodies.items()
    ]


def test_what_does_not_differ_is_not_touched(folder: Folder, tmp_path: Path) -> None:
    assert folder.write(of(one=b"1", two=b"2")) == 2
    place = tmp_path / "site" / "a" / "b" / "one.html"
    before = place.stat().st_ino
    assert folder.write(of(one=b"1", two=b"3")) == 1
    assert (place.stat().st_ino, place.stat().st_mtime) == (before, NOON.timestamp())
    assert folder.keys() == {"a/b/one.html", "a/b/two.html"}


def test_everybody_may_read_what_is_written(folder: Folder, tmp_path: Path) -> None:
    folder.write(of(one=b"1"))
    modes = {
        path.relative_to(tmp_path).as_posix(): oct(path.stat().st_mode)[-3:]
        for path in tmp_path.rglob("*")
        if path.name != ".statuspage"
    }
    assert modes == {"site": "755", "site/a": "755", "site/a/b": "755", "site/a/b/one.html": "644"}


def test_a_file_that_goes_takes_its_empty_folders_along(folder: Folder, tmp_path: Path) -> None:
    folder.write(of(one=b"1"))
    assert folder.remove(["a/b/one.html", "never/there.html"]) == 1
    assert [path.name for path in (tmp_path / "site").iterdir()] == [".statuspage"]


def test_a_compressed_form_that_is_not_worth_it_any_more_goes(
    folder: Folder, tmp_path: Path
) -> None:
    (tmp_path / "site" / "small.txt.gz").write_bytes(b"old")
    folder.write([Bundle(files=(), absent=("small.txt.gz", "small.txt.br"))])
    assert folder.keys() == set()


def test_a_write_that_fails_leaves_the_former_file(
    folder: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.write(of(one=b"1"))

    def full(source: object, target: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("statuspage.public.export.folder.os.replace", full)
        with pytest.raises(OSError, match="No space left"):
            folder.write(of(one=b"2"))
    assert (tmp_path / "site" / "a" / "b" / "one.html").read_bytes() == b"1"
    assert folder.keys() == {"a/b/one.html"}


def test_a_folder_that_vanished_is_told(folder: Folder, tmp_path: Path) -> None:
    (tmp_path / "site" / ".statuspage").unlink()
    with pytest.raises(Vanished):
        folder.write(of(one=b"1"))


@pytest.mark.parametrize("foreign", ["index.html", "photos/me.jpg"])
def test_a_folder_with_other_peoples_files_is_refused(tmp_path: Path, foreign: str) -> None:
    (tmp_path / foreign).parent.mkdir(exist_ok=True)
    (tmp_path / foreign).write_text("mine")
    with pytest.raises(UnusableTarget, match="holds other files"):
        targets.open_target(str(tmp_path))
    assert (tmp_path / foreign).read_text() == "mine"


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(UnusableTarget, match="is not a folder"):
        targets.open_target(str(tmp_path / "file"))
