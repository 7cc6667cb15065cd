"""What an entry may say, and how rows, links and roots are hashed: pure, and independent of the database that keeps them.

The database hashes rows when it links them (``audit.entry_hash``, ``audit.event_hash``, ``audit.link_hash``); here the same is
computed anew, so that a verification trusts nothing that a superuser may have replaced there.
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final, Literal, TypeAlias
from uuid import UUID

from msgspec import Struct

from entrepot.base import limits
from entrepot.base.errors import BadInputError

Source: TypeAlias = Literal["entry", "event"]
Class: TypeAlias = Literal["command", "read", "proof"]

SOURCES: Final[tuple[Source, ...]] = ("entry", "event")
ROW_BYTES: Final = 48
_ID_BYTES: Final = 16

# A year is 365.25 days; how long each class is kept is a limit, not a setting: it is promised to those whom it protects.
KEPT_YEARS: Final[dict[Class, int]] = {
    "command": limits.AUDIT_COMMANDS_YEARS,
    "read": limits.AUDIT_READS_YEARS,
    "proof": limits.AUDIT_PROOFS_YEARS,
}

# A reference, not a story: no @ for an address, no run of digits that could be a telephone's.
_WHY = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9 ._/#:-]*[A-Za-z0-9])?")
_LONG_NUMBER = re.compile(r"\d(?:[ ._/:-]?\d){7,}")
# Parameters of addresses that are keys to what they name.
_SECRETS = frozenset({"cart_id", "token"})
_ROBOT = re.compile(r"bot|crawl|spider|slurp", re.IGNORECASE)


class Row(Struct, frozen=True):
    """One row as the chain sees it: where it stands, and its columns as they are hashed, place and id among them."""

    txid: int
    seq: int
    id: UUID
    columns: list[object]

    @property
    def place(self) -> tuple[int, int]:
        """Where it stands in commit order."""
        return (self.txid, self.seq)


class Link(Struct, frozen=True):
    """One link as it is stored."""

    cell: int
    place: int
    source: Source
    last_txid: int
    last_seq: int
    at: int
    rows: bytes
    previous: bytes
    hash: bytes

    @property
    def last(self) -> tuple[int, int]:
        """Where the last of its rows stands in commit order."""
        return (self.last_txid, self.last_seq)


def partition_of(moment: datetime) -> str:
    """Return the name of the partition that holds the entries of a moment's day."""
    return f"entry_{moment:%Y%m%d}"


def kept_since(kind: Class, now: datetime) -> datetime:
    """Return since when entries of a class are kept: what is older is gone, and may be."""
    return now - timedelta(days=KEPT_YEARS[kind] * 365.25)


def may_be_gone(partition: str, kind: Class, now: datetime) -> bool:
    """Say whether the time of a day's entries is over: nothing else excuses that an object is gone."""
    return partition < partition_of(kept_since(kind, now))


def row_hash(columns: Sequence[object]) -> bytes:
    """Return the hash of a row: SHA-256 of its columns as a JSON array, written as PostgreSQL writes one."""
    return hashlib.sha256(_json(columns)).digest()


def hashed(columns: Sequence[object]) -> list[object]:
    """Return a row's columns as they are hashed: an entry of one person without its last, as before there were others."""
    return list(columns[:-1] if columns[0] == "entry" and columns[-1] is None else columns)


def link_hash(link: Link) -> bytes:
    """Return what a link's hash must be, from all else that it holds."""
    head = ["link", link.cell, link.place, link.source, link.last_txid, link.last_seq, link.at, link.previous.hex()]
    return hashlib.sha256(_json(head) + link.rows).digest()


def promised(link: Link) -> dict[UUID, bytes]:
    """Return the rows that a link vouches for: their ids with their hashes, in commit order."""
    return {
        UUID(bytes=link.rows[at : at + _ID_BYTES]): link.rows[at + _ID_BYTES : at + ROW_BYTES]
        for at in range(0, len(link.rows), ROW_BYTES)
    }


def merkle_root(leaves: Sequence[bytes]) -> bytes:
    """Return the root of the Merkle tree over these leaves, as RFC 6962 builds it."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return hashlib.sha256(b"\x01" + merkle_root(leaves[:split]) + merkle_root(leaves[split:])).digest()


@lru_cache(maxsize=limits.CLIENTS_KNOWN_MAX)
def agent_of(user_agent: str) -> str:
    """Return what kind of client this calls itself: browser, robot, program, or nothing."""
    if not user_agent:
        return ""
    if _ROBOT.search(user_agent):
        return "robot"
    return "browser" if user_agent.startswith("Mozilla/") else "program"


def object_of(parameters: Mapping[str, object], made: str = "") -> str:
    """Return what an address names, and what was made there: its parameters by their order, joined by a slash.

    What opens a thing to whoever knows it is not written down but marked: the same mark for the same thing.
    """
    named = [mark(str(value)) if name in _SECRETS else str(value) for name, value in parameters.items()]
    text = "/".join([*named, made] if made else named)
    return "".join(letter if letter.isprintable() else "?" for letter in text)[: limits.AUDIT_OBJECT_CHARS_MAX]


def mark(secret: str) -> str:
    """Return what stands for something that must not be written down."""
    return "~" + hashlib.sha256(secret.encode()).hexdigest()[:16]


def check_why(why: str) -> str:
    """Return the reason that a caller gives, or refuse it: it is kept for years, so it names a case and no person."""
    if why and (len(why) > limits.AUDIT_WHY_CHARS_MAX or not _WHY.fullmatch(why) or _LONG_NUMBER.search(why)):
        raise BadInputError(
            f"The header Entrepot-Why is not usable: name the case, such as ticket/4711, in 1 to {limits.AUDIT_WHY_CHARS_MAX} "
            "letters, digits and ._/#:- , with no number of 8 digits or more.",
            header="Entrepot-Why",
        )
    return why


def _json(columns: Sequence[object]) -> bytes:
    return json.dumps(columns, ensure_ascii=False).encode()
