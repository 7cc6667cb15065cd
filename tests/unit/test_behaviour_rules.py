"""What of a batch is kept, in which form, and how the rest is refused."""

import json
from uuid import UUID, uuid4

import pytest

from entrepot.base.errors import BadInputError
from entrepot.base.ids import uuid7_at
from entrepot.behaviour import rules
from entrepot.behaviour.events import EVENTS_MAX, Behaviour
from entrepot.behaviour.reading import read
from entrepot.behaviour.table import SQL, TARGET, made_by
from entrepot.engines.columns.clickhouse_cluster import statements

NOW = 1_800_000_000_000
PRODUCT, MASK = uuid4(), b"mask"


def at(millis: int = NOW) -> UUID:
    """Return an id of a moment."""
    return uuid7_at(millis, uuid4().bytes)


def body(*events: dict[str, object], **more: object) -> bytes:
    """Return a batch as it is sent."""
    return json.dumps({"events": events, **more}, default=str).encode()


def test_one_bad_event_costs_its_neighbours_nothing_and_is_named() -> None:
    good: dict[str, object] = {"id": at(), "kind": "view", "product_id": PRODUCT}
    wrong = [{**good, "kind": "wink"}, {**good, "shoe_size": 44}, {**good, "words": "x" * 201}, {"kind": "view"}, 7]
    sent = read(body(good, *wrong, good))  # type: ignore[arg-type]  # a number is no event: that is the point
    assert [number for number, _ in sent.events] == [0, 6]
    named = ["wink", "shoe_size", "words", "`id`", "int"]
    assert [name in one.why for name, one in zip(named, sent.refused, strict=True)] == [True] * 5
    assert [one.event for one in sent.refused] == [1, 2, 3, 4, 5]


def test_an_event_by_itself_is_a_batch_of_one() -> None:
    sent = read(json.dumps({"id": str(at()), "kind": "page", "page": "home"}).encode())
    assert [(number, event.page) for number, event in sent.events] == [(0, "home")]


@pytest.mark.parametrize("sent", [b"", b"{", b'{"events": []}', b'{"events": 7}', b'{"events": [1], "who": 1}', b"\xff"])
def test_what_is_no_batch_at_all_is_refused_whole(sent: bytes) -> None:
    try:
        found = read(sent)
    except BadInputError:
        return
    assert not found.events
    assert found.refused


def test_a_batch_too_long_is_refused_with_what_is_taken() -> None:
    event: dict[str, object] = {"id": at(), "kind": "checkout"}
    with pytest.raises(BadInputError, match=str(EVENTS_MAX)):
        read(body(*[event] * (EVENTS_MAX + 1)))


@pytest.mark.parametrize(
    ("event", "why"),
    [
        (Behaviour(id=uuid4(), kind="checkout"), "no UUIDv7"),
        (Behaviour(id=at(NOW + rules.EARLY_MILLIS + 1_000), kind="checkout"), "ahead"),
        (Behaviour(id=at(NOW - rules.LATE_MILLIS - 1), kind="checkout"), "too late"),
        (Behaviour(id=at(), kind="search", words="mug"), "needs results"),
        (Behaviour(id=at(), kind="cart"), "needs product_id"),
        (Behaviour(id=at(), kind="page"), "needs page"),
        (Behaviour(id=at(), kind="search", results=0), ""),
    ],
)
def test_an_event_that_says_too_little_or_comes_from_another_time_is_refused(event: Behaviour, why: str) -> None:
    found = rules.why_not(event, NOW)
    assert why in found
    assert bool(why) == bool(found)


def test_without_consent_neither_moment_nor_order_nor_person_is_kept() -> None:
    event = Behaviour(id=at(NOW + 123), kind="order", order_id=uuid4(), product_id=PRODUCT)
    nameless, known = rules.row(event, "", MASK), rules.row(event, "a" * 32, MASK)
    assert (nameless.who, nameless.order_id, nameless.product_id) == ("", None, PRODUCT)
    assert nameless.id.int >> 80 == NOW // rules.HOUR_MILLIS * rules.HOUR_MILLIS
    assert nameless.id == rules.row(event, "", MASK).id != rules.row(event, "", b"another").id  # sent twice, counted once
    assert nameless.id.bytes[8:] != event.id.bytes[8:]
    assert (known.id, known.order_id) == (event.id, event.order_id)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("  Blue  MUG ", "blue mug"),
        ("ada@example.org", ""),
        ("call +44 20 7946 0958", ""),
        ("4111 1111 1111 1111", ""),
        ("iphone 15 128", "iphone 15 128"),
    ],
)
def test_words_that_may_name_somebody_are_not_kept(typed: str, kept: str) -> None:
    assert rules.searched_for(typed) == kept


def test_on_a_cluster_the_table_is_replicated_spread_by_id_and_aged_and_cleared_where_its_rows_lie() -> None:
    told = [one for sql in [*made_by(30), SQL["forget"], SQL["purge"]] for one in statements(sql, TARGET.name, "eu")]
    local = f"`{TARGET.name}_local` ON CLUSTER 'eu'"
    assert [local in one for one in told] == [True, False, True, True, True]
    assert "ENGINE = ReplicatedReplacingMergeTree" in told[0]
    assert told[1].endswith("cityHash64(id))")
    assert "INTERVAL 30 DAY" in told[2]
