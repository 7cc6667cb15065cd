"""What every payment gateway keeps, through the port alone.

A vendor's module gives one fixture, ``bench``, and a class: ``class TestSandbox(PaymentSuite)``. A ``Bench`` names the
vendor's own test tokens, so that the same suite passes on a sandbox of ours and on a real test account.
"""

import asyncio
from collections.abc import Awaitable, Callable
from uuid import UUID

import pytest
from msgspec import Struct, structs

from entrepot.base.ids import IdSource
from entrepot.partners.payment.port import (
    Authorize,
    Authorized,
    Challenged,
    Declined,
    GatewayAwayError,
    GatewayPayment,
    GatewayRefusedError,
    Movement,
    PaymentGateway,
)

IDS = IdSource()


class Bench(Struct, frozen=True, kw_only=True):
    """A gateway under test, its tokens, and a way to answer a challenge as the buyer would."""

    gateway: PaymentGateway
    hasty: PaymentGateway  # the same gateway, asked by a client that waits but a moment
    ok: str
    declined: str
    declined_reason: str
    challenge: str
    hangs_after_charge: str
    answer_challenge: Callable[[str, bool], Awaitable[None]]


def asked(token: str, amount_minor: int = 1_000, *, capture: bool = False) -> Authorize:
    """Return a request under a fresh reference."""
    return Authorize(reference=IDS.fresh(), token=token, amount_minor=amount_minor, currency="EUR", capture=capture)


async def authorized(bench: Bench, amount_minor: int = 1_000, *, capture: bool = False) -> tuple[Authorize, Authorized]:
    """Return a request and its authorization."""
    request = asked(bench.ok, amount_minor, capture=capture)
    answer = await bench.gateway.authorize(request)
    assert isinstance(answer, Authorized)
    return request, answer


async def movements_of(gateway: PaymentGateway, reference: UUID) -> list[Movement]:
    """Return what the gateway's report says of a reference."""
    found, cursor, more = [], "", True
    while more:
        page = await gateway.report(cursor)
        found += [one for one in page.movements if one.reference == reference]
        cursor, more = page.cursor, page.more
    return found


class PaymentSuite:
    """What every gateway keeps. Subclass it as ``Test...`` where a ``bench`` fixture is in reach."""

    async def test_an_authorization_promises_exactly_what_was_asked(self, bench: Bench) -> None:
        request, answer = await authorized(bench)
        found = await bench.gateway.find(request.reference)
        assert (answer.amount_minor, answer.captured_minor) == (1_000, 0)
        assert found
        assert (found.id, found.state, found.authorized_minor) == (answer.payment_id, "authorized", 1_000)
        assert found.answer(bench.gateway.name, request) == answer

    async def test_the_same_reference_again_charges_nothing_more_and_answers_alike(self, bench: Bench) -> None:
        request = asked(bench.ok, capture=True)
        answers = await asyncio.gather(*(bench.gateway.authorize(request) for _ in range(5)))
        assert len(set(answers)) == 1
        assert [one.amount_minor for one in await movements_of(bench.gateway, request.reference)] == [1_000]

    async def test_the_same_reference_for_another_amount_is_refused(self, bench: Bench) -> None:
        request, _ = await authorized(bench)
        with pytest.raises(GatewayRefusedError):
            await bench.gateway.authorize(structs.replace(request, amount_minor=2_000))

    async def test_a_decline_says_why_and_can_be_found(self, bench: Bench) -> None:
        request = asked(bench.declined)
        answer = await bench.gateway.authorize(request)
        found = await bench.gateway.find(request.reference)
        assert isinstance(answer, Declined)
        assert answer.reason == bench.declined_reason
        assert found
        assert found.answer(bench.gateway.name, request) == answer

    @pytest.mark.parametrize(("approved", "kind"), [(True, Authorized), (False, Declined)])
    async def test_a_challenge_becomes_what_the_buyer_answers(self, bench: Bench, approved: bool, kind: type) -> None:
        request = asked(bench.challenge)
        challenged = await bench.gateway.authorize(request)
        assert isinstance(challenged, Challenged)
        assert challenged.url.startswith("http")
        await bench.answer_challenge(challenged.payment_id, approved)
        found = await bench.gateway.find(request.reference)
        assert found
        assert isinstance(found.answer(bench.gateway.name, request), kind)

    async def test_what_was_charged_before_the_answer_was_lost_is_found_by_its_reference(self, bench: Bench) -> None:
        request = asked(bench.hangs_after_charge)
        with pytest.raises(GatewayAwayError):
            await bench.hasty.authorize(request)
        found = await bench.gateway.find(request.reference)
        assert found
        assert found.state == "authorized"
        assert isinstance(await bench.gateway.authorize(request), Authorized)

    async def test_nothing_is_found_under_a_reference_that_was_never_used(self, bench: Bench) -> None:
        assert await bench.gateway.find(IDS.fresh()) is None
        assert await bench.gateway.payment("pay_nothing") is None

    async def test_a_closed_reference_gives_back_what_was_there_and_refuses_what_comes_late(self, bench: Bench) -> None:
        request, _ = await authorized(bench)
        taken, _ = await authorized(bench, capture=True)
        voided = await bench.gateway.close_reference(request.reference)
        refunded = await bench.gateway.close_reference(taken.reference)
        assert voided
        assert refunded
        assert (voided.state, refunded.state) == ("voided", "refunded")
        late = asked(bench.ok)
        assert await bench.gateway.close_reference(late.reference) is None
        with pytest.raises(GatewayRefusedError):
            await bench.gateway.authorize(late)

    async def test_parts_are_captured_up_to_what_was_promised(self, bench: Bench) -> None:
        _, promised = await authorized(bench)
        part = await bench.gateway.capture(promised.payment_id, 400, "part")
        rest = await bench.gateway.capture(promised.payment_id, 600, f"rest/{promised.payment_id}")
        assert (part.state, part.captured_minor) == ("part_captured", 400)
        assert (rest.state, rest.captured_minor) == ("captured", 1_000)
        with pytest.raises(GatewayRefusedError):
            await bench.gateway.capture(promised.payment_id, 1, f"beyond/{promised.payment_id}")

    async def test_a_capture_under_the_same_key_takes_money_once(self, bench: Bench) -> None:
        request, promised = await authorized(bench)
        key = str(IDS.fresh())
        taken = await asyncio.gather(*(bench.gateway.capture(promised.payment_id, 300, key) for _ in range(4)))
        assert {one.captured_minor for one in taken} == {300}
        assert [(one.amount_minor, one.key) for one in await movements_of(bench.gateway, request.reference)] == [(300, key)]

    async def test_refunds_are_kept_within_what_was_captured(self, bench: Bench) -> None:
        request, taken = await authorized(bench, capture=True)
        part = await bench.gateway.refund(taken.payment_id, 400, str(IDS.fresh()))
        assert (part.state, part.refunded_minor) == ("part_refunded", 400)
        with pytest.raises(GatewayRefusedError):
            await bench.gateway.refund(taken.payment_id, 601, str(IDS.fresh()))
        whole = await bench.gateway.refund(taken.payment_id, 600, str(IDS.fresh()))
        assert whole.state == "refunded"
        assert [one.kind for one in await movements_of(bench.gateway, request.reference)] == ["capture", "refund", "refund"]

    async def test_a_void_gives_up_what_was_not_captured(self, bench: Bench) -> None:
        _, promised = await authorized(bench)
        _, partly = await authorized(bench)
        await bench.gateway.capture(partly.payment_id, 250, str(IDS.fresh()))
        voided = await bench.gateway.void(promised.payment_id, str(IDS.fresh()))
        rest = await bench.gateway.void(partly.payment_id, str(IDS.fresh()))
        assert (voided.state, voided.voided_minor) == ("voided", 1_000)
        assert (rest.state, rest.voided_minor) == ("captured", 750)

    async def test_every_payment_is_in_the_list_of_payments(self, bench: Bench) -> None:
        request, promised = await authorized(bench)
        cursor, more = "", True
        seen: dict[UUID, GatewayPayment] = {}
        while more:
            page = await bench.gateway.payments(cursor)
            seen |= {one.reference: one for one in page.payments}
            cursor, more = page.cursor, page.more
        assert seen[request.reference].id == promised.payment_id
