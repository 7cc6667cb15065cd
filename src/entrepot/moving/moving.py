"""Moves a role's projections to another engine, step by step; what is under way is in the record, so any process may go on.

Begin: everything that can be wrong with the new engine is found before anything is noted. Build: projectors do it, as they
keep up whatever is fed. Prove: compared with the truth, item by item. Switch, back, end: one transaction each, with its entry
in the audit.
"""

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack, suppress

import msgspec
from msgspec import Struct, structs

from entrepot.audit.commands import Entry, note_in
from entrepot.base.engine_limits import MOVE_CALM_SECONDS, MOVE_SWITCH_SECONDS, MOVE_TRY_SECONDS
from entrepot.base.errors import BadInputError, ConflictError, EngineAwayError, EntrepotError, NotFoundError
from entrepot.base.event import START
from entrepot.base.projection import Slot, Store, Target
from entrepot.base.time import SystemClock
from entrepot.engines.memory.port import Cache
from entrepot.engines.products import PRODUCTS, driver, product
from entrepot.log import generations, moves
from entrepot.log.moves import Engine, Move
from entrepot.log.projector import Subscription
from entrepot.moving import series
from entrepot.moving.beside import Beside
from entrepot.moving.places import MOVABLE, Places, address_of, place_of, secret_name
from entrepot.moving.spared import spared_beside
from entrepot.record.transaction import Record, Transaction
from entrepot.sealing.sealing import Sealing
from entrepot.settings import Settings, remembered, require
from entrepot.verify.compare import Checksum
from entrepot.verify.verify import Report, Seen, Verifier


class NotEqualError(EntrepotError):
    """What was built is not what the truth says; readers were not switched."""

    slug = "not-equal"
    status = 409
    exit_code = 7


class StillAskedError(EntrepotError):
    """The engine that a move would leave still answers in the place of the new one; both are fed on."""

    slug = "still-asked"
    status = 409
    exit_code = 4


class Proof(Struct, frozen=True):
    """What a comparison of everything beside with the truth has found."""

    reports: Sequence[Report]

    @property
    def text(self) -> str:
        """Return it as it is kept."""
        return msgspec.json.encode(self.reports).decode()

    @property
    def sentence(self) -> str:
        """Return it in words, with the hash of what is kept."""
        told = ", ".join(f"{one.projection}: {one.checked} items, {one.differs} differ" for one in self.reports)
        return f"{told}; sha256 {hashlib.sha256(self.text.encode()).hexdigest()}"


class Mover:
    """Moves roles, by the hand of ``by``."""

    def __init__(
        self,
        record: Record,
        settings: Settings,
        sealing: Sealing,
        places: Places,
        every: Sequence[Subscription],
        cache: Cache,
        by: str,
    ) -> None:
        self._record, self._settings, self._sealing, self._places = record, settings, sealing, places
        self._every, self._cache, self._by, self._cell = every, cache, by, settings.cell

    async def begin(self, role: str, url: str) -> Move:
        """Note a move, or find the one that is under way; from then on projectors build. Nothing is noted of a bad engine."""
        followed = self._of(role)
        to = self._described(role, url)
        move = await self._under_way(role)
        if move is not None:
            await self._check_same(move, url)
            to = structs.replace(to, id=move.to_id)
        else:
            await self._check_elsewhere(role, url)
        missing = await self._missing(followed, to)
        await self._make_room(url, to, missing)
        async with self._record.transaction(self._cell, self._by) as tx:
            if move is None:
                old, first = await self._old(tx, role)
                id_ = await moves.begin(tx, self._by, old, to, [one.projection.name for one, _ in missing], first=first)
                await self._note(tx, f"move {role}: begin", str(id_), f"from {old.address} to {to.address}")
            for one, number in missing:
                await moves.put_beside(tx, to, one.projection, number, self._settings.shards)
            await moves.tell(tx.connection, [one.projection.name for one, _ in missing])
        return await self.under_way(role)

    async def under_way(self, role: str) -> Move:
        """Return the role's move that has not ended; there must be one."""
        self._of(role)
        move = await self._under_way(role)
        if move is None:
            raise NotFoundError(f"The {role} engine is not being moved: 'entrepot move {role} URL' begins it.", role=role)
        return move

    async def is_behind(self, move: Move) -> bool:
        """Say whether what is built lacks an event that readers have been shown."""
        async with self._record.committing() as connection:
            return await moves.is_behind(connection, move.beside_id)

    async def prove(self, move: Move, seen: Callable[[str], Seen] | None = None) -> Proof:
        """Compare what lies beside with the truth, item by item; a difference is a ``NotEqualError`` that names some."""
        if move.role == series.ROLE:
            return await self._copied(move)
        followed = {one.projection.name: one for one in self._of(move.role)}
        found = await generations.generations(self._record, list(followed), ("beside",))
        beside = Beside(
            self._record, {name: one.projection for name, one in followed.items()}, {one.projection: one for one in found}
        )
        verifier = Verifier(self._record, beside, cells=(self._cell,))
        reports = [
            await verifier.verify(
                followed[one.projection].projection, followed[one.projection].store, seen=seen and seen(one.projection)
            )
            for one in found
        ]
        differing = [difference.id for report in reports for difference in report.differences]
        if any(report.differs for report in reports):
            raise NotEqualError(
                f"{sum(report.differs for report in reports)} items in {move.to_address} are not what the truth says, such as "
                f"{', '.join(differing[:3])}: nobody reads them. See in the engine room what was set aside, and run the move "
                "again; --give-up leaves it."
            )
        return Proof(reports)

    async def switch(self, move: Move, proof: Proof) -> Move:
        """Have every reader read the new engine, at a moment when it lacks nothing that the old one has."""
        await self._exchange(move, proof)
        return await self.under_way(move.role)

    async def back(self, role: str) -> Move:
        """Have every reader read the old engine again, which was fed all the time."""
        move = await self.under_way(role)
        if move.state != "switched":
            raise ConflictError(f"Readers still read {move.from_address}: there is nothing to go back from.", role=role)
        await self._exchange(move, None)
        return await self.under_way(role)

    async def spared(self, role: str) -> int:
        """Return how many questions the engine that a move left answered of late in the place of the new one."""
        return await spared_beside(self._record, self._cache, [one.projection.name for one in self._of(role)])

    async def end(self, role: str, *, finish: bool, force: bool = False) -> Move:
        """Leave the engine that nobody reads: the old one (``finish``), or the new one before readers were switched.

        While the old one still answers for the new one it is not left, unless by ``force``.
        """
        move = await self.under_way(role)
        if finish != (move.state == "switched"):
            raise ConflictError(
                f"Readers still read {move.from_address}: 'entrepot move {role} URL' goes on, --give-up leaves it."
                if finish
                else f"Readers read {move.to_address} already: --back first, or --finish.",
                role=role,
            )
        if finish and not force:
            await self._check_calm(move)
        left = move.from_address if finish else move.to_address
        async with self._record.transaction(self._cell, self._by) as tx:
            await moves.end(tx, move, self._by)
            await self._note(tx, f"move {role}: {'finish' if finish else 'give up'}", str(move.id), f"{left} is left")
        return move

    async def _check_calm(self, move: Move) -> None:
        way = f"--back returns to it, 'entrepot move {move.role} --finish --force' leaves it all the same."
        try:
            asked = await self.spared(move.role)
        except EngineAwayError as error:
            raise StillAskedError(
                f"Whether {move.from_address} still answers for {move.to_address} cannot be seen ({error}): {way}",
                role=move.role,
            ) from error
        if asked:
            raise StillAskedError(
                f"{move.from_address} has answered {asked} questions in the place of {move.to_address}, the last less than "
                f"{MOVE_CALM_SECONDS:.0f} s ago; they would have been late or failed without it. Give {move.to_address} more "
                f"time or more room, and try again; {way}",
                role=move.role,
                answered=asked,
            )

    async def _exchange(self, move: Move, proof: Proof | None) -> None:
        async with self._record.committing() as connection:
            outgrown = await moves.outgrown(connection, move.beside_id)
        if outgrown:
            raise ConflictError(
                f"{', '.join(outgrown)} was rebuilt by another version of the code since the move began, and only where it is "
                f"read: {'--give-up' if proof else '--finish'} this move, and begin another.",
                role=move.role,
            )
        goes = (move.from_address, move.to_address) if proof else (move.to_address, move.from_address)
        why = f"from {goes[0]} to {goes[1]}" + (f"; {proof.sentence}" if proof else "")
        until = asyncio.get_running_loop().time() + MOVE_SWITCH_SECONDS
        while asyncio.get_running_loop().time() < until:
            async with self._record.transaction(self._cell, self._by) as tx:
                if await moves.exchange(tx, move, self._by, proof.text if proof else None):
                    await self._note(tx, f"move {move.role}: {'switch' if proof else 'back'}", str(move.id), why)
                    return
            await asyncio.sleep(MOVE_TRY_SECONDS)
        raise ConflictError(
            f"{goes[1]} was behind {goes[0]} for {MOVE_SWITCH_SECONDS:.0f} s on end, so nobody was switched: see in the engine "
            "room what stops it, or run this again when less is written.",
            role=move.role,
        )

    async def _copied(self, move: Move) -> Proof:
        """Copy the points of before, and compare all of them; what comes meanwhile is written to both engines."""
        began = asyncio.get_running_loop().time()
        ends = (str(move.from_id), str(move.to_id))
        here, there = [driver(move.role, await self._places.url(move.role, one)) for one in ends]
        async with AsyncExitStack() as stack:
            for store in (here, there):
                stack.push_async_callback(store.close)
                await store.open()
            found = await series.copied(here, there, SystemClock())
        seconds = asyncio.get_running_loop().time() - began
        return Proof([Report("service_pulse", 0, found.points, 0, 0, 0, Checksum(found.points), seconds, [])])

    def _of(self, role: str) -> list[Subscription]:
        if role == series.ROLE:
            require(self._settings, role)
        elif role not in MOVABLE:
            can = ", ".join((*MOVABLE, series.ROLE))
            raise BadInputError(
                f"The {role[:40]!r} engine cannot be moved: {can} can, for all they hold comes from the log, or can be copied.",
                role=role,
            )
        return [one for one in self._every if one.projection.role == role]

    def _described(self, role: str, url: str) -> Engine:
        schemes = {scheme: each for each in PRODUCTS if each.role == role for scheme in each.schemes}
        try:
            address, scheme = address_of(url), url.partition("://")[0]
        except ValueError as error:
            raise BadInputError(f"This is no URL ({error}): give one such as {next(iter(schemes))}://... .") from error
        if scheme not in schemes or "://" not in url:
            raise BadInputError(f"{address!r} is no {role} engine: give a URL that begins with one of {', '.join(schemes)}.")
        id_ = self._record.ids.fresh()
        sealed = self._sealing.seal_secret(secret_name(id_), url)
        one = schemes[scheme]
        return Engine(id=id_, role=role, product=one.name, address=address, url_sealed=sealed, one_writer=one.one_writer)

    async def _old(self, tx: Transaction, role: str) -> tuple[Engine, bool]:
        """Return the role's engine as it is now, and whether the record does not know it yet."""
        live = await moves.live_engines(tx.connection)
        if role in live:
            return live[role], False
        url: str = getattr(self._settings.engines, role)
        one = self._described(role, url)
        embedded = remembered(self._settings.home).get(role) == url
        return (structs.replace(one, url_sealed=None) if embedded else one), True

    async def _under_way(self, role: str) -> Move | None:
        async with self._record.committing() as connection:
            return await moves.under_way(connection, role)

    async def _check_same(self, move: Move, url: str) -> None:
        if place_of(move.role, await self._places.url(move.role, str(move.to_id))) != place_of(move.role, url):
            raise ConflictError(
                f"The {move.role} engine is being moved to {move.to_address} already: go on with that, or end it "
                f"(--{'finish' if move.state == 'switched' else 'give-up'}) before it is moved to {address_of(url)}.",
                role=move.role,
            )
        if move.state == "switched":
            raise ConflictError(
                f"Readers read {move.to_address} already: --finish leaves {move.from_address}, --back returns to it."
            )

    async def _check_elsewhere(self, role: str, url: str) -> None:
        async with self._record.committing() as connection:
            live = (await moves.live_engines(connection)).get(role)
        if place_of(role, await self._places.url(role, str(live.id) if live else "")) == place_of(role, url):
            raise ConflictError(f"The {role} engine is {address_of(url)} already: there is nothing to move.", role=role)

    async def _missing(self, followed: Sequence[Subscription], to: Engine) -> list[tuple[Subscription, int]]:
        """Return which projections have nothing beside yet, and the number that what is built for them gets."""
        names = [one.projection.name for one in followed]
        live = {one.projection: one for one in await generations.generations(self._record, names, ("live",))}
        for one in followed:
            version = live[one.projection.name].version if one.projection.name in live else None
            if version != one.projection.version:
                raise ConflictError(
                    f"{one.projection.name} {'was never built' if version is None else 'is being built by newer code'}: let "
                    "'entrepot project' bring it up to date first.",
                    projection=one.projection.name,
                )
        async with self._record.committing() as connection:
            there, numbers = await moves.beside(connection, to.id), await moves.next_generations(connection, names)
        return [(one, numbers[one.projection.name]) for one in followed if one.projection.name not in there]

    async def _make_room(self, url: str, to: Engine, missing: Sequence[tuple[Subscription, int]]) -> None:
        """Connect to the new engine and make what will be filled; what is wrong is told, and what was made is taken away."""
        store, made = driver(to.role, url), list[Target]()
        try:
            await store.open()
            for one, number in missing:
                target = Target(one.projection.name, number, one.projection.shape, str(to.id))
                await self._make(store, target, 1 if product(to.role, url).one_writer else self._settings.shards)
                made.append(target)
        except EntrepotError as error:
            for target in made:
                with suppress(EntrepotError):
                    await store.drop(target)
            raise BadInputError(f"Nothing was moved to {to.address}: {error}", role=to.role) from error
        finally:
            with suppress(EntrepotError):
                await store.close()

    async def _make(self, store: Store, target: Target, shards: int) -> None:
        await store.create(target)
        for shard in range(shards):
            if await store.position(target, Slot(self._cell, shard, shards)) != START:
                raise ConflictError(
                    f"{target.name} is there already, filled by somebody: remove it, or name a place of this house alone."
                )

    async def _note(self, tx: Transaction, action: str, id_: str, why: str) -> None:
        await note_in(
            tx,
            Entry(
                id=tx.ids.fresh(),
                at=tx.clock.tick(),
                kind="command",
                actor=self._by,
                action=action,
                object=f"move/{id_}",
                why=why,
            ),
        )
