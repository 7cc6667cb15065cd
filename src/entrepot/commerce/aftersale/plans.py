"""Pure decisions about what leaves: in parcels, without one, or once it was received."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from msgspec import Struct

from entrepot.base.event import Event
from entrepot.commerce.fulfilment import rules as fulfilment
from entrepot.commerce.fulfilment.rules import ToSend, Waiting
from entrepot.commerce.fulfilment.store import Unplanned
from entrepot.commerce.stock.rules import Change

# Warehouses of promises: what is sold from them waits for a receipt elsewhere.
PROMISED = frozenset({"backorder", "preorder"})


class Plan(Struct, frozen=True):
    """What is to leave of orders: in parcels, by order; what waits for a receipt; and what needs no parcel."""

    to_send: dict[UUID, list[ToSend]]
    waiting: list[Waiting]
    without_parcel: dict[UUID, dict[int, int]]


def to_plan(events: Sequence[Event]) -> list[UUID]:
    """Return the placed orders whose shipments are planned by themselves: not history, nor what was placed by hand."""
    placed = [event.decode(_Placed) for event in events]
    return [order.id for order in placed if order.channel not in {"direct", "import"}]


def split(unplanned: Sequence[Unplanned]) -> Plan:
    """Return the plan for what is to leave."""
    plan = Plan({}, [], {})
    for one in unplanned:
        if one.delivery != "ship":
            plan.without_parcel.setdefault(one.order_id, {})[one.line] = one.quantity
        elif one.kind in PROMISED:
            plan.waiting.append(
                Waiting(one.variant_id, one.order_id, one.line, one.sku, one.seller_id, one.warehouse, one.quantity)
            )
        else:
            to_send = ToSend(one.line, one.sku, one.variant_id, one.warehouse, one.seller_id, one.quantity)
            plan.to_send.setdefault(one.order_id, []).append(to_send)
    return plan


class _Placed(Struct, frozen=True):
    """What planning needs of ``OrderPlaced``: all else is read where it is locked."""

    id: UUID
    channel: str = "direct"


class Filled(Struct, frozen=True):
    """What a receipt does for those who wait: what still waits, what leaves by order, and what moves in stock for it."""

    waiting: list[Waiting]
    to_send: dict[UUID, list[ToSend]]
    changes: list[Change]


def fill(waiting: Mapping[UUID, Sequence[Waiting]], receipts: Sequence[Change], kinds: Mapping[str, str]) -> Filled:
    """Return what receipts do for those who wait. A kept promise of a backorder can be given again; a preorder's is over.

    Pieces that come into a warehouse of promises are promises, and fill nothing.
    """
    filled = Filled([], {}, [])
    still = {variant: list(ones) for variant, ones in waiting.items()}
    for receipt in receipts:
        if kinds.get(receipt.warehouse) in PROMISED or receipt.variant_id not in still:
            continue
        still[receipt.variant_id], kept = fulfilment.fill(still[receipt.variant_id], receipt.delta)
        for one in kept:
            to_send = ToSend(one.line, one.sku, one.variant_id, receipt.warehouse, one.seller_id, one.quantity)
            filled.to_send.setdefault(one.order_id, []).append(to_send)
            filled.changes.append(Change(variant_id=one.variant_id, warehouse=receipt.warehouse, delta=-one.quantity))
            if kinds.get(one.warehouse) == "backorder":
                filled.changes.append(Change(variant_id=one.variant_id, warehouse=one.warehouse, delta=one.quantity))
    filled.waiting.extend(one for ones in still.values() for one in ones)
    return filled
