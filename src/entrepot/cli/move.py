"""`entrepot move ROLE URL`: builds a role's projections in another engine, proves them equal, and has everybody read there."""

import asyncio
import logging
import os
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Annotated

import msgspec
from cyclopts import Parameter
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table

from entrepot.app import App, opened
from entrepot.base import limits
from entrepot.base.errors import BadInputError
from entrepot.base.time import SystemClock
from entrepot.cli.logs import to_stderr
from entrepot.cli.noting import actor
from entrepot.cli.opening import opened_record
from entrepot.duties import keep_up
from entrepot.log import moves
from entrepot.log.moves import Move
from entrepot.log.projector import is_at_work
from entrepot.log.status import status
from entrepot.moving.moving import Mover
from entrepot.settings import load

COLUMNS = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())

# By so much less urgent than those who answer readers is comparing and looking on, where both share a machine.
GIVEN_WAY = 10

Flag = Annotated[bool, Parameter(negative="")]


async def move(
    role: str = "",
    url: str = "",
    *,
    build_only: Flag = False,
    back: Flag = False,
    finish: Flag = False,
    force: Flag = False,
    give_up: Flag = False,
    json: Flag = False,
) -> None:
    """Move a role to another engine while readers read, or show the moves there were.

    It builds the projections of the role in the new engine from archive and log, compares every item with the truth, and then
    has every process read there, in one step. The old engine is fed on until --finish. Interrupted, it is run again and goes
    on; meanwhile any projector builds. Where none runs, this command is one; else it only looks on, and gives way to who works.

    Parameters
    ----------
    role
        What is moved: documents, search, graph or series. None shows the moves there were.
    url
        The new engine, as in ENTREPOT_<ROLE>_URL; - reads it from standard input, where no list of processes shows it.
    build_only
        Build and compare, and leave it to a later run to switch.
    back
        Read the old engine again; the new one is fed on.
    finish
        Leave the old engine, and drop what it holds of ours; refused while it has answered for the new one of late.
    force
        With --finish: leave the old engine all the same.
    give_up
        Leave the new engine, before readers were switched.
    json
        Print JSON instead of sentences.
    """
    to_stderr(logging.WARNING)
    _check(role, sum((bool(url), back, finish, give_up)), overrules=force and not finish)
    if not role:
        await _show(as_json=json)
        return
    async with _moving() as (app, mover):
        if back:
            done = await mover.back(role)
            said = f"Everybody reads {done.from_address} again; {done.to_address} is fed on, so a move there goes on at once."
        elif finish or give_up:
            done, said = await _ended(mover, role, finish=finish, force=force)
        else:
            done, said = await _moved(app, mover, role, url, build_only=build_only)
    print(_as_json([done]) if json else said)


def _check(role: str, ways: int, *, overrules: bool) -> None:
    if ways != bool(role):
        raise BadInputError("Give a role and a URL, or a role and one of --back, --finish and --give-up, or nothing at all.")
    if overrules:
        raise BadInputError("--force overrules what --finish refuses: give it with --finish.")


async def _ended(mover: Mover, role: str, *, finish: bool, force: bool) -> tuple[Move, str]:
    done = await mover.end(role, finish=finish, force=force)
    return done, f"{done.from_address if finish else done.to_address} is left: what it holds of ours will be dropped."


async def _moved(app: App, mover: Mover, role: str, url: str, *, build_only: bool) -> tuple[Move, str]:
    """Begin or go on, wait until all is built, prove it, and switch; return the move and what is said of it."""
    begun = await mover.begin(role, sys.stdin.readline().strip() if url == "-" else url)
    with Progress(*COLUMNS, console=Console(stderr=True), transient=True) as progress:
        await _until_built(app, mover, begun, progress)
        task = progress.add_task("comparing with the truth", total=None)
        proof = await mover.prove(begun, lambda _: lambda checked: progress.update(task, completed=checked))
    if build_only:
        return begun, f"{begun.to_address} is equal ({proof.sentence}); nobody reads it yet."
    done = await mover.switch(begun, proof)
    return done, (
        f"Everybody reads {done.to_address} ({proof.sentence}). {done.from_address} is fed on until 'entrepot move {done.role} "
        "--finish'; --back returns to it."
    )


async def _until_built(app: App, mover: Mover, begun: Move, progress: Progress) -> None:
    names = [one.projection.name for one in app.subscriptions if one.projection.role == begun.role]
    tasks = {name: progress.add_task(name, total=None) for name in names}
    while await mover.is_behind(begun):
        told = await status(app.record, names, (app.settings.cell,), SystemClock())
        for one in told.projections:
            if one.beside is not None:
                waits = f": {one.beside.error}" if one.beside.error else ""
                progress.update(
                    tasks[one.projection], total=one.beside.total, completed=one.beside.done, description=one.projection + waits
                )
        await asyncio.sleep(limits.POLL_SECONDS)


@asynccontextmanager
async def _moving() -> AsyncIterator[tuple[App, Mover]]:
    """Open what a move needs, giving way to who answers readers; it works with and without a running projector."""
    os.nice(GIVEN_WAY)
    async with opened(load(os.environ)) as app:
        work = asyncio.create_task(_keep_up_where_nobody_does(app))
        try:
            one = Mover(app.record, app.settings, app.sealing, app.stores.places, app.subscriptions, app.cache, actor())
            yield app, one
        finally:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)


async def _keep_up_where_nobody_does(app: App) -> None:
    await _until_nobody_is_at_work(app)
    await keep_up(app)


async def _until_nobody_is_at_work(app: App) -> None:
    while await is_at_work(app.record):  # noqa: ASYNC110  # a process that has died tells nobody
        await asyncio.sleep(limits.LEASE_SECONDS)


async def _show(*, as_json: bool) -> None:
    async with opened_record() as (_, record), record.committing() as connection:
        found = await moves.moves(connection)
    if as_json:
        print(_as_json(found))
        return
    table = Table()
    for column in ("role", "from", "to", "state", "begun", "by", "switched"):
        table.add_column(column)
    for one in found:
        begun, switched = f"{one.began_at:%Y-%m-%d %H:%M}", f"{one.switched_at:%Y-%m-%d %H:%M}" if one.switched_at else ""
        table.add_row(one.role, one.from_address, one.to_address, one.state.replace("_", " "), begun, one.began_by, switched)
    Console().print(table if found else "Nothing was moved yet: 'entrepot move ROLE URL' begins.")


def _as_json(found: Sequence[Move]) -> str:
    return msgspec.json.encode([_with_proof(one) for one in found]).decode()


def _with_proof(one: Move) -> dict[str, object]:
    told: dict[str, object] = msgspec.to_builtins(one)
    return {**told, "proof": msgspec.json.decode(one.proof) if one.proof else None}
