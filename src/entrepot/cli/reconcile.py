"""`entrepot reconcile`: compares payments and ledger with the gateway's own report, and names each movement that differs."""

import logging
import os
from typing import Annotated

import msgspec
from cyclopts import Parameter
from rich.console import Console

from entrepot.app import payment_gateway
from entrepot.cli import EXIT_DIFFERS
from entrepot.cli.logs import to_stderr
from entrepot.commerce.payment.reconcile import Reconciliation
from entrepot.commerce.payment.reconcile import reconcile as compare
from entrepot.record.transaction import open_record
from entrepot.settings import load, require


async def reconcile(*, json: Annotated[bool, Parameter(negative="")] = False) -> int:
    """Compare payments and ledger with the gateway's report; exits with 7 when something differs.

    Parameters
    ----------
    json
        Print JSON instead of sentences.
    """
    to_stderr(logging.ERROR)  # a call that is made again is no news; one that fails is told below
    settings = load(os.environ)
    require(settings, "record", "gateway")
    async with await open_record(settings.engines.record) as record, payment_gateway(settings) as gateway:
        found = await compare(record, gateway, settings.cell)
    show(found, as_json=json)
    return EXIT_DIFFERS if found.differences else 0


def show(found: Reconciliation, *, as_json: bool) -> None:
    """Print what a reconciliation found, one difference a line."""
    if as_json:
        print(msgspec.json.encode(found).decode())
        return
    console = Console()
    verdict = f"{len(found.differences):,} differ" if found.differences else "all as in our books"
    console.print(
        f"{found.gateway}: {found.payments:,} payments and {found.movements:,} movements, {verdict}.", highlight=False
    )
    for difference in found.differences:
        console.print(str(difference), highlight=False, markup=False, soft_wrap=True)
