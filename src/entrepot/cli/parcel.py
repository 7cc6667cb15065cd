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
    await own_carrier(load(os.environ)).note(number, state)
    noted = {"number": number, "state": state}
    print(msgspec.json.encode(noted).decode() if json else f"Noted: {number} is {state.replace('_', ' ')}.")
