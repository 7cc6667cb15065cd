"""The certificate: what was searched and found, what is kept and why; signed, and told in the log, which the audit chains."""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from msgspec import Struct

from entrepot.base.errors import EntrepotError, NotFoundError
from entrepot.base.time import Clock, utc
from entrepot.commerce.people.events import ERASURE_CERTIFIED, ErasureCertified
from entrepot.privacy import rules, store
from entrepot.privacy.rules import Held
from entrepot.privacy.scan.looking import Looked
from entrepot.privacy.scanner import Scanner
from entrepot.privacy.store import Erasure
from entrepot.record.transaction import Connection, Fact, Record
from entrepot.sealing.sealing import Sealing
from entrepot.sealing.signing import SigningKey, is_signed

SIGNING = "privacy.signing_key"
ACTOR = "privacy"


class CertificateBrokenError(EntrepotError):
    """A certificate is not what was signed."""

    slug = "certificate-broken"


class Certificate(Struct, frozen=True, kw_only=True):
    """What was done and found. ``values`` is how many values were searched for; they are not in it, and known to nobody."""

    erasure_id: UUID
    subject: UUID
    subjects: Sequence[UUID]
    asked_at: datetime
    erased_at: datetime
    searched_at: datetime
    seconds: float
    values: int
    removed: dict[str, int]
    sources: list[Looked]
    clean: bool
    kept: Sequence[Held]
    log_position: str


class Signed(Struct, frozen=True, kw_only=True):
    """A certificate as it is handed out: the text that was signed, the signature and the public key, in hexadecimal."""

    document: str
    signature: str
    public_key: str

    @property
    def certificate(self) -> Certificate:
        """Return what the document says."""
        return msgspec.json.decode(self.document, type=Certificate)


class Certifier:
    """Searches, signs, keeps and tells."""

    def __init__(self, record: Record, cell: int, sealing: Sealing, clock: Clock, scanner: Scanner) -> None:
        self._record, self._cell, self._sealing, self._clock, self._scanner = record, cell, sealing, clock, scanner

    async def certify(self, one: Erasure, known: Sequence[str], restored: Sequence[str] = ()) -> Signed:
        """Search for what was known of somebody; what is found nowhere is forgotten here too."""
        began = self._clock.millis()
        # The subject of a guest who ordered at once is the order's own id, which stays.
        linked = [subject for subject in one.subjects if subject not in one.orders]
        scan = await self._scanner.search(known, linked, restored)
        now = utc(self._clock.millis())
        assert one.erased_at is not None, one.id
        document = msgspec.json.encode(Certificate(
            erasure_id=one.id, subject=one.subject, subjects=one.subjects, asked_at=one.asked_at, erased_at=one.erased_at,
            searched_at=now, seconds=(self._clock.millis() - began) / 1_000, values=len(known), removed=dict(one.removed),
            sources=scan.sources, clean=not scan.findings, kept=rules.HELD, log_position=one.log_position,
        )).decode()  # fmt: skip
        async with self._record.transaction(self._cell, ACTOR) as tx:
            locked = await store.erasure_for_update(tx.connection, self._cell, one.id)
            rules.ERASURE.check(one.id, locked.state, "found" if scan.findings else "certified")
            key = await self._key(tx.connection)
            signature = key.sign(document.encode())
            await store.add_certificate(tx.connection, one, now, document, signature)
            if scan.findings:
                await store.set_found(tx.connection, one)
            else:
                await store.set_certified(tx.connection, one, now)
                await self._sealing.destroy(tx.connection, one.id)
            digest = hashlib.sha256(document.encode()).hexdigest()
            told = ErasureCertified(id=one.subject, erasure_id=one.id, digest=digest, found=len(scan.findings))
            about = rules.key_of(one.subject)
            version = await store.next_version(tx.connection, self._cell, one.subject, about)
            await tx.append([Fact(ERASURE_CERTIFIED, about, version, told, one.subject)])
        return Signed(document=document, signature=signature.hex(), public_key=key.public.hex())

    async def _key(self, connection: Connection) -> SigningKey:
        """Return the key that certificates are signed with, made when there is none."""
        if await store.signing_key(connection, self._cell) is None:
            made = SigningKey.made()
            sealed = self._sealing.seal_secret(SIGNING, made.seed.hex())
            await store.add_signing_key(connection, self._cell, made.public, sealed)
        found = await store.signing_key(connection, self._cell)
        assert found is not None
        return SigningKey.opened(bytes.fromhex(self._sealing.unseal_secret(SIGNING, found[1])))


async def certificate_of(connection: Connection, cell: int, subject: UUID) -> Signed:
    """Return the latest certificate about somebody."""
    found, key = await store.certificate_of(connection, cell, subject), await store.signing_key(connection, cell)
    if found is None or key is None:
        raise NotFoundError(f"There is no certificate about {subject}.", subject=str(subject))
    return Signed(document=found[0], signature=found[1].hex(), public_key=key[0].hex())


def verify(signed: Signed) -> Certificate:
    """Return what a certificate says, once its signature is proved to be by the key that it names."""
    if not is_signed(bytes.fromhex(signed.public_key), bytes.fromhex(signed.signature), signed.document.encode()):
        raise CertificateBrokenError("The certificate is not what was signed: fetch it anew, and look into the audit.")
    return signed.certificate
