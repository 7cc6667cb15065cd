"""State machines as data: a room's rules ask one, and the documents draw it, so that both always agree."""

from collections.abc import Mapping

from entrepot.base.errors import ConflictError


class Machine:
    """What a thing of one kind may become: ``moves`` maps each state to those that may follow, the beginning first."""

    def __init__(self, thing: str, moves: Mapping[str, tuple[str, ...]]) -> None:
        unknown = {to for following in moves.values() for to in following} - moves.keys()
        if unknown:
            raise ValueError(f"The machine of {thing} names {sorted(unknown)} without saying what may follow: add them.")
        self.thing, self.moves = thing, moves

    @property
    def states(self) -> tuple[str, ...]:
        """Every state, the beginning first."""
        return tuple(self.moves)

    def allows(self, state: str, to: str) -> bool:
        """Say whether the thing may go from one state to another."""
        return to in self.moves[state]

    def check(self, name: object, state: str, to: str) -> None:
        """Refuse a move that may not be; ``name`` is the thing's id, for the sentence."""
        if not self.allows(state, to):
            after = ", ".join(self.moves[state]) or "nothing: that is its end"
            raise ConflictError(
                f"The {self.thing} {name} is {state} and cannot become {to}; it may become {after}.",
                id=str(name),
                state=state,
                wanted=to,
            )

    def drawing(self) -> str:
        """Return the machine as a Mermaid state diagram."""
        lines = ["stateDiagram-v2", f"    [*] --> {self.states[0]}"]
        lines += [f"    {state} --> {to}" for state, following in self.moves.items() for to in following]
        lines += [f"    {state} --> [*]" for state, following in self.moves.items() if not following]
        return "\n".join(lines)
