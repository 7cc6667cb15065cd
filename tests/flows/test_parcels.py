"""Shipments that a carrier takes: booked once, followed by the job, given up where they were never sent."""

from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

import pytest
from msgspec import Struct

from entrepot.base.errors import BadInputError, ConflictError
from entrepot.base.limits import PARCEL_PATIENCE_SECONDS
from entrepot.base.time import FixedClock, SystemClock
from entrepot.commerce.aftersale import carrying, commands
from entrepot.commerce.aftersale.query import returns
from entrepot.commerce.catalog.commands import set_selling_terms
from entrepot.commerce.catalog.rules import SellingTerms
from entrepot.commerce.fulfilment import query
from entrepot.commerce.fulfilment.parcels import ParcelRefusedError
from entrepot.commerce.fulfilment.query import ShipmentDetail
from entrepot.partners.carrier.own import OwnCarrier
from entrepot.partners.carrier.port import Booked, CarrierAwayError, Consignment, NotTaken
from tests.flows.test_aftersale import Shop, shop
from tests.trade import CELL

__all__ = ["shop"]  # the fixture


class Vans(Struct, frozen=True):
    """A shop whose shipments our own vans take, on files of the test's own."""

    shop: Shop
    own: OwnCarrier
    folder: Path

    async def planned(self, sku: str = "tea") -> UUID:
        """Buy something, and return the shipment that is planned for it."""
        [shipment] = await self.shop.shipments(await self.shop.buy({sku: 1}))
        return shipment.id

    async def send(self, shipment_id: UUID) -> None:
        """Have a shipment taken, and send it."""
        parcel = await carrying.book(self.shop.record, {"own": self.own}, CELL, shipment_id, "own", "test")
        async with self.shop.record.transaction(CELL) as tx:
            await carrying.send(tx, parcel)

    async def follow(self, seconds: float = 0.0) -> int:
        """Let the job look, so many seconds from now."""
        clock = FixedClock(SystemClock().millis() + int(seconds * 1000))
        return await carrying.follow_parcels(self.shop.record, {"own": self.own}, CELL, clock)

    async def read(self, shipment_id: UUID) -> ShipmentDetail:
        async with self.shop.record.reading() as connection:
            found = await query.shipment(connection, CELL, shipment_id)
        assert found is not None
        return found

    async def told(self, shipment_id: UUID) -> list[str]:
        """Return what the log tells of a shipment's parcel."""
        async with self.shop.record.committing() as connection:
            rows = await connection.fetch(
                "SELECT body->>'state' AS state FROM log.event WHERE key = $1 ORDER BY version", f"parcel/{shipment_id}"
            )
        return [row["state"] for row in rows]

    def files(self) -> Sequence[Path]:
        return list(self.folder.iterdir()) if self.folder.exists() else []


class Crashing(OwnCarrier):
    """Our own vans, whose answer is lost on its way back."""

    async def book(self, parcel: Consignment) -> Booked | NotTaken:
        await super().book(parcel)
        raise CarrierAwayError(self.name, "the line was cut")


@pytest.fixture
def vans(shop: Shop, tmp_path: Path) -> Vans:
    return Vans(shop, OwnCarrier(tmp_path / "parcels", SystemClock()), tmp_path / "parcels")


async def test_a_booked_shipment_goes_and_arrives_as_its_carrier_says(vans: Vans) -> None:
    shipment_id = await vans.planned()
    await vans.send(shipment_id)
    sent = await vans.read(shipment_id)
    assert (sent.state, sent.carrier, sent.under_way_at) == ("shipped", "own", None)
    assert (await vans.shop.paid(sent.order_id)).captured_minor == 0  # asked for, not yet of the gateway
    assert await vans.follow() == 0
    await vans.own.note(sent.tracking, "under_way")
    assert (await vans.follow(), (await vans.read(shipment_id)).under_way_at is not None) == (1, True)
    await vans.own.note(sent.tracking, "delivered")
    assert (await vans.follow(), await vans.follow()) == (1, 0)
    assert ((await vans.read(shipment_id)).state, await vans.shop.state(sent.order_id)) == ("delivered", "delivered")
    assert await vans.told(shipment_id) == ["asked", "booked", "under_way", "delivered"]


async def test_a_parcel_that_is_lost_opens_a_return(vans: Vans) -> None:
    shipment_id = await vans.planned()
    await vans.send(shipment_id)
    sent = await vans.read(shipment_id)
    await vans.own.note(sent.tracking, "lost")
    assert await vans.follow() == 1
    async with vans.shop.record.reading() as connection:
        [case] = await returns(connection, CELL, None, "", sent.order_id, 5)
    assert ((await vans.read(shipment_id)).state, case.reason) == ("lost", "lost")


async def test_a_booking_whose_answer_was_lost_is_the_same_parcel_when_it_is_asked_again(vans: Vans) -> None:
    shipment_id = await vans.planned()
    for _ in range(2):
        with pytest.raises(CarrierAwayError, match="send the shipment without booking"):
            await carrying.book(
                vans.shop.record, {"own": Crashing(vans.folder, SystemClock())}, CELL, shipment_id, "own", "test"
            )
    await vans.send(shipment_id)
    assert [path.stem for path in vans.files()] == [(await vans.read(shipment_id)).tracking]


async def test_a_crash_before_the_shipment_is_sent_leaves_one_parcel_and_it_is_sent_by_the_next_try(vans: Vans) -> None:
    shipment_id = await vans.planned()
    first = await carrying.book(vans.shop.record, {"own": vans.own}, CELL, shipment_id, "own", "test")
    again = await carrying.book(vans.shop.record, {"own": vans.own}, CELL, shipment_id, "own", "test")
    assert (first, len(vans.files()), (await vans.read(shipment_id)).state) == (again, 1, "planned")
    await vans.send(shipment_id)
    with pytest.raises(ConflictError, match="booked or given up in the meantime"):
        async with vans.shop.record.transaction(CELL) as tx:
            await carrying.send(tx, first)


async def test_a_shipment_sent_by_hand_while_its_carrier_was_away_gives_the_booking_up(vans: Vans) -> None:
    shipment_id = await vans.planned()
    away = {"own": Crashing(vans.folder, SystemClock())}
    with pytest.raises(CarrierAwayError):
        await carrying.book(vans.shop.record, away, CELL, shipment_id, "own", "test")
    async with vans.shop.record.transaction(CELL) as tx:
        await commands.ship(tx, shipment_id, "post", "RR1")
    assert await vans.follow(PARCEL_PATIENCE_SECONDS / 2) == 0
    assert await vans.follow(PARCEL_PATIENCE_SECONDS + 5) == 1
    assert await vans.told(shipment_id) == ["asked", "given_up"]
    assert b"given_up" in vans.files()[0].read_bytes()
    assert (await vans.read(shipment_id)).carrier == "post"


async def test_what_was_given_up_can_be_booked_anew(vans: Vans) -> None:
    shipment_id = await vans.planned()
    late = await carrying.book(vans.shop.record, {"own": vans.own}, CELL, shipment_id, "own", "test")
    await vans.follow(PARCEL_PATIENCE_SECONDS + 5)
    with pytest.raises(ConflictError, match="given up in the meantime"):
        async with vans.shop.record.transaction(CELL) as tx:
            await carrying.send(tx, late)
    await vans.send(shipment_id)
    assert (await vans.told(shipment_id), len(vans.files())) == (["asked", "given_up", "asked", "booked"], 2)


async def test_what_a_carrier_does_not_take_is_refused_and_sent_by_hand(vans: Vans) -> None:
    async with vans.shop.record.transaction(CELL) as tx:
        await set_selling_terms(tx, [SellingTerms(sku="cup", weight_grams=40_000)])
    shipment_id = await vans.planned("cup")
    with pytest.raises(ParcelRefusedError, match="it weighs 40000 g, and one of ours may weigh 31500 g"):
        await vans.send(shipment_id)
    async with vans.shop.record.transaction(CELL) as tx:
        await commands.ship(tx, shipment_id, "post", "RR1")
    assert (await vans.told(shipment_id), vans.files()) == (["asked", "refused"], [])


async def test_a_carrier_that_nobody_knows_or_a_shipment_that_has_left_is_refused_before_anything_is_booked(vans: Vans) -> None:
    shipment_id = await vans.planned()
    with pytest.raises(BadInputError, match="'moon' cannot be booked from here: own can"):
        await carrying.book(vans.shop.record, {"own": vans.own}, CELL, shipment_id, "moon", "test")
    async with vans.shop.record.transaction(CELL) as tx:
        await commands.ship(tx, shipment_id, "post", "RR1")
    with pytest.raises(ConflictError, match="is shipped and cannot become shipped"):
        await vans.send(shipment_id)
    assert vans.files() == []


async def test_people_who_said_so_first_are_not_contradicted(vans: Vans) -> None:
    shipment_id = await vans.planned()
    await vans.send(shipment_id)
    async with vans.shop.record.transaction(CELL) as tx:
        await commands.deliver(tx, shipment_id)
    await vans.own.note((await vans.read(shipment_id)).tracking, "lost")
    assert (await vans.follow(), (await vans.read(shipment_id)).state) == (1, "delivered")
