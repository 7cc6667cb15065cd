"""The observed-remove map of counters: its merge is a join, and what is seen of it follows from who had seen what."""

from collections import defaultdict

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct

from entrepot.base.limits import DOTS_PER_KEY_MAX
from entrepot.base.ormap import OrMap, add, merge, remove, replace

REPLICAS, KEYS = ("a", "b", "c"), ("mug", "tray")


class Step(Struct, frozen=True):
    """One thing that happens to one replica: a change of its own, or the receipt of another's state."""

    replica: str
    what: str
    key: str
    amount: int
    other: str


STEPS = st.lists(
    st.builds(
        Step,
        replica=st.sampled_from(REPLICAS),
        what=st.sampled_from(["add", "remove", "replace", "receive"]),
        key=st.sampled_from(KEYS),
        amount=st.integers(1, 9),
        other=st.sampled_from(REPLICAS),
    ),
    max_size=12,
)


def happen(steps: list[Step]) -> dict[str, OrMap]:
    """Return what each replica then holds."""
    maps = dict.fromkeys(REPLICAS, OrMap())
    for step in steps:
        own = maps[step.replica]
        maps[step.replica] = {
            "add": lambda own=own, step=step: add(own, step.replica, step.key, step.amount),
            "remove": lambda own=own, step=step: remove(own, step.key),
            "replace": lambda own=own, step=step: replace(own, step.replica, step.key, step.amount),
            "receive": lambda own=own, step=step: merge(own, maps[step.other]),
        }[step.what]()
    return maps


def counted(steps: list[Step]) -> dict[str, int]:
    """Return what must be counted in the end, by a slower way: the additions that nobody has removed after seeing them."""
    known: dict[str, set[int]] = {replica: set() for replica in REPLICAS}
    gone: dict[str, set[int]] = {replica: set() for replica in REPLICAS}
    for number, step in enumerate(steps):
        here, left = known[step.replica], gone[step.replica]
        if step.what == "receive":
            here |= known[step.other]
            left |= gone[step.other]
        if step.what in {"remove", "replace"}:
            left |= {seen for seen in here if steps[seen].key == step.key}
        if step.what in {"add", "replace"}:
            here.add(number)
    sums: dict[str, int] = defaultdict(int)
    removed = set[int]().union(*gone.values())
    for number in set[int]().union(*known.values()) - removed:
        sums[steps[number].key] += steps[number].amount
    return dict(sums)


@given(STEPS)
def test_merging_is_commutative_associative_and_idempotent(steps: list[Step]) -> None:
    a, b, c = happen(steps).values()
    assert merge(a, b) == merge(b, a)
    assert merge(a, merge(b, c)) == merge(merge(a, b), c)
    assert merge(a, a) == a
    assert merge(merge(a, b), b) == merge(a, b)


@given(STEPS)
def test_what_counts_is_each_addition_that_nobody_removed_after_seeing_it(steps: list[Step]) -> None:
    a, b, c = happen(steps).values()
    assert merge(a, merge(b, c)).counts() == counted(steps)


@given(STEPS, st.lists(st.sampled_from(REPLICAS), min_size=3))
def test_replicas_agree_in_whatever_order_and_however_often_they_hear_of_each_other(
    steps: list[Step], heard: list[str]
) -> None:
    maps = happen(steps)
    one = maps["a"]
    for name in (*heard, "c", "b", *heard):
        one = merge(one, maps[name])
    assert one == merge(maps["b"], merge(maps["a"], maps["c"]))


def test_an_addition_that_the_remover_had_not_seen_lives_on_with_its_own_amount_only() -> None:
    both = add(OrMap(), "a", "mug", 5)
    more, none = add(both, "a", "mug", 1), remove(both, "mug")
    assert merge(more, none).counts() == {"mug": 1}


def test_what_was_replaced_unseen_comes_on_top() -> None:
    before = add(OrMap(), "a", "mug", 2)
    after = add(before, "a", "mug", 3)
    assert replace(after, "a", "mug", 1, before.seen).counts() == {"mug": 4}
    assert remove(after, "mug", before.seen).counts() == {"mug": 3}
    assert replace(after, "a", "mug", 1).counts() == {"mug": 1}


def test_a_replaced_key_keeps_its_place_and_a_removed_one_leaves_nothing() -> None:
    three = add(add(add(OrMap(), "a", "mug", 1), "a", "tray", 1), "a", "pot", 1)
    assert list(replace(three, "a", "tray", 7).counts()) == ["mug", "tray", "pot"]
    assert remove(three, "tray").dots.keys() == {"mug", "pot"}


def test_dots_of_one_key_are_bounded_and_lose_no_piece() -> None:
    held = OrMap()
    for _ in range(5 * DOTS_PER_KEY_MAX):
        held = add(held, "a", "mug", 1)
    assert held.counts() == {"mug": 5 * DOTS_PER_KEY_MAX}
    assert len(held.dots["mug"]) <= DOTS_PER_KEY_MAX


@given(STEPS)
def test_a_map_survives_being_written_down(steps: list[Step]) -> None:
    for held in happen(steps).values():
        assert msgspec.json.decode(msgspec.json.encode(held), type=OrMap) == held
