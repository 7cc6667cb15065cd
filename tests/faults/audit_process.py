"""The audit's linker and publisher in a process of its own, standing still where the test will kill it."""

import asyncio
import sys
from datetime import datetime
from pathlib import Path

from entrepot.audit.linking import link_new
from entrepot.audit.publishing import Publisher
from entrepot.audit.signing import Signer
from entrepot.engines.objects.s3_locked import S3Locked
from entrepot.partners.keys.file import FileKeyring
from entrepot.record.transaction import open_record


async def _stop(step: str) -> None:
    print(step, flush=True)  # noqa: T201  # the test waits for this line
    await asyncio.Event().wait()


class StoppingObjects(S3Locked):
    """Object storage whose answer never reaches us: the root lies there, and nobody has noted it."""

    async def put(self, key: str, data: bytes, until: datetime) -> bool:
        """Put, say so, and stand still."""
        done = await super().put(key, data, until)
        await _stop("put")
        return done


async def main(record_url: str, objects_url: str, home: Path, cell: int, step: str) -> None:
    """Link and publish until killed."""
    async with await open_record(record_url) as record:
        await link_new(record, cell)
        if step == "linked":
            await _stop("linked")
        signer = Signer(record, FileKeyring(home / "keyring.json"))
        await Publisher(record, cell, signer, StoppingObjects(objects_url), home / "roots.jsonl").publish()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], Path(sys.argv[3]), int(sys.argv[4]), sys.argv[5]))
