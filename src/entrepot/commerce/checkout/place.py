"""Places many orders by one call: look up offers, price in ``rules``, decide and write in the hot path, answer each."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import asyncpg

from entrepot.base.errors import BadInputError, EntrepotError, KeyReusedError, StockExhaustedError
from entrepot.base.event import Token
from entrepot.base.ids import uuid7_at
from entrepot.base.time import millis_of, utc
from entrepot.commerce.checkout import rules, store
from entrepot.commerce.checkout.columns import OrderColumns
from entrepot.commerce.checkout.requests import OrderRequest, Placed
from entrepot.commerce.checkout.store import Outcome
from entrepot.commerce.ordering.events import OrderPlaced
from entrepot.record.cause import Cause
from entrepot.record.idempotency import check_key, fingerprint
from entrepot.record.transaction import Connection, Record

WAREHOUSES_TRIED_MAX = 3

Asked = tuple[str, OrderRequest, Cause | None]
Answer = Placed | EntrepotError
_Priced = tuple[int, str, bytes, OrderPlaced, Cause | None]


async def place_orders(record: Record, cell: int, asked: Sequence[Asked], actor: str = "system") -> list[Answer]:
    """Place orders in arrival order, each whole or not at all; returns an answer or the reason of refusal for each.

    Every order has its idempotency key: one that placed an order before gets that order again, and an order that was refused
    leaves no trace, so that its key may be tried again. An order of a request leaves its entry in the audit, by the same call.
    Raises ``EngineAwayError`` when nothing can be known of any.
    """
    answers: dict[int, Answer] = {}
    first_with: dict[str, int] = {}
    for place, (key, request, _) in enumerate(asked):
        try:
            check_key(key)
            rules.check_order(request)
        except EntrepotError as error:
            answers[place] = error
        else:
            first_with.setdefault(key, place)
    open_places = sorted(first_with.values())
    async with record.committing() as connection:
        for _ in range(WAREHOUSES_TRIED_MAX):
            if not open_places:
                break
            answers.update(await _attempt(record, connection, cell, [(n, *asked[n]) for n in open_places], actor))
            open_places = [n for n in open_places if isinstance(answers[n], _ElsewhereError)]
    if any(isinstance(answer, Placed) and not answer.repeated for answer in answers.values()):
        record.wake(cell)
    return [_own(answers, first_with, asked, place) for place in range(len(asked))]


class _ElsewhereError(StockExhaustedError):
    """The warehouse asked had too few; another may have enough."""


async def _attempt(
    record: Record, connection: Connection, cell: int, asked: Sequence[tuple[int, str, OrderRequest, Cause | None]], actor: str
) -> dict[int, Answer]:
    wanted: dict[tuple[str, str], int] = {}
    for _, _, request, _ in asked:
        for line in request.lines:
            at = (line.sku, request.market)
            wanted[at] = max(wanted.get(at, 0), line.quantity)
    offers = await store.offers(connection, cell, wanted)
    answers: dict[int, Answer] = {}
    priced: list[_Priced] = []
    now = record.clock.tick() >> 16
    for place, key, request, cause in asked:
        try:
            order = rules.price_order(request, *_identity(record, request, now), offers)
        except EntrepotError as error:
            answers[place] = error
        else:
            priced.append((place, key, fingerprint(request), order, cause))
    if answers:
        answers.update(await _known(connection, cell, {place: (key, r) for place, key, r, _ in asked if place in answers}))
    answers.update(await _write(record, connection, cell, priced, actor))
    return answers


async def _write(record: Record, connection: Connection, cell: int, priced: Sequence[_Priced], actor: str) -> dict[int, Answer]:
    """Write a batch; one order that the database cannot take is found by halving, and fails alone."""
    if not priced:
        return {}
    columns = OrderColumns(record.ids)
    for _, key, mark, order, cause in priced:
        columns.add(key, mark, order, cause)
    try:
        outcomes = await store.place_orders(connection, cell, record.clock.tick(), actor, columns)
    except (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError) as error:
        if len(priced) == 1:
            return {priced[0][0]: _untaken(priced[0][3], error)}
        half = len(priced) // 2
        return {
            **await _write(record, connection, cell, priced[:half], actor),
            **await _write(record, connection, cell, priced[half:], actor),
        }
    repeated = [o.order_id for o in outcomes if o.outcome == "repeated" and o.order_id]
    totals = await store.totals(connection, cell, repeated) if repeated else {}
    return {
        place: _answer(cell, key, order, outcome, totals)
        for (place, key, _, order, _), outcome in zip(priced, outcomes, strict=True)
    }


def _untaken(order: OrderPlaced, error: asyncpg.PostgresError) -> BadInputError:
    """Return why the database refuses this one order."""
    if isinstance(error, asyncpg.CheckViolationError) and error.constraint_name is None:  # no partition takes its id
        return BadInputError(
            f"There is no room for an order of {order.placed_at.isoformat()} with the id {order.id}: leave both out, or bring "
            "history in with 'entrepot import orders', which makes room for it.",
            order_id=str(order.id),
        )
    return BadInputError(f"The order cannot be taken: {str(error).splitlines()[0]}.")


def _answer(cell: int, key: str, order: OrderPlaced, outcome: Outcome, totals: dict[UUID, tuple[int, str]]) -> Answer:
    token = Token(cell, outcome.position)
    match outcome.outcome:
        case "placed":
            return Placed(order_id=order.id, total_minor=order.total_minor, currency=order.currency, token=token)
        case "repeated":
            assert outcome.order_id is not None
            total, currency = totals[outcome.order_id]
            return Placed(order_id=outcome.order_id, total_minor=total, currency=currency, token=token, repeated=True)
        case "reused":
            return KeyReusedError(key)
        case _:
            assert outcome.line is not None
            sku = order.lines[outcome.line - 1].sku
            wanted = sum(line.quantity for line in order.lines if line.sku == sku)
            return _ElsewhereError(sku, wanted=wanted, left=outcome.available or 0)


async def _known(connection: Connection, cell: int, asked: dict[int, tuple[str, OrderRequest]]) -> dict[int, Answer]:
    """Return the first answers of keys whose order could not be placed anew, since what it needs has changed meanwhile."""
    known = await store.known_keys(connection, cell, [key for key, _ in asked.values()])
    totals = await store.totals(connection, cell, [order_id for _, order_id, _ in known.values()])
    answers: dict[int, Answer] = {}
    for place, (key, request) in asked.items():
        if key in known:
            mark, order_id, position = known[key]
            total, currency = totals[order_id]
            placed = Placed(order_id=order_id, total_minor=total, currency=currency, token=Token(cell, position), repeated=True)
            answers[place] = placed if mark == fingerprint(request) else KeyReusedError(key)
    return answers


def _own(answers: dict[int, Answer], first_with: dict[str, int], asked: Sequence[Asked], place: int) -> Answer:
    """Return the answer of one place: its own, or that of the earlier place in this call with the same key."""
    if place in answers:
        answer = answers[place]
        if isinstance(answer, _ElsewhereError):
            return StockExhaustedError(str(answer.facts["sku"]), wanted=_whole(answer, "wanted"), left=_whole(answer, "left"))
        return answer
    key, request, _ = asked[place]
    first = first_with[key]
    if asked[first][1] != request:
        return KeyReusedError(key)
    answer = _own(answers, first_with, asked, first)
    if isinstance(answer, Placed):
        return Placed(
            order_id=answer.order_id,
            total_minor=answer.total_minor,
            currency=answer.currency,
            token=answer.token,
            repeated=True,
        )
    return answer


def _whole(error: EntrepotError, fact: str) -> int:
    value = error.facts[fact]
    assert isinstance(value, int)
    return value


def _identity(record: Record, request: OrderRequest, now: int) -> tuple[UUID, datetime]:
    """Return id and moment of the order: its own when history is replayed, else of now; the id begins with the moment."""
    placed_at = request.placed_at or utc(now)
    if request.id is not None:
        return request.id, placed_at
    fresh = record.ids.fresh()
    return (fresh if request.placed_at is None else uuid7_at(millis_of(placed_at), fresh.bytes[6:])), placed_at
