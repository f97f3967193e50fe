"""Backups in a bucket: the newest stay, what is not ours too, and one is restored whole."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from flask import Flask
from flask.testing import FlaskCliRunner
from moto import mock_aws
from sqlalchemy import select
from time_machine import Traveller

from statuspage.core.config import Settings
from statuspage.core.db import current_session, db
from statuspage.models import Incident
from statuspage.runtime import backup
from statuspage.runtime.bucket_backups import back_up_into_bucket
from statuspage.runtime.versions import UnusableDatabase
from tests.announcing import declare, set_up_scenario

pytestmark = pytest.mark.only_on("sqlite")

PLACE = "s3://kept/nightly"


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A bucket in this process, that the code finds by boto3's own settings."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        client = boto3.client("s3")
        client.create_bucket(Bucket="kept")
        yield client


def names(s3: Any) -> list[str]:
    return [entry["Key"] for entry in s3.list_objects_v2(Bucket="kept").get("Contents", ())]


def test_the_newest_backups_stay_beside_what_is_not_ours_and_one_is_restored(
    app: Flask, settings: Settings, s3: Any, frozen: Traveller, tmp_path: Path
) -> None:
    scenario = set_up_scenario(app)
    s3.put_object(Bucket="kept", Key="nightly/notes.txt", Body=b"")
    with app.app_context():
        declare(scenario, title="Before")
        made = []
        for _ in range(3):
            made.append(back_up_into_bucket(settings, PLACE, keep=2))
            frozen.shift(60)
        declare(scenario, title="After")
        db.engine.dispose()
    kept = [address.removeprefix("s3://kept/") for address in made[1:]]
    assert names(s3) == ["nightly/notes.txt", *kept]
    s3.download_file("kept", kept[-1], str(tmp_path / "copy"))
    backup.restore(app, tmp_path / "copy")
    with app.app_context():
        assert current_session().scalars(select(Incident.title)).all() == ["Before"]
    assert list(settings.data_dir.glob("backup-*")) == []


def test_a_bucket_that_is_not_there_is_named_in_one_line(settings: Settings, s3: Any) -> None:
    with pytest.raises(UnusableDatabase, match="s3://none/x cannot be written to: "):
        back_up_into_bucket(settings, "s3://none/x", keep=1)


def test_a_bucket_is_given_how_many_stay(runner: FlaskCliRunner, s3: Any) -> None:
    said = runner.invoke(args=["backup", PLACE])
    assert (said.exit_code, names(s3)) == (1, [])
    assert "a bucket needs --keep" in said.stderr
    done = runner.invoke(args=["backup", "--keep", "2", f"{PLACE}/"])
    assert done.output == f"Backed up to s3://kept/{names(s3)[0]}.\n"
