"""What every keeper of the key-encryption key must do: a file of this machine, and AWS KMS as moto answers for it over HTTP."""

import stat
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer

from entrepot.base.errors import EngineAwayError
from entrepot.partners.keys.choice import key_provider
from entrepot.partners.keys.port import KeyProvider, KeysRefusedError, Wrapped

KEY = bytes(range(32))
REGION = "eu-central-1"


@pytest.fixture(scope="module")
def kms() -> Iterator[str]:
    """Return the address of a KMS on this machine."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(params=["file", "awskms"])
def urls(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    """Return the addresses of two different key-encryption keys of one kind."""
    if request.param == "file":
        return f"file://{tmp_path}/keyring.json", f"file://{tmp_path}/another.json"
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "only-for-tests")
    endpoint = request.getfixturevalue("kms")
    client = boto3.client("kms", region_name=REGION, endpoint_url=endpoint)
    made = [client.create_key()["KeyMetadata"]["KeyId"] for _ in range(2)]
    return tuple(f"awskms://{key}?region={REGION}&endpoint={endpoint}" for key in made)  # type: ignore[return-value]  # two of them


@pytest.fixture
async def provider(urls: tuple[str, str]) -> KeyProvider:
    one = key_provider(urls[0])
    await one.prepare()
    return one


async def test_what_was_wrapped_is_opened_by_another_process(provider: KeyProvider, urls: tuple[str, str]) -> None:
    wrapped = await provider.wrap(KEY, "person")
    assert await key_provider(urls[0]).unwrap(wrapped, "person") == KEY
    assert KEY not in wrapped.data


async def test_a_key_opens_for_its_purpose_only(provider: KeyProvider) -> None:
    wrapped = await provider.wrap(KEY, "person")
    with pytest.raises(KeysRefusedError):
        await provider.unwrap(wrapped, "blind")


async def test_a_key_that_was_changed_does_not_open(provider: KeyProvider) -> None:
    wrapped = await provider.wrap(KEY, "person")
    with pytest.raises(KeysRefusedError):
        await provider.unwrap(Wrapped(wrapped.by, wrapped.data[:-1] + bytes([wrapped.data[-1] ^ 1])), "person")


async def test_after_a_rotation_older_keys_still_open(provider: KeyProvider) -> None:
    before = await provider.wrap(KEY, "person")
    await provider.rotate()
    after = await provider.wrap(KEY, "person")
    assert [await provider.unwrap(one, "person") for one in (before, after)] == [KEY, KEY]


async def test_a_key_that_another_key_encryption_key_closed_is_refused(provider: KeyProvider, urls: tuple[str, str]) -> None:
    other = key_provider(urls[1])
    await other.prepare()
    foreign = await other.wrap(KEY, "person")
    claimed = Wrapped((await provider.wrap(KEY, "person")).by, foreign.data)
    with pytest.raises(KeysRefusedError):
        await provider.unwrap(claimed, "person")


async def test_preparing_twice_changes_nothing(provider: KeyProvider) -> None:
    wrapped = await provider.wrap(KEY, "person")
    await provider.prepare()
    assert await provider.unwrap(wrapped, "person") == KEY


async def test_a_keyring_is_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "home" / "keyring.json"
    provider = key_provider(f"file://{path}")
    await provider.prepare()
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IRUSR | stat.S_IWUSR
    path.chmod(0o644)
    with pytest.raises(KeysRefusedError, match="Others may read"):
        await provider.wrap(KEY, "person")


async def test_a_kms_that_does_not_answer_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "only-for-tests")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    provider = key_provider("awskms://alias/none?region=eu-central-1&endpoint=http://127.0.0.1:1")
    with pytest.raises(EngineAwayError):
        await provider.wrap(KEY, "person")
