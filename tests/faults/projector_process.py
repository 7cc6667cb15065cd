"""A projector of the tests' notes as a process of its own, to be killed: arguments are the database and the lease's seconds.

A third is the URL of a stream to read by, in place of the record.
"""

import asyncio
import sys

from entrepot.base import limits
from entrepot.engines.stream.kafka_source import KafkaSource
from entrepot.log.reader import LogReader
from entrepot.log.streamed import StreamedLog
from tests.log_case import ALL, house


async def main(url: str, stream: str) -> None:
    """Project until killed."""
    async with house(url) as home:
        print("ready", flush=True)  # noqa: T201  # the test waits for this line
        if stream:
            home.streamed = StreamedLog(home.record, home.bell, LogReader(home.record), lambda: KafkaSource(stream), 1, ALL)
        await home.projector().run()


if __name__ == "__main__":
    limits.LEASE_SECONDS = float(sys.argv[2])
    asyncio.run(main(sys.argv[1], sys.argv[3] if sys.argv[3:] else ""))
