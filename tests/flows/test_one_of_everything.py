"""In a house with one of everything: examples are what the code returns, and a read of personal data says whose it told."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest

from entrepot.api.personal import PERSONAL
from entrepot.commerce.approval import commands as approvals
from entrepot.commerce.approval.rules import Deed
from tests.flows.conftest import filled_house
from tests.house import House
from tests.people import bearer
from tests.replaying import replay
from tests.told import told_of

OK = 200

# Where the ids come from that addresses name: one of each kind that there is, the newest.
FOUND = {
    "checkout_id": "SELECT id FROM checkout.checkout ORDER BY id DESC LIMIT 1",
    "company_id": "SELECT company_id FROM business.purchase ORDER BY id DESC LIMIT 1",
    "note_id": "SELECT id FROM business.credit_note ORDER BY id DESC LIMIT 1",
    "customer_id": "SELECT customer_id FROM payment.method ORDER BY id DESC LIMIT 1",
    "invoice_id": "SELECT id FROM business.invoice ORDER BY id DESC LIMIT 1",
    "negotiation_id": "SELECT id FROM business.negotiation ORDER BY id DESC LIMIT 1",
    "order_id": "SELECT order_id FROM marketplace.seller_order ORDER BY order_id DESC LIMIT 1",
    "seller_id": "SELECT seller_id FROM marketplace.seller_order ORDER BY order_id DESC LIMIT 1",
    "payment_id": "SELECT id FROM payment.payment ORDER BY id DESC LIMIT 1",
    "purchase_id": "SELECT id FROM business.purchase ORDER BY id DESC LIMIT 1",
    "return_id": "SELECT id FROM aftersale.return_case ORDER BY id DESC LIMIT 1",
    "shipment_id": "SELECT id FROM fulfilment.shipment ORDER BY id DESC LIMIT 1",
    "subscription_id": "SELECT id FROM subscription.subscription ORDER BY id DESC LIMIT 1",
    "approval_id": "SELECT id FROM approval.request ORDER BY id DESC LIMIT 1",
    "endpoint_id": "SELECT id FROM webhook.endpoint ORDER BY id DESC LIMIT 1",
}


# What is told there is nobody's: firms and their money, letters to machines; and a page of events ends before they are told.
NOBODYS = {
    *("/office/companies", "/office/webhooks/{endpoint_id}", "/v1/companies", "/v1/companies/{company_id}", "/v1/receipts"),
    "/office/privacy",  # a list of which there are none here
    *("/office/disputes", "/office/invoices", "/office/payments"),  # by their order's number, of which there is none here
    "/v1/disputes",  # over payments beside all orders, where another file's tests made some
}
# Of these the house has none for who asks here; each is read where one of it is made, and what it told is looked at there.
NOT_THERE = {
    *("/account/company", "/v1/credit-notes/{note_id}", "/v1/credit-notes/{note_id}/page"),  # test_api_business.py
    "/account/company/quotes/{negotiation_id}",  # test_api_business.py
    "/account/subscriptions/{subscription_id}",  # test_api_subscriptions.py
    "/v1/orders/{order_id}/downloads/{token}",  # test_api_sellers.py
    "/v1/shipments/{shipment_id}/labels/{token}",  # test_api_carriers.py
}
EMPTY = re.compile(r"""{"items":\[\](,"cursor":"")?}""")


@pytest.fixture(scope="module")
async def house(record_url: str, objects_url: str, engines_home: Path) -> AsyncIterator[House]:
    """Return a house of this module's own: what others leave behind would stand first in the examples' lists."""
    async with filled_house(record_url, objects_url, engines_home) as opened:
        yield opened


@pytest.fixture(scope="module")
async def replayed(house: House) -> list[str]:
    """Return what differs when the description's examples are called again."""
    return await replay(house)


@pytest.fixture(scope="module")
async def ids(house: House, replayed: list[str]) -> dict[str, str]:
    assert not replayed
    deed = Deed(kind="refund", about="payment/1", scope="EUR", amount=1, what="A refund of 0.01 EUR of payment 1")
    async with house.app.record.transaction(house.app.settings.cell) as tx:
        who = await tx.connection.fetchval("SELECT id FROM identity.person ORDER BY id DESC LIMIT 1")
        await approvals.ask(tx, deed, who)
    async with house.app.record.committing() as connection:
        found = {name: await connection.fetchval(query) for name, query in FOUND.items()}
    return {name: str(id_) for name, id_ in found.items() if id_}


def test_every_example_is_what_the_code_returns(replayed: list[str]) -> None:
    assert not replayed, "\n".join(replayed)


async def test_every_personal_read_says_whose_data_it_told(house: House, ids: dict[str, str]) -> None:
    who = {**await bearer(house, "told-of@example.com", "admin"), "Entrepot-Why": "ticket/1"}
    assert (await house.nobody.post("/v1/me/erasure", headers={**who, "Idempotency-Key": str(uuid4())})).status_code == 202
    silent, refused = set(), set()
    for route in sorted(PERSONAL):
        path = re.sub(r"\{(\w+)\}", lambda found: ids.get(found[1], str(uuid4())), route)
        answer = await house.nobody.get(path, headers=who)
        if answer.status_code != OK:
            refused.add(route)
        elif not await told_of(house, answer) and not EMPTY.fullmatch(answer.text):
            silent.add(route)
    assert (silent - NOBODYS, refused - NOT_THERE) == (set(), set())


async def test_who_saw_somebodys_data_is_found_where_they_were_one_of_a_page(house: House, ids: dict[str, str]) -> None:
    answer = await house.client.get("/v1/orders?limit=100")
    told = await told_of(house, answer)
    assert len(told) > 1
    for one in sorted(told)[:5]:  # each of these reads is an entry too, and a page holds only so many
        shown = (await house.client.get("/v1/audit", params={"subject": str(one), "limit": 100})).json()["items"]
        assert answer.headers["entrepot-request"] in {entry["id"] for entry in shown}
