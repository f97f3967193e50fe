from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pysqlite3
import pytest
from flask.testing import FlaskCliRunner

from statuspage.core.config import load_settings
from statuspage.runtime import upgrading
from statuspage.runtime.application import create_app
from statuspage.runtime.versions import newest_version
from tests.upgrades.dumps import dumps, load_sqlite, version_in_name

(OLD,) = (dump for dump in dumps("sqlite") if version_in_name(dump) == "0038")


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a database of version 0038, which the tests upgrade one after the other."""
    folder = tmp_path_factory.mktemp("old")
    load_sqlite(OLD, folder / "statuspage.db")
    return folder


def runner_in(folder: Path) -> FlaskCliRunner:
    settings = {"DATA_DIR": str(folder), "SECRET_KEY": "for tests " * 4}
    return create_app(load_settings(settings)).test_cli_runner()


def version_of(file: Path) -> str:
    with closing(pysqlite3.connect(str(file))) as database:
        (version,) = database.execute("SELECT version_num FROM alembic_version").fetchone()
    return str(version)


def test_a_dry_run_names_what_waits_tries_it_on_a_copy_and_changes_nothing(old: Path) -> None:
    said = runner_in(old).invoke(args=["upgrade", "--dry-run"])
    lines = said.output.splitlines()
    assert lines[0] == f"The database has version 0038; this release needs {newest_version()}:"
    assert f"  {newest_version()} " in lines[-3]
    assert lines[-2].startswith(f"Would be backed up to {old}/backups/before-upgrade-0038-")
    assert lines[-1] == "Tried on a copy: it works."
    assert version_of(old / "statuspage.db") == "0038"
    assert {file.name for file in old.iterdir() if file.is_dir()} == set()


def test_a_dry_run_says_where_the_disk_has_no_room_for_the_backup(
    old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upgrading, "_free", lambda _folder: 10)
    said = runner_in(old).invoke(args=["upgrade", "--dry-run"])
    assert said.exit_code == 1
    assert f"no backup can be made: {old}/backups has 0 MB free" in said.stderr


def test_an_upgrade_leaves_a_backup_of_the_version_before(old: Path) -> None:
    runner = runner_in(old)
    said = runner.invoke(args=["upgrade"]).output
    (kept,) = (old / "backups").iterdir()
    assert said == (
        f"Upgraded from version 0038 to {newest_version()}.\nThe database before is {kept}.\n"
    )
    assert (version_of(old / "statuspage.db"), version_of(kept)) == (newest_version(), "0038")
    again = runner.invoke(args=["upgrade"]).output
    assert again == f"The database is up to date: version {newest_version()}.\n"
