"""Whoever carries parcels keeps the port's promise: one reference is one parcel, however often it is asked."""

import asyncio
import socket
from pathlib import Path
from uuid import uuid4

import msgspec
import pytest

from entrepot.base.errors import BadInputError, NotFoundError
from entrepot.base.limits import PARCEL_GRAMS_MAX
from entrepot.base.time import SystemClock
from entrepot.cli import run
from entrepot.partners.carrier.own import SIGNED, OwnCarrier, is_number
from entrepot.partners.carrier.port import Booked, CarrierAwayError, Consignee, Consignment, NotTaken, Seen, Tidings
from entrepot.partners.signed import WebhookRefusedError, signature

TO = Consignee(name="Kim", lines=["1 High St", ""], city="York", country="GB", postcode="YO1")


def parcel(grams: int = 500, to: Consignee | None = TO) -> Consignment:
    return Consignment(reference=uuid4(), grams=grams, to=to)


@pytest.fixture
def vans(tmp_path: Path) -> OwnCarrier:
    return OwnCarrier(tmp_path / "parcels", SystemClock())


async def booked(vans: OwnCarrier, what: Consignment) -> str:
    answer = await vans.book(what)
    assert isinstance(answer, Booked), answer
    return answer.tracking


async def test_one_reference_is_one_parcel_however_many_ask_at_once(vans: OwnCarrier, tmp_path: Path) -> None:
    what = parcel()
    numbers = set(await asyncio.gather(*(booked(vans, what) for _ in range(20))))
    again = await booked(OwnCarrier(tmp_path / "parcels", SystemClock()), what)
    assert numbers == {again}
    assert is_number(again)
    assert [one.name for one in (tmp_path / "parcels").iterdir()] == [f"{again}.jsonl"]


async def test_two_references_are_two_parcels(vans: OwnCarrier) -> None:
    assert await booked(vans, parcel()) != await booked(vans, parcel())


async def test_what_is_given_up_is_not_carried_even_when_it_is_booked_later(vans: OwnCarrier) -> None:
    before, after = parcel(), parcel()
    await booked(vans, before)
    for one in (before, after, after):
        await vans.give_up(one.reference)
    assert await vans.book(before) == await vans.book(after) == NotTaken("it was given up under this reference")


async def test_what_happened_to_a_parcel_is_read_back_in_order(vans: OwnCarrier) -> None:
    number = await booked(vans, parcel())
    assert await vans.seen(number) == []
    await vans.note(number, "under_way")
    await vans.note(number, "delivered")
    seen = await vans.seen(number)
    assert [one.state for one in seen] == ["under_way", "delivered"]
    assert seen == sorted(seen, key=lambda one: one.at)
    assert all(isinstance(one, Seen) for one in seen)


@pytest.mark.parametrize(
    ("grams", "to", "why"),
    [
        (PARCEL_GRAMS_MAX + 1, TO, "it weighs 31501 g, and one of ours may weigh 31500 g"),
        (1, None, "the order has no address to deliver to"),
        (1, msgspec.structs.replace(TO, lines=[" "]), "its address names no street or no city"),
        (1, msgspec.structs.replace(TO, lines=["PO Box 7"]), "its address is a box at a post office, and a van needs a door"),
    ],
)
async def test_what_cannot_be_carried_is_refused_with_the_reason(
    vans: OwnCarrier, tmp_path: Path, grams: int, to: Consignee | None, why: str
) -> None:
    assert await vans.book(parcel(grams, to)) == NotTaken(why)
    assert not (tmp_path / "parcels").exists()


async def test_what_our_vans_tell_can_be_read_by_who_has_their_key_alone(vans: OwnCarrier, tmp_path: Path) -> None:
    now = SystemClock().millis()
    body = msgspec.json.encode(Tidings("EO1/2", "parcel.under_way", "EO1"))
    signed = {SIGNED: signature(vans._secret(), now // 1000, body)}
    assert vans.read_webhook(signed, body, now) == Tidings("EO1/2", "parcel.under_way", "EO1")
    for headers, sent, at in (({}, body, now), (signed, body + b" ", now), (signed, body, now + 301_000)):
        with pytest.raises(WebhookRefusedError):
            vans.read_webhook(headers, sent, at)
    with pytest.raises(WebhookRefusedError):
        OwnCarrier(tmp_path / "others", SystemClock()).read_webhook(signed, body, now)


async def test_who_is_not_there_to_be_told_does_no_harm(vans: OwnCarrier) -> None:
    number = await booked(vans, parcel())
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        assert not await vans.tell(number, f"http://127.0.0.1:{nobody.getsockname()[1]}/")


async def test_a_label_says_where_to_and_lets_no_name_command_the_printer(vans: OwnCarrier) -> None:
    to = msgspec.structs.replace(TO, name="Kim (^XZ~) \\ Müller")
    zpl = (await vans.label(parcel(to=to), "EO1", "zpl")).decode()
    pdf = await vans.label(parcel(to=to), "EO1", "pdf")
    assert zpl.count("^XZ") == 1
    assert "Kim (_5EXZ_7E) \\ Müller" in zpl
    assert rb"(Kim \(^XZ~\) \\ M\374ller)".replace(rb"\374", b"\xfc") in pdf
    assert pdf.startswith(b"%PDF-1.4") and pdf.endswith(b"%%EOF\n")  # noqa: PT018  # both ends of one thing


async def test_a_folder_that_cannot_be_used_is_a_carrier_that_is_away(tmp_path: Path) -> None:
    (tmp_path / "parcels").write_text("no folder")
    away = OwnCarrier(tmp_path / "parcels", SystemClock())
    for asked in (away.book(parcel()), away.give_up(uuid4()), away.seen("EO")):
        with pytest.raises(CarrierAwayError, match="carrier own does not answer") as told:
            await asked
        assert str(tmp_path) not in str(told.value)


async def test_a_note_needs_the_number_of_a_parcel_that_is_under_way(vans: OwnCarrier) -> None:
    number = await booked(vans, parcel())
    await vans.note(number, "lost")
    with pytest.raises(BadInputError, match="nothing more happens to it"):
        await vans.note(number, "delivered")
    with pytest.raises(BadInputError, match="its check digits do not fit"):
        await vans.note(f"{number[:-1]}{9 - int(number[-1])}", "delivered")
    other = await booked(OwnCarrier(vans._folder / "elsewhere", SystemClock()), parcel())
    with pytest.raises(NotFoundError, match="No parcel was booked under"):
        await vans.note(other, "delivered")


async def test_a_parcels_file_names_nobody(vans: OwnCarrier, tmp_path: Path) -> None:
    number = await booked(vans, parcel())
    text = (tmp_path / "parcels" / f"{number}.jsonl").read_text()
    assert not [word for word in ("Kim", "High", "York", "YO1") if word in text]


def test_who_drives_notes_by_command_what_happened_to_a_parcel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ENTREPOT_HOME", str(tmp_path))
    vans = OwnCarrier(tmp_path / "parcels", SystemClock())
    number = asyncio.run(booked(vans, parcel()))
    assert (run(["parcel", number, "under_way"]), run(["parcel", number, "delivered", "--json"])) == (0, 0)
    assert capsys.readouterr().out == f'Noted: {number} is under way.\n{{"number":"{number}","state":"delivered"}}\n'
    assert (run(["parcel", number, "lost"]), run(["parcel", "EO1", "lost"])) == (2, 2)
    assert "nothing more happens to it" in capsys.readouterr().err
