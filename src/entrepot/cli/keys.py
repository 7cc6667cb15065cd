"""`entrepot keys`: shows and changes the keys that personal data is sealed under, while everybody works."""

import os
from typing import Annotated, Literal

import msgspec
from cyclopts import Parameter
from rich.console import Console
from rich.table import Table

from entrepot.app import keys_of
from entrepot.jobs.sealing import seal_existing
from entrepot.partners.keys.port import KeyProvider
from entrepot.record.transaction import Record, open_record
from entrepot.sealing.ring import KeysStatus, keys_status, rewrap, rotate_provider, rotate_ring
from entrepot.sealing.sealing import open_sealing
from entrepot.settings import Settings, load, require


async def keys(
    action: Literal["status", "rotate", "rewrap", "seal-existing"] = "status",
    *,
    provider: Annotated[bool, Parameter(negative="")] = False,
    json: Annotated[bool, Parameter(negative="")] = False,
) -> None:
    """Show the keys, or change them; every action may be cut and asked again.

    Parameters
    ----------
    action
        `status` shows them. `rotate` makes a fresh ring key, under which every person's key is put; with `--provider` a fresh
        key-encryption key too. `rewrap` goes on with a rotation that was cut. `seal-existing` seals what an
        older version wrote plain.
    provider
        Rotate the key-encryption key as well.
    json
        Print JSON instead of sentences.
    """
    settings = load(os.environ)
    require(settings, "record")
    keeper, console = keys_of(settings), Console(stderr=True)
    async with await open_record(settings.engines.record, connections=2) as record:
        if action == "seal-existing":
            await _seal_existing(settings, keeper, console)
            return
        if action == "rotate":
            await _rotate(record, settings, keeper, console, provider=provider)
        if action != "status":
            async for step in rewrap(record, keeper):
                console.print(f"{step.done:,} of {step.of:,} keys are under the fresh ring key.", highlight=False)
        show(await keys_status(record, keeper), as_json=json)


def show(status: KeysStatus, *, as_json: bool) -> None:
    """Print how the keys are."""
    if as_json:
        print(msgspec.json.encode(status).decode())
        return
    console = Console()
    console.print(f"The key-encryption key is kept by {status.provider}.", highlight=False, soft_wrap=True)
    table = Table("ring key", "for", "state", "closed by", "made", "wraps")
    for key in status.ring:
        made = key.made_at.isoformat(timespec="minutes")
        table.add_row(str(key.id), key.purpose, key.state, key.wrapped_by, made, f"{key.wraps:,}")
    console.print(table)
    console.print(
        f"{status.forgotten:,} persons were forgotten; {status.to_rewrap:,} keys are to be re-wrapped.", highlight=False
    )


async def _seal_existing(settings: Settings, keeper: KeyProvider, console: Console) -> None:
    url = settings.engines.record
    async with await open_sealing(url, keeper) as seals, await open_record(url, connections=2, seals=seals) as record:
        async for step in seal_existing(record, settings.cell):
            console.print(f"{step.kind.replace('_', ' ')}: {step.rows:,} sealed.", highlight=False)


async def _rotate(record: Record, settings: Settings, keeper: KeyProvider, console: Console, *, provider: bool) -> None:
    if provider:
        console.print(f"The key-encryption key is {await rotate_provider(record, keeper)} from now on.", highlight=False)
    made = await rotate_ring(record, settings.cell, keeper)
    console.print(f"The ring key {made} wraps what is made from now on.", highlight=False)
