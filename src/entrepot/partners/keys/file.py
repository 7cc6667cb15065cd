"""The key-encryption key in a file of this machine: JSON that only its owner may read, made whole or not at all.

The newest key is the first; older ones stay and still open. Whoever has this file and the database can read every person's
data; whoever loses it can read none: it is backed up apart from the database.
"""

import asyncio
import base64
import contextlib
import hashlib
import os
import stat
from pathlib import Path

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from msgspec import Struct

from entrepot.partners.keys.port import KeysRefusedError, Wrapped

KEY_BYTES = 32
NONCE_BYTES = 12
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class _Kept(Struct, frozen=True):
    """One key as the file holds it; ``id`` is the beginning of its SHA-256, so that a wrong one can be named."""

    id: str
    key: str


class _Keyring(Struct, frozen=True):
    keys: list[_Kept]


class FileKeyring:
    """``KeyProvider`` in a file: ``file:///absolute/path``, mode 0600."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def place(self) -> str:
        """The file."""
        return f"the keyring {self._path}"

    async def prepare(self) -> None:
        """Make the file with one fresh key, unless it is there."""
        await asyncio.to_thread(self._prepare)

    async def wrap(self, key: bytes, purpose: str) -> Wrapped:
        """Close a key under the first of the file."""
        newest = (await asyncio.to_thread(self._read)).keys[0]
        nonce = os.urandom(NONCE_BYTES)
        data = nonce + AESGCM(base64.b64decode(newest.key)).encrypt(nonce, key, purpose.encode())
        return Wrapped(newest.id, data)

    async def unwrap(self, wrapped: Wrapped, purpose: str) -> bytes:
        """Open a key under that of the file which closed it."""
        ring = await asyncio.to_thread(self._read)
        for kept in ring.keys:
            if kept.id == wrapped.by:
                try:
                    nonce, sealed = wrapped.data[:NONCE_BYTES], wrapped.data[NONCE_BYTES:]
                    return AESGCM(base64.b64decode(kept.key)).decrypt(nonce, sealed, purpose.encode())
                except InvalidTag as error:
                    raise KeysRefusedError(
                        f"A key that {self.place} closed under {kept.id} does not open: either the keyring or the row of the "
                        "database was changed. Put back what it was from a backup. Nothing was touched."
                    ) from error
        held = ", ".join(kept.id for kept in ring.keys)
        raise KeysRefusedError(
            f"The key-encryption key {wrapped.by} of this database is not in {self.place} (it holds {held}): put back the "
            "keyring that belongs to the database. Nothing was touched."
        )

    async def rotate(self) -> str:
        """Put a fresh key first."""
        return await asyncio.to_thread(self._rotate)

    def _prepare(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        part = self._write(_Keyring([_fresh()]))
        with contextlib.suppress(FileExistsError):  # another process was quicker: its key counts
            self._path.hardlink_to(part)
        part.unlink()

    def _rotate(self) -> str:
        fresh = _fresh()
        self._write(_Keyring([fresh, *self._read().keys])).replace(self._path)
        return fresh.id

    def _write(self, ring: _Keyring) -> Path:
        part = self._path.with_name(f"{self._path.name}.{os.getpid()}.part")
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(ring)) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        return part

    def _read(self) -> _Keyring:
        try:
            if self._path.stat().st_mode & _OTHERS:
                raise KeysRefusedError(f"Others may read {self.place}: run 'chmod 600 {self._path}', and rotate its key.")
            ring = msgspec.json.decode(self._path.read_bytes(), type=_Keyring)
        except FileNotFoundError as error:
            raise KeysRefusedError(
                f"There is no {self._path}, and this database is sealed under a key that was in it: put the keyring back from "
                "its backup, or name it in ENTREPOT_KEYS_URL. Nothing was touched."
            ) from error
        except OSError as error:
            raise KeysRefusedError(f"The keyring {self._path} cannot be read: {error.strerror}.") from error
        except msgspec.MsgspecError as error:
            raise KeysRefusedError(f"The keyring {self._path} is damaged ({error}): put it back from its backup.") from error
        if not ring.keys:
            raise KeysRefusedError(f"The keyring {self._path} holds no key: put it back from its backup.")
        return ring


def _fresh() -> _Kept:
    key = os.urandom(KEY_BYTES)
    return _Kept(hashlib.sha256(b"entrepot keyring " + key).hexdigest()[:12], base64.b64encode(key).decode())
