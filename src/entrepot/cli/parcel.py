"""`entrepot parcel`: what our own people note of a parcel that they carry; its shipment and its order follow by themselves."""

import os
from typing import Annotated

import msgspec
from cyclopts import Parameter

from entrepot.app import own_carrier
from entrepot.partners.carrier.port import SeenState
from entrepot.settings import load


async def parcel(number: str, state: SeenState, *, json: Annotated[bool, Parameter(negative="")] = False) -> None:
    """Note that a parcel is under way, was delivered, or is lost: within seconds its shipment says so too.

    Parameters
    ----------
    number
        The number on its label, as it was given when the carrier `own` was booked.
    state
        What happened to it.
    json
        Print JSON instead of a sentence.
    """
    settings = load(os.environ)
    vans = own_carrier(settings)
    await vans.note(number, state)
    noted = {"number": number, "state": state}
    # Nobody may be there to hear it: who looks for parcels sees it within seconds.
    await vans.tell(number, f"http://{settings.host}:{settings.port}/v1/webhooks/carriers/{vans.name}")
    print(msgspec.json.encode(noted).decode() if json else f"Noted: {number} is {state.replace('_', ' ')}.")
