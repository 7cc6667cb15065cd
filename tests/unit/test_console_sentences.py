"""What the console says when something is wrong: what, since when, what it means, what to do; and how it says numbers."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from msgspec import structs

from entrepot.api.pulse import Lane, Snapshot
from entrepot.commerce.aftersale.query import Moment
from entrepot.commerce.fulfilment.events import ShipmentLine
from entrepot.commerce.fulfilment.query import ShipmentDetail
from entrepot.console import diagnosis, narrowing
from entrepot.console.cards import why_declined
from entrepot.console.moments import Step, parcels, shown
from entrepot.console.render import amount, lag, span
from entrepot.log.status import Verified
from entrepot.projections.product_search.facets import Facet, Value

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
WELL = Lane(
    name="product_search",
    role="search",
    generation=1,
    state="following",
    passed=100,
    lag_events=0,
    lag_seconds=0.0,
    events_per_second=0.0,
    items=10,
    quarantined=0,
    error=None,
    since=NOW - timedelta(minutes=3),
    building=None,
    verified=None,
    lags=[],
)


def snapshot(*lanes: Lane, engines: dict[str, str] | None = None) -> Snapshot:
    return Snapshot(
        at=NOW, head=100, events_per_second=0.0, orders_per_second=0.0, lanes=list(lanes), engines=engines or {}, arrivals=[],
        latency_p50=0.0, latency_p99=0.0, requests_per_second=0.0, errors=0, rates=[], today=[],
    )  # fmt: skip


def test_a_house_where_all_is_well_says_nothing() -> None:
    assert diagnosis.notes(snapshot(WELL, engines={"search": ""})) == []


def test_a_lane_that_is_behind_says_how_far_and_when_it_will_be_there() -> None:
    behind = structs.replace(WELL, state="behind", lag_events=12_400, lag_seconds=40.0, events_per_second=3_100.0)
    (note,) = diagnosis.notes(snapshot(behind))
    assert note.what == "product search is 12,400 events, 40 s, behind the log."
    assert note.means == "Search may miss products changed since then."
    assert note.todo == "It takes 3,100 events/s and will be there in about 4 s: nothing to do but wait."


def test_a_lane_that_does_not_go_on_says_since_when_and_why() -> None:
    (note,) = diagnosis.notes(snapshot(structs.replace(WELL, state="failing", error="The disk is full")))
    assert note.weight == "bad"
    assert note.what == "product search has not gone on for 3 min: The disk is full."


def test_an_engine_that_is_away_says_what_people_miss() -> None:
    (note,) = diagnosis.notes(snapshot(WELL, engines={"memory": "It refuses."}))
    assert note.what == "The memory engine does not answer."
    assert "orders are still decided on the true stock" in note.means


def test_the_worst_is_said_first() -> None:
    parked = structs.replace(WELL, quarantined=2)
    differs = structs.replace(WELL, verified=Verified(1, NOW, 10, 3, 0, 0.1))
    assert [note.weight for note in diagnosis.notes(snapshot(parked, differs))] == ["bad", "warning"]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.0, "0 ms"), (0.25, "250 ms"), (40.0, "40 s"), (300.0, "5 min"), (7_200.0, "2 h"), (864_000.0, "10 days")],
)
def test_a_length_of_time_is_said_in_its_largest_unit(seconds: float, text: str) -> None:
    assert span(seconds) == text


def test_lag_is_said_in_tenths_while_it_is_short_and_money_with_its_currency() -> None:
    assert (lag(0.04), lag(3.21), lag(75.0)) == ("0.0 s", "3.2 s", "75 s")
    assert (amount(123_456, "GBP"), amount(500, "JPY"), amount(1_500, "KWD")) == ("£1,234.56", "JP¥500", "KWD1.500")


def test_choosing_adds_to_the_address_and_choosing_again_takes_away() -> None:
    facet = Facet(field="brand", label="brand", kind="values", values=[Value(value="A&B", count=2), Value(value="C", count=1)])
    pairs = [("q", "mug"), ("brand", "C"), ("cursor", "9")]
    (group,) = narrowing.groups([facet], pairs, {}, "GBP")
    assert [(option.label, option.chosen) for option in group.options] == [("C", True), ("A&B", False)]
    assert group.options[0].href == "/search?q=mug"
    assert group.options[1].href == "/search?q=mug&brand=C&brand=A%26B"


def test_a_chip_says_what_is_chosen_as_people_say_it() -> None:
    category = UUID(int=7)
    pairs = [("q", "mug"), ("price", "500..1250"), ("category", str(category)), ("numbers.weight", "..2.5")]
    chips = narrowing.chips(pairs, {}, {category: "Kitchen"}, "GBP")
    assert [(chip.field, chip.label) for chip in chips] == [
        ("price", "£5.00 to £12.50"),
        ("category", "Kitchen"),
        ("weight", "below 2.5"),
    ]
    assert "price=" not in chips[0].href


@pytest.mark.parametrize(
    ("about", "what", "minor", "note", "words", "why"),
    [
        ("payment", "captured", 1_250, "", "Payment taken", "£12.50"),
        ("shipment", "shipped", None, "own AB 12", "Shipped", "own AB 12"),
        ("return", "refunded", 500, "changed_mind", "Return refunded", "£5.00, changed mind"),
        ("payment", "capture_failed", 500, "expired", "Payment capture failed", "£5.00, expired"),
    ],
)
def test_what_happened_is_said_as_people_say_it(
    about: str, what: str, minor: int | None, note: str, words: str, why: str
) -> None:
    moment = Moment(at=NOW, about=about, what=what, id=UUID(int=1), amount_minor=minor, note=note)
    assert shown(moment, "GBP") == Step(NOW, words, "bad" if what.endswith("failed") else "good", why)


def test_a_reason_that_is_not_known_is_never_repeated() -> None:
    assert why_declined("<b>call 0900</b>") == "The bank did not accept the payment."


@pytest.mark.parametrize(
    ("state", "under_way", "how_far"),
    [
        ("planned", False, ["Being prepared"]),
        ("shipped", False, ["Given to the carrier"]),
        ("shipped", True, ["Under way"]),
        ("delivered", True, ["Delivered"]),
        ("lost", True, ["Lost on its way"]),
        ("cancelled", False, []),
    ],
)
def test_a_buyer_reads_how_far_a_parcel_is(state: str, under_way: bool, how_far: list[str]) -> None:
    shipment = ShipmentDetail(
        id=UUID(int=1), order_id=UUID(int=2), warehouse="main", state=state, seller_id=None, carrier="own", tracking="EO1",
        planned_at=NOW, shipped_at=None, under_way_at=NOW if under_way else None, delivered_at=None,
        lines=[ShipmentLine(line=1, sku="tea", variant_id=UUID(int=3), quantity=2)],
    )  # fmt: skip
    found = parcels([shipment], {"tea": "Green tea"})
    assert [one.how_far for one in found] == how_far
    assert all((one.carrier, one.tracking, one.pieces) == ("our own vans", "EO1", [(2, "Green tea")]) for one in found)
