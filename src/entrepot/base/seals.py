"""What rooms ask of whoever seals personal data (`sealing` does it): so that they and the record need not know how."""

from collections.abc import Mapping, Sequence
from typing import Protocol
from uuid import UUID


class Seals(Protocol):
    """Seals fields of a subject under the subject's own key; `sealing.Sealing` says what each promises."""

    async def seal(self, subject: UUID, fields: Mapping[str, str]) -> dict[str, bytes]:
        """Seal fields of one subject; a forgotten one is refused."""
        ...

    async def unseal(self, subject: UUID, fields: Mapping[str, bytes]) -> dict[str, str | None]:
        """Open fields of one subject; each is None when the subject was forgotten."""
        ...

    async def seal_many(self, many: Sequence[tuple[UUID, Mapping[str, str]]]) -> list[dict[str, bytes]]:
        """Seal fields of many subjects."""
        ...

    async def unseal_many(self, many: Sequence[tuple[UUID, Mapping[str, bytes]]]) -> list[dict[str, str | None]]:
        """Open fields of many subjects."""
        ...

    def seal_secret(self, name: str, secret: str) -> bytes:
        """Seal a secret of the house's own."""
        ...

    def unseal_secret(self, name: str, sealed: bytes) -> str:
        """Open a secret of the house's own."""
        ...

    def blind(self, field: str, normal: str) -> bytes:
        """Return what a value is looked up by."""
        ...
