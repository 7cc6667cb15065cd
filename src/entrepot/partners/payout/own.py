"""Payment orders as files: one per payout, in a folder from which people take them to the bank by hand.

A file is written whole or not at all, and one that is there is left alone: the same order, asked again, is the same file.
"""

import asyncio
import os
from pathlib import Path

import msgspec

from entrepot.base.errors import EngineAwayError
from entrepot.partners.payout.port import Paid, PayOrder, Refused


class OwnBank:
    """The bank ``own``: whatever lies in the folder is to be paid."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def pay(self, order: PayOrder) -> Paid | Refused:
        """Write the order, unless it was written before."""
        try:
            await asyncio.to_thread(self._write, order)
        except OSError as error:
            raise EngineAwayError("payouts", str(error)) from error
        return Paid(order.reference)

    def _write(self, order: PayOrder) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / f"{order.reference}.json"
        if path.exists():
            return
        part = path.with_suffix(".part")
        with part.open("wb") as file:
            file.write(msgspec.json.encode(order))
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
