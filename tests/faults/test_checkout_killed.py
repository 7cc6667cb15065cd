"""A checkout that is killed at any step, with any of what it needs, ends as an order that is paid or as nothing at all.

A process goes through the saga and halts on either side of each step; there one of the process itself, PostgreSQL, Redis and
the gateway is killed. ``ENTREPOT_FAULTS=all`` walks every step with every victim, else some of each are taken.
"""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from msgspec import Struct

from entrepot.app import make_room
from entrepot.base.errors import EngineAwayError
from entrepot.base.time import SystemClock
from entrepot.commerce.cart import rules as cart_rules
from entrepot.commerce.cart.commands import Carts
from entrepot.commerce.cart.requests import CartLineRequest, CartRequest
from entrepot.commerce.checkout.carted import carted
from entrepot.commerce.checkout.completing import Choice, complete
from entrepot.commerce.checkout.held import CheckoutAnswer, PaymentChoice
from entrepot.commerce.checkout.quoting import Quoting
from entrepot.commerce.checkout.saga import Checkouts
from entrepot.commerce.checkout.saga_rules import CHECKOUT
from entrepot.commerce.checkout.seed import furnish
from entrepot.commerce.payment.reconcile import reconcile
from entrepot.engines.memory.redis_drawer import RedisDrawer
from entrepot.local import control
from entrepot.local.state import read_state
from entrepot.partners.payment.port import GatewayAwayError, GatewayLiedError
from entrepot.partners.payment.sandbox import SandboxGateway
from entrepot.partners.tax.regional import RegionalTax
from entrepot.record.migrate import migrate
from entrepot.record.transaction import Record, open_record
from entrepot.settings import Engines, Settings
from tests.keys import sealed_record
from tests.tidy.finding import ROOT
from tests.till import BUYER, check_whole, shelf
from tests.trade import CELL, ledger, open_shop

# The steps of the saga by card, each with a halt before and after it, and how it ends when nothing is killed.
KEYS = "keyring.json"
STEPS = {
    "tok_ok": ("load reserve authorize place close", "placed"),
    "tok_challenge": ("load reserve authorize mark_challenged load reserve find place close", "placed"),
    "tok_stolen": ("load reserve authorize release", "declined"),
    "tok_lies": ("load reserve authorize release close_reference release", "gateway-lied"),
}
ROLES = {"PostgreSQL": "record", "Redis": "memory", "gateway": "gateway"}
VICTIMS = ("API", *ROLES)
SOME = 11
PIECES = 1_000
SECONDS_MAX = 120.0

Case = tuple[str, int, str]
EVERY: list[Case] = [
    (card, halt, victim)
    for card, (steps, _) in STEPS.items()
    for halt in range(2 * len(steps.split()))
    for victim in VICTIMS
]  # fmt: skip
CHOSEN = EVERY if os.environ.get("ENTREPOT_FAULTS") == "all" else EVERY[::SOME]


class House(Struct, frozen=True):
    """What a checkout needs, with a till of the test's own."""

    settings: Settings
    record: Record
    gateway: SandboxGateway
    carts: Carts
    checkouts: Checkouts


@pytest.fixture(scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    home = Path(await asyncio.to_thread(tmp_path_factory.mktemp, "killed"))
    for folder in (home, *list(home.parents)[:2]):
        folder.chmod(0o755)  # the database server's own user must reach it
    empty = Settings(home=home, engines=Engines())
    settings = await control.start(empty, given={"documents", "columns", "graph", "objects", "search"})
    try:
        await asyncio.to_thread(migrate, settings.engines.owner)
        async with await open_record(settings.engines.owner, connections=1) as owner:
            await make_room(owner)
        async with sealed_record(settings.engines.record, (home / KEYS).as_uri()) as record:
            await open_shop(record, {"tea": PIECES})
            async with record.transaction(CELL) as tx:
                await furnish(tx, "uk", country="GB")
            gateway, drawer = SandboxGateway(settings.engines.gateway), RedisDrawer(settings.engines.memory, f"cart-{CELL}")
            checkouts = Checkouts(record, CELL, gateway, Quoting(RegionalTax(), SystemClock()))
            yield House(settings, record, gateway, Carts(drawer, CELL, record.clock, record.ids, record.sealing), checkouts)
            await gateway.close()
            await drawer.close()
    finally:
        await control.stop(empty)


@pytest.mark.parametrize("card", STEPS)
async def test_the_process_halts_at_every_step(house: House, card: str) -> None:
    steps, end = STEPS[card]
    cart = await filled_cart(house)
    async with asyncio.timeout(SECONDS_MAX):
        seen, ended = await walk(await begin(house, cart, uuid4().hex, card), None)
    assert seen == [f"{when} {step}" for step in steps.split() for when in ("before", "after")]
    assert ended == end
    await check_money(house)


@pytest.mark.parametrize(("card", "halt", "victim"), CHOSEN)
async def test_a_kill_leaves_a_paid_order_or_nothing(house: House, card: str, halt: int, victim: str) -> None:
    cart, key = await filled_cart(house), uuid4().hex
    async with asyncio.timeout(SECONDS_MAX):
        process = await begin(house, cart, key, card)
        await walk(process, halt, partial(kill, house, victim, process))
        await until_back(house)
        await house.checkouts.recover(left_seconds=0.0)
        await check_money(house)
        answer = await until_answered(house, cart, key, card)
    assert (answer.state if answer else "gateway-lied") in {STEPS[card][1], "compensated"}
    await check_money(house)


async def test_what_a_killed_process_held_is_given_back_when_its_time_is_over(house: House) -> None:
    before, cart = await shelf(house.record, "tea"), await filled_cart(house)
    process = await begin(house, cart, uuid4().hex, "tok_ok", seconds=0.01)
    await walk(process, 5, partial(kill, house, "API", process))  # after authorize: there is money, and no order
    assert await house.checkouts.recover() == 1
    assert await shelf(house.record, "tea") == before
    await check_money(house)


async def filled_cart(house: House) -> UUID:
    """Open a cart with some tea that goes to York."""
    async with house.record.committing() as connection:
        currencies, offers = await carted(connection, CELL, "uk", ["tea"])
    asked = CartRequest(market="uk", country="GB", lines=[CartLineRequest(sku="tea", quantity=1)])
    kept = await house.carts.open(asked, currencies, offers)
    return (await house.carts.change(kept, lambda cart, write: cart_rules.deliver_to(cart, BUYER, write))).id


async def begin(house: House, cart: UUID, key: str, card: str, seconds: float = 900.0) -> Process:
    """Start a process that completes a cart."""
    engines = house.settings.engines
    arguments = (
        engines.record,
        (house.settings.home / KEYS).as_uri(),
        engines.memory,
        engines.gateway,
        str(cart),
        key,
        card,
        str(seconds),
    )
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.faults.checkout_process", *arguments, cwd=ROOT, stdin=PIPE, stdout=PIPE
    )


async def walk(process: Process, until: int | None, act: object = None) -> tuple[list[str], str]:
    """Let a process go from halt to halt, act at one of them, and return where it was, and how it ended ('' if killed)."""
    assert process.stdin is not None
    assert process.stdout is not None
    seen: list[str] = []
    ended = ""
    while line := (await process.stdout.readline()).decode().strip():
        word, _, rest = line.partition(" ")
        if word == "ended":
            ended = rest
            continue
        seen.append(rest)
        if callable(act) and len(seen) - 1 == until:
            act()
        if process.returncode is None:
            process.stdin.write(b"\n")
    process.stdin.close()
    await process.wait()
    return seen, ended


def kill(house: House, victim: str, process: Process) -> None:
    """Kill the process itself, or the engine."""
    if victim == "API":
        process.kill()
        return
    state = read_state(Path(house.settings.home))
    assert state is not None
    os.kill(state.engines[ROLES[victim]].pid, signal.SIGKILL)


async def until_back(house: House) -> None:
    """Wait until the supervisor has brought everything back."""
    while True:
        try:
            async with house.record.committing() as connection:
                await connection.fetchval("SELECT 1")
            await house.gateway.find(uuid4())
            await house.carts._drawer.load("nothing")
        except (EngineAwayError, GatewayAwayError):
            await asyncio.sleep(0.1)
        else:
            return


async def until_answered(house: House, cart: UUID, key: str, card: str) -> CheckoutAnswer | None:
    """Ask again with the same key, as a client does, until there is an answer; a challenge is answered on the way."""
    while True:
        try:
            answer = await complete(
                house.checkouts, house.carts, key, cart, Choice(payment=PaymentChoice(kind="card", token=card))
            )
        except (EngineAwayError, GatewayAwayError):
            await asyncio.sleep(0.1)
        except GatewayLiedError:
            return None
        else:
            if answer.state not in {"authorizing", "challenged"}:
                return answer
            payment = await house.gateway.find(answer.checkout_id)
            assert payment is not None
            await house.gateway.answer_challenge(payment.id, approved=True)


async def check_money(house: House) -> None:
    """Assert that no order is without money, no money without order, and that ledger and gateway agree."""
    await check_whole(house.record)
    assert sum((await ledger(house.record)).values()) == 0
    assert sum(await shelf(house.record, "tea")) == PIECES
    async with house.record.committing() as connection:
        states = {row["id"]: row["state"] for row in await connection.fetch("SELECT id, state FROM checkout.checkout")}
    waiting = {str(checkout_id) for checkout_id, state in states.items() if CHECKOUT.moves[state]}  # for a buyer at a challenge
    for checkout_id, state in states.items():
        payment = await house.gateway.find(checkout_id)
        promised = payment is not None and payment.state in {"authorized", "captured"}
        assert promised == (state == "placed") or str(checkout_id) in waiting, (state, payment)
    differences = (await reconcile(house.record, house.gateway, CELL)).differences
    assert [one for one in differences if one.id not in waiting] == []
