"""Seals what was written plain before there were keys: page by page, each in a transaction; may be cut and begun again.

A person who was forgotten meanwhile is not sealed for: what was plain of them is emptied by whoever forgets them.
"""

from collections.abc import AsyncIterator, Awaitable, Callable

import asyncpg
from msgspec import Struct

from entrepot.base.limits import SEALED_PER_STEP
from entrepot.commerce.business.store import BUYER_EMAIL, BUYER_NAME, PURCHASE_CONTACT
from entrepot.commerce.checkout.held import CONTACT
from entrepot.commerce.digital.store import SIGNING
from entrepot.commerce.subscription import store as subscriptions
from entrepot.commerce.webhook.store import secret_name
from entrepot.record.named import queries
from entrepot.record.transaction import Record, Transaction
from entrepot.sealing.blind import email_normal

SQL = queries(__package__, "sealing.sql")
ACTOR = "job/seal_existing"

# A text that belongs to a subject: the name of its queries, and what it is sealed as.
_TEXTS = {
    "order_contacts": CONTACT,
    "subscription_contacts": subscriptions.CONTACT,
    "purchase_contacts": PURCHASE_CONTACT,
}


class SealedSoFar(Struct, frozen=True):
    """How many rows of a kind have been sealed."""

    kind: str
    rows: int


async def seal_existing(record: Record, cell: int) -> AsyncIterator[SealedSoFar]:
    """Seal everything that is plain, and tell after each page how many rows of its kind are done."""
    steps: dict[str, Callable[[Transaction, str], Awaitable[int]]] = {
        **dict.fromkeys(_TEXTS, _texts),
        "buyers": _buyers,
        "webhook_secrets": _webhook_secrets,
        "download_secrets": _download_secrets,
    }
    for kind, step in steps.items():
        done, page = 0, SEALED_PER_STEP
        while page == SEALED_PER_STEP:
            async with record.transaction(cell, ACTOR) as tx:
                page = await step(tx, kind)
            done += page
            yield SealedSoFar(kind, done)


async def _texts(tx: Transaction, kind: str) -> int:
    rows, field = await _page(tx, kind), _TEXTS[kind]
    sealed = await tx.sealing.seal_many([(row["subject"], {field: row["text"]}) for row in rows])
    await tx.connection.execute(
        SQL[f"seal_{kind}"], [row["cell"] for row in rows], [row["id"] for row in rows], [row["subject"] for row in rows],
        [one[field] for one in sealed],
    )  # fmt: skip
    return len(rows)


async def _buyers(tx: Transaction, kind: str) -> int:
    rows, seals = await _page(tx, kind), tx.sealing
    sealed = await seals.seal_many([(row["id"], {BUYER_NAME: row["name"], BUYER_EMAIL: row["email"]}) for row in rows])
    await tx.connection.execute(
        SQL["seal_buyers"], [row["cell"] for row in rows], [row["id"] for row in rows], [one[BUYER_NAME] for one in sealed],
        [one[BUYER_EMAIL] for one in sealed], [seals.blind(BUYER_EMAIL, email_normal(row["email"])) for row in rows],
    )  # fmt: skip
    return len(rows)


async def _webhook_secrets(tx: Transaction, kind: str) -> int:
    rows = await _page(tx, kind)
    for row in rows:
        sealed = tx.sealing.seal_secret(secret_name(row["id"]), row["secret"])
        await tx.connection.execute(SQL["seal_webhook_secret"], row["cell"], row["id"], sealed)
    return len(rows)


async def _download_secrets(tx: Transaction, kind: str) -> int:
    rows = await _page(tx, kind)
    for row in rows:
        sealed = tx.sealing.seal_secret(SIGNING, row["secret"].hex())
        await tx.connection.execute(SQL["seal_download_secret"], row["cell"], sealed)
    return len(rows)


async def _page(tx: Transaction, kind: str) -> list[asyncpg.Record]:
    return await tx.connection.fetch(SQL[f"plain_{kind}"], SEALED_PER_STEP)
