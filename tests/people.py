"""People for tests: a door with a cheap hash, letters that lie in a list of files, somebody who has an account."""

import email.policy
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email.parser import BytesParser
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

from msgspec import Struct

from entrepot.base.principal import Membership, Principal
from entrepot.base.time import FixedClock, SystemClock, utc
from entrepot.cli.people import sign_in_link
from entrepot.commerce.people import commands, credentials
from entrepot.commerce.people.door import Entered, PasswordSignIn
from entrepot.commerce.people.events import SESSIONS_ENDED
from entrepot.commerce.people.passwords import Passwords
from entrepot.commerce.people.people import People, open_people
from entrepot.commerce.people.second_factor import code_at
from entrepot.commerce.people.sessions import Place
from entrepot.engines.memory.redis_drawer import RedisDrawer
from entrepot.jobs.letters import send_letters
from entrepot.jobs.reaction import Reaction
from entrepot.partners.mail.files import FileMail
from entrepot.record.transaction import Record
from entrepot.sealing.sealing import Sealing
from tests.following import until_reacted
from tests.house import House
from tests.trade import CELL

ORIGIN = "http://localhost:8700"
EMAIL, PASSWORD = "ada@example.com", "nine apples under the tree"  # a test person's
HOME = Place(address="192.0.2.7", network="192.0.2.0/24", agent="Firefox")
ELSEWHERE = Place(address="198.51.100.7", network="198.51.100.0/24", agent="curl")
STEP = 30


class Town(Struct, frozen=True):
    """A door, a clock that the test moves, and the post."""

    record: Record
    people: People
    clock: FixedClock
    folder: Path

    async def post(self) -> list[str]:
        """Have the letters sent, and return every one that there is, the oldest first, as ``about: text``."""
        mail = FileMail(self.folder, "shop@example.com", self.clock)
        await send_letters(self.record, self.people.sealing, mail, CELL, self.clock, ORIGIN)
        return letters(self.folder)

    async def settle(self, address: str = EMAIL, password: str = PASSWORD) -> UUID:
        """Let somebody have an account with a password."""
        hash_ = await self.people.passwords.hash(password)
        async with self.record.transaction(CELL) as tx:
            now = utc(self.clock.millis())
            person_id = await commands.add_person(tx, self.people.sealing, address, [], now)
            await commands.set_password(tx, person_id, hash_, now)
        return person_id

    async def enter(
        self, password: str = PASSWORD, *, code: str = "", place: Place = HOME, device: str = "", address: str = EMAIL
    ) -> Entered:
        """Sign in by password."""
        given = PasswordSignIn(email=address, password=password, code=code)
        return await self.people.door.by_password(given, place, device)

    async def who(self, entered: Entered) -> Principal:
        """Return who holds the session of somebody who was let in."""
        return await self.people.sessions.check(entered.session.token)

    async def use_codes(self, person_id: UUID) -> tuple[str, list[str]]:
        """Have somebody use an authenticator; returns its seed and the recovery codes."""
        async with self.record.transaction(CELL) as tx:
            seed = (await credentials.begin_totp(tx, self.people.sealing, person_id)).seed
        async with self.record.transaction(CELL) as tx:
            now = utc(self.clock.millis())
            given = await credentials.confirm_totp(tx, self.people.sealing, person_id, self.code(seed), now)
        return seed, given.codes

    async def react(self) -> None:
        """Let the reaction to ended sessions read the log."""
        ended = frozenset({SESSIONS_ENDED})
        forgetting = Reaction(name="ended_sessions", kinds=ended, react=self.people.sessions.forget, from_start=True)
        await until_reacted(self.record, forgetting)

    def code(self, seed: str) -> str:
        """Return what the authenticator shows now."""
        return code_at(seed, self.clock.millis() // 1_000 // STEP)

    def later(self, seconds: float) -> None:
        """Let time pass."""
        self.clock.now += int(seconds * 1_000)


@asynccontextmanager
async def town(record: Record, sealing: Sealing, memory_url: str, folder: Path) -> AsyncIterator[Town]:
    """Open a door; its sessions lie in a drawer of this database's own."""
    clock = FixedClock(SystemClock().millis())
    drawer = RedisDrawer(memory_url, f"people-{folder.name}")
    passwords = Passwords(passes=1, kibibytes=1_024)
    try:
        async with open_people(record, CELL, drawer, sealing, clock, origin=ORIGIN, passwords=passwords) as people:
            yield Town(record, people, clock, folder)
    finally:
        await drawer.close()


def letters(folder: Path, to: str = "") -> list[str]:
    """Return the letters in a folder (all, or those to one address), the oldest first, as ``subject: text``."""
    found = []
    for path in sorted(folder.glob("*.eml")):
        message = BytesParser(policy=email.policy.default).parsebytes(path.read_bytes())
        if not to or message["To"] == to:
            found.append(f"{message['Subject']}: {message.get_content()}")
    return found


def link_in(letter: str) -> str:
    """Return the token of the link that a letter holds."""
    found = re.search(r"#(lnk_[a-z2-7]+)", letter)
    assert found is not None, letter
    return found[1]


async def bearer(house: House, address: str, *roles: str | Membership) -> dict[str, str]:
    """Return the header of somebody with these roles who has just signed in."""
    held = [Membership(role) if isinstance(role, str) else role for role in roles]
    link = await sign_in_link(house.app.record, house.app.people, house.app.settings, address, held)
    token = urlsplit(link.link).fragment
    answer = await house.nobody.post("/v1/sessions/links", json={"token": token})
    assert answer.status_code == 201, answer.text
    return {"Authorization": f"Bearer {answer.json()['token']}"}
