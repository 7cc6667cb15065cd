"""People on a real PostgreSQL and Redis: who comes in, who does not, and what is over everywhere when it is over."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import nullcontext
from datetime import timedelta
from pathlib import Path

import pytest

from entrepot.base import limits
from entrepot.base.errors import HouseFullError, SignInRefusedError, TokenRefusedError, TooManyTriesError
from entrepot.base.principal import Membership
from entrepot.base.time import utc
from entrepot.commerce.people import commands, credentials, query, tries
from entrepot.commerce.people.credentials import KeyDraft
from entrepot.commerce.people.passwords import Passwords
from entrepot.commerce.people.rules import AddressDraft, ProfileDraft
from entrepot.commerce.people.tokens import ASKED, Proof
from entrepot.record.transaction import Record
from entrepot.sealing.sealing import Sealing
from tests.log_case import until
from tests.people import ELSEWHERE, EMAIL, HOME, PASSWORD, STEP, Town, link_in, town
from tests.trade import CELL


@pytest.fixture
async def here(record: Record, sealing: Sealing, memory_url: str, tmp_path: Path) -> AsyncIterator[Town]:
    async with town(record, sealing, memory_url, tmp_path) as opened:
        yield opened


async def test_who_registers_comes_in_by_the_letter_and_nobody_else_learns_of_it(here: Town) -> None:
    asked = Proof(ASKED, here.record.ids.fresh(), here.record.ids.secret())
    for _ in range(2):
        async with here.record.transaction(CELL) as tx:
            await commands.register(tx, here.people.sealing, EMAIL, "en", asked, utc(here.clock.millis()))
    told = await here.post()
    assert len(told) == 2
    async with here.record.transaction(CELL) as tx:
        with pytest.raises(TokenRefusedError):  # a newer letter takes its place
            await commands.confirm(tx, link_in(told[0]), str(asked), utc(here.clock.millis()))
    async with here.record.transaction(CELL) as tx:
        await commands.confirm(tx, link_in(told[1]), str(asked), utc(here.clock.millis()))
        await commands.register(tx, here.people.sealing, EMAIL.upper(), "en", asked, utc(here.clock.millis()))
    assert (await here.post())[-1].startswith("You have an account already")


async def asked_by_mail(here: Town) -> tuple[str, str]:
    """Ask for a link; returns the link's token, and what was given to who asked."""
    asked = Proof(ASKED, here.record.ids.fresh(), here.record.ids.secret())
    async with here.record.transaction(CELL) as tx:
        await commands.ask_by_mail(tx, here.people.sealing, EMAIL, "sign_in", asked, utc(here.clock.millis()))
    return link_in((await here.post())[-1]), str(asked)


async def test_a_link_by_mail_is_good_for_nobody_but_who_asked_for_it(here: Town) -> None:
    await here.settle()
    _, before = await asked_by_mail(here)
    token, asked = await asked_by_mail(here)
    for other in ("", before, token):
        with pytest.raises(TokenRefusedError):
            await here.people.door.by_link(token, HOME, asked=other)
    await here.people.door.by_link(token, HOME, asked=asked)


@pytest.mark.parametrize(("minutes", "good"), [(9.9, True), (10.1, False)])
async def test_a_link_by_mail_is_good_for_ten_minutes(here: Town, minutes: float, good: bool) -> None:
    await here.settle()
    token, asked = await asked_by_mail(here)
    here.later(minutes * 60)
    with nullcontext() if good else pytest.raises(TokenRefusedError):
        await here.people.door.by_link(token, HOME, asked=asked)


async def test_no_table_holds_what_is_personal_or_secret_in_the_open(here: Town) -> None:
    person_id = await here.settle()
    seed, codes = await here.use_codes(person_id)
    here.later(STEP)
    entered = await here.enter(code=here.code(seed))
    async with here.record.committing() as connection:
        tables = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'identity'")
        rows = [await connection.fetch(f"SELECT t::text FROM identity.{one['tablename']} AS t") for one in tables]
    text = str(rows)
    assert str(person_id) in text
    for secret in (EMAIL, PASSWORD, seed, codes[0], entered.session.token[-52:], HOME.address):
        assert secret not in text


async def test_whatever_is_wrong_is_refused_by_the_same_sentence(here: Town) -> None:
    seed, _ = await here.use_codes(await here.settle())
    here.later(STEP)
    right = here.code(seed)
    said = set()
    for address, password, code in (
        ("nobody@example.com", PASSWORD, right),
        (EMAIL, "not the password", right),
        (EMAIL, PASSWORD, "000000"),
        (EMAIL, PASSWORD, ""),
    ):
        with pytest.raises(SignInRefusedError) as refused:
            await here.enter(password, code=code, address=address)
        said.add(str(refused.value))
    assert len(said) == 1


async def test_a_code_is_good_once_and_a_recovery_code_too(here: Town) -> None:
    seed, codes = await here.use_codes(await here.settle())
    here.later(STEP)
    await here.enter(code=here.code(seed))
    with pytest.raises(SignInRefusedError):
        await here.enter(code=here.code(seed))
    assert (await here.who(await here.enter(code=codes[0].upper()))).methods == {"password", "recovery_code"}
    with pytest.raises(SignInRefusedError):
        await here.enter(code=codes[0])


async def test_two_who_send_the_same_code_at_once_are_not_both_let_in(here: Town) -> None:
    seed, _ = await here.use_codes(await here.settle())
    here.later(STEP)
    both = await asyncio.gather(*(here.enter(code=here.code(seed)) for _ in range(2)), return_exceptions=True)
    assert sorted(type(one).__name__ for one in both) == ["Entered", "SignInRefusedError"]


async def test_who_guesses_is_stopped_and_locks_out_neither_other_networks_nor_known_devices(here: Town) -> None:
    await here.settle()
    known = (await here.enter()).device
    assert known is not None
    for _ in range(limits.TRIES_BY_STRANGERS_MAX):
        with pytest.raises(SignInRefusedError):
            await here.enter("a wrong guess", place=ELSEWHERE)
    with pytest.raises(TooManyTriesError):
        await here.enter(place=ELSEWHERE)
    await here.enter(place=HOME)  # from another network
    await here.enter(place=ELSEWHERE, device=known)  # from the same one, by a device that has signed in before
    here.later(limits.TRY_WINDOW_SECONDS)
    await here.enter(place=ELSEWHERE)


async def test_a_device_proves_nothing_for_another_account_and_its_own_guesses_are_counted(here: Town) -> None:
    await here.settle()
    await here.settle("eve@example.com")
    device = (await here.enter(address="eve@example.com")).device or ""
    for _ in range(limits.TRIES_BY_STRANGERS_MAX):
        with pytest.raises(SignInRefusedError):
            await here.enter("a wrong guess", device=device)
    with pytest.raises(TooManyTriesError):
        await here.enter(device=device)
    for _ in range(limits.TRIES_BY_DEVICE_MAX):
        with pytest.raises(SignInRefusedError):
            await here.enter("a wrong guess", device=device, address="eve@example.com")
    with pytest.raises(TooManyTriesError):
        await here.enter(device=device, address="eve@example.com")


async def test_an_account_that_is_not_there_is_throttled_like_one_that_is(here: Town) -> None:
    await here.settle()
    for address in (EMAIL, "nobody@example.com"):
        for _ in range(limits.TRIES_BY_STRANGERS_MAX):
            with pytest.raises(SignInRefusedError):
                await here.enter("a wrong guess", address=address)
        with pytest.raises(TooManyTriesError):
            await here.enter("a wrong guess", address=address)


async def test_a_session_that_ended_is_refused_by_every_process_at_once(
    here: Town, record: Record, sealing: Sealing, memory_url: str, tmp_path: Path
) -> None:
    await here.settle()
    entered = await here.enter()
    async with town(record, sealing, memory_url, tmp_path) as other:
        assert (await other.who(entered)).id == entered.session.person_id
        assert (await here.who(entered)).session == entered.session.session_id
        async with here.record.transaction(CELL) as tx:
            ended = await here.people.sessions.end(tx, entered.session.person_id, "signed out")
        await here.people.sessions.doubt(ended)
        for process in (here, other):
            with pytest.raises(TokenRefusedError):
                await process.who(entered)


async def test_an_end_that_nobody_could_announce_is_announced_by_the_reaction(here: Town) -> None:
    await here.settle()
    entered = await here.enter()
    await here.who(entered)  # lies in the drawer now
    async with here.record.transaction(CELL) as tx:
        await here.people.sessions.end(tx, entered.session.person_id, "signed out")
    await here.who(entered)  # whoever ended it died before telling
    await here.react()
    with pytest.raises(TokenRefusedError):
        await here.who(entered)


async def test_a_renewed_session_has_a_new_token_and_the_old_one_is_refused(here: Town) -> None:
    await here.settle()
    entered = await here.enter()
    who = await here.who(entered)
    async with here.record.transaction(CELL) as tx:
        begun = await here.people.sessions.renew(tx, who)
    await here.people.sessions.doubt([begun.session_id])
    assert (await here.people.sessions.check(begun.token)).session == who.session
    with pytest.raises(TokenRefusedError):
        await here.who(entered)


async def test_a_session_ends_by_itself_idle_sooner_than_used_and_staff_soonest(here: Town) -> None:
    person_id = await here.settle()
    idle, used = await here.enter(), await here.enter()
    for _ in range(3):
        here.later(limits.SESSION_IDLE_SECONDS / 2)
        await here.who(used)
    with pytest.raises(TokenRefusedError):
        await here.who(idle)
    async with here.record.transaction(CELL) as tx:
        await commands.grant(tx, person_id, Membership("support"), utc(here.clock.millis()))
    staff = await here.enter()
    here.later(limits.STAFF_IDLE_SECONDS + 1)
    with pytest.raises(TokenRefusedError):
        await here.who(staff)


async def test_a_role_counts_from_the_next_sign_in_and_its_loss_at_once(here: Town) -> None:
    person_id, role = await here.settle(), Membership("seller_admin", "seller/acme")
    before = await here.enter()
    async with here.record.transaction(CELL) as tx:
        changed = await commands.grant(tx, person_id, role, utc(here.clock.millis()))
    await here.people.sessions.doubt(changed.ended)
    with pytest.raises(TokenRefusedError):
        await here.who(before)
    who = await here.who(await here.enter())
    assert (sorted(who.roles), sorted(who.sellers)) == (["seller_admin"], ["acme"])
    assert who.holds("seller_admin", "seller/acme")
    async with here.record.transaction(CELL) as tx:
        lost = await commands.revoke(tx, person_id, role, utc(here.clock.millis()))
    assert who.session in lost.ended


async def test_an_api_key_says_who_asks_until_it_is_revoked_or_over(here: Town) -> None:
    person_id = await here.settle()
    async with here.record.transaction(CELL) as tx:
        now = utc(here.clock.millis())
        draft = KeyDraft(label="stock-feed", scopes=["stock:write"], days=2)
        kept, gone = [await credentials.issue_key(tx, person_id, draft, now) for _ in range(2)]
    who = await here.people.sessions.check(kept.key)
    assert (who.id, str(who), list(who.scopes)) == (person_id, f"key/{kept.id}", ["stock:write"])
    async with here.record.transaction(CELL) as tx:
        await credentials.end_key(tx, person_id, gone.id, now)
    await here.people.sessions.doubt([gone.id])
    with pytest.raises(TokenRefusedError):
        await here.people.sessions.check(gone.key)
    here.clock.now = int((kept.expires_at + timedelta(seconds=1)).timestamp() * 1_000)
    with pytest.raises(TokenRefusedError):
        await here.people.sessions.check(kept.key)


async def test_a_suspended_person_is_out_and_comes_in_by_nothing(here: Town) -> None:
    person_id = await here.settle()
    entered = await here.enter()
    async with here.record.transaction(CELL) as tx:
        changed = await commands.suspend(tx, person_id, utc(here.clock.millis()))
    await here.people.sessions.doubt(changed.ended)
    with pytest.raises(TokenRefusedError):
        await here.who(entered)
    with pytest.raises(SignInRefusedError):
        await here.enter()


async def test_a_link_lets_in_once_and_asks_for_the_code_of_who_has_one(here: Town) -> None:
    person_id = await here.settle()
    seed, _ = await here.use_codes(person_id)
    here.later(STEP)
    async with here.record.transaction(CELL) as tx:
        now = utc(here.clock.millis())
        token = await commands.issue_link(tx, person_id, "sign_in", now, now + timedelta(hours=1))
    with pytest.raises(SignInRefusedError):
        await here.people.door.by_link(token, HOME)
    await here.people.door.by_link(token, HOME, code=here.code(seed))
    here.later(STEP)
    with pytest.raises(TokenRefusedError):
        await here.people.door.by_link(token, HOME, code=here.code(seed))


async def test_a_password_under_an_older_cost_is_hashed_anew_when_its_owner_signs_in(here: Town) -> None:
    person_id = await here.settle()
    cheaper = Passwords(passes=1, kibibytes=64)
    old = await cheaper.hash(PASSWORD)
    await cheaper.close()
    async with here.record.committing() as connection:
        await connection.execute("UPDATE identity.password SET hash = $1", old)
    await here.enter()
    async with here.record.committing() as connection:
        kept = await connection.fetchval("SELECT hash FROM identity.password WHERE person_id = $1", person_id)
    assert kept != old
    assert not here.people.passwords.outdated(kept)


async def test_a_flood_of_sign_ins_is_refused_and_never_holds_the_loop() -> None:
    passwords = Passwords(passes=1, kibibytes=8_192, at_once=1, waiting=2)
    answers = await asyncio.gather(*(passwords.matches(PASSWORD, None) for _ in range(20)), return_exceptions=True)
    assert sum(isinstance(one, HouseFullError) for one in answers) == 17
    assert await passwords.matches(PASSWORD, None) is False  # there is room again
    await passwords.close()


async def test_what_somebody_says_of_themselves_is_sealed_and_read_back(here: Town) -> None:
    person_id = await here.settle()
    draft = AddressDraft(name="Ada", lines=["1 High Street"], city="Leeds", country="GB", usual=True)
    async with here.record.transaction(CELL) as tx:
        now, sealing = utc(here.clock.millis()), here.people.sealing
        await commands.save_profile(tx, sealing, person_id, ProfileDraft(name="Ada", phone="+44 1", language="en"))
        await commands.save_address(tx, sealing, person_id, None, draft, now)
        await commands.save_address(tx, sealing, person_id, None, draft, now)
    async with here.record.reading() as connection:
        profile = await query.profile(connection, sealing, person_id)
        addresses = await query.addresses(connection, sealing, person_id)
    assert profile is not None
    assert (profile.email, profile.name, profile.phone) == (EMAIL, "Ada", "+44 1")
    assert [one.address.usual for one in addresses] == [True, False]


async def test_consent_says_to_which_text_and_until_when_and_a_new_text_takes_its_place(here: Town) -> None:
    person_id = await here.settle()
    async with here.record.transaction(CELL) as tx:
        now = utc(here.clock.millis())
        for version in ("2026-01", "2026-01", "2026-02"):
            await commands.give_consent(tx, person_id, "newsletter", version, "checkout", now)
        await commands.withdraw_consent(tx, person_id, "newsletter", "settings", now)
        found = await query.consents(tx.connection, person_id)
    assert [(one.text_version, one.withdrawn_how) for one in found] == [("2026-02", "settings"), ("2026-01", "replaced")]


async def test_who_signs_in_twice_at_once_is_not_in_their_own_way(here: Town) -> None:
    """Counting a try and taking it back lock the same two rows, the account's and the network's: in the same order."""
    every = (tries.buckets(bytes([number]), HOME.network, None, known=False) for number in range(256))
    counted = next(given for given in every if given[0].name > given[1].name)
    now = utc(here.clock.millis())

    async def wait(many: int) -> bool:
        async with here.record.committing() as connection:
            waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
            return bool(await connection.fetchval(waiting) == many)

    await tries.count(here.record, counted, now)
    async with here.record.committing() as connection:  # so that in the table, too, the account's row stands first
        await connection.execute("UPDATE identity.attempt SET tries = tries WHERE bucket = $1", counted[1].name)
    async with here.record.committing() as connection, connection.transaction():
        await connection.execute("SELECT FROM identity.attempt WHERE bucket = $1 FOR UPDATE", counted[0].name)
        back = asyncio.create_task(tries.take_back(here.record, counted))
        await until(lambda: wait(1))
        again = asyncio.create_task(tries.count(here.record, counted, now))
        await until(lambda: wait(2))
    await asyncio.gather(back, again)
