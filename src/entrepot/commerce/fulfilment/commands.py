"""The commands of shipments: write them, and tell of them. What follows for the order and its money is aftersale's."""

from collections.abc import Sequence
from datetime import datetime

from entrepot.base.event import Token
from entrepot.commerce.fulfilment import parcels, rules, store
from entrepot.commerce.fulfilment.events import PARCEL_MOVED
from entrepot.commerce.fulfilment.parcels import Parcel
from entrepot.commerce.fulfilment.rules import Shipment
from entrepot.record.transaction import Fact, Transaction


async def save_shipments(tx: Transaction, shipments: Sequence[Shipment], at: datetime) -> Token | None:
    """Write shipments as they now are and tell of each; returns None when there was none. The order is locked."""
    if not shipments:
        return None
    await store.put(tx.connection, tx.cell, shipments, at)
    return await tx.append(
        [
            Fact(rules.KIND_OF[shipment.state], f"shipment/{shipment.id}", shipment.version, rules.told(shipment, at))
            for shipment in shipments
        ]
    )


async def save_parcel(tx: Transaction, parcel: Parcel, at: datetime) -> Token:
    """Write a parcel as it now is and tell of it. The order is locked."""
    await store.put_parcel(tx.connection, tx.cell, parcel, at)
    return await tx.append([Fact(PARCEL_MOVED, f"parcel/{parcel.shipment_id}", parcel.version, parcels.told(parcel, at))])
