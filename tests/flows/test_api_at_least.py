"""A reader who names a position is answered at least that fresh, even when nobody keeps the projections up."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from entrepot.api import parts
from tests.flows.conftest import filled_house
from tests.flows.test_api_flow import DRAFT, key
from tests.house import House


@pytest.fixture(scope="module")
async def still_house(record_url: str, objects_url: str, engines_home: Path) -> AsyncIterator[House]:
    """Return a house whose projections no longer follow the log."""
    async with filled_house(record_url, objects_url, engines_home) as house:
        house.keeping_up.cancel()
        await asyncio.gather(house.keeping_up, return_exceptions=True)
        yield house


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "AT_LEAST_SECONDS_MAX", 0.2)


async def test_a_product_that_no_projection_knows_yet_is_read_from_the_truth(still_house: House) -> None:
    made = await still_house.client.post("/v1/products", json=DRAFT)
    fresh = {"Entrepot-At-Least": made.headers["Entrepot-Position"]}
    page = await still_house.client.get(made.headers["Location"], headers=fresh)
    assert (page.status_code, page.json()["texts"]["en"]["title"]) == (200, "Storm lantern")
    listed = await still_house.client.get(f"/v1/products?ids={made.json()['id']}", headers=fresh)
    assert listed.json()["items"] == [page.json()]


async def test_stock_that_no_projection_knows_yet_is_read_from_the_truth(still_house: House) -> None:
    receipt = {"warehouse": "main", "lines": [{"sku": "MUG-ALDER-RED", "quantity": 7}]}
    before = (await still_house.client.get("/v1/stock/MUG-ALDER-RED")).json()["warehouses"]["main"]
    received = await still_house.client.post("/v1/stock/receipts", json=receipt, headers=key())
    fresh = {"Entrepot-At-Least": received.headers["Entrepot-Position"]}
    after = (await still_house.client.get("/v1/stock/MUG-ALDER-RED", headers=fresh)).json()["warehouses"]["main"]
    assert after == before + 7


async def test_a_page_from_the_truth_is_the_one_that_the_projection_gives(still_house: House) -> None:
    known = (await still_house.client.get("/v1/products?limit=5")).json()["items"]
    made = await still_house.client.post("/v1/categories", json={"code": "brand-new", "names": {"en": "Brand new"}})
    fresh = {"Entrepot-At-Least": made.headers["Entrepot-Position"]}
    from_truth = [(await still_house.client.get(f"/v1/products/{page['id']}", headers=fresh)).json() for page in known]
    assert len(known) == 5
    assert from_truth == known


async def test_a_position_that_was_never_given_is_503_and_not_a_guess(still_house: House) -> None:
    answer = await still_house.client.get("/v1/stock/MUG-ALDER-RED", headers={"Entrepot-At-Least": "1.999999999.1"})
    assert (answer.status_code, answer.json()["type"]) == (503, "/problems/not-there-yet")
