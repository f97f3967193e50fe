"""Which place a name means, and who pays for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from statuspage.public.export.folder import Folder
from statuspage.public.export.targets import find_target
from tests.guards.source import sources


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("s3://bucket", "s3://bucket"),
        ("s3://bucket/", "s3://bucket"),
        ("s3://bucket/a/b/", "s3://bucket/a/b"),
    ],
)
def test_an_s3_address_is_a_bucket_and_perhaps_a_prefix(name: str, found: str) -> None:
    target = find_target(name)
    assert (target.name, target.has_folders) == (found, False)


def test_anything_else_is_a_folder_from_where_the_service_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    target = find_target("site/public")
    assert isinstance(target, Folder)
    assert target.name == str(tmp_path / "site" / "public")
    assert list(tmp_path.iterdir()) == []


def test_nobody_without_a_bucket_pays_for_boto3() -> None:
    bucket, backups = "statuspage.public.export.bucket", "statuspage.runtime.bucket_backups"
    paying = {
        source.module
        for source in sources()
        for found in source.imports
        if found.module.partition(".")[0] in {"boto3", "botocore"}
        or f"{found.module}.{found.name}".startswith((bucket, backups))
    }
    assert paying == {bucket, backups}
