"""A person to be forgotten, for tests: an account, an order as customer, one as guest, a cart, a letter; and where to plant."""

from datetime import timedelta
from uuid import UUID, uuid4

from entrepot.app import privacy_of
from entrepot.base.time import SystemClock, utc
from entrepot.commerce.cart.state import Address, Contact
from entrepot.commerce.checkout.held import CheckoutRequest, PaymentChoice
from entrepot.commerce.checkout.quote import QuoteRequest, WantedLine
from entrepot.commerce.people import commands
from entrepot.commerce.people.rules import AddressDraft
from entrepot.commerce.pricing.commands import group_customer
from entrepot.privacy.store import Erasure
from tests.house import House
from tests.shop_front import products

SKU = products()[9].code
AT_ONCE = timedelta(0)


def contact(name: str) -> Contact:
    """Return whom something goes to; every value is the person's alone."""
    return Contact(
        email=f"{name}@forget.example",
        name=f"Zoë {name} Quandt",
        phone="+44 7700 900123",
        address=Address(line1=f"17 {name} Crescent", city="York", postcode="YO1 7HH", country="GB"),
    )


async def settle(house: House, name: str) -> UUID:
    """Let somebody have a confirmed account with an address and a group, an order of theirs and one as a guest."""
    who, now = contact(name), utc(SystemClock().millis())
    async with house.app.record.transaction(house.app.settings.cell) as tx:
        person_id = await commands.add_person(tx, house.app.sealing, who.email, [], now)
        draft = AddressDraft(name=who.name, lines=[who.address.line1], city="York", country="GB")
        await commands.save_address(tx, house.app.sealing, person_id, None, draft, now)
        await group_customer(tx, person_id, ["forgotten"])
    await buy(house, who, person_id)
    await buy(house, who, None)
    return person_id


async def buy(house: House, who: Contact, customer: UUID | None) -> UUID:
    """Place an order by card."""
    asked = QuoteRequest(
        market="uk", country="GB", lines=[WantedLine(sku=SKU, quantity=1)], shipping_method="standard", customer_id=customer
    )
    request = CheckoutRequest(quote=asked, payment=PaymentChoice(kind="card", token="tok_ok"), contact=who)  # noqa: S106  # the sandbox's
    return (await house.app.checkouts.begin(str(uuid4()), request)).checkout_id


async def fill_cart(house: House, who: Contact) -> str:
    """Fill a guest's cart and say where it goes; returns its path."""
    opened = await house.client.post(
        "/v1/carts",
        json={"market": "uk", "country": "GB", "lines": [{"sku": SKU, "quantity": 1}]},
        headers={"Idempotency-Key": str(uuid4())},
    )
    path = f"/v1/carts/{opened.json()['id']}"
    delivery = {
        "email": who.email,
        "name": who.name,
        "phone": who.phone,
        "address": {"line1": who.address.line1, "city": "York", "postcode": "YO1 7HH", "country": "GB"},
    }
    answer = await house.client.put(f"{path}/delivery", json=delivery, headers={"Idempotency-Key": str(uuid4())})
    assert answer.status_code == 200, answer.text
    return path


async def forget(house: House, who: str) -> Erasure:
    """Forget somebody at once, with the search and its certificate."""
    await house.seen_by_all()
    await house.until_reacted()
    asked = await privacy_of(house.app).erasing.ask(who, "test", AT_ONCE)
    return await privacy_of(house.app).erasing.finish(asked.id)
