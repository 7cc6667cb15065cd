"""An observed-remove map of counters: what may be changed in two places at once, and merges without asking anybody.

Every addition is a *dot*: a replica, the number of its addition, and the amount. A key counts the sum of its living dots. To
remove a key is to drop the dots that were seen; an addition that the remover had not seen lives on, with its own amount and
no more. ``seen`` says which dots a map knows of, living or dropped, so that nothing is kept of what is gone (no tombstones).

``merge`` is a join of a semilattice: commutative, associative, idempotent. Whoever has received the same changes, in whatever
order and however often, has the same map. It asks three things: states are merged whole; one replica is written by one
writer at a time; a replica that has lost what it told others (a restored backup) goes on under another name.

Sources: Shapiro, Preguiça, Baquero, Zawirski, "A comprehensive study of convergent and commutative replicated data types"
(INRIA RR-7506, 2011); Bieniusa et al., "An optimized conflict-free replicated set" (INRIA RR-8083, 2012: version vector
instead of tombstones); Baquero, Almeida, Lerche, "The problem with embedded CRDT counters and a solution" (PaPoC 2016: why a
dot holds one addition, not a replica's running sum); Almeida, Shoker, Baquero, "Delta state replicated data types" (2018).
"""

from collections.abc import Iterable, Mapping

from msgspec import Struct

from entrepot.base.limits import DOTS_PER_KEY_MAX

Seen = Mapping[str, int]


class Dot(Struct, frozen=True, array_like=True, order=True):
    """One addition: which replica made it, as its how manieth, and how much was added."""

    replica: str
    number: int
    amount: int


class OrMap(Struct, frozen=True):
    """Counters by key; ``seen`` is how many dots of each replica it knows of, ``dots`` holds those that live."""

    seen: Mapping[str, int] = {}
    dots: Mapping[str, tuple[Dot, ...]] = {}

    def counts(self) -> dict[str, int]:
        """Return what each key that is there counts."""
        return {key: sum(dot.amount for dot in dots) for key, dots in self.dots.items()}


def add(to: OrMap, replica: str, key: str, amount: int) -> OrMap:
    """Return the map after this replica has added to a key; a key that was not there comes into being.

    A replica's dots of one key become one when they are too many. A removal elsewhere that had seen only some of them then
    takes away none of them: rather a piece too many than one that was wanted and is lost.
    """
    number = to.seen.get(replica, 0) + 1
    kept = to.dots.get(key, ())
    own = [dot for dot in kept if dot.replica == replica]
    if len(own) >= DOTS_PER_KEY_MAX:
        kept = tuple(dot for dot in kept if dot.replica != replica)
        amount += sum(dot.amount for dot in own)
    dots = _sorted((*kept, Dot(replica, number, amount)))
    return OrMap({**to.seen, replica: number}, {**to.dots, key: dots})


def remove(of: OrMap, key: str, seen: Seen | None = None) -> OrMap:
    """Return the map without the key, or, given what the remover had seen, without just that much of it."""
    known = of.seen if seen is None else seen
    left = tuple(dot for dot in of.dots.get(key, ()) if dot.number > known.get(dot.replica, 0))
    dots = {name: left if name == key else its for name, its in of.dots.items()}
    return OrMap(of.seen, {name: its for name, its in dots.items() if its})


def replace(of: OrMap, replica: str, key: str, amount: int, seen: Seen | None = None) -> OrMap:
    """Return the map in which the key counts this much instead of what was seen of it; what was not seen comes on top."""
    left = remove(of, key, seen)
    in_place = {name: left.dots.get(name, ()) for name in of.dots if name in left.dots or name == key}
    return add(OrMap(left.seen, in_place), replica, key, amount)


def merge(first: OrMap, second: OrMap) -> OrMap:
    """Return the map that knows what both know: a dot lives if both have it, or if one has it and the other never saw it."""
    dots = {}
    for key in dict.fromkeys((*first.dots, *second.dots)):
        ours, theirs = first.dots.get(key, ()), second.dots.get(key, ())
        living = {dot for dot in ours if dot in theirs or dot.number > second.seen.get(dot.replica, 0)}
        living |= {dot for dot in theirs if dot in ours or dot.number > first.seen.get(dot.replica, 0)}
        if living:
            dots[key] = _sorted(living)
    return OrMap(merge_seen(first.seen, second.seen), dots)


def merge_seen(first: Seen, second: Seen) -> dict[str, int]:
    """Return what has been seen by either."""
    return {replica: max(first.get(replica, 0), second.get(replica, 0)) for replica in {**first, **second}}


def _sorted(dots: Iterable[Dot]) -> tuple[Dot, ...]:
    return tuple(sorted(dots))
