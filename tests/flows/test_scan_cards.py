"""Card numbers that are kept: looked for in every engine, object, file and log, named by their place, never told."""

from datetime import timedelta

import msgspec
import pytest

from entrepot.base.limits import CARD_SCAN_SECONDS
from entrepot.base.time import FixedClock, SystemClock, utc
from entrepot.commerce.cart.state import Contact
from entrepot.privacy.scan.cards import CARD_FORM, CardNumbers
from entrepot.privacy.scanner import Scanner
from entrepot.privacy.watching import JOB, CardsKeptError, is_due, watch_cards
from tests.forgetting import contact
from tests.house import House
from tests.planting import PLANTS

CARD = "4242424242424242"
SPACED = "4242 4242 4242 4242"


def carrying() -> Contact:
    """Return somebody whose every value is a card number."""
    who = contact("Card")
    address = msgspec.structs.replace(who.address, line1=SPACED)
    return msgspec.structs.replace(who, email=CARD, name=SPACED, phone=SPACED, address=address)


async def test_a_card_number_is_found_in_every_engine_and_not_repeated(house: House) -> None:
    scanner = Scanner(house.app.settings)
    before = await scanner.look(CardNumbers())
    assert before.findings == []
    assert {one.source for one in before.sources} > {"record", "documents", "memory", "graph", "columns", "search", "objects"}
    for source in ("record", "documents", "graph", "columns", "search", "objects"):
        async with PLANTS[source](house, carrying()):
            scan = await scanner.look(CardNumbers())
        found = [one for looked in scan.sources for one in looked.findings]
        assert {one.source for one in scan.sources if one.findings} == {source}, scan.findings
        assert {one.form for one in found} == {CARD_FORM}
        assert CARD not in msgspec.json.encode(scan).decode()


async def test_the_daily_search_tells_of_a_card_number_in_a_log_by_its_place(house: House) -> None:
    record, scanner = house.app.record, Scanner(house.app.settings)
    log = house.app.settings.home / "planted.log"
    assert await watch_cards(record, scanner, SystemClock()) == 0  # not due yet
    tomorrow = FixedClock(SystemClock().millis() + int((CARD_SCAN_SECONDS + 60) * 1_000))
    assert await watch_cards(record, scanner, tomorrow) > 0
    log.write_text(f"paid by {SPACED}\n")
    try:
        with pytest.raises(CardsKeptError) as told:
            await watch_cards(record, scanner, tomorrow)
    finally:
        log.unlink()
    assert (told.value.facts["places"], JOB) == (["home: planted.log"], "card_scan")


def test_the_search_is_due_a_day_after_the_last() -> None:
    last = utc(0)
    assert not is_due(None, last)
    assert not is_due(last, last + timedelta(hours=23))
    assert is_due(last, last + timedelta(days=1))
