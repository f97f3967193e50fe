"""An S3 bucket, or what speaks its language; loaded only where one is used, for boto3 is heavy.

Credentials, region and endpoint are boto3's own settings (``AWS_ACCESS_KEY_ID``,
``AWS_DEFAULT_REGION``, ``AWS_ENDPOINT_URL_S3`` …).
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from statuspage.public.export.files import MARKER, MARKER_TEXT, Bundle, File, UnusableTarget

_AT_A_TIME = 8
_MOST_REMOVED = 1000  # in one call, by S3's rules


class Bucket:
    """Objects named like the site's addresses under a prefix; ``/`` itself is ``index.html``."""

    has_folders = False

    def __init__(self, bucket: str, prefix: str = "") -> None:
        self._bucket = bucket
        self._prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        self.name = f"s3://{bucket}/{self._prefix}".rstrip("/")
        self._client: Any = None
        # What each object is known to hold, as S3 tells it: the MD5 of its bytes.
        self._etags: dict[str, str] = {}

    def open(self) -> None:
        """Read what is there; :class:`UnusableTarget` where it is not ours."""
        with _told(self.name):
            if self._client is None:
                self._client = boto3.client("s3", config=_CONFIG)
            self._etags = dict(self._list())
            marker = self._etags.pop(MARKER, None)
            if marker is None and self._etags:
                raise UnusableTarget(
                    f"{self.name} holds other objects, which would be removed; name an empty prefix"
                )
            if marker != _etag(MARKER_TEXT):
                # Named or described by another release: nothing is taken as it is.
                self._etags = dict.fromkeys(self._etags, "")
                self._call(
                    "put_object", Key=self._key(MARKER), Body=MARKER_TEXT, ContentType="text/plain"
                )

    def keys(self) -> set[str]:
        """Every object under the prefix, as it was read and written since."""
        return set(self._etags)

    def write(self, bundles: Iterable[Bundle]) -> int:
        """Put what differs, several documents at a time, each one's files in their order."""
        changed = [bundle for bundle in bundles if self._differs(bundle)]
        with _told(self.name), ThreadPoolExecutor(_AT_A_TIME) as pool:
            return sum(pool.map(self._write, changed))

    def remove(self, keys: Collection[str]) -> int:
        """Remove objects, a thousand in a call."""
        there = sorted(key for key in keys if key in self._etags)
        with _told(self.name):
            for start in range(0, len(there), _MOST_REMOVED):
                self._remove(there[start : start + _MOST_REMOVED])
        return len(there)

    def _list(self) -> Iterator[tuple[str, str]]:
        pages = self._client.get_paginator("list_objects_v2")
        for page in pages.paginate(Bucket=self._bucket, Prefix=self._prefix):
            for entry in page.get("Contents", ()):
                yield entry["Key"].removeprefix(self._prefix), entry["ETag"]

    def _differs(self, bundle: Bundle) -> bool:
        return any(key in self._etags for key in bundle.absent) or any(
            self._etags.get(file.key) != _etag(file.body) for file in bundle.files
        )

    def _write(self, bundle: Bundle) -> int:
        self._remove([key for key in bundle.absent if key in self._etags])
        written = 0
        for file in bundle.files:
            if self._etags.get(file.key) != _etag(file.body):
                self._put(file)
                written += 1
        return written

    def _put(self, file: File) -> None:
        coding = {"ContentEncoding": file.coding} if file.coding else {}
        self._call(
            "put_object",
            Key=self._key(file.key),
            Body=file.body,
            ContentType=file.content_type,
            CacheControl=file.cache_control,
            **coding,
        )
        # Not the answer's: with KMS encryption that is no MD5, and would differ every time.
        self._etags[file.key] = _etag(file.body)

    def _remove(self, keys: list[str]) -> None:
        if not keys:
            return
        objects = [{"Key": self._key(key)} for key in keys]
        answer = self._call("delete_objects", Delete={"Objects": objects, "Quiet": True})
        for error in answer.get("Errors", ()):
            raise OSError(f"{self.name}: {error['Key']} cannot be removed: {error['Code']}")
        for key in keys:
            self._etags.pop(key, None)

    def _key(self, key: str) -> str:
        return self._prefix + key

    def _call(self, operation: str, **arguments: Any) -> Any:
        return getattr(self._client, operation)(Bucket=self._bucket, **arguments)


# Stores that only speak S3's language refuse checksums that are not asked for.
_CONFIG = Config(
    connect_timeout=5,
    read_timeout=20,
    max_pool_connections=_AT_A_TIME,
    retries={"total_max_attempts": 3, "mode": "standard"},
    request_checksum_calculation="when_required",
    response_checksum_validation="when_required",
)


def _etag(body: bytes) -> str:
    return f'"{hashlib.md5(body, usedforsecurity=False).hexdigest()}"'


@contextmanager
def _told(name: str) -> Iterator[None]:
    """Have what the store refuses told as any other file system does."""
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise OSError(f"{name}: {' '.join(str(error).split())}") from error
