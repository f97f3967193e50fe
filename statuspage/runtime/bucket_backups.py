"""Backups in an S3 bucket, or what speaks its language; loaded only where one is named.

Credentials, region and endpoint are boto3's own settings, as for the exported site.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

import boto3
from boto3.exceptions import Boto3Error
from botocore.exceptions import BotoCoreError, ClientError

from statuspage.core.config import Settings
from statuspage.runtime.backup import NAMED, back_up_into
from statuspage.runtime.versions import UnusableDatabase


def back_up_into_bucket(settings: Settings, place: str, *, keep: int) -> str:
    """Make a backup, read it back, put it under ``s3://bucket/prefix``, and keep the newest there.

    Returns its address.  Raises :class:`UnusableDatabase`, and then all that were there stay.
    """
    parts = urlsplit(place)
    bucket, prefix = parts.netloc, f"{parts.path.strip('/')}/".lstrip("/")
    with TemporaryDirectory(dir=settings.data_dir, prefix="backup-") as folder:
        made = back_up_into(settings, Path(folder), keep=1)
        try:
            client = boto3.client("s3")
            client.upload_file(str(made), bucket, prefix + made.name)
            pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
            sizes = {
                entry["Key"]: entry["Size"] for page in pages for entry in page.get("Contents", ())
            }
            if sizes.get(prefix + made.name) != made.stat().st_size:
                raise UnusableDatabase(f"{place} does not hold {made.name} whole")
            # By name they are in the order of their moments.
            ours = sorted(key for key in sizes if NAMED.fullmatch(key.removeprefix(prefix)))
            for old in ours[:-keep]:
                client.delete_object(Bucket=bucket, Key=old)
        except (Boto3Error, BotoCoreError, ClientError) as error:
            reason = " ".join(str(error).split())
            raise UnusableDatabase(f"{place} cannot be written to: {reason}") from None
    return f"s3://{bucket}/{prefix}{made.name}"
