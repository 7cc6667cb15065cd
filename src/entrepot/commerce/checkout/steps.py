"""The steps of the saga in the record, each for many checkouts by one call: reserve, place, release.

Each returns an answer, or the reason why there is none, for each that was asked, in their order.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg
from msgspec import structs
from msgspec.json import encode

from entrepot.base import limits
from entrepot.base.errors import BadInputError, ConflictError, EntrepotError, KeyReusedError, StockExhaustedError
from entrepot.base.seals import Seals
from entrepot.base.time import stamp_millis, utc
from entrepot.commerce.checkout import saga_rules as rules
from entrepot.commerce.checkout import saga_store as store
from entrepot.commerce.checkout.columns import CheckoutColumns
from entrepot.commerce.checkout.held import CONTACT, Ended, Held, Placing, Releasing, Reserved, Reserving
from entrepot.commerce.stock import store as store_of_stock
from entrepot.commerce.stock.allocate import Levels, Routing, Wanted, allocate
from entrepot.record.transaction import Connection, Record

Answer = Reserved | EntrepotError


async def reserve_checkouts(
    record: Record, cell: int, asked: Sequence[Reserving], *, actor: str, seconds: float
) -> list[Answer]:
    """Reserve what checkouts want, in arrival order, each whole or not at all; a refusal says what is left.

    A piece may be sold, or come back, between looking and taking: who was refused looks again, a few times.
    """
    answers: dict[int, Answer] = {}
    open_places = list(range(len(asked)))
    async with record.committing() as connection:
        for last in (*(False,) * (limits.RESERVE_TRIES_MAX - 1), True):
            if not open_places:
                break
            found = await _attempt(record, connection, cell, [(n, asked[n]) for n in open_places], actor, seconds)
            answers.update(found)
            open_places = [n for n in open_places if not last and isinstance(answers[n], _LookAgainError)]
    if any(isinstance(answer, Reserved) and answer.held for answer in answers.values()):
        record.wake(cell)
    return [_final(answers[n]) for n in range(len(asked))]


async def place_checkouts(record: Record, cell: int, asked: Sequence[Placing], *, actor: str) -> list[Ended | EntrepotError]:
    """Place checkouts whose money is promised; each answer says how the checkout stands now."""
    once = {one.checkout_id: one for one in asked}
    async with record.committing() as connection:
        placed = dict(zip(once, await _place(record, connection, cell, list(once.values()), actor), strict=True))
    record.wake(cell)
    return [placed[one.checkout_id] for one in asked]


async def release_checkouts(
    record: Record, cell: int, asked: Sequence[Releasing], *, actor: str
) -> list[Ended | EntrepotError]:
    """Let checkouts end without an order; what each holds is given back, once.

    Of several who ask for one of them at the same time the first counts, and all are told how it then stands.
    """
    once = {one.checkout_id: one for one in reversed(asked)}
    spare = [record.ids.fresh() for one in once.values() for _ in range(one.levels)]
    async with record.committing() as connection:
        found = await store.release(connection, cell, record.clock.tick(), actor, _now(record), list(once.values()), spare)
    record.wake(cell)
    ended = {checkout_id: _there(one, checkout_id) for checkout_id, one in zip(once, found, strict=True)}
    return [ended[one.checkout_id] for one in asked]


class _LookAgainError(StockExhaustedError):
    """The warehouse that was asked had too few by then; with those that took it gone, or elsewhere, there may be enough."""


async def _attempt(
    record: Record, connection: Connection, cell: int, asked: Sequence[tuple[int, Reserving]], actor: str, seconds: float
) -> dict[int, Answer]:
    """Find the pieces, each checkout from what those before it leave, and reserve them."""
    wanted = {n: rules.wanted_of(one.quote) for n, one in asked}
    there = await store_of_stock.shelves(connection, cell, [want.variant_id for wants in wanted.values() for want in wants])
    routings = await store_of_stock.routings(connection, cell)
    left, at = there, _now(record)
    answers: dict[int, Answer] = {}
    found: list[tuple[int, Reserving, Held]] = []
    for n, one in asked:
        routing = routings.get(one.quote.market, Routing())
        try:
            taken = allocate(wanted[n], left, one.quote.country, routing.allocation, routing.supplying)
        except StockExhaustedError as error:
            answers[n] = _refused(wanted[n], there, one.quote.country, error)
            continue
        left = rules.less(left, wanted[n], taken)
        held = rules.hold(one.request, one.quote, taken, record.ids.fresh(), at, record.ids.fresh)
        found.append((n, one, structs.replace(held, cause=one.cause)))
    found, forgotten = await _sealed(record.sealing, found)
    answers.update(forgotten)
    answers.update(await _reserve(record, connection, cell, found, actor, at, at + timedelta(seconds=seconds)))
    return answers


async def _sealed(
    seals: Seals, found: Sequence[tuple[int, Reserving, Held]]
) -> tuple[list[tuple[int, Reserving, Held]], dict[int, Answer]]:
    """Seal whom each goes to, all by one asking for keys; whoever was forgotten is refused, alone."""
    goes_to = [(held.subject, {CONTACT: encode(held.contact).decode()}) for *_, held in found if held.subject is not None]
    try:
        sealed = iter(await seals.seal_many(goes_to))
    except ConflictError as error:
        if len(found) == 1:
            return [], {found[0][0]: error}
        one_by_one = [await _sealed(seals, [one]) for one in found]
        return [one for kept, _ in one_by_one for one in kept], {n: e for _, refused in one_by_one for n, e in refused.items()}
    return [
        (n, one, structs.replace(held, contact=None, sealed=next(sealed)[CONTACT]) if held.subject else held)
        for n, one, held in found
    ], {}


def _refused(wanted: Sequence[Wanted], there: Levels, country: str, error: StockExhaustedError) -> StockExhaustedError:
    """Return why there is too little; if it is there and only wanted by those before, they may yet be refused: look again."""
    try:
        allocate(wanted, there, country)
    except StockExhaustedError as final:
        return final
    return _LookAgainError(**error.facts)  # type: ignore[arg-type]  # its own facts


async def _reserve(
    record: Record, connection: Connection, cell: int, found: Sequence[tuple[int, Reserving, Held]], actor: str, at: datetime,
    ends: datetime,
) -> dict[int, Answer]:  # fmt: skip
    """Reserve a batch; one checkout that the database cannot take is found by halving, and fails alone."""
    if not found:
        return {}
    columns = CheckoutColumns(record.ids)
    for _, one, held in found:
        columns.add(one.key, one.mark, held, rules.claims_of(one.request, one.quote))
    try:
        outcomes = await store.reserve(connection, cell, record.clock.tick(), actor, at, ends, columns)
    except (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError) as error:
        if len(found) == 1:
            return {found[0][0]: _untaken(error)}
        half = len(found) // 2
        return {
            **await _reserve(record, connection, cell, found[:half], actor, at, ends),
            **await _reserve(record, connection, cell, found[half:], actor, at, ends),
        }
    firsts = _firsts(found)
    return {
        n: _answer(one, held, outcome, *first) for (n, one, held), outcome, first in zip(found, outcomes, firsts, strict=True)
    }


def _firsts(found: Sequence[tuple[int, Reserving, Held]]) -> list[tuple[int, int]]:
    """Return where in the columns each checkout's lines and claims begin."""
    firsts, line, claim = [], 0, 0
    for _, one, held in found:
        firsts.append((line, claim))
        line += len(held.order.lines)
        claim += len(rules.claims_of(one.request, one.quote))
    return firsts


def _answer(one: Reserving, held: Held, outcome: store.Outcome, first_line: int, first_claim: int) -> Answer:
    match outcome.outcome:
        case "reserved":
            return Reserved(held.order.id, held)
        case "repeated":
            assert outcome.checkout_id is not None
            return Reserved(outcome.checkout_id, None)
        case "reused":
            return KeyReusedError(one.key)
        case _ if outcome.claim is not None:
            claim = rules.claims_of(one.request, one.quote)[outcome.claim - first_claim]
            return rules.claim_refusal(claim, outcome.remaining, held.order.currency)
        case _:
            assert outcome.line is not None
            refusal = rules.stock_refusal(held, outcome.line - first_line, outcome.remaining)
            return _LookAgainError(**refusal.facts)  # type: ignore[arg-type]  # its own facts


async def _place(
    record: Record, connection: Connection, cell: int, asked: Sequence[Placing], actor: str
) -> list[Ended | EntrepotError]:
    """Place a batch; one that the database cannot take is found by halving, and fails alone."""
    try:
        ended = await store.place(connection, cell, record.clock.tick(), actor, _now(record), asked, record.ids)
    except (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError) as error:
        if len(asked) == 1:
            return [_untaken(error)]
        half = len(asked) // 2
        return [
            *await _place(record, connection, cell, asked[:half], actor),
            *await _place(record, connection, cell, asked[half:], actor),
        ]
    return [_there(one, asked[n].checkout_id) for n, one in enumerate(ended)]


def _there(ended: Ended | None, checkout_id: UUID) -> Ended:
    assert ended is not None, f"there is no checkout {checkout_id}"
    return ended


def _final(answer: Answer) -> Answer:
    """Return an answer as the caller is told it."""
    return StockExhaustedError(**answer.facts) if isinstance(answer, _LookAgainError) else answer  # type: ignore[arg-type]  # its own facts


def _untaken(error: asyncpg.PostgresError) -> BadInputError:
    return BadInputError(f"The order cannot be taken: {str(error).splitlines()[0]}.")


def _now(record: Record) -> datetime:
    return utc(stamp_millis(record.clock.tick()))
