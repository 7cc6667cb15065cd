"""The key-encryption key in AWS KMS, or what speaks its protocol: it never leaves there. boto3 blocks, so it runs in threads.

``awskms://<key id or alias>?region=eu-central-1[&endpoint=https://...][&ca=/path]``; the credentials are those of the process.
"""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import parse_qs, unquote, urlsplit

from entrepot.base.errors import BadInputError, EngineAwayError
from entrepot.base.late import Late
from entrepot.base.limits import CONNECT_SECONDS_MAX
from entrepot.partners.keys.port import KeysRefusedError, Wrapped

if TYPE_CHECKING:
    import boto3
    from botocore import config
    from botocore import exceptions as errors
    from types_boto3_kms.client import KMSClient
else:
    boto3, config, errors = Late("boto3"), Late("botocore.config"), Late("botocore.exceptions")

T = TypeVar("T")

_SERVER_FAULT = 500


class AwsKms:
    """``KeyProvider`` in AWS KMS. What is wrapped is bound to its purpose by KMS's encryption context."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        asked = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        self._key = unquote(parts.netloc + parts.path)
        if not self._key or "region" not in asked:
            raise BadInputError("ENTREPOT_KEYS_URL names no KMS key: give awskms://<key id or alias>?region=<region>.")
        self._asked = asked
        self._client: KMSClient | None = None

    @property
    def place(self) -> str:
        """The key's name."""
        return f"the AWS KMS key {self._key}"

    async def prepare(self) -> None:
        """See that the key is there: it is made in AWS, by whoever may."""
        await self._run(lambda kms: kms.describe_key(KeyId=self._key))

    async def wrap(self, key: bytes, purpose: str) -> Wrapped:
        """Have a key closed."""
        answer = await self._run(lambda kms: kms.encrypt(KeyId=self._key, Plaintext=key, EncryptionContext=_context(purpose)))
        return Wrapped(answer["KeyId"], answer["CiphertextBlob"])

    async def unwrap(self, wrapped: Wrapped, purpose: str) -> bytes:
        """Have a key opened by the KMS key that closed it."""
        answer = await self._run(
            lambda kms: kms.decrypt(KeyId=wrapped.by, CiphertextBlob=wrapped.data, EncryptionContext=_context(purpose))
        )
        return answer["Plaintext"]

    async def rotate(self) -> str:
        """Have KMS make new key material; what older material closed still opens."""
        return (await self._run(lambda kms: kms.rotate_key_on_demand(KeyId=self._key)))["KeyId"]

    async def _run(self, call: "Callable[[KMSClient], T]") -> T:
        try:
            return await asyncio.to_thread(lambda: call(self._connected()))
        except errors.ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] >= _SERVER_FAULT:
                raise EngineAwayError("keys", str(error)) from error
            raise KeysRefusedError(f"{self.place.capitalize()} refuses: {error}. Nothing was touched.") from error
        except errors.BotoCoreError as error:
            raise EngineAwayError("keys", str(error)) from error

    def _connected(self) -> "KMSClient":
        if self._client is None:
            self._client = boto3.client(
                "kms",
                region_name=self._asked["region"],
                endpoint_url=self._asked.get("endpoint"),
                verify=self._asked.get("ca", True),
                config=config.Config(connect_timeout=CONNECT_SECONDS_MAX, read_timeout=CONNECT_SECONDS_MAX),
            )
        return self._client


def _context(purpose: str) -> dict[str, str]:
    return {"entrepot": purpose}
