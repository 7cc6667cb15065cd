"""An authenticator in software: makes passkeys and signs with them as WebAuthn says, with real CBOR and real signatures."""

import base64
import hashlib
import json
import os
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40


class Authenticator:
    """Holds one passkey; ``verifies`` says whether it asks its user for finger or PIN."""

    def __init__(self, origin: str, *, verifies: bool = True) -> None:
        self.origin, self._key = origin, ec.generate_private_key(ec.SECP256R1())
        self._id, self.count = os.urandom(32), 0
        self._flags = PRESENT | (VERIFIED if verifies else 0)

    def create(self, options: dict[str, Any]) -> dict[str, Any]:
        """Return what ``navigator.credentials.create`` answers."""
        numbers = self._key.public_key().public_numbers()
        x, y = (part.to_bytes(32, "big") for part in (numbers.x, numbers.y))
        cose = cbor2.dumps({1: 2, 3: -7, -1: 1, -2: x, -3: y})
        attested = bytes(16) + len(self._id).to_bytes(2, "big") + self._id + cose
        data = self._data(options["rp"]["id"], ATTESTED) + attested
        made = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        said = {"clientDataJSON": self._client("webauthn.create", options), "attestationObject": _text(made)}
        return {"id": _text(self._id), "rawId": _text(self._id), "type": "public-key", "response": said}

    def get(self, options: dict[str, Any]) -> dict[str, Any]:
        """Return what ``navigator.credentials.get`` answers."""
        self.count += 1
        data, client = self._data(options["rpId"], 0), self._client("webauthn.get", options)
        signed = data + hashlib.sha256(_raw(client)).digest()
        signature = self._key.sign(signed, ec.ECDSA(SHA256()))
        said = {"clientDataJSON": client, "authenticatorData": _text(data), "signature": _text(signature)}
        return {"id": _text(self._id), "rawId": _text(self._id), "type": "public-key", "response": said}

    def _data(self, site: str, flags: int) -> bytes:
        return hashlib.sha256(site.encode()).digest() + bytes([self._flags | flags]) + self.count.to_bytes(4, "big")

    def _client(self, kind: str, options: dict[str, Any]) -> str:
        return _text(json.dumps({"type": kind, "challenge": options["challenge"], "origin": self.origin}).encode())


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _raw(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
