"""Our own vans: a file per parcel, a line for each thing that happened to it. Whoever drives says so with `entrepot parcel`.

A file is made whole or not at all, and one that is there is only added to: the same parcel, asked for again, is the same file.
It names nobody: the address is on the label, which is drawn from the order. Beside the parcels lies the key by which our vans
sign what they tell by webhook.
"""

import asyncio
import contextlib
import hashlib
import os
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING, Literal
from uuid import UUID

import msgspec
from msgspec import Struct

from entrepot.base.errors import BadInputError, NotFoundError
from entrepot.base.ids import IdSource
from entrepot.base.late import Late
from entrepot.base.limits import PARCEL_GRAMS_MAX, WEBHOOK_SECONDS_MAX
from entrepot.base.time import Clock, utc
from entrepot.partners.carrier.label import drawn
from entrepot.partners.carrier.port import (
    Booked,
    CarrierAwayError,
    Consignment,
    LabelKind,
    NotTaken,
    Seen,
    SeenState,
    Tidings,
)
from entrepot.partners.signed import check_signature, signature

if TYPE_CHECKING:
    import httpx
else:
    httpx = Late("httpx")

SIGNED = "own-signature"

_SERIALS = 10**16
# A number for the door is what a van needs: a box at a post office has none.
_BOXES = ("po box", "p.o. box", "postfach", "packstation", "boite postale", "apartado")


class _Note(Struct, frozen=True, omit_defaults=True):
    """A line of a parcel's file; the first is of its booking."""

    at: datetime
    state: Literal["booked", "given_up", "under_way", "delivered", "lost"]
    reference: UUID | None = None
    grams: int = 0
    country: str = ""


class OwnCarrier:
    """The carrier ``own``: what lies in the folder is carried, unless its last line says that it was given up."""

    name = "own"

    def __init__(self, folder: Path, clock: Clock, ids: IdSource | None = None) -> None:
        self._folder, self._clock, self._ids = folder, clock, ids or IdSource()

    async def book(self, parcel: Consignment) -> Booked | NotTaken:
        """Give a parcel its number, unless it has one."""
        if reason := why_not(parcel):
            return NotTaken(reason)
        number, country = number_of(parcel.reference), parcel.to.country if parcel.to else ""
        first = _Note(self._now(), "booked", parcel.reference, parcel.grams, country)
        try:
            notes = await asyncio.to_thread(self._made, number, first)
        except OSError as error:
            raise CarrierAwayError(self.name, error.strerror or "its folder cannot be written") from error
        if notes[-1].state == "given_up":
            return NotTaken("it was given up under this reference")
        return Booked(number)

    async def give_up(self, reference: UUID) -> None:
        """Note that nothing goes under this reference; a booking that comes too late finds it."""
        note = _Note(self._now(), "given_up", reference)
        try:
            await asyncio.to_thread(self._give_up, number_of(reference), note)
        except OSError as error:
            raise CarrierAwayError(self.name, error.strerror or "its folder cannot be written") from error

    async def seen(self, tracking: str) -> Sequence[Seen]:
        """Return what was noted of a parcel."""
        try:
            notes = await asyncio.to_thread(self._read, tracking)
        except OSError as error:
            raise CarrierAwayError(self.name, error.strerror or "its folder cannot be read") from error
        return [Seen(one.at, one.state) for one in notes if one.state in ("under_way", "delivered", "lost")]

    async def label(self, parcel: Consignment, tracking: str, kind: LabelKind) -> bytes:
        """Draw the label of a parcel."""
        return await asyncio.to_thread(drawn, parcel, tracking, kind)

    def read_webhook(self, headers: Mapping[str, str], body: bytes, now_millis: int) -> Tidings:
        """Check that our own vans have signed this, just now, and return what it is about."""
        check_signature(headers.get(SIGNED, ""), self._secret(), body, now_millis, "carrier")
        try:
            return msgspec.json.decode(body, type=Tidings)
        except msgspec.MsgspecError as error:
            raise BadInputError(f"The webhook cannot be read: {error}.") from error

    async def tell(self, tracking: str, url: str) -> bool:
        """Tell of what was noted last by webhook; says whether it was taken. Who looks for itself sees it all the same."""
        notes = await asyncio.to_thread(self._read, tracking)
        body = msgspec.json.encode(Tidings(f"{tracking}/{len(notes)}", f"parcel.{notes[-1].state}", tracking))
        headers = {"Content-Type": "application/json", SIGNED: signature(self._secret(), self._clock.millis() // 1000, body)}
        async with httpx.AsyncClient(timeout=WEBHOOK_SECONDS_MAX, trust_env=False) as client:
            try:
                return (await client.post(url, content=body, headers=headers)).is_success
            except httpx.HTTPError:
                return False

    async def note(self, tracking: str, state: SeenState) -> None:
        """Note what happened to a parcel; a number that is none of ours is refused."""
        if not is_number(tracking):
            raise BadInputError(
                f"{tracking[:40]!r} is no number of a parcel of ours: its check digits do not fit. Read the label again.",
                tracking=tracking[:40],
            )
        try:
            notes = await asyncio.to_thread(self._read, tracking)
        except FileNotFoundError:
            raise NotFoundError(f"No parcel was booked under {tracking}.", tracking=tracking) from None
        if notes[-1].state not in ("booked", "under_way"):
            raise BadInputError(f"The parcel {tracking} is {notes[-1].state}: nothing more happens to it.", tracking=tracking)
        await asyncio.to_thread(self._append, tracking, _Note(self._now(), state))

    def _now(self) -> datetime:
        return utc(self._clock.millis())

    def _path(self, number: str) -> Path:
        return self._folder / f"{number}.jsonl"

    def _read(self, number: str) -> list[_Note]:
        return msgspec.json.Decoder(_Note).decode_lines(self._path(number).read_bytes())

    def _made(self, number: str, first: _Note) -> list[_Note]:
        """Make a parcel's file with its first line, unless it is there; returns what it says."""
        self._make(self._path(number), msgspec.json.encode(first) + b"\n")
        return self._read(number)

    def _make(self, path: Path, content: bytes) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            with NamedTemporaryFile(dir=self._folder, suffix=".part") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
                with contextlib.suppress(FileExistsError):  # another asked for the same: it is the same parcel
                    path.hardlink_to(file.name)

    def _secret(self) -> bytes:
        """Return what our vans sign with: made when it is first asked for, and read by nobody else (the file is ours alone)."""
        path = self._folder / "webhooks.key"
        self._make(path, self._ids.secret())
        return path.read_bytes()

    def _give_up(self, number: str, note: _Note) -> None:
        if self._made(number, note)[-1].state != "given_up":
            self._append(number, note)

    def _append(self, number: str, note: _Note) -> None:
        with self._path(number).open("ab") as file:
            file.write(msgspec.json.encode(note) + b"\n")
            file.flush()
            os.fsync(file.fileno())


def number_of(reference: UUID) -> str:
    """Return the number of a parcel: the same for a reference, with two check digits as an IBAN has them."""
    serial = int.from_bytes(hashlib.sha256(reference.bytes).digest()[:8], "big") % _SERIALS
    return f"EO{serial:016d}{98 - serial * 100 % 97:02d}"


def is_number(text: str) -> bool:
    """Say whether a text can be the number of a parcel of ours."""
    digits = text.removeprefix("EO")
    return len(text) == len("EO") + 18 and digits.isascii() and digits.isdecimal() and int(digits) % 97 == 1


def why_not(parcel: Consignment) -> str:
    """Return why our vans do not carry a parcel; an empty text when they do."""
    if parcel.to is None:
        return "the order has no address to deliver to"
    street = [line.strip() for line in parcel.to.lines if line.strip()]
    if not street or not parcel.to.city.strip():
        return "its address names no street or no city"
    if any(box in line.casefold() for line in street for box in _BOXES):
        return "its address is a box at a post office, and a van needs a door"
    if parcel.grams > PARCEL_GRAMS_MAX:
        return f"it weighs {parcel.grams} g, and one of ours may weigh {PARCEL_GRAMS_MAX} g"
    return ""
