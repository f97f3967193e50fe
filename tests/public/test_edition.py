import logging
import os
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from statuspage.public.document import IMMUTABLE, make_document
from statuspage.public.edition import Edition, confirm, confirmed_at, load, save

NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)


def edition(revision: int = 7, **options: object) -> Edition:
    documents = {
        "/": make_document("<p>fine</p>" * 50, content_type="text/html", last_modified=NOON),
        "/empty": make_document(b"", content_type="text/plain", last_modified=NOON),
        "/api/v2/status.json": make_document(
            bytes(range(256)),
            content_type="application/json",
            last_modified=NOON - timedelta(days=1),
            cors=True,
            cache_control=IMMUTABLE,
            content_security_policy="default-src 'none'",
        ),
    }
    facts: dict[str, object] = {"revision": revision, "documents": documents, "built_at": NOON}
    return Edition(**{**facts, **options})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "edition"


def test_what_was_saved_is_loaded_again(path: Path):
    saved = edition(next_change_at=NOON + timedelta(minutes=5))
    save(saved, path)
    assert load(path) == saved


def test_the_loaded_documents_have_the_same_headers(path: Path):
    saved = edition()
    save(saved, path)
    loaded = load(path)
    assert loaded is not None
    assert loaded.documents["/"].forms == saved.documents["/"].forms


def test_an_edition_without_documents_or_next_change_can_be_kept(path: Path):
    saved = edition(documents={}, next_change_at=None)
    save(saved, path)
    assert load(path) == saved


def test_saving_makes_the_folder(tmp_path: Path):
    path = tmp_path / "new" / "edition"
    save(edition(), path)
    assert load(path) == edition()


def test_saving_again_replaces_the_copy_and_leaves_nothing_beside_it(path: Path):
    save(edition(7), path)
    save(edition(8), path)
    loaded = load(path)
    assert loaded is not None
    assert loaded.revision == 8
    assert os.listdir(path.parent) == [path.name]


def test_a_save_that_fails_leaves_the_former_copy(path: Path, monkeypatch: pytest.MonkeyPatch):
    save(edition(7), path)

    def refuse(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("os.fsync", refuse)
    with pytest.raises(OSError, match="disk full"):
        save(edition(8), path)
    assert load(path) == edition(7)
    assert os.listdir(path.parent) == [path.name]


def test_no_copy_is_none(path: Path, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.INFO)
    assert load(path) is None
    assert caplog.messages == [f"no copy of the public site at {path}"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it is not an edition"),
        (b"\x80\x04\x95 pickle", "it is not an edition"),
        (b"statuspage-edition/1 yesterday\n", "time data 'yesterday'"),
        (b"statuspage-edition/1 2026-03-04T12:00:00Z\n0\n{}", "it is cut or damaged"),
    ],
)
def test_a_wrong_file_is_none_and_the_reason_is_logged(
    path: Path, content: bytes, reason: str, caplog: pytest.LogCaptureFixture
):
    path.write_bytes(content)
    assert load(path) is None
    assert reason in caplog.text


def test_a_folder_in_its_place_is_none(path: Path):
    path.mkdir()
    assert load(path) is None


def test_a_copy_cut_anywhere_is_none(path: Path):
    save(edition(), path)
    whole = path.read_bytes()
    for length in range(0, len(whole), 37):
        path.write_bytes(whole[:length])
        assert load(path) is None


def saved_bytes() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        save(edition(), Path(folder) / "edition")
        return (Path(folder) / "edition").read_bytes()


SAVED = saved_bytes()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(at=st.integers(0, 10_000), value=st.integers(1, 255))
def test_a_changed_byte_is_noticed_wherever_it_is_but_in_the_time(path: Path, at: int, value: int):
    content = bytearray(SAVED)
    content[at % len(content)] ^= value
    path.write_bytes(content)
    # The first line's time is free to change; everything else is covered.
    assert load(path) in (None, edition())


def test_a_fresh_copy_is_confirmed_when_it_was_built(path: Path):
    save(edition(), path)
    assert confirmed_at(path) == NOON


def test_a_later_confirmation_is_kept_in_the_copy(path: Path):
    save(edition(), path)
    confirm(path, at=NOON + timedelta(hours=3))
    assert confirmed_at(path) == NOON + timedelta(hours=3)
    assert load(path) == edition()


def test_confirming_where_there_is_no_copy_makes_none(path: Path):
    confirm(path, at=NOON)
    assert not path.exists()
    assert confirmed_at(path) is None


def test_confirming_leaves_a_file_that_is_no_edition_as_it_is(path: Path):
    path.write_bytes(b"somebody else's file, and a long one")
    confirm(path, at=NOON)
    assert path.read_bytes() == b"somebody else's file, and a long one"
    assert confirmed_at(path) is None
