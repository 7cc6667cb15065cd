"""Moves of roles to other engines as the engine room shows them: how far, by whom, and with what proof."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec
from msgspec import Struct

from entrepot.api.parts import Parts
from entrepot.base.errors import EngineAwayError
from entrepot.base.limits import ASIDE_SECONDS_MAX
from entrepot.console.render import whole
from entrepot.log import moves
from entrepot.log.moves import Move
from entrepot.log.status import GenerationStatus, status


class Compared(Struct, frozen=True):
    """What of a verification's report a proof shows."""

    projection: str
    checked: int
    differs: int


class ShownMove(Struct, frozen=True, kw_only=True):
    """A move in words. ``shape`` stands for how it is; ``share`` of the log is in the new engine while that is built."""

    role: str
    from_address: str
    to_address: str
    shape: str
    state: str
    share: float | None
    proof: str
    by: str
    at: datetime
    spared: int = 0


def shown(move: Move, beside: Sequence[GenerationStatus], spared: int = 0) -> ShownMove:
    """Return a move as a person reads it, from what lies beside in its other engine; pure.

    ``spared`` is how many questions the old engine has answered of late in the place of the new one.
    """
    error = next((one.error for one in beside if one.error), None)
    total = sum(one.total for one in beside)
    done = sum(one.done for one in beside)
    shape, state = _state(move)
    if error:
        shape, state = "bad", f"{state}; what nobody reads does not go on: {error}"
    return ShownMove(
        role=move.role,
        from_address=move.from_address,
        to_address=move.to_address,
        shape=shape,
        state=state,
        share=(done / total if total else 1.0) if move.state == "building" and beside else None,
        proof=_proof(move),
        by=move.ended_by or move.switched_by or move.began_by,
        at=move.ended_at or move.switched_at or move.began_at,
        spared=spared,
    )


async def shown_moves(parts: Parts) -> tuple[list[ShownMove], Mapping[str, str]]:
    """Return the moves, and where the engines of moved roles are; nothing when the record does not answer."""
    roles = {name: one.projection.role for name, one in parts.subscriptions.items()}
    try:
        async with asyncio.timeout(ASIDE_SECONDS_MAX):
            async with parts.record.committing() as connection:
                found, engines = await moves.moves(connection), await moves.live_engines(connection)
            under_way = {one.role for one in found if one.state in moves.UNDER_WAY}
            names = [name for name, role in roles.items() if role in under_way]
            told = (await status(parts.record, names, [parts.cell], parts.clock)).projections if names else []
    except (EngineAwayError, TimeoutError):
        return [], {}
    beside = [(roles[one.projection], one.beside) for one in told if one.beside is not None]
    listed = [
        shown(
            move,
            [one for role, one in beside if role == move.role and move.state in moves.UNDER_WAY],
            await _spared(parts, move, [name for name, role in roles.items() if role == move.role]),
        )
        for move in found
    ]
    return listed, {role: f"{one.product} {one.address}" for role, one in engines.items()}


async def _spared(parts: Parts, move: Move, projections: Sequence[str]) -> int:
    """Return how many questions the engine that a move left has answered of late, in any process; 0 where nobody can say."""
    if move.state != "switched":
        return 0
    try:
        async with asyncio.timeout(ASIDE_SECONDS_MAX):
            return await parts.spared(projections)
    except (EngineAwayError, TimeoutError):
        return 0


def _state(move: Move) -> tuple[str, str]:
    if move.state == "switched":
        return "good", "read; the old engine is fed on until the move is finished"
    if move.state == "finished":
        return "good", "finished"
    if move.state == "given_up":
        return "idle", "given up"
    return (
        "warning",
        "switched back; the new engine is fed on" if move.switched_at else "being built; readers read the old engine",
    )


def _proof(move: Move) -> str:
    if move.proof is None:
        return ""
    reports = msgspec.json.decode(move.proof, type=list[Compared])
    return ", ".join(
        f"{one.projection.replace('_', ' ')}: {whole(one.checked)} items compared, "
        + (f"{whole(one.differs)} differ" if one.differs else "all equal")
        for one in reports
    )
