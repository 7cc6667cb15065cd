"""Files: letters, logs, what else lies in a folder; and objects of a bucket, unpacked where they are Parquet or gzip."""

import asyncio
import gzip
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from entrepot.base.late import Late
from entrepot.engines.objects.s3 import connected
from entrepot.privacy.scan.looking import Looked, Looking
from entrepot.privacy.scan.needles import Needles

if TYPE_CHECKING:
    import pyarrow.parquet as pq
else:
    pq = Late("pyarrow.parquet")

_PIECE_BYTES = 1 << 20
_GZIP, _PARQUET = b"\x1f\x8b", b"PAR1"


async def search_folder(source: str, folder: Path, but: frozenset[str], needles: Needles) -> Looked:
    """Search every file of a folder, but for the engines' own folders, which are searched through their engines."""

    def search() -> Looked:
        looking = Looking(source, needles, ids=False)
        look_at_files(looking, [path for path in sorted(folder.iterdir()) if path.name not in but])
        return looking.end()

    return await asyncio.to_thread(search)


async def search_objects(source: str, url: str, needles: Needles) -> Looked:
    """Search every object of every bucket that the key of this URL may list."""
    return await asyncio.to_thread(_search_objects, source, url, needles)


def look_at_files(looking: Looking, places: Iterable[Path]) -> None:
    """Search files, and all that is in folders."""
    for place in places:
        for path in [place] if place.is_file() else sorted(place.rglob("*")):
            try:
                if path.is_file() and not path.is_symlink():
                    _look_at_file(looking, str(path.relative_to(place.parent)), path)
            except FileNotFoundError:  # gone meanwhile: an index that was merged, a log that was rotated
                continue


def _look_at_file(looking: Looking, name: str, path: Path) -> None:
    with path.open("rb") as file:
        head = file.read(len(_PARQUET))
    if head == _PARQUET:
        _look_at_parquet(looking, name, path)
        return
    piece = looking.pieces(name)
    with gzip.open(path) if head.startswith(_GZIP) else path.open("rb") as file:
        while data := file.read(_PIECE_BYTES):
            piece(data)


def _look_at_parquet(looking: Looking, name: str, path: Path) -> None:
    file = pq.ParquetFile(path)
    for group in range(file.num_row_groups):
        table = file.read_row_group(group)
        for column in table.column_names:
            for chunk in table[column].chunks:
                for buffer in chunk.buffers():
                    if buffer is not None:
                        looking.look(f"{name}: {column}", buffer.to_pybytes())


def _search_objects(source: str, url: str, needles: Needles) -> Looked:
    looking, client = Looking(source, needles, ids=False), connected(urlsplit(url))
    try:
        with TemporaryDirectory() as folder:
            for bucket in (one["Name"] for one in client.list_buckets()["Buckets"]):
                for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket):
                    for one in page.get("Contents", []):
                        path = Path(folder) / "object"
                        client.download_file(bucket, one["Key"], str(path))
                        looking.look(f"{bucket}/{one['Key']}", one["Key"].encode())
                        _look_at_file(looking, f"{bucket}/{one['Key']}", path)
    finally:
        client.close()
    return looking.end()
