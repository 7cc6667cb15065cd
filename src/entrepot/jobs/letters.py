"""Sends letters that are written down, and forgets what is over. A link is made when its letter goes out; its hash is kept."""

from datetime import datetime, timedelta

from entrepot.base import limits
from entrepot.base.errors import EngineAwayError
from entrepot.base.time import Clock, utc
from entrepot.commerce.people import commands, credential_store, store
from entrepot.commerce.people.door import EMAIL
from entrepot.commerce.people.letters import OCCASIONS, SHOP, Occasion
from entrepot.commerce.people.store import DueLetter
from entrepot.commerce.people.tokens import LINK, Proof
from entrepot.partners.mail.port import Letter, Mail
from entrepot.record.transaction import Record
from entrepot.sealing.sealing import Sealing

# Where a link leads: the page asks its reader to go on, so that what looks through mail uses no link up.
LANDING = "/link"


async def send_letters(record: Record, sealing: Sealing, mail: Mail, cell: int, clock: Clock, origin: str) -> int:
    """Send what is due; returns how many letters were taken. One that was sent, and not noted, is sent again."""
    now = utc(clock.millis())
    async with record.committing() as connection:
        due = await store.due_letters(connection, now, limits.MAILS_PER_RUN_MAX)
    sent = 0
    for letter in due:
        sent += await _send(record, sealing, mail, cell, letter, now, origin)
    return sent


async def forget_what_is_over(record: Record, cell: int, clock: Clock) -> int:
    """Forget addresses that nobody confirmed, and what is over for long: sessions, links, tries, devices, letters."""
    now = utc(clock.millis())
    async with record.transaction(cell, "retention") as tx:
        ended = now - timedelta(days=limits.ENDED_DAYS)
        await credential_store.sweep(tx.connection, now, ended, now - timedelta(seconds=limits.DEVICE_SECONDS))
        await store.sweep_letters(tx.connection, ended)
        lost = await store.sweep_unverified(tx.connection, now - timedelta(days=limits.UNVERIFIED_DAYS))
        for person_id in lost:
            await commands.forget_unverified(tx, person_id, now)
    return len(lost)


async def _send(record: Record, sealing: Sealing, mail: Mail, cell: int, letter: DueLetter, now: datetime, origin: str) -> int:
    occasion = OCCASIONS[letter.about]
    to = (await sealing.unseal(letter.person_id, {EMAIL: letter.email_sealed or letter.login_sealed}))[EMAIL]
    if to is None:  # forgotten meanwhile
        async with record.committing() as connection:
            await store.letter_sent(connection, letter.id, now)
        return 0
    link = await _link(record, cell, letter, occasion, now, origin) if occasion.link else ""
    text = f"{occasion.text.format(link=link)}\n\n{SHOP}\n{origin}\n"
    try:
        made = Letter(reference=str(letter.id), to=to, subject=occasion.subject, text=text, language="en")
        await mail.send(made)
    except EngineAwayError:
        given_up = now - letter.created_at > timedelta(seconds=limits.MAIL_TRY_SECONDS_MAX)
        async with record.committing() as connection:
            if given_up:
                await store.letter_sent(connection, letter.id, now)
            else:
                wait = min(2.0**letter.tries, limits.JOB_BACKOFF_SECONDS_MAX * 10)
                await store.letter_later(connection, letter.id, now + timedelta(seconds=wait))
        return 0
    async with record.committing() as connection:
        await store.letter_sent(connection, letter.id, now)
    return 1


async def _link(record: Record, cell: int, letter: DueLetter, occasion: Occasion, now: datetime, origin: str) -> str:
    async with record.transaction(cell, "letters") as tx:
        proof = Proof(LINK, tx.ids.fresh(), tx.ids.secret())
        until = now + timedelta(seconds=limits.LINK_SECONDS)
        sealed = letter.email_sealed if occasion.link == "email" else None
        await credential_store.add_link(
            tx.connection,
            letter.person_id,
            occasion.link,
            proof,
            now=now,
            expires_at=until,
            email_sealed=sealed,
            asked_hash=letter.asked_hash,
        )
    return address_of(origin, str(proof))


def address_of(origin: str, token: str) -> str:
    """Return where a link leads: what proves it stands behind the #, which no browser sends to any server."""
    return f"{origin}{LANDING}#{token}"
