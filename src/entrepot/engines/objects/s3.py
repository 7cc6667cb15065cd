"""Objects in anything that speaks S3, by boto3 in threads: its calls block, and never run in the event loop.

Each object carries the SHA-256 of what was put, in its metadata, and is compared with it whenever it is fetched: servers
differ in which checksums of the protocol they keep.
"""

import asyncio
import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from entrepot.base.errors import BadInputError, EngineAwayError, NotFoundError
from entrepot.base.late import Late
from entrepot.base.limits import CONNECT_SECONDS_MAX, SCAN_ITEMS_MAX, STATEMENT_SECONDS_MAX
from entrepot.base.time import OURS, check_date
from entrepot.base.trust import authority
from entrepot.engines import answering
from entrepot.engines.objects.port import ObjectDamagedError

if TYPE_CHECKING:
    import boto3
    from boto3 import exceptions as boto3_errors
    from boto3.s3 import transfer
    from botocore import config
    from botocore import exceptions as errors
    from types_boto3_s3.client import S3Client
else:
    boto3, boto3_errors, transfer = Late("boto3"), Late("boto3.exceptions"), Late("boto3.s3.transfer")
    config, errors = Late("botocore.config"), Late("botocore.exceptions")

T = TypeVar("T")

ROLE = "objects"

_REFUSED = frozenset({401, 403})
_MISSING = 404
_SERVER_FAULT = 500
_MARK = "sha256"


class S3Objects:
    """``ObjectStore`` in a bucket: ``s3://key:secret@host:port/bucket?region=...`` (``s3s`` for HTTPS)."""

    def __init__(self, url: str) -> None:
        self._url = urlsplit(url)
        self._bucket = self._url.path.strip("/")
        self._client: S3Client | None = None
        self._lock = Lock()

    async def open(self) -> None:
        """Make sure that the bucket answers; every other call works without it."""
        await self._run("its bucket", lambda s3: s3.head_bucket(Bucket=self._bucket))

    async def close(self) -> None:
        """Give every connection back."""
        if self._client is not None:
            await asyncio.to_thread(self._client.close)

    async def put(self, key: str, source: Path) -> None:
        """Keep the file under this key, with its checksum, in place of what was there."""

        def send(s3: "S3Client") -> None:
            marks = {"Metadata": {_MARK: _sha256(source)}}
            s3.upload_file(str(source), self._bucket, key, ExtraArgs=marks, Config=_transfer())

        await self._run(key, send)

    async def get(self, key: str, destination: Path) -> None:
        """Write the object into this file, once it is proved to be what was put."""
        part = destination.with_name(destination.name + ".part")

        def fetch(s3: "S3Client") -> None:
            promised = s3.head_object(Bucket=self._bucket, Key=key)["Metadata"].get(_MARK)
            try:
                s3.download_file(self._bucket, key, str(part), Config=_transfer())
                found = _sha256(part)
                if found != promised:
                    raise ObjectDamagedError(
                        f"The object {key} has the checksum {found}, {promised} was put: restore it from a backup.", key=key
                    )
                part.replace(destination)
            finally:
                part.unlink(missing_ok=True)

        await self._run(key, fetch)

    async def exists(self, key: str) -> bool:
        """Say whether there is an object under this key."""
        try:
            await self._run(key, lambda s3: s3.head_object(Bucket=self._bucket, Key=key))
        except NotFoundError:
            return False
        return True

    async def delete(self, key: str) -> None:
        """Keep nothing under this key; does nothing if nothing is there."""
        await self._run(key, lambda s3: s3.delete_object(Bucket=self._bucket, Key=key))

    async def list(self, prefix: str, after: str = "") -> Sequence[str]:
        """Return the first keys that begin with the prefix and come after ``after``."""
        found = await self._run(
            prefix,
            lambda s3: s3.list_objects_v2(Bucket=self._bucket, Prefix=prefix, StartAfter=after, MaxKeys=SCAN_ITEMS_MAX),
        )
        return [entry["Key"] for entry in found.get("Contents", [])]

    async def _run(self, key: str, call: Callable[["S3Client"], T]) -> T:
        """Run a call that blocks in a thread; each of its waits is bounded, so a thread that nobody awaits ends too."""

        def work() -> T:
            with answering_for(key):
                return call(self._connected())

        return await asyncio.to_thread(work)

    def _connected(self) -> "S3Client":
        with self._lock:  # boto3 makes clients one at a time only; what it has made is safe to share
            if self._client is None:
                self._client = connected(self._url)
            return self._client


def connected(url: SplitResult) -> "S3Client":
    """Return a client of the server that a URL names; each of its waits is bounded."""
    scheme = "https" if url.scheme == "s3s" else "http"
    port = f":{url.port}" if url.port else ""
    client: S3Client = boto3.client(
        "s3",
        endpoint_url=f"{scheme}://{url.hostname}{port}",
        verify=authority(url.geturl()) or True,
        aws_access_key_id=unquote(url.username or ""),
        aws_secret_access_key=unquote(url.password or ""),
        region_name=parse_qs(url.query).get("region", ["us-east-1"])[0],
        config=config.Config(
            connect_timeout=CONNECT_SECONDS_MAX,
            read_timeout=STATEMENT_SECONDS_MAX,
            retries={"mode": "standard", "total_max_attempts": 2},
            s3={"addressing_style": "path"},
        ),
    )
    return client


def _transfer() -> "transfer.TransferConfig":
    """Return how a file is sent: in parts because of its size, not for speed, so that one thread each is enough."""
    return transfer.TransferConfig(use_threads=False)


@contextmanager
def answering_for(key: str) -> Iterator[None]:
    """Tell of what a server answers as what it means: missing, away, or a mistake of ours."""
    with answering(ROLE, errors.ConnectionError, errors.HTTPClientError, errors.IncompleteReadError):
        try:
            yield
        except (boto3_errors.S3UploadFailedError, errors.ClientError) as error:
            # boto3 wraps what the server answers to an upload, and only to an upload.
            answer = error if isinstance(error, errors.ClientError) else error.__context__
            if not isinstance(answer, errors.ClientError):
                raise EngineAwayError(ROLE, str(error)) from error
            status = answer.response["ResponseMetadata"]["HTTPStatusCode"]
            if status == _MISSING:
                raise NotFoundError(f"There is no object {key}.", key=key) from error
            if status in _REFUSED:
                # A signature is of a moment: where the clocks are apart it is refused like one that is wrong.
                check_date(ROLE, answer.response["ResponseMetadata"]["HTTPHeaders"].get("date", ""), OURS)
                code = answer.response["Error"].get("Code", status)
                raise BadInputError(
                    f"Object storage does not let us touch {key} ({code}): look at the key and secret in ENTREPOT_OBJECTS_URL, "
                    "and at what they may do.",
                    key=key,
                ) from error
            if status >= _SERVER_FAULT:
                raise EngineAwayError(ROLE, str(error)) from error
            raise


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
