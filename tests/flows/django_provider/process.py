"""The provider as tests have it: started with its accounts, known to a house, ended."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote

import msgspec
from msgspec import Struct

from entrepot.partners.identity.oidc import OidcProvider
from tests.house import House

ROOT = Path(__file__).parents[3]
PATIENCE_SECONDS = 60.0
SECRET = "a+b %c/d:e@f"  # noqa: S105  # what a client's secret may hold, and two rules of encoding disagree about
PASSWORD = "a password of theirs, not of ours"  # noqa: S105  # of accounts that live as long as a file's tests
PEOPLE = {
    "grace": {"email": "grace@provider.example", "password": PASSWORD, "verified": True},
    "eve": {"email": "owner@provider.example", "password": PASSWORD, "verified": False},
}


class _Said(Struct, frozen=True):
    """What the provider says when it serves."""

    issuer: str
    client: str


@asynccontextmanager
async def django_provider(house: House, origin: str) -> AsyncIterator[None]:
    """Run the provider as a process of its own; the house, whose address is ``origin``, knows it as ``django``."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.flows.django_provider"),
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    wanted = {"back": f"{origin}/v1/oidc/django/callback", "secret": SECRET, "people": PEOPLE}
    process.stdin.write(msgspec.json.encode(wanted) + b"\n")
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            said = msgspec.json.decode(await process.stdout.readline(), type=_Said)
        ours = OidcProvider("django", said.issuer.replace("://", f"://{said.client}:{quote(SECRET, safe='')}@"))
        known = cast("dict[str, Any]", house.app.people.providers)
        known["django"] = ours
        yield
        del known["django"]
        await ours.close()
    finally:
        process.stdin.close()  # it ends with its input
        await process.wait()
