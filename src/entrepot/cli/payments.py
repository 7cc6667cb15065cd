"""`entrepot payments`: what the gateway did otherwise than was asked, and how a person ends it."""

import logging
import os
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from cyclopts import App, Parameter
from rich.console import Console

from entrepot.app import payment_gateway
from entrepot.base.limits import PAGE_ITEMS_MAX
from entrepot.cli.logs import to_stderr
from entrepot.cli.opening import opened_record
from entrepot.commerce.payment import operations, query
from entrepot.commerce.payment.rules import Operation
from entrepot.record.transaction import open_record
from entrepot.settings import load, require

payments = App(name="payments", help="Show what the gateway did otherwise than was asked, and settle it.")


@payments.command
async def unclear(*, json: Annotated[bool, Parameter(negative="")] = False) -> None:
    """List operations whose amounts are set aside until a person has looked, the oldest first.

    Parameters
    ----------
    json
        Print JSON instead of sentences.
    """
    async with opened_record() as (settings, record), record.reading() as connection:
        found = await query.unclear_operations(connection, settings.cell, PAGE_ITEMS_MAX)
    show(found, as_json=json)


@payments.command
async def settle(
    operation: UUID,
    *,
    as_: Annotated[Literal["succeeded", "failed"], Parameter(name="--as")],
    why: str,
    json: Annotated[bool, Parameter(negative="")] = False,
) -> None:
    """End an unclear operation: the gateway is asked again, what it moved is booked, and what contradicts it is refused.

    Parameters
    ----------
    operation
        Its id, as `entrepot payments unclear` names it.
    as_
        Whether money moved. The gateway's own figures say how much.
    why
        What was found, for those who ask later.
    json
        Print JSON instead of a sentence.
    """
    to_stderr(logging.ERROR)  # a call that is made again is no news; one that fails is told by the exit
    settings = load(os.environ)
    require(settings, "record", "gateway")
    async with (
        await open_record(settings.engines.record, connections=1) as record,
        payment_gateway(settings) as gateway,
    ):
        settled = await operations.settle(record, gateway, settings.cell, operation, as_, why, actor="cli")
    show([settled], as_json=json)


def show(found: list[Operation], *, as_json: bool) -> None:
    """Print operations, one a line."""
    if as_json:
        print(msgspec.json.encode(found).decode())
        return
    console = Console()
    if not found:
        console.print("Nothing is unclear: the gateway did all that it was asked.", highlight=False)
    for one in found:
        console.print(
            f"{one.id}: {one.kind} of {one.amount_minor} {one.currency} minor units for payment {one.payment_id}, "
            f"{one.state}: {one.reason}",
            highlight=False,
            markup=False,
            soft_wrap=True,
        )
