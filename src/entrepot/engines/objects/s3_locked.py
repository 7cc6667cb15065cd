"""Objects that nobody can change, in a bucket of their own: S3 Object Lock in mode COMPLIANCE, beside the bucket of the rest.

Versions do the rest: what is written over, or deleted, is still there beneath. A server without Object Lock keeps versions, and
``put`` says so.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from threading import Lock
from typing import TYPE_CHECKING, Final, TypeVar
from urllib.parse import urlsplit

from entrepot.base.late import Late
from entrepot.base.limits import SCAN_ITEMS_MAX
from entrepot.engines.objects.port import Version
from entrepot.engines.objects.s3 import answering_for, connected

if TYPE_CHECKING:
    from botocore import exceptions as errors
    from types_boto3_s3.client import S3Client
else:
    errors = Late("botocore.exceptions")

T = TypeVar("T")

SUFFIX = "-audit"
MODE: Final = "COMPLIANCE"

_OURS = {"BucketAlreadyOwnedByYou", "BucketAlreadyExists"}
_NO_LOCK = {"ObjectLockConfigurationNotFoundError", "NotImplemented", "InvalidRequest", "MethodNotAllowed"}


class S3Locked:
    """``LockedObjects`` beside the bucket of a URL, in one of the same name with ``-audit`` after it."""

    def __init__(self, url: str) -> None:
        self._url = urlsplit(url)
        self._bucket = self._url.path.strip("/") + SUFFIX
        self._client: S3Client | None = None
        self._locks = True
        self._lock = Lock()

    async def put(self, key: str, data: bytes, until: datetime) -> bool:
        """Keep this under the key until a moment; returns whether the store promises it."""

        def send(s3: "S3Client") -> bool:
            if self._locks:
                s3.put_object(Bucket=self._bucket, Key=key, Body=data, ObjectLockMode=MODE, ObjectLockRetainUntilDate=until)
            else:
                s3.put_object(Bucket=self._bucket, Key=key, Body=data)
            return self._locks

        return await self._run(key, send)

    async def versions(self, prefix: str, after: str = "") -> Sequence[Version]:
        """Return every version of the first keys that come after ``after``, by key, oldest first."""
        return await self._run(prefix, lambda s3: self._versions(s3, prefix, after))

    async def close(self) -> None:
        """Give every connection back."""
        if self._client is not None:
            await asyncio.to_thread(self._client.close)

    def _versions(self, s3: "S3Client", prefix: str, after: str) -> list[Version]:
        found = s3.list_object_versions(Bucket=self._bucket, Prefix=prefix, KeyMarker=after, MaxKeys=SCAN_ITEMS_MAX)
        # A server tells the newest version of a key first. What was deleted is told apart from it, and said last.
        listed = [(one["Key"], 0, -n, one["VersionId"]) for n, one in enumerate(found.get("Versions", []))]
        listed += [(one["Key"], 1, -n, "") for n, one in enumerate(found.get("DeleteMarkers", []))]
        if found.get("IsTruncated"):  # the last key may have more versions than are told: it is first of the next page
            last = max(key for key, *_ in listed)
            listed = [one for one in listed if one[0] != last] or listed
        return [self._version(s3, key, version) for key, _, _, version in sorted(listed)]

    def _version(self, s3: "S3Client", key: str, version: str) -> Version:
        if not version:
            return Version(key, b"", locked=False, removed=True)
        got = s3.get_object(Bucket=self._bucket, Key=key, VersionId=version)
        return Version(key, got["Body"].read(), locked=got.get("ObjectLockMode") == MODE, removed=False)

    async def _run(self, key: str, call: Callable[["S3Client"], T]) -> T:
        def work() -> T:
            with answering_for(key):
                return call(self._opened())

        return await asyncio.to_thread(work)

    def _opened(self) -> "S3Client":
        with self._lock:
            if self._client is None:
                client = connected(self._url)
                self._locks = _make(client, self._bucket)
                self._client = client
            return self._client


def _make(s3: "S3Client", bucket: str) -> bool:
    """Make the bucket where it is missing, and say whether it locks; one without locks keeps versions."""
    try:
        s3.create_bucket(Bucket=bucket, ObjectLockEnabledForBucket=True)
    except errors.ClientError as error:
        if error.response["Error"]["Code"] in _NO_LOCK:
            s3.create_bucket(Bucket=bucket)
        elif error.response["Error"]["Code"] not in _OURS:
            raise
    try:
        state = s3.get_object_lock_configuration(Bucket=bucket)["ObjectLockConfiguration"].get("ObjectLockEnabled")
    except errors.ClientError as error:
        if error.response["Error"]["Code"] not in _NO_LOCK:
            raise
        state = None
    if state != "Enabled":
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    return state == "Enabled"
