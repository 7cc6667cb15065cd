"""A projector of the tests' notes as a process of its own, to be killed: arguments are the database and the lease's seconds."""

import asyncio
import sys

from entrepot.base import limits
from tests.log_case import house


async def main(url: str) -> None:
    """Project until killed."""
    async with house(url) as home:
        print("ready", flush=True)  # noqa: T201  # the test waits for this line
        await home.projector().run()


if __name__ == "__main__":
    limits.LEASE_SECONDS = float(sys.argv[2])
    asyncio.run(main(sys.argv[1]))
