"""What is wrong in the house, said in sentences: what, since when, what it means for users, what to do. Pure."""

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from entrepot.api import degraded
from entrepot.api.pulse import Lane, Snapshot
from entrepot.console.render import lag, span, whole

LAG_SECONDS_BAD = 60.0

# What people notice when a projection is behind or its engine is away.
_MEANS = {
    "product_page": "Product pages may show texts and prices from before.",
    "product_search": "Search may miss products changed since then.",
    "sales_facts": "Sales figures leave out what was sold since then.",
    "bought_together": "Suggestions of what is bought together are a little old.",
    "live_stock": "Stock shown may be old; orders are still decided on the true stock.",
}
_AWAY = {
    "objects": "The log cannot be archived; nothing else notices.",
    "series": f"{degraded.SERIES} Nothing else notices.",
}


class Note(Struct, frozen=True, kw_only=True):
    """One thing that is wrong. ``weight``: warning, bad."""

    weight: str
    what: str
    means: str
    todo: str


def notes(seen: Snapshot) -> list[Note]:
    """Return what is wrong in the house, the worst first; nothing when all is well."""
    found = [
        Note(
            weight="bad",
            what=f"The {role} engine does not answer.",
            means=_AWAY.get(role) or degraded.meaning(role),
            todo=f"{sentence} It is asked again every few seconds; entrepot status says more.",
        )
        for role, sentence in seen.engines.items()
        if sentence
    ]
    if seen.record:
        found.append(
            Note(
                weight="bad",
                what="The record cannot be looked at.",
                means=f"{degraded.meaning('record')} The figures below are the last that were seen.",
                todo=seen.record,
            )
        )
    for lane in seen.lanes:
        found += of_lane(lane, seen.at)
    return sorted(found, key=lambda note: note.weight != "bad")


def of_lane(lane: Lane, now: datetime) -> list[Note]:
    """Return what is wrong with one projection."""
    name = lane.name.replace("_", " ")
    found = _of_state(lane, name, now)
    if lane.quarantined:
        found.append(
            Note(
                weight="warning",
                what=f"{name} has set aside {whole(lane.quarantined)} {'event' if lane.quarantined == 1 else 'events'}.",
                means="Only the keys they are about are held back.",
                todo="Open the lane, read the error, mend its cause and try them again.",
            )
        )
    if lane.verified and lane.verified.differs:
        found.append(
            Note(
                weight="bad",
                what=f"{name} differs from the truth in {whole(lane.verified.differs)} keys.",
                means="Someone or something changed it behind the log's back.",
                todo=f"Run entrepot verify {lane.name} --repair, or rebuild it here.",
            )
        )
    return found


def _of_state(lane: Lane, name: str, now: datetime) -> list[Note]:
    means = _MEANS.get(lane.name, "")
    if lane.state == "failing":
        lasting = span((now - lane.since).total_seconds()) if lane.since else "a while"
        todo = "It is tried again by itself and nothing is lost: the log keeps what it has not read. Look at its engine"
        return [
            Note(
                weight="bad",
                what=f"{name} has not gone on for {lasting}: {lane.error.rstrip('.') if lane.error else 'no reason is known'}.",
                means=means,
                todo=todo,
            )
        ]
    if lane.state == "waiting":
        todo = "No projector runs, or it has just started: see that one does."
        return [Note(weight="warning", what=f"{name} has not begun.", means=means, todo=todo)]
    if lane.state == "behind":
        rate = lane.events_per_second
        todo = "It takes nothing: see that a projector runs."
        if rate > 1:
            left = f" and will be there in about {span(lane.lag_events / rate)}"
            todo = f"It takes {whole(round(rate))} events/s{left}: nothing to do but wait."
        return [
            Note(
                weight="bad" if lane.lag_seconds > LAG_SECONDS_BAD and rate <= 1 else "warning",
                what=f"{name} is {whole(lane.lag_events)} events, {lag(lane.lag_seconds)}, behind the log.",
                means=means,
                todo=todo,
            )
        ]
    return []


def word(lane: Lane) -> str:
    """Return a lane's state as a person says it."""
    return {"following": "up to date", "behind": "catching up", "failing": "not going on", "waiting": "not begun"}[lane.state]


def shape(lane: Lane) -> str:
    """Return a lane's state as the shape that stands for it."""
    return {"following": "good", "behind": "warning", "failing": "bad", "waiting": "idle"}[lane.state]


def house(seen: Snapshot) -> str:
    """Return the shape that stands for the whole house."""
    weights: Sequence[str] = [note.weight for note in notes(seen)]
    return "bad" if "bad" in weights else "warning" if weights else "good"
