"""Every product of the objects role keeps files by key, whole or not at all, and proves that they are what was put."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from entrepot.base.errors import BadInputError, EngineAwayError, NotFoundError
from entrepot.engines.objects.port import ObjectDamagedError
from entrepot.engines.objects.s3 import S3Objects

STRANGE_KEYS = sorted(["a/b c", "a/é", "a/中", "a/+&=?#", "a/%41", "a/😀", 'a/"quoted"'])


@pytest.fixture(scope="module")
async def store(objects_url: str) -> AsyncIterator[S3Objects]:
    store = S3Objects(objects_url)
    await store.open()
    yield store
    await store.close()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source"
    path.write_bytes(bytes(range(256)) * 100)
    return path


@pytest.mark.parametrize("size", [0, 1, 9 << 20])  # the last is sent in parts
async def test_a_file_comes_back_as_it_went(store: S3Objects, tmp_path: Path, size: int) -> None:
    source, back = tmp_path / "source", tmp_path / "back"
    source.write_bytes(bytes(range(1, 256)) * (size // 255 + 1))
    await store.put(f"sizes/{size}", source)
    await store.get(f"sizes/{size}", back)
    assert back.read_bytes() == source.read_bytes()
    assert sorted(tmp_path.iterdir()) == [back, source]


async def test_a_second_file_takes_the_place_of_the_first(store: S3Objects, source: Path, tmp_path: Path) -> None:
    await store.put("twice", source)
    source.write_bytes(b"second")
    await store.put("twice", source)
    await store.get("twice", tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == b"second"


async def test_what_is_not_there_is_told_as_not_found_and_leaves_no_file(store: S3Objects, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no object never"):
        await store.get("never", tmp_path / "back")
    assert not list(tmp_path.iterdir())
    assert not await store.exists("never")


async def test_a_wrong_secret_is_told_as_a_mistake_and_not_as_an_engine_away(objects_url: str, source: Path) -> None:
    secret = urlsplit(objects_url).password
    assert secret
    stranger = S3Objects(objects_url.replace(secret, "wrong"))
    with pytest.raises(BadInputError, match="ENTREPOT_OBJECTS_URL"):
        await stranger.put("secret", source)
    with pytest.raises(BadInputError, match="does not let us touch"):
        await stranger.exists("secret")
    await stranger.close()


async def test_an_object_is_gone_once_it_is_deleted(store: S3Objects, source: Path) -> None:
    await store.put("gone", source)
    assert await store.exists("gone")
    await store.delete("gone")
    await store.delete("gone")
    assert not await store.exists("gone")


async def test_an_object_that_was_changed_behind_our_back_is_found_out(store: S3Objects, source: Path, tmp_path: Path) -> None:
    await store.put("changed", source)
    marks = store._connected().head_object(Bucket=store._bucket, Key="changed")["Metadata"]
    store._connected().put_object(Bucket=store._bucket, Key="changed", Body=b"other", Metadata=marks)
    back = tmp_path / "back"
    back.write_bytes(b"what was here before")
    with pytest.raises(ObjectDamagedError, match="restore it"):
        await store.get("changed", back)
    assert back.read_bytes() == b"what was here before"


async def test_keys_are_listed_by_prefix_in_pages(store: S3Objects, source: Path) -> None:
    keys = [f"list/{number}" for number in range(5)]
    await asyncio.gather(*(store.put(key, source) for key in [*keys, "listed", "other"]))
    assert await store.list("list/") == keys
    assert await store.list("list/", after="list/2") == keys[3:]
    assert await store.list("list/", after="list/4") == []


async def test_a_key_may_hold_any_character(store: S3Objects, source: Path, tmp_path: Path) -> None:
    for key in STRANGE_KEYS:
        await store.put(key, source)
        await store.get(key, tmp_path / "back")
    assert await store.list("a/") == STRANGE_KEYS


async def test_a_server_that_is_not_there_is_told_as_away(source: Path) -> None:
    store = S3Objects("s3://key:secret@127.0.0.1:1/bucket")
    with pytest.raises(EngineAwayError, match="objects engine does not answer"):
        await store.open()
    with pytest.raises(EngineAwayError):
        await store.put("key", source)
