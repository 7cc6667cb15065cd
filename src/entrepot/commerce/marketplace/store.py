"""The queries of sellers, typed; nothing else."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from entrepot.commerce.marketplace.events import Bears
from entrepot.commerce.marketplace.paying import Balance, Payout
from entrepot.commerce.marketplace.rules import Seller, SellerOrder, ShareLine, Stocked, Supplied
from entrepot.record.named import queries
from entrepot.record.transaction import Connection

SQL = queries(__package__)


class Net(Struct, frozen=True):
    """What an order left one of its sellers so far and us of its sale, what it cost in all, and who bears a lost dispute."""

    seller_id: UUID
    net_minor: int
    total_minor: int
    currency: str
    commission_minor: int
    disputes: Bears


async def seller(connection: Connection, seller_id: UUID, *, for_update: bool = False) -> Seller | None:
    """Return a seller, locked if it is to be changed or paid."""
    row = await connection.fetchrow(SQL["seller_for_update" if for_update else "seller"], seller_id)
    return None if row is None else Seller(**dict(row))


async def seller_by_code(connection: Connection, code: str) -> Seller | None:
    """Lock a seller by its code and return it."""
    row = await connection.fetchrow(SQL["seller_by_code_for_update"], code)
    return None if row is None else Seller(**dict(row))


async def sellers(connection: Connection) -> list[Seller]:
    """Return every seller."""
    return [Seller(**dict(row)) for row in await connection.fetch(SQL["sellers"])]


async def put_seller(connection: Connection, seller: Seller) -> None:
    """Write a seller as it now is."""
    await connection.execute(SQL["put_seller"], *(getattr(seller, name) for name in Seller.__struct_fields__))


async def put_warehouse(connection: Connection, cell: int, code: str, seller_id: UUID) -> UUID:
    """Give a warehouse to a seller and return whose it is."""
    owner: UUID = await connection.fetchval(SQL["put_warehouse"], cell, code, seller_id)
    return owner


async def last_feed(connection: Connection, cell: int, code: str, seller_id: UUID) -> int | None:
    """Lock a seller's warehouse and return the number of its last feed; None when it is not the seller's."""
    found: int | None = await connection.fetchval(SQL["warehouse_for_update"], cell, code, seller_id)
    return found


async def fed(connection: Connection, cell: int, code: str, sequence: int, at: datetime) -> None:
    """Note the number of a warehouse's last feed."""
    await connection.execute(SQL["fed"], cell, code, sequence, at)


async def stocked(connection: Connection, cell: int, code: str, variant_ids: Sequence[UUID]) -> list[Stocked]:
    """Return levels of a warehouse; the caller has locked them."""
    return [Stocked(*row) for row in await connection.fetch(SQL["stocked"], cell, code, variant_ids)]


async def put_supply(connection: Connection, cell: int, code: str, costs: Mapping[UUID, int], currency: str) -> None:
    """Write what a supplier wants for a piece."""
    await connection.execute(SQL["put_supply"], cell, code, list(costs), list(costs.values()), currency)


async def supply_costs(
    connection: Connection, cell: int, variant_ids: Sequence[UUID]
) -> dict[tuple[str, UUID], tuple[int, str]]:
    """Return cost and currency of a piece, by warehouse and variant."""
    rows = await connection.fetch(SQL["supply_costs"], cell, variant_ids)
    return {(row["warehouse"], row["variant_id"]): (row["cost_minor"], row["currency"]) for row in rows}


async def share_lines(connection: Connection, cell: int, order_ids: Sequence[UUID]) -> list[ShareLine]:
    """Return the lines of orders that sellers have to do with."""
    return [ShareLine(*row) for row in await connection.fetch(SQL["share_lines"], cell, order_ids)]


async def seller_orders(connection: Connection, cell: int, order_ids: Sequence[UUID]) -> dict[tuple[UUID, UUID], SellerOrder]:
    """Return what was noted of sellers and orders, by order and seller."""
    rows = await connection.fetch(SQL["seller_orders"], cell, order_ids)
    return {(row["order_id"], row["seller_id"]): SellerOrder(**dict(row)) for row in rows}


async def put_seller_orders(connection: Connection, cell: int, ones: Sequence[SellerOrder]) -> None:
    """Write what sellers have to do with orders, as it now is."""
    columns = [[getattr(one, name) for one in ones] for name in SellerOrder.__struct_fields__]
    await connection.execute(SQL["put_seller_orders"], cell, *columns)


async def supplied(connection: Connection, cell: int, order_ids: Sequence[UUID]) -> dict[tuple[UUID, int], Supplied]:
    """Return what we owe suppliers, by order and line."""
    rows = await connection.fetch(SQL["supplied"], cell, order_ids)
    return {(row["order_id"], row["line"]): Supplied(**dict(row)) for row in rows}


async def put_supplied(connection: Connection, cell: int, one: Supplied) -> None:
    """Write what we owe a supplier for a line, as it now is."""
    await connection.execute(
        SQL["put_supplied"], cell, one.order_id, one.line, one.seller_id, one.quantity, one.back, one.cost_minor, one.currency
    )


async def nets(connection: Connection, cell: int, order_id: UUID) -> list[Net]:
    """Return what an order left each of its sellers so far."""
    return [Net(*row) for row in await connection.fetch(SQL["nets"], cell, order_id)]


async def balances(connection: Connection, cell: int, seller_id: UUID, arrived_before: datetime) -> list[Balance]:
    """Return a seller's balance by currency, and what of it is held back."""
    return [Balance(*row) for row in await connection.fetch(SQL["balances"], cell, seller_id, arrived_before)]


async def to_pay(connection: Connection, cell: int, now: datetime, limit: int) -> list[UUID]:
    """Return the sellers whose turn it is to be paid."""
    return [row["id"] for row in await connection.fetch(SQL["to_pay"], cell, now, limit)]


async def last_payout(connection: Connection, cell: int, seller_id: UUID) -> datetime | None:
    """Return when a payout to a seller was last asked for."""
    found: datetime | None = await connection.fetchval(SQL["last_payout"], cell, seller_id)
    return found


async def put_payout(connection: Connection, cell: int, payout: Payout) -> None:
    """Write down a payout before it is asked for."""
    await connection.execute(
        SQL["put_payout"], cell, payout.id, payout.seller_id, payout.currency, payout.amount_minor, payout.asked_at
    )


async def asked_payouts(connection: Connection, cell: int, limit: int) -> list[Payout]:
    """Return payouts whose outcome is not known yet."""
    return [Payout(**dict(row)) for row in await connection.fetch(SQL["asked_payouts"], cell, limit)]


async def payout(connection: Connection, cell: int, payout_id: UUID) -> Payout | None:
    """Lock a payout and return it."""
    row = await connection.fetchrow(SQL["payout_for_update"], cell, payout_id)
    return None if row is None else Payout(**dict(row))


async def end_payout(connection: Connection, cell: int, one: Payout) -> None:
    """Note how a payout ended."""
    await connection.execute(SQL["end_payout"], cell, one.id, one.state, one.ended_at, one.reference, one.reason)
